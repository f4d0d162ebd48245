"""The documents that clients send, as ``report.avro`` defines them: members, types and vocabularies.

Names and types are those of GelReportModels (https://github.com/genomicsengland/GelReportModels, Apache 2.0), model
6.2, with what differs in 6.0 and 6.1. A type is ``str``, ``int``, ``float``, ``bool``, ``#Vocabulary`` or the name of a
record; ``[…]`` is a list, ``{…}`` a map from text, ``?`` may be null or absent, ``=`` may be absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_RECORDS = """
ClinicalReport: interpretationRequestId str, interpretationRequestVersion int, reportingDate str, user str, variants
    [SmallVariant]?, structuralVariants [StructuralVariant]?, chromosomalRearrangements [ChromosomalRearrangement]?,
    shortTandemRepeats [ShortTandemRepeat]?, uniparentalDisomies [UniparentalDisomy]?, karyotypes [Karyotype]?,
    genomicInterpretation str, additionalAnalysisPanels [AdditionalAnalysisPanel]?, references [str]?,
    referenceDatabasesVersions {str}, softwareVersions {str}
SmallVariant: variantCoordinates VariantCoordinates, variantCalls [VariantCall], reportEvents [ReportEvent],
    variantAttributes VariantAttributes?
VariantCoordinates: chromosome str, position int, reference str, alternate str, assembly #Assembly
VariantCall: participantId str, sampleId str, zygosity #Zygosity, phaseGenotype PhaseGenotype?,
    sampleVariantAlleleFrequency float?, depthReference int?, depthAlternate int?, numberOfCopies [NumberOfCopies]?,
    alleleOrigins [#AlleleOrigin]?, supportingReadTypes [#SupportingReadType]?
PhaseGenotype: sortedAlleles [str], phaseSet int
NumberOfCopies: numberOfCopies int, confidenceIntervalMaximum int?, confidenceIntervalMinimum int?
ReportEvent: reportEventId str, phenotypes Phenotypes, variantConsequences [VariantConsequence], genePanel GenePanel?,
    modeOfInheritance #ModeOfInheritance, genomicEntities [GenomicEntity], segregationPattern #SegregationPattern?,
    penetrance #Penetrance?, deNovoQualityScore float?, fullyExplainsPhenotype bool?, groupOfVariants int?,
    eventJustification str?, roleInCancer [#RoleInCancer]?, actions Actions?, score float?, vendorSpecificScores
    {float}?, variantClassification VariantClassification?, guidelineBasedVariantClassification
    GuidelineBasedVariantClassification?, algorithmBasedVariantClassifications [AlgorithmBasedVariantClassification]?,
    tier #Tier?, domain #Domain?
Phenotypes: nonStandardPhenotype [str]?, standardPhenotypes [StandardPhenotype]?
StandardPhenotype: id str, name str?, namespace str?, definition str?, comment str?, alternativeIds str?, synonyms
    str?, isA str?, ontology Ontology, matchScore float?
Ontology: name str, version str
VariantConsequence: id str, name str?
GenePanel: panelIdentifier str?, panelName str?, panelVersion str?, source str?
GenomicEntity: type #GenomicEntityType, ensemblId str?, geneSymbol str?, otherIds [Identifier]?
Identifier: source str, identifier str
Actions: trials [Trial]?, prognosis [Prognosis]?, therapies [Therapy]?, diagnostic [Diagnostic]?, otherAction
    [OtherAction]?
Trial: studyUrl str, studyIdentifier str, startDate str?, estimateCompletionDate str?, title str?, phase #StudyPhase?,
    interventions [Intervention]?, conditions [str]?, primaryPurpose #PrimaryPurpose?, studyType #StudyType?,
    demogrphicElegibilityCriteria DemographicElegibilityCriteria?, locations [TrialLocation]?, variantActionable bool
Intervention: interventionType #InterventionType, interventionName str
DemographicElegibilityCriteria: sex #Sex, ageRange AgeRange?
AgeRange: minimumAge int, maximumAge int, timeunit #TimeUnit
TrialLocation: name str?, city str?, country str?, zip str?
Prognosis: referenceUrl str, prognosis #PrognosisClassification?, source str?, references [str]?, conditions [str]?,
    description str?, variantActionable bool
Therapy: referenceUrl str, source str?, references [str]?, conditions [str]?, drugResponse [DrugResponse]?,
    otherInterventions [Intervention]?, variantActionable bool
DrugResponse: TreatmentAgent str, drugResponseClassification #DrugResponseClassification
Diagnostic: referenceUrl str, sources [str]?, references [str]?, biomarkers [str]?, conditions [str]?, diagnosis str?,
    diagnosisStatus str?, otherCondition str?, variantActionable bool
OtherAction: referenceUrl str, identifier str?, sources [str]?, actionType str?, conditions [str]?, otherAttributes
    {str}?, variantActionable bool
VariantClassification: clinicalSignificance #ClinicalSignificance?, drugResponseClassification
    #DrugResponseClassification?, traitAssociation #TraitAssociation?, tumorigenesisClassification
    #TumorigenesisClassification?, functionalEffect #VariantFunctionalEffect?
GuidelineBasedVariantClassification: acmgVariantClassification AcmgVariantClassification?, ampVariantClassification
    AmpVariantClassification?
AcmgVariantClassification: acmgEvidences [AcmgEvidence], clinicalSignificance #ClinicalSignificance,
    calculatedClinicalSignificance #ClinicalSignificance?, assessment str?, noAcmgEvidence [#AcmgEvidenceCategory]?
AcmgEvidence: category #AcmgEvidenceCategory, type #AcmgEvidenceType, weight #AcmgEvidenceWeight, modifier int,
    activationStrength #ActivationStrength, description str?, comments [UserComment]?
UserComment: comment str, user User?, timestamp str?
User: userid str?, email str, username str, role str?, groups [str]?
AmpVariantClassification: ampEvidences [AmpEvidence], ampTier #AmpTier, ampClincialOrExperimentalEvidence
    [AmpClincialOrExperimentalEvidence]?, assessment str?
AmpEvidence: type #AmpEvidenceType, evidenceAssessment str
AmpClincialOrExperimentalEvidence: category #AmpClinicalOrExperimentalEvidenceCategory, level
    #AmpClinicalOrExperimentalEvidenceLevel, description str?
AlgorithmBasedVariantClassification: algorithmName str, classification str, rank int?, score int?
VariantAttributes: genomicChanges [str]?, cdnaChanges [str]?, proteinChanges [str]?,
    additionalTextualVariantAnnotations {str}?, references {str}?, variantIdentifiers VariantIdentifiers?,
    alleleFrequencies [AlleleFrequency]?, additionalNumericVariantAnnotations {float}?, comments [str]?, alleleOrigins
    [#AlleleOrigin]?, ihp int?, recurrentlyReported bool?, fdp50 float?, others {str}?
VariantIdentifiers: dbSnpId str?, cosmicIds [str]?, clinVarIds [str]?, otherIds [Identifier]?
AlleleFrequency: study str, population str, alternateFrequency float
StructuralVariant: variantType #StructuralVariantType, coordinates Coordinates, leftInsSeq str?, rightInsSeq str?,
    reportEvents [ReportEvent], variantCalls [VariantCall], variantAttributes VariantAttributes?
Coordinates: assembly #Assembly, chromosome str, start int, end int, ciStart ConfidenceInterval?, ciEnd
    ConfidenceInterval?
ConfidenceInterval: left int, right int
ChromosomalRearrangement: breakPoints [BreakPoint]?, rearrangements [Rearrangement], reportEvents [ReportEvent],
    variantCalls [VariantCall], variantAttributes VariantAttributes?
BreakPoint: coordinates Coordinates, reference str?, alternate str?, info {str}?
Rearrangement: leftCoordinates Coordinates, rightCoordinates Coordinates, orientation #Orientation, leftInsSeq str?,
    rightInsSeq str?
ShortTandemRepeat: coordinates Coordinates, reportEvents [ReportEvent], variantCalls [VariantCall], variantAttributes
    VariantAttributes?, shortTandemRepeatReferenceData ShortTandemRepeatReferenceData?
ShortTandemRepeatReferenceData: repeatedSequence str, pathogenic_number_of_repeats_threshold int,
    normal_number_of_repeats_threshold int
UniparentalDisomy: assembly #Assembly, chromosome str, complete bool?, origin #UniparentalDisomyOrigin,
    uniparentalDisomyFragments [UniparentalDisomyFragment]?, participantId str, uniparentalDisomyEvidences
    UniparentalDisomyEvidences?
UniparentalDisomyFragment: coordinates Coordinates?, uniparentalDisomyType #UniparentalDisomyType
UniparentalDisomyEvidences: ibds [IdentityByDescent]?
IdentityByDescent: relatedSample str, ibd0 float, ibd1 float, ibd2 float, pihat float
Karyotype: iscn str?, description str?, aneuploidies [Aneuploidy]?, numberOfChromosomes int, personKaryotipicSex
    #PersonKaryotipicSex, participantId str
Aneuploidy: iscn str?, assembly #Assembly, chromosome str, complete bool, coordinates Coordinates?, numberOfCopies int
AdditionalAnalysisPanel: specificDisease str, panel GenePanel
InterpretedGenome: versionControl ReportVersionControl, interpretationRequestId str, interpretationRequestVersion int,
    interpretationService str, reportUrl str?, variants [SmallVariant]?, structuralVariants [StructuralVariant]?,
    chromosomalRearrangements [ChromosomalRearrangement]?, shortTandemRepeats [ShortTandemRepeat]?,
    uniparentalDisomies [UniparentalDisomy]?, karyotypes [Karyotype]?, referenceDatabasesVersions {str},
    softwareVersions {str}, comments [str]?
ReportVersionControl: gitVersionControl str=
RareDiseaseExitQuestionnaire: eventDate str, reporter str, familyLevelQuestions FamilyLevelQuestions,
    variantGroupLevelQuestions [VariantGroupLevelQuestions]
FamilyLevelQuestions: caseSolvedFamily #CaseSolvedFamily, segregationQuestion #SegregationQuestion, additionalComments
    str
VariantGroupLevelQuestions: variantGroup int, variantLevelQuestions [VariantLevelQuestions]?,
    shortTandemRepeatLevelQuestions [ShortTandemRepeatLevelQuestions]?, structuralVariantLevelQuestions
    [StructuralVariantLevelQuestions]?, actionability #Actionability, clinicalUtility [#ClinicalUtility],
    phenotypesSolved #PhenotypesSolved, phenotypesExplained [str]?
VariantLevelQuestions: variantCoordinates VariantCoordinates, confirmationDecision #ConfirmationDecision,
    confirmationOutcome #ConfirmationOutcome, reportingQuestion #ReportingQuestion, acmgClassification
    #ACMGClassification, publications str
ShortTandemRepeatLevelQuestions: coordinates Coordinates, confirmationDecision #ConfirmationDecision,
    confirmationOutcome #ConfirmationOutcome, reportingQuestion #ReportingQuestion, acmgClassification
    #ACMGClassification, publications str
StructuralVariantLevelQuestions: variantType #StructuralVariantType, coordinates Coordinates, confirmationDecision
    #ConfirmationDecision, confirmationOutcome #ConfirmationOutcome, reportingQuestion #ReportingQuestion,
    acmgClassification #ACMGClassification, publications str
CancerExitQuestionnaire: eventDate str, reporter str, caseLevelQuestions CancerCaseLevelQuestions,
    somaticVariantLevelQuestions [CancerSomaticVariantLevelQuestions]?, germlineVariantLevelQuestions
    [CancerGermlineVariantLevelQuestions]?, additionalComments str?, otherActionableVariants
    [AdditionalVariantsQuestions]?
CancerCaseLevelQuestions: total_review_time float, mdt1_time float, mdt2_time float?, validation_assay_time float?,
    wet_validation_time float?, analytical_validation_time float?, primary_reporting_time float,
    primary_authorisation_time float, report_distribution_time float, total_time float, reviewedInMdtWga
    #ReviewedParts, actionableVariants #CancerActionableVariants
CancerSomaticVariantLevelQuestions: variantCoordinates VariantCoordinates, variantActionability
    [#CancerActionabilitySomatic], otherVariantActionability str?, variantUsability #CancerUsabilitySomatic,
    variantTested #CancerTested, validationAssayType str
CancerGermlineVariantLevelQuestions: variantCoordinates VariantCoordinates, variantActionability
    [#CancerActionability], otherVariantActionability str?, variantUsability #CancerUsabilityGermline, variantTested
    #CancerTested, validationAssayType str
AdditionalVariantsQuestions: variantCoordinates VariantCoordinates, variantActionability [#CancerActionability],
    otherVariantActionability str?, variantUsability #CancerUsabilitySomatic, variantTested #CancerTestedAdditional,
    validationAssayType str
ChromosomalRearrangementInterpretationLog: breakPoints [BreakPoint]?, user User, timestamp str, groupId str, caseId
    str, variantValidation VariantValidation?, comments [UserComment]?, variantClassification #ClinicalSignificance,
    Artifact bool?, decisionSupportSystemFilters {str}?
VariantValidation: validationTechnology str, validationResult #ValidationResult
ShortTandemRepeatInterpretationLog: variant ShortTandemRepeatDetails, user User, timestamp str, groupId str, caseId
    str, variantValidation VariantValidation?, comments [UserComment]?, variantClassification #ClinicalSignificance,
    Artifact bool?, decisionSupportSystemFilters {str}?
ShortTandemRepeatDetails: shortTandemRepeatCoordinates Coordinates, numberOfCopies [NumberOfCopies]?
StructuralVariantInterpretationLog: variant StructuralVariantDetails, user User, timestamp str, groupId str, caseId
    str, variantValidation VariantValidation?, comments [UserComment]?, variantClassification #ClinicalSignificance,
    Artifact bool?, decisionSupportSystemFilters {str}?
StructuralVariantDetails: variantType #StructuralVariantType, structuralVariantCoordinates Coordinates, numberOfCopies
    [NumberOfCopies]?
UniparentalDisomyInterpretationLog: variant UniparentalDisomyDetails, user User, timestamp str, groupId str, caseId
    str, variantValidation VariantValidation?, comments [UserComment]?, variantClassification #ClinicalSignificance,
    Artifact bool?, decisionSupportSystemFilters {str}?
UniparentalDisomyDetails: assembly #Assembly, chromosome str, complete bool?, origin #UniparentalDisomyOrigin,
    uniparentalDisomyFragments [UniparentalDisomyFragment]?
VariantInterpretationLog: variantCoordinates VariantCoordinates, user User, timestamp str, groupId str, caseId str,
    variantValidation VariantValidation?, comments [UserComment]?, variantClassification
    GuidelineBasedVariantClassification, Artifact bool?, decisionSupportSystemFilters {str}?
"""

_VOCABULARIES = """
Assembly: GRCh38, GRCh37
Zygosity: reference_homozygous, heterozygous, alternate_homozygous, missing, half_missing_reference,
    half_missing_alternate, alternate_hemizigous, reference_hemizigous, unk, na
AlleleOrigin: de_novo_variant, germline_variant, maternal_variant, paternal_variant, pedigree_specific_variant,
    population_specific_variant, somatic_variant
SupportingReadType: spanning, flanking, inrepeat
ModeOfInheritance: monoallelic, monoallelic_not_imprinted, monoallelic_maternally_imprinted,
    monoallelic_paternally_imprinted, biallelic, monoallelic_and_biallelic, monoallelic_and_more_severe_biallelic,
    xlinked_biallelic, xlinked_monoallelic, mitochondrial, unknown, na
GenomicEntityType: regulatory_region, gene, transcript, intergenic, gene_fusion, genomic_region, cytobands
SegregationPattern: UniparentalIsodisomy, SimpleRecessive, CompoundHeterozygous, deNovo, InheritedAutosomalDominant,
    InheritedAutosomalDominantMaternallyImprinted, InheritedAutosomalDominantPaternallyImprinted,
    XLinkedCompoundHeterozygous, XLinkedSimpleRecessive, XLinkedMonoallelic, MitochondrialGenome
Penetrance: complete, incomplete
RoleInCancer: oncogene, tumor_suppressor_gene, both
StudyPhase: na, early_phase1, phase1, phase1_phase2, phase2, phase2_phase3, phase3, phase4
InterventionType: drug, device, procedure, biological, radiation, behavioral, genetic, dietary_supplement,
    combination_product, diagnostic_test, other
PrimaryPurpose: treatment, prevention, diagnostic, supportive_care, screening, health_services_research,
    basic_science, device_feasibility, other
StudyType: interventional, observational, patient_registry, expanded_access
Sex: MALE, FEMALE, UNKNOWN
TimeUnit: years, months, weeks, days, hours, minutes, na
PrognosisClassification: altered_prognosis, favourable_prognosis, unfavourable_prognosis
DrugResponseClassification: altered_sensitivity, reduced_sensitivity, increased_sensitivity, altered_resistance,
    increased_resistance, reduced_resistance, increased_risk_of_toxicity, reduced_risk_of_toxicity, altered_toxicity,
    adverse_drug_reaction, indication, contraindication, dosing_alteration, increased_dose, reduced_dose,
    increased_monitoring, increased_efficacy, reduced_efficacy, altered_efficacy
ClinicalSignificance: benign, likely_benign, likely_pathogenic, pathogenic, uncertain_significance, excluded
TraitAssociation: established_risk_allele, likely_risk_allele, uncertain_risk_allele, protective
TumorigenesisClassification: driver, passenger, modifier
VariantFunctionalEffect: dominant_negative_variant, gain_of_function_variant, lethal_variant,
    loss_of_function_variant, loss_of_heterozygosity, null_variant
AcmgEvidenceCategory: population_data, computational_and_predictive_data, functional_data, segregation_data,
    de_novo_data, allelic_data, other_database, other_data
AcmgEvidenceType: benign, pathogenic
AcmgEvidenceWeight: stand_alone, supporting, moderate, strong, very_strong
ActivationStrength: strong, moderate, supporting, very_strong, stand_alone
AmpEvidenceType: mutation_type, therapies, variant_frequencies, potential_germline, population_database_presence,
    germline_database_presence, somatic_database_presence, impact_predictive_software, pathway_involvement,
    publications
AmpTier: tierI, tierII, tierIII, tierIV
AmpClinicalOrExperimentalEvidenceCategory: therapeutic, diagnosis, prognosis
AmpClinicalOrExperimentalEvidenceLevel: levelA, levelB, levelC, levelD
Tier: NONE, TIER1, TIER2, TIER3, TIER4, TIER5, TIERA, TIERB
Domain: DOMAIN1, DOMAIN2, DOMAIN3, DOMAIN4, NONE
StructuralVariantType: ins, dup, inv, amplification, deletion, dup_tandem, del_me, ins_me
Orientation: start_start, start_end, end_end
UniparentalDisomyOrigin: paternal, maternal, unknown
UniparentalDisomyType: isodisomy, heterodisomy, both
PersonKaryotipicSex: UNKNOWN, XX, XY, XO, XXY, XXX, XXYY, XXXY, XXXX, XYY, OTHER
CaseSolvedFamily: yes, no, partially, unknown
SegregationQuestion: yes, no
ConfirmationDecision: yes, no, na
ConfirmationOutcome: yes, no, na
ReportingQuestion: yes, no, na
ACMGClassification: pathogenic_variant, likely_pathogenic_variant, variant_of_unknown_clinical_significance,
    likely_benign_variant, benign_variant, not_assessed, na
Actionability: yes, no, not_yet, na
ClinicalUtility: none, change_in_medication, surgical_option, additional_surveillance_for_proband_or_relatives,
    clinical_trial_eligibility, informs_reproductive_choice, unknown, other
PhenotypesSolved: yes, no, partially, unknown
ReviewedParts: domain_1, domain_1_and_2, domain_1_2_and_suplementary, somatic_if_relevant
CancerActionableVariants: yes, no
CancerActionabilitySomatic: predicts_therapeutic_response, prognostic, defines_diagnosis_group, eligibility_for_trial,
    other
CancerUsabilitySomatic: already_actioned, actioned_result_of_this_wga, not_yet_actioned
CancerTested: not_indicated_for_patient_care, no_orthologous_test_available, test_performed_prior_to_wga,
    technical_validation_following_wga
CancerActionability: germline_susceptibility, predicts_therapeutic_response, prognostic, defines_diagnosis_group,
    eligibility_for_trial, other
CancerUsabilityGermline: already_actioned, actioned_result_of_this_wga
CancerTestedAdditional: not_indicated_for_patient_care, no_orthologous_test_available, test_performed_prior_to_wga,
    technical_validation_following_wga, na
ValidationResult: NotPerformed, Confirmed, NotConfirmed, Pending
"""

_OLDER = (
    """
AcmgEvidence.activationStrength: #ActivationStrength?
AcmgEvidence.comments:
AcmgVariantClassification.calculatedClinicalSignificance:
AcmgVariantClassification.noAcmgEvidence:
#AcmgEvidenceType: bening, pathogenic
#ActivationStrength: strong, moderate, supporting
#ClinicalSignificance: benign, likely_benign, likely_pathogenic, pathogenic, uncertain_significance
""",
    """
AcmgEvidence.activationStrength:
Actions.diagnostic:
Actions.otherAction:
AdditionalVariantsQuestions.findingDescription: str?
AdditionalVariantsQuestions.typeOfAdditionalFinding: #TypeOfAdditionalFinding?
AdditionalVariantsQuestions.variantCoordinates: VariantCoordinates?
CancerExitQuestionnaire.pharmacogenomicsVariantLevelQuestions: [CancerPharmacogenomicsVariantLevelQuestions]?
CancerPharmacogenomicsVariantLevelQuestions.variantCoordinates: VariantCoordinates
CancerPharmacogenomicsVariantLevelQuestions.variantActionability: [#CancerActionabilityPharmacogenomics]
CancerPharmacogenomicsVariantLevelQuestions.variantUsability: #CancerUsabilityPharmacogenomics
CancerPharmacogenomicsVariantLevelQuestions.variantTested: #CancerTested
CancerPharmacogenomicsVariantLevelQuestions.validationAssayType: str
#CancerActionabilityPharmacogenomics: therapeutic_dosaging_or_toxicity_change
#CancerUsabilityPharmacogenomics: change_dosing, alternative_therapeutic, na
#TypeOfAdditionalFinding: domain3, tier3, sv_cnv, mutational_signatures, mutational_burden, other
#CancerActionableVariants: yes, no, na
""",
    """
AdditionalVariantsQuestions.findingDescription:
AdditionalVariantsQuestions.typeOfAdditionalFinding:
AdditionalVariantsQuestions.variantCoordinates: VariantCoordinates
CancerExitQuestionnaire.pharmacogenomicsVariantLevelQuestions:
ReportEvent.variantConsequences: [VariantConsequence]=
VariantGroupLevelQuestions.variantLevelQuestions: [VariantLevelQuestions]
VariantGroupLevelQuestions.structuralVariantLevelQuestions:
VariantGroupLevelQuestions.shortTandemRepeatLevelQuestions:
#DrugResponseClassification: responsive, resistant, toxicity, indication, contraindication, dosing,
    increased_monitoring, efficacy
#ACMGClassification: pathogenic_variant, likely_pathogenic_variant, variant_of_unknown_clinical_significance,
    likely_benign_variant, benign_variant, not_assessed
#ReviewedParts: domain_1, domain_1_and_2, domain_1_2_and_suplementary
#CancerActionableVariants: yes, no
""",
)
"""What models 6.1, 6.0.1 and 6.0.0 have otherwise than the one after each; an empty type: no such member"""


@dataclass(frozen=True, slots=True)
class Shape:
    """Type of a member."""

    kind: str
    """str, int, float, bool, choice, record, list or map"""
    name: str = ""
    """Of the vocabulary or record"""
    inner: Shape | None = None
    """Of a list's items or a map's values"""
    may_be_null: bool = False
    may_be_absent: bool = False


@dataclass(frozen=True, slots=True)
class ReportModel:
    """One version of the model: its records, and its vocabularies."""

    records: Mapping[str, Mapping[str, Shape]]
    words: Mapping[str, frozenset[str]]


@cache
def report_models() -> tuple[ReportModel, ...]:
    """Return models 6.2, 6.1, 6.0.1 and 6.0.0. A document has to fit one of them."""
    records = {name: _members(text) for name, text in _lines(_RECORDS)}
    words = {name: _words(text) for name, text in _lines(_VOCABULARIES)}
    models = [ReportModel(records, words)]
    for text in _OLDER:
        records, words = {name: dict(one) for name, one in records.items()}, dict(words)
        for name, value in _lines(text):
            _change(records, words, name, value)
        models.append(ReportModel(records, words))
    return tuple(models)


def _change(records: dict[str, dict[str, Shape]], words: dict[str, frozenset[str]], name: str, value: str) -> None:
    if name.startswith("#"):
        words[name[1:]] = _words(value)
        return
    record, member = name.split(".")
    if value:
        records.setdefault(record, {})[member] = _shape(value)
    else:
        records[record].pop(member, None)


def _lines(block: str) -> list[tuple[str, str]]:
    """Return what stands before and after the colon of every line; indented lines go on with the one before."""
    joined = block.strip().replace("\n    ", " ")
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in joined.splitlines())]


def _members(text: str) -> dict[str, Shape]:
    found = {}
    for member in text.split(", "):
        name, shape = member.split()
        found[name] = _shape(shape)
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(", "))


def _shape(text: str) -> Shape:
    bare = text.rstrip("?=")
    inner: Shape | None = None
    name = ""
    if bare[0] in "[{":
        kind, inner = ("list" if bare[0] == "[" else "map"), _shape(bare[1:-1])
    elif bare[0] == "#":
        kind, name = "choice", bare[1:]
    elif bare in ("str", "int", "float", "bool"):
        kind = bare
    else:
        kind, name = "record", bare
    return Shape(kind, name, inner, may_be_null=text.endswith("?"), may_be_absent=text[-1] in "?=")
