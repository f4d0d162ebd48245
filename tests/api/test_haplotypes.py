"""The operations on haplotypes over HTTP: forms of request, dialects, filters, counts and errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.fhir.genotype import GENOTYPE_ID
from app.fhir.validate import problems
from app.main import create_app
from app.operations.haplotypes import read_genotype
from app.store.session import Database
from bench.statements import counted
from tests.answers import item, parts
from tests.api.client import Answer, Client
from tests.genotype_files import IMGT, PHARMVAR, hla, line
from tests.small_store import SmallStore, migrated
from tests.vcf_files import vcf

REF_SUBJECT = "/subject-operations/genotype-operations/"
REF_POPULATION = "/population-operations/genotype-operations/"
GENES = "find-subject-haplotypes"
SPECIFIC = "find-subject-specific-haplotypes"
POPULATION = "find-population-specific-haplotypes"
GL = "hla#3.33.0#HLA-A*01:01+HLA-A*02:01"
CHOICE = "hla#3.33.0#HLA-B*08:01/HLA-B*40:01"


class Served:
    """A store with genotypes of four subjects, and a client of the application over it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.store = SmallStore(database, folder)
        self.client = Client(create_app(self.store.settings, self.store.context))
        self.store.ingest(vcf("chr1 100 . A G 50 PASS . GT 0/1"), "P1", test="T1", test_date="2024-02-03")
        self.store.ingest(vcf("chr1 100 . A G 50 PASS . GT 0/1"), "P0", test="T0")
        listed = "CYP2C19 *1 ; CYP2C19 *17"
        self.store.genotypes(
            line("P1", specimen_id="SP1", haplotypes=listed, genotype_system="https://www.pharmvar.org"),
            line("P1", "CYP2D6 *1/*41", gene_id="HGNC:2625", gene_symbol="CYP2D6", test_id="T2"),
            hla("P1", GL, "HLA-A*01:01", "HLA-A*02:01", locus="A", haplotypes="HLA-A*01:01 ; HLA-A*02:01"),
            line("P2", "CYP2C19 *17/*1", source_class="germline"),
            hla("P2", CHOICE, "HLA-B*08:01", "HLA-B*40:01"),
            line("P3", source_class="somatic", haplotypes=listed),
            hla("P3", "DRB1*13:AKBAR", "DRB1*13:01", "DRB1*13:02", locus="DRB1", system=IMGT),
        )

    def ask(self, operation: str, *inputs: tuple[str, str], base: str = "/fhir/") -> list[dict[str, Any]]:
        query = "&".join(f"{name}={quote(value)}" for name, value in inputs)
        answer = self.client.get(f"{base}${operation}?{query}")
        assert answer.status == 200, answer.body
        assert problems(answer.json()) == []
        found: list[dict[str, Any]] = answer.json().get("parameter", [])
        assert all(entry["name"] in ("haplotypes", "variants") for entry in found)
        return found

    def has(self, subject: str, *tokens: str, **inputs: str) -> list[bool]:
        question = [("subject", subject), ("haplotypes", ",".join(tokens)), *inputs.items()]
        found = self.ask(SPECIFIC, *question)
        assert all(bool(parts(entry, "genotype")) is parts(entry, "presence")[0]["valueBoolean"] for entry in found)
        return [parts(entry, "presence")[0]["valueBoolean"] for entry in found]

    def who(self, *groups: str, **inputs: str) -> list[tuple[str, int, int, list[str]]]:
        question = [*(("haplotypes", group) for group in groups), ("includePatientList", "true"), *inputs.items()]
        return [taken(entry) for entry in self.ask(POPULATION, *question)]


def taken(entry: dict[str, Any], name: str = "haplotypeItem") -> tuple[str, int, int, list[str]]:
    numerator, denominator = (parts(entry, one)[0]["valueQuantity"] for one in ("numerator", "denominator"))
    subjects = [part["valueString"] for part in parts(entry, "subject")]
    assert numerator.keys() == denominator.keys() == {"value"}
    return item(entry, name), numerator["value"], denominator["value"], subjects


