"""What Observations of the genotype and haplotype profiles state.

Profiles: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-genotype.html and
StructureDefinition-haplotype.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.fhir import codes
from app.fhir.elements import Element, Reference, codes_of, object_of, objects_of, references_of, text_of
from app.fhir.extensions import read_genotype
from app.fhir.stated import Refusal
from app.records import SourceClass

_GENE_ID: Final = re.compile(r"HGNC:[0-9]{1,9}")
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class StatedGenotype:
    """A genotype as it is coded, its gene, and the Observations of the haplotypes that it is derived from.

    ``haplotypes`` is None unless our own extension lists them.
    """

    gene_id: str | None
    gene_symbol: str | None
    system: str
    code: str
    display: str | None
    source_class: SourceClass
    derived_from: tuple[Reference, ...]
    haplotypes: tuple[str, ...] | None = None
    hla_alleles: tuple[str, ...] = ()


def read_genotype_observation(resource: Element) -> StatedGenotype | Refusal:
    """Return what a genotype Observation states.

    Raises:
        NotFhir: an element is not of its type.
    """
    gene_id, symbol = _gene(resource)
    if gene_id is None and symbol is None:
        return Refusal("no-gene", "no component 48018-6 names the gene")
    derived = tuple(references_of(resource, "derivedFrom"))
    note = read_genotype(resource)
    if note is not None:
        return StatedGenotype(
            gene_id, symbol, note.system, note.code, note.display, note.source_class, derived, note.haplotypes,
            note.hla_alleles,
        )  # fmt: skip
    system, code, display = _coded(resource)
    if code is None or len(code) > _LONGEST or not code.isprintable():
        return Refusal("no-genotype", "valueCodeableConcept names no genotype")
    # A repeated display says nothing more.
    shown = display if display != code else None
    return StatedGenotype(gene_id, symbol, system, code, shown, SourceClass.UNSPECIFIED, derived)


def read_haplotype_name(resource: Element) -> str | None:
    """Return the name of a haplotype Observation, None where it has none; raises NotFhir."""
    _, code, _ = _coded(resource)
    return code


def _gene(resource: Element) -> tuple[str | None, str | None]:
    """Return the HGNC identifier and the symbol of the gene studied."""
    for path, component in objects_of(resource, "component"):
        studied = codes_of(object_of(component, "code", path), f"{path}.code")
        if not any(code.system == codes.LOINC and code.code == codes.GENE_STUDIED.code for code in studied):
            continue
        concept = object_of(component, "valueCodeableConcept", path) or {}
        text = text_of(concept, "text", path)
        for where, coding in objects_of(concept, "coding", path):
            code, display = text_of(coding, "code", where), text_of(coding, "display", where)
            if code is not None and _GENE_ID.fullmatch(code):
                return code, display or text
            if code is not None or display is not None:
                return None, display or code
        if text is not None:
            return None, text
    return None, None


def _coded(resource: Element) -> tuple[str, str | None, str | None]:
    """Return (system, code, display) of the value; a text stands as code without a system."""
    concept = object_of(resource, "valueCodeableConcept") or {}
    for path, coding in objects_of(concept, "coding", "valueCodeableConcept"):
        code = text_of(coding, "code", path)
        if code is not None:
            named = " ".join(code.split())
            return text_of(coding, "system", path) or "", named, text_of(coding, "display", path)
    text = text_of(concept, "text", "valueCodeableConcept")
    return "", " ".join(text.split()) if text else None, None
