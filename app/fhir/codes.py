"""Code systems, codes and displays that the answers use, each named once.

The displays are those that clients of the HL7 reference implementation match on, where it emits the code. Profiles:
https://build.fhir.org/ig/HL7/genomics-reporting/StructureDefinition-variant.html and
StructureDefinition-sequence-phase-relationship.html. LOINC codes and names are content of LOINC (https://loinc.org),
copyright Regenstrief Institute, Inc. and the LOINC Committee.

>>> ALLELIC_STATE[Zygosity.HOMOZYGOUS].code
'LA6705-3'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from app.formats import code_systems
from app.records import Build, SourceClass, StructuralKind, Zygosity

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
SPDI: Final = "https://api.ncbi.nlm.nih.gov/variation/v0/"
REFSEQ: Final = "http://www.ncbi.nlm.nih.gov/refseq"
ENSEMBL: Final = "http://www.ensembl.org"
CLINVAR: Final = "http://www.ncbi.nlm.nih.gov/clinvar"
DBSNP: Final = "http://www.ncbi.nlm.nih.gov/projects/SNP"
HGVS: Final = "http://varnomen.hgvs.org"
HGNC: Final = "http://www.genenames.org"
PHARMVAR: Final = "http://www.pharmvar.org"
IMGT_HLA: Final = "http://www.ebi.ac.uk/ipd/imgt/hla"
GL_STRING: Final = "http://glstring.org"
SEQUENCE_ONTOLOGY: Final = "http://www.sequenceontology.org"
MEDGEN: Final = code_systems.MEDGEN
DISEASE_ONTOLOGY: Final = code_systems.DISEASE_ONTOLOGY
MONDO: Final = code_systems.MONDO
HPO: Final = code_systems.HPO
SNOMED: Final = code_systems.SNOMED
ICD_10: Final = code_systems.ICD_10
ICD_10_CM: Final = code_systems.ICD_10_CM
RXNORM: Final = code_systems.RXNORM
NCIT: Final = code_systems.NCIT
CLINICAL_TRIALS: Final = code_systems.CLINICAL_TRIALS
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
DIAGNOSTIC_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
PHASE_RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/sequence-phase-relationship-cs"
NOTE: Final = "http://hl7.org/fhir/StructureDefinition/note"
"""Extension (https://hl7.org/fhir/extensions/StructureDefinition-note.html)"""
GENOMICS_REPORTING: Final = "http://hl7.org/fhir/uv/genomics-reporting"
TBD_CODES: Final = f"{GENOMICS_REPORTING}/CodeSystem/tbd-codes-cs"
IMPLEMENTATION_GUIDE: Final = f"{GENOMICS_REPORTING}/ImplementationGuide/hl7.fhir.uv.genomics-reporting"

VARIANT_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/variant"
HAPLOTYPE_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/haplotype"
GENOTYPE_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/genotype"
STUDY_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/genomic-study"
ANALYSIS_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/genomic-study-analysis"
DIAGNOSTIC_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/diagnostic-implication"
THERAPEUTIC_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/therapeutic-implication"
CONSEQUENCE_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/molecular-consequence"
CLINVAR_STARS: Final = f"{GENOMICS_REPORTING}/CodeSystem/clinvar-evidence-level-custom-cs"
PHASE_PROFILE: Final = f"{GENOMICS_REPORTING}/StructureDefinition/sequence-phase-relationship"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a code system; ``display`` is None where the house style shows none."""

    system: str
    code: str
    display: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the FHIR Coding."""
        coding = {"system": self.system, "code": self.code}
        if self.display is not None:
            coding["display"] = self.display
        return coding

    def as_concept(self) -> dict[str, Any]:
        """Return a FHIR CodeableConcept with this one coding."""
        return {"coding": [self.as_json()]}


def _loinc(code: str, display: str) -> Coding:
    return Coding(LOINC, code, display)


LABORATORY: Final = Coding(OBSERVATION_CATEGORY, "laboratory")
GENETICS: Final = Coding(DIAGNOSTIC_SERVICE, "GE")

VARIANT_ASSESSMENT: Final = _loinc("69548-6", "Genetic variant assessment")
HAPLOTYPE_NAME: Final = _loinc("84414-2", "Haplotype name")
GENOTYPE_NAME: Final = _loinc("84413-4", "Genotype display name")
ALLELIC_PHASE: Final = _loinc("82120-7", "Allelic phase")

PRESENT: Final = _loinc("LA9633-4", "Present")
ABSENT: Final = _loinc("LA9634-2", "Absent")
NO_CALL: Final = _loinc("LA18198-4", "No call")
INDETERMINATE: Final = _loinc("LA11884-6", "Indeterminate")

CIS: Final = Coding(PHASE_RELATIONSHIP, "Cis", "Cis")
TRANS: Final = Coding(PHASE_RELATIONSHIP, "Trans", "Trans")

# Codes of Observation.component, in the order in which an observation lists them.
CODING_CHANGE_TYPE: Final = _loinc("48019-4", "DNA Change Type")
GENOMIC_SOURCE_CLASS: Final = _loinc("48002-0", "Genomic Source Class")
GENOMIC_REF_SEQ: Final = _loinc("48013-7", "Genomic reference sequence ID")
ALLELIC_STATE_COMPONENT: Final = _loinc("53034-5", "Allelic state")
VARIATION_CODE: Final = _loinc("81252-9", "Discrete genetic variant")
SAMPLE_ALLELIC_FREQUENCY: Final = _loinc("81258-6", "Sample VAF")
ALLELIC_READ_DEPTH: Final = _loinc("82121-5", "Allelic read depth")
COPY_NUMBER: Final = _loinc("82155-3", "Genomic Structural Variant copy Number")
REF_ALLELE: Final = _loinc("69547-8", "Genomic Ref allele [ID]")
ALT_ALLELE: Final = _loinc("69551-0", "Genomic Alt allele [ID]")
COORDINATE_SYSTEM: Final = _loinc("92822-6", "Genomic coord system")
EXACT_START_END: Final = _loinc("81254-5", "Variant exact start-end")
OUTER_START_END: Final = _loinc("81301-4", "Variant outer start-end")
INNER_START_END: Final = _loinc("81302-2", "Variant inner start-end")
POPULATION_ALLELE_FREQUENCY: Final = _loinc("92821-8", "Population allele frequency")
GENOMIC_HGVS: Final = _loinc("81290-9", "Genomic DNA change (gHGVS)")
REPRESENTATIVE_CODING_HGVS: Final = _loinc("48004-6", "DNA change (c.HGVS)")
REPRESENTATIVE_TRANSCRIPT_REF_SEQ: Final = _loinc("51958-7", "Transcript reference sequence [ID]")
REPRESENTATIVE_PROTEIN_HGVS: Final = _loinc("48005-3", "Amino acid change (pHGVS)")
GENE_STUDIED: Final = _loinc("48018-6", "Gene studied")
REFERENCE_SEQUENCE_ASSEMBLY: Final = _loinc("62374-4", "Human reference sequence assembly version")

CLINICAL_SIGNIFICANCE: Final = _loinc("53037-8", "Genetic variation clinical significance")
PREDICTED_PHENOTYPE: Final = _loinc("81259-4", "predicted phenotype")
TREATMENT_CONTEXT: Final = _loinc("81259-4", "phenotypic treatment context")
EVIDENCE_LEVEL: Final = _loinc("93044-6", "Level of evidence")
MEDICATION_ASSESSED: Final = _loinc("51963-7", "medication-assessed")
CODING_HGVS: Final = _loinc("48004-6", "DNA change (c.HGVS)")
TRANSCRIPT_REF_SEQ: Final = _loinc("51958-7", "Reference Transcript")
PROTEIN_HGVS: Final = _loinc("48005-3", "Protein (Amino Acid) Change - pHGVS")
DIAGNOSTIC_IMPLICATION: Final = Coding(TBD_CODES, "diagnostic-implication", "Diagnostic Implication")
THERAPEUTIC_IMPLICATION: Final = Coding(TBD_CODES, "therapeutic-implication", "Therapeutic Implication")
PREDICTED_THERAPEUTIC_IMPLICATION: Final = Coding(
    TBD_CODES, "predicted-therapeutic-implication", "predicted-therapeutic-implication"
)
"""What the reference implementation calls it, after an earlier release of the guide"""
MOLECULAR_CONSEQUENCE: Final = Coding(TBD_CODES, "molecular-consequence", "Molecular Consequence")
FEATURE_CONSEQUENCE: Final = Coding(TBD_CODES, "feature-consequence", "Feature Consequence")
FUNCTIONAL_EFFECT: Final = Coding(TBD_CODES, "functional-effect", "Functional Effect")
KNOWLEDGE_BASE: Final = Coding(TBD_CODES, "knowledge-base", "Knowledge Base")
ANNOTATION_PIPELINE: Final = Coding(TBD_CODES, "annotation-pipeline", "Annotation Pipeline")
CONCLUSION: Final = Coding(TBD_CODES, "conclusion-string", "Conclusion")

ZERO_BASED_INTERVAL: Final = _loinc("LA30100-4", "0-based interval counting")

ASSEMBLY: Final[Mapping[Build, Coding]] = MappingProxyType(
    {Build.GRCH37: _loinc("LA14029-5", "GRCh37"), Build.GRCH38: _loinc("LA26806-2", "GRCh38")}
)
"""LOINC answer list LL1040-6."""

SOURCE_CLASS: Final[Mapping[SourceClass, Coding]] = MappingProxyType(
    {SourceClass.GERMLINE: _loinc("LA6683-2", "germline"), SourceClass.SOMATIC: _loinc("LA6684-0", "somatic")}
)
"""LOINC answer list LL378-1; a mixed or unspecified class has no code and is not emitted."""

ALLELIC_STATE: Final[Mapping[Zygosity, Coding]] = MappingProxyType(
    {
        Zygosity.HETEROZYGOUS: _loinc("LA6706-1", "heterozygous"),
        Zygosity.HOMOZYGOUS: _loinc("LA6705-3", "homozygous"),
        Zygosity.HEMIZYGOUS: _loinc("LA6707-9", "hemizygous"),
        Zygosity.HETEROPLASMIC: _loinc("LA6703-8", "heteroplasmic"),
        Zygosity.HOMOPLASMIC: _loinc("LA6704-6", "homoplasmic"),
    }
)
"""LOINC answer list LL381-5; an unknown zygosity has no code and is not emitted."""

DNA_CHANGE_TYPE: Final[Mapping[str, Coding]] = MappingProxyType(
    {
        label: Coding(SEQUENCE_ONTOLOGY, code, label)
        for label, code in (
            ("SNV", "SO:0001483"),
            ("MNV", "SO:0002007"),
            ("delins", "SO:1000032"),
            ("INS", "SO:0000667"),
            ("DEL", "SO:0000159"),
            ("DUP", "SO:1000035"),
            ("INV", "SO:1000036"),
            ("CNV", "SO:0001019"),
        )
    }
)
"""Sequence Ontology terms by the short label that clients show."""

STRUCTURAL_TYPE: Final[Mapping[StructuralKind, Coding]] = MappingProxyType(
    {
        StructuralKind.DEL: Coding(SEQUENCE_ONTOLOGY, "SO:0000159", "deletion"),
        StructuralKind.DUP: Coding(SEQUENCE_ONTOLOGY, "SO:1000035", "duplication"),
        StructuralKind.INV: Coding(SEQUENCE_ONTOLOGY, "SO:1000036", "inversion"),
        StructuralKind.INS: Coding(SEQUENCE_ONTOLOGY, "SO:0000667", "insertion"),
        StructuralKind.CNV: Coding(SEQUENCE_ONTOLOGY, "SO:0001019", "copy_number_variation"),
        StructuralKind.BND: Coding(SEQUENCE_ONTOLOGY, "SO:0001021", "chromosome_breakpoint"),
    }
)
"""Sequence Ontology terms of structural variants, with the ontology's own names."""

STRUCTURAL_SUBTYPE: Final[Mapping[str, Coding]] = MappingProxyType(
    {
        "DUP:TANDEM": Coding(SEQUENCE_ONTOLOGY, "SO:1000173", "tandem_duplication"),
        "INS:ME": Coding(SEQUENCE_ONTOLOGY, "SO:0001837", "mobile_element_insertion"),
        "DEL:ME": Coding(SEQUENCE_ONTOLOGY, "SO:0002066", "mobile_element_deletion"),
        "CNV:GAIN": Coding(SEQUENCE_ONTOLOGY, "SO:0001742", "copy_number_gain"),
        "BND:TRANSLOCATION": Coding(SEQUENCE_ONTOLOGY, "SO:0000199", "translocation"),
        "BND:COMPLEX": Coding(SEQUENCE_ONTOLOGY, "SO:0001784", "complex_structural_alteration"),
    }
)
"""Narrower terms by the first two words of a symbolic ALT."""

FREQUENCY_UNIT: Final = "relative frequency of a particular allele in the specimen"
READ_DEPTH_UNIT: Final = "reads per base pair"
