"""ClinVar's tables: aggregates and submissions, each with its variant on the builds that are known exactly."""

from __future__ import annotations

import io
import random
import tracemalloc

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.clinvar_tables import Places, read_submission_summary, read_variant_summary
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from app.records import Build
from app.variants.identify import GenomicChange
from tests.knowledge_files import read, stored, told, without
from tests.vcf_files import gzipped

MEDGEN = "https://www.ncbi.nlm.nih.gov/medgen"
SUMMARY, SUBMISSIONS = stored("variant_summary.txt"), stored("submission_summary.txt")
BOTH = (GenomicChange(Build.GRCH37, 1, 17380496, "G", "T"), GenomicChange(Build.GRCH38, 1, 17054001, "G", "T"))
SOMATIC = ("SomaticClinicalImpact", "Oncogenicity", "ContributesToAggregateClassification")


def places(data=SUMMARY):
    return Places(io.BytesIO(data), "v.txt", Rejects(), Settings())


def aggregates(data=SUMMARY):
    return read(lambda stream, rejects: read_variant_summary(stream, "v.txt", rejects, Settings()), data)


def submissions(data=SUBMISSIONS, at=None):
    at = at or places()
    return read(lambda stream, rejects: read_submission_summary(stream, "s.txt", at, rejects, Settings()), data)


def test_variation_becomes_an_item_with_both_builds():
    assert aggregates()[0][0] == KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        "900001",
        BOTH,
        identifiers=(("http://www.ncbi.nlm.nih.gov/clinvar", "900001"),),
        statement=Concept("http://loinc.org", "LA26334-5", "Likely benign"),
        evidence="criteria provided, single submitter",
        conditions=(Concept(MEDGEN, "C1708353", "Hereditary pheochromocytoma-paraganglioma"),),
        gene="SDHB",
    )


def test_conditions_of_one_submission_are_told_apart():
    item = aggregates()[0][1]
    assert item.statement == Concept("", "", "Pathogenic; risk factor")
    assert item.conditions == (
        Concept(MEDGEN, "C0027672", "Hereditary cancer-predisposing syndrome"),
        Concept(MEDGEN, "C0006142", "Malignant tumor of breast"),
        Concept(
            "http://purl.obolibrary.org/obo/mondo.owl",
            "MONDO:0012933",
            "Breast-ovarian cancer, familial, susceptibility to, 2",
        ),
    )
    assert item.gene == ""


def test_pseudoautosomal_variant_is_the_one_on_x():
    item = aggregates()[0][2]
    assert (item.row_id, item.changes) == ("900013", (GenomicChange(Build.GRCH38, 23, 624602, "A", "C"),))


def test_variation_without_conditions_and_gene_is_read():
    item = aggregates()[0][3]
    assert (item.row_id, item.conditions, item.gene) == ("900003", (), "")


def test_rows_that_cannot_be_used_are_noted():
    assert told(aggregates()[1]) == [
        (5, "PositionVCF", "no exact allele"),
        (6, "Assembly", "another assembly than GRCh37 and GRCh38: NCBI36"),
        (7, "ClinicalSignificance", "somatic classification only"),
        (8, "ClinicalSignificance", "no classification"),
        (11, "VariationID", "several changes on one build: 900014"),
    ]


def test_submission_becomes_an_item():
    first, second, third = submissions()[0]
    assert first == KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        "SCV900000001.3",
        BOTH,
        identifiers=(
            ("http://www.ncbi.nlm.nih.gov/clinvar", "900001"),
            ("http://www.ncbi.nlm.nih.gov/clinvar/scv", "SCV900000001.3"),
        ),
        statement=Concept("http://loinc.org", "LA26334-5", "Likely benign"),
        evidence="criteria provided, single submitter",
        conditions=(
            Concept(MEDGEN, "C1708353", "Hereditary pheochromocytoma-paraganglioma"),
            Concept(MEDGEN, "C0027672", "Hereditary cancer-predisposing syndrome"),
        ),
        gene="SDHB",
        note="Last evaluated Jun 29, 2024",
    )
    assert second.conditions == (Concept("", "", "not provided"),)
    assert (second.note, second.gene) == ("Does not contribute to ClinVar's aggregate classification", "")
    assert (third.statement, third.conditions) == (Concept("", "", "risk factor"), ())


