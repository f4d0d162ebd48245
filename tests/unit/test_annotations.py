"""What VEP, SnpEff and bcftools csq wrote is read for the ALT that it is about, and nothing is guessed."""

from __future__ import annotations

import pytest

from app.formats.annotations import (
    AMBIGUOUS,
    BEHIND_STOP,
    COMPARED,
    COMPOUND,
    ELSEWHERE,
    NO_ALLELE,
    NO_TERM,
    SHORT,
    UNKNOWN_TERM,
    Annotation,
    Annotations,
)

VEP_VERSION = '##VEP="v110" time="2023-08-01 10:00:00" cache="/vep/homo_sapiens/110_GRCh38" ensembl=110.584a8cd'
CSQ = (
    '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP. Format: Allele|'
    "Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|HGNC_ID|MANE_SELECT|MANE_PLUS_CLINICAL"
    '">'
)
BRCA1 = (
    "{allele}|{terms}|{impact}|BRCA1|ENSG00000012048|Transcript|ENST00000357654.9|protein_coding|10/23||"
    "ENST00000357654.9:c.1067A>G|ENSP00000350283.3:p.Gln356Arg|HGNC:1100|NM_007294.4|"
)
ANN = (
    "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation | "
    "Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | Transcript_BioType | Rank | HGVS.c | "
    "HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | AA.pos / AA.length | Distance | "
    "ERRORS / WARNINGS / INFO' \">"
)
BCSQ = (
    '##INFO=<ID=BCSQ,Number=.,Type=String,Description="Haplotype-aware consequence annotation from BCFtools/csq, see '
    "http://samtools.github.io/bcftools/howtos/csq-calling.html for details. Format: "
    'Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change">'
)


def opened(*lines: str | bytes) -> Annotations:
    found = Annotations.from_header(["##fileformat=VCFv4.2", *lines])
    assert found is not None
    return found


def vep(allele: str, terms: str = "missense_variant", impact: str = "MODERATE") -> str:
    return BRCA1.format(allele=allele, terms=terms, impact=impact)


# --- headers ----------------------------------------------------------------------------------------------------------


def test_the_header_tells_the_tool_and_its_version() -> None:
    assert opened(VEP_VERSION, CSQ).tools == ("VEP v110",)
    assert opened(CSQ.encode()).tools == ("VEP",)
    assert opened('##SnpEffVersion="5.1d (build 2022-04-19 15:49), by Pablo Cingolani"', ANN).tools == ("SnpEff 5.1d",)
    assert opened("##bcftools/csqVersion=1.19+htslib-1.19", BCSQ).tools == ("bcftools csq 1.19+htslib-1.19",)
    assert opened(ANN, CSQ, BCSQ).tools == ("SnpEff", "VEP", "bcftools csq")


def test_vep_may_write_into_the_field_of_snpeff() -> None:
    found = opened(CSQ.replace("ID=CSQ", "ID=ANN"))
    assert found.tools == ("VEP",)
    assert found.read(f"ANN={vep('G')}", ["G"], "A")[0][0].gene == "BRCA1"


@pytest.mark.parametrize(
    "line",
    [
        '##INFO=<ID=DP,Number=1,Type=Integer,Description="Total Depth">',
        '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP">',
        '##INFO=<ID=CSQ,Number=.,Type=String,Description="Format: Consequence|Codons|Gene">',
        '##INFO=<ID=ANN,Number=.,Type=String,Description="Annotation">',
        '##INFO=<ID=EFF,Number=.,Type=String,Description="Predicted effects for this variant.Format: ...">',
    ],
)
def test_a_header_that_names_no_columns_declares_nothing(line: str) -> None:
    assert Annotations.from_header([line]) is None


# --- VEP --------------------------------------------------------------------------------------------------------------


def test_columns_of_vep_are_read_by_their_names() -> None:
    found = opened(CSQ)
    assert found.read(f"DP=3;CSQ={vep('G')};AC=1", ["G"], "A") == [
        [
            Annotation(
                tool="VEP",
                terms=("missense_variant",),
                impact="MODERATE",
                gene="BRCA1",
                hgnc="HGNC:1100",
                transcript="ENST00000357654.9",
                mane="MANE Select",
                coding="ENST00000357654.9:c.1067A>G",
                protein_accession="ENSP00000350283.3",
                protein="p.Gln356Arg",
            )
        ]
    ]
    assert not found.left_out
    assert found.read({"CSQ": vep("G")}, ["G"], "A") == found.read({"CSQ": (vep("G"),)}, ["G"], "A")
    assert (
        found.read("XCSQ=1;DP=3", ["G"], "A") == found.read("CSQ=.", ["G"], "A") == found.read({}, ["G"], "A") == [[]]
    )


