"""What a report states of one subject is answered for that subject beside the knowledge, and for nobody else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile, InvalidInput, NotInstalled, SubjectNotFound
from app.fhir.parameters import Dialect, OperationInputs, RangeInput
from app.fhir.tokens import parse_token
from app.fhir.validate import problems
from app.formats.knowledge import ItemKind
from app.records import SourceClass
from app.store import bulk, genotypes, stated_writer
from app.store.codec import BIN
from app.store.session import Database, Session
from app.store.stated import FindingKind, StatedFinding
from app.store.stated_writer import Addition
from app.variants.interval import parse_range
from ingest.fhir_report import FhirReport
from ingest.progress import Progress
from ingest.rejustify import rejustify
from tests.fhir_files import (
    ABSENT,
    GERMLINE,
    HET,
    SOMATIC,
    Resource,
    bundle,
    coded,
    concept,
    content,
    exported,
    genotype,
    implication,
    record,
    source_class,
    spdi,
    state,
    store_fhir,
    tbd,
    variant,
)
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.store_dump import counts
from tests.two_builds import B37, bases, genome
from tests.vcf_files import vcf

SNV, OTHER, THIRD = "NC_000001.11:104:C:T", "NC_000001.11:204:A:G", "NC_000002.12:304:A:G"
DX, TX, MC = "diagnostic-implication", "therapeutic-implication", "molecular-consequence"
MEDGEN, RXNORM, SO = (
    "https://www.ncbi.nlm.nih.gov/medgen", "http://www.nlm.nih.gov/research/umls/rxnorm", "http://sequenceontology.org",
)  # fmt: skip
PHENOTYPE = coded("81259-4", "C0745103", system=MEDGEN)
PATHOGENIC = coded("53037-8", "LA6668-3")
DRUG = {
    "code": concept("51963-7"),
    "valueCodeableConcept": {"coding": [{"system": RXNORM, "code": "2002", "display": "Dabrafenib"}]},
}
EFFECT = {"code": tbd("predicted-therapeutic-implication"), "valueCodeableConcept": {"text": "Resistant"}}
STOP = {"code": tbd("feature-consequence"), "valueCodeableConcept": concept("SO:0001587", SO)}
OPERATIONS = {DX: "dx-implications", TX: "tx-implications", MC: "molecular-consequences"}


@pytest.fixture
def store(tmp_path: Path, database: Database) -> SmallStore:
    return SmallStore(database, tmp_path, NO_GENOME)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SmallStore]:
    (tmp_path / "second").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'second.db'}") as database:
        yield SmallStore(database, tmp_path / "second", NO_GENOME)


def inputs_of(asked: dict[str, Any]) -> OperationInputs:
    """Return inputs: variants and ranges as texts, everything that is a token as a text as well."""
    values = dict(asked)
    for name in ("conditions", "treatments", "feature_consequences"):
        if name in values:
            values[name] = tuple(map(parse_token, values[name]))
    if "haplotypes" in values:
        values["haplotypes"] = (tuple(map(parse_token, values["haplotypes"])),)
    if "variants" in values:
        values["variants"] = (tuple(values["variants"]),)
    if "ranges" in values:
        values["ranges"] = tuple(RangeInput(text, parse_range(text)) for text in values["ranges"])
    return OperationInputs(**values)


Asked = dict[str, Any]


def ask(store: SmallStore, kind: str, subject: str = "P1", **asked: Any) -> list[Resource]:
    """Return (name, resource) of the answer about a subject, after a look at what holds for every answer."""
    inputs = inputs_of({"subject": subject, **asked})
    answer = json.loads(store.context.answer(f"find-subject-{OPERATIONS[kind]}", inputs))
    assert problems(answer) == []
    entries = answer.get("parameter", [])
    shown = {entry["resource"]["id"] for entry in entries}
    for entry in entries:
        for reference in entry["resource"].get("derivedFrom", ()):
            assert reference["reference"].removeprefix("Observation/") in shown
        if inputs.dialect is Dialect.IG:
            assert store.read(entry["resource"]["id"]) == entry["resource"]
    return entries


def statements(store: SmallStore, kind: str, subject: str = "P1", **asked: Any) -> list[Resource]:
    """Return the implications of the answer about a subject."""
    names = ("implication", "consequence")
    return [entry["resource"] for entry in ask(store, kind, subject, **asked) if entry["name"] in names]


def who(store: SmallStore, kind: str, **asked: Any) -> list[str]:
    """Return who is counted."""
    inputs = inputs_of({"include_patient_list": True, **asked})
    answer = json.loads(store.context.answer(f"find-population-{OPERATIONS[kind]}", inputs))
    assert problems(answer) == []
    numerator, _, *rest = answer["parameter"][0]["part"]
    assert numerator["valueQuantity"]["value"] == len(rest)
    return [part["valueString"] for part in rest]


def of(subject: str, *resources: Resource) -> list[Resource]:
    return [resource | {"subject": {"reference": f"Patient/{subject}"}} for resource in resources]


def v(change: str, id_: str = "v1", **more: Any) -> Resource:
    return variant(spdi(change), state(HET), source_class(), id_=id_, **more)


def told(store: SmallStore, *resources: Resource, **more: Any) -> FhirReport:
    """Ingest a Bundle of which everything must be stored."""
    report = store_fhir(store, bundle(*resources, **{"id": "T1", **more}))
    assert not report.refused.counts
    assert not report.skipped.counts
    return report


# --- whose ----------------------------------------------------------------------------------------------------------


def test_a_statement_is_about_its_subject_alone(store: SmallStore) -> None:
    told(store, v(SNV), implication(DX, PATHOGENIC, PHENOTYPE))
    store.ingest(vcf("chr1 105 . C T . PASS . GT 0/1"), "P2")
    asked: list[Asked] = [
        {"conditions": [f"{MEDGEN}|C0745103"]},
        {"conditions": ["c0745"]},
        {"conditions": ["|C0745103"]},
        {"variants": [SNV]},
    ]
    for question in asked:
        [one] = statements(store, DX, **question)
        assert statements(store, DX, "P2", **question) == []
        assert who(store, DX, **question) == ["P1"]
    assert one["id"].startswith("st-")
    assert len(statements(store, DX, ranges=["NC_000001.11:100-110"])) == 1
    assert statements(store, DX, ranges=["NC_000001.11:110-120"]) == []
    absent: list[Asked] = [{"conditions": ["diabetes"]}, {"conditions": [f"{MEDGEN}|C0"]}, {"variants": [OTHER]}]
    for nothing in absent:
        assert statements(store, DX, **nothing) == []
        assert who(store, DX, **nothing) == []


def test_a_statement_of_somebody_elses_finding_is_refused(store: SmallStore) -> None:
    entries = [v(SNV), *of("P2", v(OTHER, "v2"), implication(DX, PHENOTYPE))]
    report = store_fhir(store, bundle(*entries))
    assert dict(report.refused.counts) == {"contradiction": 1}
    assert (report.calls, report.implications) == (2, 0)
    with pytest.raises(NotInstalled):
        statements(store, DX, conditions=["C0745103"])


def test_a_kind_of_which_nothing_is_known_is_no_answer(store: SmallStore) -> None:
    told(store, v(SNV), implication(DX, PHENOTYPE))
    with pytest.raises(NotInstalled):
        statements(store, TX, conditions=["C0745103"])
    with pytest.raises(NotInstalled):
        who(store, TX, conditions=["C0745103"])
    with pytest.raises(InvalidInput, match="coded in"):
        statements(store, DX, conditions=["http://snomed.info/sct|1"])
    with pytest.raises(SubjectNotFound):
        statements(store, DX, "P9", conditions=["C0745103"])


# --- what it says ---------------------------------------------------------------------------------------------------


def test_what_a_report_says_stays_as_it_says_it(store: SmallStore) -> None:
    own = {"code": concept("our-score", "urn:lab"), "valueQuantity": {"value": 0.5}}
    base = {"code": tbd("knowledge-base"), "valueCodeableConcept": {"text": "In-house 7"}}
    more: Resource = {
        "status": "amended",
        "identifier": [{"system": "urn:lab", "value": "77"}],
        "effectiveDateTime": "2024-03-04",
        "note": [{"text": "See the second page", "authorString": "somebody"}],
        "performer": [{"reference": "Practitioner/1", "display": "Dr. Who"}],
        "encounter": {"reference": "Encounter/1"},
    }
    told(store, v(SNV), implication(DX, PATHOGENIC, PHENOTYPE, own, base, **more))
    [one] = statements(store, DX, variants=[SNV])
    assert one["status"] == "amended"
    assert one["identifier"] == more["identifier"]
    assert one["effectiveDateTime"] == "2024-03-04"
    assert one["note"] == [{"text": "See the second page"}]
    assert one["performer"] == [{"display": "Dr. Who"}]
    assert "encounter" not in one
    assert own in one["component"]
    assert [part["valueCodeableConcept"] for part in one["component"] if part["code"] == base["code"] or (
        part["code"]["coding"][0]["code"] == "knowledge-base")] == [{"text": "In-house 7"}]  # fmt: skip
    assert one["component"][1]["code"]["coding"][0]["display"] == "predicted phenotype"
    assert one["component"][1]["valueCodeableConcept"] == PHENOTYPE["valueCodeableConcept"]


def test_a_component_of_another_system_is_kept_but_not_asked_by(store: SmallStore) -> None:
    other = {"code": concept("81259-4", "urn:lab"), "valueCodeableConcept": concept("C1", MEDGEN)}
    told(store, v(SNV), implication(DX, PHENOTYPE, other))
    assert other in statements(store, DX, conditions=["C0745103"])[0]["component"]
    assert statements(store, DX, conditions=["C1"]) == []


def test_where_it_comes_from_is_named(store: SmallStore) -> None:
    told(store, v(SNV), implication(DX, PHENOTYPE))
    [one] = statements(store, DX, variants=[SNV])
    assert one["component"][-1]["valueCodeableConcept"] == {"text": "Stated in the report of test T1"}
    assert one["component"][-1]["code"]["coding"][0]["code"] == "knowledge-base"


def test_references_to_what_is_not_kept_are_left_out_and_told(store: SmallStore) -> None:
    named = {
        "extension": [
            {"url": "urn:a", "valueReference": {"reference": "MedicationStatement/1"}},
            {"url": "urn:b", "valueString": "kept"},
        ]
    }
    report = store_fhir(store, bundle(v(SNV), implication(TX, {**DRUG, **named}, EFFECT)))
    assert dict(report.dropped.counts) == {"references": 1}
    [one] = statements(store, TX, treatments=["dabra"])
    assert one["component"][0]["extension"] == [{"url": "urn:b", "valueString": "kept"}]


def test_treatments_and_effects(store: SmallStore) -> None:
    context = coded("81259-4", "DOID:3908", system="https://disease-ontology.org")
    told(store, v(SNV), implication(TX, DRUG, context, EFFECT))
    questions: list[Asked] = [
        {"treatments": ["DABRAFENIB"]},
        {"treatments": [f"{RXNORM}|2002"], "conditions": ["https://disease-ontology.org|3908"]},
    ]
    for question in questions:
        [one] = statements(store, TX, **question)
        assert who(store, TX, **question) == ["P1"]
    assert one["component"][2]["code"]["coding"][0]["code"] == "therapeutic-implication"
    neither: Asked = {"treatments": ["dabrafenib"], "conditions": ["https://disease-ontology.org|1"]}
    assert statements(store, TX, **neither) == []
    assert who(store, TX, **neither) == []
    [theirs] = statements(store, TX, treatments=["dabrafenib"], dialect=Dialect.REF)
    coding = theirs["component"][2]["code"]["coding"]
    assert [one["code"] for one in coding] == ["predicted-therapeutic-implication", "therapeutic-implication"]


@pytest.mark.parametrize("kind", [MC, "molecular-consequences"])
def test_consequences(store: SmallStore, kind: str) -> None:
    told(store, v(SNV), v(OTHER, "v2"), implication(kind, STOP, interpretation=[{"text": "HIGH"}]))
    questions: list[Asked] = [
        {"variants": [SNV]},
        {"feature_consequences": ["http://www.sequenceontology.org|SO:0001587"]},
    ]
    for question in questions:
        [one] = statements(store, MC, **question)
        assert one["interpretation"] == [{"text": "HIGH"}]
        assert one["code"]["coding"][0]["code"] == MC
        assert who(store, MC, **question) == ["P1"]
    assert statements(store, MC, variants=[OTHER]) == []
    assert who(store, MC, variants=[OTHER]) == []


# --- what it is derived from ----------------------------------------------------------------------------------------


def test_a_statement_of_two_findings_is_answered_whole(store: SmallStore) -> None:
    joint = implication(DX, PHENOTYPE, derived=["Observation/v1", "Observation/v2"])
    told(store, v(SNV), v(OTHER, "v2"), joint)
    for dialect in Dialect:
        [one, *findings] = ask(store, DX, variants=[OTHER], dialect=dialect)
        assert [entry["name"] for entry in findings] == ["variant", "variant"]
        assert len(one["resource"]["derivedFrom"]) == 2


def test_it_passes_a_filter_where_all_its_findings_do(store: SmallStore) -> None:
    dated: Resource = {"effectiveDateTime": "2024-01-01"}
    somatic = variant(spdi(OTHER), source_class(SOMATIC), id_="v2", effectiveDateTime="2024-01-01")
    joint = implication(DX, PHENOTYPE, derived=["Observation/v1", "Observation/v2"])
    told(store, v(SNV, **dated), somatic, implication(DX, PATHOGENIC, id_="i2"), joint)
    everything: Asked = {"variants": [SNV]}
    assert len(statements(store, DX, **everything)) == 2
    for source, found in ((SourceClass.GERMLINE, 1), (SourceClass.SOMATIC, 0)):
        assert len(statements(store, DX, **everything, source_class=source)) == found
        assert who(store, DX, **everything, source_class=source) == ["P1"] * found
    assert len(statements(store, DX, **everything, test_identifiers=("T1",))) == 2
    assert statements(store, DX, **everything, test_identifiers=("T2",)) == []


def test_genotypes_and_haplotypes(store: SmallStore) -> None:
    pair = [
        {**genotype(name, id_=id_), "code": concept("84414-2"), "derivedFrom": []}
        for name, id_ in (("CYP2C19*1", "h1"), ("CYP2C19*17", "h2"))
    ]
    one = genotype("CYP2C19 *1/*17", derived=["Observation/h1", "Observation/h2"])
    of_genotype = implication(TX, DRUG, EFFECT, derived=["Observation/g1"])
    of_haplotype = implication(TX, DRUG, PATHOGENIC, derived=["Observation/h2"], id_="i2")
    told(store, *pair, one, of_genotype, of_haplotype)
    assert len(statements(store, TX, treatments=["dabrafenib"])) == 2
    assert who(store, TX, treatments=["dabrafenib"]) == ["P1"]
    for word, found in (("*1/*17", 1), ("*17", 2), ("CYP2C19*1/", 1), ("*2", 0)):
        assert len(statements(store, TX, haplotypes=[word])) == found, word
        assert who(store, TX, haplotypes=[word]) == ["P1"] * bool(found)
    entries = ask(store, TX, haplotypes=["*17"], dialect=Dialect.REF)
    assert sorted(entry["name"] for entry in entries) == ["genotype", "haplotype", "implication", "implication"]
    # A genotype that states no source class passes that of any question, as everywhere.
    for source in (SourceClass.GERMLINE, SourceClass.SOMATIC):
        assert len(statements(store, TX, treatments=["dabrafenib"], source_class=source)) == 2
        assert who(store, TX, treatments=["dabrafenib"], source_class=source) == ["P1"]


def structural(id_: str = "v1") -> Resource:
    """Return a deletion of 1:1000-2000."""
    span = {"low": {"value": 1000}, "high": {"value": 2000}}
    parts = [
        coded("48019-4", "SO:0000159", system="http://www.sequenceontology.org"),
        coded("48013-7", "NC_000001.11", system="http://www.ncbi.nlm.nih.gov/refseq"),
        {"code": concept("81301-4"), "valueRange": span},
        coded("92822-6", "LA30100-4"),
    ]
    return variant(*parts, source_class(), id_=id_)


def test_structural_variants(store: SmallStore, second: SmallStore) -> None:
    told(store, structural(), implication(DX, PHENOTYPE))
    [one] = statements(store, DX, conditions=["C0745103"])
    assert one["derivedFrom"][0]["reference"].startswith("Observation/dv-")
    assert len(statements(store, DX, ranges=["NC_000001.11:1500-1600"])) == 1
    assert statements(store, DX, ranges=["NC_000001.11:2500-2600"]) == []
    assert who(store, DX, conditions=["C0745103"]) == ["P1"]
    text = exported(store, "P1")
    assert store_fhir(second, text).implications == 1
    assert exported(second, "P1") == text


def test_what_was_stored_before_is_named_by_its_id(store: SmallStore) -> None:
    told(store, v(SNV), structural("v3"), genotype("CYP2C19 *1/*17"))
    shown = store.specific("P1", SNV)[0].variants[0]["id"]
    long = store.structural("intersecting", "P1", "NC_000001.11:1500-1600")[0].variants[0]["id"]
    with store.database.read() as session:
        [(uid,)] = session.run("select uid from genotype")
    derived = [f"Observation/{id_}" for id_ in (shown, long, f"dv-{uid}-g")]
    report = store_fhir(store, bundle(implication(DX, PHENOTYPE, derived=derived)), name="later.json")
    assert (report.implications, report.skipped.total, report.refused.total) == (1, 0, 0)
    [one] = statements(store, DX, conditions=["C0745103"])
    assert [reference["reference"] for reference in one["derivedFrom"]] == derived
    assert store_fhir(store, bundle(implication(DX, PHENOTYPE, derived=derived)), name="later.json").is_repeated
    elsewhere = implication(DX, PHENOTYPE, derived=[f"http://other.test/fhir/{derived[0]}"])
    assert dict(store_fhir(store, bundle(elsewhere)).skipped.counts) == {"implication-underived": 1}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        pytest.param([implication(DX, PHENOTYPE, derived=[])], "underived", id="derived from nothing"),
        pytest.param([implication(DX, PHENOTYPE, derived=["Observation/v9"])], "underived", id="from nothing here"),
        pytest.param(
            [implication(DX, PHENOTYPE, derived=["Observation/v1", "Observation/v9"])], "underived", id="from less"
        ),
        pytest.param(
            [variant(spdi(OTHER), id_="v2", value=ABSENT), implication(DX, PHENOTYPE, derived=["Observation/v2"])],
            "underived",
            id="from something absent",
        ),
        pytest.param([v(OTHER, "v1"), implication(DX, PHENOTYPE)], "underived", id="two Observations have the id"),
        pytest.param([implication(DX)], "empty", id="states nothing"),
        pytest.param([implication(DX, {"code": concept("81259-4")})], "empty", id="a component without a value"),
        pytest.param([implication(DX, PHENOTYPE, code=concept(DX, "urn:x"))], "system", id="code of another system"),
        pytest.param(
            [implication(DX, PHENOTYPE, modifierExtension=[{"url": "urn:not", "valueBoolean": True}])],
            "modifier",
            id="an extension that may negate it",
        ),
    ],
)
def test_what_is_incomplete_is_left_out_with_its_reason(
    store: SmallStore, entries: list[Resource], reason: str
) -> None:
    report = store_fhir(store, bundle(v(SNV), *entries, implication(TX, DRUG, id_="i9", derived=["Observation/w"]),
                                      v(THIRD, "w")))  # fmt: skip
    assert report.skipped.counts.pop(f"implication-{reason}") == 1
    assert set(report.skipped.counts) <= {"absent"}
    assert report.implications == 1
    [named] = report.skipped.named[f"implication-{reason}"]
    assert named[1]


def nested(depth: int) -> Resource:
    """Return an extension in an extension in an extension."""
    inside: Resource = {"url": "urn:a", "valueString": "x"}
    for _ in range(depth):
        inside = {"url": "urn:a", "extension": [inside]}
    return inside


def test_what_is_no_fhir_refuses_the_file(store: SmallStore) -> None:
    for wrong in (
        implication(DX, PHENOTYPE | {"extension": [nested(300)]}),
        implication(DX, PHENOTYPE, note=[{"text": "a", "extension": [nested(300)]}], extension=[nested(30)]),
        implication(DX, {"code": concept("x"), "valueQuantity": "much"}),
        implication(DX, PHENOTYPE, note=[{"text": 5}]),
        implication(DX, {"valueString": "a"}),
        implication(DX, PHENOTYPE, derivedFrom=["Observation/v1"]),
        implication(DX, PHENOTYPE, component="x"),
        implication(DX, PHENOTYPE, performer=[{"display": 3}]),
    ):
        with pytest.raises(BadFile):
            store_fhir(store, bundle(v(SNV), wrong))
    assert counts(store.database) == {}


# --- nothing left behind --------------------------------------------------------------------------------------------


def test_erasing_its_subject_leaves_no_trace(store: SmallStore) -> None:
    entries = [v(SNV), genotype("CYP2C19 *1/*17"), implication(DX, PHENOTYPE),
               implication(TX, DRUG, derived=["Observation/g1"], id_="i2")]  # fmt: skip
    told(store, *of("P2", *entries), id="T2")
    before = content(store.database)
    told(store, *entries)
    assert counts(store.database)["stated_implication"] == 4
    bulk.erase_subject(store.database, "P1")
    assert content(store.database) == before
    bulk.erase_subject(store.database, "P2")
    assert set(counts(store.database)) <= {"counter"}


def test_a_statement_goes_with_any_of_its_findings(store: SmallStore) -> None:
    file = store.file(vcf("chr1 105 . C T . PASS . GT 0/1"), "P1")
    store.store(file)
    shown = store.specific("P1", SNV)[0].variants[0]["id"]
    own, joint = ["Observation/v2"], ["Observation/v2", f"Observation/{shown}"]
    told(store, v(OTHER, "v2"), implication(DX, PHENOTYPE, derived=own), id="T2")
    store_fhir(store, bundle(implication(DX, PATHOGENIC, derived=joint[1:])), name="more.json")
    second = bundle(v(THIRD, "v2"), implication(TX, DRUG, derived=joint), id="T3")
    store_fhir(store, second, name="joint.json")
    assert counts(store.database)["stated_implication"] == 3

    store.store(file, replace=True)

    assert len(statements(store, DX, conditions=["C0745103"])) == 1
    assert (counts(store.database)["stated_implication"], counts(store.database)["stated_owner"]) == (1, 1)
    with store.database.read() as session:
        runs = {row[0] for row in session.run("select run_id from call_set")}
        assert {row[0] for row in session.run("select id from ingest_run")} == runs


def test_replacing_a_report_replaces_what_it_states(store: SmallStore) -> None:
    entries = [v(SNV), genotype("CYP2C19 *1/*17")]
    told(store, *entries, implication(DX, PHENOTYPE), implication(TX, DRUG, derived=["Observation/g1"], id_="i2"))
    corrected = bundle(*entries, implication(DX, PATHOGENIC), id="T1")
    store_fhir(store, corrected, replace=True)
    [one] = statements(store, DX, variants=[SNV])
    assert one["component"][0]["valueCodeableConcept"] == PATHOGENIC["valueCodeableConcept"]
    assert counts(store.database)["stated_implication"] == 1
    alone = bundle(implication(DX, PHENOTYPE, derived=one["derivedFrom"][0].values()))
    assert store_fhir(store, alone, name="more.json").implications == 1
    assert len(statements(store, DX, variants=[SNV])) == 2
    store_fhir(store, alone, name="more.json", replace=True)
    [left] = statements(store, DX, variants=[SNV])
    assert left["component"][0]["valueCodeableConcept"] == PHENOTYPE["valueCodeableConcept"]


def test_a_statement_goes_with_its_genotype(store: SmallStore) -> None:
    told(store, genotype("CYP2C19 *1/*17"), implication(TX, DRUG, derived=["Observation/g1"]))
    with store.database.write() as session:
        genotypes.withdraw(session, [row[0] for row in session.run("select id from study")])
    assert not {"stated_implication", "stated_concept", "stated_owner", "ingest_run"} & set(counts(store.database))


def test_a_run_that_cannot_finish_stores_nothing(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = stated_writer.write_all

    def failing(session: Session, run_id: int, additions: Any, *, replace: bool = False) -> None:
        real(session, run_id, additions, replace=replace)
        raise InvalidInput("too late")

    monkeypatch.setattr(stated_writer, "write_all", failing)
    for entries in ([v(SNV), implication(DX, PHENOTYPE)], [genotype("CYP2C19 *1/*17"), implication(
        DX, PHENOTYPE, derived=["Observation/g1"])]):  # fmt: skip
        with pytest.raises(InvalidInput, match="too late"):
            told(store, *entries)
        assert set(counts(store.database)) <= {"counter"}
    monkeypatch.undo()
    told(store, v(SNV), implication(DX, PHENOTYPE))
    assert len(statements(store, DX, variants=[SNV])) == 1


def test_nothing_is_written_that_rests_on_nothing(store: SmallStore) -> None:
    told(store, v(SNV), *of("P2", v(OTHER, "v2")))
    with store.database.read() as session:
        [(theirs,)] = session.run(
            "select cs.uid from call_set cs join study st on st.id = cs.study_id"
            " join subject s on s.ordinal = st.subject_ordinal where s.subject_id = 'P2'"
        )
    for owner in ("0" * 16, theirs):
        finding = StatedFinding(FindingKind.CALL, owner, SourceClass.GERMLINE, 1, 204, "A", "G")
        addition = Addition("P1", ItemKind.DIAGNOSTIC, "{}", (), (finding,))
        with pytest.raises(InvalidInput, match="not stored"), store.database.write() as session:
            stated_writer.write_all(session, 1, [addition])


# --- placing anew ---------------------------------------------------------------------------------------------------


def test_it_stays_with_its_finding_when_calls_are_placed_anew(store: SmallStore) -> None:
    run = f"{bases(9, 50)}C{'T' * 100}G{bases(10, 50)}"
    low = BIN - 100  # the run lies on both sides of the border between two bins
    made = genome([], {B37: [(low, run)]})
    near = record("NC_000001.10", low + 60, "TT", "T")  # another spelling of the same deletion
    far = record("NC_000001.10", low + 150, "TG", "G")
    told(
        store, variant(*far, source_class()), *of("P2", variant(*near, source_class(), id_="v2")),
        implication(DX, PHENOTYPE), *of("P2", implication(DX, PHENOTYPE, derived=["Observation/v2"], id_="i2")),
    )  # fmt: skip
    with store.database.read() as session:
        assert session.run("select count(*) from variant") == [(2,)]
    asked: Asked = {"conditions": ["C0745103"]}
    before = [one["id"] for subject in ("P1", "P2") for one in statements(store, DX, subject, **asked)]
    assert len(before) == 2

    rejustify(store.database, made, Progress(quiet=True))

    after = SmallStore(store.database, store.folder, made)
    with store.database.read() as session:
        assert session.run("select count(*) from variant") == [(1,)]
    assert [one["id"] for subject in ("P1", "P2") for one in statements(after, DX, subject, **asked)] == before
    spelled = f"NC_000001.10:{low + 51}:{'T' * 100}:{'T' * 99}"
    assert len(statements(after, DX, variants=[spelled])) == 1
    assert who(after, DX, variants=[spelled]) == ["P1", "P2"]


# --- out and in again -----------------------------------------------------------------------------------------------


def test_an_export_brings_everything_back(store: SmallStore, second: SmallStore) -> None:
    pair = [
        {**genotype(name, id_=id_), "code": concept("84414-2"), "derivedFrom": []}
        for name, id_ in (("CYP2C19*1", "h1"), ("CYP2C19*17", "h2"))
    ]
    told(
        store, v(SNV), v(OTHER, "v2"), structural("v3"), *pair,
        genotype("CYP2C19 *1/*17", derived=["Observation/h1", "Observation/h2"]),
        implication(DX, PATHOGENIC, PHENOTYPE, derived=["Observation/v2", "Observation/v1"], status="corrected"),
        implication(TX, DRUG, EFFECT, derived=["Observation/h2", "Observation/v3"], id_="i2"),
        implication("molecular-consequences", STOP, id_="i3", identifier=[{"system": "urn:a", "value": "1"}]),
    )  # fmt: skip
    later = bundle(v(THIRD), implication(DX, PHENOTYPE), id="T2")
    store_fhir(store, later, name="later.json")
    text = exported(store, "P1")
    assert problems(json.loads(text)) == []
    report = store_fhir(second, text)
    assert (report.implications, report.skipped.total, report.refused.total) == (4, 0, 0)
    assert content(second.database) == content(store.database)
    assert exported(second, "P1") == text
    part = json.loads(exported(store, "P1", ["T2"]))
    shown = [entry["resource"] for entry in part["entry"]]
    kept = [one["id"] for one in shown if one["id"].startswith("st-")]
    assert len(kept) == 1
    [listing] = [one for one in shown if one["resourceType"] == "DiagnosticReport"]
    assert {"reference": f"Observation/{kept[0]}"} in listing["result"]


# --- counting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whoever_is_counted_is_whoever_has_an_answer(store: SmallStore, seed: int) -> None:
    dice = random.Random(seed)
    people = [f"P{number}" for number in range(1, 7)]
    conditions, drugs = ["C1", "C2", "C3"], ["D1", "D2"]
    changes, names = [SNV, OTHER, THIRD], ["CYP2C19 *1/*1", "CYP2C19 *1/*17", "CYP2C19 *2/*17"]
    for person in people:
        entries: list[Resource] = []
        for at, change in enumerate(changes):
            if dice.random() < 0.6:
                klass = source_class(dice.choice([GERMLINE, SOMATIC]))
                entries.append(variant(spdi(change), klass, id_=f"v{at}"))
        entries.append(genotype(dice.choice(names), id_="g"))
        ids = [f"Observation/{entry['id']}" for entry in entries]
        for at in range(dice.randint(0, 4)):
            parts = [coded("81259-4", one, system=MEDGEN) for one in dice.sample(conditions, dice.randint(0, 2))]
            parts += [coded("51963-7", one, system=RXNORM) for one in dice.sample(drugs, dice.randint(1, 2))]
            derived = dice.sample(ids, min(len(ids), dice.randint(1, 2)))
            entries.append(implication(dice.choice([DX, TX]), *parts, derived=derived, id_=f"i{at}"))
        store_fhir(store, bundle(*of(person, *entries), id=f"T-{person}"), name=f"{person}.json")
    # Somebody states each kind, so that every question can be answered.
    store_fhir(store, bundle(*of("Q", v(SNV), implication(DX, coded("81259-4", "C9", system=MEDGEN)),
                                 implication(TX, coded("51963-7", "D9", system=RXNORM),
                                             coded("81259-4", "C9", system=MEDGEN), id_="i2"))))  # fmt: skip
    found = 0
    for _ in range(40):
        kind, asked = dice.choice([DX, TX]), Asked()
        if dice.random() < 0.5:
            asked["conditions"] = dice.sample([*conditions, f"{MEDGEN}|C1"], dice.randint(1, 2))
        if kind == TX and dice.random() < 0.5:
            asked["treatments"] = dice.sample([*drugs, f"{RXNORM}|D2"], 1)
        if dice.random() < 0.4:
            asked["variants"] = dice.sample(changes, dice.randint(1, 2))
        if not asked or dice.random() < 0.2:
            asked["haplotypes"] = dice.sample(["*17", "*1/*1", "CYP2C19 *2"], 1)
        if dice.random() < 0.3:
            asked["source_class"] = dice.choice([SourceClass.GERMLINE, SourceClass.SOMATIC])
        expected = [person for person in people if statements(store, kind, person, **asked)]
        assert [one for one in who(store, kind, **asked) if one != "Q"] == expected, (kind, asked)
        found += len(expected)
    assert found


def test_a_store_without_statements_is_asked_once(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.ingest(vcf("chr1 105 . C T . PASS . GT 0/1"), "P1")
    real, seen = Session.run, list[str]()

    def counting(self: Session, sql: str, parameters: Any = None) -> Any:
        seen.extend([sql] if "stated_" in sql else [])
        return real(self, sql, parameters)

    monkeypatch.setattr(Session, "run", counting)
    for kind in (DX, TX, MC):
        for operation in (statements, who):
            seen.clear()
            with pytest.raises(NotInstalled):
                operation(store, kind, variants=[SNV])
            assert len(seen) == 1