def codes(entry: dict[str, Any], name: str = "genotype") -> list[str]:
    return [part["resource"]["valueCodeableConcept"]["coding"][0]["code"] for part in parts(entry, name)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("store")
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        opened = Served(database, folder)
        yield opened
        opened.client.close()


# --- by gene ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gene", "found"),
    [
        ("http://www.genenames.org|HGNC:2621", ["CYP2C19 *1/*17"]),
        ("https://genenames.org/geneId|HGNC:2621", ["CYP2C19 *1/*17"]),
        ("http://www.genenames.org|2621", ["CYP2C19 *1/*17"]),
        ("HGNC:2621", ["CYP2C19 *1/*17"]),
        ("hgnc:2625", ["CYP2D6 *1/*41"]),
        ("cyp2c19", ["CYP2C19 *1/*17"]),
        ("CYP2", ["CYP2D6 *1/*41", "CYP2C19 *1/*17"]),
        ("HLA-A", [GL]),
        ("HGNC:262", []),
        ("2621", []),
        ("http://www.genenames.org|hgnc:2621", []),
        ("http://example.org|HGNC:2621", []),
        ("HLA-B", []),
    ],
)
def test_genotypes_of_a_gene(served: Served, gene: str, found: list[str]) -> None:
    [entry] = served.ask(GENES, ("subject", "P1"), ("genes", gene))
    assert item(entry, "geneItem") == gene
    assert parts(entry, "presence") == []
    assert codes(entry) == found


def test_genes_are_answered_one_by_one_in_order(served: Served) -> None:
    found = served.ask(GENES, ("subject", "P1"), ("genes", "HLA-A, CYP2D6,HLA-A"))
    assert [item(entry, "geneItem") for entry in found] == ["HLA-A", "CYP2D6", "HLA-A"]
    assert found[0] == found[2]


def test_haplotypes_come_before_the_genotype_that_is_made_of_them(served: Served) -> None:
    [entry] = served.ask(GENES, ("subject", "P1"), ("genes", "CYP2C19"))
    assert [part["name"] for part in entry["part"]] == ["geneItem", "haplotype", "haplotype", "genotype"]
    resources = [part["resource"] for part in entry["part"][1:]]
    assert [one["valueCodeableConcept"]["coding"][0] for one in resources[:2]] == [
        {"system": PHARMVAR, "code": name, "display": name} for name in ("CYP2C19 *1", "CYP2C19 *17")
    ]
    assert resources[2]["derivedFrom"] == [{"reference": f"Observation/{one['id']}"} for one in resources[:2]]
    assert resources[2]["valueCodeableConcept"]["coding"][0]["system"] == PHARMVAR
    assert {one["effectiveDateTime"] for one in resources} == {"2024-02-03"}


def test_alleles_of_a_typing_that_leaves_a_choice_are_no_haplotypes(served: Served) -> None:
    for subject, gene in (("P2", "HLA-B"), ("P3", "HLA-DRB1")):
        [entry] = served.ask(GENES, ("subject", subject), ("genes", gene))
        assert [part["name"] for part in entry["part"]] == ["geneItem", "genotype"]
    [entry] = served.ask(GENES, ("subject", "P1"), ("genes", "HLA-A"))
    assert codes(entry, "haplotype") == ["HLA-A*01:01", "HLA-A*02:01"]
    assert parts(entry, "haplotype")[0]["resource"]["valueCodeableConcept"]["coding"][0]["system"] == IMGT


# --- by name ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "token", "present"),
    [
        ("P1", "CYP2C19 *17/*1", True),
        ("P2", "CYP2C19_*1/*17", True),
        ("P1", "CYP2D6 *1/*4", False),
        ("P1", "CYP2D6 *1/*41", True),
        ("P1", "CYP2C19", True),
        ("P1", f"{PHARMVAR}|CYP2C19 *1/*17", True),
        ("P1", "https://www.pharmvar.org|CYP2C19 *1/*17", True),
        ("P1", f"{PHARMVAR}|CYP2C19 *17", True),
        ("P2", f"{PHARMVAR}|CYP2C19 *17", False),
        ("P1", f"{PHARMVAR}|cyp2c19 *1/*17", False),
        ("P1", f"{PHARMVAR}|CYP2C19 *17/*1", False),
        ("P1", f"{PHARMVAR}|CYP2C19", False),
        ("P1", "http://example.org|CYP2C19 *1/*17", False),
        ("P1", "|CYP2C19 *1/*17", True),
        ("P1", GL, True),
        ("P1", GL.replace("+", " "), True),
        ("P1", f"http://glstring.org|{GL}", True),
        ("P1", "HLA-A*02:01+HLA-A*01:01", True),
        ("P1", "A*2", True),
        ("P1", "HLA-A*11", False),
        ("P1", ".*", False),
        ("P3", "DRB1*13:02", True),
        ("P3", "DRB1*13:AKBAR", True),
        ("P0", "CYP2C19", False),
    ],
)
def test_presence_of_a_name(served: Served, subject: str, token: str, present: bool) -> None:
    assert served.has(subject, token) == [present]
    assert (subject in served.who(token)[0][3]) is present


