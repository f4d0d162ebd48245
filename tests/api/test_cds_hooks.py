"""CDS Hooks over HTTP: what EHRs ask, what they are told, and what becomes of feedback."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.formats.pgx import PgxContent
from app.operations.cds_services import SERVICES
from app.operations.pgx import ActivePgx
from app.pgx.calls import CallMethod, CallStatus
from app.pgx.drugs import DrugIndex
from app.pgx.texts import Texts
from app.store import bulk
from tests.api.client import Answer
from tests.cds_client import ISSUER, JKU, token, write_keys
from tests.cds_world import ADVISOR, ATC, HOOK, LEGACY, RXNORM, SUMMARY, World, bundle, call, order
from tests.pgx_content import TICAGRELOR, a_call, content
from tests.small_store import migrated

PM = a_call("CYP2C19", "*2/*2", "Poor Metabolizer")
IM = a_call("CYP2C19", "*1/*2", "Intermediate Metabolizer")
NM = a_call("CYP2C19", "*1/*1", "Normal Metabolizer")
CLOPIDOGREL = order(code="309362", text="clopidogrel 75 MG Oral Tablet")
OUTCOME = {"resourceType": "OperationOutcome", "issue": []}


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Return what makes a server with settings other than the usual ones."""
    worlds: list[World] = []
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:

        def start(**settings: Any) -> World:
            worlds.append(World(database, tmp_path, monkeypatch, **settings))
            return worlds[-1]

        yield start
        for world in worlds:
            world.close()


@pytest.fixture
def world(build: Callable[..., World]) -> World:
    return build()


# --- discovery --------------------------------------------------------------------------------------------------------


def test_discovery_lists_the_services(world: World):
    answer = world.client.get("/cds-services")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    services = answer.json()["services"]
    assert [(one["hook"], one["id"]) for one in services] == [
        ("order-select", "pgx-medication-advisor"),
        ("order-sign", "pgx-medication-advisor"),
        ("medication-prescribe", "pgx-medication-prescribe"),
        ("patient-view", "pgx-patient-summary"),
    ]
    assert services == list(SERVICES)
    assert services[0]["prefetch"]["patient"] == "Patient/{{context.patientId}}"


def test_discovery_is_public_even_where_tokens_are_required(build: Callable[..., World]):
    world = build(cds_auth="required")
    assert world.client.get("/cds-services").status == 200
    assert world.client.get("/cds-services", authorization="Bearer x").status == 200


