"""SLCO1B1: where no star allele can be called, rs4149056 alone says what matters (as CPIC's guideline allows)."""

from __future__ import annotations

from app.formats.pgx import Gene
from app.pgx.calls import Diplotype, Sample, Warned
from app.pgx.genotypes import called_alleles

GENE = "SLCO1B1"
POSITION = "rs4149056"
_AS = {"TT": Diplotype("*1", "*1"), "CT": Diplotype("*1", "*5"), "CC": Diplotype("*5", "*5")}


def inferred_slco1b1(gene: Gene, sample: Sample) -> tuple[Diplotype, Warned] | None:
    """Return the diplotype whose result counts for a genotype at rs4149056, and a warning that says so.

    None for other genes, and where rs4149056 was not called on both copies with its two known alleles.
    """
    if gene.symbol != GENE:
        return None
    alleles = [allele or "?" for allele in called_alleles(sample.observed.get(POSITION))]
    found = _AS.get("".join(sorted(alleles)))
    if found is None:
        return None
    shown = "/".join(sorted(alleles, reverse=True))
    text = (
        f"No star allele could be called; {found.text} stands for {shown} at {POSITION} and was inferred from it alone."
    )
    return found, Warned("inferred-from-rs4149056", text)
