"""Operon's own tables of pharmacogenetics: written and read again they are the same; what is wrong names its place."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadFile, LimitExceeded
from app.formats.pgx import (
    DiplotypeResult,
    Drug,
    DrugName,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Pair,
    PgxContent,
    Ploidy,
    Position,
    Product,
    Provenance,
    Recommendation,
    ScoreRule,
    Text,
)
from app.formats.pgx_names import diplotype_key
from app.formats.pgx_rows import MAX_LINE_BYTES
from app.formats.pgx_tables import COLUMNS, TABLES, read_folder, write_tables

texts = st.text(st.characters(codec="utf-8", exclude_characters=";"), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and text.splitlines() == [text]
)
free_texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
maybe = st.one_of(st.just(""), free_texts)
bases = st.sampled_from(("A", "C", "G", "T", "CAT", "GA"))


def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(items, max_size=3, unique=True).map(tuple)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    alleles = tuple(draw(st.lists(bases, min_size=2, max_size=4, unique=True)))
    start37 = draw(st.one_of(st.none(), st.integers(0, 1 << 27)))
    return Position(
        draw(texts),
        draw(st.integers(1, 25)),
        draw(st.integers(0, 1 << 27)),
        alleles,
        start37,
        () if start37 is None else alleles,
        "" if start37 is None else draw(st.sampled_from(("", *alleles))),
    )


@st.composite
def genes(draw: st.DrawFn) -> Gene:
    places = tuple(draw(st.lists(positions(), max_size=3, unique_by=lambda position: position.name)))
    names = draw(st.lists(texts.filter(lambda name: "/" not in name), max_size=4, unique=True))
    reference = draw(st.integers(0, len(names)))
    alleles = []
    for at, name in enumerate(names):
        cells = tuple(
            place.ref38 if at == reference else draw(st.sampled_from(("", "N", *place.alleles38))) for place in places
        )
        activity = draw(st.sampled_from(("", "n/a", "0.25")))
        alleles.append(
            NamedAllele(name, cells, at == reference, draw(st.booleans()), draw(maybe), activity, draw(maybe))
        )
    pairs = st.tuples(texts, st.one_of(st.just(""), texts)).map(lambda pair: (max(pair), min(pair)))
    among = draw(lists(texts))
    return Gene(
        symbol=draw(texts),
        hgnc=draw(maybe),
        pharmgkb=draw(maybe),
        contig=draw(st.integers(1, 25)),
        method=draw(st.sampled_from(Method)),
        positions=places,
        alleles=tuple(alleles),
        ploidy=draw(st.sampled_from(Ploidy)),
        required=tuple(place.name for place in places[:1]),
        tier1=tuple(place.name for place in places[1:]),
        ignored_alleles=tuple(names[:2]),
        undocumented_as_reference=draw(st.booleans()),
        priorities=((among[0], among),) if among else (),
        rules=tuple(FunctionRule(*pair, draw(texts)) for pair in draw(st.lists(pairs, max_size=3, unique=True))),
        scores=draw(st.sampled_from(((), (ScoreRule(0.0, 1.25, "PM"), ScoreRule(1.25, math.inf, "NM"))))),
        results={
            diplotype_key(name, names[0]): DiplotypeResult(draw(maybe), draw(maybe), draw(maybe)) for name in names
        },
        description=draw(maybe),
    )


@st.composite
def contents(draw: st.DrawFn) -> PgxContent:
    found = tuple(draw(st.lists(genes(), max_size=2, unique_by=lambda gene: gene.symbol)))
    ids = draw(st.lists(texts, max_size=2, unique=True))
    lookups = (
        st.dictionaries(st.sampled_from([gene.symbol for gene in found]), free_texts, min_size=1) if found else None
    )
    recommendations = tuple(
        Recommendation(
            recommendation_id=drug_id,
            drug_id=drug_id,
            source=draw(texts),
            lookup=draw(lookups),
            text=draw(free_texts),
            population=draw(maybe),
            implications={"X": draw(free_texts)},
            grade=draw(st.sampled_from(("", "A", "D"))),
            alternatives=draw(lists(texts)),
        )
        for drug_id in ids
        if lookups is not None
    )
    return PgxContent(
        genes=found,
        drugs=tuple(Drug(drug_id, draw(free_texts), "17", draw(lists(texts))) for drug_id in ids),
        drug_names=tuple(DrugName(drug_id, "trade", draw(free_texts), "fi", "FI") for drug_id in ids),
        products=tuple(Product(drug_id, "17", draw(maybe), "SCD") for drug_id in ids),
        pairs=tuple(Pair("ANY", drug_id, "A", pmids=draw(lists(texts))) for drug_id in ids),
        recommendations=recommendations,
        texts=tuple(Text(drug_id, "fi", draw(free_texts), "template") for drug_id in ids),
        provenance=tuple(Provenance(drug_id, draw(free_texts), "CC0 1.0", draw(maybe), draw(maybe)) for drug_id in ids),
    )


def read(tables: dict[str, bytes]) -> PgxContent:
    return read_folder({table: (io.BytesIO(data), f"{table}.tsv") for table, data in tables.items()})


@given(contents())
def test_what_is_written_is_read_again(content: PgxContent) -> None:
    assert read(write_tables(content)) == content


def test_every_table_is_written() -> None:
    assert tuple(write_tables(PgxContent())) == TABLES


def test_a_table_that_is_not_there_says_nothing() -> None:
    assert read({}) == PgxContent()


SMALL: dict[str, list[str]] = {
    "gene": [
        " ".join(COLUMNS["gene"]),
        "TPMT HGNC:12014 PA356 6 phenotype no rs1 - - - yes -",
    ],
    "position": [
        "gene name contig pos38_1based alleles38 pos37_1based alleles37 ref37",
        "TPMT rs1 6 18138997 C,T 18139228 C,T C",
    ],
    "allele": [
        "gene allele reference structural function activity core_of",
        "TPMT *1 yes no Normal - -",
        "TPMT *3B no no No 0.5 -",
    ],
    "allele_cell": ["gene allele position base", "TPMT *1 rs1 C", "TPMT *3B rs1 T"],
    "function_rule": ["gene first second phenotype", "TPMT Normal No IM"],
    "score_rule": ["gene least below phenotype", "TPMT 0 1 PM"],
    "diplotype": ["gene diplotype phenotype activity lookup", "TPMT *1/*3B IM - -"],
    "priority": ["gene pick among", "TPMT *1/*3B *1/*3B"],
    "drug": ["drug_id name rxnorm atc pharmgkb drugbank", "d1 azathioprine 1256 L04AX01 - -"],
    "drug_name": ["drug_id kind name language country", "d1 trade Imuran en GB"],
    "pair": ["gene drug_id level status guideline pmids", "TPMT d1 A Final - -"],
    "recommendation": [
        " ".join(COLUMNS["recommendation"]),
        'r1 d1 CPIC - {"TPMT":"IM"} - - Reduce - - - -',
    ],
    "text": ["key language text origin", "k en Word template"],
}


def small(table: str = "", old: str = "", new: str = "", row: str = "") -> dict[str, bytes]:
    """Return small tables, one of them changed; blanks stand for tabs and ``-`` for an empty cell."""
    lines = {name: [*rows, row] if row and name == table else rows for name, rows in SMALL.items()}
    joined = {name: "\n".join(rows) for name, rows in lines.items()}
    if old:
        assert old in joined[table]
        joined[table] = joined[table].replace(old, new, 1)
    return {
        name: "\n".join(
            "\t".join("" if cell == "-" else cell for cell in line.split(" ")) for line in text.split("\n")
        ).encode()
        for name, text in joined.items()
    }


def test_small_tables_are_read() -> None:
    content = read(small())
    (gene,) = content.genes
    assert gene.positions == (Position("rs1", 6, 18138996, ("C", "T"), 18139227, ("C", "T"), "C"),)
    assert gene.alleles[1] == NamedAllele("*3B", ("T",), function="No", activity="0.5")
    assert gene.required == ("rs1",)
    assert content.recommendations[0].lookup == {"TPMT": "IM"}


@pytest.mark.parametrize(
    ("table", "old", "new", "line", "field"),
    [
        ("position", "TPMT rs1", "TPMTX rs1", 2, "gene"),
        ("position", "C,T 1813", "C 1813", 2, "alleles38"),
        ("position", "C,T 1813", "C,t 1813", 2, "alleles38"),
        ("position", "C,T 1813", "C,C 1813", 2, "alleles38"),
        ("position", "18138997", "0", 2, "pos38_1based"),
        ("position", "18138997", "18138997.0", 2, "pos38_1based"),
        ("position", "18139228 C,T C", "18139228 C C", 2, "alleles37"),
        ("position", "18139228 C,T C", "- C,T C", 2, "alleles37"),
        ("position", "18139228 C,T C", "18139228 C,T G", 2, "ref37"),
        ("position", "rs1 6", "rs1 26", 2, "contig"),
        ("gene", "phenotype", "guess", 2, "method"),
        ("gene", "6 phenotype no", "6 phenotype Y", 2, "ploidy"),
        ("gene", "- - - yes", "- - - maybe", 2, "undocumented_as_reference"),
        ("gene", " rs1 ", " rs2 ", 2, "required"),
        ("gene", "- - - yes", "- - *9 yes", 2, "ignored_alleles"),
        ("allele", "*3B no", "*3B yes", 3, "reference"),
        ("allele", "*3B", "*1", 3, "allele"),
        ("allele", "0.5", "half", 3, "activity"),
        ("allele", "0.5", "-0.5", 3, "activity"),
        ("allele_cell", "rs1 T", "rs1 G", 3, "base"),
        ("allele_cell", "rs1 T", "rs1 -", 3, "base"),
        ("allele_cell", "rs1 T", "rs2 T", 3, "position"),
        ("allele_cell", "*3B", "*4", 3, "allele"),
        ("function_rule", "Normal No IM", "- No IM", 2, "first"),
        ("function_rule", "Normal No IM", "Normal No -", 2, "phenotype"),
        ("score_rule", "0 1 PM", "1 1 PM", 2, "below"),
        ("score_rule", "0 1 PM", "nan 1 PM", 2, "least"),
        ("diplotype", "*1/*3B", "*3B/*1", 2, "diplotype"),
        ("priority", "*1/*3B *1/*3B", "*1/*3B *1/*2", 2, "pick"),
        ("drug", "1256", "R1256", 2, "rxnorm"),
        ("drug_name", "d1", "d2", 2, "drug_id"),
        ("drug_name", "trade", "brand", 2, "kind"),
        ("pair", "d1", "d2", 2, "drug_id"),
        ("recommendation", "d1", "d2", 2, "drug_id"),
        ("recommendation", '{"TPMT":"IM"}', '{"NUDT15":"IM"}', 2, "lookup"),
        ("recommendation", '{"TPMT":"IM"}', '{"TPMT":1}', 2, "lookup"),
        ("recommendation", '{"TPMT":"IM"}', "{TPMT}", 2, "lookup"),
        ("recommendation", '{"TPMT":"IM"}', "-", 2, "lookup"),
        ("recommendation", "Reduce - - -", "Reduce - - E", 2, "grade"),
        ("recommendation", "Reduce", "-", 2, "text"),
        ("text", "template", "rumour", 2, "origin"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(table: str, old: str, new: str, line: int, field: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(small(table, old, new))
    assert (caught.value.source, caught.value.line_1based, caught.value.field) == (f"{table}.tsv", line, field)


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [
        ("gene", SMALL["gene"][1], "gene"),
        ("position", SMALL["position"][1], "name"),
        ("allele_cell", SMALL["allele_cell"][1], "position"),
        ("function_rule", "TPMT No Normal PM", "first"),
        ("score_rule", "TPMT 0.5 2 NM", "least"),
        ("diplotype", SMALL["diplotype"][1], "diplotype"),
        ("drug", SMALL["drug"][1], "drug_id"),
        ("drug_name", SMALL["drug_name"][1], "name"),
        ("pair", SMALL["pair"][1], "drug_id"),
        ("recommendation", SMALL["recommendation"][1], "recommendation_id"),
        ("text", SMALL["text"][1], "key"),
    ],
)
def test_a_row_that_is_there_twice_is_refused(table: str, row: str, field: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(small(table, row=row))
    assert (caught.value.line_1based, caught.value.field) == (len(SMALL[table]) + 1, field)


def test_a_reference_allele_says_something_everywhere() -> None:
    tables = small("position", row="TPMT rs2 6 18130687 T,C - - -")
    with pytest.raises(BadFile, match="says nothing at") as caught:
        read(tables)
    assert (caught.value.source, caught.value.line_1based) == ("allele.tsv", 2)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the column is missing"),
        (b"gene\tallele\tposition\n", "the column is missing"),
        (b"gene\tgene\tallele\tposition\tbase\n", "the column is there twice"),
        (b"gene\tallele\tposition\tbase\nTPMT\t*1\trs1\n", "3 cells in place of 4"),
        (b"gene\tallele\tposition\tbase\nTPMT\t*1\trs1\t\xff\n", "it is not UTF-8 text"),
        (b"gene\tallele\tposition\tbase\nTPMT\t\\q\trs1\tC\n", "a backslash without a meaning"),
        (b"gene\tallele\tposition\tbase\nTPMT\t\\\trs1\tC\n", "a backslash without a meaning"),
    ],
)
def test_a_table_that_is_no_table_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        read({**small(), "allele_cell": data})


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        read({**small(), "text": b"key\t" + b"x" * MAX_LINE_BYTES})


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(BadFile, match="the table is not known"):
        read({"alleles": b""})


def test_line_ends_of_windows_and_further_columns_are_read() -> None:
    tables = small()
    tables["text"] = b"\xef\xbb\xbfkey\tlanguage\ttext\torigin\tremark\r\nk\ten\ta\\tb\\\\\ttemplate\tmine\r\n"
    assert read(tables).texts == (Text("k", "en", "a\tb\\", "template"),)
