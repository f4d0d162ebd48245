"""Terms of the Sequence Ontology for consequences of variants: accession, class of impact, order of severity.

Names and accessions are those of http://www.sequenceontology.org. Order and impact are Ensembl's
(https://www.ensembl.org/info/genome/variation/prediction/predicted_data.html); terms that only SnpEff gives stand where
its documentation (https://pcingola.github.io/SnpEff/) ranks their impact.

>>> most_severe_first({"intron_variant", "splice_donor_variant"})
('splice_donor_variant', 'intron_variant')
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, NamedTuple

HIGH: Final = "HIGH"
MODERATE: Final = "MODERATE"
LOW: Final = "LOW"
MODIFIER: Final = "MODIFIER"
IMPACTS: Final = (HIGH, MODERATE, LOW, MODIFIER)

TRANSCRIPT_ABLATION: Final = "transcript_ablation"
SPLICE_ACCEPTOR: Final = "splice_acceptor_variant"
SPLICE_DONOR: Final = "splice_donor_variant"
STOP_GAINED: Final = "stop_gained"
FRAMESHIFT: Final = "frameshift_variant"
STOP_LOST: Final = "stop_lost"
START_LOST: Final = "start_lost"
INFRAME_INSERTION: Final = "inframe_insertion"
INFRAME_DELETION: Final = "inframe_deletion"
MISSENSE: Final = "missense_variant"
PROTEIN_ALTERING: Final = "protein_altering_variant"
SPLICE_REGION: Final = "splice_region_variant"
START_RETAINED: Final = "start_retained_variant"
STOP_RETAINED: Final = "stop_retained_variant"
SYNONYMOUS: Final = "synonymous_variant"
CODING_SEQUENCE: Final = "coding_sequence_variant"
UTR_5: Final = "5_prime_UTR_variant"
UTR_3: Final = "3_prime_UTR_variant"
NONCODING_EXON: Final = "non_coding_transcript_exon_variant"
INTRON: Final = "intron_variant"


class Term(NamedTuple):
    """A term: its name, its accession, its class of impact, and its place in the order, 0 for the most severe.

    The impact is None where the tools that give the term do not agree on it.
    """

    name: str
    accession: str
    impact: str | None
    rank: int


_TABLE: Final = """
transcript_ablation SO:0001893 HIGH
splice_acceptor_variant SO:0001574 HIGH
splice_donor_variant SO:0001575 HIGH
stop_gained SO:0001587 HIGH
frameshift_variant SO:0001589 HIGH
stop_lost SO:0001578 HIGH
start_lost SO:0002012 HIGH
transcript_amplification SO:0001889 HIGH
feature_elongation SO:0001907 HIGH
feature_truncation SO:0001906 HIGH
chromosome_number_variation SO:1000182 HIGH
exon_loss_variant SO:0001572 HIGH
rare_amino_acid_variant SO:0002008 HIGH
feature_ablation SO:0001879 -
gene_fusion SO:0001565 -
bidirectional_gene_fusion SO:0002086 -
structural_interaction_variant SO:0002093 -
protein_protein_contact SO:0001093 -
inframe_insertion SO:0001821 MODERATE
inframe_deletion SO:0001822 MODERATE
disruptive_inframe_insertion SO:0001824 MODERATE
disruptive_inframe_deletion SO:0001826 MODERATE
conservative_inframe_insertion SO:0001823 MODERATE
conservative_inframe_deletion SO:0001825 MODERATE
missense_variant SO:0001583 MODERATE
protein_altering_variant SO:0001818 MODERATE
5_prime_UTR_truncation SO:0002013 MODERATE
3_prime_UTR_truncation SO:0002015 MODERATE
splice_donor_5th_base_variant SO:0001787 LOW
splice_region_variant SO:0001630 LOW
splice_donor_region_variant SO:0002170 LOW
splice_polypyrimidine_tract_variant SO:0002169 LOW
incomplete_terminal_codon_variant SO:0001626 LOW
start_retained_variant SO:0002019 LOW
initiator_codon_variant SO:0001582 LOW
5_prime_UTR_premature_start_codon_gain_variant SO:0001988 LOW
stop_retained_variant SO:0001567 LOW
synonymous_variant SO:0001819 LOW
coding_sequence_variant SO:0001580 MODIFIER
mature_miRNA_variant SO:0001620 MODIFIER
5_prime_UTR_variant SO:0001623 MODIFIER
3_prime_UTR_variant SO:0001624 MODIFIER
non_coding_transcript_exon_variant SO:0001792 MODIFIER
exon_variant SO:0001791 MODIFIER
conserved_intron_variant SO:0002018 MODIFIER
intron_variant SO:0001627 MODIFIER
NMD_transcript_variant SO:0001621 MODIFIER
non_coding_transcript_variant SO:0001619 MODIFIER
coding_transcript_variant SO:0001968 MODIFIER
transcript_variant SO:0001576 MODIFIER
intragenic_variant SO:0002011 MODIFIER
gene_variant SO:0001564 MODIFIER
upstream_gene_variant SO:0001631 MODIFIER
downstream_gene_variant SO:0001632 MODIFIER
TFBS_ablation SO:0001895 -
TFBS_amplification SO:0001892 -
TF_binding_site_variant SO:0001782 MODIFIER
regulatory_region_ablation SO:0001894 -
regulatory_region_amplification SO:0001891 -
regulatory_region_variant SO:0001566 MODIFIER
conserved_intergenic_variant SO:0002017 MODIFIER
intergenic_variant SO:0001628 MODIFIER
intergenic_region SO:0000605 MODIFIER
sequence_variant SO:0001060 MODIFIER
"""


def _terms() -> dict[str, Term]:
    rows = [line.split() for line in _TABLE.split("\n") if line]
    return {
        name: Term(name, accession, None if impact == "-" else impact, rank)
        for rank, (name, accession, impact) in enumerate(rows)
    }


TERMS: Final = MappingProxyType(_terms())
"""All known terms by name, the most severe first"""


def most_severe_first(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of known terms, each once, in the order of severity."""
    return tuple(sorted(set(names), key=lambda name: TERMS[name].rank))


def impact_of(names: Iterable[str]) -> str | None:
    """Return the gravest class of impact among known terms, None if none of them has one."""
    classes = {TERMS[name].impact for name in names}
    return next((impact for impact in IMPACTS if impact in classes), None)