def test_escapes_and_odd_columns_of_vep_are_understood() -> None:
    header = CSQ.replace("HGNC_ID|MANE_SELECT|MANE_PLUS_CLINICAL", "HGNC_ID|MANE|ENSP").replace("IMPACT|", "")
    row = (
        "A|splice_region_variant&synonymous_variant|TP53||Transcript|NM_000546.6|protein_coding|||NM_000546.6:c.375G>A|"
        "NP_000537.3:p.Thr125%3D|11998|MANE_Plus_Clinical|NP_000537.3"
    )
    ((said,),) = opened(header).read(f"CSQ={row}", ["A"], "G")
    assert (said.protein, said.impact, said.hgnc, said.mane) == ("p.Thr125=", "LOW", "HGNC:11998", "MANE Plus Clinical")
    assert said.terms == ("splice_region_variant", "synonymous_variant")


def test_what_is_no_transcript_is_not_named_so() -> None:
    row = "G|regulatory_region_variant|MODIFIER|||RegulatoryFeature|ENSR00000094113|promoter|||||||"
    ((said,),) = opened(CSQ).read(f"CSQ={row}", ["G"], "A")
    assert (said.terms, said.transcript, said.gene) == (("regulatory_region_variant",), None, None)


@pytest.mark.parametrize(
    ("ref", "alts", "stated", "expected"),
    [
        ("A", ["G"], ["G"], [0]),
        ("A", ["G", "T"], ["T", "G"], [1, 0]),
        ("CT", ["C"], ["-"], [0]),
        ("C", ["CTT"], ["TT"], [0]),
        ("CT", ["C", "CTT"], ["-", "TT"], [0, 1]),
        ("CT", ["C", "CA"], ["-", "A"], [0, 1]),
        ("CT", ["C", "*"], ["-"], [0]),
        ("CT", ["C", "*"], ["-", "*"], [0, 1]),
        ("AC", ["TG"], ["TG"], [0]),  # equal lengths stay as they are
        ("ACG", ["AGG"], ["AGG"], [0]),
        ("G", ["A", "GA"], ["A", "GA"], [0, 1]),  # no base is common to all
        ("GA", ["GAA", "GAAA"], ["A", "AA"], [0, 1]),  # --minimal
        ("GA", ["GAA", "GAAA"], ["AA", "AAA"], [0, 1]),
        ("GA", ["GAA", "GAAA"], ["AA"], [None]),  # one of the two, in either way of writing
        ("A", ["G"], ["T"], [None]),
        ("ATT", ["A", "ATTT"], ["-", "T"], [0, 1]),
        ("A", ["<DEL>"], ["deletion"], [None]),
        ("GA", ["GAA", "GAAA"], ["AA", "deletion"], [None, None]),
        ("CT", ["C", "CTT"], ["-", "deletion"], [0, None]),
    ],
)
def test_alleles_of_vep_are_matched(ref: str, alts: list[str], stated: list[str], expected: list[int | None]) -> None:
    found = opened(CSQ)
    said = found.read("CSQ=" + ",".join(vep(allele) for allele in stated), alts, ref)
    counts = [len(items) for items in said]
    assert counts == [expected.count(at) for at in range(len(alts))]
    assert found.left_out[AMBIGUOUS] + found.left_out[NO_ALLELE] == expected.count(None)


def test_the_number_of_an_allele_is_believed_before_its_text() -> None:
    header = CSQ.replace("HGNC_ID", "ALLELE_NUM")
    rows = [vep("AA").replace("HGNC:1100", number) for number in ("2", "2", "3", "0", "")]
    found = opened(header)
    assert [len(items) for items in found.read("CSQ=" + ",".join(rows), ["GAA", "GAAA"], "GA")] == [0, 2]
    assert found.left_out == {NO_ALLELE: 3}


def test_terms_that_are_not_known_are_left_out_and_counted() -> None:
    found = opened(CSQ)
    rows = [vep("G", "stop_gained&something_new"), vep("G", "something_new"), vep("G", ""), "G", "G|missense_variant"]
    ((first, last),) = found.read("CSQ=" + ",".join(rows), ["G"], "A")
    assert (first.terms, last.terms, last.impact, last.transcript) == (
        ("stop_gained",),
        ("missense_variant",),
        "MODERATE",
        None,
    )
    assert found.left_out == {UNKNOWN_TERM: 2, NO_TERM: 2, SHORT: 1}


# --- SnpEff -----------------------------------------------------------------------------------------------------------


def ann(allele: str, terms: str = "missense_variant", impact: str = "MODERATE", kind: str = "transcript") -> str:
    return (
        f"{allele}|{terms}|{impact}|CFTR|ENSG00000001626|{kind}|NM_000492.3|protein_coding|11/27|c.1521_1523delCTT|"
        "p.Phe508del|1653/6128|1521/4443|507/1480||"
    )


