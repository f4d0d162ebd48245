"""What each sample has at a variant, in every model: ``variantCalls``, ``calledGenotypes``, or neither (cancer)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.formats.gel import Member, Scope, VariantCall
from app.formats.gel_parts import (
    LARGEST,
    NO_OBJECT,
    NO_STRING,
    REQUIRED,
    Notes,
    Record,
    Unreadable,
    as_whole,
    join,
    need_items,
    need_text,
    no_choice,
    spelled,
)
from app.formats.gel_words import ORIGINS, ZYGOSITIES, ZYGOSITY_SPELLINGS
from app.records import Build

UNKNOWN_ZYGOSITY = 'The zygosity is unknown ("unk"): the call is counted as not carried.'
CONTRADICTION = "Another call of this sample says otherwise; none of them is used."
FOREIGN_SAMPLE = "The sample belongs to another participant of the case."
_PLAIN_ZYGOSITIES = ZYGOSITIES - {"unk"}
_PLAIN_ORIGINS = {one: (one,) for one in sorted(ORIGINS)}
_OLD_NAMES = frozenset(("vaf", "phaseSet", "copyNumber", "gelId", "genotype"))
_RELATIVES_LOSE = {"de_novo_variant", "maternal_variant", "paternal_variant"}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a variant is read within: the case's assembly and its people."""

    notes: Notes
    build: Build | None = None
    is_cancer: bool = False
    members: tuple[Member, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    """Sample → participant"""
    proband: str = ""


def setting_of(notes: Notes, build: Build | None, members: tuple[Member, ...], *, is_cancer: bool) -> Setting:
    """Return the setting of a case."""
    owners = {sample.sample_id: one.participant_id for one in members if one.participant_id for sample in one.samples}
    proband = next((one.participant_id for one in members if one.is_proband and one.participant_id), "")
    return Setting(notes, build, is_cancer, members, owners, proband)


def read_calls(record: Record, path: str, setting: Setting, outer_origins: list[Any]) -> tuple[VariantCall, ...]:
    """Return the calls of a variant; ``outer_origins`` are the allele origins beside its coordinates in model 4.

    Raises:
        Unreadable: there is no list of calls.
    """
    name = "variantCalls" if record.get("variantCalls") is not None else "calledGenotypes"
    if record.get(name) is None:
        if setting.is_cancer:
            return _without_calls(record, path, setting, outer_origins)
        raise Unreadable(join(path, "variantCalls"), REQUIRED)
    origins = _variant_origins(record, outer_origins)
    calls = []
    place = join(path, name)
    for at, one in enumerate(need_items(record, name, path)):
        plain = _plain_call(one, f"{place}[{at}]", setting)
        if plain is not None:
            calls.append(plain)
            continue
        try:
            calls.append(_call(one, f"{place}[{at}]", setting, origins))
        except Unreadable as problem:
            setting.notes.refuse(problem, Scope.CALL)
    return _without_contradictions(calls, setting.notes) if len(calls) > 1 else tuple(calls)


def _plain_call(record: Any, path: str, setting: Setting) -> VariantCall | None:
    """Return a call of model 6 that has nothing unusual, which is most of them and fast; None for any other."""
    if type(record) is not dict or record.get("phaseGenotype") or record.get("numberOfCopies"):
        return None
    participant, sample, zygosity = record.get("participantId"), record.get("sampleId"), record.get("zygosity")
    frequency = record.get("sampleVariantAlleleFrequency")
    ref_depth, alt_depth = record.get("depthReference"), record.get("depthAlternate")
    listed = record.get("alleleOrigins")
    origin = listed[0] if type(listed) is list and len(listed) == 1 else None
    origins = _PLAIN_ORIGINS.get(origin) if type(origin) is str else None
    if (
        origins is None
        or type(zygosity) is not str
        or zygosity not in _PLAIN_ZYGOSITIES
        or type(participant) is not str
        or type(sample) is not str
        or setting.owners.get(sample) != participant
        or not (frequency is None or (type(frequency) is float and 0 <= frequency <= 1))
        or not (ref_depth is None or (type(ref_depth) is int and 0 <= ref_depth <= LARGEST))
        or not (alt_depth is None or (type(alt_depth) is int and 0 <= alt_depth <= LARGEST))
        or not _OLD_NAMES.isdisjoint(record)
    ):
        return None
    return VariantCall(participant, sample, zygosity, path, (), None, frequency, ref_depth, alt_depth, (), origins)


def _call(record: Any, path: str, setting: Setting, variant_origins: tuple[str, ...]) -> VariantCall:
    if not isinstance(record, dict):
        raise Unreadable(path, NO_OBJECT)
    notes = setting.notes
    sample = need_text(record, "sampleId", path)
    participant = _participant(record, sample, path, setting)
    zygosity = _zygosity(record, path, setting)
    if zygosity == "unk":
        notes.warn(f"{path}.zygosity", UNKNOWN_ZYGOSITY)
    alleles, phase_set = _phase(record, path, notes)
    origins = tuple(notes.texts(record, "alleleOrigins", path)) if record.get("alleleOrigins") else ()
    if origins and not ORIGINS.issuperset(origins):
        notes.warn(f"{path}.alleleOrigins", no_choice(next(one for one in origins if one not in ORIGINS)))
        origins = tuple(one for one in origins if one in ORIGINS)
    return VariantCall(
        participant_id=participant,
        sample_id=sample,
        zygosity=zygosity,
        path=path,
        sorted_alleles=alleles,
        phase_set=phase_set,
        frequency=notes.share(record, spelled(record, "sampleVariantAlleleFrequency", "vaf"), path),
        ref_depth=_depth(record, "depthReference", path, notes),
        alt_depth=_depth(record, "depthAlternate", path, notes),
        copies=_copies(record, path, notes),
        origins=origins or _fallback(variant_origins, participant, setting),
    )


def _participant(record: Record, sample: str, path: str, setting: Setting) -> str:
    name = spelled(record, "participantId", "gelId")
    owner = setting.owners.get(sample)
    # Model 4.2 of cancer names the sample alone.
    if record.get(name) is None and setting.is_cancer and owner:
        return owner
    participant = need_text(record, name, path)
    if owner is not None and owner != participant:
        raise Unreadable(f"{path}.sampleId", FOREIGN_SAMPLE)
    return participant


def _zygosity(record: Record, path: str, setting: Setting) -> str:
    name = "zygosity" if "zygosity" in record else "genotype"
    word = record.get(name)
    if word is None:
        # Calls of cancer in model 4.2 have neither a participant nor a zygosity.
        if setting.is_cancer and "zygosity" not in record and "participantId" not in record:
            return "na"
        raise Unreadable(join(path, "zygosity"), REQUIRED)
    if type(word) is not str:
        raise Unreadable(join(path, name), NO_STRING)
    word = ZYGOSITY_SPELLINGS.get(word, word)
    if word not in ZYGOSITIES:
        raise Unreadable(join(path, name), no_choice(word))
    return word


def _phase(record: Record, path: str, notes: Notes) -> tuple[tuple[str, ...], int | None]:
    if record.get("phaseGenotype") is not None:
        found = notes.record(record, "phaseGenotype", path)
        place = f"{path}.phaseGenotype"
        phase_set = notes.whole(found, "phaseSet", place)
        alleles = notes.texts(found, "sortedAlleles", place)
        return (tuple(alleles), phase_set) if phase_set is not None else ((), None)
    if record.get("phaseSet") is not None:
        return (), notes.whole(record, "phaseSet", path)
    return (), None


def _depth(record: Record, name: str, path: str, notes: Notes) -> int | None:
    depth = notes.whole(record, name, path)
    if depth is not None and depth < 0:
        notes.warn(join(path, name), "Ensure this value is greater than or equal to 0.")
        return None
    return depth


def _copies(record: Record, path: str, notes: Notes) -> tuple[int, ...]:
    if record.get("numberOfCopies") is not None:
        found = [
            as_whole(one.get("numberOfCopies")) if isinstance(one, dict) else None
            for one in notes.items(record, "numberOfCopies", path)
        ]
        # Half of a pair of alleles is not the pair.
        if any(one is None or one < 0 for one in found):
            notes.warn(f"{path}.numberOfCopies", "A valid integer is required.")
            return ()
        return tuple(one for one in found if one is not None)
    copies = _depth(record, "copyNumber", path, notes) if record.get("copyNumber") is not None else None
    return () if copies is None else (copies,)


def _variant_origins(record: Record, outer: list[Any]) -> tuple[str, ...]:
    attributes = record.get("variantAttributes")
    found = record.get("alleleOrigins") or outer
    if not found and isinstance(attributes, dict):
        found = attributes.get("alleleOrigins")
    if not isinstance(found, list):
        return ()
    return tuple(one for one in found if isinstance(one, str) and one in ORIGINS)


def _fallback(origins: tuple[str, ...], participant: str, setting: Setting) -> tuple[str, ...]:
    """Return the variant's origins as far as they can be said of a call that has none of its own.

    That an allele is new or comes from a parent is said of the proband.
    """
    if not origins or participant == setting.proband:
        return origins
    return tuple(dict.fromkeys("germline_variant" if one in _RELATIVES_LOSE else one for one in origins))


def _without_calls(record: Record, path: str, setting: Setting, outer: list[Any]) -> tuple[VariantCall, ...]:
    """Return the one call of a cancer variant of a model before 4.2, which has its depths beside the coordinates."""
    notes = setting.notes
    origins = _variant_origins(record, outer)
    kind = "germline" if origins else ""
    if "somatic_variant" in origins:
        kind = "tumour" if len(origins) == 1 else ""
    samples = [
        (one.participant_id, sample.sample_id)
        for one in setting.members
        for sample in one.samples
        if one.participant_id and sample.kind == kind
    ]
    if len(samples) != 1:
        reason = "The document does not say which sample the variant was found in."
        notes.refuse(Unreadable(path, reason), Scope.CALL)
        return ()
    participant, sample = samples[0]
    return (
        VariantCall(
            participant_id=participant,
            sample_id=sample,
            zygosity="na",
            path=path,
            frequency=notes.share(record, spelled(record, "vaf", "VAF"), path),
            ref_depth=_depth(record, "depthReference", path, notes),
            alt_depth=_depth(record, "depthAlternate", path, notes),
            origins=origins,
        ),
    )


def _without_contradictions(calls: list[VariantCall], notes: Notes) -> tuple[VariantCall, ...]:
    """Return the calls without those samples of which two calls say different things; the first of equal ones."""
    if len({one.sample_id for one in calls}) == len(calls):
        return tuple(calls)
    said = Counter(one.sample_id for one in {(call.sample_id, call.zygosity): call for call in calls}.values())
    kept: dict[str, VariantCall] = {}
    for one in calls:
        if said[one.sample_id] > 1:
            notes.refuse(Unreadable(f"{one.path}.zygosity", CONTRADICTION), Scope.CALL)
        else:
            kept.setdefault(one.sample_id, one)
    return tuple(kept.values())
