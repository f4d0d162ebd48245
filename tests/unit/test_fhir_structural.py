"""Structural Observations: what is read of each, what is refused and why, and that an export brings everything back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile
from app.fhir.validate import problems
from app.records import Sex
from app.store import runs, structural_sites
from app.store.session import Database
from app.store.structural_sites import StructuralSite
from app.store.subjects import Subject
from app.variants.extent import Extent
from ingest import fhir_rows
from tests.fhir_files import (
    HEMI,
    HET,
    HOM,
    ONE_BASED,
    Resource,
    bundle,
    coded,
    content,
    exported,
    phase,
    quantity,
    record,
    source_class,
    spdi,
    state,
    store_fhir,
    text,
    variant,
)
from tests.profile_validator import Validate
from tests.small_store import NO_GENOME, SmallStore, component, migrated
from tests.store_dump import counts
from tests.vcf_files import vcf

CHR1 = "NC_000001.11"
THREE = (CHR1, "NC_000003.12", "NC_000005.10")
SO = "http://www.sequenceontology.org"
DEL, DUP, TANDEM, INV, INS, MOBILE, CNV, GAIN, BND = (
    "SO:0000159", "SO:1000035", "SO:1000173", "SO:1000036", "SO:0000667", "SO:0001837", "SO:0001019", "SO:0001742",
    "SO:0001021",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, database: Database) -> SmallStore:
    return SmallStore(database, tmp_path, NO_GENOME)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SmallStore]:
    (tmp_path / "second").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'second.db'}") as database:
        yield SmallStore(database, tmp_path / "second", NO_GENOME)


def span(code: str, low: int, high: int | None) -> Resource:
    place: Resource = {"low": {"value": low}}
    if high is not None:
        place["high"] = {"value": high}
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueRange": place}


def structural(
    *components: Resource,
    kind: str | None = DEL,
    outer: tuple[int, int | None] | None = (100, 200),
    inner: tuple[int, int] | None = None,
    system: str | None = "LA30100-4",
    ref_seq: str | None = CHR1,
    **more: Any,
) -> Resource:
    """Return a structural Observation of P1."""
    parts = [*components]
    if kind is not None:
        parts.append(coded("48019-4", kind, system=SO))
    if ref_seq is not None:
        parts.append(coded("48013-7", ref_seq, system="http://www.ncbi.nlm.nih.gov/refseq"))
    if system is not None:
        parts.append(coded("92822-6", system))
    for code, interval in (("81301-4", outer), ("81302-2", inner)):
        if interval is not None:
            parts.append(span(code, *interval))
    return variant(*parts, **more)


def sites(store: SmallStore) -> list[StructuralSite]:
    with store.database.read() as session:
        ids = [row[0] for row in session.run("select id from structural_site order by id")]
        found = structural_sites.fetch(session, ids)
    return [found[id_] for id_ in ids]


def ingested(store: SmallStore, resource: Resource) -> StructuralSite:
    report = store_fhir(store, bundle(resource))
    assert report.refused.named == {}
    assert (report.calls, report.structural) == (1, 1)
    [site] = sites(store)
    return site


# --- what is read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "alt"),
    [
        (DEL, "DEL", "<DEL>"),
        (DUP, "DUP", "<DUP>"),
        (TANDEM, "DUP", "<DUP:TANDEM>"),
        (INV, "INV", "<INV>"),
        (INS, "INS", "<INS>"),
        (MOBILE, "INS", "<INS:ME>"),
        (CNV, "CNV", "<CNV>"),
        (GAIN, "CNV", "<CNV>"),
        (BND, "BND", "<BND>"),
    ],
)
def test_each_type_of_change_is_a_kind(store: SmallStore, code: str, kind: str, alt: str) -> None:
    site = ingested(store, structural(kind=code))
    assert (site.kind.name, site.ref, site.alt, site.length, site.imprecise) == (kind, "N", alt, -1, False)


EXACT = Extent(100, 200, 100, 200, 100, 200)


@pytest.mark.parametrize(
    ("resource", "extent"),
    [
        (structural(inner=(100, 200)), EXACT),
        (structural(outer=(101, 200), inner=(101, 200), system=ONE_BASED), EXACT),
        (structural(outer=(100, 199), inner=(100, 199), system="LA30101-2"), EXACT),
        (structural(inner=(120, 180)), Extent(120, 180, 100, 200, 120, 180)),
        (structural(inner=(150, 150)), Extent(100, 200, 100, 200)),
        (structural(), Extent(100, 200, 100, 200)),
        (structural(span("81254-5", 110, 190), inner=(120, 180)), Extent(110, 190, 100, 200, 120, 180)),
        (structural(kind=INS, outer=(100, 100), inner=(100, 100)), Extent(100, 100, 100, 100)),
        (structural(kind=INS), Extent(100, 100, 100, 200)),
        (structural(kind=INS, inner=(150, 150)), Extent(150, 150, 100, 200)),
        (structural(kind=INS, inner=(120, 180)), Extent(100, 100, 100, 200)),
        (structural(kind=BND, outer=(100, 101), inner=(100, 101)), Extent(100, 101, 100, 101, 100, 101)),
        (structural(kind=BND), Extent(100, 101, 100, 200)),
        (structural(kind=BND, inner=(150, 151)), Extent(150, 151, 100, 200, 150, 151)),
        (structural(kind=BND, inner=(120, 180)), Extent(100, 101, 100, 200)),
    ],
)
def test_the_intervals_are_those_that_are_stated(store: SmallStore, resource: Resource, extent: Extent) -> None:
    assert ingested(store, resource).native == extent


def test_an_event_is_found_as_far_as_it_may_reach_and_holds_what_it_certainly_does(store: SmallStore) -> None:
    ingested(store, structural(inner=(120, 180)))

    def found(relation: str, place: str) -> bool:
        [(_, numerator, _, _)] = store.structural_population(relation, f"{CHR1}:{place}")
        present = store.structural(relation, "P1", f"{CHR1}:{place}")[0].present
        assert present == bool(numerator)
        return present

    assert [found("intersecting", place) for place in ("99-100", "100-101", "199-200", "200-201")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [found("subsuming", place) for place in ("119-130", "120-180", "170-181")] == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "alleles", "stored", "length"),
    [
        (INS, ("A", "ACGTACGT"), ("A", "ACGTACGT"), 7),
        (INS, ("-", "CGT"), ("N", "NCGT"), 3),
        (INS, ("A", "<INS:ME:ALU>"), ("A", "<INS:ME:ALU>"), -1),
        (DEL, ("g", "."), ("G", "<DEL>"), -1),
        (BND, ("A", "A[chr1:5000["), ("A", "A[chr1:5000["), -1),
        (DEL, ("A", "<CN0>"), ("A", "<CN0>"), -1),
    ],
)
def test_alleles_are_those_that_are_stated(
    store: SmallStore, kind: str, alleles: tuple[str, str], stored: tuple[str, str], length: int
) -> None:
    site = ingested(store, structural(text("69547-8", alleles[0]), text("69551-0", alleles[1]), kind=kind))
    assert ((site.ref, site.alt), site.length) == (stored, length)


def shown(store: SmallStore) -> Resource:
    [item] = store.structural("intersecting", "P1", f"{CHR1}:0-1000")
    [one] = item.variants
    return one


@pytest.mark.parametrize(("code", "expected"), [(HET, HET), (HOM, HOM), (HEMI, HEMI)])
def test_the_allelic_state_is_the_zygosity(store: SmallStore, code: str, expected: str) -> None:
    ingested(store, structural(state(code), source_class()))
    assert component(shown(store), "53034-5")["valueCodeableConcept"]["coding"][0]["code"] == expected


def test_nothing_is_inferred_of_a_call_that_states_nothing(store: SmallStore) -> None:
    ingested(store, structural(source_class()))
    codes = {part["code"]["coding"][0]["code"] for part in shown(store)["component"]}
    assert codes == {"48019-4", "48002-0", "48013-7", "69547-8", "92822-6", "81301-4", "62374-4"}


@pytest.mark.parametrize(("number", "expected"), [(3, 3), (1.5, 1.5), (0, 0), (2.0, 2)])
def test_the_number_of_copies_is_kept(store: SmallStore, number: float, expected: float) -> None:
    ingested(store, structural(quantity("82155-3", number), kind=DUP))
    assert component(shown(store), "82155-3")["valueQuantity"]["value"] == expected


def test_a_number_of_copies_that_is_none_is_left_out(store: SmallStore) -> None:
    report = store_fhir(store, bundle(structural(quantity("82155-3", -1), kind=DUP)))
    assert dict(report.dropped.counts) == {"copies": 1}
    assert report.structural == 1
    assert "82155-3" not in json.dumps(shown(store))


def test_the_build_is_that_of_the_sequence(store: SmallStore) -> None:
    site = ingested(store, structural(ref_seq="NC_000001.10"))
    assert site.build.value == "GRCh37"


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "reason", "words"),
    [
        (structural(kind=None), "structural-type", "48019-4"),
        (structural(kind="SO:0001483"), "structural-type", "SO:0001483"),
        (structural(coded("48019-4", INV, system=SO), kind=None, ref_seq=None), "no-sequence", "48013-7"),
        (structural(ref_seq="NM_000059.4"), "no-sequence", "NM_000059.4"),
        (structural(outer=None, inner=(120, 180)), "no-extent", "81301-4"),
        (structural(outer=(100, None)), "no-extent", "81301-4 has no end"),
        (structural(system=None), "no-coordinates", "92822-6"),
        (structural(system="LA30103-8"), "no-coordinates", "LA30103-8"),
        (structural(outer=(200, 100)), "unreadable", "ends before"),
        (structural(outer=(100, 100)), "unreadable", "no base"),
        (structural(outer=(0, 100), system=ONE_BASED), "unreadable", "81301-4"),
        (structural(outer=(100, 250_000_000)), "unreadable", "beyond the last base"),
        (structural(inner=(99, 180)), "contradiction", "not within"),
        (structural(span("81254-5", 130, 190), inner=(120, 180)), "contradiction", "between the outer and the inner"),
        (structural(coded("62374-4", "LA14029-5")), "contradiction", "GRCh37"),
        (structural(span("81301-4", 1, 9)), "contradiction", "differ"),
        (structural(coded("48019-4", DEL, INV, system=SO), kind=None), "contradiction", "several kinds"),
        (structural(text("69551-0", "<DUP>")), "contradiction", "DEL"),
        (structural(text("69547-8", "A"), text("69551-0", "ACG")), "contradiction", "DEL"),
        (structural(text("69547-8", "A"), text("69551-0", "A C")), "letters", "ALT"),
        (structural(text("69547-8", "A*")), "letters", "REF"),
    ],
)
def test_what_lacks_a_needed_element_or_contradicts_itself_is_refused(
    store: SmallStore, resource: Resource, reason: str, words: str
) -> None:
    report = store_fhir(store, bundle(resource, variant(spdi(f"{CHR1}:104:C:T"), id_="v2")))
    assert dict(report.refused.counts) == {reason: 1}
    assert words in report.refused.named[reason][0][1]
    assert (report.calls, report.structural) == (1, 0)
    assert sites(store) == []


def test_phase_relations_do_not_reach_structural_variants(store: SmallStore) -> None:
    simple = variant(spdi(f"{CHR1}:104:C:T"), state(HET), id_="v2")
    relation = phase("Observation/v1", "Observation/v2")
    report = store_fhir(store, bundle(structural(state(HET)), simple, relation))
    assert dict(report.refused.counts) == {"phase-target": 1}
    assert (report.calls, report.structural) == (2, 1)


# --- long simple variants -----------------------------------------------------------------------------------------

BASES = "ACGT" * 13
LONG_DEL = record(CHR1, 100, f"A{BASES}", "A")
LONG_INS = record(CHR1, 100, "A", f"A{BASES}")


@pytest.mark.parametrize(
    ("parts", "extent", "length"),
    [
        (LONG_DEL, Extent(100, 153, 100, 153, 100, 153), -1),
        (LONG_INS, Extent(101, 101, 101, 101), 52),
    ],
)
def test_a_long_simple_variant_is_structural_too_as_one_of_a_vcf(
    store: SmallStore, second: SmallStore, parts: list[Resource], extent: Extent, length: int
) -> None:
    report = store_fhir(store, bundle(variant(*parts, state(HET)), id="T1"))
    assert (report.calls, report.structural) == (1, 1)
    [site] = sites(store)
    assert (site.native, site.length) == (extent, length)
    ref, alt = (part["valueString"] for part in parts[1:3])
    second.ingest(vcf(f"chr1 101 . {ref} {alt} 50 PASS . GT 0/1"), "P1", test="T1")
    assert sites(second) == [site]
    asked = [f"{CHR1}:{at}-{at + 1}" for at in range(98, 156)]
    for relation in ("intersecting", "subsuming"):
        answers = [[item.present for item in one.structural(relation, "P1", *asked)] for one in (store, second)]
        assert answers[0] == answers[1]


def test_one_that_is_too_short_is_simple_alone(store: SmallStore) -> None:
    report = store_fhir(store, bundle(variant(*record(CHR1, 100, f"A{BASES[:49]}", "A"))))
    assert (report.calls, report.structural) == (1, 0)


def test_a_long_variant_whose_structural_form_stands_beside_it_is_one(store: SmallStore, second: SmallStore) -> None:
    alleles = [text("69547-8", f"A{BASES}"), text("69551-0", "A")]
    beside = structural(*alleles, state(HET), outer=(100, 153), inner=(100, 153), id_="v2")
    report = store_fhir(store, bundle(variant(*LONG_DEL, state(HET)), beside))
    assert (report.calls, report.structural) == (1, 1)
    written = exported(store, "P1")
    assert (store_fhir(second, written).calls, exported(second, "P1")) == (1, written)
    assert content(store.database) == content(second.database)


def test_phase_relations_phase_the_structural_form_too(store: SmallStore, second: SmallStore) -> None:
    other = variant(spdi(f"{CHR1}:304:C:T"), state(HET), id_="v2")
    relation = phase("Observation/v1", "Observation/v2", "Trans")
    report = store_fhir(store, bundle(variant(*LONG_DEL, state(HET)), other, relation))
    assert (report.phased, report.structural) == (2, 1)
    written = exported(store, "P1")
    structure = [entry["resource"] for entry in json.loads(written)["entry"] if "81301-4" in json.dumps(entry)]
    assert [one["extension"][0]["extension"][0]["valueString"] for one in structure] == ["0|1"]
    store_fhir(second, written)
    assert exported(second, "P1") == written


# --- as often as it comes -----------------------------------------------------------------------------------------


def test_the_same_file_adds_nothing_and_another_one_replaces_it(store: SmallStore) -> None:
    first = bundle(structural(state(HET)), structural(kind=DUP, id_="v2"), id="test")
    store_fhir(store, first)
    before = content(store.database)
    again = store_fhir(store, first)
    assert again.is_repeated
    assert again.structural == 2
    assert content(store.database) == before
    store_fhir(store, bundle(structural(kind=INV), id="test"), replace=True)
    assert [one["component"][0]["valueCodeableConcept"]["coding"][0]["code"] for one in [shown(store)]] == [INV]
    assert counts(store.database)["structural_chunk"] == 1


def test_an_interrupted_run_goes_on_after_the_blocks_that_are_stored(
    store: SmallStore, second: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bundle(*(structural(ref_seq=name, id_=f"v{n}") for n, name in enumerate(THREE)), id="b")
    checkpoint, calls = runs.checkpoint, []

    def interrupted(*args: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        checkpoint(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(runs, "checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store_fhir(store, data)
    assert counts(store.database)["structural_chunk"] == 1
    report = store_fhir(store, data)
    assert (report.calls, report.structural) == (3, 3)
    store_fhir(second, data)
    assert content(store.database) == content(second.database)


# --- out and in again ---------------------------------------------------------------------------------------------

LONG = "ACGT" * 20
RECORDS = [
    "chr1 101 . A G 50 PASS . GT:PS 0|1:55",
    "chr1 201 . N <DEL> 50 PASS SVTYPE=DEL;END=400;CIPOS=-10,20;CIEND=-30,40;IMPRECISE GT:CN 0/1:1",
    "chr1 201 . N <DEL> 50 q10;low SVTYPE=DEL;END=400;CIPOS=-10,20;CIEND=-30,40 GT 1/1",
    "chr1 501 . N <DEL> 50 PASS SVTYPE=DEL;END=520;CIPOS=-15,15;CIEND=-15,15 GT 0/1",
    "chr1 601 . N <DUP:TANDEM>,<DEL> 50 PASS SVTYPE=DUP;END=800 GT:CN 1/2:3",
    "chr1 901 . N <INV> 50 PASS SVTYPE=INV;END=990;CN=2.5 GT 0|1",
    f"chr1 1001 . A A{LONG} 50 PASS SVTYPE=INS GT 0/1",
    "chr1 1101 . A <INS:ME:ALU> 50 PASS SVTYPE=INS;SVLEN=300;CIPOS=-10,20 GT 0/1",
    "chr1 1201 . N <CN0> 50 PASS SVTYPE=DEL;END=1300 GT:CN ./.:1",
    "chr1 1401 . N <CNV> 50 PASS SVTYPE=CNV;END=1500 GT:CN ./1:4",
    "chr1 1601 b1 A A[chr1:5000[ 50 . SVTYPE=BND;MATEID=b2;EVENT=e1;CIPOS=-5,5 GT 0/1",
    f"chr1 1701 . A A{LONG} 50 PASS . GT 0/1",
    f"chr1 1801 . A{LONG} A 50 PASS . GT 1/1",
    f"chr1 2001 . GC{LONG} GT 50 PASS SVTYPE=DEL GT 0/1",
    "chrX 20000001 . N <DEL> 50 PASS SVTYPE=DEL;END=20000100 GT 1/1",
    "chrX 1 . N <DUP> 50 PASS SVTYPE=DUP;END=5000000 GT 1/1",
    "chrM 401 . A <DEL> 50 PASS SVTYPE=DEL;END=500 GT 0/1",
]
"""Each kind; two equal sites, one interval without an inner one, copies alone, long alleles that are simple too"""


@pytest.fixture
def filled(store: SmallStore) -> SmallStore:
    person = Subject("P1", Sex.MALE)
    store.ingest(vcf(*RECORDS), person, test="T1", keep_filtered=True, test_date="2024-02-03", specimen="SP 1")
    store.ingest(vcf(*RECORDS[4:8]), person, test="T2")
    return store


def test_what_is_exported_comes_back_byte_by_byte(filled: SmallStore, second: SmallStore) -> None:
    written = exported(filled, "P1")
    report = store_fhir(second, written)
    assert report.refused.named == {}
    assert exported(second, "P1") == written
    found = content(filled.database)
    assert found == content(second.database)
    assert len(found["structural sites"]) > len(RECORDS) - 3


def test_a_chromosome_stands_together_so_that_a_large_export_can_be_ingested(
    filled: SmallStore, second: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_rows, "_FEW", 1)
    written = exported(filled, "P1")
    assert store_fhir(second, written).refused.named == {}
    assert exported(second, "P1") == written
    assert content(filled.database) == content(second.database)


def test_the_structural_operations_answer_alike(filled: SmallStore, second: SmallStore) -> None:
    store_fhir(second, exported(filled, "P1"))
    asked = [f"{CHR1}:{at}-{at + width}" for at in range(180, 2100, 35) for width in (1, 60)]
    asked += ["NC_000023.11:20000010-20000011", "NC_012920.1:420-421"]
    hits = 0
    for relation in ("intersecting", "subsuming"):
        ours, theirs = (one.structural(relation, "P1", *asked) for one in (filled, second))
        assert ours == theirs
        assert filled.structural_population(relation, *asked) == second.structural_population(relation, *asked)
        hits += sum(item.present for item in ours)
    assert hits > 40


def test_structural_observations_are_valid_and_keep_to_the_profile(
    filled: SmallStore, against_profiles: Validate
) -> None:
    written = json.loads(exported(filled, "P1"))
    assert problems(written) == []
    found = [entry["resource"] for entry in written["entry"] if "81301-4" in json.dumps(entry)]
    assert len(found) > len(RECORDS)
    for resource in found:
        assert against_profiles(resource) == [], resource["id"]
    assert {f"Observation/{one['id']}" for one in found} <= {
        result["reference"]
        for entry in written["entry"]
        for result in entry["resource"].get("result", ())
    }  # fmt: skip


def changed(filled: SmallStore, name: str, value: Any) -> Resource:
    """Return an export whose first structural Observation has another value in its extension."""
    written: Resource = json.loads(exported(filled, "P1"))
    entry = next(entry for entry in written["entry"] if "urn:operon:fhir:structural" in json.dumps(entry))
    parts = entry["resource"]["extension"][0]["extension"]
    kept = [part for part in parts if part["url"] != name]
    kind = {bool: "valueBoolean", int: "valueInteger", str: "valueString"}[type(value)]
    entry["resource"]["extension"][0]["extension"] = [*kept, {"url": name, kind: value}]
    return written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", -1),
        ("end", 7),
        ("imprecise", "yes"),
        ("alt", "A C"),
        ("id", "x" * 201),
        ("genotype", "0/0"),
        ("length", True),
    ],
)
def test_an_extension_that_is_damaged_refuses_the_file(
    filled: SmallStore, second: SmallStore, name: str, value: Any
) -> None:
    with pytest.raises(BadFile, match="extension"):
        store_fhir(second, changed(filled, name, value))


@pytest.mark.parametrize(("name", "value"), [("start", 150), ("end", 1000), ("alt", "<INV>"), ("genotype", "1/1")])
def test_an_extension_that_contradicts_the_components_refuses_the_observation(
    filled: SmallStore, second: SmallStore, name: str, value: Any
) -> None:
    report = store_fhir(second, changed(filled, name, value))
    assert dict(report.refused.counts) == {"contradiction": 1}
