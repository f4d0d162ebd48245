"""The variants of a case as rows for people: what was found, in whom, why it is reported and how it was classified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.formats.gel import (
    HOMOPLASMIC_FROM,
    Classification,
    GelCase,
    Region,
    RepeatExpansion,
    ReportEvent,
    SmallVariant,
    StructuralVariant,
    VariantCall,
)

MOST_SHOWN: Final = 500

_ZYGOSITIES: Final = {
    "reference_homozygous": "reference",
    "heterozygous": "heterozygous",
    "alternate_homozygous": "homozygous",
    "missing": "not called",
    "half_missing_reference": "reference, other allele not called",
    "half_missing_alternate": "alternate, other allele not called",
    "alternate_hemizigous": "hemizygous",
    "reference_hemizigous": "reference (hemizygous)",
    "unk": "not known",
    "na": "not stated",
}
_TIERS: Final = (
    "TIER1",
    "TIERA",
    "DOMAIN1",
    "TIER2",
    "TIERB",
    "DOMAIN2",
    "TIER3",
    "DOMAIN3",
    "TIER4",
    "DOMAIN4",
    "TIER5",
)
_ABSENT: Final = "no call"
_CARRIED: Final = ("heterozygous", "alternate_homozygous", "alternate_hemizigous")

Key = tuple[object, ...]
Found = SmallVariant | StructuralVariant | RepeatExpansion


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant of a case."""

    variant: str
    kind: str
    genes: str
    consequences: str
    tier: str
    """The best one of all report events; empty where none has one"""
    panels: str
    calls: tuple[str, ...]
    """What each person of the table has, in their order"""
    classification: str
    source: str
    """Where the classification is from"""
    services: str


def rows_of(case: GelCase, people: Sequence[str]) -> list[VariantRow]:
    """Return a row for each variant of the current interpreted genomes and of reports, those of the best tier first."""
    found: dict[Key, list[tuple[str, Found]]] = {}
    for genome in case.current_genomes():
        every: tuple[Found, ...] = (*genome.variants, *genome.structural, *genome.repeats)
        for one in every:
            found.setdefault(_key(one), []).append((genome.service, one))
    said: dict[Key, Classification] = {}
    for claim in case.classifications:
        about = claim.small or claim.structural
        if about is not None:
            key = _key(about)
            if claim.significance or key not in said:
                said[key] = claim
            if key not in found:
                found[key] = [(claim.source, about)]
    rows = [_row(some, said.get(key), people) for key, some in found.items()]
    return sorted(rows, key=lambda row: (_rank(row.tier), not row.classification))


def zygosity_text(word: str) -> str:
    """Return in words what a sample has; a word that nobody knows stays as it is."""
    return _ZYGOSITIES.get(word, f"{word} (not known here)" if word else _ABSENT)


def _key(one: Found) -> Key:
    if isinstance(one, SmallVariant):
        return ("small", one.chromosome, one.position_1based, one.reference, one.alternate)
    kind = one.kind if isinstance(one, StructuralVariant) else "repeat"
    return (kind, one.region.chromosome, one.region.start, one.region.end)


def _row(
    some: Sequence[tuple[str, Found]],
    claim: Classification | None,
    people: Sequence[str],
) -> VariantRow:
    first = some[0][1]
    events = [event for _, one in some for event in one.events]
    calls: dict[str, dict[str, VariantCall]] = {}
    for _, one in some:
        for call in one.calls:
            calls.setdefault(call.participant_id, {}).setdefault(call.sample_id, call)
    tiers = sorted({event.tier or event.domain for event in events} - {""}, key=_rank)
    return VariantRow(
        variant=_name(first),
        kind=_kind(first),
        genes=_joined(gene.symbol for event in events for gene in event.genes),
        consequences=_joined(term.name or term.code for event in events for term in event.consequences),
        tier=tiers[0] if tiers else "",
        panels=_joined(event.panel.name for event in events if event.panel is not None),
        calls=tuple(_called_of(calls.get(person, {}), first) for person in people),
        classification=claim.significance.replace("_", " ") if claim is not None else _own(events),
        source=claim.source if claim is not None else "",
        services=_joined(service for service, _ in some),
    )


def _own(events: Iterable[ReportEvent]) -> str:
    return _joined((event.acmg_significance or event.significance).replace("_", " ") for event in events)


def _called_of(calls: Mapping[str, VariantCall], variant: Found) -> str:
    """Return what somebody has; of several samples, as those of a tumour and the germline, each by its name."""
    said = {sample: _called(call, variant) for sample, call in calls.items()}
    if len(said) > 1:
        return "; ".join(f"{sample}: {text}" for sample, text in said.items())
    return next(iter(said.values()), _ABSENT)


def _called(call: VariantCall, variant: Found) -> str:
    if isinstance(variant, RepeatExpansion) and call.copies:
        return f"{' and '.join(map(str, call.copies))} repeats"
    is_mitochondrial = isinstance(variant, SmallVariant) and variant.chromosome == "MT"
    said = [_plasmy(call) if is_mitochondrial and call.zygosity in _CARRIED else zygosity_text(call.zygosity)]
    if isinstance(variant, StructuralVariant) and call.copies:
        said.append(f"{call.copies[0]} copies")
    if call.frequency is not None and (call.is_somatic or is_mitochondrial):
        said.append(f"VAF {call.frequency:.2f}")
    if "de_novo_variant" in call.origins:
        said.append("de novo")
    return ", ".join(said)


def _plasmy(call: VariantCall) -> str:
    """Return whether all mitochondria have a variant; the share of reads says so better than the zygosity."""
    if call.frequency is None:
        return "heteroplasmic" if call.zygosity == "heterozygous" else "homoplasmic"
    return "homoplasmic" if call.frequency >= HOMOPLASMIC_FROM else "heteroplasmic"


def _name(one: Found) -> str:
    if isinstance(one, SmallVariant):
        return f"{one.chromosome}:{one.position_1based} {one.reference or '-'}>{one.alternate or '-'}"
    name = _place(one.region)
    if isinstance(one, StructuralVariant) and one.mate is not None:
        return f"{name} and {_place(one.mate)}"
    return f"{name} ({one.motif})" if isinstance(one, RepeatExpansion) and one.motif else name


def _place(region: Region) -> str:
    return f"{region.chromosome}:{region.start + 1}-{region.end}"


def _kind(one: Found) -> str:
    if isinstance(one, StructuralVariant):
        return one.kind.replace("_", " ")
    return "short tandem repeat" if isinstance(one, RepeatExpansion) else "small variant"


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _rank(tier: str) -> int:
    return _TIERS.index(tier) if tier in _TIERS else len(_TIERS)


def counts_of(rows: Iterable[VariantRow]) -> Mapping[str, int]:
    """Return how many variants there are of each tier or domain, the best first."""
    found: dict[str, int] = {}
    for row in rows:
        name = row.tier or "no tier"
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: _rank(item[0])))
