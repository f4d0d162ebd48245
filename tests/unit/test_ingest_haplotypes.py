"""Genotypes come in from a table: all of it or nothing, once, and leave without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.errors import BadFile, Busy, InvalidInput, LimitExceeded, NotFound, OperonError, SeveralProblems
from app.records import Build, SourceClass
from app.store import bulk, counters, genotypes
from app.store.genotypes import Genotype
from app.store.session import Database
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from ingest.haplotypes import HaplotypeReport, ingest_haplotypes
from ingest.workspace import Workspace
from tests.genotype_files import hla, line, table
from tests.small_store import NO_GENOME, SmallStore
from tests.store_dump import counts, dump
from tests.vcf_files import vcf


class Tables:
    """Ingests tables into one store."""

    def __init__(self, database: Database, folder: Path, **settings: Any) -> None:
        self.database = database
        self.folder = folder
        self.workspace = Workspace(Settings(home=folder, **settings), database, NO_GENOME)

    def store(self, *lines: dict[str, str], replace: bool = False) -> HaplotypeReport:
        return self.store_text(table(*lines), replace=replace)

    def store_text(self, text: str | bytes, *, replace: bool = False) -> HaplotypeReport:
        path = self.folder / "g.tsv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return ingest_haplotypes(self.workspace, path, replace=replace)

    def refused(self, *lines: dict[str, str], **options: Any) -> list[tuple[int | None, str | None, str]]:
        """Return line, column and problem of everything that is wrong; the store must stay as it was."""
        return self.refused_text(table(*lines), **options)

    def refused_text(self, text: str | bytes, **options: Any) -> list[tuple[int | None, str | None, str]]:
        before = dump(self.database)
        with pytest.raises((BadFile, SeveralProblems)) as caught:
            self.store_text(text, **options)
        assert dump(self.database) == before
        problems = caught.value.issues()
        assert all(isinstance(problem, BadFile) and problem.mend for problem in problems)
        return [(p.line_1based, p.field, p.problem) for p in problems if isinstance(p, BadFile)]

    def of(self, subject: str) -> list[Genotype]:
        with self.database.read() as session:
            return genotypes.of_subject(session, subject)

    def codes(self, subject: str) -> list[tuple[str, str]]:
        return [(found.test_id, found.name.code) for found in self.of(subject)]

    def counter(self, name: str) -> int:
        with self.database.read() as session:
            return counters.value(session, name)


@pytest.fixture
def tables(database: Database, tmp_path: Path) -> Tables:
    return Tables(database, tmp_path)


def test_a_line_comes_back_whole(tables: Tables) -> None:
    report = tables.store(
        line(
            "P1",
            "CYP2C19 *1/*17",
            specimen_id="SP",
            genotype_display="one, seventeen",
            haplotypes="CYP2C19 *1 ; CYP2C19 *17",
            source_class="Germline",
        ),
        hla("P2", "DRB1*13:AKBAR", "DRB1*13:01", "DRB1*13:02", locus="DRB1"),
    )

    [one] = tables.of("P1")
    assert (one.subject_id, one.test_id, one.test_date, one.specimen_id) == ("P1", "T1", None, "SP")
    assert one.source_class is SourceClass.GERMLINE
    assert (one.name.gene_id, one.name.gene_symbol) == ("HGNC:2621", "CYP2C19")
    assert (one.name.system, one.name.code) == ("http://www.pharmvar.org", "CYP2C19 *1/*17")
    assert (one.name.display, one.name.haplotypes) == ("one, seventeen", ("CYP2C19 *1", "CYP2C19 *17"))
    [other] = tables.of("P2")
    assert other.name.hla_alleles == ("DRB1*13:01", "DRB1*13:02")
    assert (other.specimen_id, other.source_class, other.name.display) == (None, SourceClass.UNSPECIFIED, None)
    with tables.database.read() as session:
        assert genotypes.with_uid(session, one.uid) == one
        assert genotypes.with_uid(session, "0" * 16) is None
    assert (report.lines, report.written.added, report.written.subjects_new, report.written.studies_new) == (2, 2, 2, 2)


def test_a_genotype_is_stored_once_for_everybody_who_has_it(tables: Tables) -> None:
    tables.store(*(line(f"P{n}") for n in range(5)), line("P0", "CYP2C19 *2/*17"))

    stored = counts(tables.database)
    assert (stored["genotype_name"], stored["genotype"], stored["subject"]) == (2, 6, 5)
    assert tables.counter(counters.GENOTYPES) == 6
    assert tables.counter(counters.SUBJECTS) == 5


def test_the_same_file_again_changes_nothing(tables: Tables) -> None:
    first = tables.store(line("P1"), line("P2"))
    before = dump(tables.database)

    again = tables.store(line("P1"), line("P2"))

    assert dump(tables.database) == before
    assert (first.is_repeated, again.is_repeated, again.lines) == (False, True, 2)


def test_a_line_that_another_file_brought_is_known(tables: Tables) -> None:
    tables.store(line("P1"))

    report = tables.store(line("P1"), line("P1"), line("P1", "CYP2C19 *2/*2"))

    assert (report.written.added, report.written.known) == (1, 2)
    assert tables.codes("P1") == [("T1", "CYP2C19 *1/*17"), ("T1", "CYP2C19 *2/*2")]


def test_a_file_that_adds_nothing_leaves_no_run(tables: Tables) -> None:
    tables.store(line("P1"))
    tables.store(line("P1"), line("P1"))

    assert counts(tables.database)["ingest_run"] == 1


def test_data_version_changes_with_what_is_stored(tables: Tables) -> None:
    versions = [tables.counter(counters.DATA_VERSION)]
    tables.store(line("P1"))
    versions.append(tables.counter(counters.DATA_VERSION))
    tables.store(line("P1"), replace=True)
    versions.append(tables.counter(counters.DATA_VERSION))

    assert len(set(versions)) == 3


def test_replacing_withdraws_the_genotypes_of_the_tests_in_the_file(tables: Tables) -> None:
    tables.store(line("P1"), line("P1", "CYP2C19 *2/*3"), line("P1", test_id="T2"), line("P2"))

    report = tables.store(line("P1", "CYP2C19 *4/*5"), replace=True)

    assert tables.codes("P1") == [("T1", "CYP2C19 *4/*5"), ("T2", "CYP2C19 *1/*17")]
    assert tables.codes("P2") == [("T1", "CYP2C19 *1/*17")]
    assert report.written.withdrawn == 2
    assert tables.counter(counters.GENOTYPES) == 3
    with tables.database.read() as session:
        assert [code for (code,) in session.run("select code from genotype_name where code like '%*2/*3'")] == []


def test_replacing_with_the_same_file_stores_it_once(tables: Tables) -> None:
    tables.store(line("P1"), line("P2"))

    report = tables.store(line("P1"), line("P2"), replace=True)

    assert (report.written.added, report.written.withdrawn, report.is_repeated) == (2, 2, False)
    stored = counts(tables.database)
    assert (stored["genotype"], stored["genotype_name"], stored["ingest_run"]) == (2, 1, 1)
    assert tables.store(line("P1"), line("P2")).is_repeated


def test_replacing_corrects_a_display(tables: Tables) -> None:
    tables.store(line("P1", genotype_display="wrong"))
    assert tables.refused(line("P1", genotype_display="right"))

    tables.store(line("P1", genotype_display="right"), replace=True)

    assert [found.name.display for found in tables.of("P1")] == ["right"]


def test_a_genotype_joins_the_test_that_a_vcf_brought(tables: Tables, tmp_path: Path) -> None:
    store = SmallStore(tables.database, tmp_path)
    store.ingest(vcf("chr1 100 . A G 50 PASS . GT 0/1"), "P1", test="T1", test_date="2026-01-02", specimen="SP")

    report = tables.store(line("P1", specimen_id="SP"))

    [found] = tables.of("P1")
    assert (found.test_date, found.specimen_id) == ("2026-01-02", "SP")
    assert (report.written.subjects_new, report.written.studies_new) == (0, 0)
    tables.store(line("P1", "CYP2C19 *2/*2"), replace=True)
    assert store.in_range("P1", "NC_000001.11:0-1000").present


def test_a_vcf_tells_the_build_of_a_test_that_a_genotype_brought(tables: Tables, tmp_path: Path) -> None:
    tables.store(line("P1"))
    with tables.database.read() as session:
        assert session.run("select build from study") == [(None,)]

    store = SmallStore(tables.database, tmp_path)
    store.ingest(vcf("chr1 100 . A G 50 PASS . GT 0/1"), "P1", test="T1", test_date="2026-01-02")

    with tables.database.read() as session:
        assert session.run("select build, test_date from study") == [("GRCh38", "2026-01-02")]
    assert store.in_range("P1", "NC_000001.11:0-1000").present
    assert [found.test_date for found in tables.of("P1")] == ["2026-01-02"]


def test_calls_need_a_build() -> None:
    assert StudyFacts("T1", Build.GRCH37).build_of_calls is Build.GRCH37
    with pytest.raises(InvalidInput, match="T1"):
        _ = StudyFacts("T1", None).build_of_calls


def test_an_erased_subject_leaves_no_genotype(tables: Tables) -> None:
    tables.store(line("P1"), line("canary", "CYP2C19 *99/*98", test_id="canary-test"), line("canary"))
    tables.store(line("canary", "CYP2C19 *97/*98", test_id="canary-test"))

    bulk.erase_subject(tables.database, "canary")

    content = dump(tables.database)
    assert not any(mark in repr(content) for mark in ("canary", "*99", "*97"))
    assert {table: len(content[table]) for table in ("genotype", "genotype_name", "study", "ingest_run")} == {
        "genotype": 1, "genotype_name": 1, "study": 1, "ingest_run": 1,
    }  # fmt: skip
    assert tables.codes("P1") == [("T1", "CYP2C19 *1/*17")]
    assert tables.counter(counters.GENOTYPES) == 1


def test_every_problem_of_a_file_is_told_with_line_and_column(tables: Tables) -> None:
    found = tables.refused(
        line("P1"),
        line("a b"),
        line(""),
        line("P1", ""),
        line("P1", test_id=""),
        line("P1", gene_id="2621"),
        line("P1", gene_id="", gene_symbol=""),
        line("P1", genotype_system="pharmvar"),
        line("P1", genotype_system=""),
        line("P1", source_class="tumour"),
        line("P1", "x" * 20_001),
        line("P1", haplotypes="a\x01b"),
        line("P1", specimen_id="x" * 201),
        line("P1", hla_alleles=";".join(["A*01:01"] * 2001)),
    )
    assert [(where, field) for where, field, _ in found] == [
        (3, "subject_id"),
        (4, "subject_id"),
        (5, "genotype_code"),
        (6, "test_id"),
        (7, "gene_id"),
        (8, "gene_id"),
        (9, "genotype_system"),
        (10, "genotype_system"),
        (11, "source_class"),
        (12, "genotype_code"),
        (13, "haplotypes"),
        (14, "specimen_id"),
        (15, "hla_alleles"),
    ]


def test_lines_that_contradict_each_other_or_the_store_are_told(tables: Tables) -> None:
    tables.store(line("P0", specimen_id="SP-1"))

    found = tables.refused(
        line("P1", haplotypes="a ; b"),
        line("P1", haplotypes="a ; c"),
        line("P2", specimen_id="SP-1"),
        line("P2", "CYP2C19 *2/*2", specimen_id="SP-2"),
        line("P0", "CYP2C19 *2/*2", specimen_id="SP-9"),
    )
    assert [(where, field) for where, field, _ in found] == [(3, "genotype_code"), (5, "test_id"), (6, "test_id")]
    assert "SP-1 in the store and SP-2 in the input" in found[1][2]


@pytest.mark.parametrize(
    ("text", "where", "field"),
    [
        ("subject_id\ttest_id\nP1\tT1\n", 1, "specimen_id"),
        (table(line()).replace("hla_alleles", "haplotypes"), 1, "hla_alleles"),
        (table(line()) + "P1\tT1\n", 3, "columns"),
        (table(line()).replace("\t", ","), 1, "subject_id"),
        (table(line()).encode().replace(b"CYP2C19 *1", b"\xff"), 2, None),
    ],
    ids=["missing", "twice", "short", "commas", "not-utf-8"],
)
def test_what_is_no_such_table_is_refused(tables: Tables, text: str | bytes, where: int, field: str | None) -> None:
    [(line_1based, column, _)] = tables.refused_text(text)
    assert (line_1based, column) == (where, field)


def test_blanks_in_a_code_are_single(tables: Tables) -> None:
    tables.store(line("P1", "CYP2C19  *1/*17"))

    assert tables.codes("P1") == [("T1", "CYP2C19 *1/*17")]


def test_a_quote_is_a_character_like_any_other(tables: Tables) -> None:
    tables.store(line("P1", genotype_display='the "fast" one'), line("P2", genotype_display='"'))

    assert [found.name.display for found in tables.of("P1") + tables.of("P2")] == ['the "fast" one', '"']


def test_problems_are_not_collected_without_end(tables: Tables) -> None:
    found = tables.refused(*(line("P1", gene_id="?") for _ in range(5000)))
    assert 1000 <= len(found) <= 2000


def test_a_file_that_is_not_there_or_too_long_is_refused(database: Database, tmp_path: Path) -> None:
    tables = Tables(database, tmp_path, vcf_max_line_bytes=1024)
    with pytest.raises(NotFound):
        ingest_haplotypes(tables.workspace, tmp_path / "none.tsv")
    with pytest.raises(LimitExceeded):
        tables.store(line("P1", "x" * 3000))


def test_an_error_in_the_middle_leaves_nothing(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tables.store(line("P0"))
    before, calls = dump(tables.database), []

    def fail(*arguments: Any) -> bool:
        calls.append(arguments)
        if len(calls) == 3:
            raise OperonError("broken")
        return add(*arguments)

    add = genotypes.add
    monkeypatch.setattr(genotypes, "add", fail)
    with pytest.raises(OperonError, match="broken"):
        tables.store(*(line(f"P{n}") for n in range(5)), replace=True)

    assert dump(tables.database) == before


def test_a_second_ingest_at_the_same_time_is_refused(tables: Tables) -> None:
    with tables.database.sole_writer(), pytest.raises(Busy):
        tables.store(line("P1"))


def test_new_subjects_are_numbered_after_those_that_are_known(tables: Tables) -> None:
    bulk.store_subjects(tables.database, [Subject("P1")], "x")
    tables.store(line("P2"), line("P1"))

    with tables.database.read() as session:
        assert session.run("select subject_id, ordinal from subject order by ordinal") == [("P1", 0), ("P2", 1)]
