"""Every statement of the operations finds its rows by a key or an index; no table that grows with the data is scanned.

The plans are those of SQLite (``explain query plan``) for the very statements that a request sends.
"""

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
from bench.gene_load import structural_calls
from bench.generate import WINDOW, cohort
from bench.genomes import CONTIG, synthetic_genome
from bench.knowledge_count import DRUGS, load_both
from bench.knowledge_load import load_release
from bench.releases import SYSTEM, code_of
from bench.statements import counted
from bench.stores import context_of, ingest_cohort, stores
from tests.api.client import Client
from tests.genotype_files import hla, line
from tests.small_store import SmallStore

REF_SEQ = accession(Build.GRCH37, CONTIG)
GENE = f"{REF_SEQ}:100000-200000"
OTHER_BUILD = f"{accession(Build.GRCH38, CONTIG)}:150000-250000"
FINE = re.compile(
    r"SCAN ((json_each|t) VIRTUAL TABLE INDEX 1:|CONSTANT ROW|counter|knowledge_release|terminology_release|r"
    r"|structural_place VIRTUAL TABLE INDEX 2:(C[0-9]|[A-F][0-9])+)$"
)
"""What a question brings, a table of a few rows whatever is stored, and the R*Tree asked for a box"""
CONSEQUENCES = f"""\
row_id\tb37_spdi\tfeature_consequences.system\tfeature_consequences.code\tfeature_consequences.display
mc1\t{REF_SEQ}:150000::TTT\thttp://www.sequenceontology.org\tSO:0001583\tmissense_variant
"""
TOO_WIDE = re.compile(r"SEARCH .*\((shard|contig)=\?\)")
"""A search for all of a shard or of a chromosome"""


