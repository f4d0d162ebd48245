"""Variants and phase relations as FHIR Observations, written straight to JSON text.

Profiles: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-variant.html and
StructureDefinition-sequence-phase-relationship.html. Everything that the calls of one call set share is serialized once
and joined with the few values that differ: model objects cost hundreds of times more (``docs/adr/0002``). Tests hold
every form against the R4B models and the profiles.

Positions are zero-based, half-open; REF, ALT and exact-start-end describe the record as reported (anchor base
included), the variation code is the fully justified SPDI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.records import Build, SourceClass, Zygosity
from app.variants.naming import Names
from app.variants.protein import UNKNOWN


@dataclass(frozen=True, slots=True)
class CallSetFacts:
    """What all observations of one call set on one sequence share."""

    subject_id: str
    effective: str | None
    specimen_id: str | None
    source_class: SourceClass
    build: Build
    ref_seq: str
    study: str
    """Id of the Procedure that the study is"""


@dataclass(slots=True)
class VariantRows:
    """The values that differ between observations, as parallel lists."""

    ids: list[str]
    states: list[Zygosity]
    spdis: list[str]
    """Contextual SPDI on the call set's build"""
    other_spdis: list[str | None]
    """SPDI on the other build"""
    hgvs: list[str | None]
    """Genomic HGVS on the call set's build"""
    named: list[str]
    """Components of gene, transcript and protein, as ``named_components`` returns them"""
    frequencies: list[float | None]
    alt_depths: list[int]
    """-1 absent"""
    refs: list[str]
    alts: list[str]
    positions: list[int]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def component(code: Coding, value: dict[str, Any]) -> str:
    """Return one Observation.component as JSON text."""
    return _json({"code": code.as_concept(), **value})


def _concept(code: Coding, value: Coding) -> str:
    return component(code, {"valueCodeableConcept": value.as_concept()})


_SPLIT = "\x00"


def _around(code: Coding, value: dict[str, Any]) -> tuple[str, str]:
    """Return what stands before and after the one variable value of a component, marked by a NUL in ``value``."""
    marked = component(code, value)
    text_mark, number_mark = _json(_SPLIT)[1:-1], _json(-7_777_777)
    before, _, after = marked.partition(text_mark if text_mark in marked else number_mark)
    return before, after


_NUMBER = -7_777_777
VARIANT_PART = ',{"name":"variant","resource":'
PHASE_PART = ',{"name":"sequencePhaseRelationship","resource":'
"""What stands before the resource in the text of a part; a brace follows it"""
_STATES = {
    state: _concept(codes.ALLELIC_STATE_COMPONENT, coding) + "," for state, coding in codes.ALLELIC_STATE.items()
}
_REF_BEFORE, _REF_AFTER = _around(codes.REF_ALLELE, {"valueString": _SPLIT})
_ALT_BEFORE, _ALT_AFTER = _around(codes.ALT_ALLELE, {"valueString": _SPLIT})
_VAF_BEFORE, _VAF_AFTER = _around(
    codes.SAMPLE_ALLELIC_FREQUENCY,
    {"valueQuantity": {"value": _NUMBER, "unit": codes.FREQUENCY_UNIT, "system": codes.UCUM, "code": "1"}},
)
_DEPTH_BEFORE, _DEPTH_AFTER = _around(
    codes.ALLELIC_READ_DEPTH,
    {"valueQuantity": {"value": _NUMBER, "unit": codes.READ_DEPTH_UNIT, "system": codes.UCUM, "code": "1"}},
)
_EXACT_BEFORE, _EXACT_AFTER = _around(codes.EXACT_START_END, {"valueRange": {"low": {"value": _NUMBER}}})
_COORDINATES = _concept(codes.COORDINATE_SYSTEM, codes.ZERO_BASED_INTERVAL)
_SPDI_OPEN = '{"code":' + _json(codes.VARIATION_CODE.as_concept()) + ',"valueCodeableConcept":{"coding":['
_SPDI_SYSTEM = '{"system":' + _json(codes.SPDI) + ',"code":"'
_SPDI_NEXT = '"},' + _SPDI_SYSTEM
_CODE_CLOSE = '"}]}}'
_HGVS_OPEN = ',{"code":' + _json(codes.GENOMIC_HGVS.as_concept()) + ',"valueCodeableConcept":{"coding":['
_HGVS_OPEN += '{"system":' + _json(codes.HGVS) + ',"code":"'
_CATEGORY = _json([codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()])