def test_browsers_may_call_from_listed_origins(build: Callable[..., World]):
    world = build(cors_origins="https://sandbox.cds-hooks.org")
    asked = {
        "origin": "https://sandbox.cds-hooks.org",
        "access_control_request_method": "POST",
        "access_control_request_headers": "authorization,content-type",
    }
    answer = world.client.options(ADVISOR, **asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://sandbox.cds-hooks.org"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert world.client.options(ADVISOR, **(asked | {"origin": "https://evil.example"})).status == 400


# --- examples of the contract -----------------------------------------------------------------------------------------


def test_clopidogrel_for_a_poor_metabolizer(world: World):
    world.person(PM)
    other = order("m9", code="2670")
    body = call("order-select", CLOPIDOGREL, prefetch={"patient": None, "activeMedications": None})
    body["context"]["draftOrders"]["entry"].append({"resource": other})

    [card] = world.cards(ADVISOR, body)

    assert card["indicator"] == "critical"
    assert card["summary"].startswith("Clopidogrel: CYP2C19 Poor Metabolizer")
    assert "avoid" in card["summary"].lower()
    assert r"**CYP2C19 \*2/\*2 – Poor Metabolizer.**" in card["detail"]
    assert "- CVI ACS PCI (CPIC, Strong): Avoid standard dose (75 mg/day) clopidogrel if possible." in card["detail"]
    assert "- NVI (CPIC, Moderate): Avoid standard dose" in card["detail"]
    assert "Test T1 of 2026-03-02; named alleles called from variants; definitions: seed-2026." in card["detail"]
    assert "Knowledge: seed-2026." in card["detail"]
    assert "Not validated for clinical decisions." in card["detail"]
    assert card["source"] == {
        "label": "CPIC guideline: clopidogrel and CYP2C19",
        "url": "https://cpicpgx.org/guidelines/clopidogrel/",
        "topic": {"system": "http://www.genenames.org/geneId", "code": "HGNC:2621", "display": "CYP2C19"},
    }
    assert card["selectionBehavior"] == "at-most-one"
    replace, cancel = card["suggestions"]
    assert (replace["label"], replace["isRecommended"]) == ("Replace by Ticagrelor", True)
    [action] = replace["actions"]
    assert action["type"] == "update"
    assert action["resource"] == {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/PGX001"},
        "medicationCodeableConcept": {
            "text": "Ticagrelor",
            "coding": [{"system": RXNORM, "code": "1116632", "display": "Ticagrelor"}],
        },
    }
    assert cancel["label"] == "Cancel the Clopidogrel order"
    assert cancel["actions"] == [
        {"type": "delete", "description": "Remove the Clopidogrel order", "resourceId": "MedicationRequest/m1"}
    ]
    assert {one["code"] for one in card["overrideReasons"]} >= {"no-alternative", "previously-tolerated", "other"}
    assert card["overrideReasons"][0]["system"] == "http://testserver/fhir/CodeSystem/pgx-override-reasons"
    assert card["links"] == [{"label": "Guideline", "url": card["source"]["url"], "type": "absolute"}]


@pytest.mark.parametrize(
    ("phenotype", "activity", "indicator", "said"),
    [
        ("Poor Metabolizer", "0.0", "critical", "diminished analgesia"),
        ("Ultrarapid Metabolizer", "3.0", "critical", "serious toxicity"),
        ("Intermediate Metabolizer", "1.0", "info", "If no response"),
    ],
)
def test_codeine_in_a_combination(world: World, phenotype: str, activity: str, indicator: str, said: str):
    world.person(a_call("CYP2D6", "*4/*4", phenotype, activity=activity))
    [card] = world.cards(ADVISOR, call("order-sign", order("m2", code="993781")))
    assert (card["indicator"], said in card["detail"]) == (indicator, True)
    assert card["summary"].startswith(f"Codeine: CYP2D6 {phenotype}")
    assert f"Activity score: {activity}." in card["detail"]
    # The guideline names no alternative in a form that could be ordered, so none is offered.
    labels = [one["label"] for one in card.get("suggestions", ())]
    assert labels == (["Cancel the Codeine order"] if indicator == "critical" else [])


def test_fluorouracil_keeps_its_dose_and_gets_a_note(world: World):
    world.person(a_call("DPYD", "Reference/*2A", "Intermediate Metabolizer", activity="1.0", lookup="1.0"))
    dosage = [{"text": "400 mg/m2", "doseAndRate": [{"doseQuantity": {"value": 700, "unit": "mg"}}]}]
    given = order("m3", code=4492, dosageInstruction=dosage, note=[{"text": "first"}], category={"text": "x"})

    [card] = world.cards(ADVISOR, call("order-sign", given))

    assert card["indicator"] == "warning"
    assert "reduce starting dose by 50%" in card["summary"].lower()
    [suggestion] = card["suggestions"]
    assert suggestion["isRecommended"]
    [action] = suggestion["actions"]
    assert action["resource"]["dosageInstruction"] == dosage
    first, second = action["resource"].pop("note")
    assert first == {"text": "first"}
    assert "Reduce starting dose by 50% followed by titration" in second["text"]
    assert "seed-2026" in second["text"]
    assert action["resource"] == {name: value for name, value in given.items() if name != "note"}


def test_abacavir_with_the_allele_that_forbids_it(world: World):
    world.person(a_call("HLA-B", "", "*57:01 positive", method=CallMethod.OUTSIDE))
    [card] = world.cards(ADVISOR, call("order-select", order("m4", code="242679")))
    assert card["indicator"] == "critical"
    assert card["summary"] == "Abacavir: HLA-B*57:01 positive – abacavir is not recommended"
    assert "genotype reported by a laboratory" in card["detail"]
    assert card["source"]["topic"]["code"] == "HGNC:4932"
    [suggestion] = card["suggestions"]
    assert suggestion["isRecommended"]
    assert suggestion["actions"][0]["resourceId"] == "MedicationRequest/m4"


VKORC1 = a_call("VKORC1", "rs9923231 reference (C)/rs9923231 variant (T)", "-1639 AG")


@pytest.mark.parametrize(
    ("genotype", "indicator", "said"),
    [
        (
            "*1/*3",
            "warning",
            "Warfarin: lower dose expected – CYP2C9 *1/*3 and VKORC1 -1639 AG (label range 3-4 mg/day)",
        ),
        ("*1/*1", "info", "Warfarin: usual dose expected – CYP2C9 *1/*1 and VKORC1 -1639 AG (label range 5-7 mg/day)"),
    ],
)
def test_warfarin_gets_the_range_of_the_label_and_what_it_leaves_out(
    world: World, genotype: str, indicator: str, said: str
):
    world.person(a_call("CYP2C9", genotype, "Intermediate Metabolizer", activity="1.0"), VKORC1)
    [card] = world.cards(ADVISOR, call("order-sign", order(code="855332")))
    assert (card["indicator"], card["summary"]) == (indicator, said)
    assert "Ancestry is not recorded" in card["detail"]
    assert "rs12777823 was not tested" in card["detail"]
    assert "validated algorithm with age, height, weight" in card["detail"]
    assert "suggestions" not in card
    assert card["links"][0]["label"] == "Dose calculator"


def test_a_child_gets_no_range_of_warfarin_that_is_of_adults(world: World):
    world.person(a_call("CYP2C9", "*1/*3", "Intermediate Metabolizer"), VKORC1)
    world.results["PGX001"] = replace(world.results["PGX001"], birth_date="2020-01-01")
    assert world.cards(ADVISOR, call("order-sign", order(code="855332"))) == []


# --- which cards ------------------------------------------------------------------------------------------------------


def test_a_normal_result_shows_no_card(world: World):
    world.person(NM)
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL)) == []


