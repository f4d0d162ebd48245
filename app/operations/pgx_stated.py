"""Results of pharmacogenes that laboratories stated as genotypes, the newest test first.

Of HLA a test may tell of some alleles only: what it does not tell of is taken from the next older one.

A genotype of a pharmacogene that this release does not understand is no result, and no reason to call the gene from
variants instead: the laboratory may have seen what variants do not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.errors import InvalidValue
from app.formats.pgx import Gene, Method, Ploidy
from app.operations.pgx_results import PgxResult, statuses_of
from app.pgx.calls import CallMethod, CallStatus, GeneCall, Warned
from app.pgx.outside import read_outside
from app.records import Sex, SourceClass
from app.store.genotypes import Genotype

_DIFFERS = "The test states several genotypes of this gene, which differ."
_NOT_INHERITED = frozenset({SourceClass.SOMATIC, SourceClass.MIXED})


def stated_results(
    genes: Iterable[Gene], stated: Sequence[Genotype], releases: Mapping[str, str], sex: Sex = Sex.UNKNOWN
) -> dict[str, list[PgxResult]]:
    """Return the results that some statements of one subject give, by gene: first the one that counts."""
    known: dict[str, Gene] = {}
    for gene in genes:
        known[gene.symbol] = gene
        if gene.hgnc:
            known[gene.hgnc] = gene
    by_gene: dict[str, dict[tuple[str, str], list[Genotype]]] = {}
    for one in stated:
        found = _gene_of(known, one)
        if found is not None and one.source_class not in _NOT_INHERITED:
            by_gene.setdefault(found.symbol, {}).setdefault((one.test_date or "", one.test_id), []).append(one)
    results: dict[str, list[PgxResult]] = {}
    for symbol, tests in by_gene.items():
        newest_first: list[PgxResult] = []
        for key in sorted(tests, reverse=True):
            call = _read(known[symbol], tests[key], releases.get(symbol, ""), sex)
            if call is not None:
                first = tests[key][0]
                newest_first.append(PgxResult(call, first.test_id, first.test_date, first.specimen_id))
        if newest_first:
            is_hla = known[symbol].method is Method.ALLELE_STATUS
            results[symbol] = _completed(newest_first) if is_hla else newest_first
    return results


def _completed(found: list[PgxResult]) -> list[PgxResult]:
    """Return results of HLA, newest first, the first with the alleles that only older ones tell of."""
    usable = [one for one in found if one.call.status is CallStatus.CALLED]
    if not usable:
        return found
    said: dict[str, str] = {}
    for one in usable:
        said = statuses_of(one.call) | said
    newest = usable[0]
    told = "; ".join(f"{allele} {word}" for allele, word in said.items())
    unread = [one.call.reason for one in found if one.call.status is not CallStatus.CALLED]
    warnings = (*newest.call.warnings, *(Warned("stated-unusable", f"{reason}.") for reason in unread))
    call = replace(newest.call, phenotype=told, lookup=told, warnings=warnings)
    return [replace(newest, call=call), *(one for one in found if one is not newest)]


def _gene_of(known: Mapping[str, Gene], one: Genotype) -> Gene | None:
    for name in (one.name.gene_id, one.name.gene_symbol):
        if name and name in known:
            return known[name]
    return None


def _read(gene: Gene, stated: Sequence[Genotype], release: str, sex: Sex) -> GeneCall | None:
    """Return what the statements of one test say of a gene; None if none of them is about named alleles."""
    texts = list(dict.fromkeys(one.name.code for one in stated))
    found: list[GeneCall] = []
    for text in texts:
        try:
            found.append(_of_sex(gene, read_outside(gene, text, release=release), sex))
        except InvalidValue as problem:
            if "*" in text or gene.symbol in text:
                reason = f"a laboratory stated a genotype that cannot be used: {problem.diagnostics}"
                found.append(
                    GeneCall(gene.symbol, CallStatus.NO_CALL, CallMethod.OUTSIDE, reason=reason, release=release)
                )
    distinct = list(dict.fromkeys(_key(call) for call in found))
    if len(distinct) <= 1:
        return found[0] if found else None
    return _all_statuses(found) if gene.method is Method.ALLELE_STATUS else _contradicting(found)


def _of_sex(gene: Gene, call: GeneCall, sex: Sex) -> GeneCall:
    """Return a result of a gene on X, but none that the sex of the person contradicts."""
    if gene.ploidy is not Ploidy.X or len(call.diplotypes) != 1:
        return call
    one = call.diplotypes[0]
    if sex is Sex.FEMALE and one.second is None:
        reason = "a laboratory stated one allele, but a woman has two copies of the gene"
    elif sex is Sex.MALE and one.second not in (None, one.first):
        reason = "a laboratory stated two different alleles, but a man has one copy of the gene"
    else:
        return call
    return replace(call, status=CallStatus.NO_CALL, diplotypes=(), reason=reason, phenotype="", activity="", lookup="")


def _key(call: GeneCall) -> tuple[object, ...]:
    return call.status, call.diplotypes, call.variants, call.phenotype, call.lookup


def _contradicting(found: Sequence[GeneCall]) -> GeneCall:
    """Return the result of statements of one test that differ: what they have in common."""
    warnings = (*(one for call in found for one in call.warnings), Warned("stated-differently", _DIFFERS))
    usable = all(call.status is CallStatus.CALLED for call in found)
    return replace(
        found[0],
        status=CallStatus.AMBIGUOUS if usable else CallStatus.NO_CALL,
        diplotypes=tuple(dict.fromkeys(one for call in found for one in call.diplotypes)),
        warnings=tuple(dict.fromkeys(warnings)),
        reason="" if usable else next(call.reason for call in found if call.status is not CallStatus.CALLED),
        phenotype=_common([call.phenotype for call in found]) if usable else "",
        activity=_common([call.activity for call in found]) if usable else "",
        lookup=_common([call.lookup for call in found]) if usable else "",
    )


def _all_statuses(found: Sequence[GeneCall]) -> GeneCall:
    """Return what several statements of one test say of alleles of HLA; nothing of those that they contradict in."""
    usable = [call for call in found if call.status is CallStatus.CALLED]
    if not usable:
        return found[0]
    words: dict[str, set[str]] = {}
    for call in usable:
        for allele, word in statuses_of(call).items():
            words.setdefault(allele, set()).add(word)
    types = {call.diplotypes for call in usable} - {()}
    differs = len(types) > 1 or any(len(each) > 1 for each in words.values())
    told = "; ".join(f"{allele} {word}" for allele, each in words.items() if len(each) == 1 for word in each)
    warnings = [Warned("stated-unusable", f"{call.reason}.") for call in found if call not in usable]
    if differs:
        warnings.append(Warned("stated-differently", _DIFFERS))
    one = replace(
        usable[0],
        diplotypes=next(iter(types)) if types and not differs else (),
        phenotype=told,
        lookup=told,
        warnings=tuple(warnings),
    )
    return one if told or one.diplotypes else replace(one, status=CallStatus.NO_CALL, reason=_DIFFERS.rstrip("."))


def _common(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""
