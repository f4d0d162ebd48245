"""MT-RNR1: the variants of the mitochondrial genome, of which cells may have a share only (heteroplasmy)."""

from __future__ import annotations

from dataclasses import dataclass

from app.pgx.calls import Sample, Warned
from app.pgx.definition import Definition, members
from app.pgx.genotypes import called_alleles
from app.pgx.lowest_function import coding_order

THRESHOLD = 0.10
"""Share of ALT from which a variant counts as present"""
_NEARLY_ALL = 0.95
_ONE_ALT = 2


@dataclass(frozen=True, slots=True)
class Mitochondrial:
    """What was found."""

    variants: tuple[str, ...]
    called: int
    missing: tuple[str, ...]
    undocumented: tuple[str, ...]
    uncallable: tuple[str, ...]
    warnings: tuple[Warned, ...]


def find_mitochondrial(definition: Definition, sample: Sample, threshold: float) -> Mitochondrial:
    """Return the variants of which the share is at least the threshold, or which were called without a share."""
    variants: list[str] = []
    missing: list[str] = []
    undocumented: list[str] = []
    warnings: list[Warned] = []
    stated = 0
    for site in definition.sites:
        alleles = {allele for allele in called_alleles(sample.observed.get(site.name)) if allele is not None}
        if not alleles:
            missing.append(site.name)
            continue
        stated |= site.stated
        if alleles - set(site.alleles):
            undocumented.append(site.name)
        share = sample.allele_frequencies.get(site.name)
        if share is not None and share >= threshold and alleles == {site.ref} and len(site.alleles) == _ONE_ALT:
            alleles.add(site.alleles[1])
        named = [
            definition.gene.alleles[at].name
            for allele in sorted(alleles & set(site.alleles[1:]))
            for at in members(site.fits[allele] & site.stated & definition.candidates)[:1]
        ]
        if share is None or share >= threshold:
            variants.extend(named)
        warnings.extend(_heteroplasmy(named, share, len(alleles), threshold))
    return Mitochondrial(
        tuple(sorted(variants, key=coding_order)),
        len(definition.sites) - len(missing),
        tuple(missing),
        tuple(undocumented),
        definition.names(definition.candidates & ~stated),
        tuple(warnings),
    )


def _heteroplasmy(named: list[str], share: float | None, alleles: int, threshold: float) -> list[Warned]:
    found = []
    for name in named:
        if share is not None and share < threshold:
            text = f"{name} was found in {share:.0%} of reads, below {threshold:.0%}, and is not counted."
            found.append(Warned("heteroplasmy-below-threshold", text))
        elif share is not None and share < _NEARLY_ALL:
            found.append(Warned("heteroplasmy", f"{name} was found in {share:.0%} of reads."))
        elif share is None and alleles > 1:
            found.append(Warned("heteroplasmy", f"{name} was found beside the reference; its share is not known."))
    return found


def risk_order(phenotype: str) -> int:
    """Return where a phenotype stands by risk: increased first, then uncertain or unknown, then normal."""
    text = phenotype.casefold()
    return 0 if "increased" in text else 2 if "normal" in text else 1
