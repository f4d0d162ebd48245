"""Cases of every model are read alike, and what is wrong in them is left out and named with its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.gel import GelCase, Gene, Panel, Problem, Scope, Term
from app.formats.gel_case import read_bare_genome, read_case
from app.formats.gel_genome import Model, model_of
from app.formats.gel_migration import migrated_detail
from app.records import Build
from tests.gel_documents import (
    call,
    case_detail,
    clinical_report,
    event,
    exit_questionnaire,
    interpreted_genome,
    member,
    repeat,
    small_variant,
    structural_variant,
)
from tests.gel_old_documents import (
    cancer_case_of_model_4_2,
    cancer_case_of_model_5,
    case_of_model_3,
    case_of_model_4,
    case_of_model_5,
    old_cancer_case,
    old_event,
    old_variant,
)


def good(detail: dict[str, Any]) -> GelCase:
    case, problems = read_case(detail)
    assert problems == []
    assert case is not None
    return case


def read(detail: dict[str, Any]) -> tuple[GelCase, list[Problem]]:
    case, problems = read_case(detail)
    assert case is not None
    return case, problems


def with_genome(**more: Any) -> dict[str, Any]:
    """Return a case with one genome that has no lists but those given."""
    lists: dict[str, Any] = {"variants": [], "structuralVariants": [], "shortTandemRepeats": []}
    detail = case_detail()
    detail["interpreted_genome"][0]["interpreted_genome_data"] = interpreted_genome(**lists) | more
    return detail


def with_variant(**more: Any) -> dict[str, Any]:
    return with_genome(variants=[small_variant(**more)])


def with_place(**more: Any) -> dict[str, Any]:
    return with_variant(variantCoordinates=small_variant()["variantCoordinates"] | more)


def test_variant_is_read_with_calls_and_events():
    phase = {"sortedAlleles": ["1", "0"], "phaseSet": 4}
    calls = [call(phaseGenotype=phase, depthReference=16, depthAlternate=15, alleleOrigins=["germline_variant"])]
    (one,) = good(with_variant(variantCalls=calls)).genomes[0].variants
    assert (one.chromosome, one.position_1based, one.reference, one.alternate) == ("7", 117559590, "ATCT", "A")
    assert one.build is Build.GRCH38
    (seen,) = one.calls
    assert (seen.participant_id, seen.sample_id, seen.zygosity) == ("p1", "s-p1", "heterozygous")
    assert (seen.sorted_alleles, seen.phase_set, seen.ref_depth, seen.alt_depth) == (("1", "0"), 4, 16, 15)
    assert seen.path == "interpreted_genome[0].variants[0].variantCalls[0]"
    (reason,) = one.events
    assert reason.genes == (Gene("CFTR", "HGNC:1884"),)
    assert reason.phenotypes == (Term("HP:0001250", "Seizure"),)
    assert reason.panel == Panel("Panel", "1.0", "1", "panelapp")
    assert (reason.tier, reason.domain, reason.mode_of_inheritance) == ("TIER1", "", "biallelic")


@pytest.mark.parametrize(
    ("name", "read_as"),
    [("chr7", "7"), ("CHRX", "X"), ("M", "MT"), ("chrM", "MT"), ("x", "X"), ("07", "7"), ("GL000192.1", "GL000192.1")],
)
def test_chromosomes_lose_their_prefix(name, read_as):
    assert good(with_place(chromosome=name)).genomes[0].variants[0].chromosome == read_as


@pytest.mark.parametrize(
    ("reference", "alternate", "kept"),
    [("-", "acgt", ("", "ACGT", True)), ("AC", "", ("AC", "", True)), ("a", "c", ("A", "C", False))],
)
def test_allele_without_anchor_is_marked_as_repaired(reference, alternate, kept):
    one = good(with_place(reference=reference, alternate=alternate)).genomes[0].variants[0]
    assert (one.reference, one.alternate, one.is_repaired) == kept


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        (
            {"alternate": "."},
            "alternate",
            "Empty or placeholder allele ('', '.', '-') is not allowed; use a VCF-style anchored allele.",
        ),
        ({"alternate": "<DEL>"}, "alternate", "Only the bases A, C, G, T and N are allowed."),
        ({"alternate": "AN"}, "alternate", "The alternate allele has unknown bases (N)."),
        ({"reference": "A", "alternate": "a"}, "alternate", "The alternate allele is the reference."),
        ({"position": 0}, "position", "Ensure this value is greater than or equal to 1."),
        ({"position": "x"}, "position", "A valid integer is required."),
        ({"position": True}, "position", "A valid integer is required."),
        ({"position": 2**40}, "position", "A valid integer is required."),
        ({"position": None}, "position", "This field is required."),
        ({"chromosome": ""}, "chromosome", "This field may not be blank."),
        ({"reference": 5}, "reference", "Not a valid string."),
    ],
)
def test_variant_without_usable_coordinates_is_left_out_alone(wrong, field, said):
    bad = small_variant()
    bad["variantCoordinates"] |= wrong
    case, problems = read(with_genome(variants=[small_variant(), bad, small_variant()]))
    assert [one.path for one in case.genomes[0].variants] == [f"interpreted_genome[0].variants[{at}]" for at in (0, 2)]
    place = f"interpreted_genome[0].variants[1].variantCoordinates.{field}"
    assert problems == [Problem(place, said, Scope.VARIANT)]


def test_position_written_as_text_is_read():
    assert good(with_place(position="117559590")).genomes[0].variants[0].position_1based == 117559590


def test_assembly_of_the_case_wins_over_that_of_coordinates():
    case, problems = read(with_place(assembly="GRCh37"))
    assert case.build is Build.GRCH38
    assert problems == [
        Problem(
            "interpreted_genome[0].variants[0].variantCoordinates.assembly",
            "Says GRCh37, but the case is on GRCh38, which is used.",
            Scope.WARNING,
        )
    ]


@pytest.mark.parametrize(
    ("own", "asked", "build"),
    [
        ("GRCh37", None, Build.GRCH37),
        (None, "GRCh37.p13", Build.GRCH37),
        (None, "hg19", Build.GRCH37),
        ("hg38", "GRCh38", Build.GRCH38),
        (None, None, Build.GRCH38),
    ],
)
def test_assembly_comes_from_the_case_its_request_or_what_all_coordinates_say(own, asked, build):
    detail = with_variant() | {"assembly": own}
    detail["interpretation_request_data"]["json_request"]["genomeAssembly"] = asked
    assert read(detail)[0].build is build


def test_assembly_that_is_neither_is_not_replaced_by_a_guess():
    case, problems = read(with_variant() | {"assembly": "NCBI36"})
    assert case.build is None
    assert Problem("assembly", "Neither GRCh37 nor GRCh38.", Scope.DOCUMENT) in problems


def test_assembly_is_unknown_where_coordinates_do_not_agree():
    other = small_variant()
    other["variantCoordinates"]["assembly"] = "GRCh37"
    detail = with_genome(variants=[small_variant(), other]) | {"assembly": None}
    detail["interpretation_request_data"]["json_request"]["genomeAssembly"] = None
    assert read(detail)[0].build is None


@pytest.mark.parametrize("half", ["alternate", "reference"])
def test_both_spellings_of_hemizygous_are_read(half):
    for spelling in (f"{half}_hemizygous", f"{half}_hemizigous"):
        case = good(with_variant(variantCalls=[call(zygosity=spelling)]))
        assert case.genomes[0].variants[0].calls[0].zygosity == f"{half}_hemizigous"


def test_unknown_zygosity_is_kept_and_warned_of():
    case, problems = read(with_variant(variantCalls=[call(zygosity="unk")]))
    assert case.genomes[0].variants[0].calls[0].zygosity == "unk"
    (problem,) = problems
    assert (problem.path, problem.scope) == (
        "interpreted_genome[0].variants[0].variantCalls[0].zygosity",
        Scope.WARNING,
    )


def two_members() -> dict[str, Any]:
    mother = member("p2", pedigreeId=2, isProband=False)
    return {"members": [member(motherId=2), mother]}


@pytest.mark.parametrize(
    ("bad", "field", "said"),
    [
        (call("p2", "het"), ".zygosity", '"het" is not a valid choice.'),
        (call("p2") | {"zygosity": None}, ".zygosity", "This field is required."),
        (call("p2") | {"zygosity": 1}, ".zygosity", "Not a valid string."),
        (call("p2", sampleId=""), ".sampleId", "This field may not be blank."),
        (call("p2", participantId=None), ".participantId", "This field is required."),
        (call("p2", sampleId="s-p1"), ".sampleId", "The sample belongs to another participant of the case."),
        ("x", "", "Expected an object."),
    ],
)
def test_call_that_cannot_be_used_is_left_out_alone(bad, field, said):
    detail = with_variant(variantCalls=[call(), bad])
    detail["interpretation_request_data"]["json_request"]["pedigree"] = two_members()
    case, problems = read(detail)
    assert [one.participant_id for one in case.genomes[0].variants[0].calls] == ["p1"]
    place = f"interpreted_genome[0].variants[0].variantCalls[1]{field}"
    assert problems == [Problem(place, said, Scope.CALL)]


def test_calls_of_one_sample_that_contradict_each_other_are_both_left_out():
    case, problems = read(with_variant(variantCalls=[call(), call(zygosity="alternate_homozygous")]))
    assert case.genomes[0].variants[0].calls == ()
    assert {one.scope for one in problems} == {Scope.CALL}
    assert len(problems) == 2


def test_the_same_call_twice_counts_once():
    assert len(good(with_variant(variantCalls=[call(), call()])).genomes[0].variants[0].calls) == 1


def test_origins_beside_a_variant_are_the_probands():
    detail = with_variant(variantCalls=[call(), call("p2")], variantAttributes={"alleleOrigins": ["de_novo_variant"]})
    detail["interpretation_request_data"]["json_request"]["pedigree"] = two_members()
    first, second = good(detail).genomes[0].variants[0].calls
    assert first.origins == ("de_novo_variant",)
    assert second.origins == ("germline_variant",)


def test_annotation_of_the_wrong_type_costs_only_itself():
    case, problems = read(with_variant(reportEvents=[event(score="high", tier="TIER9", genePanel=3)]))
    (reason,) = case.genomes[0].variants[0].events
    assert (reason.score, reason.tier, reason.panel) == (None, "", None)
    assert {one.scope for one in problems} == {Scope.WARNING}
    assert {one.path.rpartition(".")[2] for one in problems} == {"score", "tier", "genePanel"}


def test_symbol_in_the_place_of_an_hgnc_identifier_is_no_identifier():
    entity = {"type": "gene", "ensemblId": "ENSG1", "otherIds": [{"source": "HGNC", "identifier": "CFTR"}]}
    (reason,) = good(with_variant(reportEvents=[event(genomicEntities=[entity])])).genomes[0].variants[0].events
    assert reason.genes == (Gene("CFTR", "", "ENSG1"),)


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ({"type": "pathogenic", "weight": "very_strong", "modifier": 1, "activationStrength": "very_strong"}, "PVS1"),
        (
            {"type": "pathogenic", "weight": "moderate", "modifier": 2, "activationStrength": "supporting"},
            "PM2_supporting",
        ),
        ({"type": "bening", "weight": "stand_alone", "modifier": 1}, "BA1"),
        ({"type": "benign", "weight": "supporting", "modifier": 4, "activationStrength": None}, "BP4"),
    ],
)
def test_acmg_evidence_is_read_as_its_code(evidence, code):
    acmg = {"acmgEvidences": [evidence], "clinicalSignificance": "likely_pathogenic"}
    guideline = {"acmgVariantClassification": acmg}
    case = good(with_variant(reportEvents=[event(guidelineBasedVariantClassification=guideline)]))
    assert case.genomes[0].variants[0].events[0].acmg_codes == (code,)
    (said,) = case.classifications
    assert (said.rank, said.significance, said.acmg_codes) == (2, "likely_pathogenic", (code,))


def test_drug_responses_come_with_their_conditions():
    therapy = {
        "referenceUrl": "https://example.org",
        "conditions": ["Melanoma"],
        "drugResponse": [{"TreatmentAgent": "Vemurafenib", "drugResponseClassification": "increased_sensitivity"}],
        "variantActionable": True,
    }
    (reason,) = good(with_variant(reportEvents=[event(actions={"therapies": [therapy]})])).genomes[0].variants[0].events
    (drug,) = reason.drug_responses
    assert (drug.agent, drug.response, drug.conditions) == ("Vemurafenib", "increased_sensitivity", ("Melanoma",))


def test_structural_variant_is_read_as_a_half_open_region():
    (one,) = good(with_genome(structuralVariants=[structural_variant()])).genomes[0].structural
    assert (one.kind, one.region.start, one.region.end) == ("deletion", 100, 200)
    assert (one.region.start_ci, one.region.end_ci) == ((10, 5), None)
    assert one.calls[0].copies == (1,)


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"variantType": "bnd"}, "variantType", '"bnd" is not a valid choice.'),
        (
            {"coordinates": {"chromosome": "1", "start": 5, "end": 4}},
            "coordinates.end",
            "Ensure this value is not less than start.",
        ),
        ({"coordinates": None}, "coordinates", "This field is required."),
        ({"variantCalls": None}, "variantCalls", "This field is required."),
        ({"variantCalls": {}}, "variantCalls", 'Expected a list of items but got type "dict".'),
    ],
)
def test_structural_variant_that_cannot_be_used_is_left_out(wrong, field, said):
    case, problems = read(with_genome(structuralVariants=[structural_variant(**wrong), structural_variant()]))
    assert len(case.genomes[0].structural) == 1
    assert problems == [Problem(f"interpreted_genome[0].structuralVariants[0].{field}", said, Scope.VARIANT)]


def test_rearrangement_has_a_variant_for_each_side():
    place = {"assembly": "GRCh38", "chromosome": "2", "start": 11, "end": 12}
    pair = {"leftCoordinates": place, "rightCoordinates": place | {"start": 21, "end": 22}, "leftInsSeq": "A"}
    found = {"rearrangements": [pair | {"orientation": "start_end"}], "variantCalls": [call()], "reportEvents": []}
    left, right = good(with_genome(chromosomalRearrangements=[found])).genomes[0].structural
    assert (left.kind, left.region, left.mate, left.inserted) == ("rearrangement", right.mate, right.region, "A")
    assert left.path.endswith("rearrangements[0].leftCoordinates")


def test_repeat_has_its_motif_thresholds_and_alleles():
    (one,) = good(with_genome(shortTandemRepeats=[repeat()])).genomes[0].repeats
    assert (one.motif, one.normal_up_to, one.pathogenic_from) == ("CGG", 55, 200)
    assert one.calls[0].copies == (20, 80)
    assert (one.region.start, one.region.end) == (300, 330)


def test_karyotype_and_uniparental_disomy_are_kept_as_words():
    karyotype = {"iscn": "47,XY,+21", "numberOfChromosomes": 47, "personKaryotipicSex": "XY", "participantId": "p1"}
    piece = {"coordinates": {"chromosome": "15", "start": 1, "end": 9}, "uniparentalDisomyType": "isodisomy"}
    disomy = {"chromosome": "15", "origin": "maternal", "uniparentalDisomyFragments": [piece], "participantId": "p1"}
    case = good(with_genome(karyotypes=[karyotype], uniparentalDisomies=[disomy]))
    assert [(one.kind, one.text) for one in case.genomes[0].findings] == [
        ("karyotype", "47,XY,+21"),
        ("uniparental_disomy", "chromosome 15, maternal, isodisomy (15:1-9)"),
    ]


def test_genome_without_its_service_is_refused_and_others_are_not():
    detail = case_detail()
    second = copy.deepcopy(detail["interpreted_genome"][0])
    del second["interpreted_genome_data"]["interpretationService"]
    detail["interpreted_genome"].append(second)
    case, problems = read(detail)
    assert len(case.genomes) == 1
    assert problems == [
        Problem("interpreted_genome[1].interpretationService", "This field is required.", Scope.DOCUMENT)
    ]


@pytest.mark.parametrize(
    ("document", "field", "said"),
    [
        ({"x": 1, "a": 2}, "", "Unrecognised interpreted genome: keys [a, x]"),
        (None, "", "Expected an object."),
        (
            interpreted_genome(interpretationRequestId="GEL-7-1"),
            ".interpretationRequestId",
            "Does not match the case (40101).",
        ),
        (interpreted_genome(variants={}), ".variants", 'Expected a list of items but got type "dict".'),
    ],
)
def test_genome_that_is_none_or_of_another_case_is_refused(document, field, said):
    detail = case_detail()
    detail["interpreted_genome"][0]["interpreted_genome_data"] = document
    case, problems = read(detail)
    assert case.genomes == ()
    assert problems == [Problem(f"interpreted_genome[0]{field}", said, Scope.DOCUMENT)]


def test_newest_genome_of_a_service_is_current_whatever_its_capitals():
    detail = case_detail()
    wrapper = detail["interpreted_genome"][0]
    for version, service in ((4, "Exomiser"), (2, "exomiser")):
        data = interpreted_genome(interpretationService=service)
        detail["interpreted_genome"].append(wrapper | {"cip_version": version, "interpreted_genome_data": data})
    current = good(detail).current_genomes()
    assert [(one.service, one.cip_version) for one in current] == [("genomics_england_tiering", 1), ("exomiser", 4)]


@pytest.mark.parametrize(
    ("number", "version", "name"),
    [(40101, "1", "40101-1"), ("40101", 1, "40101-1"), ("GEL-40101-2", None, "40101-2"), ("40101-1", "3", "40101-3")],
)
def test_number_of_the_case_is_read_however_it_is_written(number, version, name):
    assert read(case_detail(interpretation_request_id=number, version=version))[0].name == name


@pytest.mark.parametrize(
    "wrong", [{"interpretation_request_id": None}, {"interpretation_request_id": []}, {"version": "x"}]
)
def test_case_without_a_number_is_none(wrong):
    case, problems = read_case(case_detail(**wrong))
    assert case is None
    assert [one.scope for one in problems] == [Scope.DOCUMENT]


def report(version: int, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"clinical_report_data": data or clinical_report(), "clinical_report_version": version, **more}


def classified(word: str) -> dict[str, Any]:
    reason = event(variantClassification={"clinicalSignificance": word})
    return clinical_report(variants=[small_variant(reportEvents=[reason])], structuralVariants=None)


def test_questionnaire_outranks_the_newest_report_which_outranks_the_genome():
    said = event(variantClassification={"clinicalSignificance": "benign"})
    detail = with_variant(reportEvents=[said])
    answers = {"exit_questionnaire_data": exit_questionnaire()}
    detail["clinical_report"] = [
        report(2, classified("likely_pathogenic"), exit_questionnaire=answers),
        report(1, classified("uncertain_significance")),
    ]
    found = good(detail).classifications
    assert [(one.rank, one.version, one.significance) for one in found] == [
        (1, 0, "benign"),
        (3, 2, "likely_pathogenic"),
        (4, 2, "pathogenic"),
    ]
    assert found[2].phenotypes == (Term("HP:0001250"),)
    assert found[2].date == "2022-03-02"


def test_report_that_is_not_valid_does_not_count():
    detail = with_variant()
    detail["clinical_report"] = [report(1, classified("pathogenic")), report(2, classified("benign"), valid=False)]
    case, problems = read(detail)
    assert [one.significance for one in case.classifications] == ["pathogenic"]
    assert [(one.path, one.scope) for one in problems] == [("clinical_report[1].valid", Scope.WARNING)]


def test_reported_variant_without_a_classification_is_reported_as_such():
    detail = with_variant()
    detail["clinical_report"] = [report(1, clinical_report(structuralVariants=None))]
    assert [(one.rank, one.significance) for one in good(detail).classifications] == [(3, "")]


def test_events_that_disagree_about_a_variant_classify_it_as_nothing():
    words = ("benign", "pathogenic")
    reasons = [event(f"RE{at}", variantClassification={"clinicalSignificance": one}) for at, one in enumerate(words)]
    case, problems = read(with_variant(reportEvents=reasons))
    assert [one.significance for one in case.classifications] == ["conflicting"]
    assert [one.scope for one in problems] == [Scope.WARNING]


def questionnaire_with(**answer: Any) -> dict[str, Any]:
    answers = exit_questionnaire()
    answers["variantGroupLevelQuestions"][0]["variantLevelQuestions"] = [
        {"acmgClassification": "benign_variant"} | answer
    ]
    detail = with_variant()
    data = clinical_report(variants=None, structuralVariants=None)
    detail["clinical_report"] = [report(1, data, exit_questionnaire={"exit_questionnaire_data": answers})]
    return detail


@pytest.mark.parametrize("details", ["7:117559590:ATCT:A", " chr7 : 117559590: ATCT > A "])
def test_details_of_older_questionnaires_are_read_in_both_spellings(details):
    (said,) = good(questionnaire_with(variantDetails=details)).classifications
    assert said.small is not None
    assert (said.small.chromosome, said.small.position_1based) == ("7", 117559590)
    assert (said.small.reference, said.small.alternate) == ("ATCT", "A")


@pytest.mark.parametrize("details", ["7:117559590:ATCT", "7:x:A:C", "", "a:1:b:c:d"])
def test_details_in_another_form_are_refused_with_their_place(details):
    case, problems = read(questionnaire_with(variantDetails=details))
    assert case.classifications == ()
    (problem,) = problems
    place = (
        "clinical_report[0].exit_questionnaire.variantGroupLevelQuestions[0].variantLevelQuestions[0].variantDetails"
    )
    assert (problem.path, problem.scope) == (place, Scope.VARIANT)


def test_answer_that_assesses_nothing_leaves_the_report_as_it_is():
    assert good(questionnaire_with(variantDetails="7:5:A:C", acmgClassification="not_assessed")).classifications == ()


def test_pedigree_is_read_with_relations_phenotypes_and_consent():
    terms = [{"term": "HP:0001250", "termPresence": "yes"}, {"term": "HP:2", "termPresence": False}, {"term": "HP:3"}]
    consent = {"primaryFindingConsent": "yes", "researchConsent": "no", "carrierStatusConsent": "not_applicable"}
    child = member(motherId=2, fatherId=3, hpoTermList=terms, testConsentStatus=consent, yearOfBirth=2014)
    mother = member("p2", pedigreeId=2, isProband=False)
    father = member("p3", pedigreeId=3, isProband=False, sex="MALE", participantId=None, samples=None)
    detail = with_variant()
    detail["interpretation_request_data"]["json_request"]["pedigree"] = {"members": [child, mother, father]}
    one, two, three = good(detail).members
    assert [each.relation for each in (one, two, three)] == ["Proband", "Mother", "Father"]
    assert [each.presence for each in one.phenotypes] == ["yes", "no", "unknown"]
    assert one.consent == {
        "primaryGenomicTestingConsent": "yes",
        "researchFindingConsent": "no",
        "carrierStatusConsent": "undefined",
    }
    assert (three.participant_id, three.sex, three.samples) == (None, "male", ())


def test_consents_of_a_referral_are_read_with_both_spellings():
    said = [
        {"participant_id": "p1", "primaryGenomicTestingConsent": "no", "pharmocogenomicsFindingConsent": "yes"},
        {"participant_id": "p2", "primaryGenomicTestingConsent": "yes", "pharmacogenomicsFindingConsent": "no"},
    ]
    referral = {
        "referral_id": "r1",
        "referral_uid": "u1",
        "clinical_indication_code": "R29",
        "clinical_indication_full_name": "Intellectual disability",
        "econsent": {"participant_consent": said},
    }
    facts = good(case_detail(referral=referral)).referral
    assert facts is not None
    assert facts.indication == Term("R29", "Intellectual disability")
    assert facts.consents == {
        "p1": {"primaryGenomicTestingConsent": "no", "pharmocogenomicsFindingConsent": "yes"},
        "p2": {"primaryGenomicTestingConsent": "yes", "pharmocogenomicsFindingConsent": "no"},
    }


def test_consents_of_internal_identifiers_are_those_of_the_participants():
    said = [{"participant_id": "0-1", "primaryGenomicTestingConsent": "no"}]
    detail = case_detail(referral={"referral_id": "r1", "econsent": {"participant_consent": said}})
    members = [member(participantUid="0-1")]
    detail["interpretation_request_data"]["json_request"]["pedigree"] = {"members": members}
    facts = good(detail).referral
    assert facts is not None
    assert facts.consents == {"p1": {"primaryGenomicTestingConsent": "no"}}


@pytest.mark.parametrize(
    ("wrapper", "field", "said"),
    [
        (report(1, {"x": 1}), "", "Unrecognised clinical report: keys [x]"),
        ({"clinical_report_data": None}, ".clinical_report_data", "This field is required."),
        (
            report(1, clinical_report(interpretationRequestId="7")),
            ".interpretationRequestId",
            "Does not match the case (40101).",
        ),
        (
            report(1, clinical_report(variants=None, structuralVariants=None), exit_questionnaire={"x": 1}),
            ".exit_questionnaire.variantGroupLevelQuestions",
            "This field is required.",
        ),
    ],
)
def test_report_and_questionnaire_that_are_none_are_refused(wrapper, field, said):
    case, problems = read(case_detail(clinical_report=[wrapper]))
    assert case.classifications == ()
    assert problems == [Problem(f"clinical_report[0]{field}", said, Scope.DOCUMENT)]


def test_lists_in_lists_in_lists_do_not_raise():
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    answers = exit_questionnaire(caseLevelQuestions={}, more=deep)
    answers["familyLevelQuestions"]["caseSolvedFamily"] = deep
    place = small_variant()["variantCoordinates"] | {"assembly": deep}
    detail = with_variant(reportEvents=[event(tier=deep, modeOfInheritance=deep)], variantCoordinates=place)
    detail["interpretation_request_data"]["json_request"]["genomeAssembly"] = deep
    detail["interpreted_genome"][0]["interpreted_genome_data"]["interpretationRequestId"] = deep
    detail["clinical_report"] = [report(1, exit_questionnaire={"exit_questionnaire_data": answers})]
    assert read(detail)[1]
    assert migrated_detail(detail)["clinical_report"][0]["exit_questionnaire"]["exit_questionnaire_data"] is answers


def test_what_is_no_case_at_all_is_none():
    case, problems = read_case([])  # type: ignore[arg-type]
    assert case is None
    assert [one.scope for one in problems] == [Scope.DOCUMENT]


def test_call_of_somebody_whom_the_case_does_not_name_is_warned_of():
    _, problems = read(with_variant(variantCalls=[call("p9")]))
    assert [(one.path, one.scope) for one in problems] == [
        ("interpreted_genome[0].variants[0].variantCalls[0].participantId", Scope.WARNING)
    ]


@pytest.mark.parametrize("make", [case_of_model_3, case_of_model_4, case_of_model_5])
def test_older_models_of_rare_disease_are_read_as_the_newest(make):
    case = good(make())
    genome = next(one for one in case.genomes if one.cip_version == 1)
    assert genome.service == "omicia"
    (one,) = genome.variants
    assert (one.chromosome, one.position_1based, one.reference, one.alternate) == ("7", 117199644, "ATCT", "A")
    (seen,) = one.calls
    assert (seen.participant_id, seen.sample_id, seen.zygosity) == ("115000611", "LP1", "heterozygous")
    assert (seen.phase_set, seen.sorted_alleles, seen.alt_depth) == (3, (), 18)
    (reason,) = one.events
    assert reason.genes[0].symbol == "CFTR"
    assert reason.segregation == "CompoundHeterozygous"
    assert reason.significance == "uncertain_significance"
    assert reason.phenotypes == (Term("", "Cystic fibrosis"),)
    assert reason.panel is not None
    assert [term.code for term in reason.consequences] == ["SO:0001583"]
    assert case.build is Build.GRCH37
    assert case.members[0].sex == "female"
    assert case.members[0].samples[0].sample_id == "LP1"


@pytest.mark.parametrize("make", [case_of_model_3, case_of_model_4])
def test_tiered_variants_of_a_request_are_the_genome_of_tiering(make):
    tiered = good(make()).current_genomes()[0]
    assert (tiered.service, tiered.cip_version, tiered.software) == (
        "genomics_england_tiering",
        0,
        {"tiering": "1.0.0"},
    )
    assert tiered.variants[0].path.startswith("interpretation_request_data.json_request.")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("DEL", "deletion"),
        ("<DUP>", "dup"),
        ("DUP:TANDEM", "dup_tandem"),
        ("INV", "inv"),
        ("INS", "ins"),
        ("INS:ME:ALU", "ins_me"),
        ("DEL:ME", "del_me"),
        ("CNV", "cnv"),
        ({"firstLevelType": "DUP_TANDEM", "subtype": None}, "dup_tandem"),
    ],
)
def test_structural_variants_of_model_4_are_kept(word, kind):
    one = {
        "chromosome": "22",
        "start": 101,
        "end": 200,
        "type": word,
        "reference": "N",
        "alternate": "<X>",
        "calledGenotypes": [{"gelId": "115000611", "sampleId": "LP1", "genotype": "heterozygous", "copyNumber": 1}],
        "reportEvents": [],
    }
    detail = case_of_model_4()
    detail["interpreted_genome"][0]["interpreted_genome_data"]["reportedStructuralVariants"] = [one]
    (read_one,) = good(detail).genomes[-1].structural
    assert (read_one.kind, read_one.region.start, read_one.calls[0].copies) == (kind, 100, (1,))


def test_cancer_of_model_4_2_gets_participants_from_the_samples_that_its_calls_name():
    case = good(cancer_case_of_model_4_2())
    genome = case.genomes[-1]
    assert [
        (one.calls[0].participant_id, one.calls[0].sample_id, one.calls[0].zygosity) for one in genome.variants
    ] == [
        ("p7", "T1", "na"),
        ("p7", "G1", "na"),
    ]
    (large,) = genome.structural
    assert (large.kind, large.calls[0].sample_id, large.calls[0].is_somatic) == ("deletion", "T1", True)


def test_cancer_of_model_5_says_domains_as_tiers():
    (one,) = good(cancer_case_of_model_5()).genomes[-1].variants
    assert (one.events[0].domain, one.events[0].tier) == ("DOMAIN1", "")
    assert (one.calls[0].frequency, one.calls[0].is_somatic) == (0.31, True)


def test_call_of_newer_cancer_needs_its_zygosity():
    detail = cancer_case_of_model_5()
    del detail["interpreted_genome"][0]["interpreted_genome_data"]["variants"][0]["variantCalls"][0]["zygosity"]
    case, problems = read(detail)
    assert case.genomes[-1].variants[0].calls == ()
    assert [(one.message, one.scope) for one in problems] == [("This field is required.", Scope.CALL)]


@pytest.mark.parametrize("version", [3, 4])
def test_cancer_of_older_models_gets_its_call_from_the_one_sample_of_that_origin(version):
    case = good(old_cancer_case(version))
    somatic, germline = case.current_genomes()[-1].variants
    assert [(one.sample_id, one.zygosity, one.frequency) for one in somatic.calls] == [("T1", "na", 0.31)]
    assert somatic.calls[0].is_somatic
    assert [one.sample_id for one in germline.calls] == ["G1"]
    assert somatic.events[0].domain == "DOMAIN1"
    assert somatic.events[0].tier == ""
    assert somatic.events[0].genes[0].symbol == "KRAS"
    assert [term.code for term in somatic.events[0].consequences] == ["SO:0001583"]


def test_cancer_call_is_refused_where_two_tumours_could_have_it():
    detail = old_cancer_case(4)
    person = detail["interpretation_request_data"]["json_request"]["cancerParticipant"]
    person["tumourSamples"].append({"sampleId": "T2"})
    case, problems = read(detail)
    assert case.current_genomes()[-1].variants[0].calls == ()
    assert {one.scope for one in problems} == {Scope.CALL}


@pytest.mark.parametrize(
    ("document", "model"),
    [
        (interpreted_genome(versionControl={"gitVersionControl": "5.0.0"}), Model.V6),
        (
            {
                "interpretationService": "x",
                "variants": [{"alleleOrigins": []}],
                "versionControl": {"gitVersionControl": "6.0.0"},
            },
            Model.V5,
        ),
        ({"interpretationService": "x", "variants": [], "versionControl": {"gitVersionControl": "5.0.0"}}, Model.V5),
        ({"interpretationService": "x", "variants": [{"reportEvents": [{"phenotypes": {}}]}]}, Model.V6),
        ({"interpretationService": "x", "variants": [{"reportEvents": [{"phenotypes": []}]}]}, Model.V5),
        ({"companyName": "x", "reportedVariants": []}, Model.V4),
        ({"reportRequestId": "1", "reportedVariants": []}, Model.V4),
        ({"InterpretationRequestID": "1", "companyName": "x"}, Model.V3),
        ({"something": 1}, None),
    ],
)
def test_structure_tells_the_model_and_not_the_label(document, model):
    assert model_of(document) is model


def test_whole_genome_without_service_is_refused_and_a_good_one_is_read_alone(shared: Path):
    folder = shared / "packs" / "cipapi" / "malformed"
    refused = json.loads((folder / "m11_ig_unknown_service_missing.json").read_text())
    problem = Problem("interpretationService", "This field is required.", Scope.DOCUMENT)
    assert read_bare_genome(refused) == (None, [problem])
    genome, problems = read_bare_genome(json.loads((folder / "m12_ig_ref_mismatch.json").read_text()))
    assert problems == []
    assert genome is not None
    assert genome.variants[0].path == "variants[0]"


def test_trio_of_the_pack_is_read_whole(shared: Path):
    detail = json.loads((shared / "packs" / "cipapi" / "rd_trio_40101-1.v6.detail.json").read_text())
    case, problems = read(detail)
    assert [one.relation for one in case.members] == ["Proband", "Mother", "Father"]
    tiering, exomiser = case.current_genomes()
    assert (len(tiering.variants), len(tiering.structural), len(tiering.repeats)) == (20, 2, 2)
    assert exomiser.service == "exomiser"
    assert [(one.path, one.scope) for one in problems] == [
        ("interpreted_genome[0].variants[17].variantCalls[1].zygosity", Scope.WARNING)
    ]
    assert case.raw is detail


def test_duo_of_the_pack_in_model_4_is_read_whole(shared: Path):
    detail = json.loads((shared / "packs" / "cipapi" / "rd_duo_611-2.grch37.v4.detail.json").read_text())
    case = good(detail)
    tiering, omicia = case.current_genomes()
    assert (len(tiering.variants), len(omicia.variants), len(omicia.structural)) == (6, 2, 1)
    assert [(one.rank, one.significance) for one in case.classifications if one.rank == 4] == [(4, "pathogenic")] * 2


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["-", "7:1:A:C", "unk"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(value, key) for key in keys]
    for key in keys:
        found.extend(_places(value[key]))
    return found


def _whole_case() -> dict[str, Any]:
    detail = case_detail(
        referral={"referral_id": "r1", "econsent": {"participant_consent": [{"participant_id": "p1"}]}}
    )
    answers = {"exit_questionnaire_data": exit_questionnaire()}
    detail["clinical_report"] = [report(1, exit_questionnaire=answers)]
    return detail


@given(
    make=st.sampled_from(
        [
            _whole_case,
            case_of_model_3,
            case_of_model_4,
            case_of_model_5,
            lambda: old_cancer_case(3),
            lambda: old_cancer_case(4),
        ]
    ),
    where=st.lists(st.tuples(st.floats(0, 1), ODD), min_size=1, max_size=4),
)
def test_no_document_raises(make, where):
    detail = make()
    for share, odd in where:
        places = _places(detail)
        container, key = places[min(int(share * len(places)), len(places) - 1)]
        container[key] = odd
    _, problems = read_case(detail)
    assert all(one.message for one in problems)


@given(ODD)
def test_nothing_raises_in_place_of_a_genome(odd):
    read_bare_genome(odd)
    read_case({"interpretation_request_id": 1, "version": 1, "interpreted_genome": odd, "clinical_report": odd})


def test_old_documents_of_these_tests_fit_their_models(gel_oracle):
    three, four, five = case_of_model_3(), case_of_model_4(), case_of_model_5()
    for detail, version in ((three, "3_0_0"), (four, "4_0_0"), (five, "5_0_0")):
        data = detail["interpreted_genome"][0]["interpreted_genome_data"]
        assert gel_oracle.problems("InterpretedGenomeRD", data, version) == []
    for number in (3, 4):
        data = old_cancer_case(number)["interpreted_genome"][0]["interpreted_genome_data"]
        assert gel_oracle.problems("CancerInterpretedGenome", data, f"{number}_0_0") == []
    for detail, version in ((cancer_case_of_model_4_2(), "4_2_0"), (cancer_case_of_model_5(), "5_0_0")):
        data = detail["interpreted_genome"][0]["interpreted_genome_data"]
        assert gel_oracle.problems("CancerInterpretedGenome", data, version) == []
    assert old_variant(4)["reportEvents"] == [old_event(4)]
