"""Calling named alleles from what a test found at their defining positions.

The kinds of genes have their own modules: ``named_alleles`` for most, ``lowest_function`` for DPYD and RYR1,
``copy_number`` for CYP2D6, ``mitochondrial`` for MT-RNR1. Here is what they have in common.
"""

from __future__ import annotations

from dataclasses import replace

from app.formats.pgx import Gene, Method, Ploidy
from app.pgx import copy_number, mitochondrial
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall, Observed, Sample, Warned
from app.pgx.definition import Definition, definition_of
from app.pgx.diplotypes import diplotype
from app.pgx.genotypes import Genotypes, called_alleles, read_genotypes
from app.pgx.hapb3 import EXON, INTRON, read_hapb3
from app.pgx.inferred import inferred_slco1b1
from app.pgx.lowest_function import diplotype_of, find_variants, lowest_pair
from app.pgx.mitochondrial import THRESHOLD, find_mitochondrial
from app.pgx.named_alleles import match
from app.pgx.phenotype import result_of, shared_result
from app.pgx.support import guarded

_NOTHING_FITS = "no pair of named alleles fits what was found"
_NOTHING_FITS_ONE = "no named allele fits what was found"
_MOST_EQUAL = 100
"""Diplotypes that may fit equally well; more say only that too few positions were called"""
_SHOWN = 5
"""Names that a sentence lists before it counts the rest"""


def call_gene(gene: Gene, sample: Sample, *, release: str = "", heteroplasmy: float = THRESHOLD) -> GeneCall:
    """Call one gene, with its phenotype; every diplotype that fits is kept.

    Nothing is guessed: a missing position is never the reference, a gene without data is ``not-tested``, and a usual
    phenotype is withheld where too few positions were called (``app.pgx.support``).

    Args:
        gene: The gene as a release defines it.
        sample: What one test found.
        release: Name of the release, kept in the call.
        heteroplasmy: Share of reads from which a mitochondrial variant counts as present.
    """
    definition = definition_of(gene)
    if gene.method is Method.ALLELE_STATUS or not definition.candidates:
        return _not_tested(definition, release, "the alleles of this gene are not told by small variants")
    deleted = sample.copy_number is not None and sample.copy_number.copies == 0
    if not _is_tested(definition, sample) and not (deleted and gene.symbol in copy_number.GENES):
        return _not_tested(definition, release, "no position of the gene was tested")
    if gene.ploidy is Ploidy.MITOCHONDRIAL:
        return guarded(gene, _mitochondrial(definition, sample, release, heteroplasmy))
    return guarded(gene, _Caller(definition, sample, release).call())


def _is_tested(definition: Definition, sample: Sample) -> bool:
    return any(set(called_alleles(sample.observed.get(site.name))) - {None} for site in definition.sites)


def _not_tested(definition: Definition, release: str, reason: str) -> GeneCall:
    return GeneCall(
        definition.gene.symbol,
        CallStatus.NOT_TESTED,
        total_positions=len(definition.sites),
        missing=tuple(site.name for site in definition.sites),
        uncallable=definition.names(definition.candidates) + definition.unseen,
        reason=reason,
        release=release,
    )