def test_a_word_that_is_but_one_of_several_alleles_is_told_with_a_note(served: Served) -> None:
    question = [("subject", "P2"), ("haplotypes", f"HLA-B*08,HLA-B,{CHOICE}")]
    some, every, whole = served.ask(SPECIFIC, *question)
    [extension] = some["part"][0]["extension"]
    assert "leaves a choice" in extension["valueAnnotation"]["text"]
    assert ["extension" in entry["part"][0] for entry in (every, whole)] == [False, False]
    assert "extension" not in served.ask(SPECIFIC, *question, base=REF_SUBJECT)[0]["part"][0]


def test_names_are_answered_in_order_with_repetitions(served: Served) -> None:
    assert served.has("P1", "CYP2D6", "HLA-B", "CYP2D6") == [True, False, True]


# --- filters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "inputs", "present"),
    [
        ("P1", {"testIdentifiers": "T1,T9"}, True),
        ("P1", {"testIdentifiers": "T2"}, False),
        ("P1", {"specimenIdentifiers": "SP1"}, True),
        ("P1", {"specimenIdentifiers": "SP2"}, False),
        ("P1", {"testDateRange": "ge2024-01-01"}, True),
        ("P1", {"testDateRange": "ge2025"}, False),
        ("P2", {"testDateRange": "ge2000"}, False),
        ("P1", {"genomicSourceClass": "germline"}, True),
        ("P1", {"genomicSourceClass": "somatic"}, True),
        ("P2", {"genomicSourceClass": "Somatic"}, False),
        ("P3", {"genomicSourceClass": "somatic"}, True),
    ],
)
def test_filters_choose_the_tests(served: Served, subject: str, inputs: dict[str, str], present: bool) -> None:
    assert served.has(subject, "CYP2C19 *1/*17", **inputs) == [present]
    [entry] = served.ask(GENES, ("subject", subject), ("genes", "CYP2C19"), *inputs.items())
    assert bool(codes(entry)) is present


# --- population -------------------------------------------------------------------------------------------------------


def test_alternatives_are_counted_one_by_one(served: Served) -> None:
    assert served.who("CYP2C19 *1/*17, HLA-A*01,nothing") == [
        ("CYP2C19 *1/*17", 3, 4, ["P1", "P2", "P3"]),
        ("HLA-A*01", 1, 4, ["P1"]),
        ("nothing", 0, 4, []),
    ]


def test_repetition_counts_who_has_one_of_every_group(served: Served) -> None:
    assert served.who("CYP2C19", "HLA-B*08,HLA-A*01") == [("CYP2C19 AND HLA-B*08|HLA-A*01", 2, 4, ["P1", "P2"])]
    assert served.who("CYP2C19", "nothing") == [("CYP2C19 AND nothing", 0, 4, [])]


def test_classes_choose_who_is_counted(served: Served) -> None:
    assert served.who("CYP2C19", genomicSourceClass="somatic")[0][3] == ["P1", "P3"]
    assert served.who("CYP2C19", genomicSourceClass="germline")[0][3] == ["P1", "P2"]


def test_subjects_are_listed_on_request_only(served: Served) -> None:
    [entry] = served.ask(POPULATION, ("haplotypes", "CYP2C19"), ("subject", "P1"))
    assert taken(entry) == ("CYP2C19", 3, 4, [])