@dataclass(frozen=True, slots=True)
class Served:
    """A store with small and structural variants and genotypes of a hundred subjects, and a client over it."""

    client: Client
    database: Database

    def statements(self, url: str) -> list[str]:
        with counted(self.database) as sent:
            answer = self.client.get(url)
        assert answer.status == 200, answer.body[:500]
        assert sent
        return sent

    def plan(self, statement: str) -> list[str]:
        with self.database.read() as session:
            return [row[-1] for row in session.run(f"explain query plan {statement}")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with stores("sqlite") as made:
        genome = synthetic_genome(WINDOW)
        opened = genome.in_memory(made.folder / "reference")
        database = made.fresh()
        ingest_cohort(database, opened, cohort(100, genome), structural=structural_calls)
        store = SmallStore(database, tmp_path_factory.mktemp("files"), opened)
        store.genotypes(
            *(line(f"P{number:06d}", f"CYP2C19 *1/*{number}") for number in range(50)),
            *(hla(f"P{number:06d}", f"B*{number:02d}:01", f"B*{number:02d}:01") for number in range(50)),
        )
        load_both(made.folder, (database, opened), genome, 2_000, conditions=20)
        consequences = made.folder / "consequences.tsv"
        consequences.write_text(CONSEQUENCES, "utf-8")
        load_release(database, opened, consequences, kind="consequence", active=True)
        context = context_of(database, opened)
        context.prepare()  # who is withheld from what is read as a whole, once for each state of the store
        client = Client(create_app(Settings(), context))
        yield Served(client, database)
        client.close()


def scanned(plan: list[str]) -> list[str]:
    """Return the steps of a plan that read all of a table or of an index, or a part of it that grows as it does."""
    return [step for step in plan if (step.startswith("SCAN") and not FINE.match(step)) or TOO_WIDE.match(step)]


SUBJECT = "subject=P000007"
QUESTIONS = {
    "variants of a gene": f"find-subject-variants?{SUBJECT}&ranges={GENE}&includeVariants=true",
    "variants of a gene on the other build": f"find-subject-variants?{SUBJECT}&ranges={OTHER_BUILD}",
    "variants of two genes": f"find-subject-variants?{SUBJECT}&ranges={GENE},{OTHER_BUILD}&includeVariants=true",
    "variants of a gene in some tests": f"find-subject-variants?{SUBJECT}&ranges={GENE}&testDateRange=ge2020-01-01",
    "a variant of a subject": f"find-subject-specific-variants?{SUBJECT}&variants={REF_SEQ}:150000:A:G",
    "structural variants": f"find-subject-structural-intersecting-variants?{SUBJECT}&ranges={GENE}"
    "&includeVariants=true",
    "structural variants around": f"find-subject-structural-subsuming-variants?{SUBJECT}&ranges={GENE}",
    "genotypes of a gene": f"find-subject-haplotypes?{SUBJECT}&genes=HLA-B",
    "a genotype of a subject": f"find-subject-specific-haplotypes?{SUBJECT}&haplotypes=HLA-B*07:01",
    "studies": f"find-study-metadata?{SUBJECT}&ranges={GENE}",
    "who has a variant": f"find-population-specific-variants?variants={REF_SEQ}:150000:A:G",
    "who has a structural variant": f"find-population-structural-intersecting-variants?ranges={GENE},{OTHER_BUILD}",
    "who has one around": f"find-population-structural-subsuming-variants?ranges={GENE}&includePatientList=true",
    "who has a germline one around": f"find-population-structural-subsuming-variants?ranges={GENE}"
    "&genomicSourceClass=germline",
    "who has a genotype": "find-population-specific-haplotypes?haplotypes=HLA-B,CYP2C19%20*1/*7"
    "&includePatientList=true",
    "what a condition is implied by": f"find-subject-dx-implications?{SUBJECT}&conditions={SYSTEM}%7C{code_of(2)}",
    "what a word of conditions is implied by": f"find-subject-dx-implications?{SUBJECT}&conditions=00003x",
    "what a gene implies": f"find-subject-dx-implications?{SUBJECT}&ranges={GENE}",
    "what a treatment is implied by": f"find-subject-tx-implications?{SUBJECT}&treatments={DRUGS}%7C7",
    "what a genotype implies": f"find-subject-tx-implications?{SUBJECT}&haplotypes=HLA-B*07:01",
    "who has a condition": f"find-population-dx-implications?conditions={SYSTEM}%7C{code_of(2)}",
    "who has a word of conditions": "find-population-dx-implications?conditions=00003x&includePatientList=true",
    "who has what a variant implies": f"find-population-dx-implications?variants={REF_SEQ}:150000:A:G",
    "who has a treatment": f"find-population-tx-implications?treatments={DRUGS}%7C7",
    "who has a treatment of a condition": f"find-population-tx-implications?treatments={DRUGS}%7C7"
    f"&conditions={SYSTEM}%7C{code_of(7)}",
    "who has what a genotype implies": "find-population-tx-implications?haplotypes=HLA-B*07:01",
    "consequences in a gene": f"find-subject-molecular-consequences?{SUBJECT}&ranges={GENE}",
    "what has a consequence": f"find-subject-molecular-consequences?{SUBJECT}&featureConsequences=missense",
    "who has a consequence": "find-population-molecular-consequences?featureConsequences=missense",
    "who has a coded genotype": "find-population-specific-haplotypes?haplotypes=http://www.pharmvar.org%7CCYP2C19%20*7",
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_no_statement_scans_a_table(served: Served, question: str) -> None:
    for statement in served.statements(f"/fhir/${question}"):
        plan = served.plan(statement)
        assert plan, statement
        assert scanned(plan) == [], statement


def test_no_statement_about_a_variant_that_is_there_scans_a_table(served: Served) -> None:
    answer = served.client.get(f"/fhir/$find-subject-variants?{SUBJECT}&ranges={GENE}&includeVariants=true")
    spdis = ",".join(re.findall(rf'"code":"({re.escape(REF_SEQ)}:[^"]+)"', answer.body.decode())[:3])
    for question in (
        f"find-population-specific-variants?variants={spdis}&includePatientList=true",
        f"find-population-specific-variants?variants={spdis}&genomicSourceClass=germline",
        f"find-subject-specific-variants?{SUBJECT}&variants={spdis}",
    ):
        sent = served.statements(f"/fhir/${question}")
        assert any("carrier" in one or "call_chunk" in one for one in sent)
        assert [step for one in sent for step in scanned(served.plan(one))] == []


@pytest.mark.parametrize(
    "statement",
    [
        "select ordinal from subject s where s.sex = 'male'",
        "select count(*) from subject",
        "select id from structural_place where id > 5",
        "select data from call_chunk where shard = 0 and bin = 7",
        "select id from structural_site where contig = 1",
        "select id from genotype_name n where instr(n.search, 'x')",
        "select g.uid from json_each('[1]') k join genotype g on g.source_class = k.value",
        "select id from knowledge_item where kind = 1",
        "select distinct system from knowledge_concept",
        "select data from knowledge_page where page = 1",
    ],
)
def test_a_statement_that_does_scan_is_noticed(served: Served, statement: str) -> None:
    assert scanned(served.plan(statement)) != []
