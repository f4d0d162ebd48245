"""CPIC's database dump: its statements, its alleles in the spelling of a VCF, and what is said of genes and drugs."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping

import pytest

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats.cpic_alleles import NO_CELL, NO_FORM, NO_REFERENCE, NO_SEQUENCE, Fetch, Unspelled, place
from app.formats.cpic_sql import UNPLACED, read_cpic_sql
from app.formats.knowledge import Rejects
from app.formats.pgx import Method, PgxContent, ScoreRule
from app.formats.sql_inserts import SqlRow, read_inserts
from tests.cpic_dump import allele, cells, dump, insert, location

# The bases around UGT1A1's repeat, from the one before it on (GRCh38, zero-based 233,760,231).
UGT1A1 = {233_760_231: "GC" + "A" + "TA" * 7 + "AGTTTTTG"}
DPYD = {97_450_064: "ATG" + "GAC"}


def fetch_of(stretches: Mapping[int, str]) -> Fetch:
    """Return what reads stretches of one sequence."""

    def fetch(start: int, end: int) -> str | None:
        for at, bases in stretches.items():
            if at <= start and end <= at + len(bases):
                return bases[start - at : end - at]
        return None

    return fetch


def read(data: bytes, stretches: Mapping[int, Mapping[int, str]] | None = None) -> tuple[PgxContent, Rejects]:
    """Return what a dump says, given stretches of sequence by contig."""
    rejects = Rejects()
    known = {contig: fetch_of(some) for contig, some in (stretches or {}).items()}

    def bases(contig: int, start: int, end: int) -> str | None:
        return known[contig](start, end) if contig in known else None

    return read_cpic_sql(io.BytesIO(data), "dump.sql", bases, rejects, Settings()), rejects


# --- statements -------------------------------------------------------------------------------------------------------


def rows(text: str, *tables: str) -> list[SqlRow]:
    return list(read_inserts(io.BytesIO(text.encode()), "x.sql", tables or ("t",), Settings()))


def test_literals_are_read_as_postgresql_writes_them() -> None:
    text = (
        "INSERT INTO cpic.t (a, b, c, d, e, f) VALUES ('it''s (1), 2;', E'tab\\there\\'s', NULL, -1.5, true,"
        " '{\"a\": \"b''c\"}'::jsonb);\n"
    )
    [row] = rows(text)
    assert [row.text(name) for name in "abcde"] == ["it's (1), 2;", "tab\there's", "", "-1.5", "true"]
    assert (row.json("f"), row.flag("e"), row.flag("d")) == ({"a": "b'c"}, True, False)
    assert row.text("unheard", "a") == row.text("a")


def test_a_literal_over_several_lines_ends_where_its_quote_does() -> None:
    text = "INSERT INTO cpic.t (a) VALUES ('one;\nINSERT INTO cpic.t (a) VALUES (1);\n''two'');\nend');\n"
    assert [row.text("a") for row in rows(text)] == ["one;\nINSERT INTO cpic.t (a) VALUES (1);\n'two');\nend"]


def test_an_escaped_quote_does_not_end_a_literal() -> None:
    text = "INSERT INTO t (a, b) VALUES (E'x\\'\n);\\n', E'\\u00e9\\x41\\101');\nINSERT INTO t (a) VALUES ('y');\n"
    first, second = rows(text)
    assert (first.text("a"), first.text("b"), second.text("a"), second.line_1based) == ("x'\n);", "éAA", "y", 3)


def test_several_rows_of_one_statement_and_quoted_names_are_read() -> None:
    text = "INSERT INTO public.\"t\" (a, \"position\") VALUES\n\t('1', 2),\n\t('3', 4);\n"
    text += "INSERT INTO other (a) VALUES (1);\n"
    assert [(row.text("a"), row.text("position")) for row in rows(text)] == [("1", "2"), ("3", "4")]


def test_what_is_no_insert_of_the_tables_is_passed_over() -> None:
    text = (
        "CREATE TABLE t (a text DEFAULT 'x');\nINSERT INTO t (a) SELECT b FROM c;\nCOPY other (a) FROM stdin;\nx\n\\.\n"
    )
    assert rows(text) == []


@pytest.mark.parametrize(
    ("text", "array"),
    [("{}", ()), ("{a,b}", ("a", "b")), ('{"a b","c\\"d",e}', ("a b", 'c"d', "e")), ("a", ()), (None, ())],
)
def test_arrays_are_read(text: str | None, array: tuple[str, ...]) -> None:
    assert SqlRow("t", 1, {"a": text}).array("a") == array


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("INSERT INTO t (a) VALUES ('x);\n", "ends within a statement"),
        ("INSERT INTO t (a, b) VALUES ('x');\n", "2 columns, but 1 values"),
        ("INSERT INTO t (a) VALUES (now());\n", "cannot be read"),
        ("COPY cpic.t (a) FROM stdin;\nx\n\\.\n", "COPY"),
    ],
)
def test_a_damaged_dump_is_refused(text: str, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        rows(text)


def test_a_dump_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadFile, match="line 1: it is not UTF-8"):
        list(read_inserts(io.BytesIO(b"INSERT INTO t (a) VALUES ('\xff');\n"), "x.sql", ("t",), Settings()))


def test_a_statement_without_end_is_bounded() -> None:
    settings = Settings(fhir_max_resource_bytes=2000)
    text = b"INSERT INTO t (a) VALUES ('" + b"x\n" * 2000
    with pytest.raises(LimitExceeded):
        list(read_inserts(io.BytesIO(text), "x.sql", ("t",), settings))


# --- alleles ----------------------------------------------------------------------------------------------------------


def test_single_bases_need_no_sequence() -> None:
    found = place("g.94781859G>A", ["A", "G", "R"], fetch_of({}))
    assert (found.start, found.spellings) == (94_781_858, ("G", "A"))
    assert found.alleles == {"A": "A", "G": "G", "R": "R"}


def test_a_repeat_is_anchored_as_far_left_as_it_can_stand() -> None:
    found = place("g.233760235TA[6]; g.233760235TA[8]", ["TA(6)", "TA(7)", "TA(8)"], fetch_of(UGT1A1))
    assert found.start == 233_760_232
    assert found.alleles == {"TA(7)": "CAT", "TA(6)": "C", "TA(8)": "CATAT"}
    assert found.spellings[0] == "CAT"


@pytest.mark.parametrize(
    ("location", "cells", "bases", "start", "alleles"),
    [
        ("g.15del", ["A", "delA"], "GGCAAT", 12, {"A": "CA", "delA": "C"}),
        ("g.14_15delAA", ["AA", "delAA"], "GGCAAT", 12, {"AA": "CAA", "delAA": "C"}),
        ("g.15dup", ["A", "AA"], "GGCAAT", 12, {"A": "C", "AA": "CA"}),
        ("g.13_14insTT", ["del", "insTT"], "GGCAAT", 12, {"del": "C", "insTT": "CTT"}),
        ("g.13_14delinsTG", ["delCA", "insTG"], "GGCAAT", 12, {"delCA": "CA", "insTG": "TG"}),
        ("g.14A[1]", ["A(1)", "A(2)"], "GGCAAT", 12, {"A(1)": "C", "A(2)": "CA"}),
        ("g.14A[3]; g.15dup", ["A(2)", "A(3)"], "GGCAAT", 12, {"A(2)": "C", "A(3)": "CA"}),
    ],
)
def test_changes_of_length_are_spelled_by_the_sequence(
    location: str, cells: list[str], bases: str, start: int, alleles: dict[str, str]
) -> None:
    found = place(location, cells, fetch_of({10: bases}))
    assert (found.start, dict(found.alleles)) == (start, alleles)


@pytest.mark.parametrize(
    ("location", "cells", "bases", "problem"),
    [
        ("g.15del", ["A", "delA"], "", NO_SEQUENCE),
        ("g.14A[1]", ["A(1)", "A(2)"], "", NO_SEQUENCE),
        ("g.15del", ["T", "delT"], "GGCAAT", NO_CELL),
        ("g.15dup", ["T", "TT"], "GGCAAT", NO_REFERENCE),
        ("g.15dup", ["AAA", "AA"], "GGCAAT", NO_REFERENCE),
        ("g.13T[2]", ["T(1)", "T(2)"], "GGCAAT", NO_REFERENCE),
        ("g.13C>T; g.14A>G", ["C", "T"], "GGCAAT", NO_FORM),
        ("g.13C>T", ["A", "T"], "GGCAAT", NO_REFERENCE),
        ("somewhere", ["A", "delA"], "GGCAAT", NO_FORM),
        ("g.15_14del", ["A", "delA"], "GGCAAT", NO_FORM),
        ("g.14_15del", ["AA", "x"], "GGCAAT", NO_CELL),
    ],
)
def test_what_is_not_certain_is_not_spelled(location: str, cells: list[str], bases: str, problem: str) -> None:
    with pytest.raises(Unspelled, match=problem):
        place(location, cells, fetch_of({10: bases} if bases else {}))


# --- content ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uses_new_names", [True, False])
def test_a_dump_is_read_by_either_names_of_its_columns(uses_new_names: bool) -> None:
    content, rejects = read(gzip.compress(dump(uses_new_names=uses_new_names)))
    gene = content.gene("CYP2C19")
    assert gene is not None
    assert (gene.hgnc, gene.pharmgkb, gene.contig, gene.method) == ("HGNC:2621", "PA124", 10, Method.PHENOTYPE)
    assert [(position.name, position.start38, position.alleles38) for position in gene.positions] == [
        ("rs4244285", 94_781_858, ("G", "A")),
        ("rs3758581", 94_842_865, ("A", "G")),
    ]
    assert {one.name: one.cells for one in gene.alleles} == {
        "*38": ("G", "A"), "*1": ("", "G"), "*2": ("A", "G"), "*36": ("", ""),
    }  # fmt: skip
    assert gene.reference is not None
    assert gene.reference.name == "*38"
    assert [one.name for one in gene.alleles if one.is_structural] == ["*36"]
    assert rejects.by_cause == {UNPLACED: 2}


def test_results_are_of_diplotypes_whichever_name_comes_first() -> None:
    content, _ = read(dump())
    gene = content.gene("CYP2C19")
    assert gene is not None
    assert {key: one.phenotype for key, one in gene.results.items()} == {
        "*1/*1": "Normal Metabolizer",
        "*1/*38": "Normal Metabolizer",
        "*1/*2": "Intermediate Metabolizer",
        "*2/*2": "Poor Metabolizer",
    }
    assert [(rule.first, rule.second, rule.phenotype) for rule in gene.rules] == [
        ("No function", "No function", "Poor Metabolizer"),
        ("No function", "Normal function", "Intermediate Metabolizer"),
        ("Normal function", "Normal function", "Normal Metabolizer"),
    ]


def test_scores_hold_up_to_the_next_one_and_dpyd_gets_its_own_number() -> None:
    content, _ = read(dump())
    gene = content.gene("DPYD")
    assert gene is not None
    assert gene.hgnc == "HGNC:3012"
    assert gene.scores == (
        ScoreRule(0.0, 1.0, "Poor Metabolizer"),
        ScoreRule(1.0, 2.0, "Intermediate Metabolizer"),
        ScoreRule(2.0, float("inf"), "Normal Metabolizer"),
    )
    assert gene.results["Reference/c.1905+1G>A (*2A)"].lookup == "1.0"


def test_an_allele_whose_position_cannot_be_spelled_is_known_by_name_alone() -> None:
    content, rejects = read(dump())
    gene = content.gene("DPYD")
    assert gene is not None
    assert [position.name for position in gene.positions] == ["rs3918290"]
    assert {one.name: one.cells for one in gene.alleles} == {
        "Reference": ("C",), "c.1905+1G>A (*2A)": ("T",), "c.1898delC (*3)": ("",),
    }  # fmt: skip
    assert any("DPYD rs72549303" in one.problem and NO_SEQUENCE in one.problem for one in rejects.noted)


def test_with_the_sequence_every_position_is_spelled() -> None:
    content, rejects = read(dump(), {1: DPYD, 2: UGT1A1})
    dpyd, ugt1a1 = content.gene("DPYD"), content.gene("UGT1A1")
    assert dpyd is not None
    assert ugt1a1 is not None
    assert [(one.start38, one.alleles38) for one in dpyd.positions][1] == (97_450_064 + 1, ("TG", "T"))
    assert {one.name: one.cells for one in ugt1a1.alleles} == {"*1": ("CAT",), "*28": ("CATAT",), "*36": ("C",)}
    assert rejects.total == 0


def test_drugs_pairs_and_recommendations_are_read() -> None:
    content, _ = read(dump())
    clopidogrel, abacavir = content.drugs
    assert (clopidogrel.name, clopidogrel.rxnorm, clopidogrel.atc, clopidogrel.pharmgkb, clopidogrel.drugbank) == (
        "clopidogrel", "32968", ("B01AC04",), "PA449053", "DB00758",
    )  # fmt: skip
    assert abacavir.atc == ("J05AF06", "J05AR 02")
    assert [(pair.gene, pair.level, pair.pmids) for pair in content.pairs] == [
        ("CYP2C19", "A", ("35034351", "23698643")),
        ("HLA-B", "A", ("24561393",)),
    ]
    first, second = content.recommendations
    assert first.text == "Avoid clopidogrel.\nIt isn't activated; use another drug."
    assert (first.lookup, first.population, first.classification) == (
        {"CYP2C19": "Poor Metabolizer"},
        "ACS and PCI",
        "Strong",
    )
    assert (first.guideline, first.url) == ("CYP2C19 and Clopidogrel", "https://cpic.example/clopidogrel")
    assert (second.lookup, second.source) == ({"HLA-B": "*57:01 positive"}, "CPIC")


def test_rows_that_refer_to_nothing_are_told_and_passed_over() -> None:
    more = insert("pair", genesymbol="CYP2C19", drugid="RxNorm:0", cpiclevel="A")
    more += insert("recommendation", id=1, drugid="RxNorm:32968", lookupkey="no JSON", drugrecommendation="x")
    more += insert("gene_result_diplotype", id=1, functionphenotypeid=99999, diplotype="x", diplotypekey={})
    more += insert("gene_result_lookup", id=2, phenotypeid=99999, lookupkey={})
    more += allele(90, "NOGENE", "*1", "Normal function") + cells(3, l999="A")
    before, _ = read(dump())
    content, rejects = read(dump(more=more))
    assert len(content.pairs) == len(before.pairs)
    assert len(content.recommendations) == len(before.recommendations)
    assert rejects.total == 2 + 6


def test_two_positions_of_one_rsid_have_names_of_their_own() -> None:
    more = location(22, "CYP2C19", "g.94781860C>T", "rs4244285") + cells(3, l22="T") + cells(1, l22="C")
    content, _ = read(dump(more=more))
    gene = content.gene("CYP2C19")
    assert gene is not None
    assert [position.name for position in gene.positions] == ["rs4244285", "10-94781860-C", "rs3758581"]


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(BadFile, match="no genes or no alleles"):
        read(b"CREATE TABLE x (a text);\n")
