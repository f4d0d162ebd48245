"""Subjects, studies, phase and the ledger: what a FHIR file stores, what it passes over, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile, InvalidInput
from app.records import Sex
from app.store import bulk, runs
from app.store.subjects import Subject
from tests.fhir_files import (
    ABSENT,
    HET,
    HOM,
    INDETERMINATE,
    NO_CALL,
    Resource,
    bundle,
    coded,
    concept,
    content,
    exported,
    ingest_paths,
    phase,
    source_class,
    spdi,
    state,
    store_fhir,
    variant,
)
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.store_dump import counts, dump

CHR1, OLD1 = "NC_000001.11", "NC_000001.10"
SNV, OTHER, THIRD = f"{CHR1}:104:C:T", f"{CHR1}:204:A:G", f"{CHR1}:304:G:C"
UUID = "urn:uuid:16fdd5fc-e665-48af-99e4-48d603f3e12d"
GUIDE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition"


@pytest.fixture
def store(tmp_path: Path):
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        yield SmallStore(database, tmp_path, NO_GENOME)


def stored_tests(store: SmallStore) -> list[tuple[Any, ...]]:
    with store.database.read() as session:
        rows = session.run(
            "select s.subject_id, st.test_id, st.test_date, st.specimen_id, st.build, cs.calls from study st"
            " join subject s on s.ordinal = st.subject_ordinal left join call_set cs on cs.study_id = st.id"
            " order by st.id, cs.id"
        )
    return [tuple(row) for row in rows]


def patient(id_: str | None = "P1", **more: Any) -> Resource:
    return {"resourceType": "Patient", **({"id": id_} if id_ else {}), **more}


def of(reference: str | None, **more: Any) -> Resource:
    subject: Resource = {"reference": reference} if reference else {}
    return variant(spdi(SNV), subject=subject | more)


# --- whose --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([of("Patient/P1")], "P1"),
        ([of("https://a.example/fhir/Patient/P1")], "P1"),
        ([of("Patient/P1/_history/3"), patient()], "P1"),
        ([patient(fullUrl=UUID), of(UUID)], "P1"),
        ([of(UUID), patient(None, fullUrl=UUID)], UUID[9:]),
        ([patient(fullUrl="https://a.example/Patient/P1"), of("https://a.example/Patient/P1")], "P1"),
        (
            [
                patient(identifier=[{"system": "urn:x", "value": "7"}]),
                of(None, identifier={"system": "urn:x", "value": "7"}),
            ],
            "P1",
        ),
        ([of(None, identifier={"system": "urn:known", "value": "9"})], "K1"),
        ([patient(None, fullUrl=UUID, identifier=[{"system": "urn:known", "value": "9"}]), of(UUID)], "K1"),
    ],
)
def test_each_way_to_refer_to_a_subject_leads_to_it(
    store: SmallStore, resources: list[Resource], expected: str
) -> None:
    bulk.store_subjects(store.database, [Subject("K1", identifiers=(("urn:known", "9"),))], "test")
    report = store_fhir(store, bundle(*resources))
    assert report.refused.named == {}
    assert [test[0] for test in stored_tests(store)] == [expected]


@pytest.mark.parametrize(
    "resource",
    [
        of(None),
        of("Group/1"),
        of("urn:uuid:00000000-0000-0000-0000-000000000000"),
        of("Patient/not an id"),
        of("#contained"),
        of(None, identifier={"value": "nobody's"}),
    ],
)
def test_a_variant_of_nobody_is_refused_and_the_others_are_stored(store: SmallStore, resource: Resource) -> None:
    report = store_fhir(store, bundle(resource, variant(spdi(OTHER), id_="v2")))
    assert dict(report.refused.counts) == {"no-subject": 1}
    assert report.calls == 1


def test_two_servers_patients_of_one_id_are_not_mixed_up(store: SmallStore) -> None:
    there = patient(fullUrl="https://a.example/Patient/P1")
    report = store_fhir(store, bundle(there, of("https://b.example/Patient/P1")))
    assert dict(report.refused.counts) == {"no-subject": 1}


def test_what_a_patient_says_is_stored_and_completes_what_is_known(store: SmallStore) -> None:
    bulk.store_subjects(store.database, [Subject("P1", identifiers=(("urn:a", "1"),))], "test")
    full = patient(gender="female", birthDate="1970-02", identifier=[{"system": "urn:b", "value": "2"}])
    store_fhir(store, bundle(full, of("Patient/P1")))
    [known] = bulk.all_subjects(store.database)
    assert (known.sex, known.birth_date) == (Sex.FEMALE, "1970-02")
    assert known.identifiers == (("urn:a", "1"), ("urn:b", "2"))


def test_patients_alone_are_stored_as_often_as_they_come(store: SmallStore) -> None:
    for _ in range(2):
        assert store_fhir(store, bundle(patient("A"), patient("B", gender="male"))).subjects == 2
    assert [subject.subject_id for subject in bulk.all_subjects(store.database)] == ["A", "B"]


def test_a_patient_who_contradicts_the_store_refuses_the_file(store: SmallStore) -> None:
    store.sex("P1", Sex.MALE)
    before = dump(store.database)
    with pytest.raises(InvalidInput, match="sex is male and also female"):
        store_fhir(store, bundle(patient(gender="female"), of("Patient/P1")))
    assert dump(store.database) == before


# --- which test ---------------------------------------------------------------------------------------------------


def study(id_: str = "study", **more: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": id_,
        "status": "completed",
        "subject": {"reference": "Patient/P1"},
        **more,
    }


def part_of(reference: str, **more: Any) -> Resource:
    return variant(spdi(SNV), partOf=[{"reference": reference}], **more)


ANALYSES: Resource = {
    "extension": [{"url": f"{GUIDE}/genomic-study-analysis-ext", "valueReference": {"reference": "Procedure/a"}}]
}
REPORT: Resource = {
    "resourceType": "DiagnosticReport", "id": "r", "identifier": [{"value": "R-7"}], "effectiveDateTime": "2021-04",
    "specimen": [{"reference": "Specimen/s"}], "result": [{"reference": "Observation/v1"}],
}  # fmt: skip
SPECIMEN: Resource = {"resourceType": "Specimen", "id": "s", "accessionIdentifier": {"value": "ACC 9"}}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([part_of("Procedure/study"), study()], ("study", None, None)),
        (
            [part_of("Procedure/study"), study(identifier=[{"value": "T-9"}], performedDateTime="2020-01-02")],
            ("T-9", "2020-01-02", None),
        ),
        ([part_of("Procedure/elsewhere")], ("elsewhere", None, None)),
        (
            [
                part_of("Procedure/a"),
                study("a", partOf=[{"reference": "Procedure/study"}]),
                study(identifier=[{"value": "T"}]),
            ],
            ("T", None, None),
        ),
        ([part_of("Procedure/a"), study("a"), study(identifier=[{"value": "T"}], **ANALYSES)], ("T", None, None)),
        ([variant(spdi(SNV)), REPORT, SPECIMEN], ("R-7", "2021-04", "ACC 9")),
        ([variant(spdi(SNV), basedOn=[{"reference": "ServiceRequest/q"}])], ("q", None, None)),
        (
            [
                variant(spdi(SNV), basedOn=[{"reference": "ServiceRequest/q"}]),
                {"resourceType": "ServiceRequest", "id": "q", "identifier": [{"value": "Q 1"}]},
            ],
            ("Q 1", None, None),
        ),
        (
            [variant(spdi(SNV), effectiveDateTime="2022-03-04", specimen={"identifier": {"value": "SP"}})],
            ("B-1", "2022-03-04", "SP"),
        ),
        ([variant(spdi(SNV), specimen={"reference": "Specimen/s"}), SPECIMEN], ("B-1", None, "ACC 9")),
    ],
)
def test_the_test_is_the_study_the_report_the_request_or_the_bundle(
    store: SmallStore, resources: list[Resource], expected: tuple[str | None, ...]
) -> None:
    report = store_fhir(store, bundle(*resources, identifier={"value": "B-1"}, id="b"))
    assert report.refused.named == {}
    [(_, *found, build, calls)] = stored_tests(store)
    assert tuple(found) == expected
    assert (build, calls) == ("GRCh38", 1)


def test_without_any_name_the_test_is_the_bundle_or_the_file(store: SmallStore) -> None:
    store_fhir(store, bundle(variant(spdi(SNV)), id="b"))
    store_fhir(store, variant(spdi(SNV)), name="one report.ndjson.gz")
    assert [test[1] for test in stored_tests(store)] == ["b", "one report"]


def test_specimens_of_one_test_become_tests_of_their_own(store: SmallStore) -> None:
    tumor = variant(spdi(OTHER), id_="v2", specimen={"identifier": {"value": "tumor"}})
    store_fhir(store, bundle(variant(spdi(SNV), specimen={"identifier": {"value": "blood"}}), tumor, id="b"))
    assert [test[1:4] for test in stored_tests(store)] == [("b", None, "blood"), ("b-2", None, "tumor")]


def test_builds_and_source_classes_of_one_test_become_call_sets(store: SmallStore) -> None:
    old = variant(spdi(f"{OLD1}:500:C:T"), id_="v2")
    somatic = variant(spdi(THIRD), source_class("LA6684-0"), id_="v3")
    store_fhir(store, bundle(variant(spdi(SNV)), old, somatic, id="b"))
    assert len(stored_tests(store)) == 3
    assert {test[1] for test in stored_tests(store)} == {"b"}
    with store.database.read() as session:
        rows = session.run("select build, source_class, calls from call_set order by id")
    assert [tuple(row) for row in rows] == [("GRCh38", 0, 1), ("GRCh37", 0, 1), ("GRCh38", 2, 1)]


def test_a_study_that_found_nothing_is_declared(store: SmallStore) -> None:
    build = {"url": f"{GUIDE}/genomic-study-analysis-genome-build", "valueCodeableConcept": concept("LA14029-5")}
    report = store_fhir(store, bundle(study("a", extension=[build]), study(performedDateTime="2020", **ANALYSES)))
    assert stored_tests(store) == [("P1", "study", "2020", None, "GRCh37", None)]
    assert report.tests == 1


def test_studies_that_are_part_of_each_other_end(store: SmallStore) -> None:
    one = study("a", partOf=[{"reference": "Procedure/b"}])
    other = study("b", partOf=[{"reference": "Procedure/a"}])
    assert store_fhir(store, bundle(part_of("Procedure/a"), one, other)).calls == 1


# --- what is passed over ------------------------------------------------------------------------------------------


def test_what_is_not_stored_is_counted_by_its_reason(store: SmallStore) -> None:
    tbd = f"{GUIDE[:-20]}/CodeSystem/tbd-codes-cs"
    others = [
        variant(spdi(SNV), value=ABSENT),
        variant(spdi(SNV), value=NO_CALL),
        variant(spdi(SNV), value=INDETERMINATE),
        variant(spdi(SNV), status="entered-in-error"),
        variant(code=concept("diagnostic-implication", tbd)),
        variant(code=concept("diagnostic-implication", "urn:other")),
        variant(code=concept("genomic-annotation", tbd)),
        variant(code=concept("84414-2")),
        variant(code=concept("8302-2")),
        {"resourceType": "Organization", "id": "o"},
        phase("Observation/v1", "Observation/v2", "Unknown"),
    ]
    report = store_fhir(store, bundle(*others, variant(spdi(OTHER))))
    assert set(report.skipped.counts) == {
        "absent", "no-call", "indeterminate", "status", "implication-underived", "implication-system", "annotation",
        "haplotype", "observation", "resource", "phase-unknown",
    }  # fmt: skip
    assert set(report.skipped.counts.values()) == {1}
    assert report.calls == 1
    assert not report.refused.counts
    assert not store.specific("P1", SNV)[0].present


def test_a_value_that_does_not_say_present_is_refused(store: SmallStore) -> None:
    report = store_fhir(store, bundle(variant(spdi(SNV), value=None), variant(spdi(SNV), value="LA6577-6")))
    assert dict(report.refused.counts) == {"no-presence": 2}
    assert report.calls == 0


# --- phase --------------------------------------------------------------------------------------------------------


def hets(*changes: str) -> list[Resource]:
    return [variant(spdi(change), state(HET), source_class(), id_=f"v{at}") for at, change in enumerate(changes, 1)]


def relations(store: SmallStore) -> list[tuple[str, ...]]:
    item = store.in_range("P1", f"{CHR1}:0-1000", include_phasing=True)
    names = {one["id"]: code for one, code in zip(item.variants, item.spdis, strict=True)}
    return [
        (
            *(names[reference["reference"].removeprefix("Observation/")] for reference in one["derivedFrom"]),
            one["valueCodeableConcept"]["coding"][0]["code"],
        )
        for one in item.phases
    ]


def test_relations_reach_as_far_as_they_are_joined(store: SmallStore) -> None:
    joined = [phase("Observation/v1", "Observation/v2", "Cis"), phase("Observation/v3", "Observation/v2", "Trans")]
    report = store_fhir(store, bundle(*joined, *hets(SNV, OTHER, THIRD)))
    assert report.phased == 3
    assert relations(store) == [(SNV, OTHER, "Cis"), (SNV, THIRD, "Trans"), (OTHER, THIRD, "Trans")]


def test_sets_that_are_not_joined_stay_apart(store: SmallStore) -> None:
    four = hets(SNV, OTHER, THIRD, f"{CHR1}:404:T:C")
    apart = [phase("Observation/v1", "Observation/v3"), phase("Observation/v2", "Observation/v4", "Trans")]
    store_fhir(store, bundle(*four, *apart))
    assert relations(store) == [(SNV, THIRD, "Cis"), (OTHER, f"{CHR1}:404:T:C", "Trans")]


def test_relations_by_full_url(store: SmallStore) -> None:
    one, two = hets(SNV, OTHER)
    one["fullUrl"], two["fullUrl"] = UUID, "https://a.example/Observation/x"
    store_fhir(store, bundle(phase("https://a.example/Observation/x", UUID, "Trans"), one, two))
    assert relations(store) == [(SNV, OTHER, "Trans")]


def test_a_set_that_contradicts_itself_phases_nothing(store: SmallStore) -> None:
    circle = [
        phase("Observation/v1", "Observation/v2", "Cis"),
        phase("Observation/v2", "Observation/v3", "Cis"),
        phase("Observation/v1", "Observation/v3", "Trans"),
    ]
    report = store_fhir(store, bundle(*hets(SNV, OTHER, THIRD), *circle))
    assert dict(report.refused.counts) == {"phase-contradiction": 1}
    assert relations(store) == []
    assert report.calls == 3


@pytest.mark.parametrize(
    ("extra", "relation", "reason"),
    [
        (
            variant(spdi(OTHER), state(HOM), source_class(), id_="v2"),
            phase("Observation/v1", "Observation/v2"),
            "phase-zygosity",
        ),
        (variant(spdi(OTHER), source_class(), id_="v2"), phase("Observation/v1", "Observation/v2"), "phase-zygosity"),
        (variant(spdi(OTHER), id_="v2"), phase("Observation/v1", "Observation/v9"), "phase-target"),
        (variant(spdi(OTHER), id_="v2"), phase("Observation/v1", "Observation/v1"), "phase-target"),
        (
            variant(spdi("NC_000002.12:9:C:T"), state(HET), source_class(), id_="v2"),
            phase("Observation/v1", "Observation/v2"),
            "phase-target",
        ),
        (
            variant(spdi(OTHER), state(HET), source_class("LA6684-0"), id_="v2"),
            phase("Observation/v1", "Observation/v2"),
            "phase-target",
        ),
        (
            variant(spdi(OTHER), id_="v2"),
            {**phase("a", "b"), "derivedFrom": [{"reference": "Observation/v1"}]},
            "phase-target",
        ),
    ],
)
def test_relations_that_say_nothing_sure_are_refused(
    store: SmallStore, extra: Resource, relation: Resource, reason: str
) -> None:
    report = store_fhir(store, bundle(*hets(SNV), extra, relation))
    assert dict(report.refused.counts) == {reason: 1}
    assert report.calls == 2
    assert relations(store) == []


# --- forms of files -----------------------------------------------------------------------------------------------


def test_lines_gzip_and_bundle_types_are_read_alike(store: SmallStore) -> None:
    one, two = variant(spdi(SNV)), variant(spdi(OTHER), id_="v2")
    lines = "\n".join(json.dumps(resource) for resource in (patient(), one, two))
    for at, data in enumerate(
        [
            lines.encode(),
            gzip.compress(lines.encode()),
            *(
                json.dumps(bundle(one, two, type_=kind)).encode()
                for kind in ("transaction", "batch", "searchset", "document")
            ),
            b"\xef\xbb\xbf" + json.dumps(bundle(one, two)).encode(),
            json.dumps(
                {"entry": bundle(one, two)["entry"], "type": "batch", "resourceType": "Bundle"}, indent=2
            ).encode(),
        ]
    ):
        assert store_fhir(store, data, name=f"f{at}.json").calls == 2


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (b"[]", "no JSON object"),
        (b"{", "cut off"),
        (b'{"resourceType":"Bundle","type":"history","entry":[]}', "type of the Bundle is history"),
        (b'{"resourceType":"Bundle","entry":[]}', "type of the Bundle is None"),
        (b'{"entry":[{"resource":{"resourceType":"Patient","id":"P1"}}]}', "resourceType is not Bundle"),
        (b'{"id":"x"}', "no resourceType"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[7]}', "entry[0]: it is no JSON object"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":[]}]}', "entry[0]: the resource is no JSON"),
        (b'{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":1,"resource":{}}]}', "fullUrl is no text"),
        (b"\xff\xfe{}", "no UTF-8"),
        (b"\x1f\x8b\x08\x00broken", "compression is damaged"),
    ],
)
def test_what_is_no_fhir_is_refused_whole(store: SmallStore, data: bytes, problem: str) -> None:
    with pytest.raises(BadFile) as refused:
        store_fhir(store, data)
    assert problem in refused.value.diagnostics
    assert refused.value.diagnostics.startswith("reports.json")
    assert set(counts(store.database)) <= {"counter"}


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (variant(component=7), "component: it is not an array"),
        (variant(component=["x"]), "component[0]: it is not an object"),
        (variant(code=[]), "code: it is not an object"),
        (variant(spdi(SNV), subject="Patient/P1"), "subject: it is not an object"),
        (variant(spdi(SNV), subject={"reference": 4}), "subject.reference: it is no text"),
        (variant(spdi(SNV), effectiveDateTime="yesterday"), "effectiveDateTime"),
        (variant({"code": concept("69547-8"), "valueString": 5}, coded("48013-7", CHR1)), "component[0].valueString"),
        (patient(gender="m"), "gender: it is none of"),
        (patient(birthDate="1970-13"), "birthDate"),
        (patient("not an id"), "id: it has no id"),
        (patient(None), "id: it has no id"),
        (study(performedDateTime="later"), "performedDateTime"),
    ],
)
def test_a_resource_of_another_structure_is_named_and_nothing_stays(
    store: SmallStore, resource: Resource, path: str
) -> None:
    with pytest.raises(BadFile) as refused:
        store_fhir(store, bundle(variant(spdi(SNV)), resource))
    text = refused.value.diagnostics
    assert text.startswith(f"reports.json, entry[1] {resource['resourceType']}")
    assert path in text
    assert text.endswith("Correct the resource, or take it out of the file")
    assert set(counts(store.database)) <= {"counter"}


def test_refusals_have_the_words_of_the_fhir_models(store: SmallStore) -> None:
    with pytest.raises(BadFile, match=r"FHIR R4: .*subject"):
        store_fhir(store, variant(spdi(SNV), subject="Patient/P1"))


# --- the ledger ---------------------------------------------------------------------------------------------------


def test_the_same_file_again_adds_nothing(store: SmallStore) -> None:
    first = store_fhir(store, bundle(*hets(SNV, OTHER), variant(spdi(f"{CHR1}:1:A:Q"), id_="bad")))
    before = dump(store.database)
    again = store_fhir(store, bundle(*hets(SNV, OTHER), variant(spdi(f"{CHR1}:1:A:Q"), id_="bad")), name="reports.json")
    assert again.is_repeated
    assert (again.calls, again.refused.counts) == (first.calls, first.refused.counts)
    assert dump(store.database) == before


def test_replace_withdraws_what_the_tests_had(store: SmallStore) -> None:
    store_fhir(store, bundle(variant(spdi(SNV)), id="b"))
    store_fhir(store, bundle(variant(spdi(OTHER)), id="b"), replace=True)
    assert [item.present for item in store.specific("P1", SNV, OTHER)] == [False, True]


def test_the_ledger_names_no_resource(store: SmallStore) -> None:
    store_fhir(store, bundle(variant(spdi(SNV)), variant(spdi("x:y:z:w"), id_="secret-7")))
    with store.database.read() as session:
        assert "secret" not in json.dumps([list(row) for row in session.run("select * from ingest_run")])


def test_one_bad_file_of_several_leaves_those_before_it(store: SmallStore, tmp_path: Path) -> None:
    for name, data in (("a.json", json.dumps(variant(spdi(SNV)))), ("b.json", "{")):
        (tmp_path / name).write_text(data)
    with pytest.raises(BadFile, match=r"b\.json"):
        ingest_paths(store, tmp_path / "a.json", tmp_path / "b.json")
    assert [test[1] for test in stored_tests(store)] == ["a"]


def test_an_interrupted_run_goes_on_where_it_stopped(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = bundle(variant(spdi(SNV)), variant(spdi("NC_000002.12:9:C:T"), id_="v2"), id="b")
    checkpoint, calls = runs.checkpoint, []

    def interrupted(*args: Any, **more: Any) -> None:
        checkpoint(*args, **more)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runs, "checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store_fhir(store, data)
    # The block is rolled back with its transaction; the run itself stays and is taken up.
    assert len(runs.unfinished(store.database)) == 1
    assert store_fhir(store, data).calls == 2
    assert runs.unfinished(store.database) == []
    (tmp_path / "other").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'other.db'}") as database:
        other = SmallStore(database, tmp_path / "other", NO_GENOME)
        store_fhir(other, data)
        assert content(database) == content(store.database)


def test_an_export_is_not_stored_beside_what_it_was_made_from(store: SmallStore) -> None:
    store_fhir(store, bundle(*hets(SNV, OTHER), id="b"))
    text = exported(store, "P1")
    before = content(store.database)
    with pytest.raises(InvalidInput, match="stored already"):
        store_fhir(store, text, name="export.json")
    assert content(store.database) == before
    store_fhir(store, text, name="export.json", replace=True)
    assert content(store.database) == before


def test_an_export_that_was_changed_is_noticed(store: SmallStore, tmp_path: Path) -> None:
    store_fhir(store, bundle(*hets(SNV, OTHER), id="b"))
    text = exported(store, "P1").replace('"code":"LA6706-1","display":"heterozygous"', '"code":"LA6705-3"', 1)
    (tmp_path / "other").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'other.db'}") as database:
        other = SmallStore(database, tmp_path / "other", NO_GENOME)
        report = store_fhir(other, text)
        [(_, detail)] = report.refused.named["contradiction"]
        assert "53034-5" in detail
        assert "0/1" in detail
        assert report.calls == 1
