"""Genes of a few positions, written as a table, and samples written as genotypes.

>>> toy = gene("TPMT", "a:C>T b:T>C", {"*1": "C T", "*3A": "T C", "*3B": "T .", "*3C": ". C"})
>>> toy.reference.name, toy.alleles[2].cells
('*1', ('T', ''))
>>> sample(toy, "0/1 1|0").observed["b"]
Observed(alleles=('C', 'T'), phased=True, phase_set=None, undocumented=False)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.formats.pgx import FunctionRule, Gene, Method, NamedAllele, Ploidy, Position, ScoreRule
from app.pgx.calls import Observed, Sample
from app.pgx.hapb3 import HAPB3, INTRON_ONLY

NORMAL, DECREASED, NONE, INCREASED = "Normal function", "Decreased function", "No function", "Increased function"


def gene(
    symbol: str,
    positions: str,
    alleles: Mapping[str, str],
    *,
    functions: Mapping[str, str] | None = None,
    activities: Mapping[str, str] | None = None,
    method: Method = Method.PHENOTYPE,
    **more: Any,
) -> Gene:
    """Return a gene; the first allele is the reference, a dot an empty cell, ``rs1:C>T,G`` a position."""
    sites = tuple(_position(at, text) for at, text in enumerate(positions.split()))
    named = tuple(
        NamedAllele(
            name,
            tuple("" if cell == "." else cell for cell in cells.split()),
            is_reference=at == 0,
            function=(functions or {}).get(name, ""),
            activity=(activities or {}).get(name, ""),
        )
        for at, (name, cells) in enumerate(alleles.items())
    )
    return Gene(symbol, "HGNC:1", "PA1", more.pop("contig", 1), method, sites, named, **more)


def _position(at: int, text: str) -> Position:
    name, _, change = text.partition(":")
    ref, _, alts = change.partition(">")
    return Position(name, 1, 100 * (at + 1), (ref, *alts.split(",")))


def sample(of: Gene, genotypes: str, **more: Any) -> Sample:
    """Return a sample: a genotype for each position in order, ``-`` for none, ``0|1:7`` in phase set 7."""
    observed = {
        position.name: observation(position, text)
        for position, text in zip(of.positions, genotypes.split(), strict=True)
        if text != "-"
    }
    return Sample(observed, **more)


def observation(position: Position, text: str) -> Observed:
    """Return what a genotype says; a letter is an allele that is not among those of the position."""
    genotype, _, phase_set = text.partition(":")
    names = genotype.replace("|", "/").split("/")
    alleles = tuple(
        None if name == "." else position.alleles38[int(name)] if name.isdecimal() else name for name in names
    )
    return Observed(alleles, "|" in genotype, int(phase_set) if phase_set else None)


TPMT = gene(
    "TPMT",
    "rs1142345:T>C rs1800460:C>T rs1800462:C>G",
    {"*1": "T C C", "*2": ". . G", "*3A": "C T .", "*3B": ". T .", "*3C": "C . ."},
    functions={"*1": NORMAL, "*2": NONE, "*3A": NONE, "*3B": NONE, "*3C": NONE},
    rules=(
        FunctionRule(NORMAL, NORMAL, "Normal Metabolizer"),
        FunctionRule(NONE, NORMAL, "Intermediate Metabolizer"),
        FunctionRule(NONE, NONE, "Poor Metabolizer"),
    ),
    undocumented_as_reference=True,
    tier1=("rs1142345", "rs1800460"),
)

CYP2C19 = gene(
    "CYP2C19",
    "rs12248560:C>T rs28399504:A>G rs4244285:G>A rs3758581:A>G",
    {"*38": "C A G A", "*1": "C A G G", "*2": ". . A G", "*4": "Y G . G", "*17": "T . . G"},
    functions={"*38": NORMAL, "*1": NORMAL, "*2": NONE, "*4": NONE, "*17": INCREASED},
    rules=(
        FunctionRule(NORMAL, NORMAL, "Normal Metabolizer"),
        FunctionRule(INCREASED, NORMAL, "Rapid Metabolizer"),
        FunctionRule(NONE, NORMAL, "Intermediate Metabolizer"),
        FunctionRule(NONE, INCREASED, "Intermediate Metabolizer"),
        FunctionRule(NONE, NONE, "Poor Metabolizer"),
    ),
)

UGT1A1 = gene(
    "UGT1A1",
    "rs887829:C>T rs3064744:CAT>C,CATAT,CATATAT",
    {
        "*1": "C CAT",
        "*28": ". CATAT",
        "*36": ". C",
        "*37": ". CATATAT",
        "*80": "T .",
        "*80+*28": "T CATAT",
        "*80+*37": "T CATATAT",
    },
)

G6PD = gene(
    "G6PD",
    "a:C>T b:G>A",
    {"B (reference)": "C G", "Chatham": "T .", "Asahi": ". A"},
    functions={"B (reference)": "IV", "Chatham": "III", "Asahi": "III"},
    contig=23,
    ploidy=Ploidy.X,
    undocumented_as_reference=True,
    rules=(
        FunctionRule("IV", "", "Normal"),
        FunctionRule("III", "", "Deficient"),
        FunctionRule("IV", "IV", "Normal"),
        FunctionRule("III", "IV", "Variable"),
        FunctionRule("III", "III", "Deficient"),
    ),
)

DPYD = gene(
    "DPYD",
    "rs67376798:T>A rs56038477:C>T rs75017182:G>C rs1801265:A>G rs72549310:G>A",
    {
        "Reference": "T C G A G",
        "c.2846A>T": "A . . . .",
        HAPB3: ". T C . .",
        INTRON_ONLY: ". . C . .",
        "c.85T>C (*9A)": ". . . G .",
        "c.61C>T": ". . . . A",
    },
    activities={
        "Reference": "1.0",
        "c.2846A>T": "0.5",
        HAPB3: "0.5",
        INTRON_ONLY: "0.5",
        "c.85T>C (*9A)": "1.0",
        "c.61C>T": "0.0",
    },
    method=Method.LOWEST_FUNCTION,
    undocumented_as_reference=True,
    scores=(
        ScoreRule(0.0, 1.0, "Poor Metabolizer"),
        ScoreRule(1.0, 2.0, "Intermediate Metabolizer"),
        ScoreRule(2.0, 99.0, "Normal Metabolizer"),
    ),
)

MH = "Malignant Hyperthermia associated"
RYR1 = gene(
    "RYR1",
    "a:A>G b:C>A,T c:G>A",
    {"Reference": "A C G", "c.97A>G": "G . .", "c.152C>A": ". A .", "c.152C>T": ". T .", "c.418G>A": ". . A"},
    functions={"Reference": NORMAL, "c.97A>G": MH, "c.152C>A": "Uncertain function", "c.418G>A": "Uncertain function"},
    method=Method.LOWEST_FUNCTION,
    rules=(
        FunctionRule(MH, MH, "Malignant Hyperthermia Susceptibility"),
        FunctionRule(MH, NORMAL, "Malignant Hyperthermia Susceptibility"),
        FunctionRule(MH, "Uncertain function", "Malignant Hyperthermia Susceptibility"),
        FunctionRule(NORMAL, NORMAL, "Uncertain Susceptibility"),
        FunctionRule("Uncertain function", NORMAL, "Uncertain Susceptibility"),
        FunctionRule("Uncertain function", "Uncertain function", "Uncertain Susceptibility"),
    ),
)
