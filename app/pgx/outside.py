"""Genotypes that another laboratory reported, in the spellings that laboratories use.

Only alleles that the release defines are understood; a name that it does not know is refused, never taken for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.errors import InvalidValue, quoted
from app.formats.pgx import Gene, Method, Ploidy
from app.pgx import copy_number
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall
from app.pgx.definition import definition_of
from app.pgx.diplotypes import Unit, diplotype, units
from app.pgx.hla_typing import read_hla
from app.pgx.lowest_function import Lowest, Strand, coding_order, diplotype_of, lowest_pair
from app.pgx.phenotype import result_of

_LONGEST = 1000
_COPIES = 2


def read_outside(gene: Gene, text: str, *, release: str = "") -> GeneCall:
    """Return the call that a text states: ``*1/*4``, ``CYP2D6 *1x2/*4``, ``*68+*4/*5``, ``*57:01 positive``.

    Raises:
        InvalidValue: the text is no genotype of the gene.
    """
    given = text.strip()
    if not given or len(given) > _LONGEST:
        raise InvalidValue(f"{quoted(text)} is no genotype of {gene.symbol}")
    call = GeneCall(gene.symbol, CallStatus.CALLED, CallMethod.OUTSIDE, release=release)
    if gene.method is Method.ALLELE_STATUS:
        return _hla(gene, given, call)
    strands = [_strand(gene, part) for part in _without_symbol(gene, given).split("/")]
    if not _is_possible(gene, len(strands)):
        raise InvalidValue(f"{quoted(text)} names {len(strands)} alleles of {gene.symbol}")
    if gene.method is Method.LOWEST_FUNCTION:
        return _lowest(gene, strands, call)
    names = [strand[0] for strand in strands]
    found = _diplotype(names)
    result = result_of(gene, found)
    return replace(
        call,
        diplotypes=(found,),
        phenotype=result.phenotype,
        activity=result.activity,
        lookup=result.lookup,
        copy_number=_copy_number(gene, names),
    )


def _is_possible(gene: Gene, copies: int) -> bool:
    match gene.ploidy:
        case Ploidy.X:
            return copies in {1, _COPIES}
        case Ploidy.MITOCHONDRIAL:
            return copies == 1
        case _:
            return copies == _COPIES


def _without_symbol(gene: Gene, text: str) -> str:
    """Return a genotype without the symbol of its gene in front: ``CYP2D6 *1/*4``, ``CYP2D6*1/*4``, ``CYP2D6:*1``."""
    if not text.startswith(gene.symbol):
        return text
    rest = text[len(gene.symbol) :]
    return rest.lstrip(" :") if rest[:1] in {" ", ":", "*"} else text


def _strand(gene: Gene, text: str) -> Strand:
    """Return the alleles of one copy: one, or for a gene of lowest function all that ``[A + B]`` lists."""
    name = _without_symbol(gene, text.strip())
    if gene.method is Method.LOWEST_FUNCTION and name.startswith("[") and name.endswith("]"):
        variants = tuple(_known(gene, part.strip()) for part in name[1:-1].split(" + "))
        return tuple(sorted(set(variants), key=coding_order))
    known = _known_or_none(gene, name)
    if known is None and gene.symbol in copy_number.GENES:
        known = _copied(gene, name)
    if known is None:
        raise InvalidValue(f"{quoted(name)} is no allele of {gene.symbol} in this release")
    return (known,)


def _known(gene: Gene, name: str) -> str:
    known = _known_or_none(gene, name)
    if known is None:
        raise InvalidValue(f"{quoted(name)} is no allele of {gene.symbol} in this release")
    return known


def _known_or_none(gene: Gene, name: str) -> str | None:
    """Return the allele of a name, under the name that results are given under; case does not matter if it is clear."""
    exact = definition_of(gene).by_name.get(name)
    if exact is not None:
        return exact.core_of or exact.name
    if any(allele.core_of == name for allele in gene.alleles if name):
        return name
    alike = [allele for allele in gene.alleles if allele.name.casefold() == name.casefold()]
    return (alike[0].core_of or alike[0].name) if len(alike) == 1 else None


def _copied(gene: Gene, name: str) -> str | None:
    """Return an allele with copies or in tandem, in Operon's spelling; None where a part is not known."""
    parts = units(name.replace(" ", "").replace(">=", "≥"))
    known = [_known_or_none(gene, unit.name) for unit in parts]
    if not parts or None in known:
        return None
    return "+".join(_written(unit, star) for unit, star in zip(parts, known, strict=True) if star is not None)


def _written(unit: Unit, star: str) -> str:
    if unit.copies is None:
        return f"{star}xN"
    if unit.at_least:
        return f"{star}x≥{unit.copies}"
    return star if unit.copies == 1 else f"{star}x{unit.copies}"


def _copy_number(gene: Gene, names: list[str]) -> int | None:
    """Return how many copies of the gene a genotype means; None where it leaves that open."""
    if gene.symbol not in copy_number.GENES:
        return None
    total = 0
    for unit in (unit for name in names for unit in units(name)):
        if unit.copies is None or unit.at_least:
            return None
        total += unit.copies if unit.name != copy_number.DELETED else 0
    return total


def _lowest(gene: Gene, strands: list[Strand], call: GeneCall) -> GeneCall:
    reference = gene.reference.name if gene.reference is not None else ""
    first, second = (tuple(name for name in strand if name != reference) for strand in strands)
    result = result_of(gene, lowest_pair(gene, Lowest(pairs=((first, second),))))
    return replace(
        call,
        diplotypes=(diplotype_of(gene, (first, second)),),
        phenotype=result.phenotype,
        activity=result.activity,
        lookup=result.lookup,
    )


def _hla(gene: Gene, text: str, call: GeneCall) -> GeneCall:
    found = read_hla(gene.symbol, _without_locus(gene, text), tuple(allele.name for allele in gene.alleles))
    told = "; ".join(found.statuses)
    if not told and not found.alleles:
        return replace(call, status=CallStatus.NO_CALL, reason="the type leaves open what guidelines ask for")
    diplotypes = (_diplotype(found.alleles),) if found.alleles else ()
    return replace(call, diplotypes=diplotypes, phenotype=told, lookup=told)


def _diplotype(names: Sequence[str]) -> Diplotype:
    return diplotype(names[0], names[1] if len(names) == _COPIES else None)


def _without_locus(gene: Gene, text: str) -> str:
    """Return a type without the symbol of its gene and a space in front."""
    return text[len(gene.symbol) :].strip() if text.startswith(f"{gene.symbol} ") else text
