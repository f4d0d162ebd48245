"""Whatever an answer names by an id can be read, and is the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.fhir.validate import problems
from app.main import create_app
from app.records import Build, Sex, SourceClass
from app.store import bulk
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from tests.api.client import Answer, Client
from tests.small_store import SmallStore, migrated
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

FORWARD, TURNED = bases(7, 400), bases(8, 400)
COMPLEMENT = str.maketrans("ACGT", "TGCA")
GENOME = genome(
    [Block(1000, 5000, 400), Block(200_000, 300_000, 400, reverse=True)],
    {
        B37: [(1000, FORWARD), (200_000, TURNED)],
        B38: [(5000, FORWARD), (300_000, TURNED[::-1].translate(COMPLEMENT))],
    },
)
# The last record has no place on GRCh38, so ranges there have to be ones that can be lifted.
WHOLE = {B37: "NC_000001.10:0-400000", B38: "NC_000001.11:5000-5400,NC_000001.11:300000-300400"}
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True)
class Served:
    store: SmallStore
    client: Client

    def resources(self, subject: str = "P1", build: Build = B37, **inputs: str) -> list[bytes]:
        """Return every resource of an answer, as its bytes."""
        query = "&".join(f"{name}={value}" for name, value in {"includePhasing": "true", **inputs}.items())
        answer = self.client.get(f"/fhir/$find-subject-variants?subject={subject}&ranges={WHOLE[build]}&{query}")
        assert answer.status == 200, answer.body
        return resources_in(answer)

    def read(self, reference: str, **headers: str) -> Answer:
        return self.client.get(f"/fhir/{reference}", **headers)


def resources_in(answer: Answer) -> list[bytes]:
    return [
        json.dumps(part["resource"], separators=(",", ":"), ensure_ascii=False).encode()
        for entry in answer.json()["parameter"]
        for part in entry["part"]
        if "resource" in part
    ]


def record(sequence: str, at: int, first: int, genotype: str, *, length: int = 1, alt: str | None = None) -> str:
    """Return a phased record on GRCh37 of bases that lie at ``at`` in a stretch that begins at ``first``."""
    ref = sequence[at : at + length]
    return f"chr1 {first + at + 1} . {ref} {alt or ref[0].translate(COMPLEMENT)} 50 PASS . GT:PS {genotype}:7"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve a store: a phased file with calls in a turned stretch and a repeated one, and a subject with facts."""
    records = [
        record(FORWARD, 20, 1000, "0|1"),
        record(FORWARD, 30, 1000, "1|0", length=4),
        record(FORWARD, 60, 1000, "0|1", alt=FORWARD[60] + "TTAGGC"),
        record(FORWARD, 60, 1000, "0|1", alt=FORWARD[60] + "TTAGGC"),
        record(TURNED, 100, 200_000, "0|1"),
        record(TURNED, 120, 200_000, "1|0"),
        "chr1 350000 . A G 50 PASS . GT:PS 0|1:7",
    ]
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, GENOME, log_level="warning")
        subject = Subject("P1", Sex.FEMALE, "1980-02", (("", "bare"), ("http://hospital.example/mrn", "4711")))
        other = Subject("P2", identifiers=(("http://elsewhere.example", "4711"),))
        store.ingest(
            vcf(*records, build=B37), subject, build=B37, test="T/1 ü", test_date="2024-02-03", specimen="SP-1"
        )
        store.ingest(vcf(records[0], build=B37), "P1", build=B37, test="T/1 ü", source_class=SourceClass.SOMATIC)
        store.ingest(vcf(records[0], build=B37), other, build=B37, test="T2")
        client = Client(create_app(store.settings, store.context))
        yield Served(store, client)
        client.close()


@pytest.mark.parametrize("build", list(Build))
def test_every_resource_of_an_answer_is_read_as_the_same_bytes(served: Served, build: Build) -> None:
    found = served.resources(build=build)
    kinds = {json.loads(resource)["id"].partition("-")[0] for resource in found}

    for resource in found:
        id_ = json.loads(resource)["id"]
        assert ID.fullmatch(id_)
        answer = served.read(f"Observation/{id_}")
        assert (answer.status, answer.body) == (200, resource), id_
    assert kinds == {"dv", "sid"}
    assert len(found) == len({json.loads(resource)["id"] for resource in found}) >= 12


def test_phase_relations_are_the_same_on_either_build(served: Served) -> None:
    """Where the builds run against each other the calls come in the other order; their relation does not change."""
    on_37, on_38 = (
        {resource for resource in served.resources(build=build) if b'"id":"sid-' in resource} for build in (B37, B38)
    )

    assert on_38 < on_37
    assert any(b"-200100-200120-" in resource for resource in on_38)