@lru_cache(maxsize=1024)
def _shared(facts: CallSetFacts) -> tuple[str, str, str]:
    """Return the text before the id, between the id and the allelic state, and at the end."""
    before = VARIANT_PART + '{"resourceType":"Observation","id":"'
    head: dict[str, Any] = {
        "partOf": [{"reference": f"Procedure/{facts.study}"}],
        "subject": {"reference": f"Patient/{facts.subject_id}"},
    }
    if facts.effective is not None:
        head["effectiveDateTime"] = facts.effective
    head["valueCodeableConcept"] = codes.PRESENT.as_concept()
    if facts.specimen_id is not None:
        head["specimen"] = {"identifier": {"value": facts.specimen_id}}
    components = []
    if facts.source_class in codes.SOURCE_CLASS:
        components.append(_concept(codes.GENOMIC_SOURCE_CLASS, codes.SOURCE_CLASS[facts.source_class]))
    components.append(_concept(codes.GENOMIC_REF_SEQ, Coding(codes.REFSEQ, facts.ref_seq)))
    after = (
        f'","meta":{{"profile":[{_json(codes.VARIANT_PROFILE)}]}},"status":"final","category":{_CATEGORY},'
        f'"code":{_json(codes.VARIANT_ASSESSMENT.as_concept())},{_json(head)[1:-1]},"component":[{",".join(components)},'
    )
    end = "," + _concept(codes.REFERENCE_SEQUENCE_ASSEMBLY, codes.ASSEMBLY[facts.build]) + "]}}"
    return before, after, end


def named_components(names: Names | None) -> str:
    """Return the components that name a variant along the transcript that stands for it, each after a comma.

    An effect on the protein that cannot be told is not mentioned, nor one on a protein whose accession is not known.
    """
    if names is None:
        return ""
    parts = []
    if names.hgnc is not None:
        parts.append(_concept(codes.GENE_STUDIED, Coding(codes.HGNC, names.hgnc, names.gene)))
    elif names.gene is not None:
        parts.append(component(codes.GENE_STUDIED, {"valueCodeableConcept": {"text": names.gene}}))
    if ":c." in names.coding:
        parts.append(_concept(codes.REPRESENTATIVE_CODING_HGVS, Coding(codes.HGVS, names.coding, names.coding)))
    system = codes.ENSEMBL if names.transcript.startswith("ENS") else codes.REFSEQ
    transcript = Coding(system, names.transcript, names.transcript)
    parts.append(_concept(codes.REPRESENTATIVE_TRANSCRIPT_REF_SEQ, transcript))
    if names.protein is not None and names.change not in (None, UNKNOWN):
        text = f"{names.protein}:{names.change}"
        parts.append(_concept(codes.REPRESENTATIVE_PROTEIN_HGVS, Coding(codes.HGVS, text, text)))
    return "".join(f",{part}" for part in parts)


def render_variants(facts: CallSetFacts, rows: VariantRows) -> list[str]:
    """Return each variant as the text of a ``variant`` part that follows another part.

    A handful of long constant pieces a variant: what depends on the state, the frequency or the alleles alone is put
    together once for each of them.
    """
    before, after, end = _shared(facts)
    states = _STATES if facts.source_class is SourceClass.GERMLINE else {}
    opened = {state: f"{after}{states.get(state, '')}{_SPDI_OPEN}{_SPDI_SYSTEM}" for state in set(rows.states)}
    shares = {
        share: f"{_VAF_BEFORE}{share}{_VAF_AFTER}," if share is not None else "" for share in set(rows.frequencies)
    }
    alleles = {
        pair: f"{_REF_BEFORE}{pair[0]}{_REF_AFTER},{_ALT_BEFORE}{pair[1]}{_ALT_AFTER},{_COORDINATES},{_EXACT_BEFORE}"
        for pair in set(zip(rows.refs, rows.alts, strict=True))
    }
    out = []
    for id_, state, spdi, other, hgvs, named, share, alt_depth, pair, position in zip(
        rows.ids, rows.states, rows.spdis, rows.other_spdis, rows.hgvs, rows.named, rows.frequencies, rows.alt_depths,
        zip(rows.refs, rows.alts, strict=True), rows.positions, strict=True,
    ):  # fmt: skip
        placed = f'{_SPDI_NEXT}{other}","display":"{other}{_CODE_CLOSE}' if other is not None else _CODE_CLOSE
        depth = f"{_DEPTH_BEFORE}{alt_depth}{_DEPTH_AFTER}," if alt_depth >= 0 else ""
        # The end may be left out for a single base only (IG, exact-start-end).
        ended = _EXACT_AFTER if len(pair[0]) == 1 else f'}},"high":{{"value":{position + len(pair[0])}{_EXACT_AFTER}'
        called = f'{_HGVS_OPEN}{hgvs}","display":"{hgvs}{_CODE_CLOSE}' if hgvs is not None else ""
        out.append(
            f'{before}{id_}{opened[state]}{spdi}","display":"{spdi}{placed},{shares[share]}{depth}'
            f"{alleles[pair]}{position}{ended}{called}{named}{end}"
        )
    return out


