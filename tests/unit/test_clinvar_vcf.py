"""ClinVar's VCF: the aggregate germline classification of each record, and what it does not say."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.errors import BadFile, LimitExceeded
from app.formats.clinvar_vcf import read_clinvar_vcf
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem
from app.records import Build
from app.variants.identify import GenomicChange
from tests.knowledge_files import read, stored, told
from tests.vcf_files import bgzf

VCF = stored("clinvar_GRCh38.vcf")
MEDGEN = "https://www.ncbi.nlm.nih.gov/medgen"
MONDO = "http://purl.obolibrary.org/obo/mondo.owl"
RECORD = "1\t17054002\t900001\tG\tT\t.\t.\tCLNSIG=Benign\n"


def items_of(data, build=None, settings=None):
    data = data if isinstance(data, bytes) else data.encode()
    return read(lambda stream, rejects: read_clinvar_vcf(stream, "c.vcf", build, rejects, settings or Settings()), data)


def only(record):
    """Return a file with one record."""
    return VCF[: VCF.index(b"\n1\t") + 1] + record.encode()


def test_record_becomes_an_item():
    assert items_of(VCF)[0][0] == KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        "900001",
        (GenomicChange(Build.GRCH38, 1, 17054001, "G", "T"),),
        identifiers=(("http://www.ncbi.nlm.nih.gov/clinvar", "900001"),),
        statement=Concept("http://loinc.org", "LA26334-5", "Likely benign"),
        evidence="criteria provided, multiple submitters, no conflicts",
        conditions=(
            Concept(MEDGEN, "C1708353", "Hereditary pheochromocytoma-paraganglioma"),
            Concept(MEDGEN, "C3661900", "not provided"),
        ),
        gene="SDHB",
    )


def test_conflict_and_escapes_are_read():
    item = items_of(VCF)[0][1]
    assert item.changes == (GenomicChange(Build.GRCH38, 13, 32338160, "AT", "A"),)
    assert item.statement == Concept("", "", "Conflicting classifications of pathogenicity; risk factor")
    assert item.note == "Submitted as Pathogenic (2), Uncertain significance (1)"
    assert item.conditions == (Concept("http://www.omim.org", "612555", "Invented, condition; of two names"),)
    assert item.gene == ""


def test_mitochondrial_record_without_conditions_is_read():
    item = items_of(VCF)[0][2]
    assert (item.changes[0].contig, item.changes[0].position, item.conditions) == (25, 3242, ())


def test_what_cannot_be_said_of_the_allele_is_noted():
    items, rejects = items_of(VCF)
    assert [item.row_id for item in items] == ["900001", "900002", "900008"]
    assert told(rejects) == [
        (10, "INFO/CLNSIG", "somatic classification only"),
        (11, "INFO/CLNSIG", "classified only as a part of a haplotype or genotype"),
        (12, "INFO/CLNSIG", "no classification"),
        (13, "ALT", "no exact allele: ."),
        (14, "CHROM", "no primary chromosome: NW_009646201.1"),
    ]


SIGNIFICANCES = [
    ("Pathogenic", "LA6668-3"),
    ("Likely_pathogenic", "LA26332-9"),
    ("Uncertain_significance", "LA26333-7"),
    ("Likely_benign", "LA26334-5"),
    ("Benign", "LA6675-8"),
    ("Pathogenic/Likely_pathogenic", ""),
    ("drug_response", ""),
    ("Pathogenic|drug_response", ""),
    ("Pathogenic,_low_penetrance", ""),
]


@pytest.mark.parametrize(("text", "code"), SIGNIFICANCES)
def test_only_the_five_classes_have_a_code(text, code):
    [item], _ = items_of(only(RECORD.replace("Benign", text)))
    assert (item.statement.code, item.statement.system) == (code, "http://loinc.org" if code else "")
    assert item.statement.display == text.replace("_", " ").replace("|", "; ")


CONDITIONS = [
    ("MedGen:C1|MedGen:C0000002", "One", (Concept("", "", "One"),)),
    ("MedGen:CN169374", "not_specified", (Concept(MEDGEN, "CN169374", "not specified"),)),
    ("MONDO:MONDO:0000001,OMIM:PS100000", "A", (Concept(MONDO, "MONDO:0000001", "A"),)),
    ("SNOMED_CT:123037004,EFO:0000001", "A", (Concept("http://snomed.info/sct", "123037004", "A"),)),
    ("Human_Phenotype_Ontology:HP:0000001", "A", (Concept("http://human-phenotype-ontology.org", "HP:0000001", "A"),)),
    ("MedGen:C0000001,MedGen:C0000002", "A", (Concept("", "", "A"),)),
    ("MeSH:D1", "A", (Concept("", "", "A"),)),
    ("MedGen:C0000001|MedGen:C0000001", "A|A", (Concept(MEDGEN, "C0000001", "A"),)),
    (".|MedGen:C0000001", ".|A", (Concept(MEDGEN, "C0000001", "A"),)),
]  # fmt: skip


@pytest.mark.parametrize(("ids", "names", "expected"), CONDITIONS, ids=[ids for ids, *_ in CONDITIONS])
def test_condition_has_the_best_code_that_is_surely_its_own(ids, names, expected):
    [item], _ = items_of(only(RECORD.replace("\n", f";CLNDISDB={ids};CLNDN={names}\n")))
    assert item.conditions == expected


UNCLASSIFIED = [
    ("CLNSIG=no_classification_for_the_single_variant;CLNSIGINCL=9:Benign", "classified only as a part of a haplotype"),
    ("CLNSIG=no_classifications_from_unflagged_records", "no classification"),
    ("CLNSIG=no_interpretation_for_the_single_variant;SCI=Tier_I", "somatic classification only"),
    ("CLNSIG=-", "no classification"),
]


@pytest.mark.parametrize(("info", "cause"), UNCLASSIFIED, ids=[info for info, _ in UNCLASSIFIED])
def test_phrase_that_says_there_is_no_classification_is_none(info, cause):
    items, rejects = items_of(only(RECORD.replace("CLNSIG=Benign", info)))
    assert items == []
    assert told(rejects)[0][2].startswith(cause)


BAD_RECORDS = [
    (RECORD.replace("\tG\t", "\tR\t"), "REF", "no exact allele: R"),
    (RECORD.replace("\tT\t", "\t<DEL>\t"), "ALT", "no exact allele: <DEL>"),
    (RECORD.replace("\tT\t", "\tG\t"), "ALT", "no exact allele: it is the reference"),
    (RECORD.replace("17054002", "0"), "POS", "no position on its chromosome: 0"),
    (RECORD.replace("17054002", "248956423"), "POS", "no position on its chromosome: 248956423"),
    (RECORD.replace("17054002", "1e5"), "POS", "no position on its chromosome: 1e5"),
    (RECORD.replace("900001", "."), "ID", "no variation id: ."),
    (RECORD.replace("\t.\t.", "\t."), "columns", "another number of columns than the header: 7 in place of 8"),
]


@pytest.mark.parametrize(("record", "field", "problem"), BAD_RECORDS, ids=[problem for *_, problem in BAD_RECORDS])
def test_record_that_cannot_be_used_is_noted(record, field, problem):
    items, rejects = items_of(only(record + RECORD))
    assert (len(items), told(rejects)) == (1, [(8, field, problem)])


def test_build_is_taken_from_the_header_or_has_to_be_the_stated_one():
    older = VCF.replace(b"=GRCh38", b"=GRCh37")
    assert items_of(older)[0][0].changes[0].build is Build.GRCH37
    assert len(items_of(VCF, Build.GRCH38)[0]) == 3
    with pytest.raises(BadFile, match=r"c.vcf, ##reference: it is on GRCh38, not on GRCh37"):
        items_of(VCF, Build.GRCH37)


REFUSED = [
    (VCF.replace(b"##reference=GRCh38\n", b""), "c.vcf, line 6, ##reference: the header does not say which build"),
    (VCF.replace(b"##reference=GRCh38\n", b"##reference=hg18\n"), "does not say which build"),
    (VCF.replace(b"##source", b"##reference=GRCh37\n##source"), "does not say which build"),
    (VCF.replace(b"##fileformat=VCFv4.1\n", b""), "c.vcf, line 1: this is no VCF"),
    (VCF.replace(b"\tINFO\n", b"\tINF\n"), "c.vcf, line 7, info: the column is missing"),
    (VCF[VCF.index(b"\n1\t") + 1 :], "there is no line with the names of the columns. It begins with #chrom"),
    (bgzf(VCF, 100)[:-28], "c.vcf: the file is truncated"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_file_that_is_not_clinvars_is_refused(data, message):
    with pytest.raises(BadFile) as refused:
        items_of(data)
    assert message in refused.value.diagnostics


def test_header_and_lines_above_the_caps_are_refused():
    with pytest.raises(LimitExceeded, match="line 21: there are too many lines before the names"):
        items_of(b"##fileformat=VCFv4.1\n" * 30 + VCF, settings=Settings(vcf_max_header_lines=20))
    with pytest.raises(LimitExceeded, match="line 8: the line is longer than 1,024 bytes"):
        items_of(only(RECORD.replace("\n", "x" * 2000)), settings=Settings(vcf_max_line_bytes=1024))