def test_every_reference_of_an_answer_can_be_followed(served: Served) -> None:
    references = {
        reference
        for resource in served.resources()
        for reference in re.findall(r'"reference":"([^"]+)"', resource.decode())
    }

    assert {reference.partition("/")[0] for reference in references} == {"Observation", "Patient", "Procedure"}
    assert {reference: served.read(reference).status for reference in references} == dict.fromkeys(references, 200)


def test_calls_that_repeat_an_allele_are_read_apart(served: Served) -> None:
    ids = [json.loads(resource)["id"] for resource in served.resources()]
    [second] = [id_ for id_ in ids if id_.startswith("dv-") and id_.endswith(".2")]

    assert served.read(f"Observation/{second}").json()["id"] == second
    assert served.read(f"Observation/{second.removesuffix('.2')}").json()["id"] == second.removesuffix(".2")
    assert served.read(f"Observation/{second.removesuffix('.2')}.3").status == 404


@pytest.mark.parametrize("change", ["0", "1-0", "x", "-", ".1", ".2"])
def test_ids_that_nothing_was_returned_under_are_not_found(served: Served, change: str) -> None:
    for resource in served.resources():
        id_ = json.loads(resource)["id"] + change
        if json.loads(resource)["id"].count("-") and (served.read(f"Observation/{id_}").status == 200):
            assert change == ".2"  # a repeated call is there indeed
            assert served.read(f"Observation/{id_}").json()["id"] == id_


@pytest.mark.parametrize(
    "reference",
    [
        "Observation/dv-0000000000000000-1-1020-AC",
        "Observation/sid-0000000000000000-1-1020-1030-000000000000",
        "Observation/dv-0000000000000000-99-1020-AC",
        "Observation/P1",
        "Patient/P3",
        "Procedure/gs-0000000000000000",
        "Procedure/T1",
    ],
)
def test_unknown_ids_are_not_found(served: Served, reference: str) -> None:
    answer = served.read(reference)

    assert (answer.status, answer.issues[0]["code"]) == (404, "not-found")


@pytest.mark.parametrize("id_", ["a_b", "a%20b", "x" * 65, "%C3%BC", "a%0a", "_search", "$x"])
@pytest.mark.parametrize("kind", ["Observation", "Patient", "Procedure"])
def test_malformed_ids_are_refused(served: Served, kind: str, id_: str) -> None:
    answer = served.read(f"{kind}/{id_}")

    assert (answer.status, answer.issues[0]["code"]) in ((400, "value"), (404, "not-supported"))
    assert answer.status == (404 if id_ == "$x" else 400)


def test_what_was_erased_is_not_found_any_more(served: Served) -> None:
    references = [f"Observation/{json.loads(resource)['id']}" for resource in served.resources()]
    references += ["Patient/P1", procedure_of(served.resources()[0])]
    kept = [f"Observation/{json.loads(resource)['id']}" for resource in served.resources("P2")]
    assert {served.read(reference).status for reference in (*references, *kept)} == {200}

    bulk.erase_subject(served.store.database, "P1")

    assert {served.read(reference).status for reference in references} == {404}
    assert {served.read(reference).status for reference in kept} == {200}


def procedure_of(resource: bytes) -> str:
    [part_of] = json.loads(resource)["partOf"]
    return str(part_of["reference"])


def test_a_patient_says_what_is_stored_and_nothing_else(served: Served) -> None:
    assert served.read("Patient/P1").json() == {
        "resourceType": "Patient",
        "id": "P1",
        "identifier": [{"value": "bare"}, {"system": "http://hospital.example/mrn", "value": "4711"}],
        "gender": "female",
        "birthDate": "1980-02",
    }
    assert served.read("Patient/P2").json() == {
        "resourceType": "Patient",
        "id": "P2",
        "identifier": [{"system": "http://elsewhere.example", "value": "4711"}],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("identifier=4711", ["P1", "P2"]),
        ("identifier=http://hospital.example/mrn|4711", ["P1"]),
        ("identifier=http://hospital.example/mrn%7C4711,http://elsewhere.example|4711", ["P1", "P2"]),
        ("identifier=|bare", ["P1"]),
        ("identifier=|4711", []),
        ("identifier=http://hospital.example/mrn|", []),
        ("identifier=bare&identifier=4711", ["P1"]),
        ("_id=P2", ["P2"]),
        ("_id=P2,P1,P9", ["P1", "P2"]),
        ("_id=P2&identifier=bare", []),
        ("identifier=nobody", []),
        ("identifier=bare&name=x&_format=json&_summary=count", ["P1"]),
    ],
)
def test_patients_are_found_by_identifier_and_id(served: Served, query: str, found: list[str]) -> None:
    bundle = served.client.get(f"/fhir/Patient?{query}").json()

    assert [entry["resource"]["id"] for entry in bundle.get("entry", [])] == found
    assert bundle["total"] == len(found)
    assert bundle["link"][0]["url"] == f"http://testserver/fhir/Patient?{query}"
    assert [served.client.get(entry["fullUrl"][17:]).json() for entry in bundle.get("entry", [])] == [
        entry["resource"] for entry in bundle.get("entry", [])
    ]
    assert problems(bundle) == []
    assert served.client.form("/fhir/Patient/_search", query).json() == bundle


