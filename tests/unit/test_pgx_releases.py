"""Releases of pharmacogenetic knowledge: loaded whole or not at all, switched, removed, and answered from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app.config import Settings
from app.errors import BadFile, InvalidInput, Misconfigured, NotFound
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.formats.pgx import Gene, NamedAllele, PgxContent, Position, Recommendation
from app.formats.pgx_tables import write_tables
from app.operations.pgx import ActivePgx
from app.operations.pgx_seed import SEED_NAME, embedded_content
from app.store import pgx_releases
from app.store.session import Database
from ingest import pgx
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge import LoadOptions
from ingest.pgx import PgxReport
from ingest.progress import Progress
from tests.cpic_dump import dump as cpic_dump
from tests.genotype_files import line
from tests.pgx_content import ABACAVIR, CLOPIDOGREL, CYP2C19, content
from tests.small_store import SmallStore
from tests.store_dump import counts, dump

CONTENT = content()
LAB = Recommendation("lab1", CLOPIDOGREL.drug_id, "Our laboratory", {"CYP2C19": "Poor Metabolizer"}, "Call us.")
# What a laboratory adds of its own names the gene and the drug, and says nothing else of them.
ADDED = PgxContent(
    genes=(Gene("CYP2C19", "HGNC:2621", "PA124", 10, CYP2C19.method),), drugs=(CLOPIDOGREL,), recommendations=(LAB,)
)


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def folder(path: Path, said: PgxContent) -> Path:
    """Write a release as tables."""
    path.mkdir()
    for table, text in write_tables(said).items():
        if text.count(b"\n") > 1:
            (path / f"{table}.tsv").write_bytes(text)
    return path


def load(store: SmallStore, said: PgxContent | Sequence[Path | str], kind: str = "pgx", **options: Any) -> PgxReport:
    """Load a release, made of tables or of files that are there."""
    paths = [Path(one) for one in said] if not isinstance(said, PgxContent) else []
    if isinstance(said, PgxContent):
        paths = [folder(store.folder / f"release{len(list(store.folder.glob('release*')))}", said)]
    switches = {name: options.pop(name) for name in ("dry_run", "with_differences") if name in options}
    return pgx.load(store.workspace, kind, paths, LoadOptions(**options), Progress(quiet=True), **switches)


def active(store: SmallStore) -> ActivePgx:
    return store.context.pgx()


def switched(store: SmallStore, change: Callable[..., object], name: str, **options: Any) -> None:
    with store.database.write() as session:
        change(session, ConsequenceRules(store.context.genome), name, **options)


def names(store: SmallStore, *, active_only: bool = False) -> list[str]:
    with store.database.read() as session:
        return [one.name for one in pgx_releases.releases(session, active=True if active_only else None)]


def implied(store: SmallStore, subject: str = "P1", drug: str = "clopidogrel") -> list[tuple[str, str, str]]:
    """Return knowledge base, implication and evidence of each implication of a subject for a drug."""
    answer = store.context.answer("find-subject-tx-implications", _asked(subject, drug))
    return [_implication(one) for one in _parts(answer) if one["name"] == "implication"]


def _asked(subject: str, drug: str) -> OperationInputs:
    pairs = [("subject", subject), ("treatments", drug)]
    definition = load_definitions()["find-subject-tx-implications"]
    return read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=True, settings=Settings())


def _parts(answer: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer).get("parameter", [])
    return found


def _implication(parameter: dict[str, Any]) -> tuple[str, str, str]:
    said = {}
    for one in parameter["resource"]["component"]:
        code = one["code"]["coding"][0]["code"]
        value = one.get("valueCodeableConcept") or {"text": one.get("valueString", "")}
        said[code] = value.get("text") or value["coding"][0].get("display", "")
    return said["knowledge-base"], said["therapeutic-implication"], said.get("93044-6", "")


# --- loading ----------------------------------------------------------------------------------------------------------


def test_without_a_release_the_embedded_one_answers(store: SmallStore) -> None:
    found = active(store)
    assert (found.release, found.gene_releases["CYP2C19"]) == (SEED_NAME, SEED_NAME)
    assert found.content.genes == embedded_content().genes
    assert found.texts.phenotype_name("Poor Metabolizer", "fi").language == "fi"
    assert all(one.grade for one in found.content.recommendations)
    assert found.drugs.by_name("inn", "Clopidogrel", "") is not None


def test_a_release_is_read_back_as_it_was_written(store: SmallStore) -> None:
    report = load(store, CONTENT, name="ours", version="1", released="2026-02-03")
    assert (report.release, report.active, report.counts["genes"]) == ("ours-1", True, len(CONTENT.genes))
    with store.database.read() as session:
        [release] = pgx_releases.releases(session)
        assert pgx_releases.content_of(session, release) == CONTENT
        assert pgx_releases.named(session, "ours-1") == release
    assert (release.facts.source, release.facts.released, release.active) == ("ours", "2026-02-03", True)
    assert all(set(file) == {"name", "sha256", "size"} for file in release.facts.files)


def test_a_loaded_release_takes_over_gene_by_gene(store: SmallStore) -> None:
    load(store, PgxContent(genes=(CYP2C19,)), name="ours", version="1")
    found = active(store)
    assert found.release == f"ours-1+{SEED_NAME}"
    assert (found.gene_releases["CYP2C19"], found.gene_releases["TPMT"]) == ("ours-1", SEED_NAME)
    assert found.advice_releases["CPIC"] == SEED_NAME
    assert found.content.gene("CYP2C19") == CYP2C19
    assert found.content.gene("TPMT") == embedded_content().gene("TPMT")


def test_the_embedded_release_is_the_oldest_whenever_it_is_loaded(store: SmallStore) -> None:
    load(store, PgxContent(genes=(CYP2C19,)), name="ours", version="1")
    assert load(store, ["embedded"]).release == SEED_NAME
    assert active(store).release == f"ours-1+{SEED_NAME}"
    switched(store, pgx.switch_off, SEED_NAME)
    assert active(store).release == "ours-1"
    assert [gene.symbol for gene in active(store).content.genes] == ["CYP2C19"]
    switched(store, pgx.switch_off, "ours-1")
    assert active(store).content.genes == ()
    switched(store, pgx.remove, SEED_NAME)
    assert active(store).release == SEED_NAME


def test_one_release_of_a_source_is_active_at_a_time_unless_beside(store: SmallStore) -> None:
    load(store, PgxContent(genes=(CYP2C19,)), name="ours", version="1")
    report = load(store, PgxContent(genes=(replace(CYP2C19, description="New."),)), name="ours", version="2")
    assert (report.replaced, names(store, active_only=True)) == (("ours-1",), ["ours-2"])
    load(store, ADDED, name="ours", version="3", beside=True)
    assert names(store, active_only=True) == ["ours-2", "ours-3"]
    load(store, ADDED, name="others", version="1", activate=False)
    assert names(store, active_only=True) == ["ours-2", "ours-3"]
    switched(store, pgx.switch_on, "ours-1", beside=False)
    assert names(store, active_only=True) == ["ours-1"]


def test_the_same_files_again_change_nothing(store: SmallStore) -> None:
    path = folder(store.folder / "r", CONTENT)
    first = load(store, [path], name="ours", version="1")
    before = dump(store.database)
    again = load(store, [path], name="ours", version="1")
    assert (again.is_repeated, again.release, dump(store.database)) == (True, first.release, before)
    (path / "drug.tsv").write_bytes((path / "drug.tsv").read_bytes().replace(b"clopidogrel", b"klopidogrel"))
    with pytest.raises(InvalidInput, match="has a release ours-1 already"):
        load(store, [path], name="ours", version="1")
    assert dump(store.database) == before


def test_a_release_that_cannot_be_trusted_leaves_nothing(store: SmallStore) -> None:
    twin = replace(CYP2C19.alleles[2], name="*99")
    gene = replace(CYP2C19, alleles=(*CYP2C19.alleles, twin))
    before = counts(store.database)
    with pytest.raises(BadFile, match=r"CYP2C19 \*99: it is the same as \*2"):
        load(store, replace(CONTENT, genes=(gene,), recommendations=(), pairs=()))
    with pytest.raises(BadFile, match="HGNC:3012"):
        load(store, PgxContent(genes=(Gene("DPYD", "HGNC:1806", "", 1, CYP2C19.method),)))
    assert counts(store.database) == before


def test_a_dry_run_reports_and_stores_nothing(store: SmallStore) -> None:
    before = dump(store.database)
    changed = replace(CYP2C19, alleles=(*CYP2C19.alleles, NamedAllele("*77", ("T", "", "A", "G"))))
    report = load(store, PgxContent(genes=(changed,)), dry_run=True, with_differences=True)
    assert dump(store.database) == before
    told = report.to_json()
    assert (told["dry_run"], told["genes"]) == (True, 1)
    assert {"what": "allele", "change": "added", "of": "CYP2C19", "name": "*77"}.items() <= next(
        one for one in told["differences"] if one["name"] == "*77"
    ).items()
    assert any("allele added: CYP2C19 *77" in text for text in report.lines())
    assert any("it would be" in text for text in report.lines())


def test_what_a_source_cannot_place_is_told(store: SmallStore) -> None:
    odd = Position("rs999", 10, 5_000, ("A", "G"))
    gene = Gene(
        "CYP2C19", "HGNC:2621", "PA124", 10, CYP2C19.method, (odd,),
        (NamedAllele("*1", ("A",), is_reference=True), NamedAllele("*2", ("G",))),
    )  # fmt: skip
    report = load(store, PgxContent(genes=(gene,)))
    assert report.places == {"given": 0, "lifted": 0, "known": 0, "missing": 1}
    assert report.unsaid == ("CYP2C19",)
    assert any("no functions or phenotypes: CYP2C19" in text for text in report.lines())


def test_a_dump_of_cpic_is_loaded(store: SmallStore) -> None:
    path = store.folder / "cpic_db_dump-v1_inserts.sql"
    path.write_bytes(cpic_dump())
    report = load(store, [path], "cpic-sql", version="1.56.0")
    assert report.release == "cpic-sql-1.56.0"
    assert report.rejects.total == 2
    assert report.items > 0
    gene = active(store).content.gene("CYP2C19")
    assert gene is not None
    assert gene.positions[0].start37 == 96_541_615
    assert active(store).gene_releases["CYP2C19"] == "cpic-sql-1.56.0"
    with store.database.read() as session:
        [release] = pgx_releases.releases(session)
    assert release.facts.licence == "CC0 1.0"
    assert "cpicpgx.org" in release.facts.attribution


def test_folders_and_files_of_something_else_are_refused(store: SmallStore) -> None:
    empty = store.folder / "empty"
    empty.mkdir()
    with pytest.raises(NotFound, match="no file of PharmCAT"):
        load(store, [empty], "pharmcat")
    with pytest.raises(InvalidInput, match="none of pypgx"):
        load(store, [empty], "clinvar")
    (empty / "nonsense.tsv").write_text("a\tb\n")
    with pytest.raises(BadFile, match="the table is not known"):
        load(store, [empty])
    with pytest.raises(InvalidInput, match="Operon calls"):
        load(store, CONTENT, name="embedded")
    with pytest.raises(InvalidInput, match="no date"):
        load(store, CONTENT, released="yesterday")
    assert names(store) == []


# --- what answers use -------------------------------------------------------------------------------------------------


def test_releases_are_read_once_while_they_are_in_use(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    load(store, PgxContent(genes=(CYP2C19,)), name="ours", version="1")
    first = active(store)
    store.genotypes(line("P1", "CYP2C19 *1/*2"))
    read = []
    monkeypatch.setattr(pgx_releases, "content_of", lambda *of: read.append(of))
    assert active(store) is first
    assert read == []
    monkeypatch.undo()
    load(store, ADDED, name="lab", version="1")
    second = active(store)
    assert second.release == f"lab-1+ours-1+{SEED_NAME}"
    assert second.content.gene("CYP2C19") is first.content.gene("CYP2C19")


def test_several_threads_get_the_same(store: SmallStore) -> None:
    found: list[ActivePgx] = []
    threads = [Thread(target=lambda: found.append(active(store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(one) for one in found}) == 1


def test_every_change_of_releases_changes_the_version(store: SmallStore) -> None:
    versions = [store.context.data_version()]
    for change in (
        lambda: load(store, ADDED, name="lab", version="1"),
        lambda: switched(store, pgx.switch_off, "lab-1"),
        lambda: switched(store, pgx.remove, "lab-1"),
    ):
        change()
        versions.append(store.context.data_version())
    assert len(set(versions)) == 4


def test_a_site_grades_by_rules_of_its_own(database: Database, tmp_path: Path) -> None:
    rules = tmp_path / "rules.tsv"
    rules.write_text("text_class\tpattern\tclassification\tpair\tgrade\neverything\t.\t*\t*\tD\n")
    store = SmallStore(database, tmp_path, pgx_grade_rules=rules)
    grades = {one.grade for one in active(store).content.recommendations}
    assert grades <= {"D", "NA"}
    missing = SmallStore(database, tmp_path, pgx_grade_rules=tmp_path / "none.tsv")
    with pytest.raises(Misconfigured, match="OPERON_PGX_GRADE_RULES"):
        active(missing)


# --- implications -----------------------------------------------------------------------------------------------------


def test_called_genotypes_are_answered_with_the_release(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *2/*1"), line("P2", "CYP2C19 *17/*17"))
    load(store, CONTENT, name="ours", version="1")
    [(base, implication, evidence)] = implied(store)
    assert base == "ours (Operon's pharmacogenetic tables) 1"
    assert (implication, evidence) == ("CYP2C19 Intermediate Metabolizer", "CPIC Level A")
    assert [one[1] for one in implied(store, "P2")] == ["CYP2C19 Ultrarapid Metabolizer"]


def test_implications_are_switched_and_removed_with_their_release(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *1/*2"))
    empty = {
        table: number for table, number in counts(store.database).items() if "knowledge" in table or "pgx" in table
    }
    load(store, CONTENT, name="ours", version="1")
    assert len(implied(store)) == 1
    load(store, replace(CONTENT, texts=()), name="ours", version="2")
    assert [one[0] for one in implied(store)] == ["ours (Operon's pharmacogenetic tables) 2"]
    for name in ("ours-1", "ours-2"):
        switched(store, pgx.remove, name)
    left = {table: number for table, number in counts(store.database).items() if "knowledge" in table or "pgx" in table}
    assert left == empty


def test_genotypes_without_stars_are_found_in_either_order(store: SmallStore) -> None:
    code = "DPYD c.2846A>T/Reference"
    store.genotypes(line("P1", code, gene_id="HGNC:3012", gene_symbol="DPYD"))
    load(store, CONTENT, name="ours", version="1")
    assert [one[1] for one in implied(store, drug="fluorouracil")] == ["DPYD Intermediate Metabolizer"]


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("DPYD c.1905+1G>A (*2A) + c.2846A>T", ["DPYD Poor Metabolizer"]),
        ("DPYD c.85T>C (*9A) + c.1627A>G (*5) + c.1905+1G>A (*2A)", ["DPYD Intermediate Metabolizer"]),
        ("DPYD Reference/[c.85T>C (*9A) + c.1905+1G>A (*2A)]", ["DPYD Intermediate Metabolizer"]),
        ("DPYD c.85T>C (*9A) + c.1G>T", []),
    ],
)
def test_several_variants_of_a_copy_or_without_phase_mean_what_those_of_least_function_mean(
    store: SmallStore, code: str, means: list[str]
) -> None:
    store.genotypes(line("P1", code, gene_id="HGNC:3012", gene_symbol="DPYD"))
    load(store, ["embedded"])
    assert [one[1] for one in implied(store, drug="fluorouracil")] == means
    asked = read_inputs(
        load_definitions()["find-population-tx-implications"],
        [("treatments", "fluorouracil")],
        None,
        Dialect.IG,
        path_subject=None,
        strict=True,
        settings=Settings(),
    )
    counted = _parts(store.context.answer("find-population-tx-implications", asked))
    numbers = {part["name"]: part["valueQuantity"]["value"] for part in counted[0]["part"] if "valueQuantity" in part}
    assert numbers["numerator"] == len(means)
    for parameter in _parts(store.context.answer("find-subject-tx-implications", _asked("P1", "fluorouracil"))):
        resource = parameter["resource"]
        reader, match = next(
            (reader, found) for reader in store.context.readers if (found := reader.pattern.fullmatch(resource["id"]))
        )
        read = reader.read(store.context, match)
        assert read is not None
        assert json.loads(read)["id"] == resource["id"]


def test_the_embedded_release_answers_once_it_is_loaded(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *2/*2"))
    report = load(store, ["embedded"])
    assert report.items > 100
    [(base, implication, evidence)] = implied(store)
    assert ("2026" in base, implication, evidence) == (True, "CYP2C19 Poor Metabolizer", "CPIC Level A")
    assert load(store, ["embedded"]).is_repeated


def test_a_gene_of_allele_status_has_no_list_of_genotypes(store: SmallStore) -> None:
    hla = Recommendation("a", ABACAVIR.drug_id, "CPIC", {"HLA-B": "*57:01 positive"}, "Do not use.")
    report = load(store, replace(CONTENT, recommendations=(hla,)), name="ours", version="1")
    assert report.items == 0
    assert names(store) == ["ours-1"]


def test_implications_follow_the_definitions_and_functions_in_use(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *1/*2"), line("P2", "CYP2C19 *1/*77"))
    load(store, CONTENT, name="ours", version="1")
    assert (len(implied(store)), len(implied(store, "P2"))) == (1, 0)
    alleles = [replace(one, function="Normal function") if one.name == "*2" else one for one in CYP2C19.alleles]
    alleles.append(NamedAllele("*77", ("T", "", "A", "G"), function="No function"))
    load(store, PgxContent(genes=(replace(CYP2C19, alleles=tuple(alleles)),)), name="newer", version="1")
    assert [one[1] for one in implied(store)] == ["CYP2C19 Normal Metabolizer"]
    assert [one[1] for one in implied(store, "P2")] == ["CYP2C19 Intermediate Metabolizer"]
    switched(store, pgx.switch_off, "newer-1")
    assert [one[1] for one in implied(store)] == ["CYP2C19 Intermediate Metabolizer"]
    assert implied(store, "P2") == []


def test_advice_that_another_release_supersedes_is_not_repeated(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *2/*2"))
    load(store, ["embedded"])
    load(store, CONTENT, name="ours", version="1")
    assert [one[0] for one in implied(store)] == ["ours (Operon's pharmacogenetic tables) 1"]
    load(store, ADDED, name="lab", version="1")
    assert sorted(one[0].split()[0] for one in implied(store)) == ["lab", "ours"]
    switched(store, pgx.remove, "ours-1")
    assert sorted(one[0].split()[0] for one in implied(store)) == ["Operon's", "lab"]
