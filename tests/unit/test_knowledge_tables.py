"""Operon's own tables of knowledge: every row is an item, a counted reject, or the file is refused."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rule
from app.formats.knowledge_tables import read_table
from app.records import Build
from app.variants.identify import GenomicChange
from tests.knowledge_files import changed, read, stored, table, told, without
from tests.vcf_files import gzipped

MEDGEN = "https://www.ncbi.nlm.nih.gov/medgen"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SO = "http://sequenceontology.org"
DIAGNOSTIC, THERAPEUTIC, CONSEQUENCE = (stored(f"{kind}.tsv") for kind in ("diagnostic", "therapeutic", "consequence"))


def items_of(kind, data, settings=None):
    return read(lambda stream, rejects: read_table(kind, stream, "x.tsv", rejects, settings or Settings()), data)


def rejected(kind, data):
    return told(items_of(kind, data)[1])


def test_diagnostic_row_becomes_an_item():
    items, rejects = items_of(ItemKind.DIAGNOSTIC, DIAGNOSTIC)
    assert (len(items), rejects.total) == (4, 0)
    assert items[0] == KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        "dx-1",
        (
            GenomicChange(Build.GRCH37, 17, 41246373, "G", "A"),
            GenomicChange(Build.GRCH38, 17, 43094356, "G", "A"),
        ),
        identifiers=(
            ("http://www.ncbi.nlm.nih.gov/clinvar", "9001"),
            ("http://www.ncbi.nlm.nih.gov/clinvar/scv", "SCV900000001.2"),
        ),
        statement=Concept("http://loinc.org", "LA6668-3", "Pathogenic"),
        evidence="reviewed by expert panel",
        conditions=(
            Concept(MEDGEN, "C0000001", "First invented condition"),
            Concept(MEDGEN, "C0000002", "Second invented condition"),
        ),
    )


def test_significance_without_a_code_stays_text():
    assert items_of(ItemKind.DIAGNOSTIC, DIAGNOSTIC)[0][1].statement == Concept("", "", "risk factor")


def test_variant_of_one_build_has_one_change():
    assert items_of(ItemKind.DIAGNOSTIC, DIAGNOSTIC)[0][1].changes == (
        GenomicChange(Build.GRCH38, 13, 32338161, "T", ""),
    )


def test_rules_are_read():
    _, _, region, protein = items_of(ItemKind.DIAGNOSTIC, DIAGNOSTIC)[0]
    places = ((37, 22, 18912230, 21465672), (38, 22, 18924717, 21111383))
    assert (region.changes, region.rule) == ((), Rule(regions=places, changes=("DEL", "CNV"), copies_at_most=1))
    assert protein.rule == Rule("BRAF", terms=("SO:0001583",), protein="p.Val600Glu", protein_at=(600, 601))


def test_genotype_row_becomes_an_item_with_a_coded_implication():
    items, rejects = items_of(ItemKind.THERAPEUTIC, THERAPEUTIC)
    assert (len(items), rejects.total) == (2, 0)
    assert items[0] == KnowledgeItem(
        ItemKind.THERAPEUTIC,
        "tx-1",
        genotypes=(Concept("http://www.pharmvar.org", "CYP2C19 *1/*17", "CYP2C19 *1/*17"),),
        identifiers=(("https://www.pharmgkb.org", "PA124"),),
        statement=Concept("http://loinc.org", "LA25390-8", "CYP2C19 Rapid Metabolizer"),
        evidence="CPIC Level A",
        medications=(Concept(RXNORM, "704", "Amitriptyline"),),
    )


def test_medication_may_lack_its_code():
    item = items_of(ItemKind.THERAPEUTIC, THERAPEUTIC)[0][1]
    assert item.medications == (Concept(RXNORM, "1424911", "Dabrafenib"), Concept(RXNORM, "", "Inventinib"))
    assert item.conditions == (Concept("https://disease-ontology.org", "DOID:3908", "Lung Non-small Cell Carcinoma"),)
    assert item.identifiers == (
        ("https://civicdb.org/evidence", "990001"),
        ("https://civicdb.org/variant", "990002"),
    )


def test_consequence_row_becomes_an_item():
    items, rejects = items_of(ItemKind.CONSEQUENCE, CONSEQUENCE)
    assert rejects.total == 0
    assert items == [
        KnowledgeItem(
            ItemKind.CONSEQUENCE,
            "mc-1",
            (GenomicChange(Build.GRCH37, 1, 152785039, "G", "T"),),
            terms=(Concept(SO, "SO:0001583", "missense_variant"),),
            effects=(Concept(SO, "SO:0002054", "loss_of_function_variant"),),
            gene="LCE1B",
            transcript="NM_178349.2",
            coding_hgvs="NM_178349.2:c.118G>T",
            protein_hgvs="p.Val40Phe",
            impact="MODERATE",
        )
    ]


IMPLICATIONS = [
    ("Supports Resistance", "LA6676-6"),
    ("Supports Sensitivity/Response", "LA6677-4"),
    ("Does Not Support Resistance", ""),
    ("Does Not Support Sensitivity/Response", ""),
    ("Normal Metabolizer", "LA25391-6"),
    ("CYP2D6 Ultrarapid Metabolizer", "LA10315-2"),
    ("CYP2D6 Poor Metabolizer", "LA9657-3"),
    ("CYP2C9 Intermediate Metabolizer", "LA10317-8"),
    ("CYP2C19 Likely Poor Metabolizer", ""),
    ("Not a Poor Metabolizer", ""),
]


@pytest.mark.parametrize(("phrase", "code"), IMPLICATIONS)
def test_implication_has_a_code_where_it_is_exactly_an_answer_of_loinc(phrase, code):
    items, _ = items_of(ItemKind.THERAPEUTIC, changed(THERAPEUTIC, 2, predicted_implication=phrase))
    assert items[0].statement == Concept("http://loinc.org" if code else "", code, phrase)


SPOILED = [
    ({"row_id": " "}, "row_id", "no row_id"),
    ({"b37_spdi": "", "b38_spdi": ""}, "target", "no target"),
    ({"rule_gene": "BRCA1", "rule_changes": "DEL"}, "target", "several kinds of targets"),
    ({"b37_spdi": "rs80357906"}, "b37_spdi", "no usable SPDI"),
    ({"b37_spdi": "NC_000017.11:43094356:G:A"}, "b37_spdi", "NC_000017.11 is not of GRCh37"),
    ({"b37_spdi": "NC_000018.9:100:G:A"}, "b38_spdi", "another chromosome than b37_spdi"),
    ({"b37_spdi": "NC_000017.10:41246373:1:A"}, "b37_spdi", "it does not spell out the deleted bases"),
    ({"b37_spdi": "NC_000017.10:81195210:G:A"}, "b37_spdi", "is not within NC_000017.10"),
    ({"phenotypes__code": "C0000001"}, "phenotypes.display", "lists of different lengths"),
    ({"phenotypes__code": "C1 ; ", "phenotypes__display": "A ; "}, "phenotypes.code", "without code and name"),
    ({"significance_code": "", "significance_display": "", "phenotypes__system": "", "phenotypes__code": "",
      "phenotypes__display": ""}, "significance_display", "it says nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "field", "problem"), SPOILED, ids=[problem for *_, problem in SPOILED])
def test_row_that_cannot_be_used_is_noted_and_the_others_are_read(cells, field, problem):
    items, rejects = items_of(ItemKind.DIAGNOSTIC, changed(DIAGNOSTIC, 2, **cells))
    assert [item.row_id for item in items] == ["dx-2", "dx-3", "dx-4"]
    [(line_1based, where, what)] = told(rejects)
    assert (line_1based, where) == (2, field)
    assert problem in what
    assert {reject.file for reject in rejects.noted} == {"x.tsv"}


BAD_RULES = [
    (4, {"rule_region37": "chr22:1-2"}, "rule_region37"),
    (4, {"rule_region37": "NC_000022.11:1-2"}, "rule_region37"),
    (4, {"rule_region37": "NC_000099.1:1-2"}, "rule_region37"),
    (4, {"rule_region38": "NC_000022.11:5-5"}, "rule_region38"),
    (4, {"rule_region38": "NC_000022.11:5-50818469"}, "rule_region38"),
    (4, {"rule_region38": "NC_000021.9:5-9"}, "rule_region38"),
    (4, {"rule_changes": "DEL ; LOSS"}, "rule_changes"),
    (4, {"rule_changes": "BND"}, "rule_changes"),
    (4, {"rule_copies_max": "one"}, "rule_copies_max"),
    (4, {"rule_copies_min": "3"}, "rule_copies_max"),
    (4, {"rule_region37": "", "rule_region38": ""}, "rule_gene"),
    (4, {"rule_changes": "", "rule_copies_max": ""}, "rule_changes"),
    (5, {"rule_terms": "missense_variant"}, "rule_terms"),
    (5, {"rule_protein_at": "0"}, "rule_protein_at"),
    (5, {"rule_protein_at": "601-600"}, "rule_protein_at"),
    (5, {"rule_protein_at": "V600"}, "rule_protein_at"),
]


@pytest.mark.parametrize(("line_1based", "cells", "field"), BAD_RULES, ids=str)
def test_rule_that_cannot_be_used_is_noted(line_1based, cells, field):
    [(line, where, problem)] = rejected(ItemKind.DIAGNOSTIC, changed(DIAGNOSTIC, line_1based, **cells))
    assert (line, where) == (line_1based, field)
    assert problem.startswith("no usable rule: ")


def test_unknown_impact_is_noted():
    found = rejected(ItemKind.CONSEQUENCE, changed(CONSEQUENCE, 2, impact="moderate"))
    assert found == [(2, "impact", "unknown impact: moderate")]


def test_treatment_without_a_medication_says_nothing():
    cells = {"medications__system": "", "medications__code": "", "medications__display": ""}
    found = rejected(ItemKind.THERAPEUTIC, changed(THERAPEUTIC, 2, **cells))
    assert found == [(2, "medications.code", "it says nothing")]


def test_causes_are_counted_even_where_rows_are_not_told():
    rows = [{"row_id": f"dx-{number}", "b38_spdi": "x", "significance_display": "Benign"} for number in range(1200)]
    rejects = items_of(ItemKind.DIAGNOSTIC, table(*rows))[1]
    assert (len(rejects.noted), rejects.by_cause) == (1000, {"no usable SPDI": 1200})


ODD_LINES = [
    (b"dx-9\tx", "columns", "another number of columns than the header: 2 in place of 23"),
    (b"dx-9\t\xff" + b"\t" * 21, "line", "no UTF-8 text"),
    (b"dx-9\t\0" + b"\t" * 21, "line", "control characters"),
    (b"dx-9\t\x1b[2J" + b"\t" * 21, "line", "control characters"),
]


@pytest.mark.parametrize(("line", "field", "problem"), ODD_LINES, ids=[problem for *_, problem in ODD_LINES])
def test_odd_line_is_noted_and_the_next_is_read(line, field, problem):
    first, *others = DIAGNOSTIC.splitlines(keepends=True)
    items, rejects = items_of(ItemKind.DIAGNOSTIC, b"".join([first, line, b"\n", *others]))
    assert (len(items), told(rejects)) == (4, [(2, field, problem)])


@pytest.mark.parametrize(
    "data",
    [
        gzipped(DIAGNOSTIC),
        b"\xef\xbb\xbf" + DIAGNOSTIC,
        DIAGNOSTIC.replace(b"\n", b"\r\n"),
        DIAGNOSTIC.removesuffix(b"\n"),
        DIAGNOSTIC.replace(b"\n", b"\n\n"),
        DIAGNOSTIC.replace(b"b37_spdi", b" B37_SPDI ", 1),
    ],
    ids=["gzip", "byte order mark", "crlf", "no last newline", "blank lines", "name of a column"],
)
def test_every_packing_reads_alike(data):
    items, rejects = items_of(ItemKind.DIAGNOSTIC, data)
    assert (items, rejects.total) == (items_of(ItemKind.DIAGNOSTIC, DIAGNOSTIC)[0], 0)


def test_columns_that_say_more_may_be_missing():
    data = without(DIAGNOSTIC, "b37_spdi", "clinvar_scv", "evidence_level", "phenotypes.system", "origin")
    first = items_of(ItemKind.DIAGNOSTIC, data)[0][0]
    assert [change.build for change in first.changes] == [Build.GRCH38]
    assert (len(first.identifiers), first.evidence) == (1, "")
    assert first.conditions[0] == Concept("", "C0000001", "First invented condition")


REFUSED = [
    (ItemKind.DIAGNOSTIC, without(DIAGNOSTIC, "row_id"), "x.tsv, line 1, row_id: the column is missing. The header"),
    (
        ItemKind.THERAPEUTIC,
        without(THERAPEUTIC, "b38_spdi", "genotype_code"),
        "x.tsv, line 1, b37_spdi: the column is missing. The header needs at least one of b37_spdi, b38_spdi,",
    ),
    (
        ItemKind.THERAPEUTIC,
        without(THERAPEUTIC, "medications.code", "medications.display"),
        "x.tsv, line 1, medications.code: the column is missing. The header needs at least one of",
    ),
    (
        ItemKind.DIAGNOSTIC,
        DIAGNOSTIC.replace(b"origin", b"row_id", 1),
        "x.tsv, line 1, row_id: the column is there twice. Remove one of them",
    ),
    (ItemKind.DIAGNOSTIC, b"\n\n", "there is no line with the names of the columns. It begins with row_id"),
    (ItemKind.DIAGNOSTIC, b"", "x.tsv: the file is empty"),
    (ItemKind.DIAGNOSTIC, b"row_id\t\xff\n", "x.tsv, line 1: it is not UTF-8 text. Copy the file again"),
    (ItemKind.DIAGNOSTIC, gzipped(DIAGNOSTIC)[:-9], "x.tsv: the file is truncated"),
]


@pytest.mark.parametrize(("kind", "data", "message"), REFUSED, ids=[message[:60] for *_, message in REFUSED])
def test_file_that_cannot_be_read_is_refused_with_place_and_mend(kind, data, message):
    with pytest.raises(BadFile) as refused:
        items_of(kind, data)
    assert message in refused.value.diagnostics


def test_line_above_the_cap_is_refused():
    long = changed(DIAGNOSTIC, 3, phenotypes__display="x" * 2000)
    with pytest.raises(LimitExceeded, match="line 3: the line is longer than 1,500 bytes"):
        items_of(ItemKind.DIAGNOSTIC, long, Settings(vcf_max_line_bytes=1500))
