"""Calls with the embedded seed: of the conformance pack, and where an old definition would give a wrong score."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.formats.pgx import Gene
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import GeneCall, Observed, Sample
from app.pgx.matcher import call_gene
from tests.unit.test_pgx_pack import COMBINATIONS, called, expected, sample_of

LACKING = {"NAT2"}
"""Genes that the seed does not have"""
FEWER = {"RYR1"}
"""Genes of which the seed has fewer variants than the pack's definitions"""


def gene(symbol: str) -> Gene:
    found = embedded_content().gene(symbol)
    assert found is not None
    return found


def call(symbol: str, **changed: str) -> GeneCall:
    """Call a gene of which every place is the reference but these, as ``rs1="A/G"``."""
    observed = {position.name: Observed((position.ref38,) * 2) for position in gene(symbol).positions}
    for name, genotype in changed.items():
        assert name in observed
        observed[name] = Observed(tuple(genotype.split("/")))
    return call_gene(gene(symbol), Sample(observed))


def test_the_pack_is_called_as_expected(shared: Path) -> None:
    folder = shared / "packs" / "pgx" / "dev"
    if not folder.is_dir():
        pytest.skip("the conformance pack is not among the shared test data")
    with (folder / "expected.tsv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["gene"] not in LACKING | FEWER]
    rows = [row for row in rows if row["mode"] != COMBINATIONS]
    different = []
    for row in rows:
        found = call_gene(gene(row["gene"]), sample_of(folder / row["vcf"], gene(row["gene"])))
        if called(row, found) != expected(row):
            different.append(row["case"])
    assert different == []
    assert len(rows) > 200


@pytest.mark.parametrize(
    ("changed", "diplotype", "activity"),
    [
        ({"rs3892097": "C/T", "rs1135840": "C/G", "rs1065852": "G/A"}, "*1/*4", "1.0"),
        ({"rs3892097": "T/T", "rs1135840": "G/G", "rs1065852": "A/A"}, "*4/*4", "0.0"),
        ({"rs3892097": "C/T", "rs1135840": "G/G", "rs1065852": "A/A"}, "*4/*10", "0.25"),
        ({"rs28371706": "G/A", "rs1135840": "C/G", "rs16947": "G/A"}, "*1/*17", "1.5"),
        ({"rs28371706": "G/A", "rs1135840": "G/G", "rs16947": "A/A"}, "*2/*17", "1.5"),
        ({"rs28371725": "C/T", "rs1135840": "C/G", "rs16947": "G/A"}, "*1/*41", "1.5"),
    ],
)
def test_variants_that_come_along_with_an_allele_of_cyp2d6_are_not_taken_for_another_one(
    changed: dict[str, str], diplotype: str, activity: str
) -> None:
    found = call("CYP2D6", **changed)
    assert (found.genotype, found.activity) == (diplotype, activity)


def test_cyp2c19_of_most_people_is_called_on_the_reference_that_most_people_have() -> None:
    assert call("CYP2C19", rs3758581="G/G").genotype == "*1/*1"
    assert call("CYP2C19", rs3758581="G/G", rs12248560="C/T").genotype == "*1/*17"
    assert call("CYP2C19").genotype == "*38/*38"
