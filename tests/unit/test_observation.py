"""Every form of an Observation is valid FHIR, keeps to its profile and has what clients count on."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from app.fhir.observation import (
    CallSetFacts,
    VariantRows,
    counted_parameter,
    found_parameter,
    named_components,
    observation_named,
    parameters,
    render_phase,
    render_variants,
)
from app.fhir.validate import problems
from app.records import Build, SourceClass, Zygosity
from app.variants.accessions import accession
from app.variants.naming import Names
from tests.profile_validator import Validate
from tests.small_store import component, spdis_of

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
LAB = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
GE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GE"}]}
ALLELES = [("A", "G", "A", "G"), ("AC", "A", "CC", "C"), ("T", "TAG", "", "AG"), ("AC", "GT", "AC", "GT")]
"""REF, ALT and the contextual alleles of a SNV, a deletion, an insertion and an MNV"""

NAMES = Names("BRCA1", "HGNC:1100", "NM_007294.4", "NM_007294.4:c.181T>G", "NP_009225.1", "p.(Cys61Gly)")

SOME_NAMES = [
    None,
    NAMES,
    replace(NAMES, hgnc=None, transcript="ENST00000357654.9", coding="ENST00000357654.9:c.181T>G"),
    replace(NAMES, gene=None, hgnc=None, protein=None),
    replace(NAMES, change="p.?"),
    replace(NAMES, change=None),
    replace(NAMES, transcript="NR_027676.2", coding="NR_027676.2:n.202T>G", protein=None, change=None),
]


def facts(**changes: Any) -> CallSetFacts:
    given = {
        "subject_id": "P-1.a",
        "effective": "2024-02-03",
        "specimen_id": 'SP "1" ü',
        "source_class": SourceClass.GERMLINE,
        "build": Build.GRCH38,
        "ref_seq": "NC_000001.11",
        "study": "gs-0123456789abcdef",
    }
    return CallSetFacts(**{**given, **changes})


def one(
    alleles: tuple[str, str, str, str] = ALLELES[0],
    state: Zygosity = Zygosity.HETEROZYGOUS,
    *,
    frequency: float | None = 0.4231,
    alt_depth: int = 17,
    other: bool = True,
    about: CallSetFacts | None = None,
    position: int = 99,
    hgvs: bool = True,
    names: Names | None = NAMES,
) -> dict[str, Any]:
    """Return the Observation of one call."""
    ref, alt, deleted, inserted = alleles
    about = about or facts()
    there = accession(about.build.other, 1)
    rows = VariantRows(
        ids=["dv-0123456789abcdef-1-99-AG"],
        states=[state],
        spdis=[f"{about.ref_seq}:{position + 1}:{deleted}:{inserted}"],
        other_spdis=[f"{there}:{position + 501}:{deleted}:{inserted}" if other else None],
        hgvs=[f"{about.ref_seq}:g.{position + 2}del" if hgvs else None],
        named=[named_components(names)],
        frequencies=[frequency],
        alt_depths=[alt_depth],
        refs=[ref],
        alts=[alt],
        positions=[position],
    )
    answer = parameters([found_parameter("variants", "rangeItem", "r", render_variants(about, rows), present=True)])
    resource: dict[str, Any] = json.loads(answer)["parameter"][0]["part"][2]["resource"]
    return resource


def some_forms(n: int) -> Iterable[dict[str, Any]]:
    """Return Observations in which whatever can differ has each value, or is absent, in many combinations."""
    every = itertools.product(
        SourceClass,
        [("2024-02-03", "SP-1"), ("2024", None), (None, "SP-1"), (None, None)],
        Build,
        Zygosity,
        [0.4231, None],
        [17, 0, -1],
        [True, False],
        ALLELES,
        [True, False],
        SOME_NAMES,
    )
    chosen = random.Random(1).sample(list(every), n)
    for source_class, (effective, specimen), build, state, frequency, alt_depth, other, alleles, hgvs, names in chosen:
        about = facts(
            source_class=source_class,
            effective=effective,
            specimen_id=specimen,
            build=build,
            ref_seq=accession(build, 1),
        )
        yield one(
            alleles, state, frequency=frequency, alt_depth=alt_depth, other=other, about=about, hgvs=hgvs, names=names
        )


FORMS = list(some_forms(400))


def phase(*, cis: bool) -> dict[str, Any]:
    text = render_phase("sid-ab", "P1", "dv-a", "dv-b", cis=cis)
    resource: dict[str, Any] = json.loads(text[1:])["resource"]
    return resource


def concept(resource: dict[str, Any], code: str) -> tuple[str, str, str] | None:
    found = component(resource, code)
    if not found:
        return None
    coding = found["valueCodeableConcept"]["coding"][0]
    return coding["system"], coding["code"], coding.get("display")


# --- valid ------------------------------------------------------------------------------------------------------------


def test_every_form_is_valid_fhir() -> None:
    found = {json.dumps(form): problems(form) for form in FORMS}

    assert len(found) > 300
    assert [complaints for complaints in found.values() if complaints] == []


def test_every_form_keeps_to_the_profile(against_profiles: Validate) -> None:
    assert [complaints for form in FORMS if (complaints := against_profiles(form))] == []


@pytest.mark.parametrize("cis", [True, False])
def test_phase_relations_are_valid_and_keep_to_the_profile(against_profiles: Validate, cis: bool) -> None:
    assert problems(phase(cis=cis)) == []
    assert against_profiles(phase(cis=cis)) == []


def test_the_profiles_would_find_a_flaw(against_profiles: Validate) -> None:
    flawed = {**one(), "category": [LAB]}

    assert against_profiles(flawed) != []
    assert against_profiles(one()) == []


# --- what clients count on --------------------------------------------------------------------------------------------


def test_every_form_has_two_categories_and_a_display_on_every_component_code() -> None:
    for form in FORMS:
        assert form["category"] == [LAB, GE]
        codes = [entry["code"]["coding"] for entry in form["component"]]
        assert all(len(coding) == 1 and coding[0]["display"] for coding in codes)
        assert len({coding[0]["code"] for coding in codes}) == len(codes)


def test_every_id_is_a_fhir_id() -> None:
    assert all(ID.fullmatch(form["id"]) for form in [*FORMS, phase(cis=True), phase(cis=False)])


def test_components_come_in_the_order_of_the_reference_implementation_and_then_its_names() -> None:
    codes = [entry["code"]["coding"][0]["code"] for entry in one(ALLELES[1])["component"]]

    assert codes == [
        "48002-0", "48013-7", "53034-5", "81252-9", "81258-6", "82121-5", "69547-8", "69551-0", "92822-6", "81254-5",
        "81290-9", "48018-6", "48004-6", "51958-7", "48005-3", "62374-4",
    ]  # fmt: skip


def test_what_is_not_known_is_not_mentioned() -> None:
    bare = one(
        frequency=None,
        alt_depth=-1,
        other=False,
        hgvs=False,
        names=None,
        state=Zygosity.UNKNOWN,
        about=facts(effective=None, specimen_id=None, source_class=SourceClass.UNSPECIFIED),
    )

    assert [entry["code"]["coding"][0]["code"] for entry in bare["component"]] == [
        "48013-7", "81252-9", "69547-8", "69551-0", "92822-6", "81254-5", "62374-4",
    ]  # fmt: skip
    assert not {"effectiveDateTime", "specimen"} & bare.keys()


def test_a_variant_is_named_on_its_chromosome_transcript_and_protein() -> None:
    resource = one(position=41)

    hgvs = "http://varnomen.hgvs.org"
    assert concept(resource, "81290-9") == (hgvs, "NC_000001.11:g.43del", "NC_000001.11:g.43del")
    assert concept(resource, "48018-6") == ("http://www.genenames.org", "HGNC:1100", "BRCA1")
    assert concept(resource, "48004-6") == (hgvs, "NM_007294.4:c.181T>G", "NM_007294.4:c.181T>G")
    assert concept(resource, "51958-7") == ("http://www.ncbi.nlm.nih.gov/refseq", "NM_007294.4", "NM_007294.4")
    assert concept(resource, "48005-3") == (hgvs, "NP_009225.1:p.(Cys61Gly)", "NP_009225.1:p.(Cys61Gly)")


def test_names_that_are_not_known_are_not_mentioned() -> None:
    assert named_components(None) == ""
    ensembl, no_gene, unclear, no_sequence, noncoding = (one(names=names) for names in SOME_NAMES[2:])

    assert component(ensembl, "48018-6")["valueCodeableConcept"] == {"text": "BRCA1"}
    assert concept(ensembl, "51958-7") == ("http://www.ensembl.org", "ENST00000357654.9", "ENST00000357654.9")
    assert component(no_gene, "48018-6") == {}
    assert component(no_gene, "48005-3") == {}
    assert component(unclear, "48005-3") == {}
    assert component(no_sequence, "48005-3") == {}
    assert concept(no_sequence, "48004-6") is not None
    assert component(noncoding, "48004-6") == {}
    assert concept(noncoding, "51958-7") == ("http://www.ncbi.nlm.nih.gov/refseq", "NR_027676.2", "NR_027676.2")


def test_the_subject_test_date_and_specimen_are_named() -> None:
    resource = one()

    assert resource["subject"] == {"reference": "Patient/P-1.a"}
    assert resource["effectiveDateTime"] == "2024-02-03"
    assert resource["specimen"] == {"identifier": {"value": 'SP "1" ü'}}
    assert resource["valueCodeableConcept"]["coding"][0] == {
        "system": "http://loinc.org", "code": "LA9633-4", "display": "Present",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "code", "display"),
    [
        (Zygosity.HETEROZYGOUS, "LA6706-1", "heterozygous"),
        (Zygosity.HOMOZYGOUS, "LA6705-3", "homozygous"),
        (Zygosity.HEMIZYGOUS, "LA6707-9", "hemizygous"),
        (Zygosity.HETEROPLASMIC, "LA6703-8", "heteroplasmic"),
        (Zygosity.HOMOPLASMIC, "LA6704-6", "homoplasmic"),
    ],
)
def test_germline_calls_have_an_allelic_state(state: Zygosity, code: str, display: str) -> None:
    assert concept(one(state=state), "53034-5") == ("http://loinc.org", code, display)


@pytest.mark.parametrize(
    "source_class", [SourceClass.SOMATIC, SourceClass.MIXED, SourceClass.UNSPECIFIED], ids=lambda item: item.word
)
@pytest.mark.parametrize("state", list(Zygosity))
def test_other_calls_have_none(source_class: SourceClass, state: Zygosity) -> None:
    assert concept(one(state=state, about=facts(source_class=source_class)), "53034-5") is None


@pytest.mark.parametrize(
    ("source_class", "expected"),
    [
        (SourceClass.GERMLINE, ("http://loinc.org", "LA6683-2", "germline")),
        (SourceClass.SOMATIC, ("http://loinc.org", "LA6684-0", "somatic")),
        (SourceClass.MIXED, None),
        (SourceClass.UNSPECIFIED, None),
    ],
)
def test_germline_and_somatic_calls_say_so(source_class: SourceClass, expected: tuple[str, str, str] | None) -> None:
    assert concept(one(about=facts(source_class=source_class)), "48002-0") == expected


@pytest.mark.parametrize(("build", "code"), [(Build.GRCH37, "LA14029-5"), (Build.GRCH38, "LA26806-2")])
def test_the_assembly_and_the_sequence_are_named(build: Build, code: str) -> None:
    resource = one(about=facts(build=build, ref_seq=accession(build, 1)))

    assert concept(resource, "62374-4") == ("http://loinc.org", code, build.value)
    assert component(resource, "48013-7")["valueCodeableConcept"]["coding"][0]["code"] == accession(build, 1)


def test_one_component_has_the_variant_on_both_builds_with_the_build_of_the_call_first() -> None:
    coding = component(one(), "81252-9")["valueCodeableConcept"]["coding"]

    assert [entry["code"] for entry in coding] == [entry["display"] for entry in coding]
    assert spdis_of(one()) == ["NC_000001.11:100:A:G", "NC_000001.10:600:A:G"]
    assert spdis_of(one(other=False)) == ["NC_000001.11:100:A:G"]


@pytest.mark.parametrize(
    ("alleles", "expected"),
    [
        pytest.param(ALLELES[0], {"low": {"value": 99}}, id="one base: the low end alone"),
        pytest.param(ALLELES[1], {"low": {"value": 99}, "high": {"value": 101}}, id="deletion"),
        pytest.param(ALLELES[2], {"low": {"value": 99}}, id="insertion after one base"),
        pytest.param(ALLELES[3], {"low": {"value": 99}, "high": {"value": 101}}, id="MNV"),
    ],
)
def test_the_exact_start_and_end_are_those_of_the_record(
    alleles: tuple[str, str, str, str], expected: dict[str, Any]
) -> None:
    resource = one(alleles)

    assert component(resource, "81254-5")["valueRange"] == expected
    assert component(resource, "69547-8")["valueString"] == alleles[0]
    assert component(resource, "69551-0")["valueString"] == alleles[1]
    assert concept(resource, "92822-6") == ("http://loinc.org", "LA30100-4", "0-based interval counting")


@pytest.mark.parametrize("frequency", [0.0, 0.0001, 0.5, 1.0])
def test_a_frequency_is_a_number_without_a_unit_of_measure(frequency: float) -> None:
    assert component(one(frequency=frequency), "81258-6")["valueQuantity"] == {
        "value": frequency,
        "unit": "relative frequency of a particular allele in the specimen",
        "system": "http://unitsofmeasure.org",
        "code": "1",
    }


def test_a_depth_of_zero_is_a_depth() -> None:
    assert component(one(alt_depth=0), "82121-5")["valueQuantity"]["value"] == 0
    assert component(one(alt_depth=-1), "82121-5") == {}


# --- phase relations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cis", "word"), [(True, "Cis"), (False, "Trans")])
def test_a_phase_relation_names_its_two_variants(cis: bool, word: str) -> None:
    resource = phase(cis=cis)

    assert resource["valueCodeableConcept"]["coding"][0]["code"] == word
    assert resource["derivedFrom"] == [{"reference": "Observation/dv-a"}, {"reference": "Observation/dv-b"}]
    assert resource["category"] == [LAB, GE]
    assert resource["subject"] == {"reference": "Patient/P1"}


def test_a_resource_is_found_among_parts_by_its_whole_id() -> None:
    parts = [render_phase(id_, "P1", "dv-a", "dv-b", cis=True) for id_ in ("sid-a.2", "sid-a", "sid-b")]

    assert json.loads(observation_named(parts, "sid-a") or b"") == json.loads(parts[1][1:])["resource"]
    assert observation_named(parts, "sid-") is None


# --- parameters -------------------------------------------------------------------------------------------------------


def test_without_parameters_there_is_no_list() -> None:
    assert json.loads(parameters([])) == {"resourceType": "Parameters"}


def test_the_item_comes_first_then_presence() -> None:
    answer = parameters(
        [
            found_parameter("variants", "rangeItem", 'a"\\b', present=False),
            found_parameter("variants", "rangeItem", "ü", present=True),
        ]
    )

    assert json.loads(answer) == {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "variants", "part": [
                {"name": "rangeItem", "valueString": item}, {"name": "presence", "valueBoolean": present},
            ]}
            for item, present in [('a"\\b', False), ("ü", True)]
        ],
    }  # fmt: skip
    assert problems(json.loads(answer)) == []


def test_a_note_is_an_extension_of_the_item() -> None:
    answer = json.loads(parameters([found_parameter("variants", "rangeItem", "r", present=False, note='n"')]))

    assert answer["parameter"][0]["part"][0] == {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/note", "valueAnnotation": {"text": 'n"'}}],
        "name": "rangeItem",
        "valueString": "r",
    }
    assert problems(answer) == []


@pytest.mark.parametrize("subjects", [None, [], ["P1", "P2"]])
def test_a_count_names_its_subjects_if_asked(subjects: list[str] | None) -> None:
    entry = counted_parameter("variants", "variantItem", "v", numerator=2, denominator=5, subjects=subjects)

    answer = json.loads(parameters([entry]))

    names = [part["name"] for part in answer["parameter"][0]["part"]]
    assert names == ["variantItem", "numerator", "denominator", *["subject"] * len(subjects or [])]
    assert problems(answer) == []
