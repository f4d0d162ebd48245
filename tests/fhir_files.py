"""Small FHIR files for tests: Observations of variants, Bundles of them, and their way into and out of a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.operations.export import export_subject
from app.store.session import Database
from ingest.fhir import ingest_fhir
from ingest.fhir_report import FhirReport
from ingest.progress import Progress
from ingest.workspace import Workspace
from tests.logical_dump import logical_dump
from tests.small_store import SmallStore

LOINC = "http://loinc.org"
SPDI = "https://api.ncbi.nlm.nih.gov/variation/v0/"
HGVS = "http://varnomen.hgvs.org"
PRESENT, ABSENT, NO_CALL, INDETERMINATE = "LA9633-4", "LA9634-2", "LA18198-4", "LA11884-6"
INTERVAL, CHARACTER, ONE_BASED = "LA30100-4", "LA30101-2", "LA30102-0"
HET, HOM, HEMI, HETEROPLASMIC, HOMOPLASMIC = "LA6706-1", "LA6705-3", "LA6707-9", "LA6703-8", "LA6704-6"
GERMLINE, SOMATIC = "LA6683-2", "LA6684-0"

Resource = dict[str, Any]


def concept(code: str, system: str = LOINC) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def coded(code: str, *values: str, system: str = LOINC) -> Resource:
    """Return a component whose value has codings."""
    coding = [{"system": system, "code": value} for value in values]
    return {"code": concept(code), "valueCodeableConcept": {"coding": coding}}


def text(code: str, value: str) -> Resource:
    """Return a component whose value is a text."""
    return {"code": concept(code), "valueString": value}


def spdi(*values: str) -> Resource:
    return coded("81252-9", *values, system=SPDI)


def genomic(value: str) -> Resource:
    return coded("81290-9", value, system=HGVS)


def coding(value: str) -> Resource:
    return coded("48004-6", value, system=HGVS)


def record(
    ref_seq: str, low: int, ref: str, alt: str, *, high: int | None = None, system: str | None = INTERVAL
) -> list[Resource]:
    """Return the components of REF, ALT and their place, counted as ``system`` says."""
    place: Resource = {"low": {"value": low}}
    if high is not None:
        place["high"] = {"value": high}
    parts = [
        coded("48013-7", ref_seq, system="http://www.ncbi.nlm.nih.gov/refseq"),
        text("69547-8", ref),
        text("69551-0", alt),
        {"code": concept("81254-5"), "valueRange": place},
    ]
    return parts if system is None else [*parts, coded("92822-6", system)]


def state(code: str) -> Resource:
    return coded("53034-5", code)


def source_class(code: str = GERMLINE) -> Resource:
    return coded("48002-0", code)


def quantity(code: str, value: float, unit: str = "1") -> Resource:
    return {"code": concept(code), "valueQuantity": {"value": value, "code": unit}}


def variant(*components: Resource, id_: str = "v1", value: str | None = PRESENT, **more: Any) -> Resource:
    """Return a variant Observation of P1."""
    resource: Resource = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": concept("69548-6"),
        "subject": {"reference": "Patient/P1"},
        "component": list(components),
    }
    if value is not None:
        resource["valueCodeableConcept"] = concept(value)
    return resource | more


def phase(first: str, second: str, relation: str = "Cis", id_: str = "f1") -> Resource:
    """Return a phase relation of two Observations."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": concept("82120-7"),
        "subject": {"reference": "Patient/P1"},
        "valueCodeableConcept": concept(
            relation, "http://terminology.hl7.org/CodeSystem/sequence-phase-relationship-cs"
        ),
        "derivedFrom": [{"reference": first}, {"reference": second}],
    }


def genotype(
    code: str,
    gene: str = "HGNC:2621",
    symbol: str = "CYP2C19",
    *,
    id_: str = "g1",
    derived: Sequence[str] = (),
    **more: Any,
) -> Resource:
    """Return a genotype of P1."""
    studied = {"coding": [{"system": "http://www.genenames.org", "code": gene, "display": symbol}]}
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": concept("84413-4"),
        "subject": {"reference": "Patient/P1"},
        "valueCodeableConcept": concept(code, "http://www.pharmvar.org"),
        "component": [{"code": concept("48018-6"), "valueCodeableConcept": studied}],
        "derivedFrom": [{"reference": reference} for reference in derived],
    } | more


def tbd(code: str) -> Resource:
    """Return the code of a component that the guide names itself."""
    return concept(code, "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs")


def implication(
    kind: str, *components: Resource, derived: Sequence[str] = ("Observation/v1",), id_: str = "i1", **more: Any
) -> Resource:
    """Return an implication of P1, or a molecular consequence."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": tbd(kind),
        "subject": {"reference": "Patient/P1"},
        "derivedFrom": [{"reference": reference} for reference in derived],
        "component": list(components),
    } | more


def bundle(*resources: Resource, type_: str = "collection", **more: Any) -> Resource:
    """Return a Bundle; a resource with a ``fullUrl`` gives it to its entry."""
    entries = []
    for resource in resources:
        kept = {name: value for name, value in resource.items() if name != "fullUrl"}
        entry = {"resource": kept}
        if "fullUrl" in resource:
            entry["fullUrl"] = resource["fullUrl"]
        entries.append(entry)
    return {"resourceType": "Bundle", "type": type_, **more, "entry": entries}


def workspace(store: SmallStore) -> Workspace:
    return Workspace(store.settings, store.database, store.context.genome)


def store_fhir(
    store: SmallStore, content: Resource | str | bytes, *, name: str = "reports.json", replace: bool = False
) -> FhirReport:
    """Write a file and ingest it."""
    path = store.folder / name
    data = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return ingest_paths(store, path, replace=replace)[0]


def ingest_paths(store: SmallStore, *paths: Path, replace: bool = False) -> list[FhirReport]:
    return list(ingest_fhir(workspace(store), paths, Progress(quiet=True), replace=replace))


def exported(store: SmallStore, subject: str, test_ids: Sequence[str] = ()) -> str:
    """Return the Bundle of a subject."""
    pieces = export_subject(store.database, subject, store.settings, store.context.naming, test_ids=test_ids)
    return "".join(pieces)


def content(database: Database) -> dict[str, Any]:
    """Return what a store says, whatever way its calls took: studies and subjects too, without numbers of blocks."""
    found = logical_dump(database)
    calls: dict[Any, list[str]] = {}
    for (uid, contig, _, bin_), rows in found["calls"].items():
        calls.setdefault((uid, contig, bin_), []).extend(rows)
    found["counters"] = {name: value for name, value in found["counters"].items() if value}
    found["calls"] = {key: sorted(rows) for key, rows in calls.items()}
    with database.read() as session:
        found["studies"] = sorted(
            session.run(
                "select s.subject_id, s.sex, s.birth_date, st.test_id, st.test_date, st.specimen_id, st.build,"
                " st.study_type, st.change_types from subject s left join study st on st.subject_ordinal = s.ordinal"
            ),
            key=repr,
        )
        found["identifiers"] = sorted(
            session.run(
                "select s.subject_id, i.system, i.value from subject s"
                " join subject_identifier i on i.subject_ordinal = s.ordinal"
            )
        )
        found["genotypes"] = sorted(
            session.run(
                "select g.uid, s.subject_id, st.test_id, g.source_class, n.digest, n.search from genotype g"
                " join genotype_name n on n.id = g.name_id join study st on st.id = g.study_id"
                " join subject s on s.ordinal = g.subject_ordinal"
            )
        )
        found["sources"] = sorted(
            session.run("select uid, build, source_class, sample, phased_contigs, source from call_set")
        )
    return found
