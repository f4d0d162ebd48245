"""Annotations of ClinPGx: those of genotypes of star alleles, and why the others are not read."""

from __future__ import annotations

import io

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from app.formats.pharmgkb import PharmgkbFiles, read_pharmgkb
from tests.knowledge_files import stored, told

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TABLES = {
    "annotations": stored("pharmgkb_clinical_annotations.tsv"),
    "alleles": stored("pharmgkb_clinical_ann_alleles.tsv"),
    "drugs": stored("pharmgkb_drugs.tsv"),
    "genes": stored("pharmgkb_genes.tsv"),
}


def items_of(**changes):
    rejects = Rejects()
    tables = {role: data for role, data in (TABLES | changes).items() if data is not None}
    files = PharmgkbFiles(**{role: (io.BytesIO(data), f"{role}.tsv") for role, data in tables.items()})
    return list(read_pharmgkb(files, rejects, Settings())), rejects


def test_annotation_of_a_genotype_becomes_an_item():
    assert items_of()[0] == [
        KnowledgeItem(
            ItemKind.THERAPEUTIC,
            "990001 *1/*17",
            genotypes=(Concept("http://www.pharmvar.org", "CYP2C19 *1/*17", "CYP2C19 *1/*17"),),
            identifiers=(
                ("https://www.pharmgkb.org", "PA124"),
                ("https://www.pharmgkb.org/clinicalAnnotation", "990001"),
            ),
            statement=Concept("", "", 'Patients with the invented "rapid" genotype may respond better.'),
            evidence="PharmGKB Level 1A",
            conditions=(Concept("", "", "Invented syndrome"),),
            medications=(Concept(RXNORM, "32968", "clopidogrel"), Concept("", "", "inventol")),
            gene="CYP2C19",
            note="Efficacy",
        )
    ]


def test_drugs_and_genes_may_be_missing():
    [item], _ = items_of(drugs=None, genes=None)
    assert item.identifiers == (("https://www.pharmgkb.org/clinicalAnnotation", "990001"),)
    assert [drug.code for drug in item.medications] == ["", ""]


def test_rows_that_cannot_be_used_are_noted():
    assert told(items_of()[1]) == [
        (3, "Genotype/Allele", "an allele, not a genotype: *17"),
        (4, "Annotation Text", "it says nothing: 990001"),
        (5, "Genotype/Allele", "no position in the file: rs75527207"),
        (6, "Gene", "not exactly one gene: HLA-A;HLA-B"),
        (7, "Drug(s)", "no drug: 990004"),
        (8, "Clinical Annotation ID", "no such annotation in the file of annotations: 990099"),
    ]


def test_newer_name_of_annotations_is_understood():
    renamed = {
        role: TABLES[role].replace(b"Clinical Annotation ID", b"Summary Annotation ID")
        for role in ("annotations", "alleles")
    }
    assert items_of(**renamed)[0] == items_of()[0]


@pytest.mark.parametrize(
    ("role", "column"),
    [
        ("annotations", "Clinical Annotation ID"),
        ("annotations", "Drug(s)"),
        ("alleles", "Annotation Text"),
        ("drugs", "RxNorm Identifiers"),
        ("genes", "Symbol"),
    ],
)
def test_table_without_a_column_is_refused(role, column):
    with pytest.raises(BadFile) as refused:
        items_of(**{role: TABLES[role].replace(column.encode(), b"x", 1)})
    assert f"{role}.tsv, line 1, {column.lower()}: the column is missing. The header needs" in refused.value.diagnostics
