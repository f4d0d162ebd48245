"""The key by which knowledge of a genotype is found.

Of DPYD and RYR1 each variant counts by itself, and knowledge names pairs of single variants. A genotype with several
variants on a copy, or a list of which the phase is not known, means what its two variants of least function mean.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.formats.pgx import Gene, Method
from app.formats.pgx_genes import GENES
from app.operations.pgx import PgxContext
from app.pgx.lowest_function import Lowest, lowest_pair
from app.store.genotypes import GenotypeName
from app.variants.allele_names import genotype_key

SEVERAL = " + "
"""Between variants of one copy, or of unknown phase"""

_LOWEST = tuple(symbol for symbol, facts in GENES.items() if facts.method is Method.LOWEST_FUNCTION)


def key_of(context: PgxContext, name: GenotypeName) -> str:
    """Return the key of a genotype."""
    return genotype_key(deciding_code(context, name), name.gene_symbol)


def genes_of_several(keys: Iterable[str]) -> list[str]:
    """Return the genes of which some keys are, and genotypes with several variants may mean what the keys say."""
    asked = list(keys)
    return [symbol for symbol in _LOWEST if any(key.startswith(f"{symbol.lower()} ") for key in asked)]


def deciding_code(context: PgxContext, name: GenotypeName) -> str:
    """Return the genotype of two single variants that one with several means; itself for any other one."""
    if SEVERAL not in name.code or not name.gene_symbol:
        return name.code
    gene = context.pgx().content.gene(name.gene_symbol)
    if gene is None or gene.method is not Method.LOWEST_FUNCTION:
        return name.code
    found = _read(gene, name.code.removeprefix(gene.symbol).strip())
    return f"{gene.symbol} {lowest_pair(gene, found).text}" if found is not None else name.code


def _read(gene: Gene, text: str) -> Lowest | None:
    """Return the variants that a text names; None where it is not understood."""
    reference = gene.reference.name if gene.reference is not None else ""
    known = {allele.name for allele in gene.alleles}
    strands = [tuple(strand.removeprefix("[").removesuffix("]").split(SEVERAL)) for strand in text.split("/")]
    if any(variant not in known for strand in strands for variant in strand):
        return None
    bare = [tuple(variant for variant in strand if variant != reference) for strand in strands]
    match bare:
        case [listed]:
            return Lowest(variants=listed)
        case [first, second]:
            return Lowest(pairs=((first, second),))
        case _:
            return None
