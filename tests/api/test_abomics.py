"""The Abomics-compatible API: shapes, keys and errors of every endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import from_regex, lists, sampled_from

from app.errors import Busy, Unavailable
from app.operations.pgx_report import SnpResult
from tests.api.client import Answer, Client
from tests.api.conftest import FakeContext
from tests.pgx_desk import ANNA, BERT, CARL, NOBODY, HandmadeDesk

WHO = {"user_id": "jane.doe@examplelab.com", "organization_id": "ExampleLab", "user_agent": "Abomics/ExampleLab 1.0.3"}
AVOID = (
    "Avoid standard dose (75 mg/day) clopidogrel if possible. "
    "Use prasugrel or ticagrelor at standard dose if no contraindication."
)
CITED = {"name": "CPIC", "release": "test-2026", "url": "https://cpicpgx.org/guidelines/clopidogrel/"}
CLOPIDOGREL_SOURCES = [
    {**CITED, "classification": "Strong", "population": "CVI ACS PCI"},
    {**CITED, "classification": "Moderate", "population": "NVI"},
]

Build = Callable[..., tuple[Client, FakeContext]]


@pytest.fixture
def desk(context: FakeContext) -> HandmadeDesk:
    return context.pgx_desk


def get(client: Client, path: str, **headers: str) -> Answer:
    return client.get(f"/abomics{path}", **{**WHO, **headers})


def post(client: Client, path: str, body: Any, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/abomics{path}", data, "application/json", **{**WHO, **headers})


def ordered(answer: Answer) -> str:
    """Return a body as text, so that the order of keys counts."""
    assert answer.status == 200, answer.body
    return answer.body.decode()


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def error(answer: Answer) -> tuple[int, str, str | None]:
    """Return status, message and type of the one error of an answer."""
    assert answer.headers["content-type"] == "application/json"
    [one] = answer.json()["errors"]
    assert set(one) <= {"data", "type"}
    return answer.status, one["data"], one.get("type")


# --- E1 ---------------------------------------------------------------------------------------------------------------


def test_classification_says_whether_genes_matter(client: Client) -> None:
    answer = get(client, "/v2/classification/fi-FI/substance/CLOPIDOGREL")
    assert ordered(answer) == text(
        {"inn": "Clopidogrel", "name": {"language": "fi", "name": "Klopidogreeli"}, "genetic_flag": "D"}
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-language"] == "fi"
    assert answer.headers["operon-knowledge"] == "test-2026"


def test_classification_of_a_drug_without_gene_is_0(client: Client) -> None:
    assert get(client, "/v3/classification/en/inn/ticagrelor").json()["genetic_flag"] == "0"


@pytest.mark.parametrize(
    ("kind", "term"),
    [("tradename", "plavix"), ("vnr", "012345"), ("inn", "clopidogrel"), ("substance", "clopidogrel%20bisulfate")],
)
def test_drugs_are_found_by_every_kind_of_name(client: Client, kind: str, term: str) -> None:
    assert get(client, f"/v2/classification/en-FI/{kind}/{term}").json()["inn"] == "Clopidogrel"


@pytest.mark.parametrize("endpoint", ["classification", "recommendation"])
@pytest.mark.parametrize(
    ("kind", "message", "type_"),
    [
        ("substance", 'No substance found for "a/b".', "NO_SUBSTANCE"),
        ("tradename", 'No trade name found for "a/b".', "NO_TRADENAME"),
        ("inn", 'No INN found for "a/b".', "NO_INN"),
        ("vnr", 'No article number found for "a/b".', "NO_VNR"),
    ],
)
def test_unknown_drug_is_told_by_the_kind_of_name(
    client: Client, endpoint: str, kind: str, message: str, type_: str
) -> None:
    assert error(get(client, f"/v2/{endpoint}/en/{kind}/a%2Fb")) == (404, message, type_)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/classification/en/inn/codeine",
        "/v4/recommendation/en/inn/codeine",
        "/classification/en/inn/codeine",
        "/v2/classification/en/nonsense/codeine",
        "/v2/recommendation/en/nonsense/codeine",
        "/v2/classification/en/inn",
        "/v2/classification/en//codeine",
        "/v2/nothing",
        "/v2",
        "",
        f"/v2/patient/{ANNA}/report/en/xml",
        f"/v2/patient/{ANNA}/report_summary/nurse/en",
        f"/v2/patient/{ANNA}/recommendation/en/vnr/012345",
    ],
)
def test_what_is_not_served_is_an_error_without_type(client: Client, path: str) -> None:
    assert error(get(client, path)) == (404, "Nothing is served at this path", None)


# --- E2 ---------------------------------------------------------------------------------------------------------------


def test_recommendation_lists_every_phenotype_most_severe_first(client: Client) -> None:
    answer = get(client, "/v2/recommendation/en-GB/substance/clopidogrel")
    body = answer.json()
    assert list(body) == ["inn", "active_ingredient_ids", "name", "atc_codes", "recommendations"]
    assert body["active_ingredient_ids"] == [{"type": "rxnorm", "id": 32968}]
    assert body["atc_codes"] == ["B01AC04"]
    [(gene, rows)] = body["recommendations"].items()
    assert gene == "CYP2C19"
    assert [(row["phenotype_code"], row["phenotype_name"], row["recom_grade"]) for row in rows] == [
        ("PM", "PM Poor Metabolizer", "D"),
        ("IM", "IM Intermediate Metabolizer", "D"),
        ("NM", "NM Normal Metabolizer", rows[2]["recom_grade"]),
        ("RM", "RM Rapid Metabolizer", rows[3]["recom_grade"]),
        ("UM", "UM Ultrarapid Metabolizer", rows[4]["recom_grade"]),
    ]
    assert text(rows[0]) == text(
        {
            "phenotype_code": "PM",
            "phenotype_name": "PM Poor Metabolizer",
            "recom_grade": "D",
            "text": {"language": "en", "text": AVOID},
            "sources": CLOPIDOGREL_SOURCES,
        }
    )
    assert answer.headers["operon-knowledge"] == "test-2026; CPIC"


def test_texts_that_differ_between_populations_say_whom_they_are_for(client: Client) -> None:
    rows = get(client, "/v2/recommendation/en/inn/clopidogrel").json()["recommendations"]["CYP2C19"]
    assert rows[1]["text"]["text"] == f"CPIC (CVI ACS PCI): {AVOID}\n\nCPIC (NVI): No recommendation."


def test_scores_of_one_phenotype_are_told_apart(client: Client) -> None:
    rows = get(client, "/v2/recommendation/en/inn/fluorouracil").json()["recommendations"]["DPYD"]
    assert [(row["phenotype_code"], row["activity_score"], row["recom_grade"]) for row in rows] == [
        ("PM", 0.0, "D"),
        ("PM", 0.5, "D"),
        ("IM", 1.0, "C"),
        ("IM", 1.5, "C"),
        ("NM", 2.0, "A"),
    ]


def test_genes_that_are_looked_at_together_are_each_listed(client: Client) -> None:
    genes = get(client, "/v2/recommendation/en/inn/mercaptopurine").json()["recommendations"]
    assert list(genes) == ["NUDT15", "TPMT"]
    assert "TPMT status is unknown" in genes["NUDT15"][0]["text"]["text"]


def test_a_result_of_another_gene_that_is_supposed_is_told(client: Client) -> None:
    genes = get(client, "/v2/recommendation/en/inn/carbamazepine").json()["recommendations"]
    [positive] = [row for row in genes["HLA-A"] if row["phenotype_code"] == "POS"]
    assert positive["text"]["text"].startswith("CPIC (CBZ naive, HLA-B *15:02 negative): ")


def test_drug_without_genes_has_no_recommendations(client: Client) -> None:
    assert get(client, "/v2/recommendation/en/inn/ticagrelor").json()["recommendations"] == {}


# --- E3 ---------------------------------------------------------------------------------------------------------------


def test_report_has_the_keys_of_the_original(client: Client, desk: HandmadeDesk) -> None:
    desk.submitted = [SnpResult("rs16947", "A/G", "ABC1234", "CYP2D6"), SnpResult("rs1", "A/A", "", "TPMT")]
    body = get(client, f"/v2/patient/{ANNA}/report/en-GB/json").json()
    assert list(body) == ["summary", "drugs", "results", "recommendations", "snp_data"]
    assert text(body["summary"]) == text(
        {
            "test_date": "2024-01-01",
            "sample_id": "12345_A",
            "birthday": "1982-09-11",
            "gender": "F",
            "significant_drugs": 2,
            "significant_genes": ["CYP2C19", "TPMT"],
            "genes": 3,
        }
    )
    assert text(body["drugs"][0]) == text(
        {"inn": "Clopidogrel", "name": {"language": "en", "name": "Clopidogrel"}, "genetic_flag": "D"}
    )
    assert text(body["results"][0]) == text(
        {
            "gene": "CYP2C19",
            "genotype": "*2/*2",
            "phenotype": "PM",
            "phenotype_name": "Poor Metabolizer",
            "description": "CYP2C19 is a liver enzyme that activates or breaks down many drugs.",
            "snp_count": {"analyzed": 0, "total": 0},
        }
    )
    assert body["snp_data"][0] == {"rs": "rs16947", "genotype": "A/G", "assay": "ABC1234", "gene": "CYP2D6"}
    clopidogrel = next(one for one in body["recommendations"] if one["inn"] == "Clopidogrel")
    assert text(clopidogrel) == text(
        {
            "inn": "Clopidogrel",
            "name": {"language": "en", "name": "Clopidogrel"},
            "genes": {
                "CYP2C19": [
                    {
                        "phenotype_code": "PM",
                        "phenotype_name": "PM Poor Metabolizer",
                        "activity_score": None,
                        "recom_grade": "D",
                        "text": {"language": "en", "text": AVOID},
                        "sources": CLOPIDOGREL_SOURCES,
                    }
                ]
            },
        }
    )


def test_gene_without_result_is_reported_as_unknown_with_the_reason(client: Client) -> None:
    body = get(client, f"/v2/patient/{ANNA}/report/en/json").json()
    [unclear] = [one for one in body["results"] if one["gene"] == "CYP2D6"]
    assert (unclear["genotype"], unclear["phenotype"], unclear["phenotype_name"]) == ("", "NA", "Unknown Metabolizer")
    assert unclear["description"] == "no diplotype fits. Copy number was not assessed."
    assert unclear["snp_count"] == {"analyzed": 1, "total": 3}
    assert "Codeine" not in [one["inn"] for one in body["drugs"]]
    [codeine] = [one for one in body["recommendations"] if one["inn"] == "Codeine"]
    [advice] = codeine["genes"]["CYP2D6"]
    assert (advice["recom_grade"], advice["text"]["text"]) == ("NA", "There is no usable result of CYP2D6.")
    assert advice["sources"] == []


def test_gene_that_was_not_tested_is_no_result(client: Client) -> None:
    body = get(client, f"/v2/patient/{ANNA}/report/en/json").json()
    assert "SLCO1B1" not in [one["gene"] for one in body["results"]]
    assert "Simvastatin" not in [one["inn"] for one in (*body["drugs"], *body["recommendations"])]


def test_what_is_not_known_is_left_out_of_the_summary(client: Client) -> None:
    summary = get(client, f"/v2/patient/{BERT}/report/en/json").json()["summary"]
    assert (summary["gender"], summary["sample_id"], "birthday" in summary) == ("O", "T1", False)


def test_report_of_a_person_without_tests_says_nothing(client: Client) -> None:
    body = get(client, f"/v2/patient/{NOBODY}/report/en/json").json()
    assert body == {
        "summary": {
            "sample_id": NOBODY,
            "gender": "O",
            "significant_drugs": 0,
            "significant_genes": [],
            "genes": 0,
        },
        "drugs": [],
        "results": [],
        "recommendations": [],
        "snp_data": [],
    }


def test_version_3_adds_where_the_report_can_be_read(client: Client, desk: HandmadeDesk) -> None:
    summary = get(client, f"/v3/patient/{ANNA}/report/fi/json").json()["summary"]
    assert list(summary)[-2:] == ["url", "pin_code"]
    assert (summary["url"], summary["pin_code"]) == ("http://testserver/report/a-token", "0123")
    get(client, f"/v2/patient/{ANNA}/report/fi/json")
    assert desk.logins == [(ANNA, "doctor", "fi")]


def test_report_as_pdf(client: Client, desk: HandmadeDesk) -> None:
    answer = get(client, f"/v2/patient/{ANNA}/report/fi/pdf")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.body.startswith(b"%PDF-1.")
    assert answer.headers["content-disposition"] == 'inline; filename="pgx_12345_A.pdf"'
    assert answer.headers["operon-knowledge"] == "test-2026; CPIC"
    desk.people[ANNA] = replace(desk.people[ANNA], subject_id='"; x\r\n/é', results={})
    assert get(client, f"/v2/patient/{ANNA}/report/fi/pdf").headers["content-disposition"].endswith('pgx____x____.pdf"')


def test_settings_shape_the_report(build: Build) -> None:
    client, context = build(abomics_snp_data_mode="object", abomics_sources=False, abomics_test_provider="Example Lab")
    context.pgx_desk.submitted = [SnpResult("rs16947", "A/G", "ABC1234", "CYP2D6")]
    answer = get(client, f"/v2/patient/{ANNA}/report/en/json")
    body = answer.json()
    assert body["snp_data"] == {"rs": "rs16947", "genotype": "A/G", "assay": "ABC1234", "gene": "CYP2D6"}
    assert list(body["summary"])[:3] == ["test_date", "sample_id", "test_provider"]
    assert b"sources" not in answer.body
    assert answer.headers["operon-knowledge"] == "test-2026; CPIC"


# --- E4 ---------------------------------------------------------------------------------------------------------------


def test_report_summary_says_where_the_report_is(client: Client, desk: HandmadeDesk) -> None:
    answer = get(client, f"/v2/patient/{ANNA}/report_summary/patient/en")
    assert ordered(answer) == text(
        {
            "summary": "Detailed drug-specific recommendations shall be read from http://testserver/report/a-token\n"
            "PIN code to open the report: 0123.",
            "login_url": "http://testserver/report/a-token",
            "pin_code": "0123",
        }
    )
    assert answer.headers["content-language"] == "en"
    assert answer.headers["cache-control"] == "no-store"
    assert desk.logins == [(ANNA, "patient", "en")]


# --- E5 ---------------------------------------------------------------------------------------------------------------


def test_patient_recommendation_by_gene(client: Client) -> None:
    answer = get(client, f"/v2/patient/{ANNA}/recommendation/en/substance/clopidogrel")
    assert ordered(answer) == text(
        {
            "CYP2C19": {
                "recom_grade": "D",
                "text": {"language": "en", "text": AVOID},
                "sources": CLOPIDOGREL_SOURCES,
            }
        }
    )


@pytest.mark.parametrize("query", ["detail=gene", "details=GENE", "details=default&detail=gene"])
def test_gene_detail_under_both_names(client: Client, query: str) -> None:
    body = get(client, f"/v2/patient/{BERT.replace('+', '%2B')}/recommendation/en/inn/codeine?{query}").json()
    assert text(body) == text(
        {
            "CYP2D6": {
                "recom_grade": "A",
                "test_date": "2024-01-01",
                "phenotype_code": "NM",
                "phenotype_name": "NM Normal Metabolizer",
                "activity_score": 2.0,
                "text": {"language": "en", "text": "Use codeine label recommended age- or weight-specific dosing."},
                "gene_text": {"language": "en", "text": ""},
                "sources": [
                    {
                        "name": "CPIC",
                        "release": "test-2026",
                        "url": "https://cpicpgx.org/guidelines/codeine/",
                        "classification": "Strong",
                    }
                ],
            }
        }
    )


@pytest.mark.parametrize("query", ["", "?detail=default", "?detail=nonsense", "?detail=default&details=gene"])
def test_anything_else_is_the_default_detail(client: Client, query: str) -> None:
    body = get(client, f"/v2/patient/{ANNA}/recommendation/en/inn/clopidogrel{query}").json()
    assert list(body["CYP2C19"]) == ["recom_grade", "text", "sources"]


def test_drug_of_which_no_gene_was_tested_has_no_answer(client: Client) -> None:
    answer = get(client, f"/v2/patient/{ANNA}/recommendation/fi/inn/simvastatin")
    assert (answer.status, answer.body, answer.headers["content-language"]) == (200, b"{}", "fi")
    assert get(client, f"/v2/patient/{ANNA}/recommendation/en/inn/ticagrelor").body == b"{}"
    assert get(client, f"/v2/patient/{NOBODY}/recommendation/en/inn/clopidogrel").body == b"{}"


def test_untested_gene_of_a_pair_is_not_normal(client: Client) -> None:
    body = get(client, f"/v2/patient/{ANNA}/recommendation/en/inn/mercaptopurine?detail=gene").json()
    assert (body["TPMT"]["recom_grade"], body["TPMT"]["phenotype_code"]) == ("C", "IM")
    assert body["NUDT15"] == {
        "recom_grade": "NA",
        "phenotype_code": "NA",
        "phenotype_name": "NA Unknown Metabolizer",
        "activity_score": None,
        "text": {"language": "en", "text": "NUDT15 has not been tested."},
        "gene_text": {"language": "en", "text": ""},
        "sources": [],
    }


def test_results_of_two_genes_are_looked_up_together(client: Client) -> None:
    body = get(client, f"/v2/patient/{BERT}/recommendation/en/inn/mercaptopurine").json()
    assert {gene: one["recom_grade"] for gene, one in body.items()} == {"NUDT15": "A", "TPMT": "A"}
    assert body["NUDT15"]["text"] == body["TPMT"]["text"]


def test_language_is_the_one_that_is_delivered(client: Client) -> None:
    answer = get(client, f"/v2/patient/{ANNA}/recommendation/fi-FI/inn/mercaptopurine", accept_language="de")
    assert answer.json()["TPMT"]["text"]["language"] == "en"
    assert answer.json()["NUDT15"]["text"]["language"] == "fi"
    assert answer.headers["content-language"] == "en, fi"
    unknown = get(client, f"/v2/patient/{ANNA}/recommendation/xx/inn/mercaptopurine", accept_language="de, fi;q=0.5")
    assert unknown.json()["NUDT15"]["text"]["language"] == "de"


# --- E6 ---------------------------------------------------------------------------------------------------------------

MULTI = f"/v2/patient/{ANNA}/recommendation/en/multi-substance"


@pytest.mark.parametrize("slash", ["", "/"])
def test_substances_are_grouped_by_gene_and_grade(client: Client, slash: str) -> None:
    terms = ["Codeine", "CLOPIDOGREL", "mercaptopurine", "ticagrelor", "simvastatin", "CLOPIDOGREL"]
    answer = post(client, MULTI + slash, {"terms": terms})
    assert [(one["gene"], one["recom_grade"], one["affected_substances"]) for one in answer.json()] == [
        ("CYP2D6", "NA", ["Codeine"]),
        ("CYP2C19", "D", ["CLOPIDOGREL"]),
        ("TPMT", "C", ["mercaptopurine"]),
        ("NUDT15", "NA", ["mercaptopurine"]),
    ]
    assert list(answer.json()[1]) == ["gene", "recom_grade", "affected_substances", "text", "sources"]


def test_gene_variant_spells_the_substances_in_both_ways(client: Client) -> None:
    [one] = post(client, f"{MULTI}/?details=gene", {"terms": ["clopidogrel"]}).json()
    assert list(one) == [
        "gene",
        "recom_grade",
        "test_date",
        "phenotype_code",
        "phenotype_name",
        "activity_score",
        "affected substances",
        "affected_substances",
        "text",
        "gene_text",
        "sources",
    ]
    assert one["affected substances"] == one["affected_substances"] == ["clopidogrel"]


def test_texts_that_differ_within_a_group_name_their_substance(client: Client) -> None:
    [one] = post(client, MULTI, {"terms": ["Clopidogrel", "clopidogrel bisulfate"]}).json()
    assert one["affected_substances"] == ["Clopidogrel", "clopidogrel bisulfate"]
    assert one["text"]["text"] == AVOID

    url = f"/v2/patient/{BERT}/recommendation/en/multi-substance"
    groups = post(client, url, {"terms": ["codeine", "mercaptopurine"]}).json()
    assert [one["gene"] for one in groups] == ["CYP2D6", "NUDT15", "TPMT"]


def test_no_terms_are_no_groups(client: Client) -> None:
    assert post(client, MULTI, {"terms": []}).body == b"[]"


def test_every_unknown_substance_is_named(client: Client) -> None:
    answer = post(client, MULTI, {"terms": ["ipubrofen", "clopidogrel", "coneide"]})
    assert error(answer) == (404, 'No substance(s) found for "ipubrofen", "coneide".', "NO_SUBSTANCE")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"terms": [], "terms": ["x"]}', "twice"),
        (["codeine"], "object"),
        ({}, "this field is required"),
        ({"terms": "codeine"}, "list"),
        ({"terms": [1]}, "list"),
        ({"terms": [""]}, "list"),
        ({"terms": ["codeine"] * 101}, "At most 100"),
    ],
)
def test_bad_bodies_are_validation_errors(client: Client, body: Any, message: str) -> None:
    answer = post(client, MULTI, body)
    assert answer.status == 400
    [problem] = answer.json()["validation_error"]
    assert problem["name"] == "terms"
    assert message in problem["error_message"]


# --- errors of everything about a patient -----------------------------------------------------------------------------

PATIENT_PATHS = [
    "/v2/patient/{}/report/en/json",
    "/v3/patient/{}/report/en/json",
    "/v2/patient/{}/report/en/pdf",
    "/v2/patient/{}/report_summary/doctor/en",
    "/v2/patient/{}/recommendation/en/substance/nonsense",
    "/v2/patient/{}/recommendation/en/tradename/nonsense",
    "/v2/patient/{}/recommendation/en/inn/nonsense",
    "/v2/patient/{}/recommendation/en/multi-substance",
]


def ask(client: Client, path: str, **headers: str) -> Answer:
    if path.endswith("multi-substance"):
        return post(client, path, {"terms": ["nonsense"]}, **headers)
    return get(client, path, **headers)


@pytest.mark.parametrize("path", PATIENT_PATHS)
def test_unknown_patient_comes_before_everything(client: Client, path: str) -> None:
    expected = (404, 'Patient with ID "171081+9419" not found.', "NO_PATIENT")
    assert error(ask(client, path.format("171081+9419"))) == expected


@pytest.mark.parametrize("path", PATIENT_PATHS)
def test_results_that_are_not_ready_come_before_the_drug(client: Client, path: str) -> None:
    expected = (404, f'Test results for patient "{CARL}" are not ready.', "NOT_READY")
    assert error(ask(client, path.format(CARL))) == expected


@pytest.mark.parametrize(
    ("kind", "message", "type_"),
    [
        ("substance", 'No substance found for "x".', "NO_SUBSTANCE"),
        ("tradename", 'No trade name found for "x".', "NO_TRADENAME"),
        ("inn", 'No INN found for "x".', "NO_INN"),
    ],
)
def test_unknown_drug_of_a_patient(client: Client, kind: str, message: str, type_: str) -> None:
    assert error(get(client, f"/v2/patient/{ANNA}/recommendation/en/{kind}/x")) == (404, message, type_)


@pytest.mark.parametrize("path", PATIENT_PATHS)
@pytest.mark.parametrize("name", ["User-Id", "Organization-Id"])
def test_who_asks_about_a_patient_has_to_be_told(client: Client, path: str, name: str) -> None:
    answer = ask(client, path.format(ANNA), **{name.lower().replace("-", "_"): " "})
    assert error(answer) == (400, f"Missing required header: {name}", "MISSING_HEADER")


def test_who_asks_about_drugs_need_not_be_told(client: Client) -> None:
    assert client.get("/abomics/v2/classification/en/inn/codeine").status == 200


def test_settings_decide_who_has_to_be_told(build: Build) -> None:
    strict, _ = build(abomics_require_user_headers="all")
    assert error(strict.get("/abomics/v2/classification/en/inn/codeine"))[2] == "MISSING_HEADER"
    lenient, _ = build(abomics_require_user_headers="off")
    assert lenient.get(f"/abomics/v2/patient/{ANNA}/report/en/json").status == 200


# --- methods, limits, failures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2/classification/en/inn/codeine", "GET, HEAD, OPTIONS"),
        ("DELETE", f"/v2/patient/{ANNA}/report/en/json", "GET, HEAD, OPTIONS"),
        ("GET", MULTI, "OPTIONS, POST"),
        ("GET", MULTI + "/", "OPTIONS, POST"),
        ("HEAD", MULTI, "OPTIONS, POST"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_not(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, f"/abomics{path}", headers=WHO)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert error(answer) == (405, f"Methods of this path: {allowed}", None)


def test_head_and_options(client: Client) -> None:
    path = f"/abomics/v2/patient/{ANNA}/report/en/json"
    whole, head = client.get(path, **WHO), client.head(path, **WHO)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(whole.body)))
    options = client.options(path)
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_limits_answer_in_the_words_of_this_api(build: Build) -> None:
    client, _ = build(max_body_bytes=1024, max_url_bytes=512)
    assert error(post(client, MULTI, {"terms": ["x" * 2000]}))[0] == 413
    assert error(get(client, f"/v2/classification/en/inn/{'x' * 600}"))[0] == 414
    assert error(get(client, "/v2/classification/en/inn/%FF")) == (400, "The path is not percent-encoded UTF-8", None)


PIECES = [
    "",
    "v2",
    "v3",
    "patient",
    ANNA,
    "report",
    "recommendation",
    "en",
    "json",
    "inn",
    "codeine",
    "%",
    "%00",
    "%C3",
    "..",
    "é",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=lists(sampled_from(PIECES) | from_regex(r"[!-~]{0,8}", fullmatch=True), max_size=8))
def test_any_path_gets_an_answer_in_the_words_of_this_api(client: Client, steps: list[str]) -> None:
    path = "/".join(step.replace("?", "") for step in steps)
    answer = client.get(f"/abomics/{path}", **WHO)
    assert answer.status in {200, 400, 404, 405}, path
    if answer.status != 200:
        error(answer)


def test_failures_answer_in_the_words_of_this_api(
    client: Client, desk: HandmadeDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"/v2/patient/{ANNA}/report/en/json"
    desk.failure = RuntimeError(ANNA)
    status, message, type_ = error(get(client, path, x_request_id="req-7"))
    assert (status, type_) == (500, None)
    assert message == "Unexpected error; quote request id req-7 to the operator"
    desk.failure = Unavailable("The store is away")
    answer = get(client, path)
    assert error(answer) == (503, "The store is away", None)
    assert answer.headers["retry-after"] == "5"
    desk.failure, desk.release = None, None
    assert error(get(client, path))[0] == 503
    assert ANNA not in capsys.readouterr().err


def test_nothing_of_a_patient_is_logged(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    get(client, f"/v2/patient/{ANNA}/recommendation/en/inn/clopidogrel")
    logged = capsys.readouterr().err
    assert ANNA not in logged
    assert "clopidogrel" not in logged
    assert '"route":"/abomics/{version}/patient/{id}/recommendation/{locale}/{type}/{term}"' in logged


# --- prefix -----------------------------------------------------------------------------------------------------------


def test_prefix_is_a_setting(build: Build) -> None:
    client, _ = build(abomics_prefix="/pgx/api/")
    assert client.get("/pgx/api/v2/classification/en/inn/codeine").status == 200
    assert error(client.get("/pgx/api/v2/nothing"))[0] == 404
    assert client.get("/abomics/v2/classification/en/inn/codeine").json()["title"] == "Not Found"


def test_served_at_the_root(build: Build) -> None:
    client, context = build(abomics_prefix="")
    assert client.get("/v2/classification/en/inn/codeine").status == 200
    assert error(client.get("/v1/classification/en/inn/codeine"))[0] == 404
    assert client.get("/fhir/metadata").status == 200
    assert client.get("/livez").status == 200
    assert [one.status for one in context.pgx_desk.recorded] == [200, 404]


def test_served_below_a_mount_point(client: Client) -> None:
    answer = client.request("GET", "/mount/abomics/v2/classification/en/inn/codeine", root_path="/mount")
    assert answer.status == 200


# --- audit ------------------------------------------------------------------------------------------------------------


def test_every_request_is_recorded(client: Client, desk: HandmadeDesk) -> None:
    get(client, f"/v2/patient/{ANNA}/report/en/json", x_request_id="req-1")
    [row] = desk.recorded
    assert (row.request_id, row.method, row.path, row.status) == (
        "req-1",
        "GET",
        "/abomics/{version}/patient/{id}/report/{locale}/{type}",
        200,
    )
    assert (row.user_id, row.organization_id) == ("jane.doe@examplelab.com", "ExampleLab")
    assert (row.client, row.client_version, row.certificate) == ("ExampleLab", "1.0.3", None)
    assert (row.patient, row.error_type) == (ANNA, None)
    assert row.at.endswith("+00:00")


def test_refused_requests_are_recorded_too(build: Build) -> None:
    client, context = build(max_body_bytes=1024)
    get(client, "/v2/patient/nobody/report/en/json")
    get(client, "/v2/nothing")
    client.get(f"/abomics/v2/patient/{ANNA}/report/en/json", user_agent="curl/8")
    post(client, MULTI, {"terms": 1})
    post(client, MULTI, {"terms": ["x" * 2000]})
    client.request("BREW", "/abomics/v2/classification/en/inn/codeine")
    context.pgx_desk.failure = RuntimeError("canary")
    get(client, f"/v2/patient/{ANNA}/report/en/json")
    rows = context.pgx_desk.recorded
    assert [(row.status, row.error_type) for row in rows] == [
        (404, "NO_PATIENT"),
        (404, None),
        (400, "MISSING_HEADER"),
        (400, "validation_error"),
        (413, None),
        (405, None),
        (500, None),
    ]
    assert (rows[1].path, rows[1].patient, rows[0].patient) == ("-", None, "nobody")
    assert (rows[2].client, rows[2].client_version, rows[2].user_id) == ("curl/8", None, None)
    assert rows[5].method == "other"


@pytest.mark.parametrize("failure", [Busy("locked"), RuntimeError("canary")])
def test_what_cannot_be_recorded_is_not_answered(
    client: Client, desk: HandmadeDesk, failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.cannot_record = failure
    answer = get(client, f"/v2/patient/{ANNA}/report/en/json")
    assert error(answer) == (503, "The request could not be recorded, and was not answered therefore", None)
    assert b"CYP2C19" not in answer.body
    assert '"event":"audit"' in capsys.readouterr().err


def test_requests_to_other_apis_are_not_recorded(client: Client, desk: HandmadeDesk) -> None:
    client.get("/fhir/metadata")
    client.get("/abomicsx")
    assert desk.recorded == []


# --- certificates behind a proxy --------------------------------------------------------------------------------------

PROVEN = {"x_ssl_client_verify": "SUCCESS", "x_ssl_client_s_dn": "CN=Example Lab,O=Lab,C=FI"}
DRUG = "/abomics/v2/classification/en/inn/codeine"


@pytest.fixture
def behind_proxy(build: Build) -> tuple[Client, FakeContext]:
    return build(abomics_client_cert="proxy", abomics_clients="Other, Example Lab", trusted_proxies="127.0.0.0/8")


def test_listed_certificate_is_let_in_and_recorded(behind_proxy: tuple[Client, FakeContext]) -> None:
    client, context = behind_proxy
    assert client.get(DRUG, **PROVEN).status == 200
    assert context.pgx_desk.recorded[0].certificate == "Example Lab"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**PROVEN, "x_ssl_client_verify": "FAILED:expired"},
        {**PROVEN, "x_ssl_client_verify": "NONE"},
        {**PROVEN, "x_ssl_client_s_dn": ""},
        {**PROVEN, "x_ssl_client_s_dn": "O=Lab"},
        {**PROVEN, "x_ssl_client_s_dn": "CN=Other,CN=Example Lab"},
        {**PROVEN, "x_ssl_client_s_dn": "/O=x/CN=Example Lab"},
    ],
)
def test_without_proof_nobody_is_let_in(behind_proxy: tuple[Client, FakeContext], headers: dict[str, str]) -> None:
    client, context = behind_proxy
    assert error(client.get(DRUG, **headers)) == (401, "A valid client certificate is required", None)
    assert [row.status for row in context.pgx_desk.recorded] == [401]


@pytest.mark.parametrize("subject", ["CN=Stranger", "O=Example Lab,CN=Stranger", "CN=Example Lab\\,O=x"])
def test_certificate_that_is_not_listed_is_refused(behind_proxy: tuple[Client, FakeContext], subject: str) -> None:
    client, context = behind_proxy
    answer = client.get(DRUG, **{**PROVEN, "x_ssl_client_s_dn": subject})
    assert error(answer) == (403, "This client certificate is not allowed here", None)
    assert context.pgx_desk.recorded[0].status == 403


def test_headers_of_anybody_else_are_ignored(build: Build) -> None:
    client, _ = build(abomics_client_cert="proxy", abomics_clients="Example Lab", trusted_proxies="10.0.0.1")
    assert client.get(DRUG, **PROVEN).status == 401
    off, context = build()
    assert off.get(DRUG, **PROVEN).status == 200
    assert context.pgx_desk.recorded[0].certificate is None


def test_other_apis_need_no_certificate_behind_a_proxy(behind_proxy: tuple[Client, FakeContext]) -> None:
    assert behind_proxy[0].get("/fhir/metadata").status == 200
