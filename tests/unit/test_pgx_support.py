"""A usual result is told only where a test looked far enough; one of reduced function or of risk always."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.pgx import Gene
from app.operations.pgx_seed import embedded_content
from app.pgx.calls import CallStatus, GeneCall, Observed, Sample
from app.pgx.matcher import call_gene
from app.pgx.support import TOO_FEW, is_thin


def the(symbol: str) -> Gene:
    gene = embedded_content().gene(symbol)
    assert gene is not None
    return gene


def called(gene: Gene, *names: str, changed: dict[str, int] | None = None) -> GeneCall:
    """Call a gene of which some positions were called: two copies of the reference, or the ALT in one or two copies."""
    copies = changed or {}
    observed = {}
    for position in gene.positions:
        if position.name in names or position.name in copies:
            carried = copies.get(position.name, 0)
            ref, alt = position.alleles38[:2]
            observed[position.name] = Observed((ref,) * (2 - carried) + (alt,) * carried)
    return call_gene(gene, Sample(observed))


def test_a_usual_result_of_one_position_is_withheld_and_said_to_be() -> None:
    call = called(the("CYP2C19"), "rs12248560", changed={"rs3758581": 2})
    assert (call.status, call.phenotype, call.activity, call.lookup) == (CallStatus.CALLED, "", "", "")
    [text] = [one.text for one in call.warnings if one.code == TOO_FEW]
    assert "Normal Metabolizer" in text
    assert is_thin(call)


def test_an_increased_result_is_withheld_too() -> None:
    call = called(the("CYP2C19"), changed={"rs12248560": 2, "rs3758581": 2})
    assert call.phenotype == ""
    assert is_thin(call)


def test_a_result_of_reduced_function_holds_however_little_was_looked_at() -> None:
    call = called(the("CYP2C19"), changed={"rs4244285": 2, "rs12769205": 2, "rs3758581": 2})
    assert (call.genotype, call.phenotype) == ("*2/*2", "Poor Metabolizer")
    assert is_thin(call)


@pytest.mark.parametrize(
    ("symbol", "names"),
    [
        ("SLCO1B1", ["rs4149056"]),
        ("TPMT", ["rs1800462", "rs1800460", "rs1142345"]),
        ("NUDT15", ["rs116855232"]),
        ("VKORC1", ["rs9923231"]),
    ],
)
def test_the_positions_that_guidelines_ask_for_are_enough(symbol: str, names: list[str]) -> None:
    gene = the(symbol)
    assert not is_thin(called(gene, *names))
    if len(names) > 1:
        assert is_thin(called(gene, *names[1:]))


def test_half_of_all_positions_are_enough_where_no_position_is_known_to_matter_most() -> None:
    gene = replace(the("CFTR"), tier1=())
    names = [position.name for position in gene.positions]
    half = -(-len(names) // 2)
    assert not is_thin(called(gene, *names[:half]))
    assert is_thin(called(gene, *names[: half - 1]))


@pytest.mark.parametrize(
    ("symbol", "common"),
    [("G6PD", "rs5030868"), ("MT-RNR1", "rs267606617"), ("CYP2B6", "rs3745274"), ("UGT1A1", "rs3064744")],
)
def test_common_alleles_have_to_be_ruled_out_and_half_of_the_others(symbol: str, common: str) -> None:
    gene = the(symbol)
    names = [position.name for position in gene.positions]
    assert not is_thin(called(gene, *names))
    without = called(gene, *(name for name in names if name != common))
    assert is_thin(without)
    assert without.phenotype == ""
    assert is_thin(called(gene, common))
