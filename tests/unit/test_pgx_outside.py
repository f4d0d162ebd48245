"""Genotypes of other laboratories: every usual spelling, and a refusal of what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.errors import InvalidValue
from app.formats.pgx import Gene, Method, NamedAllele, Ploidy
from app.pgx.calls import CallMethod, CallStatus
from app.pgx.outside import read_outside
from tests.small_genes import CYP2C19, DPYD, G6PD, gene

CYP2D6 = gene("CYP2D6", "a:C>T", {"*1": "C", "*2": ".", "*4": "T", "*5": ".", "*10": ".", "*36": ".", "*68": "."})
UGT1A1 = gene("UGT1A1", "a:C>T", {"*1": "C", "*28": "T", "*80": ".", "*80+*28": "T"})
VKORC1 = gene(
    "VKORC1",
    "rs9923231:C>T",
    {"rs9923231 reference (C)": "C", "rs9923231 variant (T)": "T"},
    method=Method.GENOTYPE,
)
MT_RNR1 = gene("MT-RNR1", "a:A>G", {"Reference": "A", "m.1555A>G": "G"}, ploidy=Ploidy.MITOCHONDRIAL)
HLA_B = Gene(
    "HLA-B",
    "HGNC:4932",
    "",
    6,
    Method.ALLELE_STATUS,
    alleles=tuple(NamedAllele(name, ()) for name in ("*15:02", "*57:01", "*58:01")),
)
ALL_OF_57 = "*15:02 negative; *57:01 positive; *58:01 negative"


@pytest.mark.parametrize(
    ("of", "text", "genotype", "copies"),
    [
        (CYP2D6, "*1/*4", "*1/*4", 2),
        (CYP2D6, " *4 / *1 ", "*1/*4", 2),
        (CYP2D6, "CYP2D6 *1x2/*4", "*1x2/*4", 3),
        (CYP2D6, "CYP2D6*1/*4", "*1/*4", 2),
        (CYP2D6, "CYP2D6*1/CYP2D6*4", "*1/*4", 2),
        (CYP2D6, "*68+*4/*5", "*5/*68+*4", 2),
        (CYP2D6, "*36x2+*10/*1", "*1/*36x2+*10", 4),
        (CYP2D6, "*1x>=3/*2", "*1x≥3/*2", None),
        (CYP2D6, "*1xN/*4", "*1xN/*4", None),
        (CYP2D6, "*5/*5", "*5/*5", 0),
        (CYP2C19, "*17/*2", "*2/*17", None),
        (UGT1A1, "*1/*80+*28", "*1/*80+*28", None),
        (
            VKORC1,
            "rs9923231 reference (C)/rs9923231 variant (T)",
            "rs9923231 reference (C)/rs9923231 variant (T)",
            None,
        ),
        (DPYD, "Reference/c.2846A>T", "Reference/c.2846A>T", None),
        (DPYD, "reference/c.85T>C (*9A)", "Reference/c.85T>C (*9A)", None),
        (DPYD, "DPYD [c.2846A>T + c.61C>T]/Reference", "Reference/[c.61C>T + c.2846A>T]", None),
        (G6PD, "Chatham", "Chatham", None),
        (G6PD, "Chatham/B (reference)", "B (reference)/Chatham", None),
        (MT_RNR1, "m.1555A>G", "m.1555A>G", None),
    ],
)
def test_usual_spellings_of_a_genotype_are_read(of: Gene, text: str, genotype: str, copies: int | None) -> None:
    call = read_outside(of, text, release="r1")
    assert (call.status, call.method, call.release) == (CallStatus.CALLED, CallMethod.OUTSIDE, "r1")
    assert (call.genotype, call.copy_number) == (genotype, copies)


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (CYP2D6, "*1/*999"),
        (CYP2D6, "*1/*4x0"),
        (CYP2D6, "*1"),
        (CYP2D6, "*1/*2/*4"),
        (CYP2D6, "CYP2C19 *1/*2"),
        (CYP2D6, ""),
        (CYP2D6, "*1/"),
        (CYP2D6, "x" * 2000),
        (CYP2C19, "*1x2/*2"),
        (CYP2C19, "*1+*2/*2"),
        (UGT1A1, "*1/*80+*999"),
        (DPYD, "Reference/[c.61C>T + c.999A>T]"),
        (DPYD, "c.61C>T"),
        (MT_RNR1, "Reference/m.1555A>G"),
        (HLA_B, "*57:01 present"),
        (HLA_B, "*13:01 positive"),
        (HLA_B, "*57:01:01 negative"),
        (HLA_B, "HLA-A*57:01"),
        (HLA_B, "*57:01N/*07:02"),
        (HLA_B, "*57:01/*07:02/*08:01"),
        (HLA_B, "HLA-B*57:01/HLA-B*57:03"),
        (HLA_B, "HLA-B*57:01+HLA-B*07:02|HLA-B*57:03+HLA-B*07:02"),
        (HLA_B, "HLA-A*01:01+HLA-A*02:01^HLA-C*07:02+HLA-C*07:01"),
    ],
)
def test_what_is_not_known_is_refused_and_never_guessed(of: Gene, text: str) -> None:
    with pytest.raises(InvalidValue):
        read_outside(of, text)


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("*57:01 positive", "*57:01 positive"),
        ("HLA-B*57:01 Negative", "*57:01 negative"),
        ("HLA-B *57:01:01 positive", "*57:01 positive"),
        ("HLA-B*57:01", "*57:01 positive"),
        ("*57:01/*07:02", ALL_OF_57),
        ("HLA-B*57:01/*07:02", ALL_OF_57),
        ("HLA-B*57:01:01:01+HLA-B*07:02:01:127", ALL_OF_57),
        ("HLA-B*57:01:01G+HLA-B*07:02P", ALL_OF_57),
        ("hla#3.23#HLA-A*01:01+HLA-A*24:02^HLA-B*57:01+HLA-B*07:02", ALL_OF_57),
        ("*57/*07:02", "*15:02 negative; *58:01 negative"),
        ("HLA-B*57:01/HLA-B*57:03+HLA-B*07:02", "*15:02 negative; *58:01 negative"),
        ("HLA-B*57:01:01/HLA-B*57:01:02+HLA-B*07:02", ALL_OF_57),
        ("*07:02/*08:01", "*15:02 negative; *57:01 negative; *58:01 negative"),
    ],
)
def test_an_hla_type_says_of_each_allele_asked_for_whether_it_is_there(text: str, statuses: str) -> None:
    call = read_outside(HLA_B, text)
    assert (call.status, call.phenotype, call.lookup) == (CallStatus.CALLED, statuses, statuses)


def test_an_hla_type_is_cut_to_two_fields() -> None:
    assert read_outside(HLA_B, "*07:02:01:127/*57:01:01").genotype == "*07:02/*57:01"


def test_an_hla_type_that_leaves_everything_open_is_no_call() -> None:
    call = read_outside(HLA_B, "HLA-B*15:01/HLA-B*15:02+HLA-B*57/HLA-B*58")
    assert (call.status, call.lookup, bool(call.reason)) == (CallStatus.NO_CALL, "", True)


def test_a_suballele_is_read_as_its_core() -> None:
    toy = gene("SLCO1B1", "a:C>T", {"*1": "C", "*45.001": "T"})
    toy = replace(toy, alleles=tuple(replace(a, core_of="*45") if "." in a.name else a for a in toy.alleles))
    assert read_outside(toy, "*1/*45.001").genotype == read_outside(toy, "*1/*45").genotype == "*1/*45"
