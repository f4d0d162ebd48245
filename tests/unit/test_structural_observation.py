"""Every form of a structural Observation is valid FHIR, keeps to its profile and has what clients count on."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from app.fhir.observation import CallSetFacts, found_parameter, parameters
from app.fhir.structural_observation import StructuralFacts, change_type, render_structural, variant_part
from app.fhir.validate import problems
from app.records import Build, SourceClass, StructuralKind, Zygosity
from app.variants.extent import Extent
from tests.profile_validator import Validate
from tests.small_store import component

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
LONGEST_ID = "dv-0123456789abcdef-25-2147483647-s0123456789.999999"
FUZZY = Extent(1000, 2000, 990, 2040, 1020, 1970)
POINT = Extent(1000, 1000, 990, 1010)
DEL, DUP, INV, INS, CNV, BND = StructuralKind


def facts(source_class: SourceClass = SourceClass.GERMLINE, *, bare: bool = False) -> CallSetFacts:
    date, specimen = (None, None) if bare else ("2024-02-03", 'SP "1" ü')
    return CallSetFacts("P-1.a", date, specimen, source_class, Build.GRCH38, "NC_000001.11", "gs-0123456789abcdef")


def one(kind: StructuralKind = DEL, *, about: CallSetFacts | None = None, **changes: Any) -> dict[str, Any]:
    given = {
        "id": LONGEST_ID, "kind": kind, "extent": FUZZY, "ref": "N", "alt": f"<{kind.name}>",
        "state": Zygosity.HETEROZYGOUS, "copy_number": "", "notes": (),
    }  # fmt: skip
    return render_structural(about or facts(), StructuralFacts(**{**given, **changes}))


FORMS = [
    one(
        kind,
        about=facts(source_class, bare=bare),
        extent=POINT if kind is INS else FUZZY,
        copy_number=copies,
        notes=("a", "b") if bare else (),
        alt="ACGT" if kind is INS and bare else f"<{kind.name}>",
        state=state,
    )
    for kind, source_class, bare, copies, state in itertools.product(
        StructuralKind, SourceClass, (False, True), ("", "3", "2.75"), (Zygosity.UNKNOWN, Zygosity.HEMIZYGOUS)
    )
]


def display(found: dict[str, Any], code: str) -> str | None:
    entry = component(found, code)
    return entry["valueCodeableConcept"]["coding"][0]["display"] if entry else None


def test_every_form_is_valid_and_has_what_clients_index() -> None:
    for form in FORMS:
        assert problems(form) == []
        assert ID.fullmatch(form["id"])
        assert all(entry["code"]["coding"][0]["display"] for entry in form["component"])
        assert len({entry["code"]["coding"][0]["code"] for entry in form["component"]}) == len(form["component"])
        for code in ("48019-4", "48013-7", "69547-8", "92822-6", "81301-4", "62374-4"):
            assert component(form, code), code
        for code in ("81254-5", "81258-6", "81252-9"):
            assert not component(form, code), code


def test_every_form_keeps_to_the_profile(against_profiles: Validate) -> None:
    assert [complaints for form in FORMS[::3] if (complaints := against_profiles(form))] == []


def test_ranges_have_both_ends() -> None:
    found = one()

    assert component(found, "81301-4")["valueRange"] == {"low": {"value": 990}, "high": {"value": 2040}}
    assert component(found, "81302-2")["valueRange"] == {"low": {"value": 1020}, "high": {"value": 1970}}
    assert component(one(INS, extent=POINT), "81302-2") == {}


@pytest.mark.parametrize(
    ("alt", "kind", "code", "name"),
    [
        ("<DEL>", DEL, "SO:0000159", "deletion"),
        ("<DUP>", DUP, "SO:1000035", "duplication"),
        ("<DUP:TANDEM>", DUP, "SO:1000173", "tandem_duplication"),
        ("<INV>", INV, "SO:1000036", "inversion"),
        ("<INS>", INS, "SO:0000667", "insertion"),
        ("ACGT", INS, "SO:0000667", "insertion"),
        ("<INS:ME:ALU>", INS, "SO:0001837", "mobile_element_insertion"),
        ("<DEL:ME:L1>", DEL, "SO:0002066", "mobile_element_deletion"),
        ("<CN0>", CNV, "SO:0001019", "copy_number_variation"),
        ("A[chr1:9[", BND, "SO:0001021", "chromosome_breakpoint"),
    ],
)
def test_types_of_change(alt: str, kind: StructuralKind, code: str, name: str) -> None:
    found = change_type(kind, alt)

    assert (found.system, found.code, found.display) == ("http://www.sequenceontology.org", code, name)


@pytest.mark.parametrize("kind", StructuralKind, ids=lambda kind: kind.name)
def test_state_is_told_of_germline_events_that_are_no_copy_number_or_breakend(kind: StructuralKind) -> None:
    told = display(one(kind), "53034-5")

    assert told == ("heterozygous" if kind in (DEL, DUP, INV, INS) else None)
    assert display(one(kind, about=facts(SourceClass.SOMATIC)), "53034-5") is None
    assert display(one(kind, state=Zygosity.UNKNOWN), "53034-5") is None


@pytest.mark.parametrize("kind", StructuralKind, ids=lambda kind: kind.name)
def test_copies_are_told_of_events_that_change_them(kind: StructuralKind) -> None:
    whole, part = one(kind, copy_number="3"), one(kind, copy_number="2.75")

    if kind not in (DEL, DUP, CNV):
        assert (component(whole, "82155-3"), component(part, "82155-3")) == ({}, {})
        return
    quantity = {"system": "http://unitsofmeasure.org", "code": "1"}
    assert component(whole, "82155-3")["valueQuantity"] == {"value": 3, **quantity}
    assert component(part, "82155-3")["valueQuantity"] == {"value": 2.75, **quantity}


def test_alternate_allele_is_told_of_inserted_bases_only() -> None:
    assert component(one(INS, alt="ACGT"), "69551-0")["valueString"] == "ACGT"
    assert component(one(INS), "69551-0") == {}
    assert component(one(DEL, ref="ACGT", alt="A"), "69551-0") == {}


def test_source_class_is_told_where_it_has_a_code() -> None:
    told = [display(one(about=facts(source_class)), "48002-0") for source_class in SourceClass]

    assert told == [None, "germline", "somatic", None]


def test_a_part_holds_the_observation() -> None:
    answer = parameters([found_parameter("variants", "rangeItem", "r", [variant_part(one())], present=True)])

    assert json.loads(answer)["parameter"][0]["part"][2] == {"name": "variant", "resource": one()}
