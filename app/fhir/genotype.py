"""Genotypes and haplotypes as FHIR Observations, written as JSON text.

Profiles: https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-genotype.html and
StructureDefinition-haplotype.html. The id of an Observation names the row of the store that it is made of.

>>> GENOTYPE_ID.fullmatch(genotype_id("0123456789abcdef")).groups()
('0123456789abcdef', 'g')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.fhir import codes
from app.fhir.codes import Coding
from app.fhir.tokens import canonical_system
from app.variants.allele_names import GL_NAMESPACE

GENOTYPE_ID: Final = re.compile(r"dv-([0-9a-f]{16})-(g|h[1-9][0-9]{0,3})")
"""The uid of a statement, and g for its genotype or h and a number for one of its haplotypes"""

_CATEGORY: Final = [codes.LABORATORY.as_concept(), codes.GENETICS.as_concept()]


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What the observations of one statement share."""

    uid: str
    subject_id: str
    study: str
    """Id of the Procedure that the test is"""
    effective: str | None
    specimen_id: str | None
    gene_id: str | None
    gene_symbol: str | None


def genotype_id(uid: str) -> str:
    """Return the id of the genotype of a statement."""
    return f"dv-{uid}-g"


def haplotype_id(uid: str, number: int) -> str:
    """Return the id of a haplotype of a statement; they are counted from 1."""
    return f"dv-{uid}-h{number}"


def genotype_concept(system: str, code: str, display: str | None) -> dict[str, Any]:
    """Return the CodeableConcept of a genotype, a text where it has no system; the code stands in for a display."""
    if not system:
        return {"text": display or code}
    return Coding(canonical_system(system), code, display or code).as_concept()


def haplotype_system(system: str, code: str) -> str | None:
    """Return the system that names the haplotypes of a genotype; None where that is not known.

    PharmVar and IPD-IMGT/HLA name alleles themselves; GL strings in the namespace of HLA are made of the latter.
    """
    known = canonical_system(system)
    if known == codes.GL_STRING and code.lower().startswith(GL_NAMESPACE):
        return codes.IMGT_HLA
    return known if known in (codes.PHARMVAR, codes.IMGT_HLA) else None


def render_genotype(
    facts: StatementFacts, concept: dict[str, Any], *, haplotypes: int, notes: Sequence[str] = ()
) -> str:
    """Return a genotype, which is derived from as many haplotypes as the same answer has of its statement.

    ``notes`` say what it rests on.
    """
    derived = [{"reference": f"Observation/{haplotype_id(facts.uid, n)}"} for n in range(1, haplotypes + 1)]
    return _observation(
        facts,
        genotype_id(facts.uid),
        codes.GENOTYPE_PROFILE,
        codes.GENOTYPE_NAME,
        concept,
        derived=derived,
        notes=notes,
    )


def render_haplotype(facts: StatementFacts, number: int, name: str, system: str | None) -> str:
    """Return a haplotype; without a system its name is a text."""
    concept: dict[str, Any] = {"coding": [Coding(system, name, name).as_json()]} if system else {"text": name}
    return _observation(facts, haplotype_id(facts.uid, number), codes.HAPLOTYPE_PROFILE, codes.HAPLOTYPE_NAME, concept)


def as_part(name: str, resource: str) -> str:
    """Return a resource as the text of a part that follows another part."""
    return f',{{"name":"{name}","resource":{resource}}}'


def _observation(
    facts: StatementFacts,
    id_: str,
    profile: str,
    code: Coding,
    value: dict[str, Any],
    *,
    derived: Sequence[dict[str, str]] = (),
    notes: Sequence[str] = (),
) -> str:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": id_,
        "meta": {"profile": [profile]},
        "status": "final",
        "category": _CATEGORY,
        "code": code.as_concept(),
        "subject": {"reference": f"Patient/{facts.subject_id}"},
        "partOf": [{"reference": f"Procedure/{facts.study}"}],
    }
    if facts.effective is not None:
        resource["effectiveDateTime"] = facts.effective
    resource["valueCodeableConcept"] = value
    if notes:
        resource["note"] = [{"text": note} for note in notes]
    if facts.specimen_id is not None:
        resource["specimen"] = {"identifier": {"value": facts.specimen_id}}
    if derived:
        resource["derivedFrom"] = list(derived)
    if facts.gene_id is not None:
        gene: dict[str, Any] = Coding(codes.HGNC, facts.gene_id, facts.gene_symbol).as_concept()
    else:
        gene = {"text": facts.gene_symbol}
    resource["component"] = [{"code": codes.GENE_STUDIED.as_concept(), "valueCodeableConcept": gene}]
    return orjson.dumps(resource).decode()