def test_a_normal_result_shows_a_card_where_the_site_wants_it(build: Callable[..., World]):
    world = build(cds_show_normal=True)
    world.person(NM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    assert card["indicator"] == "info"
    assert "suggestions" not in card
    assert "overrideReasons" not in card


def test_without_a_result_there_is_no_card(world: World):
    world.person()
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL)) == []


def test_a_missing_result_is_told_where_the_site_wants_it(build: Callable[..., World]):
    world = build(cds_pretest=True)
    world.person()
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, order("m2", code="1191")))
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Clopidogrel: no result of CYP2C19; ")


@pytest.mark.parametrize("status", [CallStatus.NO_CALL, CallStatus.AMBIGUOUS])
def test_an_unclear_result_leads_to_no_advice(world: World, status: CallStatus):
    world.person(a_call("CYP2C19", "", "", status=status))
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL)) == []


def test_only_selected_orders_are_judged(world: World):
    world.person(PM)
    body = call("order-select", order("a", code="1191"), CLOPIDOGREL)
    for selections, found in ((["MedicationRequest/a"], 0), (["m1"], 1), ([], 0)):
        body["context"]["selections"] = selections
        assert len(world.cards(ADVISOR, body)) == found


def test_two_orders_of_a_drug_share_a_card(world: World):
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, order("m2", code="B01AC04", system=ATC)))
    assert [len(one["actions"]) for one in card["suggestions"]] == [2, 2]


def test_the_most_severe_card_comes_first(world: World):
    world.person(
        PM, a_call("SLCO1B1", "*1/*5", "Decreased Function"), a_call("CYP2D6", "*1/*4", "Intermediate Metabolizer")
    )
    orders = (order("a", code="2670"), order("b", code="36567"), CLOPIDOGREL)
    indicators = [card["indicator"] for card in world.cards(ADVISOR, call("order-sign", *orders))]
    assert indicators == sorted(indicators, key=["critical", "warning", "info"].index)
    assert len(indicators) == 3


