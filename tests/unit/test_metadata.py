"""What a subject's tests were, and which parts of a range they studied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import LiftoverFailed, SubjectNotFound
from app.fhir.dates import parse_bound
from app.fhir.parameters import Dialect, OperationInputs, RangeInput
from app.fhir.study import StudyDescription, StudyRegions, render_study
from app.fhir.validate import problems
from app.records import Build, SourceClass
from app.store import bulk
from app.store.session import Database
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from app.variants.interval import parse_range
from app.variants.regions import stretches
from tests.small_store import SmallStore
from tests.two_builds import Block, genome
from tests.vcf_files import vcf

ON_37, ON_38 = "NC_000001.10", "NC_000001.11"
BLOCKS = [Block(0, 100, 1000), Block(1100, 1300, 100), Block(5000, 5600, 1000)]
"""A hundred more bases before the first block of GRCh38; 1,000 to 5,000 of GRCh37 are nowhere on it"""


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, genome(BLOCKS))


def declare(
    store: SmallStore,
    test: str = "T1",
    build: Build = Build.GRCH38,
    *,
    date: str | None = None,
    specimen: str | None = None,
    types: str | None = None,
    **regions: Sequence[tuple[int, int]],
) -> None:
    """Add a test without calls of P1, with regions of chromosome 1 by kind."""
    facts = StudyFacts(test, build, date, specimen, None, types)
    found: dict[str, Regions] = {kind: {1: stretches(pairs)} if pairs else {} for kind, pairs in regions.items()}
    bulk.declare_studies(store.database, [(Subject("P1"), facts, found)])


def studied(store: SmallStore, *ranges: str) -> list[tuple[str, str]]:
    return [(test["regionStudied"], test["uncallableRegions"]) for test in store.studies("P1", *ranges)]


# --- the tests --------------------------------------------------------------------------------------------------------


def test_a_test_with_calls_and_one_without_come_by_date_and_those_without_a_date_last(store: SmallStore) -> None:
    store.ingest(vcf("chr1 100 . A G 50 PASS . GT 0/1"), "P1", test="called", test_date="2024-05-01", specimen="S")
    declare(store, "unknown-date")
    declare(store, "early", date="2023-01-31")

    assert store.studies("P1") == [
        {"testId": "early", "testDate": "2023-01-31", "genomicBuild": build("LA26806-2", "GRCh38")},
        {
            "testId": "called",
            "testDate": "2024-05-01",
            "specimenId": "S",
            "genomicBuild": build("LA26806-2", "GRCh38"),
        },
        {"testId": "unknown-date", "genomicBuild": build("LA26806-2", "GRCh38")},
    ]


def build(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]}


def test_the_reference_dialect_names_id_and_date_as_its_clients_expect(store: SmallStore) -> None:
    declare(store, build=Build.GRCH37, date="2020-07-13")

    [found] = store.studies("P1", dialect=Dialect.REF)

    assert found == {
        "testID": "T1",
        "testDate": "2020-07-13 00:00:00",
        "genomicBuild": build("LA14029-5", "GRCh37"),
    }


def test_change_types_are_codes_of_the_sequence_ontology_and_unknown_words_stay_words(store: SmallStore) -> None:
    declare(store, types="SNV;DUP;dup;fusion;SO:0001565")

    [found] = store.studies("P1")

    system = "http://www.sequenceontology.org"
    assert found["dnaChangeType"] == {
        "coding": [
            {"system": system, "code": "SO:0001483", "display": "SNV"},
            {"system": system, "code": "SO:1000035", "display": "DUP"},
            {"system": system, "code": "SO:0001565"},
        ],
        "text": "fusion",
    }


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param({"test_identifiers": ("B", "C")}, ["B", "C"], id="tests"),
        pytest.param({"specimen_identifiers": ("S2",)}, ["B"], id="specimens"),
        pytest.param({"test_dates": (parse_bound("ge2024-01-01"),)}, ["B"], id="dates leave out what has none"),
        pytest.param({"test_dates": (parse_bound("ge2023"), parse_bound("lt2024"))}, ["A"], id="both ends"),
        pytest.param({"source_class": SourceClass.SOMATIC}, ["A", "B", "C"], id="a test has no source class"),
        pytest.param({"test_identifiers": ("a",)}, [], id="none"),
    ],
)
def test_filters_choose_tests(store: SmallStore, inputs: dict[str, Any], expected: list[str]) -> None:
    declare(store, "A", date="2023-05-01", specimen="S1")
    declare(store, "B", date="2024-05-01", specimen="S2")
    declare(store, "C")

    assert [test["testId"] for test in store.studies("P1", **inputs)] == expected


def test_a_subject_without_tests_has_no_parameter_and_nobody_is_not_found(store: SmallStore) -> None:
    bulk.store_subjects(store.database, [Subject("P1", identifiers=(("urn:x", "7"),))], "test")

    assert store.studies("P1") == store.studies("urn:x|7") == []
    for who in ("P2", "urn:x|8"):
        with pytest.raises(SubjectNotFound):
            store.studies(who)


# --- regions ----------------------------------------------------------------------------------------------------------


def test_regions_are_clipped_to_the_ranges_which_are_merged_first(store: SmallStore) -> None:
    declare(store, studied=[(100, 200), (300, 400)], uncallable=[(150, 160)])

    assert studied(store, f"{ON_38}:120-170", f"{ON_38}:170-310", f"{ON_38}:150-180") == [
        (f"['{ON_38}:120-200', '{ON_38}:300-310']", f"['{ON_38}:150-160']")
    ]
    assert studied(store, f"{ON_38}:200-300") == [("[]", "[]")]
    assert studied(store, f"{ON_38}:199-199", f"{ON_38}:200-200") == [(f"['{ON_38}:199-200']", "[]")]
    assert studied(store, "NC_000002.12:100-200") == [("[]", "[]")]


def test_what_nothing_tells_is_unknown_each_kind_by_itself(store: SmallStore) -> None:
    declare(store, "A", date="2021")
    declare(store, "B", date="2022", studied=[])
    declare(store, "C", date="2023", uncallable=[(10, 20)])

    assert studied(store, f"{ON_38}:0-100") == [
        ("unknown", "unknown"),
        ("[]", "unknown"),
        ("unknown", f"['{ON_38}:10-20']"),
    ]


def test_chromosomes_come_in_their_order_whatever_the_order_of_the_question(store: SmallStore) -> None:
    facts = StudyFacts("T1", Build.GRCH38)
    everywhere: Regions = {contig: stretches([(0, 1000)]) for contig in (2, 23)}
    bulk.declare_studies(store.database, [(Subject("P1"), facts, {"studied": everywhere})])

    [(regions, _)] = studied(store, "NC_000023.11:5-7", "NC_000002.12:900-1100", "NC_000002.12:1-2")

    assert regions == "['NC_000002.12:1-2', 'NC_000002.12:900-1000', 'NC_000023.11:5-7']"


def test_a_range_of_the_other_build_is_compared_on_the_build_of_each_test(store: SmallStore) -> None:
    declare(store, "A", date="2021", studied=[(150, 5700)])
    declare(store, "B", Build.GRCH37, date="2022", studied=[(10, 5050)])

    expected = [(f"['{ON_38}:150-300']", "unknown"), (f"['{ON_37}:20-200']", "unknown")]
    assert studied(store, f"{ON_38}:120-300") == expected
    assert studied(store, f"{ON_37}:20-200") == expected
    # The two halves are one range on either build.
    assert studied(store, f"{ON_38}:120-200", f"{ON_37}:100-200") == expected


def test_an_end_without_a_place_moves_outwards_and_the_answer_says_so(store: SmallStore) -> None:
    declare(store, build=Build.GRCH37, studied=[(0, 6000)])
    asked = (RangeInput("r", parse_range(f"{ON_38}:300-1103")),)

    answer = store.context.answer("find-study-metadata", OperationInputs(subject="P1", ranges=asked))

    [region] = [part for part in json.loads(answer)["parameter"][0]["part"] if part["name"] == "regionStudied"]
    assert region["valueString"].startswith(f"['{ON_37}:200-")
    assert "moved outwards" in region["extension"][0]["valueAnnotation"]["text"]


def test_a_test_whose_build_lacks_the_range_is_unknown_and_fails_only_if_all_do(store: SmallStore) -> None:
    declare(store, "B", Build.GRCH37, date="2022", studied=[(10, 5050)])
    nowhere = f"{ON_38}:3000-3100"
    with pytest.raises(LiftoverFailed):
        studied(store, nowhere)

    declare(store, "A", date="2021", studied=[(2000, 9000)])

    assert studied(store, nowhere) == [(f"['{nowhere}']", "unknown"), ("unknown", "unknown")]


# --- the answer's form ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("regions", [None, StudyRegions([], None), StudyRegions(None, [], "a note")])
@pytest.mark.parametrize("date", [None, "2020", "2020-07-13", "2020-07-13T10:00:00+02:00"])
def test_every_form_is_valid_fhir(dialect: Dialect, regions: StudyRegions | None, date: str | None) -> None:
    described = StudyDescription('T"1', date, None, Build.GRCH38, ("SNV", "other"))

    entry = json.loads("".join(render_study(described, regions, dialect)))

    assert problems({"resourceType": "Parameters", "parameter": [entry]}) == []
    assert [part["name"] for part in entry["part"]].count("regionStudied") == (regions is not None)
    noted = [part for part in entry["part"] if "extension" in part]
    assert len(noted) == (2 if regions is not None and regions.note else 0)
