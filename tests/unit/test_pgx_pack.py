"""Calls of the conformance pack, with the definitions that its expectations were made with.

The pack is in the folder of shared test data; PHARMCAT_DEFINITIONS names a folder with the definitions of PharmCAT
3.1.1 (``alleles/*.json``, ``phenotype/*.json``). Where either is absent these tests are skipped. The definitions that
Operon ships are tested on the rows of the genes that they know in full.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.formats.pgx import Gene, Method
from app.formats.pharmcat import read_pharmcat
from app.formats.pharmcat_json import read_json
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import CallStatus, Diplotype, GeneCall, Observed, Sample
from app.pgx.definition import definition_of
from app.pgx.genotypes import read_genotypes
from app.pgx.hapb3 import EXON, INTRON, read_hapb3
from app.pgx.lowest_function import find_variants, lowest_pair
from app.pgx.matcher import call_gene
from app.pgx.phenotype import result_of
from app.pgx.support import is_thin

COMBINATIONS = "comb+top"
"""Rows of a research mode in which undefined combinations of variants are named; Operon has none"""
LEAST_EXACT = 0.99

REVIEWED: dict[str, str] = {}
"""Case → why Operon's call differs from the pack's"""

REVIEWED_COMBINATIONS = {
    "DpydTest__hapB3AndIntronicC_missingFirstAllele": "one copy was called at neither position of HapB3: no call",
    "DpydTest__hapB3AndIntronicC_missingSecondAllele": "one copy was called at neither position of HapB3: no call",
    "PipelineTest__testUndocumentedVariationsWithTreatAsReferenceAndCombo": "an undocumented allele is the reference",
}

INCOMPLETE = ("NAT2", "RYR1")
"""Genes of which the shipped definitions have no alleles, or far fewer"""

WARNINGS = {
    "pcat-dpyd-hapB3-intronic-mismatch-exonic": "hapb3-intronic-mismatch-exonic",
    "pcat-dpyd-hapB3-exonic-only": "hapb3-exonic-only",
}

Row = dict[str, str]


@pytest.fixture(scope="module")
def genes() -> dict[str, Gene]:
    """Return the genes of the definitions."""
    folder = os.environ.get("PHARMCAT_DEFINITIONS")
    if not folder:
        pytest.skip("PHARMCAT_DEFINITIONS names no folder of definitions")
    files = sorted(Path(folder).glob("*/*.json"))
    return {gene.symbol: gene for gene in read_pharmcat((str(file), file.read_bytes()) for file in files).genes}


@pytest.fixture(scope="module")
def pack(shared: Path) -> Path:
    """Return the folder of the pack."""
    folder = shared / "packs" / "pgx" / "dev"
    if not folder.is_dir():
        pytest.skip("the conformance pack is not among the shared test data")
    return folder


@pytest.fixture(scope="module")
def calls(genes: dict[str, Gene], pack: Path) -> list[tuple[Row, Gene, Sample, GeneCall]]:
    """Return each row of the pack with its call."""
    found = []
    for row in rows_of(pack):
        gene = genes[row["gene"]]
        seen = sample_of(pack / row["vcf"], gene)
        found.append((row, gene, seen, call_gene(gene, seen)))
    return found


def rows_of(pack: Path) -> list[Row]:
    with (pack / "expected.tsv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def sample_of(file: Path, gene: Gene) -> Sample:
    """Return what a VCF of one sample says of a gene."""
    observed: dict[str, Observed] = {}
    repeated: list[str] = []
    by_place = {(position.start38 + 1, position.ref38): position.name for position in gene.positions}
    for pos, ref, alts, values in _records(file, gene):
        name = by_place.get((pos, ref))
        if name is None:
            continue
        if name in observed:
            repeated.append(name)
            continue
        alleles = (ref, *alts.split(","))
        genotype = values["GT"]
        phase_set = values.get("PS", ".")
        observed[name] = Observed(
            tuple(None if at == "." else alleles[int(at)] for at in genotype.replace("|", "/").split("/")),
            "|" in genotype,
            int(phase_set) if phase_set != "." else None,
        )
    return Sample(observed, repeated=tuple(repeated))


def _records(file: Path, gene: Gene) -> Iterator[tuple[int, str, str, dict[str, str]]]:
    contig = {23: "X", 25: "M"}.get(gene.contig, str(gene.contig))
    for line in file.read_text("utf-8").splitlines():
        cells = line.split("\t")
        if line.startswith("#") or cells[0].removeprefix("chr") != contig:
            continue
        yield int(cells[1]), cells[3], cells[4], dict(zip(cells[8].split(":"), cells[9].split(":"), strict=False))


def unordered(diplotype: str) -> frozenset[tuple[str, int]]:
    names = diplotype.split("/")
    return frozenset((name, names.count(name)) for name in names)


def expected(row: Row) -> set[frozenset[tuple[str, int]]]:
    return set() if row["expected"] == "NO_CALL" else {unordered(text) for text in row["expected"].split(" ; ")}


def called(row: Row, call: GeneCall) -> set[frozenset[tuple[str, int]]]:
    if call.variants:
        return {unordered(name) for name in call.variants}
    diplotypes = call.diplotypes + (call.alternatives if row["mode"] == "all" else ())
    return {unordered(diplotype.text) for diplotype in diplotypes}


def test_every_row_but_the_reviewed_ones_is_exact(calls: list[tuple[Row, Gene, Sample, GeneCall]]) -> None:
    rows = [(row, call) for row, _, _, call in calls if row["mode"] != COMBINATIONS]
    different = {row["case"] for row, call in rows if called(row, call) != expected(row)}
    assert different == set(REVIEWED)
    assert len(different) <= (1 - LEAST_EXACT) * len(rows)


def test_rows_of_the_research_mode_differ_only_where_that_was_reviewed(
    calls: list[tuple[Row, Gene, Sample, GeneCall]],
) -> None:
    rows = [(row, call) for row, _, _, call in calls if row["mode"] == COMBINATIONS]
    assert {row["case"] for row, call in rows if called(row, call) != expected(row)} == set(REVIEWED_COMBINATIONS)


def test_the_shipped_definitions_call_every_row_of_the_genes_that_they_know_in_full(pack: Path) -> None:
    shipped = {gene.symbol: gene for gene in embedded_content().genes if gene.symbol not in INCOMPLETE}
    rows = [row for row in rows_of(pack) if row["gene"] in shipped and row["mode"] != COMBINATIONS]
    different = [
        row["case"]
        for row in rows
        if called(row, call_gene(shipped[row["gene"]], sample_of(pack / row["vcf"], shipped[row["gene"]])))
        != expected(row)
    ]
    assert (different, len(rows) > 200) == ([], True)


def test_the_warnings_of_hapb3_are_those_of_the_pack(calls: list[tuple[Row, Gene, Sample, GeneCall]]) -> None:
    for row, _, _, call in calls:
        if row["note"] in WARNINGS:
            assert WARNINGS[row["note"]] in {warned.code for warned in call.warnings}, row["case"]


def test_neither_the_order_of_copies_nor_that_of_records_changes_a_call(
    calls: list[tuple[Row, Gene, Sample, GeneCall]],
) -> None:
    for row, gene, seen, call in calls:
        turned = {
            name: replace(found, alleles=found.alleles[::-1]) for name, found in reversed(tuple(seen.observed.items()))
        }
        assert _unlisted(call_gene(gene, replace(seen, observed=turned))) == _unlisted(call), row["case"]


def _unlisted(call: GeneCall) -> tuple[GeneCall, frozenset[Diplotype]]:
    return replace(call, diplotypes=()), frozenset(call.diplotypes)


def test_dpyd_rests_on_the_two_variants_that_the_pack_recommends(
    calls: list[tuple[Row, Gene, Sample, GeneCall]],
) -> None:
    checked = 0
    for row, gene, seen, call in calls:
        recommended = row["recommended_diplotype"].split("/")
        if gene.symbol != "DPYD" or len(recommended) != 2 or row["mode"] == COMBINATIONS:
            continue
        checked += 1
        wanted = result_of(gene, Diplotype(recommended[0], recommended[1]))
        assert (call.phenotype, call.activity) == (wanted.phenotype, wanted.activity), row["case"]
        definition = definition_of(gene)
        genotypes = read_genotypes(definition, seen, halves=frozenset({INTRON, EXON}))
        pair = lowest_pair(gene, find_variants(definition, genotypes, read_hapb3(definition, genotypes)))
        assert result_of(gene, pair) == wanted
    assert checked > 50


def test_other_genes_call_the_diplotype_that_the_pack_recommends(
    calls: list[tuple[Row, Gene, Sample, GeneCall]],
) -> None:
    checked = 0
    for row, gene, _, call in calls:
        if (
            row["recommended_diplotype"]
            and gene.method is not Method.LOWEST_FUNCTION
            and "/" in row["recommended_diplotype"]
        ):
            checked += 1
            assert unordered(row["recommended_diplotype"]) in called({"mode": "all"}, call), row["case"]
    assert checked > 15


def test_one_called_diplotype_has_a_phenotype_where_the_release_knows_functions(
    calls: list[tuple[Row, Gene, Sample, GeneCall]],
) -> None:
    for row, gene, _, call in calls:
        if call.status is CallStatus.CALLED and (gene.rules or gene.scores):
            assert call.phenotype or is_thin(call), row["case"]


def test_every_diplotype_that_the_release_states_has_its_stated_result(genes: dict[str, Gene]) -> None:
    compared = 0
    for file in sorted(Path(os.environ["PHARMCAT_DEFINITIONS"]).glob("phenotype/*.json")):
        root = read_json(file.read_bytes(), file.name)
        gene = genes[root.get("gene").text()]
        for member in root.get("diplotypes").items():
            names = [name for name, count in member.get("diplotypekey").members() for _ in range(count.count())]
            found = result_of(gene, Diplotype(names[0], names[1] if len(names) == 2 else None))
            stated = [member.get(name).text_or() for name in ("phenotype", "activityScore", "lookupkey")]
            assert [found.phenotype, found.activity, found.lookup] == stated, (gene.symbol, names)
            compared += 1
    assert compared > 1000
