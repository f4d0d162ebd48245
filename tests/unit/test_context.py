"""What the server knows of its store: versions, readiness, totals, examples."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, RangeInput, read_inputs
from app.operations.context import OperationContext, open_genome
from app.operations.registry import HANDLERS, open_context
from app.records import Sex
from app.store import bulk, migrate
from app.store.session import Database
from app.store.subjects import Subject
from app.variants.interval import parse_range
from tests.genotype_files import line
from tests.small_store import NO_GENOME, SmallStore
from tests.two_builds import Block, genome
from tests.vcf_files import vcf

TEXT = vcf("chr1 100 . A G 50 PASS . GT 0/1", "chrX 300 . AC A 50 PASS . GT 1/1")


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def test_the_version_changes_with_every_change_that_is_seen_and_only_then(store: SmallStore) -> None:
    job = store.file(TEXT, "P1")
    versions = [store.context.data_version()]
    for change in (
        lambda: store.store(job),
        lambda: store.store(job),
        lambda: store.sex("P1", Sex.MALE),
        lambda: store.sex("P1", Sex.MALE),
        lambda: store.store(store.file(vcf("chr1 7 . A G 50 PASS . GT 0/1"), "P1"), replace=True),
        lambda: bulk.erase_subject(store.database, "P1"),
    ):
        change()
        versions.append(store.context.data_version())

    changed = [before != after for before, after in itertools.pairwise(versions)]
    assert changed == [True, False, True, False, True, True]
    assert len(set(versions)) == 1 + sum(changed)


def test_every_process_sees_the_version_that_another_wrote(store: SmallStore) -> None:
    url = store.database.url.render_as_string(hide_password=False)
    other = OperationContext(store.settings, Database(url), NO_GENOME, HANDLERS)
    assert other.data_version() == store.context.data_version()

    store.ingest(TEXT)

    assert other.data_version() == store.context.data_version() != "0"
    other.close()


def test_a_store_with_the_schema_is_ready(store: SmallStore) -> None:
    checks = store.context.readiness()

    assert [(check.name, check.ok) for check in checks] == [("database", True), ("HLA reductions", True)]
    assert str(migrate.head(store.database)) in checks[0].detail


def test_a_store_without_the_schema_says_what_to_do(tmp_path: Path) -> None:
    context = open_context(Settings(home=tmp_path))
    context.prepare()

    assert [(check.ok, "operon db upgrade" in check.detail) for check in context.readiness()] == [
        (False, True),
        (True, False),
    ]
    context.close()


def test_a_store_that_is_away_is_not_ready_and_keeps_its_secrets(tmp_path: Path) -> None:
    url = f"postgresql://user:secret@/nothing?host={tmp_path}"
    context = open_context(Settings(home=tmp_path, database_url=url))
    context.prepare()

    checks = context.readiness()

    assert [check.ok for check in checks] == [False, True]
    assert "secret" not in checks[0].detail
    context.close()


def test_totals_are_those_of_the_store(store: SmallStore) -> None:
    store.ingest(TEXT, "P1", test="T1")
    store.ingest(TEXT, "P1", test="T2")
    bulk.store_subjects(store.database, [Subject("P2")], "subjects.csv")

    found = store.context.summary()

    assert (found.subjects, found.studies, found.call_sets, found.calls, found.variants) == (2, 2, 2, 4, 2)
    assert found.references == {"GRCh37": "not loaded", "GRCh38": "not loaded"}
    assert set(found.chains.values()) == {"not loaded"}


def test_chains_are_named(database: Database, tmp_path: Path) -> None:
    found = SmallStore(database, tmp_path, genome([Block(0, 0, 10)])).context.summary()

    assert found.chains == {"GRCh37 to GRCh38": "test.chain", "GRCh38 to GRCh37": "test.chain"}


def test_an_empty_folder_is_a_genome_of_which_nothing_is_loaded(tmp_path: Path) -> None:
    opened = open_genome(tmp_path)

    assert set(opened.described.values()) == {"not loaded"}
    assert opened.liftover.sources == ()


def test_an_empty_store_has_no_examples(store: SmallStore) -> None:
    assert store.context.examples() == []


def test_every_example_finds_something(store: SmallStore) -> None:
    deletion = "chrX 500 . N <DEL> 50 PASS SVTYPE=DEL;END=900 GT 1/1"
    store.ingest(vcf("chrX 300 . AC A 50 PASS . GT 1/1", "chrX 400 . A AC 50 PASS . GT 1/1", deletion), "P-1.x")
    store.genotypes(line("P-1.x", "a+b,c *1/*2"))
    definitions = load_definitions()

    examples = store.context.examples()

    of_knowledge = {name for name in HANDLERS if name.endswith(("-implications", "-consequences"))}  # none is loaded
    asked_about = {urlsplit(example.path).path.rpartition("$")[2] for example in examples}
    assert asked_about == set(HANDLERS) - of_knowledge
    for example in examples:
        parts = urlsplit(example.path)
        name = parts.path.rpartition("$")[2]
        asked = read_inputs(
            definitions[name],
            parse_qsl(parts.query),
            None,
            Dialect.IG,
            path_subject=None,
            strict=True,
            settings=store.settings,
        )
        found = json.loads(store.context.answer(name, asked))["parameter"][0]["part"][1]
        told = [
            found.get("resource"),
            found.get("valueBoolean"),
            found.get("valueQuantity", {}).get("value"),
            found.get("valueCodeableConcept"),
        ]
        assert any(told), example.title


def test_no_example_asks_what_an_insertion_covers(store: SmallStore) -> None:
    store.ingest(vcf("chrX 500 . N <INS> 50 PASS SVTYPE=INS GT 1/1"))

    assert [example.path.partition("?")[0].rpartition("$")[2] for example in store.context.examples()] == [
        "find-subject-structural-intersecting-variants",
        "find-population-structural-intersecting-variants",
    ]


@pytest.mark.parametrize(
    ("inputs", "brief"),
    [
        pytest.param({"ranges": "NC_000001.11:0-1000"}, True, id="short range"),
        pytest.param({"ranges": "NC_000001.11:0-200000000"}, False, id="long range"),
        pytest.param({"variants": (("a",) * 5,)}, True, id="few variants"),
        pytest.param({"variants": (("a",) * 500,)}, False, id="many variants"),
        pytest.param({"variants": (("a",),), "include_patient_list": True}, False, id="names"),
        pytest.param({"ranges": "NC_000001.11:0-10", "include_phasing": True}, False, id="phase"),
    ],
)
def test_only_short_questions_to_an_embedded_store_are_brief(
    store: SmallStore, inputs: dict[str, object], brief: bool
) -> None:
    if "ranges" in inputs:
        text = str(inputs["ranges"])
        inputs = {**inputs, "ranges": (RangeInput(text, parse_range(text)),)}

    found = store.context.is_brief("find-subject-variants", OperationInputs(**inputs))  # type: ignore[arg-type]

    assert found == (brief and store.database.is_sqlite)