def test_copy_number_that_was_not_looked_at_is_told(world: World):
    world.person(a_call("CYP2D6", "*4/*4", "Poor Metabolizer", activity="0.0", method=CallMethod.SNV_ONLY))
    [card] = world.cards(ADVISOR, call("order-sign", order(code="2670")))
    assert "copy number not assessed" in card["detail"]


def test_an_order_without_id_cannot_be_acted_on(world: World):
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", order(None, code="32968")))
    assert "suggestions" not in card


def test_results_that_are_still_computed_are_told(world: World):
    world.person(is_ready=False)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    assert "still being computed" in card["summary"]
    assert world.cards(ADVISOR, call("order-sign", order(text="paracetamol"))) == []


def test_a_view_of_a_patient_tells_that_results_are_still_computed(world: World):
    world.person(is_ready=False)
    [card] = world.cards(SUMMARY, call("patient-view"))
    assert "still being computed" in card["summary"]


def test_without_knowledge_in_use_nothing_is_passed_over_in_silence(world: World):
    world.person(is_ready=False)
    world.active = ActivePgx("", PgxContent(), DrugIndex(PgxContent()), Texts(content()))
    for path, hook in ((ADVISOR, call("order-sign", CLOPIDOGREL)), (SUMMARY, call("patient-view"))):
        [card] = world.cards(path, hook)
        assert card["summary"].startswith("No pharmacogenetic knowledge is in use")
        assert "Ask again" not in card["detail"]


def test_an_alternative_that_the_patient_should_not_have_either_is_not_offered(world: World):
    advised = content().recommendations[0]
    harmful = replace(advised, recommendation_id="x", drug_id=TICAGRELOR.drug_id, alternatives=())
    more = replace(content(), recommendations=(*content().recommendations, harmful))
    world.active = ActivePgx("seed-2026", more, world.active.drugs, world.active.texts)
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    assert [one["label"] for one in card["suggestions"]] == ["Cancel the Clopidogrel order"]


def test_the_same_call_gets_the_same_ids(world: World):
    world.person(PM)
    first, second = (world.cards(ADVISOR, call("order-sign", CLOPIDOGREL)) for _ in range(2))
    assert first == second
    other = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL) | {"hookInstance": str(uuid.uuid4())})
    ids = {first[0]["uuid"], other[0]["uuid"], *(one["uuid"] for one in first[0]["suggestions"])}
    assert len(ids) == 4
    assert uuid.UUID(first[0]["uuid"]).version == 5
    assert len(world.rows("select 1 from cds_card")) == 2


def test_a_smart_app_is_linked_where_the_site_has_one(build: Callable[..., World]):
    world = build(cds_launch_url="https://genomics.example/launch", base_url="https://genomics.example", cds_auth="off")
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    assert card["links"][1] == {
        "label": "Open PGx report",
        "url": "https://genomics.example/launch",
        "type": "smart",
        "appContext": '{"gene":"CYP2C19","drug":"32968"}',
    }
    assert card["overrideReasons"][0]["system"].startswith("https://genomics.example/fhir/")


# --- patient-view -----------------------------------------------------------------------------------------------------


def test_the_summary_lists_results_that_matter_and_affected_medication(world: World):
    world.person(PM, a_call("CYP2D6", "*1/*1", "Normal Metabolizer"), a_call("SLCO1B1", "*5/*5", "Poor Function"))
    active = bundle(order("m1", code="32968", status="active"), order("m2", code="36567", status="completed"))

    summary, affected = world.cards(SUMMARY, call("patient-view", prefetch={"activeMedications": active}))

    assert summary["summary"] == "Actionable pharmacogenetic results: CYP2C19, SLCO1B1"
    assert "clopidogrel (CPIC)" in summary["detail"]
    assert "simvastatin (CPIC)" in summary["detail"]
    assert "CYP2D6" not in summary["detail"]
    assert affected["summary"].startswith("Clopidogrel")
    assert "suggestions" not in affected