def test_an_erased_subject_is_counted_no_more(tmp_path: Path) -> None:
    from app.store import bulk

    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        opened = Served(database, tmp_path)
        url = f"/fhir/${POPULATION}?haplotypes=CYP2C19"
        first = opened.client.get(url)
        assert opened.client.get(url, if_none_match=first.headers["etag"]).status == 304
        bulk.erase_subject(database, "P3")
        again = opened.client.get(url, if_none_match=first.headers["etag"])
        assert (again.status, taken(again.json()["parameter"][0])[1:3]) == (200, (2, 3))
        opened.client.close()


# --- dialects and forms -----------------------------------------------------------------------------------------------


def test_reference_dialect_leaves_out_systems_and_haplotypes(served: Served) -> None:
    [entry] = served.ask(GENES, ("subject", "P1"), ("genes", "http://www.genenames.org|HGNC:2621"), base=REF_SUBJECT)
    assert item(entry, "geneItem") == "HGNC:2621"
    assert [part["name"] for part in entry["part"]] == ["geneItem", "genotype"]
    assert "derivedFrom" not in entry["part"][1]["resource"]
    question = [("subject", "P1"), ("haplotypes", f"{PHARMVAR}|CYP2C19 *1/*17")]
    [entry] = served.ask(SPECIFIC, *question, base=REF_SUBJECT)
    assert [part["name"] for part in entry["part"]] == ["haplotypeItem", "presence", "genotype"]
    assert item(entry, "haplotypeItem") == "CYP2C19 *1/*17"


def test_reference_dialect_names_alternatives_as_variants(served: Served) -> None:
    [entry] = served.ask(POPULATION, ("haplotypes", f"{PHARMVAR}|CYP2C19 *1/*17"), base=REF_POPULATION)
    assert (entry["name"], taken(entry, "variantItem")[0]) == ("variants", "CYP2C19 *1/*17")
    [entry] = served.ask(POPULATION, ("haplotypes", "CYP2C19"), ("haplotypes", "HLA-A"), base=REF_POPULATION)
    assert (entry["name"], taken(entry)[:2]) == ("haplotypes", ("CYP2C19 AND HLA-A", 1))


def test_ids_are_the_same_in_every_operation_and_can_be_read(served: Served) -> None:
    [by_gene] = served.ask(GENES, ("subject", "P1"), ("genes", "CYP2C19"))
    [by_name] = served.ask(SPECIFIC, ("subject", "P1"), ("haplotypes", "CYP2C19 *17"))
    resources = [part["resource"] for part in by_gene["part"] if "resource" in part]
    assert resources == [part["resource"] for part in by_name["part"] if "resource" in part]
    for resource in resources:
        match = GENOTYPE_ID.fullmatch(resource["id"])
        assert match is not None
        body = read_genotype(served.store.context, match)
        assert body is not None
        assert Answer(200, {}, body).json() == resource
    for id_ in (resources[-1]["id"][:-1] + "h9", "dv-0123456789abcdef-g"):
        match = GENOTYPE_ID.fullmatch(id_)
        assert match is not None
        assert read_genotype(served.store.context, match) is None


@pytest.mark.parametrize("path", ["/fhir/{}", "/fhir/Patient/{}", "/fhir{ref}{}", "{ref}{}"])
def test_every_form_gives_the_same_answer(served: Served, path: str) -> None:
    for operation, ref, pairs in (
        (GENES, REF_SUBJECT, {"subject": "P1", "genes": "CYP2C19,HLA-A"}),
        (SPECIFIC, REF_SUBJECT, {"subject": "P1", "haplotypes": "CYP2C19 *1/*17"}),
        (POPULATION, REF_POPULATION, {"haplotypes": "CYP2C19 *1/*17", "includePatientList": "true"}),
    ):
        url = path.format(f"${operation}", ref=ref) + "?_dialect=ig"
        query = "&".join(f"{name}={quote(value)}" for name, value in pairs.items())
        entries = [
            {"name": name, **({"valueBoolean": True} if value == "true" else {"valueString": value})}
            for name, value in pairs.items()
        ]
        answers = [
            served.client.get(f"{url}&{query}"),
            served.client.get(f"{url.replace('$', '%24')}&{query}"),
            served.client.form(url, query),
            served.client.post(url, {"resourceType": "Parameters", "parameter": entries}),
        ]
        assert [answer.status for answer in answers] == [200] * 4
        assert len({answer.body for answer in answers}) == 1


