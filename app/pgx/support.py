"""Whether a test looked far enough for a result to be told.

A missing position hides the alleles that it defines. A call is made from the positions that there are, so the copies of
which nothing was seen look like the reference. A result of reduced function or of risk holds anyway: what else may be
there makes it worse. A usual or an increased one is withheld while too few positions were called, for whoever was not
tested is not normal.

Enough are the positions that a test should have (``Gene.tier1``) where the definitions name them, else those below,
else half of all. Of genes with many rare alleles and some common ones it takes half of all and the common ones.
"""

from __future__ import annotations

from dataclasses import replace

from app.formats.pgx import Gene
from app.pgx.calls import GeneCall, Warned
from app.pgx.phenotypes import code_of, is_usual

TOO_FEW = "too-few-positions"

_ENOUGH = {
    # CPIC's guideline for statins: rs4149056 decides.
    "SLCO1B1": ("rs4149056",),
    # Tier 1 of AMP's recommendations for TPMT and NUDT15 (J Mol Diagn 2022;24:1051): *2, *3A, *3B, *3C; *3.
    "TPMT": ("rs1800462", "rs1800460", "rs1142345"),
    "NUDT15": ("rs116855232",),
}
_AND_HALF = {
    # The deficient alleles that are common somewhere in the world (Howes et al., PLoS Med 2012;9:e1001339 and Adv
    # Parasitol 2013;81:133): A-, Mediterranean, Canton, Kaiping, Mahidol, Viangchan, Union.
    "G6PD": (
        "rs1050828", "rs5030868", "rs72554665", "rs72554664", "rs137852314", "rs137852327", "rs398123546",
    ),
    # The variants of increased risk of CPIC's guideline for aminoglycosides (2022); the common alleles of reduced
    # function of those for efavirenz (2019), *6 and *18, and for atazanavir (2016), *6 and *28.
    "MT-RNR1": ("rs267606617", "rs267606619", "rs267606618"),
    "CYP2B6": ("rs3745274", "rs28399499"),
    "UGT1A1": ("rs3064744", "rs4148323"),
}  # fmt: skip
_INCREASED = ("RM", "UM", "IF")


def guarded(gene: Gene, call: GeneCall) -> GeneCall:
    """Return a call without the phenotype that too few positions were called for, and with a warning."""
    if not call.has_result or _is_enough(gene, call):
        return call
    text = "Too few positions were called to tell that no other allele is there."
    if not (is_usual(call.phenotype) or code_of(call.phenotype) in _INCREASED):
        return replace(call, warnings=(*call.warnings, Warned(TOO_FEW, text)))
    text = f"{text} If none is, the result is {call.phenotype}."
    return replace(call, phenotype="", activity="", lookup="", warnings=(*call.warnings, Warned(TOO_FEW, text)))


def is_thin(call: GeneCall) -> bool:
    """Return whether a genotype rests on too few positions to be told as what a person has."""
    return any(warned.code == TOO_FEW for warned in call.warnings)


def _is_enough(gene: Gene, call: GeneCall) -> bool:
    needed = gene.tier1 or _ENOUGH.get(gene.symbol, ())
    if needed:
        return set(needed).isdisjoint(call.missing)
    if not set(_AND_HALF.get(gene.symbol, ())).isdisjoint(call.missing):
        return False
    return 2 * call.called_positions >= call.total_positions
