"""Every way to write a variant in an Observation becomes the same call, and ways that differ are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.operations.context import Genome
from app.records import SourceClass
from app.store.session import Database
from app.variants.transcripts import InMemoryTranscripts
from tests.fhir_files import (
    CHARACTER,
    GERMLINE,
    HEMI,
    HET,
    HETEROPLASMIC,
    HOM,
    HOMOPLASMIC,
    INTERVAL,
    ONE_BASED,
    SOMATIC,
    Resource,
    coded,
    coding,
    genomic,
    quantity,
    record,
    source_class,
    spdi,
    state,
    store_fhir,
    text,
    variant,
)
from tests.small_store import NO_GENOME, SmallStore, component, migrated
from tests.synthetic_transcripts import alignment, transcript
from tests.two_builds import B37, B38, Block, bases, genome

SEQUENCE = "ACGTCAGGGTTTACCA" + bases(3, 2000)
GENOME = genome([Block(0, 100, 2000)], {B37: [(0, SEQUENCE)], B38: [(100, SEQUENCE)]})
CHR1, OLD1 = "NC_000001.11", "NC_000001.10"
# Base 104 (counted from 0) of GRCh38 is C; 106 to 108 are GGG.
SNV = f"{CHR1}:104:C:T"
INSERTION, DELETION = f"{CHR1}:106:GGG:GGGG", f"{CHR1}:106:GGG:GG"


@pytest.fixture
def store(tmp_path: Path, database: Database) -> SmallStore:
    return SmallStore(database, tmp_path, GENOME)


def only(store: SmallStore, subject: str = "P1") -> list[str]:
    """Return the SPDI on its own build of each call of a subject."""
    items = store.in_ranges(
        subject, f"{CHR1}:0-5000", "NC_000002.12:0-9000", "NC_000023.11:0-9000", "NC_012920.1:0-9000"
    )
    return [code for item in items for code in item.spdis]


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        pytest.param([spdi(SNV)], SNV, id="spdi"),
        pytest.param([spdi(f"{CHR1}:104:1:T")], SNV, id="spdi with a length"),
        pytest.param([spdi(f"{OLD1}:4:C:T", SNV)], f"{OLD1}:4:C:T", id="spdi on both builds"),
        pytest.param([spdi(f"{OLD1}:4:C:T", SNV), coded("48013-7", CHR1)], SNV, id="spdi on the stated sequence"),
        pytest.param([genomic(f"{CHR1}:g.105C>T")], SNV, id="genomic substitution"),
        pytest.param([coded("81252-9", f"{CHR1}:g.105C>T", system="http://varnomen.hgvs.org")], SNV, id="hgvs as code"),
        pytest.param([genomic(f"{CHR1}:g.107dup")], INSERTION, id="genomic duplication"),
        pytest.param([genomic(f"{OLD1}:g.7dup")], f"{OLD1}:6:GGG:GGGG", id="genomic duplication on GRCh37"),
        pytest.param([spdi(f"{OLD1}:4:1:T")], f"{OLD1}:4:C:T", id="spdi with a length on GRCh37"),
        pytest.param([genomic(f"{CHR1}:g.109del")], DELETION, id="genomic deletion"),
        pytest.param(record(CHR1, 104, "C", "T"), SNV, id="interval"),
        pytest.param(record(CHR1, 104, "C", "T", high=105), SNV, id="interval with its end"),
        pytest.param(record(CHR1, 104, "C", "T", high=104, system=CHARACTER), SNV, id="character from 0"),
        pytest.param(record(CHR1, 105, "C", "T", high=105, system=ONE_BASED), SNV, id="character from 1"),
        pytest.param(record(CHR1, 105, "A", "AG"), INSERTION, id="insertion with its anchor"),
        pytest.param(record(CHR1, 105, "AG", "A", high=107), DELETION, id="deletion with its anchor"),
        pytest.param(record(CHR1, 109, "-", "G", high=109), INSERTION, id="insertion without an anchor"),
        pytest.param(record(CHR1, 108, "G", "-"), DELETION, id="deletion to nothing"),
        pytest.param([spdi(f"{CHR1}:109::G")], INSERTION, id="spdi of an insertion at the right end"),
        pytest.param(
            [*record(CHR1, 105, "A", "AG"), spdi(INSERTION), genomic(f"{CHR1}:g.109dup")], INSERTION, id="three"
        ),
        pytest.param(
            [*record(CHR1, 104, "c", "t"), coded("62374-4", "LA26806-2")], SNV, id="small letters and assembly"
        ),
        pytest.param([*record(OLD1, 4, "C", "T"), spdi(SNV)], f"{OLD1}:4:C:T", id="record and spdi on two builds"),
        pytest.param([spdi(SNV), *record(CHR1, 7, "C", "T", system=None)], SNV, id="place that is not read"),
    ],
)
def test_each_way_to_write_a_variant_is_the_same_call(
    store: SmallStore, components: list[Resource], expected: str
) -> None:
    report = store_fhir(store, variant(*components))
    assert report.refused.named == {}
    assert only(store) == [expected]
    [item] = store.specific("P1", expected)
    assert item.present


@pytest.mark.parametrize(
    ("components", "reason", "named"),
    [
        ([*record(CHR1, 104, "C", "T"), spdi(f"{CHR1}:104:C:A")], "contradiction", ("REF and ALT", "SPDI")),
        ([*record(CHR1, 105, "A", "AG"), spdi(DELETION)], "contradiction", ("REF and ALT", "SPDI")),
        ([spdi(SNV), genomic(f"{CHR1}:g.106A>T")], "contradiction", ("SPDI", "genomic HGVS")),
        ([spdi(SNV), genomic(f"{CHR1}:g.107dup")], "contradiction", ("SPDI", "genomic HGVS")),
        ([spdi(SNV), spdi(f"{CHR1}:104:C:G")], "contradiction", ("component[0]", "component[1]")),
        ([spdi(SNV), coded("62374-4", "LA14029-5")], "contradiction", ("GRCh37", CHR1)),
        ([genomic(f"{CHR1}:g.107dup"), coded("62374-4", "LA14029-5")], "contradiction", ("GRCh37", CHR1)),
        ([spdi(SNV), coded("48013-7", "NC_000002.12")], "contradiction", ("NC_000002.12", "SPDI")),
        (record(CHR1, 104, "C", "T", high=107), "contradiction", ("81254-5 spans 3", "REF (69547-8) has 1")),
        ([spdi(SNV), state(HET), state(HOM)], "contradiction", ("component[1]", "component[2]", "53034-5")),
        (record(CHR1, 104, "C", "T", system=None), "no-coordinates", ("92822-6",)),
        (record(CHR1, 104, "C", "T", system="LA1"), "no-coordinates", ("LA1",)),
        (record(CHR1, 0, "C", "T", system=ONE_BASED), "unreadable", ("before the first base",)),
        (record(CHR1, 104, "C", "<DEL>"), "letters", ("ALT <DEL>",)),
        ([text("69547-8", "C"), text("69551-0", "T"), record(CHR1, 104, "C", "T")[3]], "no-sequence", ("48013-7",)),
        (record("NG_007726.3", 104, "C", "T"), "no-sequence", ("NG_007726.3",)),
        (record(CHR1, 400_000_000, "C", "T"), "unreadable", ("beyond the end",)),
        ([spdi(f"{CHR1}:104:A:T")], "ref-mismatch", ()),
        ([genomic(f"{CHR1}:g.105A>T")], "ref-mismatch", ()),
        ([genomic(f"{CHR1}:g.whatever")], "unreadable", ("genomic HGVS",)),
        ([spdi("NC_000001.9:104:C:T")], "no-sequence", ("NC_000001.9",)),
        ([coded("81252-9", "rs12345", system="http://www.ncbi.nlm.nih.gov/projects/SNP")], "other-names", ("rs12345",)),
        ([coded("81291-7", "t(9;22)(q34;q11)", system="https://iscn.karger.com")], "other-names", ("t(9;22)",)),
        ([coded("48005-3", "NP_1.1:p.V1A", system="http://varnomen.hgvs.org")], "other-names", ("NP_1.1",)),
        ([state(HET)], "no-change", ("no SPDI",)),
        ([coding("NM_999999.1:c.1A>T")], "unreadable", ("coding HGVS",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_decided_is_refused_with_its_reason_and_the_rest_is_stored(
    store: SmallStore, components: list[Resource], reason: str, named: tuple[str, ...]
) -> None:
    bad, good = variant(*components, id_="bad"), variant(spdi(f"{CHR1}:110:T:A"), id_="good")
    report = store_fhir(
        store, {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": bad}, {"resource": good}]}
    )
    assert dict(report.refused.counts) == {reason: 1}
    [(label, detail)] = report.refused.named[reason]
    assert label.startswith("entry[0]")
    assert all(part in detail for part in named), detail
    assert report.calls == 1
    [code] = only(store)
    assert code.startswith(f"{CHR1}:1")


@pytest.fixture
def with_transcript(tmp_path: Path, database: Database) -> SmallStore:
    """A store whose genome has one transcript: its first coding base is base 101 of GRCh38."""
    known = transcript("NM_000001.1", alignment(B37, [(0, 400)]), alignment(B38, [(100, 500)]), cds=(1, 400))
    return SmallStore(database, tmp_path, Genome(GENOME.references, GENOME.liftover, InMemoryTranscripts([known])))


@pytest.mark.parametrize(
    "components",
    [
        [coding("NM_000001.1:c.4C>T")],
        [coding("c.4C>T"), coded("51958-7", "NM_000001.1")],
        [spdi(SNV), coding("NM_000001.1:c.4C>T")],
        [coding("NM_000001.1:c.4C>T"), coded("62374-4", "LA26806-2")],
    ],
)
def test_transcript_notation_is_placed_by_the_transcript(
    with_transcript: SmallStore, components: list[Resource]
) -> None:
    report = store_fhir(with_transcript, variant(*components))
    assert report.refused.named == {}
    assert only(with_transcript) == [SNV]


def test_transcript_notation_is_stored_on_the_assembly_that_is_stated(with_transcript: SmallStore) -> None:
    store_fhir(with_transcript, variant(coding("NM_000001.1:c.4C>T"), coded("62374-4", "LA14029-5")))
    assert only(with_transcript) == [f"{OLD1}:4:C:T"]


def test_transcript_notation_that_says_something_else_is_named(with_transcript: SmallStore) -> None:
    report = store_fhir(with_transcript, variant(spdi(SNV), coding("NM_000001.1:c.5A>T")))
    [(_, detail)] = report.refused.named["contradiction"]
    assert "SPDI (81252-9)" in detail
    assert "coding HGVS (48004-6) NM_000001.1:c.5A>T" in detail


def test_an_insertion_without_sequence_waits_for_it(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, NO_GENOME)
        report = store_fhir(store, variant(spdi(f"{CHR1}:104::T")))
        [(label, detail)] = report.refused.named["no-anchor"]
        assert "add the sequence" in detail
        assert label == "entry[0] Observation/v1"


def test_changes_that_only_sequence_could_compare_are_not_held_against_each_other(tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, NO_GENOME)
        report = store_fhir(store, variant(*record(CHR1, 105, "A", "AG"), spdi(f"{CHR1}:112::G")))
        assert report.calls == 1


def test_a_variant_that_is_the_reference_is_passed_over(store: SmallStore) -> None:
    report = store_fhir(store, variant(*record(CHR1, 104, "C", "C")))
    assert dict(report.skipped.counts) == {"same-as-reference": 1}
    assert not report.refused.counts


STATES = [
    (HET, "heterozygous"),
    (HOM, "homozygous"),
    (HEMI, "hemizygous"),
    (HETEROPLASMIC, "heteroplasmic"),
    (HOMOPLASMIC, "homoplasmic"),
    (None, None),
    ("LA1-1", None),
]


@pytest.mark.parametrize(("code", "expected"), STATES)
def test_zygosity_is_what_the_allelic_state_says_and_never_more(
    store: SmallStore, code: str | None, expected: str | None
) -> None:
    parts = [spdi(SNV), source_class(GERMLINE), *([state(code)] if code else [])]
    store_fhir(store, variant(*parts))
    [item] = store.specific("P1", SNV)
    [found] = item.variants
    shown = component(found, "53034-5")
    assert (shown["valueCodeableConcept"]["coding"][0]["display"] if shown else None) == expected


@pytest.mark.parametrize(
    ("code", "present"), [(GERMLINE, (True, False)), (SOMATIC, (False, True)), (None, (False, False))]
)
def test_source_class_decides_which_questions_find_a_call(
    store: SmallStore, code: str | None, present: tuple[bool, bool]
) -> None:
    store_fhir(store, variant(spdi(SNV), *([source_class(code)] if code else [])))
    found = tuple(
        store.specific("P1", SNV, source_class=asked)[0].present
        for asked in (SourceClass.GERMLINE, SourceClass.SOMATIC)
    )
    assert found == present


def test_frequency_and_depth_are_shown_again(store: SmallStore) -> None:
    store_fhir(store, variant(spdi(SNV), quantity("81258-6", 0.3125), quantity("82121-5", 12)))
    [item] = store.specific("P1", SNV)
    [found] = item.variants
    assert component(found, "81258-6")["valueQuantity"]["value"] == 0.3125
    assert component(found, "82121-5")["valueQuantity"]["value"] == 12


@pytest.mark.parametrize(
    ("part", "reason", "value"),
    [
        (quantity("81258-6", 25, "%"), None, 0.25),
        (quantity("81258-6", 25), "frequency", None),
        (quantity("82121-5", 1.5), "depth", None),
        (quantity("82121-5", -1), "depth", None),
    ],
)
def test_a_value_out_of_its_range_is_left_out_and_said(
    store: SmallStore, part: Resource, reason: str | None, value: float | None
) -> None:
    report = store_fhir(store, variant(spdi(SNV), part))
    assert dict(report.dropped.counts) == ({reason: 1} if reason else {})
    [item] = store.specific("P1", SNV)
    shown = component(item.variants[0], "81258-6")
    assert (shown["valueQuantity"]["value"] if shown else None) == value


def test_interval_counting_is_what_the_answers_use(store: SmallStore) -> None:
    store_fhir(store, variant(*record(CHR1, 105, "C", "T", system=ONE_BASED)))
    [item] = store.specific("P1", SNV)
    place: dict[str, Any] = component(item.variants[0], "81254-5")["valueRange"]
    assert place["low"]["value"] == 104
    assert component(item.variants[0], "92822-6")["valueCodeableConcept"]["coding"][0]["code"] == INTERVAL