def test_submissions_that_cannot_be_used_are_noted():
    assert told(submissions()[1]) == [
        (9, "VariationID", "no exact allele: 900009"),
        (10, "ClinicalSignificance", "somatic classification only"),
        (11, "ClinicalSignificance", "no classification"),
        (12, "VariationID", "several changes on one build: 900014"),
        (13, "SCV", "no submission accession: RCV000000001"),
        (14, "VariationID", "no variation id: VCV1"),
    ]


REPORTED = [
    ("na:Some; name: with marks", (Concept("", "", "Some; name: with marks"),)),
    (
        "C0000001:One;CN200002:Two;na:Three",
        (Concept(MEDGEN, "C0000001", "One"), Concept(MEDGEN, "CN200002", "Two"), Concept("", "", "Three")),
    ),
    ("-:One", (Concept("", "", "One"),)),
    ("na:", ()),
    ("no code at all", (Concept("", "", "no code at all"),)),
]


@pytest.mark.parametrize(("text", "expected"), REPORTED, ids=[text for text, _ in REPORTED])
def test_reported_conditions_are_read(text, expected):
    data = SUBMISSIONS.replace(b"na:not provided", text.encode())
    assert submissions(data)[0][1].conditions == expected


def test_layout_without_the_newer_columns_reads_alike():
    lines = SUBMISSIONS.splitlines(keepends=True)
    older = b"".join(lines[:4]) + without(b"".join(lines[4:]), *SOMATIC)
    assert [item.statement for item in submissions(older)[0]] == [item.statement for item in submissions()[0]]
    assert submissions(gzipped(older))[0][0] == submissions()[0][0]


def test_places_of_many_variations_are_found():
    generator = random.Random(7)
    header, row = SUMMARY.decode().splitlines()[:2]
    numbers = generator.sample(range(1, 5_000_000), 3000)
    rows = [
        row.replace("900001", str(number)).replace("17380497", str(number + 100)).replace("\tG\tT\t", f"\tG\t{alt}\t")
        for number in numbers
        for alt in ["G" + "A" * (number % 5 + 1)]
    ]
    at = places("\n".join([header, *rows]).encode())
    for number in numbers:
        expected = GenomicChange(Build.GRCH37, 1, number + 99, "G", "G" + "A" * (number % 5 + 1))
        assert at.of(number) == (expected,)
    assert [at.of(number) for number in (0, 5_000_001, 4_294_967_295)] == [(), (), ()]


def test_places_take_a_few_bytes_for_each_row():
    header, row = SUMMARY.decode().splitlines()[:2]
    data = "\n".join([header, *(row.replace("900001", str(number)) for number in range(20_000))]).encode()
    tracemalloc.start()
    try:
        at = places(data)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert at.of(19_999)
    assert held < 20_000 * 60


def test_nothing_is_known_of_an_empty_table():
    at = places(SUMMARY[: SUMMARY.index(b"\n") + 1])
    assert at.of(1) == ()


@pytest.mark.parametrize("column", ["VariationID", "PositionVCF", "Assembly", "PhenotypeIDS"])
def test_summary_without_a_column_is_refused(column):
    with pytest.raises(BadFile, match=f"v.txt, line 1, {column.lower()}: the column is missing. The header needs"):
        aggregates(without(SUMMARY, column))


def test_submissions_without_a_column_are_refused():
    with pytest.raises(BadFile, match=r"s.txt, line 5, scv: the column is missing"):
        submissions(SUBMISSIONS.replace(b"\tSCV\t", b"\tSVC\t"))


def test_submissions_without_the_names_of_their_columns_are_refused():
    with pytest.raises(BadFile, match=r"s.txt, line 5: there is no line with the names .* #variationid"):
        submissions(b"".join(SUBMISSIONS.splitlines(keepends=True)[:4] + SUBMISSIONS.splitlines(keepends=True)[5:]))


@pytest.mark.parametrize("number", ["4294967296", "-1", ""])
def test_number_that_is_no_variation_is_noted(number):
    header, row = SUMMARY.decode().splitlines()[:2]
    _, rejects = aggregates("\n".join([header, row.replace("900001", number)]).encode())
    assert told(rejects) == [(2, "VariationID", f"no variation id: {number}" if number else "no variation id")]
