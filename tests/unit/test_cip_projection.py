"""Cases become calls, structural variants, statements and tests of the store; what cannot be stored is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.fhir.parameters import RangeInput
from app.formats.gel import Scope
from app.operations.context import Genome
from app.records import Build, Sex
from app.store import bulk
from app.store.cip_cases import State
from app.store.session import Database
from app.store.subjects import Subject
from app.variants.accessions import accession
from app.variants.interval import parse_range
from app.variants.liftover import Liftover
from app.variants.reference import InMemoryReference
from ingest import cip, cip_implications, inbox
from tests.cip_cases import (
    FATHER,
    MOTHER,
    PROBAND,
    WHERE,
    CaseStore,
    call,
    case,
    classified,
    component,
    event,
    genome,
    messages,
    report,
    structural,
    variant,
)
from tests.small_store import Interrupted, SmallStore, migrated
from tests.store_dump import dump

BASES = "ACGTTTTTGCAATGCCGATA" * 500
"""Of chromosome 1 from position 1"""
GENOME = Genome({Build.GRCH38: InMemoryReference({accession(Build.GRCH38, 1): [(0, BASES)]})}, Liftover())

SITE = "1:1001:A:G"


@pytest.fixture
def cases(database: Database, tmp_path: Path) -> CaseStore:
    return CaseStore(SmallStore(database, tmp_path, GENOME))


@pytest.fixture
def bare(database: Database, tmp_path: Path) -> CaseStore:
    """Return the same without any sequence."""
    return CaseStore(SmallStore(database, tmp_path))


def test_a_trio_becomes_subjects_tests_and_the_calls_of_those_who_carry(cases: CaseStore) -> None:
    calls = call(PROBAND, "heterozygous"), call(MOTHER, "alternate_homozygous"), call(FATHER, "reference_homozygous")

    [outcome] = cases.ingest(case(genome(variant(SITE, *calls))))

    assert outcome.state is State.STORED
    assert (outcome.counts["calls"], outcome.counts["subjects"]) == (2, 3)
    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
    assert cases.states(MOTHER) == ["LA6705-3"]
    assert cases.spdis(FATHER) == []
    [study] = cases.store.studies(FATHER)
    assert study["testId"] == "7-1.genomics_england_tiering.LP1-DNA_C01"
    assert (study["testDate"], study["specimenId"]) == ("2022-02-01", "LP1-DNA_C01")
    [subject] = bulk.all_subjects(cases.store.database)[:1]
    assert (subject.subject_id, subject.sex) == (PROBAND, Sex.MALE)
    assert subject.identifiers == (("urn:gel:participant", PROBAND),)


def test_a_second_projection_has_nothing_to_do_and_writes_nothing(cases: CaseStore) -> None:
    detail = case(
        genome(variant(SITE, call(PROBAND, "heterozygous"))),
        reports=[report(classified(SITE, "pathogenic"))],
    )
    cases.ingest(detail)
    before = dump(cases.store.database)

    assert cases.ingest(detail) == []
    assert dump(cases.store.database) == before


def test_another_document_replaces_what_the_case_had(cases: CaseStore) -> None:
    cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous")))))
    other = genome(variant("1:1003:G:C", call(PROBAND, "heterozygous")), version=2)

    [outcome] = cases.ingest(case(other))

    assert outcome.state is State.STORED
    assert cases.spdis(PROBAND) == ["NC_000001.11:1002:G:C"]
    [study] = cases.store.studies(PROBAND)
    assert study["testDate"] == "2022-02-02"
    with cases.store.database.read() as session:
        assert session.run("select count(*) from variant")[0][0] == 1


def test_a_newer_version_supersedes_the_older_one(cases: CaseStore) -> None:
    cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous")))))

    cases.ingest(case(genome(variant("1:1003:G:C", call(PROBAND, "heterozygous"))), version=2))

    assert (cases.found(version=1).state, cases.found(version=2).state) == (State.SUPERSEDED, State.STORED)
    assert cases.spdis(PROBAND) == ["NC_000001.11:1002:G:C"]
    assert [study["testId"][:4] for study in cases.store.studies(PROBAND)] == ["7-2."]


def test_a_blocked_case_loses_its_calls(cases: CaseStore) -> None:
    one = genome(variant(SITE, call(PROBAND, "heterozygous")))
    cases.ingest(case(one))

    [outcome] = cases.ingest(case(one, status="blocked"))

    assert outcome.state is State.BLOCKED
    assert cases.spdis(PROBAND) == []
    assert cases.store.studies(PROBAND) == []


def test_a_refused_test_is_not_stored_where_consent_is_enforced(database: Database, tmp_path: Path) -> None:
    detail = case(genome(variant(SITE, call(PROBAND, "heterozygous"))), consents={MOTHER: "no"})
    enforcing = CaseStore(SmallStore(database, tmp_path, GENOME))

    [outcome] = enforcing.ingest(detail)

    assert outcome.state is State.REFUSED
    with database.read() as session:
        assert session.run("select count(*) from subject")[0][0] == 0
        assert session.run("select count(*) from variant")[0][0] == 0
    [outcome] = CaseStore(SmallStore(database, tmp_path, GENOME, cip_consent="warn")).project()
    assert outcome.state is State.STORED
    assert "refused" in messages(outcome)["consent"]


def test_consent_that_is_missing_is_told(cases: CaseStore) -> None:
    [outcome] = cases.ingest(case(genome(), consents={MOTHER: "undefined"}))

    assert outcome.state is State.STORED
    assert messages(outcome) == {"consent": "Consent to the test is missing of somebody."}
    assert not outcome.is_quarantined


@pytest.mark.parametrize(
    ("chromosome", "told", "state"),
    [
        ("1", {"zygosity": "half_missing_alternate"}, ""),
        ("1", {"zygosity": "na", "alleleOrigins": ["somatic_variant"], "sampleVariantAlleleFrequency": 0.3}, ""),
        ("1", {"zygosity": "na", "depthAlternate": 4}, ""),
        ("X", {"zygosity": "alternate_hemizigous"}, "LA6707-9"),
        ("MT", {"zygosity": "heterozygous", "sampleVariantAlleleFrequency": 0.42}, "LA6703-8"),
        ("MT", {"zygosity": "heterozygous", "sampleVariantAlleleFrequency": 0.99}, "LA6704-6"),
        ("MT", {"zygosity": "alternate_homozygous", "sampleVariantAlleleFrequency": 0.98}, "LA6703-8"),
        ("MT", {"zygosity": "alternate_homozygous"}, "LA6704-6"),
    ],
)
def test_zygosities_are_read_as_the_mapping_says(
    bare: CaseStore, chromosome: str, told: dict[str, Any], state: str
) -> None:
    sequence = {"1": "NC_000001.11", "X": "NC_000023.11", "MT": "NC_012920.1"}[chromosome]
    bare.ingest(case(genome(variant(f"{chromosome}:1001:A:G", {**call(PROBAND, ""), **told}))))

    assert bare.states(PROBAND, f"{sequence}:0-16000") == [state]


@pytest.mark.parametrize("zygosity", ["reference_homozygous", "missing", "half_missing_reference", "unk"])
def test_what_is_not_carried_is_not_stored(cases: CaseStore, zygosity: str) -> None:
    [outcome] = cases.ingest(case(genome(variant(SITE, call(PROBAND, zygosity), call(MOTHER, "heterozygous")))))

    assert cases.spdis(PROBAND) == []
    assert cases.spdis(MOTHER) == ["NC_000001.11:1000:A:G"]
    assert outcome.counts.get("unknown_zygosities", 0) == (zygosity == "unk")
    assert any("unk" in text for text in messages(outcome).values()) == (zygosity == "unk")


def test_a_wrong_reference_allele_costs_that_variant_alone(cases: CaseStore) -> None:
    wrong, right = "1:1001:C:G", "1:1003:G:C"
    told = [report(classified(wrong, "pathogenic"))]

    [outcome] = cases.ingest(
        case(*[genome(*(variant(at, call(PROBAND, "heterozygous")) for at in (wrong, right)))], reports=told)
    )

    assert cases.spdis(PROBAND) == ["NC_000001.11:1002:G:C"]
    path = "interpreted_genome[0].variants[0].variantCoordinates.reference"
    assert messages(outcome)[path] == "Reference mismatch: 1:1001 GRCh38 is A, payload says C."
    assert [problem.scope for problem in outcome.problems if problem.path == path] == [Scope.VARIANT]
    assert outcome.is_quarantined
    assert cases.implications(PROBAND) == []


def test_a_case_whose_alleles_contradict_its_assembly_is_told_so(cases: CaseStore) -> None:
    places = ("1:1001:C:G", "1:1003:A:C", "1:1005:C:A")

    [outcome] = cases.ingest(case(genome(*(variant(at, call(PROBAND, "heterozygous")) for at in places))))

    assert messages(outcome)["assembly"] == (
        "3 of 3 alleles that could be compared contradict GRCh38. Is the assembly right?"
    )
    assert outcome.counts["calls"] == 0


def test_the_assembly_of_the_case_overrules_that_of_a_variant(cases: CaseStore) -> None:
    [outcome] = cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous"), assembly="GRCh37"))))

    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
    told = messages(outcome)["interpreted_genome[0].variants[0].variantCoordinates.assembly"]
    assert "GRCh37" in told
    assert "GRCh38" in told


def test_alleles_without_their_anchor_are_repaired_by_the_reference(cases: CaseStore) -> None:
    # BASES: positions 1003 to 1009 are GTTTTTG.
    one, other = "1:1003:-:CA", "1:1004:T:-"

    [outcome] = cases.ingest(case(genome(*(variant(at, call(PROBAND, "heterozygous")) for at in (one, other)))))

    assert cases.spdis(PROBAND) == ["NC_000001.11:1003::CA", "NC_000001.11:1003:TTTTT:TTTT"]
    assert outcome.counts["repaired_alleles"] == 2


def test_an_insertion_without_its_anchor_needs_the_reference(bare: CaseStore) -> None:
    [outcome] = bare.ingest(case(genome(variant("1:1003:-:CA", call(PROBAND, "heterozygous")))))

    assert bare.spdis(PROBAND) == []
    told = messages(outcome)["interpreted_genome[0].variants[0].variantCoordinates.reference"]
    assert told == "The anchor base is missing, and the reference at 1:1003 is not loaded."
    assert outcome.is_quarantined


def test_unknown_contigs_are_counted(cases: CaseStore) -> None:
    [outcome] = cases.ingest(case(genome(variant("GL000009.2:5:A:G", call(PROBAND, "heterozygous")))))

    assert outcome.counts["on_unknown_contigs"] == 1
    assert outcome.state is State.STORED


def test_two_alleles_at_one_site_stay_two_heterozygous_calls(cases: CaseStore) -> None:
    places = ("1:1001:A:G", "1:1001:A:T")

    cases.ingest(case(genome(*(variant(at, call(PROBAND, "heterozygous")) for at in places))))

    assert cases.states(PROBAND) == ["LA6706-1", "LA6706-1"]


def test_phase_is_stored_where_the_orientation_is_known(cases: CaseStore) -> None:
    def phased(alleles: list[str]) -> dict[str, Any]:
        return {"phaseGenotype": {"sortedAlleles": alleles, "phaseSet": 1001}}

    cases.ingest(
        case(
            genome(
                variant("1:1001:A:G", call(MOTHER, "heterozygous", **phased(["1", "0"]))),
                variant("1:1003:G:C", call(MOTHER, "heterozygous", **phased(["1", "0"]))),
                variant("1:1009:G:C", call(MOTHER, "heterozygous", **phased([]))),
            )
        )
    )

    [relation] = cases.store.in_range(MOTHER, "NC_000001.11:0-2000", include_phasing=True).phases
    assert relation["valueCodeableConcept"]["coding"][0]["display"].lower() == "cis"


def test_the_call_of_tiering_counts_before_those_of_other_services(cases: CaseStore) -> None:
    tiering = genome(variant(SITE, call(PROBAND, "heterozygous")))
    other = genome(
        variant(SITE, call(PROBAND, "alternate_homozygous")),
        variant("1:1003:G:C", call(PROBAND, "heterozygous")),
        service="Exomiser",
    )

    [outcome] = cases.ingest(case(other, tiering))

    assert sorted(cases.states(PROBAND)) == ["LA6706-1", "LA6706-1"]
    assert len(cases.spdis(PROBAND)) == 2
    told = messages(outcome)["interpreted_genome[0].variants[0].variantCalls[0]"]
    assert told == (
        "Zygosity is alternate_homozygous here and heterozygous at"
        " interpreted_genome[1].variants[0].variantCalls[0], which counts."
    )


def test_a_subject_of_another_sex_quarantines_the_case_alone(cases: CaseStore) -> None:
    bulk.store_subjects(cases.store.database, [Subject(MOTHER, Sex.MALE)], "test")
    first = case(genome(variant(SITE, call(PROBAND, "heterozygous"))))
    second = {**case(genome(), number=8), "interpretation_request_data": None, "proband": "p9"}

    outcomes = cases.ingest(first, second)

    assert [one.state for one in outcomes] == [State.QUARANTINED, State.STORED]
    assert messages(outcomes[0])["members"] == (
        "subject p2: the sex is male and also female. Correct the case, or the subject."
    )
    assert cases.found().report["problems"][0]["path"] == "members"


def test_a_case_without_an_assembly_is_quarantined(cases: CaseStore) -> None:
    [outcome] = cases.ingest(case(genome(), assembly=None))

    assert outcome.state is State.QUARANTINED
    assert "assembly" in messages(outcome)


# --- structural variants ----------------------------------------------------------------------------------------------


def test_structural_variants_keep_their_uncertainty_and_copies(cases: CaseStore) -> None:
    copies = {"numberOfCopies": [{"numberOfCopies": 1}]}
    one = structural("deletion", 2001, 3000, call(PROBAND, "heterozygous", **copies), ci=50)

    cases.ingest(case(genome(structuralVariants=[one])))

    [found] = cases.store.structural("intersecting", PROBAND, "NC_000001.11:2990-2995")[0].variants
    values = {part["code"]["coding"][0]["code"]: part for part in found["component"]}
    assert values["48019-4"]["valueCodeableConcept"]["coding"][0]["code"] == "SO:0000159"
    outer, inner = values["81301-4"]["valueRange"], values["81302-2"]["valueRange"]
    assert (outer["low"]["value"], outer["high"]["value"]) == (1950, 3050)
    assert (inner["low"]["value"], inner["high"]["value"]) == (2050, 2950)
    assert values["82155-3"]["valueQuantity"]["value"] == 1


@pytest.mark.parametrize(
    ("kind", "copies", "state"),
    [("deletion", 1, ["LA6706-1"]), ("deletion", 0, ["LA6705-3"]), ("deletion", 2, []), ("dup", 3, ["LA6706-1"])],
)
def test_copies_tell_the_state_where_no_zygosity_is_stated(
    cases: CaseStore, kind: str, copies: int, state: list[str]
) -> None:
    one = structural(kind, 2001, 3000, call(PROBAND, "missing", numberOfCopies=[{"numberOfCopies": copies}]))

    cases.ingest(case(genome(structuralVariants=[one])))

    found = cases.store.structural("intersecting", PROBAND, "NC_000001.11:2100-2200")
    states = [
        part["valueCodeableConcept"]["coding"][0]["code"]
        for item in found
        for resource in item.variants
        for part in resource["component"]
        if part["code"]["coding"][0]["code"] == "53034-5"
    ]
    assert states == state


@pytest.mark.parametrize(
    ("sex", "what", "is_found"),
    [
        ("MALE", ("deletion", 10_000_000, 1), False),
        ("MALE", ("deletion", 10_000_000, 0), True),
        ("MALE", ("deletion", 500_000, 1), True),  # pseudoautosomal: a male has two copies
        ("FEMALE", ("deletion", 10_000_000, 1), True),
        ("UNKNOWN", ("deletion", 10_000_000, 1), False),
        ("UNKNOWN", ("deletion", 10_000_000, 0), True),
        ("UNKNOWN", ("dup", 10_000_000, 2), False),
    ],
)
def test_copies_of_x_are_compared_with_those_that_the_sex_has_there(
    cases: CaseStore, sex: str, what: tuple[str, int, int], is_found: bool
) -> None:
    kind, start, copies = what
    said = call(PROBAND, "na", numberOfCopies=[{"numberOfCopies": copies}])
    one = structural(kind, start, start + 3000, said, chromosome="X")

    cases.ingest(case(genome(structuralVariants=[one]), sexes={PROBAND: sex}))

    [item] = cases.store.structural("intersecting", PROBAND, f"NC_000023.11:{start}-{start + 1000}")
    assert item.present is is_found


def test_what_tiering_says_of_a_structural_variant_counts_before_other_services(cases: CaseStore) -> None:
    plain, changed = (
        structural("deletion", 2001, 3000, call(PROBAND, word)) for word in ("reference_homozygous", "heterozygous")
    )

    [outcome] = cases.ingest(
        case(genome(structuralVariants=[plain]), genome(structuralVariants=[changed], service="exomiser"))
    )

    assert not cases.store.structural("intersecting", PROBAND, "NC_000001.11:2100-2200")[0].present
    assert "which counts" in messages(outcome)["interpreted_genome[1].structuralVariants[0].variantCalls[0]"]


def test_reads_that_contradict_a_homoplasmic_call_are_told(cases: CaseStore) -> None:
    said = call(PROBAND, "alternate_homozygous", depthReference=20, depthAlternate=18)

    [outcome] = cases.ingest(case(genome(variant("MT:3243:A:G", said))))

    assert cases.states(PROBAND, "NC_012920.1:3242-3243") == ["LA6704-6"]
    assert "not all reads" in messages(outcome)["interpreted_genome[0].variants[0].variantCalls[0]"]


@pytest.mark.parametrize(("other", "term"), [("1", "SO:0001784"), ("2", "SO:0000199")])
def test_both_sides_of_a_rearrangement_are_found_as_what_it_is(cases: CaseStore, other: str, term: str) -> None:
    def side(chromosome: str, at: int) -> dict[str, Any]:
        return {"assembly": "GRCh38", "chromosome": chromosome, "start": at, "end": at, "ciStart": None, "ciEnd": None}

    sides = {"leftCoordinates": side("1", 2000), "rightCoordinates": side(other, 5000), "orientation": "start_end"}
    one = {
        "breakPoints": None,
        "rearrangements": [sides],
        "reportEvents": [event()],
        "variantCalls": [call(PROBAND, "heterozygous")],
    }

    cases.ingest(case(genome(chromosomalRearrangements=[one])))

    ranges = "NC_000001.11:1990-2010", f"{accession(Build.GRCH38, int(other))}:4990-5010"
    for item in cases.store.structural("intersecting", PROBAND, *ranges):
        [resource] = item.variants
        assert component(resource, "48019-4") == [term]


@pytest.mark.parametrize(("reads", "found"), [(0, []), (4, ["NC_000001.11:1000:A:G"])])
def test_a_somatic_variant_is_not_in_a_sample_that_has_no_read_of_it(
    cases: CaseStore, reads: int, found: list[str]
) -> None:
    said = call(PROBAND, "na", alleleOrigins=["somatic_variant"], depthReference=40, depthAlternate=reads)

    cases.ingest(case(genome(variant(SITE, said))))

    assert cases.spdis(PROBAND) == found


def test_tests_detect_structural_variants_only_where_the_genome_lists_them(cases: CaseStore) -> None:
    cases.ingest(case(genome()), case(genome(structuralVariants=[]), number=8))

    types = {
        study["testId"][:2]: [coding["code"] for coding in study["dnaChangeType"]["coding"]]
        for study in cases.store.studies(PROBAND)
    }
    assert "SO:0001019" not in types["7-"]
    assert "SO:0001019" in types["8-"]


# --- what variants mean -----------------------------------------------------------------------------------------------


def test_a_report_states_what_variants_mean_for_the_proband_alone(cases: CaseStore) -> None:
    both = call(PROBAND, "heterozygous"), call(MOTHER, "heterozygous")
    told = classified(
        SITE, "likely_pathogenic", phenotypes={"standardPhenotypes": [{"id": "HP:0001250", "name": "Seizure"}]}
    )

    cases.ingest(case(genome(variant(SITE, *both)), reports=[report(told)]))

    [found] = cases.implications(PROBAND)
    assert component(found, "53037-8") == ["LA26332-9"]
    assert component(found, "81259-4") == ["HP:0001250"]
    assert component(found, "93044-6") == ["GEL clinical report v1", "GEL TIER1"]
    assert component(found, "condition-inheritance") == ["HP:0000006"]
    assert found["effectiveDateTime"] == "2022-03-01"
    assert cases.implications(MOTHER) == []


@pytest.mark.parametrize("significance", ["excluded", None])
def test_a_tier_alone_or_an_exclusion_states_nothing(cases: CaseStore, significance: str | None) -> None:
    reports = [] if significance is None else [report(classified(SITE, significance))]

    cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous"))), reports=reports))

    assert cases.implications(PROBAND) == []


def test_the_questionnaire_overrules_the_report(cases: CaseStore) -> None:
    coordinates = variant(SITE)["variantCoordinates"]
    answers = {
        "exit_questionnaire_data": {
            "eventDate": "2022-04-01",
            "reporter": "u",
            "familyLevelQuestions": {"caseSolvedFamily": "yes", "segregationQuestion": "no", "additionalComments": ""},
            "variantGroupLevelQuestions": [
                {
                    "variantGroup": 1,
                    "variantLevelQuestions": [
                        {"variantCoordinates": coordinates, "acmgClassification": "benign_variant"}
                    ],
                    "phenotypesExplained": ["HP:0001250"],
                }
            ],
        }
    }
    one = genome(variant(SITE, call(PROBAND, "heterozygous")))

    cases.ingest(case(one, reports=[report(classified(SITE, "pathogenic"), questionnaire=answers)]))

    [found] = cases.implications(PROBAND)
    assert component(found, "53037-8") == ["LA6675-8"]
    assert component(found, "81259-4") == ["HP:0001250"]
    assert component(found, "93044-6")[0] == "GEL exit questionnaire of clinical report v1"


def test_a_guideline_of_an_interpreted_genome_counts_beside_a_report_of_another_variant(cases: CaseStore) -> None:
    acmg = {"acmgEvidences": [], "clinicalSignificance": "likely_pathogenic"}
    told = event(
        variantClassification={"clinicalSignificance": "uncertain_significance"},
        guidelineBasedVariantClassification={"acmgVariantClassification": acmg},
    )
    one = genome(variant(SITE, call(PROBAND, "heterozygous"), events=[told]))

    cases.ingest(case(one, reports=[report(classified("1:1003:G:C", "benign"))]))

    found = {tuple(component(each, "53037-8")): component(each, "93044-6") for each in cases.implications(PROBAND)}
    assert found[("LA26332-9",)] == ["GEL interpreted genome", "GEL TIER1"]
    assert set(found) == {("LA26332-9",), ("LA6675-8",)}


def test_what_only_the_mother_carries_states_nothing_and_is_told(cases: CaseStore) -> None:
    told = classified(SITE, "pathogenic")
    told["variantCalls"] = [call(PROBAND, "reference_homozygous"), call(MOTHER, "heterozygous")]
    one = genome(variant(SITE, *told["variantCalls"]))

    [outcome] = cases.ingest(case(one, reports=[report(told)]))

    assert cases.implications(PROBAND) == cases.implications(MOTHER) == []
    assert cases.spdis(MOTHER) == ["NC_000001.11:1000:A:G"]
    assert "the proband does not have it" in messages(outcome)["clinical_report[0].variants[0]"]


def test_a_variant_that_only_the_report_has_is_stored_with_its_meaning(cases: CaseStore) -> None:
    cases.ingest(case(genome(), reports=[report(classified(SITE, "pathogenic"))]))

    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
    [found] = cases.implications(PROBAND)
    assert component(found, "81259-4") == ["Intellectual disability"]
    assert "7-1.clinical_report.LP1-DNA_A01" in [study["testId"] for study in cases.store.studies(PROBAND)]


def test_drug_responses_become_therapeutic_implications(cases: CaseStore) -> None:
    therapy = {
        "referenceUrl": "https://example.org",
        "conditions": ["Breast carcinoma"],
        "drugResponse": [{"TreatmentAgent": "alpelisib", "drugResponseClassification": "increased_sensitivity"}],
        "variantActionable": True,
    }
    told = event(1, actions={"therapies": [therapy]})

    cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous"), events=[told]))))

    [found] = cases.implications(PROBAND, "find-subject-tx-implications")
    assert component(found, "51963-7") == ["alpelisib"]
    assert component(found, "therapeutic-implication") == ["sensitive"]
    assert component(found, "81259-4") == ["Breast carcinoma"]


@pytest.mark.parametrize("said", ["no", "undefined"])
def test_a_genome_of_pharmacogenomics_waits_for_consent_to_it(cases: CaseStore, said: str) -> None:
    additional = genome(
        variant("1:1003:G:C", call(PROBAND, "heterozygous")), service="genomics_england_pharmacogenomics"
    )
    asked = genome(variant(SITE, call(PROBAND, "heterozygous")))

    [outcome] = cases.ingest(case(asked, additional, pharmacogenomics={PROBAND: said}))
    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
    assert "has not agreed" in messages(outcome)["interpreted_genome[1]"]

    [outcome] = cases.ingest(case(asked, additional))
    assert len(cases.spdis(PROBAND)) == 2
    assert "interpreted_genome[1]" not in messages(outcome)


def test_consent_of_relatives_whom_a_genome_is_not_about_does_not_count(cases: CaseStore) -> None:
    one = genome(variant(SITE, call(PROBAND, "heterozygous")), service="genomics_england_pharmacogenomics")

    cases.ingest(case(one, pharmacogenomics={MOTHER: "no"}))

    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]


def test_consequences_of_report_events_are_stated(cases: CaseStore) -> None:
    told = event(1, variantConsequences=[{"id": "SO:0001587", "name": "stop_gained"}])

    cases.ingest(case(genome(variant(SITE, call(PROBAND, "heterozygous"), events=[told]))))

    where = (RangeInput(WHERE, parse_range(WHERE)),)
    found = cases.store.ask("find-subject-molecular-consequences", subject=PROBAND, ranges=where)
    [one] = [entry["resource"] for entry in found if entry["name"] == "consequence"]
    assert component(one, "feature-consequence") == ["SO:0001587"]


# --- isolation --------------------------------------------------------------------------------------------------------


def test_a_case_that_breaks_costs_no_other_case(cases: CaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = cip_implications.statements_of

    def broken(batch: Any, number: int, uids: Any) -> Any:
        if batch.drafts[number].case.ir_id == 8:
            raise RuntimeError("broken")
        return real(batch, number, uids)

    monkeypatch.setattr(cip, "statements_of", broken)
    one = genome(variant(SITE, call(PROBAND, "heterozygous")))

    outcomes = cases.ingest(case(one), case(one, number=8), case(one, number=9))

    assert [outcome.state for outcome in outcomes] == [State.STORED, State.QUARANTINED, State.STORED]
    assert messages(outcomes[1]) == {"": "It cannot be stored: unexpected RuntimeError"}
    with cases.store.database.read() as session:
        assert session.run("select count(*) from call_set")[0][0] == 2
        assert session.run("select count(*) from ingest_run where state <> 'done'")[0][0] == 0


def test_what_an_interrupted_projection_left_is_discarded(cases: CaseStore, interrupt: Any) -> None:
    one = genome(variant(SITE, call(PROBAND, "heterozygous")))
    cases.put(case(one))
    interrupt("finish", 1)
    with pytest.raises(Interrupted):
        cases.project()

    [outcome] = cases.project()

    assert outcome.state is State.STORED
    assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
    with cases.store.database.read() as session:
        assert session.run("select count(*) from call_chunk")[0][0] == 1


def test_the_worker_of_the_server_makes_the_calls_of_changed_cases(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        cases = CaseStore(SmallStore(database, tmp_path))
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 1:
                cases.put(case(genome(variant(SITE, call(PROBAND, "heterozygous")))))

        inbox.keep_working(cases.store.settings, lambda: len(pauses) == 2, pause)

        assert cases.found().state is State.STORED
        assert cases.spdis(PROBAND) == ["NC_000001.11:1000:A:G"]