class _Caller:
    """One gene of one sample."""

    def __init__(self, definition: Definition, sample: Sample, release: str) -> None:
        self._definition = definition
        self._gene = definition.gene
        self._sample = sample
        self._copies = sample.copy_number.copies if sample.copy_number is not None else None
        self._counted = definition.gene.symbol in copy_number.GENES
        halves = frozenset({INTRON, EXON}) if self._is_lowest else frozenset()
        one_copy = 1 if self._counted and self._copies == 1 else None
        self._genotypes = read_genotypes(definition, sample, copies=one_copy, halves=halves)
        snv_only = self._counted and self._copies is None
        self._call = GeneCall(
            self._gene.symbol,
            CallStatus.NO_CALL,
            CallMethod.SNV_ONLY if snv_only else CallMethod.MATCHER,
            copy_number=self._copies,
            effectively_phased=self._genotypes.effectively_phased,
            called_positions=len(self._genotypes.found),
            total_positions=len(definition.sites),
            missing=self._genotypes.missing,
            undocumented=self._genotypes.undocumented,
            uncallable=definition.unseen,
            warnings=_warnings(definition, sample, self._genotypes),
            release=release,
        )

    @property
    def _is_lowest(self) -> bool:
        return self._gene.method is Method.LOWEST_FUNCTION

    def call(self) -> GeneCall:
        """Return the call."""
        if self._counted and self._copies == 0:
            return self._called((Diplotype(copy_number.DELETED, copy_number.DELETED),), ())
        problem = self._problem()
        if problem:
            return self._no_call(problem)
        return self._lowest() if self._is_lowest else self._named()

    def _problem(self) -> str:
        genotypes = self._genotypes
        if self._copies not in {None, copy_number.USUAL} and not self._counted and not genotypes.haploid:
            return f"{self._copies} copies of the gene were found, and no allele is named by that"
        if genotypes.half_called:
            return f"only one copy was called at {_some(genotypes.half_called)}, and it is not the reference"
        if self._sample.copy_number is not None and genotypes.problem:
            return f"{genotypes.problem} (copies found: {self._copies})"
        if genotypes.problem:
            return genotypes.problem
        absent = [name for name in self._gene.required if name in genotypes.missing]
        if absent:
            return f"required positions were not called: {', '.join(absent)}"
        if not genotypes.found:
            return "no position was called completely"
        if genotypes.undocumented and not self._gene.undocumented_as_reference:
            return f"an allele that no definition names was found at {_some(genotypes.undocumented)}"
        return ""

    def _named(self) -> GeneCall:
        found = match(self._definition, self._genotypes)
        self._call = replace(self._call, uncallable=found.uncallable + self._definition.unseen)
        if not found.best:
            return self._no_call(_NOTHING_FITS_ONE if self._genotypes.haploid else _NOTHING_FITS)
        if len(found.best) > _MOST_EQUAL:
            return self._no_call(f"{len(found.best)} diplotypes fit equally well: too few positions were called")
        if not self._counted or self._copies in {None, copy_number.USUAL}:
            return self._called(found.best, found.others)
        return self._called(self._with_copies(found.best), self._with_copies(found.others))

    def _with_copies(self, found: tuple[Diplotype, ...]) -> tuple[Diplotype, ...]:
        if self._copies == 1:
            return tuple(diplotype(each.first, copy_number.DELETED, each.score) for each in found)
        number = self._sample.copy_number
        if number is None:
            return found
        ways = [copy_number.multiplied(self._definition, self._genotypes, self._sample, number, each) for each in found]
        return tuple(each for way in ways for each in way)

    def _lowest(self) -> GeneCall:
        hapb3 = read_hapb3(self._definition, self._genotypes)
        if self._genotypes.haploid:
            return self._no_call("one allele was called at each position of a gene of which people have two copies")
        found = find_variants(self._definition, self._genotypes, hapb3)
        if found.problem:
            return self._no_call(found.problem)
        called = 0
        for index in self._genotypes.found:
            called |= self._definition.sites[index].stated
        uncallable = self._definition.names(self._definition.candidates & ~called) + self._definition.unseen
        result = result_of(self._gene, lowest_pair(self._gene, found))
        diplotypes = tuple(diplotype_of(self._gene, pair) for pair in found.pairs)
        several = len(diplotypes) > 1
        warnings = (*self._call.warnings, *found.warnings)
        if several:
            text = "The variants can be divided between the copies in several ways; the one of least function counts."
            warnings = (*warnings, Warned("phase-sets", text))
        return replace(
            self._call,
            status=CallStatus.AMBIGUOUS if several else CallStatus.CALLED,
            diplotypes=diplotypes,
            variants=found.variants,
            phenotype=result.phenotype,
            activity=result.activity,
            lookup=result.lookup,
            uncallable=uncallable,
            warnings=warnings,
        )

    def _called(self, best: tuple[Diplotype, ...], others: tuple[Diplotype, ...]) -> GeneCall:
        shared, same = shared_result(self._gene, best)
        warnings = list(self._call.warnings)
        if self._counted:
            warnings.append(copy_number.NOT_ASSESSED if self._copies is None else copy_number.HYBRIDS_UNSEEN)
            if self._copies is not None and self._copies > copy_number.USUAL and len(best) > 1:
                warnings.append(copy_number.DUPLICATED_UNKNOWN)
        if not same:
            text = f"The diplotypes that fit equally well lead to different results: {_some(_texts(best))}."
            warnings.append(Warned("results-differ", text))
        elif differing := [each for each in others if result_of(self._gene, each).phenotype != shared.phenotype]:
            text = f"Another diplotype that fits less well has another phenotype: {_some(_texts(tuple(differing)))}."
            warnings.append(Warned("alternative-phenotype", text))
        return replace(
            self._call,
            status=CallStatus.CALLED if len(best) == 1 else CallStatus.AMBIGUOUS,
            diplotypes=best,
            alternatives=others,
            phenotype=shared.phenotype,
            activity=shared.activity,
            lookup=shared.lookup,
            warnings=tuple(warnings),
        )

    def _no_call(self, reason: str) -> GeneCall:
        inferred = inferred_slco1b1(self._gene, self._sample)
        if inferred is not None:
            found, warned = inferred
            call = self._called((found,), ())
            return replace(call, warnings=(*call.warnings, warned))
        return replace(self._call, reason=reason)