def test_a_patient_without_results_that_matter_has_no_summary(world: World):
    world.person(NM)
    assert world.cards(SUMMARY, call("patient-view")) == []


# --- whom a call is about ---------------------------------------------------------------------------------------------


def test_an_unknown_patient_gets_no_cards(world: World):
    world.person(PM)
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, patient="somebody")) == []


def patient(**members: Any) -> dict[str, Any]:
    return {"patient": {"resourceType": "Patient", "id": "ehr-7"} | members}


def test_a_patient_is_found_by_an_identifier(world: World):
    world.person(PM, identifiers=[("urn:mrn", "4711")])
    given = patient(identifier=[{"system": "urn:other", "value": "4711"}, {"system": "urn:mrn", "value": "4711"}])
    assert len(world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, patient="ehr-7", prefetch=given))) == 1


def test_identifiers_of_two_people_are_of_nobody(world: World):
    world.person(PM, identifiers=[("urn:mrn", "1")])
    world.person(NM, subject="PGX002", identifiers=[("urn:mrn", "2")])
    both = patient(identifier=[{"system": "urn:mrn", "value": "1"}, {"system": "urn:mrn", "value": "2"}])
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, patient="ehr-7", prefetch=both)) == []
    other = patient(identifier=[{"system": "urn:mrn", "value": "2"}])
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, patient="PGX001", prefetch=other)) == []


@pytest.mark.parametrize(("born", "cards"), [("1982-09-11", 1), ("1982", 1), ("1982-09-12", 0), ("1983", 0)])
def test_another_date_of_birth_is_of_another_person(world: World, born: str, cards: int):
    world.person(PM)
    body = call("order-sign", CLOPIDOGREL, prefetch=patient(birthDate=born))
    assert len(world.cards(ADVISOR, body)) == cards


def test_ids_of_another_system_are_not_ours_where_the_site_says_so(build: Callable[..., World]):
    world = build(cds_patient_match="identifier")
    world.person(PM, identifiers=[("urn:mrn", "4711")])
    given = patient(identifier=[{"system": "urn:mrn", "value": "4711"}])
    assert len(world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, patient="x", prefetch=given))) == 1
    assert world.cards(ADVISOR, call("order-sign", CLOPIDOGREL, prefetch=patient())) == []


@pytest.mark.parametrize("prefetch", [None, {}, {"patient": None}, {"patient": OUTCOME}])
def test_a_patient_who_cannot_be_known_is_a_failed_precondition(build: Callable[..., World], prefetch: Any):
    world = build(cds_patient_match="identifier")
    world.person(PM)
    answer = world.post(ADVISOR, call("order-sign", CLOPIDOGREL, prefetch=prefetch, fhirServer="https://ehr.example"))
    assert answer.status == 412
    assert answer.json()["status"] == 412


def test_a_patient_is_fetched_with_the_clients_token(build: Callable[..., World], monkeypatch: pytest.MonkeyPatch):
    asked = []

    def fetched(self: Any, url: str, *, token: str | None = None, accept: str = "") -> Any:
        asked.append((url, token, accept))
        return {"resourceType": "Patient", "id": "ehr-7", "identifier": [{"system": "urn:mrn", "value": "4711"}]}

    monkeypatch.setattr("app.security.fetching.Fetcher.json", fetched)
    world = build()
    world.person(PM, identifiers=[("urn:mrn", "4711")])
    body = call("order-sign", CLOPIDOGREL, patient="ehr-7", fhirServer="https://ehr.example/fhir/")
    body["fhirAuthorization"] = {"access_token": "s3cret", "token_type": "Bearer"}
    assert len(world.cards(ADVISOR, body)) == 1
    assert asked == [("https://ehr.example/fhir/Patient/ehr-7", "s3cret", "application/fhir+json")]
    for strange in ("../Observation/1", "a/b", "..", "a?b"):
        assert world.cards(ADVISOR, body | {"context": body["context"] | {"patientId": strange}}) == []
    assert len(asked) == 1


