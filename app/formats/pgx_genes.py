"""Facts of pharmacogenes that sources of definitions leave out: accessions, how a result is used, copies of the gene.

Gene accessions: https://www.genenames.org; CPIC's gene table (CC0) for the rest. DPYD is HGNC:3012, whatever older
tables say.

>>> gene_facts("CYP2C9").method
<Method.SCORE: 'score'>
>>> gene_facts("ABC1") is None
True
"""

from __future__ import annotations

from dataclasses import dataclass

from app.formats.pgx import Method, Ploidy
from app.variants.accessions import MT, X


@dataclass(frozen=True, slots=True)
class GeneFacts:
    """What is known of a gene apart from its alleles."""

    symbol: str
    hgnc: str
    pharmgkb: str
    contig: int
    method: Method
    ploidy: Ploidy = Ploidy.AUTOSOMAL
    undocumented_as_reference: bool = False
    """An allele that no definition names counts as the reference, and is told"""


def _gene(
    symbol: str, hgnc: int, pharmgkb: str, contig: int, method: Method, *, undocumented_as_reference: bool = False
) -> GeneFacts:
    ploidy = {X: Ploidy.X, MT: Ploidy.MITOCHONDRIAL}.get(contig, Ploidy.AUTOSOMAL)
    return GeneFacts(symbol, f"HGNC:{hgnc}", pharmgkb, contig, method, ploidy, undocumented_as_reference)


GENES: dict[str, GeneFacts] = {
    facts.symbol: facts
    for facts in (
        _gene("ABCG2", 74, "PA390", 4, Method.PHENOTYPE),
        _gene("CACNA1S", 1397, "PA85", 1, Method.PHENOTYPE, undocumented_as_reference=True),
        _gene("CFTR", 1884, "PA109", 7, Method.PHENOTYPE),
        _gene("CYP2B6", 2615, "PA123", 19, Method.PHENOTYPE),
        _gene("CYP2C19", 2621, "PA124", 10, Method.PHENOTYPE),
        _gene("CYP2C9", 2623, "PA126", 10, Method.SCORE),
        _gene("CYP2D6", 2625, "PA128", 22, Method.SCORE),
        _gene("CYP3A4", 2637, "PA130", 7, Method.PHENOTYPE),
        _gene("CYP3A5", 2638, "PA131", 7, Method.PHENOTYPE),
        _gene("CYP4F2", 2645, "PA27121", 19, Method.GENOTYPE),
        _gene("DPYD", 3012, "PA145", 1, Method.LOWEST_FUNCTION, undocumented_as_reference=True),
        _gene("G6PD", 4057, "PA28469", X, Method.PHENOTYPE, undocumented_as_reference=True),
        _gene("HLA-A", 4931, "PA35055", 6, Method.ALLELE_STATUS),
        _gene("HLA-B", 4932, "PA35056", 6, Method.ALLELE_STATUS),
        _gene("IFNL3", 18365, "PA134952671", 19, Method.GENOTYPE),
        _gene("MT-RNR1", 7470, "PA31274", MT, Method.PHENOTYPE),
        _gene("NAT2", 7646, "PA18", 8, Method.PHENOTYPE),
        _gene("NUDT15", 23063, "PA134963132", 13, Method.PHENOTYPE, undocumented_as_reference=True),
        _gene("RYR1", 10483, "PA34896", 19, Method.LOWEST_FUNCTION, undocumented_as_reference=True),
        _gene("SLCO1B1", 10959, "PA134865839", 12, Method.PHENOTYPE),
        _gene("TPMT", 12014, "PA356", 6, Method.PHENOTYPE, undocumented_as_reference=True),
        _gene("UGT1A1", 12530, "PA420", 2, Method.PHENOTYPE),
        _gene("VKORC1", 23663, "PA133787052", 16, Method.GENOTYPE),
    )
}


def gene_facts(symbol: str) -> GeneFacts | None:
    """Return what is known of a gene; None for one that is not here."""
    return GENES.get(symbol)