def _texts(found: tuple[Diplotype, ...]) -> tuple[str, ...]:
    return tuple(each.text for each in found)


def _some(names: tuple[str, ...]) -> str:
    listed = "; ".join(names[:_SHOWN])
    return listed if len(names) <= _SHOWN else f"{listed} and {len(names) - _SHOWN} more"


def _warnings(definition: Definition, sample: Sample, genotypes: Genotypes) -> tuple[Warned, ...]:
    gene = definition.gene
    warnings = []
    if absent := tuple(name for name in gene.tier1 if name in genotypes.missing):
        text = f"Positions that a test should have were not called: {_some(absent)}."
        warnings.append(Warned("tier1-missing", text))
    if genotypes.undocumented and gene.undocumented_as_reference:
        text = f"An allele that no definition names was taken for the reference at {_some(genotypes.undocumented)}."
        warnings.append(Warned("undocumented-as-reference", text))
    names = {site.name for site in definition.sites}
    if repeated := tuple(name for name in sample.repeated if name in names):
        text = f"Several records were found, of which the first counts, at {_some(repeated)}."
        warnings.append(Warned("repeated-position", text))
    if gene.ploidy is Ploidy.X and sample.male is None and not genotypes.haploid and not genotypes.group_count:
        text = "The sex is not known: homozygous findings may be those of a man's one copy."
        warnings.append(Warned("sex-unknown", text))
    return tuple(warnings)


def _mitochondrial(definition: Definition, sample: Sample, release: str, threshold: float) -> GeneCall:
    found = find_mitochondrial(definition, sample, threshold)
    gene = definition.gene
    observed: list[Observed] = [sample.observed[name] for name in found.undocumented]
    call = GeneCall(
        gene.symbol,
        CallStatus.NO_CALL,
        called_positions=found.called,
        total_positions=len(definition.sites),
        missing=found.missing,
        undocumented=found.undocumented,
        uncallable=found.uncallable + definition.unseen,
        warnings=found.warnings,
        effectively_phased=True,
        release=release,
    )
    if observed and not gene.undocumented_as_reference:
        return replace(call, reason=f"an allele that no definition names was found at {_some(found.undocumented)}")
    reference = gene.reference.name if gene.reference is not None else ""
    return _with_variants(call, gene, found.variants or (reference,))


def _with_variants(call: GeneCall, gene: Gene, names: tuple[str, ...]) -> GeneCall:
    """Return a call with the variants of the one mitochondrial genome; the one of highest risk counts."""
    results = [result_of(gene, Diplotype(name)) for name in names]
    worst = min(results, key=lambda result: mitochondrial.risk_order(result.phenotype))
    return replace(
        call,
        status=CallStatus.CALLED,
        diplotypes=(Diplotype(names[0]),) if len(names) == 1 else (),
        variants=names if len(names) > 1 else (),
        phenotype=worst.phenotype,
        lookup=worst.lookup,
    )