def render_phase(id_: str, subject_id: str, first_id: str, second_id: str, *, cis: bool) -> str:
    """Return the phase relation of two variants as the text of a part that follows another part."""
    value = codes.CIS if cis else codes.TRANS
    resource = _json(
        {
            "resourceType": "Observation",
            "id": id_,
            "meta": {"profile": [codes.PHASE_PROFILE]},
            "status": "final",
            "category": [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()],
            "code": codes.ALLELIC_PHASE.as_concept(),
            "subject": {"reference": f"Patient/{subject_id}"},
            "valueCodeableConcept": value.as_concept(),
            "derivedFrom": [{"reference": f"Observation/{derived}"} for derived in (first_id, second_id)],
        }
    )
    return f"{PHASE_PART}{resource}}}"


def observation_named(parts: Sequence[str], id_: str) -> bytes | None:
    """Return the resource with an id out of parts as they are rendered here; None if none of them has it."""
    opening = f'{{"resourceType":"Observation","id":"{id_}"'
    for part in parts:
        resource = part[part.index('"resource":') + len('"resource":') : -1]
        if resource.startswith(opening):
            return resource.encode()
    return None


def found_parameter(
    name: str,
    item_name: str,
    item: str,
    resources: Sequence[str] = (),
    *,
    present: bool | None,
    note: str | None = None,
) -> list[str]:
    """Return the pieces of one parameter of a subject operation: the item asked for, presence, then what was found.

    An operation that tells no presence gives None. ``note`` says of the item what a reader should know.
    """
    presence = "" if present is None else f',{{"name":"presence","valueBoolean":{"true" if present else "false"}}}'
    extension = ""
    if note is not None:
        extension = f'"extension":{_json([_note(note)])},'
    head = f'{{"name":"{name}","part":[{{{extension}"name":"{item_name}","valueString":{_json(item)}}}{presence}'
    return [head, *resources, "]}"]


def _note(text: str) -> dict[str, Any]:
    return {"url": codes.NOTE, "valueAnnotation": {"text": text}}


def counted_parameter(
    name: str,
    item_name: str | None,
    item: str,
    *,
    numerator: int,
    denominator: int,
    subjects: Sequence[str] | None,
    note: str | None = None,
) -> list[str]:
    """Return one parameter of a population operation: the item, how many have it of how many, and who if asked for.

    An operation that counts for the whole question names no item. ``note`` says of the item what a reader should know.
    """
    extension = {"extension": [_note(note)]} if note is not None else {}
    parts: list[dict[str, Any]] = [
        *([{**extension, "name": item_name, "valueString": item}] if item_name is not None else []),
        {"name": "numerator", "valueQuantity": {"value": numerator}},
        {"name": "denominator", "valueQuantity": {"value": denominator}},
    ]
    parts += [{"name": "subject", "valueString": subject} for subject in subjects or ()]
    return [_json({"name": name, "part": parts})]


def parameters(entries: Sequence[Sequence[str]]) -> bytes:
    """Return a Parameters resource from the pieces of its parameters, joined once.

    FHIR forbids an empty list, so with no parameter there is no list.
    """
    if not entries:
        return b'{"resourceType":"Parameters"}'
    pieces = [_PARAMETERS_OPEN]
    for entry in entries:
        pieces += entry
        pieces.append(",")
    pieces[-1] = "]}"
    return "".join(pieces).encode()


_PARAMETERS_OPEN = '{"resourceType":"Parameters","parameter":['
_PORTION = 256 * 1024


def parameters_in_portions(entries: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """Yield the bytes of ``parameters`` in portions of about 256 KiB, for at least one parameter."""
    pieces, size = [_PARAMETERS_OPEN], 0
    for number, entry in enumerate(entries):
        if number:
            pieces.append(",")
        for text in entry:
            pieces.append(text)
            size += len(text)
            if size >= _PORTION:
                yield "".join(pieces).encode()
                pieces, size = [], 0
    yield "".join([*pieces, "]}"]).encode()
