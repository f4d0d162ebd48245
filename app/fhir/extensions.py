"""What Operon's own extensions carry, so that an export says everything that the store has.

An Observation has the profile's components for what everyone reads; what they cannot say (the genotype as called, all
depths, the phase set, filters) travels in one extension, and so does what a Procedure cannot say of its call set.
``docs/howto/fhir-in-and-out.md`` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

from app.fhir.elements import Element, NotFhir, objects_of
from app.formats.genotype import Genotype, GenotypeTable
from app.records import Build, SourceClass, Zygosity

CALL: Final = "urn:operon:fhir:call"
CALL_SET: Final = "urn:operon:fhir:call-set"
STUDY: Final = "urn:operon:fhir:study"
GENOTYPE: Final = "urn:operon:fhir:genotype"

_INT32_MAX = 2**31 - 1
_DEPTHS = ("depth", "refDepth", "altDepth", "alleleDepths")
_MOST_DIGITS = 18
_NO_BUILD = "none"
_LONGEST_TEXT = 10_000

_Kind = TypeVar("_Kind", Zygosity, SourceClass)


@dataclass(frozen=True, slots=True)
class ExactCall:
    """A call as the store has it; depths and phase set are -1, the frequency None where absent."""

    genotype: Genotype
    depth: int = -1
    ref_depth: int = -1
    alt_depth: int = -1
    allele_depths: int = -1
    frequency: float | None = None
    phase_set: int = -1
    filter: str = "PASS"


@dataclass(frozen=True, slots=True)
class CallSetNote:
    """What a Procedure says of a call set beyond its profile."""

    uid: str
    sample: str
    source: str
    source_class: SourceClass
    phased_contigs: bool


@dataclass(frozen=True, slots=True)
class StudyNote:
    """What a Procedure says of a study beyond its profile."""

    build: Build | None
    specimen_id: str | None
    study_type: str | None
    change_types: str | None


@lru_cache(maxsize=4096)
def stated_genotype(text: str, allele: int) -> Genotype | None:
    """Return what a genotype text alone says of an allele; None where it is no genotype or lacks the allele."""
    table = GenotypeTable()
    try:
        carried = {number.allele: number.number for number in table.called(text).carried}
    except ValueError:
        return None
    return table.genotypes[carried[allele]] if allele in carried else None


def call_extension(call: ExactCall) -> dict[str, Any]:
    """Return a call as an extension; what is absent, or follows from the genotype, is left out."""
    genotype = call.genotype
    parts: list[dict[str, Any]] = [{"url": "genotype", "valueString": genotype.text}]
    if genotype.allele != 1:
        parts.append({"url": "allele", "valueInteger": genotype.allele})
    stated = stated_genotype(genotype.text, genotype.allele)
    if stated is None or genotype.zygosity is not stated.zygosity:
        parts.append({"url": "zygosity", "valueCode": genotype.zygosity.name.lower()})
    depths = (call.depth, call.ref_depth, call.alt_depth, call.allele_depths)
    for name, value in zip(_DEPTHS, depths, strict=True):
        if value >= 0:
            parts.append({"url": name, "valueInteger": value})
    if call.frequency is not None:
        parts.append({"url": "frequency", "valueDecimal": call.frequency})
    if call.phase_set >= 0:
        parts.append({"url": "phaseSet", "valueString": str(call.phase_set)})
    if call.filter != "PASS":
        parts.append({"url": "filter", "valueString": call.filter})
    return {"url": CALL, "extension": parts}


def call_set_extension(note: CallSetNote) -> dict[str, Any]:
    """Return what a call set has beyond its profile as an extension."""
    parts: list[dict[str, Any]] = [
        {"url": "uid", "valueString": note.uid},
        {"url": "sourceClass", "valueCode": note.source_class.word},
        {"url": "phasedContigs", "valueBoolean": note.phased_contigs},
    ]
    texts = (("sample", note.sample), ("source", note.source))
    parts += [{"url": name, "valueString": text} for name, text in texts if text]
    return {"url": CALL_SET, "extension": parts}


def study_extension(note: StudyNote) -> dict[str, Any]:
    """Return what a study has beyond its profile as an extension."""
    texts = (("specimen", note.specimen_id), ("studyType", note.study_type), ("changeTypes", note.change_types))
    parts: list[dict[str, Any]] = []
    if note.build is not None:
        parts.append({"url": "build", "valueCode": note.build.value})
    parts += [{"url": name, "valueString": text} for name, text in texts if text]
    # An extension has a value or parts; a study of which nothing more is known says that it has no positions.
    return {"url": STUDY, "extension": parts or [{"url": "build", "valueCode": _NO_BUILD}]}


@dataclass(frozen=True, slots=True)
class GenotypeNote:
    """What a genotype Observation says beyond its profile: its name as it was given, and what it lists."""

    source_class: SourceClass
    system: str
    code: str
    display: str | None
    haplotypes: tuple[str, ...]
    hla_alleles: tuple[str, ...]


def genotype_extension(note: GenotypeNote) -> dict[str, Any]:
    """Return what a genotype has beyond its profile as an extension."""
    parts: list[dict[str, Any]] = [{"url": "sourceClass", "valueCode": note.source_class.word}]
    texts = (("system", note.system), ("code", note.code), ("display", note.display or ""))
    parts += [{"url": name, "valueString": text} for name, text in texts if text]
    for name, listed in (("haplotype", note.haplotypes), ("hlaAllele", note.hla_alleles)):
        parts += [{"url": name, "valueString": text} for text in listed]
    return {"url": GENOTYPE, "extension": parts}


def read_genotype(resource: Element) -> GenotypeNote | None:
    """Return what a genotype Observation says exactly, None where it has no such extension; raises NotFhir."""
    for path, extension in objects_of(resource, "extension"):
        if extension.get("url") != GENOTYPE:
            continue
        texts: dict[str, list[str]] = {}
        for where, part in objects_of(extension, "extension", path):
            name, text = part.get("url"), part.get("valueString", part.get("valueCode"))
            if not isinstance(name, str) or not isinstance(text, str) or not text or len(text) > 2 * _LONGEST_TEXT:
                raise NotFhir(where, "it must have a url and a text")
            texts.setdefault(name, []).append(text)
        single = {name: values[0] for name, values in texts.items()}
        if "code" not in single:
            raise NotFhir(path, "it has no code")
        return GenotypeNote(
            _named(SourceClass, single.get("sourceClass", ""), path),
            single.get("system", ""),
            single["code"],
            single.get("display"),
            tuple(texts.get("haplotype", ())),
            tuple(texts.get("hlaAllele", ())),
        )
    return None


def read_call(resource: Element) -> ExactCall | None:
    """Return the call that an Observation carries exactly, None where it carries none; raises NotFhir."""
    found = parts_of(resource, CALL)
    return None if found is None else call_in(*found)


def call_in(path: str, parts: Mapping[str, Any]) -> ExactCall:
    """Return the call that the values of an extension make; raises NotFhir."""
    text, allele = text_part(parts, "genotype", path), integer_part(parts, "allele", path, absent=1)
    if text is None:
        raise NotFhir(path, "it has no genotype")
    stated = stated_genotype(text, allele)
    if stated is None:
        raise NotFhir(path, f"the genotype is none that has allele {allele}")
    word = text_part(parts, "zygosity", path)
    zygosity = stated.zygosity if word is None else _named(Zygosity, word, path)
    depth, ref_depth, alt_depth, allele_depths = (integer_part(parts, name, path, absent=-1) for name in _DEPTHS)
    return ExactCall(
        Genotype(text, allele, zygosity, stated.phased),
        depth=depth,
        ref_depth=ref_depth,
        alt_depth=alt_depth,
        allele_depths=allele_depths,
        frequency=_share(parts, path),
        phase_set=_phase_set(parts, path),
        filter=text_part(parts, "filter", path) or "PASS",
    )


def read_call_set(resource: Element) -> CallSetNote | None:
    """Return what a Procedure says of a call set, None where it is none of ours; raises NotFhir."""
    found = parts_of(resource, CALL_SET)
    if found is None:
        return None
    path, parts = found
    uid = text_part(parts, "uid", path) or ""
    if len(uid) != 16 or any(letter not in "0123456789abcdef" for letter in uid):
        raise NotFhir(path, "the uid is not 16 hexadecimal digits")
    phased = parts.get("phasedContigs", False)
    if not isinstance(phased, bool):
        raise NotFhir(path, "phasedContigs is neither true nor false")
    return CallSetNote(
        uid,
        text_part(parts, "sample", path) or "",
        text_part(parts, "source", path) or "",
        _named(SourceClass, text_part(parts, "sourceClass", path) or "", path),
        phased,
    )


def read_study(resource: Element) -> StudyNote | None:
    """Return what a Procedure says of a study, None where it is none of ours; raises NotFhir."""
    found = parts_of(resource, STUDY)
    if found is None:
        return None
    path, parts = found
    build = text_part(parts, "build", path)
    if build not in (None, _NO_BUILD, *Build):
        raise NotFhir(path, "the build is neither GRCh37 nor GRCh38")
    return StudyNote(
        None if build in (None, _NO_BUILD) else Build(build),
        text_part(parts, "specimen", path),
        text_part(parts, "studyType", path),
        text_part(parts, "changeTypes", path),
    )


def parts_of(resource: Element, url: str) -> tuple[str, dict[str, Any]] | None:
    """Return the path of our extension and its values by name."""
    for path, extension in objects_of(resource, "extension"):
        if extension.get("url") != url:
            continue
        parts: dict[str, Any] = {}
        for where, part in objects_of(extension, "extension", path):
            values = [value for name, value in part.items() if name.startswith("value")]
            name = part.get("url")
            if len(values) != 1 or not isinstance(name, str) or name in parts:
                raise NotFhir(where, "it must have one url of its own and one value")
            parts[name] = values[0]
        return path, parts
    return None


def text_part(parts: Mapping[str, Any], name: str, path: str) -> str | None:
    """Return a text among the values of an extension, None where it is absent; raises NotFhir."""
    value = parts.get(name)
    if value is not None and (not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT):
        raise NotFhir(path, f"{name} is no text of up to {_LONGEST_TEXT} characters")
    return value


def _share(parts: Mapping[str, Any], path: str) -> float | None:
    value = parts.get("frequency")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NotFhir(path, "the frequency is not between 0 and 1")
    return float(value)


def _phase_set(parts: Mapping[str, Any], path: str) -> int:
    text = text_part(parts, "phaseSet", path)
    if text is None:
        return -1
    if not (text.isascii() and text.isdecimal()) or len(text) > _MOST_DIGITS:
        raise NotFhir(path, "the phase set is no whole number")
    return int(text)


def integer_part(parts: Mapping[str, Any], name: str, path: str, *, absent: int) -> int:
    """Return a whole number among the values of an extension; raises NotFhir."""
    value = parts.get(name)
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _INT32_MAX:
        raise NotFhir(path, f"{name} is no whole number in its range")
    return value


def _named(kind: type[_Kind], word: str, path: str) -> _Kind:
    for member in kind:
        if member.name.lower() == word:
            return member
    raise NotFhir(path, f"there is no {kind.__name__} of this name")