def test_columns_of_snpeff_are_read() -> None:
    found = opened(ANN)
    info = (
        f"AC=1;ANN={ann('A', 'disruptive_inframe_deletion')},{ann('A', 'splice_region_variant&intron_variant', 'LOW')}"
    )
    ((first, second),) = found.read(info, ["A"], "ATCT")
    assert first == Annotation(
        tool="SnpEff",
        terms=("disruptive_inframe_deletion",),
        impact="MODERATE",
        gene="CFTR",
        hgnc=None,
        transcript="NM_000492.3",
        mane=None,
        coding="NM_000492.3:c.1521_1523delCTT",
        protein_accession=None,
        protein="p.Phe508del",
    )
    assert (second.terms, second.impact) == (("splice_region_variant", "intron_variant"), "LOW")


def test_what_snpeff_says_besides_transcripts_has_none() -> None:
    found = opened(ANN)
    row = "T|intergenic_region|MODIFIER|U2|ENSG00000277248|intergenic_region|ENSG00000277248|||n.10510103A>T||||||"
    ((said,),) = found.read(f"ANN={row}", ["T"], "A")
    assert (said.terms, said.transcript, said.coding, said.protein) == (("intergenic_region",), None, None, None)
    ((said,),) = found.read(f"ANN={ann('T', 'structural_interaction_variant', 'HIGH', 'interaction')}", ["T"], "A")
    assert (said.transcript, said.impact) == (None, "HIGH")


def test_alleles_of_snpeff_are_alts_and_those_of_cancer_are_left_out() -> None:
    found = opened(ANN)
    said = found.read("ANN=" + ",".join(map(ann, ("G", "T", "G-T", "C", "A"))), ["T", "G"], "A")
    assert [len(items) for items in said] == [1, 1]
    assert found.left_out == {COMPARED: 1, NO_ALLELE: 2}
    assert found.read("ANN=A|missense_variant|MODERATE", ["A"], "G") == [[]]
    assert found.left_out[SHORT] == 1


# --- bcftools csq -----------------------------------------------------------------------------------------------------


def test_rows_of_bcftools_are_read_with_the_impact_of_their_terms() -> None:
    found = opened(BCSQ)
    info = "BCSQ=missense|BRCA1|ENST00000357654|protein_coding|-|356Q>356R|43094464T>C,splice_region|BRCA1|ENST471181|x"
    ((first, second),) = found.read(info, ["C"], "T")
    assert first == Annotation(
        tool="bcftools csq",
        terms=("missense_variant",),
        impact="MODERATE",
        gene="BRCA1",
        hgnc=None,
        transcript="ENST00000357654",
        mane=None,
        coding=None,
        protein_accession=None,
        protein=None,
    )
    assert (second.terms, second.impact) == (("splice_region_variant",), "LOW")
    ((said,),) = found.read("BCSQ=non_coding|MIR6859||miRNA", ["C"], "T")
    assert (said.terms, said.transcript) == (("non_coding_transcript_variant",), None)
    ((said,),) = found.read("BCSQ=inframe_deletion&stop_lost|G|T|protein_coding|+|5TY>5I|124TACA>T", ["T"], "TACA")
    assert said.terms == ("stop_lost", "inframe_deletion")


def test_what_bcftools_says_of_haplotypes_is_left_out_and_counted() -> None:
    found = opened(BCSQ)
    rows = (
        "@43094460",
        "*missense|G|T|protein_coding|+|9A>9V|100C>T",
        "missense|G|T|protein_coding|+|9A>9V|100C>T+101G>A",
        "inframe_altering|G|T|protein_coding|+|9AA>9V|100C>T",
        "missense|G|T|protein_coding|+|9A>9V|100C>G",
    )
    assert found.read("BCSQ=" + ",".join(rows), ["T"], "C") == [[]]
    assert found.left_out == {ELSEWHERE: 1, BEHIND_STOP: 1, COMPOUND: 1, UNKNOWN_TERM: 1, NO_TERM: 1, NO_ALLELE: 1}


def test_with_several_alts_bcftools_has_to_name_the_change() -> None:
    found = opened(BCSQ)
    rows = (
        "missense|G|T|protein_coding|+|9A>9V|100C>T",
        "stop_gained|G|T|protein_coding|+|9A>9*|100C>G",
        "intron|G||x",
    )
    said = found.read("BCSQ=" + ",".join(rows), ["T", "G"], "C")
    assert [[item.terms for item in items] for items in said] == [[("missense_variant",)], [("stop_gained",)]]
    assert found.left_out == {AMBIGUOUS: 1}
    assert [len(items) for items in found.read("BCSQ=intron|G||x", ["T", "*"], "C")] == [1, 0]


# --- together ---------------------------------------------------------------------------------------------------------


def test_all_fields_of_a_record_are_read() -> None:
    found = opened(CSQ, ANN, BCSQ)
    info = f"CSQ={vep('G')};ANN={ann('G')};BCSQ=missense|BRCA1|ENST1|protein_coding|-|356Q>356R|7A>G"
    (said,) = found.read(info, ["G"], "A")
    assert [item.tool for item in said] == ["VEP", "SnpEff", "bcftools csq"]
