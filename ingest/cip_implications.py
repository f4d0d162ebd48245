"""What reports and questionnaires of a case say that the proband's variants mean, as statements of the store.

A classification belongs to the proband whom the report is about, never to relatives. A tier alone says nothing of what
a variant means. Statements take the form of FHIR Observations and are read as those of a FHIR file are, so that the
store holds exactly what it would hold of such a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.stated_implication import Incomplete, read_implication_observation
from app.formats.gel import Classification, DrugResponse, ReportEvent, Scope, StructuralVariant, Term
from app.formats.gel_events import HPO
from app.formats.gel_structural import REPEAT
from app.formats.gel_values import day_of
from app.formats.knowledge import ItemKind
from app.records import LiftStatus
from app.store.knowledge_codec import Role
from app.store.stated import FindingKind, StatedFinding
from app.store.stated_places import site_name
from app.store.stated_writer import Addition
from app.store.structural_sites import StructuralSite
from ingest.cip_batch import Batch
from ingest.cip_mapping import Draft, StructuralFound

SIGNIFICANCE: Final = MappingProxyType(
    {
        "pathogenic": ("LA6668-3", "Pathogenic"),
        "likely_pathogenic": ("LA26332-9", "Likely pathogenic"),
        "uncertain_significance": ("LA26333-7", "Uncertain significance"),
        "likely_benign": ("LA26334-5", "Likely benign"),
        "benign": ("LA6675-8", "Benign"),
    }
)
"""LOINC answers by the word of the models; ``excluded`` has none"""
_INHERITANCE: Final = MappingProxyType(
    {
        "monoallelic": ("HP:0000006",),
        "monoallelic_not_imprinted": ("HP:0000006",),
        "monoallelic_maternally_imprinted": ("HP:0000006",),
        "monoallelic_paternally_imprinted": ("HP:0000006",),
        "biallelic": ("HP:0000007",),
        "monoallelic_and_biallelic": ("HP:0000006", "HP:0000007"),
        "monoallelic_and_more_severe_biallelic": ("HP:0000006", "HP:0000007"),
        "xlinked_biallelic": ("HP:0001419",),
        "xlinked_monoallelic": ("HP:0001423",),
        "mitochondrial": ("HP:0001427",),
    }
)
_INHERITANCE_NAMES: Final = MappingProxyType(
    {
        "HP:0000006": "Autosomal dominant inheritance",
        "HP:0000007": "Autosomal recessive inheritance",
        "HP:0001419": "X-linked recessive inheritance",
        "HP:0001423": "X-linked dominant inheritance",
        "HP:0001427": "Mitochondrial inheritance",
    }
)
_EFFECTS: Final = MappingProxyType(
    {
        "increased_sensitivity": "sensitive",
        "responsive": "sensitive",
        "altered_sensitivity": "altered sensitivity",
        "reduced_sensitivity": "reduced sensitivity",
        "increased_resistance": "resistant",
        "resistant": "resistant",
        "altered_resistance": "altered resistance",
        "reduced_resistance": "reduced resistance",
        "increased_risk_of_toxicity": "increased risk of toxicity",
        "toxicity": "increased risk of toxicity",
    }
)
"""What has a word of its own; all others are shown without their underscores"""
_CONDITION_INHERITANCE: Final = Coding(codes.TBD_CODES, "condition-inheritance", "Condition Inheritance")
_GENOME: Final = 1
_QUESTIONNAIRE: Final = 4
_SOURCES: Final = MappingProxyType(
    {
        _GENOME: "GEL interpreted genome",
        2: "GEL clinical report v{}",
        3: "GEL clinical report v{}",
        _QUESTIONNAIRE: "GEL exit questionnaire of clinical report v{}",
    }
)
"""Evidence by the rank of a classification"""

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """Everything that counts of one variant: the classification, if it has one, and the events of reports on it."""

    path: str
    classification: Classification | None
    explained: tuple[Term, ...]
    events: tuple[ReportEvent, ...]


def statements_of(batch: Batch, number: int, uids: Sequence[str]) -> list[Addition]:
    """Return the statements of one case of a batch, given the uids of the call sets that are planned.

    What is said of a variant that the proband does not have is noted in the case's problems.
    """
    draft = batch.drafts[number]
    proband = draft.proband
    said = _said(batch, number)
    if proband is None or not said:
        return []
    small = batch.carriers(number, proband)
    structural = {
        _structural_key(one.variant): one
        for one in draft.structural
        if batch.plan[batch.call_set_of(number, one.call_set)].subject.subject_id == proband
    }
    found: dict[str, Addition] = {}
    for key, one in said.items():
        finding: StatedFinding | None = None
        if key[0] == "small" and key[1:] in small:
            call_set, change = small[key[1:]]
            entry = batch.plan[call_set]
            finding = StatedFinding(
                FindingKind.CALL, uids[call_set], entry.source_class, change.contig, change.position, change.ref,
                change.alt,
            )  # fmt: skip
        elif key in structural:
            finding = _structural_finding(batch, number, structural[key], uids)
        if finding is None:
            detail = "Classified or interpreted, but the proband does not have it in the store: nothing is stated."
            draft.add(one.path, detail, Scope.WARNING)
            continue
        for kind, resource in _observations(draft, one):
            addition = _addition(proband, kind, resource, finding)
            if addition is not None:
                found[addition.uid] = addition
    return list(found.values())


def _said(batch: Batch, number: int) -> dict[Key, _Said]:
    """Return what is said of each variant, by what makes it the same one; only of those of which anything is."""
    draft = batch.drafts[number]
    of: dict[Key, list[Classification]] = {}
    for one in draft.case.classifications:
        key = _key(batch, number, one)
        if key is not None:
            of.setdefault(key, []).append(one)
    events: dict[Key, list[ReportEvent]] = {}
    for key, some in of.items():
        for one in reversed(some):
            variant = one.small or one.structural
            events.setdefault(key, []).extend(variant.events if variant is not None else ())
    paths = {key: some[-1].path for key, some in of.items()}
    for genome in draft.case.current_genomes():
        for small in genome.variants:
            has_drug = any(event.drug_responses for event in small.events)
            place = batch.identity_at(number, small.path) if has_drug or of else None
            if place is not None and (has_drug or ("small", *place) in of):
                events.setdefault(("small", *place), []).extend(small.events)
                paths.setdefault(("small", *place), small.path)
        for structural in genome.structural:
            key = _structural_key(structural)
            if key in of or any(event.drug_responses for event in structural.events):
                events.setdefault(key, []).extend(structural.events)
                paths.setdefault(key, structural.path)
    said = {}
    for key, path in paths.items():
        some = of.get(key, [])
        winner = next((one for one in reversed(some) if one.significance), None)
        explained = tuple(term for one in reversed(some) if one.rank == _QUESTIONNAIRE for term in one.phenotypes)
        if winner is not None or any(event.drug_responses for event in events.get(key, ())):
            said[key] = _Said(path, winner, explained, tuple(events.get(key, ())))
    return said


def _key(batch: Batch, number: int, one: Classification) -> Key | None:
    if one.structural is not None:
        return None if one.structural.kind == REPEAT else _structural_key(one.structural)
    if one.small is None:
        return None
    place = batch.identity_at(number, one.small.path)
    return None if place is None else ("small", *place)


def _structural_key(variant: StructuralVariant) -> Key:
    region = variant.region
    return "structural", variant.kind, region.chromosome, region.start, region.end


def _structural_finding(batch: Batch, number: int, one: StructuralFound, uids: Sequence[str]) -> StatedFinding:
    call_set = batch.call_set_of(number, one.call_set)
    entry, allele = batch.plan[call_set], one.allele
    site = StructuralSite(
        one.contig, allele.kind, entry.build, LiftStatus.OK, allele.extent, None, allele.ref, allele.alt,
        allele.length, allele.imprecise,
    )  # fmt: skip
    start = allele.extent.start
    return StatedFinding(
        FindingKind.STRUCTURAL, uids[call_set], entry.source_class, one.contig, start, name=site_name(site)
    )


def _addition(subject_id: str, kind: ItemKind, resource: Mapping[str, Any], finding: StatedFinding) -> Addition | None:
    read = read_implication_observation(resource, kind)
    if isinstance(read, Incomplete):
        return None
    concepts = tuple((Role[role], concept) for role, concept in read.concepts)
    return Addition(subject_id, read.kind, read.body, concepts, (finding,))


# --- Observations -----------------------------------------------------------------------------------------------------


def _observations(draft: Draft, said: _Said) -> Iterator[tuple[ItemKind, dict[str, Any]]]:
    conditions = _conditions(draft, said)
    one = said.classification
    if one is not None and one.significance in SIGNIFICANCE:
        code, display = SIGNIFICANCE[one.significance]
        components = [_coded(codes.CLINICAL_SIGNIFICANCE, [Coding(codes.LOINC, code, display)])]
        components += [_concept(codes.PREDICTED_PHENOTYPE, value) for value in conditions]
        components += [_text(codes.EVIDENCE_LEVEL, text) for text in _evidence(one, said.events)]
        components += _inheritance(said.events)
        yield ItemKind.DIAGNOSTIC, _observation(components, one.date)
    responses = dict.fromkeys(response for event in said.events for response in event.drug_responses)
    for response in responses:
        yield ItemKind.THERAPEUTIC, _observation(_therapy(response, said.events), "")


def _therapy(response: DrugResponse, events: Sequence[ReportEvent]) -> list[dict[str, Any]]:
    components = []
    if response.agent:
        components.append(_text(codes.MEDICATION_ASSESSED, response.agent))
    if response.response:
        effect = _EFFECTS.get(response.response, response.response.replace("_", " "))
        components.append(_text(codes.THERAPEUTIC_IMPLICATION, effect))
    components += [_text(codes.TREATMENT_CONTEXT, condition) for condition in response.conditions]
    components += [_text(codes.EVIDENCE_LEVEL, f"GEL {word}") for word in _ranked(events)]
    return components


def _observation(components: Sequence[Mapping[str, Any]], date: str) -> dict[str, Any]:
    """Return an Observation as a file would have it; what it is derived from is only named."""
    resource: dict[str, Any] = {"resourceType": "Observation", "status": "final"}
    if day := day_of(date):
        resource["effectiveDateTime"] = day
    return {**resource, "derivedFrom": [{"reference": "Observation/variant"}], "component": list(components)}


def _conditions(draft: Draft, said: _Said) -> list[dict[str, Any]]:
    """Return the conditions of a statement: what the questionnaire explains, else the first that is told of."""
    names = {
        phenotype.term.code: phenotype.term.name
        for member in draft.case.members
        for phenotype in member.phenotypes
        if phenotype.term.name
    }
    told = [term for event in said.events for term in event.phenotypes]
    names |= {term.code: term.name for term in told if term.code and term.name}
    if said.explained:
        return _terms(said.explained, names)
    if told:
        return _terms(told, names)
    referral = draft.case.referral
    if referral is not None and (referral.indication.code or referral.indication.name):
        return [{"text": referral.indication.name or referral.indication.code}]
    panels = [event.panel.name for event in said.events if event.panel is not None]
    panels = panels or [panel.name for panel in draft.case.panels]
    return [{"text": name} for name in dict.fromkeys(panels) if name]


def _terms(terms: Sequence[Term], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return terms of the Human Phenotype Ontology as codes, and all others as text, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for term in terms:
        code = term.code if HPO.fullmatch(term.code) else ""
        if not code and HPO.fullmatch(term.name):
            code = term.name
        if code:
            name = names.get(code) or (term.name if term.name != code else "")
            coding = {"system": codes.HPO, "code": code, **({"display": name} if name else {})}
            found.setdefault((code, ""), {"coding": [coding]})
        elif term.name or term.code:
            text = term.name or term.code
            found.setdefault(("", text), {"text": text})
    return list(found.values())


def _evidence(one: Classification, events: Sequence[ReportEvent]) -> list[str]:
    acmg = one.acmg_codes or next((event.acmg_codes for event in events if event.acmg_codes), ())
    rank = one.rank if one.version else _GENOME
    texts = [_SOURCES[rank].format(one.version)] if rank in _SOURCES else []
    texts += [f"ACMG: {', '.join(acmg)}"] if acmg else []
    return texts + [f"GEL {word}" for word in _ranked(events)]


def _ranked(events: Sequence[ReportEvent]) -> list[str]:
    """Return the best tier and the best domain of some events."""
    tiers = min((event.tier for event in events if event.tier), default="")
    domains = min((event.domain for event in events if event.domain), default="")
    return [word for word in (tiers, domains) if word]


def _inheritance(events: Sequence[ReportEvent]) -> list[dict[str, Any]]:
    modes = {event.mode_of_inheritance for event in events} & _INHERITANCE.keys()
    listed = sorted({code for mode in modes for code in _INHERITANCE[mode]})
    if not listed:
        return []
    return [_coded(_CONDITION_INHERITANCE, [Coding(codes.HPO, code, _INHERITANCE_NAMES[code]) for code in listed])]


def _coded(code: Coding, values: Sequence[Coding]) -> dict[str, Any]:
    return _concept(code, {"coding": [value.as_json() for value in values]})


def _text(code: Coding, text: str) -> dict[str, Any]:
    return _concept(code, {"text": text})


def _concept(code: Coding, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": code.as_concept(), "valueCodeableConcept": dict(value)}
