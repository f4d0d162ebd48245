"""Small variants of every model: coordinates, alleles, identifiers and frequencies."""

from __future__ import annotations

import re
from typing import Any

from app.formats.gel import Scope, SmallVariant
from app.formats.gel_calls import Setting, read_calls
from app.formats.gel_events import read_events
from app.formats.gel_parts import (
    NO_OBJECT,
    NO_STRING,
    REQUIRED,
    Record,
    Unreadable,
    join,
    need_position,
    need_record,
    need_text,
    shown,
)
from app.formats.gel_words import ORIGINS, read_build, read_chromosome
from app.records import Build

PLACEHOLDER = "Empty or placeholder allele ('', '.', '-') is not allowed; use a VCF-style anchored allele."
NO_BASES = "Only the bases A, C, G, T and N are allowed."
_BASES = re.compile("[ACGTN]+")
_WRAPPER = "reportedVariantCancer"
_OLD_ORIGINS = {"somatic": "somatic_variant", "germline": "germline_variant"}


def read_small_variant(found: Any, path: str, setting: Setting, *, is_old: bool) -> SmallVariant:
    """Return a small variant; ``is_old`` before model 6.

    Raises:
        Unreadable: its coordinates, alleles or list of calls cannot be used.
    """
    record, path, origins = unwrapped(found, path, _WRAPPER)
    chromosome, position, reference, alternate, build, is_repaired = read_place(record, path, setting)
    return SmallVariant(
        path=path,
        chromosome=chromosome,
        position_1based=position,
        reference=reference,
        alternate=alternate,
        build=build,
        calls=read_calls(record, path, setting, origins),
        events=read_events(record, path, setting.notes, is_old_cancer=is_old and setting.is_cancer),
        is_repaired=is_repaired,
    )


def unwrapped(found: Any, path: str, wrapper: str) -> tuple[Record, str, list[Any]]:
    """Return a variant out of what model 4 of cancer wraps around it, its path, and the allele origins beside it.

    Raises:
        Unreadable: it is no object.
    """
    if not isinstance(found, dict):
        raise Unreadable(path, NO_OBJECT)
    if wrapper not in found:
        return found, path, []
    origins = found.get("alleleOrigins")
    if origins is None:
        word = found.get("somaticOrGermline")
        origins = [_OLD_ORIGINS[word]] if isinstance(word, str) and word in _OLD_ORIGINS else []
    return (
        need_record(found, wrapper, path),
        join(path, wrapper),
        [one for one in origins if isinstance(one, str) and one in ORIGINS] if isinstance(origins, list) else [],
    )


def read_place(record: Record, path: str, setting: Setting) -> tuple[str, int, str, str, Build | None, bool]:
    """Return chromosome, position, alleles, the build that they name, and whether an allele had to be repaired.

    Raises:
        Unreadable: they cannot be used.
    """
    if "variantCoordinates" in record:
        place = join(path, "variantCoordinates")
        record = need_record(record, "variantCoordinates", path)
    elif "position" in record or "chromosome" in record:
        place = path
    else:
        raise Unreadable(join(path, "variantCoordinates"), REQUIRED)
    chromosome = read_chromosome(need_text(record, "chromosome", place))
    position = need_position(record, "position", place)
    reference, alternate = _allele(record, "reference", place), _allele(record, "alternate", place)
    _check_pair(reference, alternate, place)
    build = named_build(record, place, setting)
    return chromosome, position, reference, alternate, build, not reference or not alternate


def named_build(record: Record, path: str, setting: Setting) -> Build | None:
    """Return the build that coordinates name; note when it is not the case's, which counts."""
    word = record.get("assembly")
    if word is None:
        return None
    build = read_build(word)
    if build is not setting.build and setting.build is not None:
        said = f"Says {shown(word)}, but the case is on {setting.build}, which is used."
        setting.notes.warn(join(path, "assembly"), said)
    return build


def _allele(record: Record, name: str, path: str) -> str:
    value = record.get(name)
    if type(value) is not str:
        raise Unreadable(join(path, name), REQUIRED if value is None else NO_STRING)
    bases = value.strip().upper()
    if bases in ("", "-"):
        return ""
    if not _BASES.fullmatch(bases):
        raise Unreadable(join(path, name), PLACEHOLDER if bases == "." else NO_BASES)
    return bases


def _check_pair(reference: str, alternate: str, path: str) -> None:
    if reference == alternate:
        said = "The alternate allele is the reference." if reference else PLACEHOLDER
        raise Unreadable(f"{path}.alternate", said)
    if "N" in alternate:
        # N may stand in what both alleles share, never in what differs.
        tail = 0
        while tail < min(len(reference), len(alternate)) and reference[-1 - tail] == alternate[-1 - tail]:
            tail += 1
        head = 0
        left = min(len(reference), len(alternate)) - tail
        while head < left and reference[head] == alternate[head]:
            head += 1
        if "N" in alternate[head : len(alternate) - tail]:
            raise Unreadable(f"{path}.alternate", "The alternate allele has unknown bases (N).")


def read_details(text: str, path: str) -> tuple[str, int, str, str, bool]:
    """Return chromosome, position, alleles and whether one was repaired of ``chr:pos:ref:alt`` (or ``…:ref>alt``).

    Raises:
        Unreadable: it is not in that form.
    """
    parts = [one.strip() for one in re.split("[:>]", text)]
    position = int(parts[1]) if len(parts) == 4 and re.fullmatch("[0-9]{1,9}", parts[1]) else 0
    if not position or not parts[0]:
        raise Unreadable(path, 'Expected "chromosome:position:reference:alternate".')
    alleles = {"reference": parts[2], "alternate": parts[3]}
    try:
        reference, alternate = _allele(alleles, "reference", path), _allele(alleles, "alternate", path)
        _check_pair(reference, alternate, path)
    except Unreadable as problem:
        raise Unreadable(path, problem.message) from None
    return read_chromosome(parts[0]), position, reference, alternate, not reference or not alternate


def read_all(found: list[Any], path: str, setting: Setting, *, is_old: bool) -> tuple[SmallVariant, ...]:
    """Return the small variants of a document that can be read."""
    variants = []
    for at, one in enumerate(found):
        try:
            variants.append(read_small_variant(one, f"{path}[{at}]", setting, is_old=is_old))
        except Unreadable as problem:
            setting.notes.refuse(problem, Scope.VARIANT)
    return tuple(variants)
