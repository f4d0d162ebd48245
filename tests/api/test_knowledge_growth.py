"""Counts of implications read who has a concept, and nothing of what leads there, however much that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest

from app.config import Settings
from app.main import create_app
from app.store.session import Database
from bench.generate import SingleVcf, bases_for, single_vcf
from bench.genomes import synthetic_genome
from bench.haplotype_count import filled as haplotypes
from bench.knowledge_count import DRUGS, add_carriers, load_both
from bench.releases import SYSTEM, SyntheticRelease, code_of
from bench.statements import counted
from bench.stores import Stores, context_of, ingest_vcf, stores
from tests.api.client import Client

RECORDS = 600
TABLES = re.compile(r"\b(?:from|join) ([a-z_]+)")
UNION = {
    *("counter", "knowledge_release", "knowledge_concept", "knowledge_union"),
    *("stated_implication", "terminology_release", "terminology_map"),
}
"""All that a count by one criterion may read: the concept and its translations, who has it, totals, and whether reports
state anything at all"""
GENOTYPES = {"genotype_term", "knowledge_genotype", "knowledge_item", "carrier", "carrier_page"}
"""What it reads of genotypes besides: treatments are implied by these, too"""


MOST_STATEMENTS = 16
"""Of one question about a genome, however much is known and found"""


@dataclass(frozen=True, slots=True)
class Served:
    """A store with two releases, and a client over it."""

    client: Client
    database: Database
    release: SyntheticRelease

    def ask(self, question: str) -> tuple[bytes, list[str]]:
        with counted(self.database) as sent:
            answer = self.client.get(f"/fhir/${question}")
        assert answer.status == 200, answer.body[:500]
        return answer.body, sent

    def count(self, question: str) -> tuple[int, list[str]]:
        body, sent = self.ask(question)
        parts = {part["name"]: part for part in orjson.loads(body)["parameter"][0]["part"]}
        return int(parts["numerator"]["valueQuantity"]["value"]), sent


def filled(made: Stores, rows: int, subjects: int) -> Served:
    genome = synthetic_genome(bases_for(RECORDS))
    folder = made.folder / f"rows-{rows}"
    opened = genome.in_memory(folder)
    database = haplotypes(made, 10, 40)
    vcf: SingleVcf = single_vcf(folder / "single.vcf.gz", RECORDS, genome)
    ingest_vcf(database, opened, vcf.path, "S1")
    release = load_both(folder, (database, opened), genome, rows, conditions=30)
    add_carriers(database, subjects)
    context = context_of(database, opened)
    context.prepare()  # who is withheld from what is read as a whole, once for each state of the store
    return Served(Client(create_app(Settings(), context)), database, release)


@pytest.fixture(scope="module")
def sizes() -> Iterator[tuple[Served, Served]]:
    """Return a small store, and one with ten times the knowledge and thirty times the carriers."""
    with stores("sqlite") as made:
        both = filled(made, 300, 100), filled(made, 3_000, 3_000)
        yield both
        for one in both:
            one.client.close()


def tables(sent: list[str]) -> set[str]:
    return {name for statement in sent for name in TABLES.findall(statement)} - {"json_each"}


@pytest.mark.parametrize("condition", [f"{SYSTEM}%7C{code_of(0)}", f"{SYSTEM}%7C{code_of(2)}", "disorder", "00003x"])
def test_a_count_by_condition_reads_no_variant_no_call_and_no_item(sizes, condition):
    found = [one.count(f"find-population-dx-implications?conditions={condition}") for one in sizes]
    assert 0 < found[0][0] < found[1][0]
    assert len(found[0][1]) == len(found[1][1])
    for _, sent in found:
        assert tables(sent) <= UNION
        assert "knowledge_union" in tables(sent)


def test_a_count_by_treatment_reads_no_variant_and_no_call(sizes):
    found = [one.count(f"find-population-tx-implications?treatments={DRUGS}%7C7") for one in sizes]
    assert len(found[0][1]) == len(found[1][1])
    assert tables(found[1][1]) <= UNION | GENOTYPES


@pytest.mark.parametrize("condition", [0, 2, 9])
def test_a_question_about_a_genome_takes_as_many_statements_for_many_targets_as_for_few(sizes, condition):
    url = f"find-subject-dx-implications?subject=S1&conditions={SYSTEM}%7C{code_of(condition)}"
    found = [one.ask(url)[1] for one in sizes]
    assert all(len(sent) <= MOST_STATEMENTS for sent in found), found[1]


def test_the_large_store_has_more_targets(sizes):
    small, large = (one.release.targets for one in sizes)
    assert large[0] > 8 * small[0]
    assert large[2] > 5 * small[2]
