"""Published clients of the reference implementation get from its paths what they index, with their own requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.records import Build
from tests import client_apps as apps
from tests.answers import Asking, asking
from tests.command_line import CommandLine
from tests.demo_files import haplotypes, variants
from tests.gene_files import gene_row, write_gff3

FAMILY = ("demo-aunt", "demo-child", "demo-father", "demo-grandmother", "demo-mother")
GENES = {
    "CFTR": (1884, 7, {Build.GRCH37: (117120016, 117308719), Build.GRCH38: (117479962, 117668665)}),
    "CYP2C19": (2621, 10, {Build.GRCH37: (96522462, 96612671), Build.GRCH38: (94762680, 94852915)}),
    "CYP2D6": (2625, 22, {Build.GRCH37: (42522500, 42526883), Build.GRCH38: (42126498, 42130881)}),
}
MENDELIAN = (
    "NC_000005.9:112043194-112181936", "NC_000017.10:41196311-41277381", "NC_000013.10:32889644-32974405",
    "NC_000006.11:26087508-26095469", "NC_000007.13:117105838-117356025",
)  # fmt: skip
SPDIS = {row["id"]: row for row in variants()}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    operon, folder = CommandLine(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("genes")
    operon.done("demo", "--no-serve", "--quiet")
    for build in Build:
        rows = [
            gene_row(symbol, places[build], hgnc=hgnc, build=build, contig=contig)
            for symbol, (hgnc, contig, places) in GENES.items()
        ]
        operon.done("reference", "add", write_gff3(folder / f"{build}.gff.gz", *rows, assembly=build.value))
    with asking(operon.home) as opened:
        yield opened


def fetching(asked: Asking) -> apps.Fetch:
    def fetch(path: str) -> Any:
        answer = asked.client.get(path, accept="application/json")
        assert answer.status == 200, (path, answer.body)
        return answer.json()

    return fetch


@pytest.fixture
def fetch(asked: Asking) -> apps.Fetch:
    return fetching(asked)


def test_simple_app(fetch: apps.Fetch) -> None:
    rows = apps.simple_app(fetch, "demo-child", "NC_000019.9:11200138-11244496")
    assert rows
    assert all({"48002-0", "53034-5", "81252-9"} <= row.keys() for row in rows)


@pytest.mark.parametrize("subject", FAMILY)
def test_get_variants(fetch: apps.Fetch, subject: str) -> None:
    assert apps.get_variants(fetch, subject, "NOGENE") == ([], [], [])
    found = {gene: apps.get_variants(fetch, subject, gene) for gene in GENES}
    assert found["CFTR"][2] == []
    typed = {row["genotype_display"] or row["genotype_code"] for row in haplotypes() if row["subject_id"] == subject}
    assert {text for _, _, genotypes in found.values() for text in genotypes} == {
        text for text in typed if text.startswith(("CYP2C19", "CYP2D6"))
    }
    if subject == "demo-child":
        known = {row[f"{build}_spdi"] for row in SPDIS.values() for build in ("grch37", "grch38")}
        assert found["CFTR"][0]
        assert set(found["CFTR"][0]) <= known


def test_genetic_screening(fetch: apps.Fetch) -> None:
    screened = {condition: apps.genetic_screening(fetch, condition) for condition in apps.SCREENED}
    for found in screened.values():
        for rows in found.values():
            assert rows
            assert all(phenotype and significance for phenotype, _, significance in rows)
    assert {condition for condition, found in screened.items() if found} == {
        "https://www.ncbi.nlm.nih.gov/medgen|C3469186",
        "https://www.ncbi.nlm.nih.gov/medgen|C0677776",
    }


@pytest.mark.parametrize("subject", FAMILY)
def test_pgx_screening(fetch: apps.Fetch, subject: str) -> None:
    columns = apps.pgx_screening(fetch, subject)
    assert len(set(map(len, columns.values()))) == 1, columns
    assert all(cell for column in columns.values() for cell in column)
    if subject == "demo-child":
        assert len(columns["genotype"]) >= 2


@pytest.mark.parametrize("subject", FAMILY)
def test_mendelian_screening(fetch: apps.Fetch, subject: str) -> None:
    table = {ranges: apps.mendelian_screening(fetch, subject, ranges) for ranges in MENDELIAN}
    found = [row for rows in table.values() for row in rows.values()]
    assert all("spdi" in row for row in found)
    impacts = {impact for row in found for impact, _ in row["consequences"]}
    assert impacts <= {"HIGH", "MODERATE", "LOW", "MODIFIER"}
    if subject == "demo-child":
        assert impacts
        assert any(row["implications"] for row in found)


def test_polygenic_score(fetch: apps.Fetch) -> None:
    alleles = [(SPDIS[name]["grch37_spdi"], 1.0, False) for name in ("HFE-C282Y", "CFTR-F508del", "BRCA1-5266dup")]
    scores = {subject: apps.polygenic_score(fetch, subject, alleles) for subject in FAMILY}
    assert len(set(scores.values())) > 1
    for subject, score in scores.items():
        turned = apps.polygenic_score(fetch, subject, [(spdi, weight, True) for spdi, weight, _ in alleles[:1]])
        assert turned == 2 - apps.polygenic_score(fetch, subject, alleles[:1])
        assert 0 <= score <= 6


def test_rare_disease_app(fetch: apps.Fetch) -> None:
    for subject in FAMILY:
        for gene in GENES:
            ids, together = apps.rare_disease_app(fetch, subject, gene)
            assert {id_ for pair in together for id_ in pair} <= set(ids)
            assert all(len(pair) == 2 for pair in together)