@pytest.mark.parametrize(
    ("query", "prefer", "status", "code"),
    [
        ("", "", 400, "required"),
        ("?identifier=", "", 400, "required"),
        ("?name=x", "", 400, "required"),
        ("?identifier=bare&name=x", "handling=strict", 400, "invalid"),
        ("?identifier=bare&_format=json", "handling=strict", 200, ""),
        ("?identifier=" + ",".join(map(str, range(1001))), "", 413, "too-costly"),
    ],
)
def test_searches_that_are_refused(served: Served, query: str, prefer: str, status: int, code: str) -> None:
    answer = served.client.get(f"/fhir/Patient{query}", prefer=prefer)

    assert answer.status == status
    assert status == 200 or answer.issues[0]["code"] == code


@pytest.mark.parametrize("kind", ["Observation", "Procedure", "Encounter", "patient"])
def test_other_searches_say_what_there_is(served: Served, kind: str) -> None:
    answer = served.client.get(f"/fhir/{kind}?subject=P1")

    assert (answer.status, answer.issues[0]["code"]) == (404, "not-supported")


def test_a_json_body_is_no_search(served: Served) -> None:
    assert served.client.post("/fhir/Patient/_search", {"resourceType": "Parameters"}).status == 415
    assert served.client.post("/fhir/Patient/_search?identifier=bare", b"", "").json()["total"] == 1


@pytest.mark.parametrize("path", ["/fhir", "/fhir/", "/fhir/Encounter/1", "/fhir/Encounter"])
def test_unknown_types_and_the_base_say_what_there_is(served: Served, path: str) -> None:
    answer = served.client.get(path)

    assert (answer.status, answer.issues[0]["code"]) == (404, "not-supported")
    assert "Observation, OperationDefinition, Patient, Procedure" in answer.diagnostics[0]