def test_a_server_that_is_not_listed_is_not_asked(build: Callable[..., World]):
    """The guard of the tests would notice an attempt."""
    world = build(cds_fhir_servers="https://ehr.example/fhir")
    world.person(PM)
    for server in ("http://127.0.0.1:8000", "http://169.254.169.254", "https://ehr.example.evil/fhir", "file:///etc"):
        body = call("order-sign", CLOPIDOGREL, patient="ehr-7", fhirServer=server)
        assert world.cards(ADVISOR, body) == []


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"hook": None},
        {"hookInstance": None},
        {"hookInstance": "1"},
        {"context": None},
        {"context": {"patientId": ""}},
        {"context": {"patientId": "PGX001"}},
        {"context": {"patientId": "PGX001", "draftOrders": {}, "selections": "x"}, "hook": "order-select"},
        {"context": {"patientId": "PGX001", "draftOrders": {}, "selections": [{}]}, "hook": "order-select"},
        {"prefetch": []},
    ],
    ids=str,
)
def test_a_malformed_call_is_refused(world: World, change: dict[str, Any]):
    answer = world.post(ADVISOR, call("order-sign", CLOPIDOGREL) | change)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(world: World, body: bytes):
    for path in (ADVISOR, f"{ADVISOR}/feedback"):
        assert world.post(path, body).status == 400


@pytest.mark.parametrize(
    ("path", "hook"),
    [
        ("/cds-services/other", "order-sign"),
        (ADVISOR, "patient-view"),
        (SUMMARY, "order-sign"),
        (LEGACY, "order-sign"),
        (ADVISOR, "appointment-book"),
    ],
)
def test_a_service_or_hook_that_is_not_offered_is_not_found(world: World, path: str, hook: str):
    assert world.post(path, call("order-sign", CLOPIDOGREL) | {"hook": hook}).status == 404


def test_other_methods_and_media_types_are_refused(world: World):
    assert world.client.get(ADVISOR).status == 405
    assert world.client.form(ADVISOR, "a=1").status == 415


# --- a real client ----------------------------------------------------------------------------------------------------


class Sandbox:
    """The client of the CDS Hooks sandbox: signs every call, and has its own idea of an order."""

    BASE = "https://genomics.example"

    def __init__(self, build: Callable[..., World], folder: Path, **settings: Any) -> None:
        keys = write_keys(folder / "keys.json")
        given = {"base_url": self.BASE, "cds_clients": f"{ISSUER} {keys} {JKU}", "cds_auth": "required"} | settings
        self.world = build(**given)

    def token(self, path: str, **changes: Any) -> str:
        return token(self.BASE + path, now=time.time(), **changes)

    def post(self, path: str, body: Any, text: str | None = None) -> Answer:
        return self.world.post(path, body, authorization=f"Bearer {text or self.token(path)}")


@pytest.fixture
def sandbox(build: Callable[..., World], tmp_path: Path) -> Sandbox:
    return Sandbox(build, tmp_path)


ITS_ORDER = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "intent": "order",
    "category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category"}]},
    "medicationCodeableConcept": {
        "text": "clopidogrel 75 MG Oral Tablet",
        "coding": [{"display": "clopidogrel 75 MG Oral Tablet", "system": RXNORM, "code": "309362"}],
    },
    "subject": {"reference": "Patient/PGX001"},
}


