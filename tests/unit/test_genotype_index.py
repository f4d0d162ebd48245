"""The index of words and codes of genotypes says what the names and statements say, after every change of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.operations import haplotypes
from app.records import SourceClass
from app.store import bitmaps, bulk, carriers, counters, genotype_index, migrate
from app.store.session import Database, Session
from app.variants.allele_names import Word
from bench.statements import counted
from tests.genotype_files import IMGT, PHARMVAR, hla, line
from tests.small_store import SmallStore

LONG = "hla#3.33.0#" + "|".join(f"HLA-A*01:{one}+HLA-A*02:{one}" for one in range(10, 99))


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def written(database: Database) -> dict[str, Any]:
    """Return the index as values."""
    with database.read() as session:
        terms = {
            (kind, text, system): set(bitmaps.unpack(names))
            for kind, text, system, names in session.run("select kind, text, system, names from genotype_term")
        }
        ids = [row[0] for row in session.run("select id from genotype_name")]
        return {"terms": terms, "carriers": _carriers(session, ids)}


def _carriers(session: Session, name_ids: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    found: dict[int, dict[str, list[int]]] = {}
    ids = {genotype_index.carrier_id(name_id): name_id for name_id in name_ids}
    for source_class in SourceClass:
        for id_, shards in carriers.fetch(session, list(ids), source_class).items():
            if carriers.size(shards):
                found.setdefault(ids[id_], {})[source_class.word] = carriers.ordinals(shards)
    return found


def rebuilt(database: Database) -> dict[str, Any]:
    """Return the index as the names and statements have it, and leave the stored one as it was."""
    with database.write() as session:
        session.run("delete from genotype_term returning 1")
        session.run("delete from carrier where variant_id < 0 returning 1")
        session.run("delete from carrier_page where page < 0 returning 1")
        genotype_index.rebuild(session)
    return written(database)


def some_lines(seed: int, count: int) -> list[dict[str, str]]:
    """Return genotypes of a few subjects and tests, many of them alike."""
    chance = random.Random(seed)
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for _ in range(count):
        subject, test = f"P{chance.randrange(30)}", f"T{chance.randrange(3)}"
        one, other = (f"{chance.randrange(1, 6):02d}:{chance.randrange(1, 4):02d}" for _ in "ab")
        source_class = chance.choice(["", "germline", "somatic"])
        more = {"test_id": test, "source_class": source_class}
        if chance.random() < 0.5:
            names = f"HLA-B*{one}", f"HLA-B*{other}"
            made = hla(subject, "+".join(names), *names, haplotypes=" ; ".join(names), **more)
        else:
            made = line(subject, f"CYP2C19 *{one[1]}/*{other[1]}", **more)
        lines[subject, test, made["genotype_code"]] = made
    return list(lines.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_the_index_is_what_the_names_and_statements_say_after_every_change(store: SmallStore, seed: int) -> None:
    lines = some_lines(seed, 300)
    store.genotypes(*lines[:100])
    store.genotypes(*lines[100:])
    assert len(written(store.database)["terms"]) > 30
    assert any(len(of) > 1 for of in written(store.database)["carriers"].values())
    assert written(store.database) == rebuilt(store.database)
    again = [one | {"genotype_code": "CYP2C19 *9/*9", "gene_symbol": "CYP2C19"} for one in lines[:5]]
    store.genotypes(*{(one["subject_id"], one["test_id"]): one for one in again}.values(), replace=True)
    assert written(store.database) == rebuilt(store.database)
    for subject in ("P0", "P1", "P2"):
        bulk.erase_subject(store.database, subject)
        assert written(store.database) == rebuilt(store.database)


def test_nothing_is_left_of_the_last_one(store: SmallStore) -> None:
    store.genotypes(line("P1", "CYP2C19 *1/*38", haplotypes="CYP2C19 *1 ; CYP2C19 *38"), line("P2"))
    store.genotypes(hla("P1", LONG, "HLA-A*01:01", locus="A"))
    bulk.erase_subject(store.database, "P1")
    terms = {text for _, text, _ in written(store.database)["terms"]}
    assert not any("38" in text or "hla" in text for text in terms)
    bulk.erase_subject(store.database, "P2")
    assert written(store.database) == {"terms": {}, "carriers": {}}
    with store.database.read() as session:
        assert [session.run(f"select * from {table}") for table in ("carrier", "carrier_page")] == [[], []]


def test_a_subject_stays_where_another_test_says_the_same(store: SmallStore) -> None:
    store.genotypes(line("P1", source_class="germline"), line("P1", test_id="T2", source_class="somatic"))
    store.genotypes(line("P1", "CYP2C19 *2/*2", source_class="germline"), replace=True)
    assert who(store, "*1/*17") == (["P1"], [], ["P1"])


def who(store: SmallStore, word: str) -> tuple[list[str], ...]:
    """Return who has a genotype, who by germline statements, and who by somatic ones."""
    classes = (None, SourceClass.GERMLINE, SourceClass.SOMATIC)
    return tuple(store.genotype_population([word], source_class=one)[0][3] for one in classes)


WORDS = (
    "HLA-B", "B*", "b*01", "HLA-B*01:02", "01:02", "1:0", "*04", "B*1", "B*11", "B*01:02+B*03:01",
    "B*03:01+HLA-B*01:02",
    "+B*03", "B*03:01+", "+", "/", "B/C", "CYP2C19", "2C1", "*1/*4", "CYP2C19 *4/*1", "*1/", "/*3", "CYP2C19 *1",
    "19*1/",
    f"{PHARMVAR}|CYP2C19 *1/*4", f"{IMGT}|HLA-B*01:02", "|HLA-B*01:02", "http://example.org|HLA-B*01:02",
    "http://glstring.org|HLA-B*01:02+HLA-B*03:01", "hla#", ".*", "nothing", "7", "cyp2c19_*2/*2",
)  # fmt: skip


@pytest.mark.parametrize("source_class", [None, SourceClass.GERMLINE, SourceClass.SOMATIC])
def test_whoever_is_counted_has_it_and_nobody_else(store: SmallStore, source_class: SourceClass | None) -> None:
    lines = some_lines(3, 120)
    store.genotypes(*lines)
    subjects = sorted({one["subject_id"] for one in lines})
    has = {one: store.has_genotype(one, *WORDS, source_class=source_class) for one in subjects}
    counted_ones = store.genotype_population(WORDS, source_class=source_class)
    for at, (_, numerator, denominator, found) in enumerate(counted_ones):
        assert found == [one for one in subjects if has[one][at]], WORDS[at]
        assert (numerator, denominator) == (len(found), len(subjects))
    assert 8 < sum(numerator > 0 for _, numerator, _, _ in counted_ones) < len(WORDS) - 5


def test_subjects_of_a_second_shard_are_counted(store: SmallStore) -> None:
    store.genotypes(line("P1"))
    with store.database.write() as session:
        counters.allocate(session, counters.SUBJECT_ORDINAL, 70_000)
    store.genotypes(line("P2"), *(line(f"Q{number}") for number in range(20)))
    assert store.genotype_population(["CYP2C19"])[0][1:3] == (22, 22)
    store.genotypes(line("Q1", "CYP2C19 *2/*2", source_class="germline", test_id="T2"))
    assert who(store, "CYP2C19 *2") == (["Q1"], ["Q1"], [])


def test_names_that_are_longer_than_a_key_are_found(store: SmallStore) -> None:
    store.genotypes(hla("P1", LONG, "HLA-A*01:01", locus="A"))
    assert len(LONG) > 2_000
    found = store.genotype_population([LONG, f"http://glstring.org|{LONG}", "A*02:98", "A*01:50+A*02:50", "A*02:99"])
    assert [numerator for _, numerator, _, _ in found] == [1, 1, 1, 1, 0]


def test_a_store_of_the_schema_before_is_indexed_by_the_upgrade(store: SmallStore) -> None:
    store.genotypes(*some_lines(4, 200))
    before = written(store.database)
    migrate.downgrade(store.database, "0004")
    with store.database.read() as session:
        assert session.run("select 1 from carrier_page where page < 0") == []
    migrate.upgrade(store.database)
    assert written(store.database) == before


def test_another_spelling_of_a_stored_name_replaces_the_one_before(store: SmallStore) -> None:
    store.genotypes(line("P1"))
    with store.database.write() as session:
        session.run("update genotype_name set search = 'old*1' returning 1")
        for table in ("genotype_term", "carrier_page"):
            session.run(f"delete from {table} returning 1")
        genotype_index.rebuild(session)
    assert [found[1] for found in store.genotype_population(["old", "CYP2C19"])] == [1, 0]
    store.genotypes(line("P2"))
    assert [found[1] for found in store.genotype_population(["old", "CYP2C19"])] == [0, 2]
    assert written(store.database) == rebuilt(store.database)


def test_a_count_reads_neither_names_nor_statements(store: SmallStore) -> None:
    sent = []
    for number in range(2):
        store.genotypes(*some_lines(number, 30 + 300 * number))
        with counted(store.database) as statements:
            store.genotype_population(["HLA-B", "B*01", f"{IMGT}|HLA-B*01:01", "CYP2C19"], source_class=None)
        sent.append(len(statements))
        # A genotype's statements are as many as subjects, its names as combinations of alleles.
        assert not any("from genotype " in one or "from genotype_name" in one for one in statements)
    assert sent[0] == sent[1]


def test_a_word_of_several_pieces_reads_the_names_that_hold_all_of_them(store: SmallStore) -> None:
    store.genotypes(*some_lines(5, 200))
    with store.database.read() as session:
        word = Word("B*01:02+B*03:01")
        terms = genotype_index.find(session, [word], ())
        rows = session.run("select id, search from genotype_name")
    _, maybe = haplotypes._holding(terms, [word])
    holding = {name for name, text in rows if "hla-b*01:02" in text and "hla-b*03:01" in text}
    assert set(maybe) == holding
    assert 0 < len(holding) < len(rows) / 5