def test_no_authorization_is_advertised(served: Served) -> None:
    """Until there is an authorization server to name, nothing may look like one."""
    assert served.read(".well-known/smart-configuration").status == 404
    assert "service" not in served.read("metadata").json()["rest"][0]["security"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
@pytest.mark.parametrize("reference", ["Patient/P1", "Observation/x", "Patient"])
def test_nothing_can_be_written(served: Served, reference: str, method: str) -> None:
    answer = served.client.request(method, f"/fhir/{reference}")

    assert (answer.status, answer.issues[0]["code"]) == (405, "not-supported")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_reads_negotiate_like_operations(served: Served) -> None:
    for reference in ("Patient/P1", "Patient?_id=P1", procedure_of(served.resources()[0])):
        plain = served.read(reference)
        assert plain.headers["content-type"] == "application/fhir+json; charset=utf-8"
        assert served.read(reference, accept="application/xml").status == 406
        separator = "&" if "?" in reference else "?"
        pretty = served.read(f"{reference}{separator}_pretty=true&_format=json&_elements=id&_summary=true")
        assert pretty.body.startswith(b"{\n")
        unchanged = served.read(reference, if_none_match=plain.headers["etag"])
        assert (unchanged.status, unchanged.body) == (304, b"")
        assert served.read(reference, if_none_match='W/"other"').status == 200
        head = served.client.head(f"/fhir/{reference}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == plain.headers["content-length"]
    assert served.read("Patient/P9", if_none_match="*").status == 404


def test_a_test_is_a_procedure_with_its_analyses(served: Served) -> None:
    references = {procedure_of(resource) for resource in served.resources() if b'"id":"dv-' in resource}
    [reference] = references
    found = served.read(reference).json()

    assert (found["resourceType"], found["id"], found["status"]) == (
        "Procedure",
        reference.partition("/")[2],
        "completed",
    )
    assert found["identifier"] == [{"value": "T/1 ü"}]
    assert (found["subject"], found["performedDateTime"]) == ({"reference": "Patient/P1"}, "2024-02-03")
    assert [extension["valueReference"] for extension in found["extension"]] == [
        {"reference": f"#{analysis['id']}"} for analysis in found["contained"]
    ]
    builds, classes, specimens = (
        [value_of(analysis, name) for analysis in found["contained"]]
        for name in ("genome-build", "genomic-source-class", "specimen")
    )
    assert [build["coding"][0]["display"] for build in builds] == ["GRCh37", "GRCh37"]
    assert [one["coding"][0]["display"] for one in classes] == ["germline", "somatic"]
    assert [specimen["identifier"]["value"] for specimen in specimens] == ["SP-1", "SP-1"]
    assert problems(found) == []


def value_of(analysis: dict[str, Any], name: str) -> Any:
    [extension] = [one for one in analysis["extension"] if one["url"].endswith(f"genomic-study-analysis-{name}")]
    [value] = [value for key, value in extension.items() if key != "url"]
    return value


def test_a_test_without_calls_is_read_with_its_regions(served: Served) -> None:
    facts = StudyFacts("T9", B38, study_type="panel", change_types="SNV; del ins;DEL")
    column = np.array([10, 30], dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    regions = {"studied": {1: (column, column + 5), 23: (column[:1], column[:1] + 1)}, "uncallable": {0: (none, none)}}
    bulk.declare_studies(served.store.database, [(Subject("P2"), facts, {**regions, "uncallable": {}})])
    [(uid,)] = rows(served, "select uid from study where test_id = 'T9'")
    found = served.read(f"Procedure/gs-{uid}").json()

    [analysis] = found["contained"]
    assert found["code"] == {"text": "panel"}
    described = {part["url"]: part for part in value_of(analysis, "regions")}
    assert described["description"]["valueString"] == (
        "studied: 3 regions, 11 bases on GRCh38; uncallable: 0 regions, 0 bases on GRCh38"
    )
    studied = [
        part["valueCodeableConcept"]["text"] for part in value_of(analysis, "regions") if part["url"] == "studied"
    ]
    assert studied == ["NC_000001.11:10-15", "NC_000001.11:30-35", "NC_000023.11:10-11"]
    changes = [one["valueCodeableConcept"] for one in analysis["extension"] if one["url"].endswith("change-type")]
    assert [change.get("text") or change["coding"][0]["code"] for change in changes] == [
        "SO:0001483",
        "del ins",
        "SO:0000159",
    ]
    assert problems(found) == []


def test_many_regions_are_counted_and_not_listed(served: Served) -> None:
    starts = np.arange(0, 2010, 10, dtype=np.int64)
    facts, studied = StudyFacts("T9", B38), {"studied": {1: (starts, starts + 1)}}
    bulk.declare_studies(served.store.database, [(Subject("P2"), facts, studied)])
    [(uid,)] = rows(served, "select uid from study where test_id = 'T9'")
    [analysis] = served.read(f"Procedure/gs-{uid}").json()["contained"]

    [description] = value_of(analysis, "regions")
    assert description["valueString"] == "studied: 201 regions, 201 bases on GRCh38"


def rows(served: Served, sql: str) -> list[tuple[Any, ...]]:
    with served.store.database.read() as session:
        return session.run(sql)


def test_ids_of_tests_depend_on_subject_and_test_alone(served: Served, tmp_path: Path) -> None:
    reference = procedure_of(served.resources("P2")[0])
    with migrated(f"sqlite:///{tmp_path / 'other.db'}") as database:
        bulk.declare_studies(
            database, [(Subject(who), StudyFacts(test, B37), {}) for who, test in (("A", "T2"), ("P2", "T2"))]
        )
        with database.read() as session:
            uids = [f"Procedure/gs-{uid}" for (uid,) in session.run("select uid from study order by id")]
    assert uids[1] == reference != uids[0]


def test_a_store_that_is_away_is_no_empty_answer(served: Served, tmp_path: Path) -> None:
    references = ["Patient/P1", "Patient?identifier=bare", "Procedure/gs-0000000000000000"]
    references += [f"Observation/{json.loads(served.resources()[0])['id']}"]
    served.store.database.close()
    (tmp_path / "operon.db").rename(tmp_path / "away.db")

    assert {reference: served.read(reference).status for reference in references} == dict.fromkeys(references, 503)