def test_the_sandbox_calls_and_gives_feedback(sandbox: Sandbox):
    world = sandbox.world
    world.person(PM)
    discovered = world.client.get("/cds-services", authorization=f"Bearer {sandbox.token('/cds-services')}")
    assert all(one["description"] for one in discovered.json()["services"])
    body = {
        "hookInstance": HOOK,
        "hook": "order-select",
        "fhirServer": "https://launch.smarthealthit.org/v/r4/fhir",
        "context": {
            "userId": "Practitioner/COREPRACTITIONER1",
            "patientId": "PGX001",
            "selections": ["MedicationRequest/request-123"],
            "draftOrders": bundle(ITS_ORDER),
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "PGX001", "birthDate": "1982-09-11"},
            "activeMedications": {"resourceType": "Bundle", "type": "searchset", "total": 0},
        },
    }
    [card] = sandbox.post(ADVISOR, body).json()["cards"]
    first = next(
        action["resource"]["medicationCodeableConcept"]
        for action in card["suggestions"][0]["actions"]
        if action["type"] in {"create", "update"}
    )
    assert first["text"]
    assert first["coding"][0]["code"]

    feedback = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-11-22T10:05:31Z",
    }
    answer = sandbox.post(f"{ADVISOR}/feedback", {"feedback": [feedback]})
    assert (answer.status, answer.json()) == (200, {})
    [entry] = world.kept()
    assert (entry["subject"], entry["drug"], entry["iss"], entry["is_orphan"]) == (
        "PGX001", "clopidogrel", ISSUER, False,
    )  # fmt: skip
    assert entry["suggestions"][0]["label"] == "Replace by Ticagrelor"


def test_a_legacy_client_prescribes(world: World):
    world.person(PM)
    dstu2 = {
        "resourceType": "MedicationOrder",
        "id": "o1",
        "status": "draft",
        "patient": {"reference": "Patient/PGX001"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": 309362}]},
    }
    [card] = world.cards(LEGACY, call("medication-prescribe", dstu2))
    assert card["suggestions"][0]["actions"][0]["resource"]["patient"] == {"reference": "Patient/PGX001"}
    assert card["suggestions"][1]["actions"][0]["resourceId"] == "MedicationOrder/o1"


# --- tokens -----------------------------------------------------------------------------------------------------------


def refused(answer: Answer) -> bool:
    return (answer.status, answer.body, answer.headers["www-authenticate"]) == (
        401, b"", 'Bearer error="invalid_token"',
    )  # fmt: skip


def test_a_token_counts_once(sandbox: Sandbox):
    sandbox.world.person(PM)
    once = sandbox.token(ADVISOR)
    assert sandbox.post(ADVISOR, call("order-sign", CLOPIDOGREL), once).status == 200
    assert refused(sandbox.post(ADVISOR, call("order-sign", CLOPIDOGREL), once))


def test_a_token_of_a_refused_call_counts_too(sandbox: Sandbox):
    once = sandbox.token(ADVISOR)
    assert sandbox.post(ADVISOR, {}, once).status == 400
    assert refused(sandbox.post(ADVISOR, call("order-sign", CLOPIDOGREL), once))


def test_a_token_counts_once_for_all_processes(build: Callable[..., World], tmp_path: Path):
    first, second = Sandbox(build, tmp_path), Sandbox(build, tmp_path)
    once = first.token(ADVISOR)
    assert first.post(ADVISOR, {}, once).status == 400
    assert refused(second.post(ADVISOR, {}, once))


def test_a_refusal_tells_nothing_and_comes_before_anything_else(sandbox: Sandbox):
    for path in (ADVISOR, f"{ADVISOR}/feedback", "/cds-services/other"):
        for text in ("x.y.z", sandbox.token(SUMMARY), sandbox.token(path, number=1), sandbox.token(path, exp=1)):
            assert refused(sandbox.post(path, {}, text))
        assert refused(sandbox.world.post(path, {}))


def test_neither_tokens_nor_people_are_in_the_log(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]):
    sandbox.world.person(PM, subject="canary-subject")
    good, bad = sandbox.token(ADVISOR), sandbox.token("/canary")
    body = call("order-sign", CLOPIDOGREL, patient="canary-patient", fhirServer="https://canary-server.example")
    body["fhirAuthorization"] = {"access_token": "canary-access", "token_type": "Bearer"}
    sandbox.post(ADVISOR, body, good)
    sandbox.post(ADVISOR, body, bad)
    sandbox.post(ADVISOR, call("order-sign", CLOPIDOGREL, patient="canary-subject"))
    written = "".join(capfd.readouterr())
    assert '"reason":"audience"' in written
    assert '"operation":"cds-service"' in written
    for secret in (good, bad, good.split(".")[2], "canary", "Poor", "*2/*2", "lopidogrel"):
        assert secret not in written
    assert "canary" not in sandbox.world.client.get("/metrics").body.decode()


