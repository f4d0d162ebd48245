"""Genes, transcripts, proteins and chromosomes in the shapes of the reference implementation."""

import dataclasses

import pytest

from app.operations.features import describe_chromosome, describe_gene, describe_protein, describe_transcript
from app.records import Build
from app.variants.transcripts import InMemoryTranscripts, Protein
from tests.synthetic_transcripts import alignment, transcript

B37, B38 = Build.GRCH37, Build.GRCH38


def gene_among(*transcripts):
    known = InMemoryTranscripts(transcripts)
    return describe_gene(known.genes_named("GENE")[0], known)


def on_both(name, **more):
    found = transcript(name, alignment(B37, [(100, 110)]), alignment(B38, [(200, 210)]))
    return dataclasses.replace(found, **more)


def test_a_gene_has_ranges_on_both_builds_its_newest_transcripts_and_links():
    names = ("NM_1.2", "NM_1.10", "NR_3.1", "NM_2.1", "XM_4.1", "ENST5.1")
    described = gene_among(*(on_both(name, mane="MANE Select" if name == "NM_1.10" else None) for name in names))
    assert described == {
        "geneId": "HGNC:1",
        "geneSymbol": "GENE",
        "geneLink": "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/HGNC:1",
        "build37Coordinates": "NC_000001.10:100-110",
        "build38Coordinates": "NC_000001.11:200-210",
        "transcripts": ["NM_1.10", "NM_2.1", "NR_3.1"],
        "MANE": ["NM_1.10"],
    }


def test_mane_select_comes_before_plus_clinical():
    plus, select = on_both("NM_1.1", mane="MANE Plus Clinical"), on_both("NM_2.1", mane="MANE Select")
    assert gene_among(plus, select)["MANE"] == ["NM_2.1", "NM_1.1"]


def test_transcripts_of_ensembl_stand_in_where_refseq_has_none():
    described = gene_among(on_both("ENST1.1"), on_both("ENST1.2", mane="MANE Select"), on_both("XM_4.1"))
    assert (described["transcripts"], described["MANE"]) == (["ENST1.2"], ["ENST1.2"])


def test_what_is_not_known_of_a_gene_is_left_out():
    known = transcript("XM_1.1", alignment(B38, [(200, 210)]), hgnc=None)
    assert gene_among(known) == {"geneSymbol": "GENE", "build38Coordinates": "NC_000001.11:200-210"}


CODING = transcript(
    "NM_1.1",
    alignment(B37, [(100, 110), (200, 220), (300, 310)], reverse=True),
    alignment(B38, [(1100, 1110), (1200, 1220), (1300, 1310)]),
    cds=(4, 33),
)


def test_a_transcript_has_exons_in_its_own_order_and_its_coding_region_on_each_build():
    assert describe_transcript(CODING) == {
        "transcript": "NM_1.1",
        "transcriptLink": "https://www.ncbi.nlm.nih.gov/nuccore/NM_1.1",
        "geneSymbol": "GENE",
        "build37Coordinates": "NC_000001.10:100-310",
        "build37Strand": "-",
        "build37CDSStart": 107,
        "build37CDSEnd": 306,
        "build38Coordinates": "NC_000001.11:1100-1310",
        "build38Strand": "+",
        "build38CDSStart": 1104,
        "build38CDSEnd": 1303,
        "MANE": False,
        "exons": [
            {
                "exonNumber": 1,
                "build37Coordinates": "NC_000001.10:300-310",
                "build38Coordinates": "NC_000001.11:1100-1110",
            },
            {
                "exonNumber": 2,
                "build37Coordinates": "NC_000001.10:200-220",
                "build38Coordinates": "NC_000001.11:1200-1220",
            },
            {
                "exonNumber": 3,
                "build37Coordinates": "NC_000001.10:100-110",
                "build38Coordinates": "NC_000001.11:1300-1310",
            },
        ],
    }


@pytest.mark.parametrize(
    ("cds", "gap", "expected"),
    [
        ((2, 8), None, (102, 108)),
        ((0, 12), "4=2D6=", (100, 110)),  # two bases of the transcript alone
        ((5, 9), "4=2D6=", (104, 107)),  # the first codon starts among them
        ((2, 6), "4=3I6=", (102, 109)),  # three bases of the chromosome alone
        ((4, 6), "4=2D6=", None),
    ],
)
def test_gaps_shift_the_coding_region(cds, gap, expected):
    size = 10 if gap != "4=3I6=" else 13
    place = alignment(B38, [(100, 100 + size)], gaps={0: gap} if gap else None)
    described = describe_transcript(transcript("NM_1.1", place, cds=cds))
    found = described.get("build38CDSStart"), described.get("build38CDSEnd")
    assert found == (expected or (None, None))


def test_a_transcript_of_one_build_lacks_the_keys_of_the_other():
    found = transcript("ENST1.1", alignment(B38, [(200, 210)]), gene=None, hgnc=None)
    described = describe_transcript(found)
    assert described == {
        "transcript": "ENST1.1",
        "transcriptLink": "https://www.ensembl.org/id/ENST1.1",
        "build38Coordinates": "NC_000001.11:200-210",
        "build38Strand": "+",
        "MANE": False,
        "exons": [{"exonNumber": 1, "build38Coordinates": "NC_000001.11:200-210"}],
    }


def test_a_protein_has_its_name_and_transcript_where_they_are_known():
    link = "https://www.ncbi.nlm.nih.gov/protein/NP_1.1/"
    assert describe_protein(Protein("NP_1.1", "kinase", "NM_1.1")) == {
        "protein": "NP_1.1",
        "proteinLink": link,
        "proteinName": "kinase",
        "transcript": "NM_1.1",
    }
    assert describe_protein(Protein("NP_1.1", None, None)) == {"protein": "NP_1.1", "proteinLink": link}


@pytest.mark.parametrize(
    ("name", "chromosome", "link", "accessions"),
    [
        ("chr7", "chr7", "7", ("NC_000007.13", "NC_000007.14")),
        ("CHRY", "chrY", "y", ("NC_000024.9", "NC_000024.10")),
        ("x", "chrX", "x", ("NC_000023.10", "NC_000023.11")),
        ("chrM", "chrM", "mitochondrial-dna", ("NC_012920.1", "NC_012920.1")),
        ("MT", "chrM", "mitochondrial-dna", ("NC_012920.1", "NC_012920.1")),
        ("NC_000007.13", "chr7", "7", ("NC_000007.13", "NC_000007.14")),
    ],
)
def test_a_chromosome_has_its_accessions(name, chromosome, link, accessions):
    assert describe_chromosome(name) == {
        "chromosome": chromosome,
        "chromosomeLink": f"https://medlineplus.gov/genetics/chromosome/{link}/",
        "build37RefSeq": accessions[0],
        "build38RefSeq": accessions[1],
    }


@pytest.mark.parametrize("name", ["chr23", "chr0", "", "chrchr1", "7q"])
def test_another_name_is_no_chromosome(name):
    assert describe_chromosome(name) is None