def test_coded_values_are_taken_by_post(served: Served) -> None:
    concept = {"coding": [{"system": PHARMVAR, "code": "CYP2C19 *1/*17"}, {"code": "HLA-A*01"}]}
    entries = [
        {"name": "haplotypes", "valueCodeableConcept": concept},
        {"name": "haplotypes", "valueCode": "CYP2D6"},
    ]
    answer = served.client.post(f"/fhir/${POPULATION}", {"resourceType": "Parameters", "parameter": entries})
    [entry] = answer.json()["parameter"]
    assert taken(entry)[:2] == (f"{PHARMVAR}|CYP2C19 *1/*17|HLA-A*01 AND CYP2D6", 1)


def test_an_operation_on_one_patient(served: Served) -> None:
    assert codes(served.ask(GENES, ("genes", "CYP2D6"), base="/fhir/Patient/P1/")[0]) == ["CYP2D6 *1/*41"]


@pytest.mark.parametrize(
    ("operation", "query", "status", "code"),
    [
        (GENES, "subject=P1", 400, "required"),
        (GENES, "genes=HLA-A", 400, "required"),
        (GENES, "subject=P1&genes=", 400, "required"),
        (SPECIFIC, "subject=P1", 400, "required"),
        (POPULATION, "genomicSourceClass=germline", 400, "required"),
        (SPECIFIC, "subject=P9&haplotypes=x", 404, "not-found"),
        (GENES, "subject=P9&genes=x", 404, "not-found"),
        (POPULATION, "haplotypes=x&genomicSourceClass=mixed", 400, "value"),
        (GENES, "subject=P1&genes=x%0Ay", 400, "value"),
    ],
)
def test_bad_questions_are_refused(served: Served, operation: str, query: str, status: int, code: str) -> None:
    answer = served.client.get(f"/fhir/${operation}?{query}")
    assert (answer.status, [issue["code"] for issue in answer.issues]) == (status, [code])


def test_a_subject_without_genotypes_is_known(served: Served) -> None:
    [entry] = served.ask(GENES, ("subject", "P0"), ("genes", "CYP2C19"))
    assert [part["name"] for part in entry["part"]] == ["geneItem"]


def test_an_answer_of_too_many_genotypes_is_refused(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, max_answers=1)
        store.genotypes(line("P1"), line("P1", "CYP2C19 *2/*2"))
        client = Client(create_app(store.settings, store.context))
        for name, query in ((GENES, "genes=CYP"), (SPECIFIC, "haplotypes=CYP")):
            answer = client.get(f"/fhir/${name}?subject=P1&{query}")
            assert (answer.status, answer.issues[0]["code"]) == (413, "too-costly")
        client.close()


def test_a_server_without_reductions_of_hla_names_says_so(served: Served) -> None:
    answer = served.client.get("/utilities/normalize-hla?allele=B14", accept="application/fhir+json")
    assert (answer.status, answer.issues[0]["code"]) == (501, "not-supported")
    assert answer.diagnostics == ["HLA names cannot be reduced here: not used (OPERON_PYARD_DATA is not set)"]
    assert served.client.get("/utilities/normalize-hla").status == 400
    [rest] = served.client.get("/fhir/metadata").json()["rest"]
    assert "(lgx): not used (OPERON_PYARD_DATA is not set)." in rest["documentation"]
    checks = served.client.get("/readyz").json()["checks"]
    assert checks[1] == {"name": "HLA reductions", "ok": True, "detail": "not used (OPERON_PYARD_DATA is not set)"}


def test_statements_do_not_grow_with_the_question(served: Served) -> None:
    served.client.get(f"/fhir/${GENES}?subject=P1&genes=CYP2C19")  # the first question also reads the store's version
    for operation, name, subject in (
        (GENES, "genes", True),
        (SPECIFIC, "haplotypes", True),
        (POPULATION, "haplotypes", 0),
    ):
        sent = []
        for tokens in ("CYP2C19", "CYP2C19,CYP2D6,HLA-A,HLA-B,DRB1*13:02,|x,http://x|y,nothing"):
            who = "subject=P1&" if subject else "includePatientList=true&"
            with counted(served.store.database) as statements:
                assert served.client.get(f"/fhir/${operation}?{who}{name}={quote(tokens)}").status == 200
            sent.append(len(statements))
        assert sent[0] == sent[1] <= 8