# --- feedback ---------------------------------------------------------------------------------------------------------


def overridden(card: str, **override: Any) -> dict[str, Any]:
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T11:05:31.123+01:00"}
    return {"feedback": [entry | ({"overrideReason": override} if override else {})]}


def test_feedback_with_a_reason_is_kept(world: World):
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    given = overridden(card["uuid"], reason={"code": "previously-tolerated"}, userComment="since 2019")
    assert world.post(f"{ADVISOR}/feedback", given).json() == {}
    assert world.post(f"{ADVISOR}/feedback", given).status == 200  # duplicates are legal
    entries = world.kept()
    assert len(entries) == 2
    assert (entries[0]["reason_code"], entries[0]["comment"]) == ("previously-tolerated", "since 2019")
    assert entries[0]["at"] == "2026-11-22T10:05:31+00:00"


def test_feedback_on_an_unknown_card_is_kept_as_an_orphan(world: World):
    assert world.post(f"{ADVISOR}/feedback", overridden(str(uuid.uuid4()), userComment="x")).status == 200
    [entry] = world.kept()
    assert (entry["is_orphan"], entry["comment"]) == (True, None)


@pytest.mark.parametrize(
    "change",
    [
        {"card": None},
        {"card": 7},
        {"outcome": "ignored"},
        {"outcome": "accepted"},
        {"outcome": "accepted", "acceptedSuggestions": ["a"]},
        {"outcome": "accepted", "acceptedSuggestions": [{}]},
        {"outcomeTimestamp": None},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2026-11-22"},
        {"outcomeTimestamp": "2026-13-45T99:00:00Z"},
    ],
    ids=str,
)
def test_malformed_feedback_is_refused_whole(world: World, change: dict[str, Any]):
    good, bad = overridden("a")["feedback"][0], overridden("b")["feedback"][0] | change
    assert world.post(f"{ADVISOR}/feedback", {"feedback": [good, bad]}).status == 400
    assert world.kept() == []


@pytest.mark.parametrize("given", [{}, {"feedback": []}, {"feedback": {}}, {"feedback": [1]}, {"feedback": [{}] * 101}])
def test_feedback_of_another_form_is_refused(world: World, given: Any):
    assert world.post(f"{ADVISOR}/feedback", given).status == 400


def test_feedback_to_an_unknown_service_is_not_found(world: World):
    assert world.post("/cds-services/other/feedback", overridden("a")).status == 404


def test_an_erased_subject_leaves_no_cards(world: World):
    world.person(PM)
    [card] = world.cards(ADVISOR, call("order-sign", CLOPIDOGREL))
    world.post(f"{ADVISOR}/feedback", overridden(card["uuid"], userComment="about her"))
    bulk.erase_subject(world.database, "PGX001")
    assert world.rows("select 1 from cds_card") == []
    assert world.kept() == []


def test_cards_that_cannot_be_kept_are_shown_all_the_same(world: World):
    world.person(PM)
    with world.database.write() as session:  # another program holds the writer's lock meanwhile
        answer = world.post(ADVISOR, call("order-sign", CLOPIDOGREL))
        assert len(answer.json()["cards"]) == 1
        assert session.run("select count(*) from cds_card") == [(0,)]
    assert len(world.rows("select 1 from cds_card")) == 1


def test_what_could_not_be_written_into_an_answer_again_is_refused(world: World):
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    world.person(IM)
    for strange in (2**63, -(2**63) - 1, deep):
        answer = world.post(ADVISOR, call("order-sign", order(code="32968", extension=strange)))
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert world.cards(ADVISOR, call("order-sign", order(code="32968", extension=2**63 - 1)))
