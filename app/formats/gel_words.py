"""The closed vocabularies of Genomics England's models, and what older models called the same things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.records import Build

ZYGOSITIES: Final = frozenset(
    {
        "reference_homozygous",
        "heterozygous",
        "alternate_homozygous",
        "missing",
        "half_missing_reference",
        "half_missing_alternate",
        "alternate_hemizigous",
        "reference_hemizigous",
        "unk",
        "na",
    }
)
# The models spell it hemizigous, which other programs of Genomics England do not.
ZYGOSITY_SPELLINGS: Final = {
    "alternate_hemizygous": "alternate_hemizigous",
    "reference_hemizygous": "reference_hemizigous",
}
ORIGINS: Final = frozenset(
    {
        "de_novo_variant",
        "germline_variant",
        "maternal_variant",
        "paternal_variant",
        "pedigree_specific_variant",
        "population_specific_variant",
        "somatic_variant",
    }
)
INHERITANCE: Final = frozenset(
    {
        "monoallelic",
        "monoallelic_not_imprinted",
        "monoallelic_maternally_imprinted",
        "monoallelic_paternally_imprinted",
        "biallelic",
        "monoallelic_and_biallelic",
        "monoallelic_and_more_severe_biallelic",
        "xlinked_biallelic",
        "xlinked_monoallelic",
        "mitochondrial",
        "unknown",
        "na",
    }
)
SEGREGATIONS: Final = frozenset(
    {
        "UniparentalIsodisomy",
        "SimpleRecessive",
        "CompoundHeterozygous",
        "deNovo",
        "InheritedAutosomalDominant",
        "InheritedAutosomalDominantMaternallyImprinted",
        "InheritedAutosomalDominantPaternallyImprinted",
        "XLinkedCompoundHeterozygous",
        "XLinkedSimpleRecessive",
        "XLinkedMonoallelic",
        "MitochondrialGenome",
    }
)
TIERS: Final = frozenset({"NONE", "TIER1", "TIER2", "TIER3", "TIER4", "TIER5", "TIERA", "TIERB"})
DOMAINS: Final = frozenset({"NONE", "DOMAIN1", "DOMAIN2", "DOMAIN3", "DOMAIN4"})
PENETRANCES: Final = frozenset({"complete", "incomplete"})
STRUCTURAL_KINDS: Final = frozenset(
    {"ins", "dup", "inv", "amplification", "deletion", "dup_tandem", "del_me", "ins_me"}
)
_OLD_STRUCTURAL_KINDS = (
    ("DUP:TANDEM", "dup_tandem"),
    ("DEL:ME", "del_me"),
    ("INS:ME", "ins_me"),
    ("DEL", "deletion"),
    ("DUP", "dup"),
    ("INV", "inv"),
    ("INS", "ins"),
    ("CNV", "cnv"),
)
"""First letters of the VCF type of models before 5 → word of model 6 (cnv has none there); the first that fits"""

OLD_ENTITIES: Final = {"RegulatoryRegion": "regulatory_region", "Gene": "gene", "Transcript": "transcript"}
"""Types of genomic features before model 5"""

SIGNIFICANCES: Final[Mapping[str, str]] = {
    **{
        word: word
        for word in ("benign", "likely_benign", "uncertain_significance", "likely_pathogenic", "pathogenic", "excluded")
    },
    "VUS": "uncertain_significance",
    "BENIGN": "benign",
    "LIKELY_BENIGN": "likely_benign",
    "LIKELY_PATHOGENIC": "likely_pathogenic",
    "PATHOGENIC": "pathogenic",
    "pathogenic_variant": "pathogenic",
    "likely_pathogenic_variant": "likely_pathogenic",
    "variant_of_unknown_clinical_significance": "uncertain_significance",
    "likely_benign_variant": "likely_benign",
    "benign_variant": "benign",
    "not_assessed": "",
    "na": "",
}
"""What every model and the exit questionnaires call a significance → its word in model 6; empty: none was given"""

DRUG_RESPONSES: Final = frozenset(
    {
        "altered_sensitivity",
        "reduced_sensitivity",
        "increased_sensitivity",
        "altered_resistance",
        "increased_resistance",
        "reduced_resistance",
        "increased_risk_of_toxicity",
        "reduced_risk_of_toxicity",
        "altered_toxicity",
        "adverse_drug_reaction",
        "indication",
        "contraindication",
        "dosing_alteration",
        "increased_dose",
        "reduced_dose",
        "increased_monitoring",
        "increased_efficacy",
        "reduced_efficacy",
        "altered_efficacy",
    }
)
OLD_DRUG_RESPONSES: Final = frozenset(
    {
        "responsive",
        "resistant",
        "toxicity",
        "indication",
        "contraindication",
        "dosing",
        "increased_monitoring",
        "efficacy",
    }
)
"""Words of model 5; they do not say which way, so they keep their own meaning"""

ACMG_TYPES: Final = {"pathogenic": "P", "benign": "B", "bening": "B"}
ACMG_WEIGHTS: Final = {"very_strong": "VS", "strong": "S", "moderate": "M", "supporting": "P", "stand_alone": "A"}

CONSENT_FIELDS: Final = (
    "primaryGenomicTestingConsent",
    "researchDiscussion",
    "researchFindingConsent",
    "pharmocogenomicsFindingConsent",
    "healthRelatedFindingConsent",
    "carrierStatusConsent",
)
"""The fields of econsent, spelled as they are on the wire"""

CONSENT_SPELLINGS: Final = {
    **{name: name for name in CONSENT_FIELDS},
    "pharmacogenomicsFindingConsent": "pharmocogenomicsFindingConsent",
    "primaryFindingConsent": "primaryGenomicTestingConsent",
    "researchConsent": "researchFindingConsent",
}

CONSEQUENCES: Final = {
    "3_prime_UTR_variant": "SO:0001624",
    "splice_acceptor_variant": "SO:0001574",
    "intergenic_variant": "SO:0001628",
    "inframe_deletion": "SO:0001822",
    "downstream_gene_variant": "SO:0001632",
    "initiator_codon_variant": "SO:0001582",
    "5_prime_UTR_variant": "SO:0001623",
    "transcript_ablation": "SO:0001893",
    "synonymous_variant": "SO:0001819",
    "transcript_amplification": "SO:0001889",
    "stop_retained_variant": "SO:0001567",
    "protein_altering_variant": "SO:0001818",
    "splice_donor_variant": "SO:0001575",
    "inframe_insertion": "SO:0001821",
    "stop_lost": "SO:0001578",
    "non_coding_transcript_variant": "SO:0001619",
    "NMD_transcript_variant": "SO:0001621",
    "non_coding_transcript_exon_variant": "SO:0001792",
    "splice_region_variant": "SO:0001630",
    "stop_gained": "SO:0001587",
    "coding_sequence_variant": "SO:0001580",
    "upstream_gene_variant": "SO:0001631",
    "start_lost": "SO:0002012",
    "frameshift_variant": "SO:0001589",
    "regulatory_region_variant": "SO:0001566",
    "missense_variant": "SO:0001583",
    "intron_variant": "SO:0001627",
}
"""Names of consequences in models before 5 → Sequence Ontology"""

_BUILDS = (
    ("GRCH38", Build.GRCH38),
    ("HG38", Build.GRCH38),
    ("GRCH37", Build.GRCH37),
    ("HG19", Build.GRCH37),
)


def old_structural_kind(word: str) -> str | None:
    """Return the word of model 6 for a type of models before 5: ``DEL``, ``<DUP>``, ``INS:ME:ALU``, ``DUP_TANDEM``."""
    plain = word.strip().strip("<>").upper().replace("_", ":")
    return next((kind for start, kind in _OLD_STRUCTURAL_KINDS if plain.startswith(start)), None)


def read_build(word: object) -> Build | None:
    """Return the assembly that a text names: ``GRCh38``, ``GRCh37.p13``, ``hg19``; None if it names neither."""
    if word == "GRCh38":
        return Build.GRCH38
    if not isinstance(word, str):
        return None
    capital = word.strip().upper()
    return next((build for start, build in _BUILDS if capital.startswith(start)), None)


def read_chromosome(name: str) -> str:
    """Return 1 … 22, X, Y or MT without ``chr``; the name of another contig as it is."""
    bare = name[3:] if name[:3].lower() == "chr" else name
    capital = bare.upper()
    if capital in ("M", "MT"):
        return "MT"
    if capital in ("X", "Y"):
        return capital
    if bare.isdecimal() and bare.isascii():
        return bare.lstrip("0") or bare
    return name
