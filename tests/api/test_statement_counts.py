"""A request sends a fixed number of SQL statements, however many variants or subjects its answer has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.config import Settings
from app.main import create_app
from app.records import Build
from app.store.session import Database
from app.variants.accessions import accession
from bench.generate import SingleVcf, bases_for, single_vcf
from bench.genomes import CONTIG, synthetic_genome
from bench.statements import counted
from bench.stores import context_of, ingest_vcf, stores
from tests.api.client import Client

FIXED = 4
FIXED_FOR_POPULATION = 7
RECORDS = 3_200
SUBJECTS = ("S1", "S2", "S3")
REF_SEQ = accession(Build.GRCH37, CONTIG)
SUBJECT_RANGE = "/fhir/$find-subject-variants"
SUBJECT_SPECIFIC = "/fhir/$find-subject-specific-variants"
POPULATION = "/fhir/$find-population-specific-variants"


@dataclass(frozen=True, slots=True)
class Served:
    """A store of three subjects with the same 3,200 calls, and a client of the application over it."""

    client: Client
    database: Database
    vcf: SingleVcf

    def get(self, url: str) -> tuple[bytes, list[str]]:
        with counted(self.database) as sent:
            answer = self.client.get(url)
        assert answer.status == 200, answer.body[:500]
        return answer.body, sent

    def post(self, url: str, body: str) -> tuple[bytes, list[str]]:
        with counted(self.database) as sent:
            answer = self.client.form(url, body)
        assert answer.status == 200, answer.body[:500]
        return answer.body, sent

    def window(self, first: int, answers: int) -> str:
        """Return a range with the starts of exactly so many calls."""
        start, end = self.vcf.window(first, answers)
        return f"{REF_SEQ}:{start}-{end}"

    def spdis(self, answers: int) -> list[str]:
        """Return the first variants of the first subject."""
        body, _ = self.get(f"{SUBJECT_RANGE}?subject=S1&ranges={self.window(0, answers)}&includeVariants=true")
        found = re.findall(rb'"code":"(NC_000001\.10:[^"]+)"', body)
        assert len(found) >= answers
        return [text.decode() for text in found[:answers]]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with stores("sqlite") as made:
        genome = synthetic_genome(bases_for(RECORDS))
        opened = genome.in_memory(made.folder / "reference")
        vcf = single_vcf(made.folder / "single.vcf.gz", RECORDS, genome)
        database = made.fresh()
        for subject in SUBJECTS:
            ingest_vcf(database, opened, vcf.path, subject)
        context = context_of(database, opened)
        context.prepare()  # who is withheld from what is read as a whole, once for each state of the store
        client = Client(create_app(Settings(max_url_bytes=60_000), context))
        yield Served(client, database, vcf)
        client.close()


def test_the_counter_sees_every_statement(served):
    with counted(served.database) as sent, served.database.read() as session:
        session.run("select 1")
        session.driver.cursor().execute("select 2")
    assert sent == ["select 1", "select 2"]
    with served.database.read() as session:
        session.run("select 3")
    assert sent == ["select 1", "select 2"]


@pytest.mark.parametrize("answers", [1, 100, 3_000])
def test_variants_of_a_range_take_a_fixed_number_of_statements(served, answers):
    ranges = served.window(0, answers)
    body, sent = served.get(f"{SUBJECT_RANGE}?subject=S1&ranges={ranges}&includeVariants=true")
    assert answers <= body.count(b'"name":"variant"') <= answers + 3  # a change that rolls may touch the range, too
    assert len(sent) <= FIXED + 1, sent


@pytest.mark.parametrize("answers", [1, 100, 3_000])
def test_a_range_of_the_other_build_takes_a_fixed_number_of_statements(served, answers):
    first, last = served.vcf.positions[0], served.vcf.positions[answers - 1]
    block = synthetic_genome(bases_for(RECORDS)).blocks
    low = next(b for b in block if b.start37 <= first < b.start37 + b.size)
    shift = low.start38 - low.start37
    ranges = f"{accession(Build.GRCH38, CONTIG)}:{first + shift}-{last + shift + 1}"
    body, sent = served.get(f"{SUBJECT_RANGE}?subject=S1&ranges={ranges}&includeVariants=true")
    assert body.count(b'"name":"variant"') >= answers / 2
    assert len(sent) <= FIXED + 1, sent


def test_each_further_range_adds_one_statement_at_the_most(served):
    ranges = ",".join(served.window(500 * number, 400) for number in range(5))
    body, sent = served.get(f"{SUBJECT_RANGE}?subject=S1&ranges={ranges}&includeVariants=true")
    assert body.count(b'"name":"variant"') >= 2_000
    assert len(sent) <= FIXED + 5, sent


@pytest.mark.parametrize("asked", [1, 100, 3_000])
def test_variants_of_a_subject_take_a_fixed_number_of_statements(served, asked):
    body, sent = served.post(f"{SUBJECT_SPECIFIC}?subject=S1", f"variants={','.join(served.spdis(asked))}")
    assert body.count(b'"name":"presence","valueBoolean":true') == asked
    assert len(sent) <= FIXED + 1, sent


@pytest.mark.parametrize("who", ["", "&includePatientList=true", "&genomicSourceClass=germline"])
@pytest.mark.parametrize("asked", [1, 100, 3_000])
def test_counts_of_variants_take_a_fixed_number_of_statements(served, asked, who):
    body, sent = served.post(POPULATION, f"variants={','.join(served.spdis(asked))}{who}")
    assert body.count(b'"numerator"') == asked
    assert body.count(b'{"name":"subject"') == (len(SUBJECTS) * asked if "List" in who else 0)
    assert len(sent) <= FIXED_FOR_POPULATION, sent


def test_a_count_of_all_terms_together_takes_a_fixed_number_of_statements(served):
    counts = []
    for terms in (2, 100):
        body, sent = served.post(POPULATION, "&".join(f"variants={text}" for text in served.spdis(terms)))
        assert body.count(b'"numerator"') == 1
        counts.append(len(sent))
    assert counts[0] == counts[1] <= FIXED_FOR_POPULATION
