import pytest

from app.records import Build
from app.variants.interval import Interval
from app.variants.transcripts import Exon, InMemoryTranscripts, Segment, split_version
from tests.synthetic_transcripts import alignment, transcript

B37, B38 = Build.GRCH37, Build.GRCH38


@pytest.mark.parametrize(
    ("accession", "expected"),
    [
        ("NM_007294.4", ("NM_007294", 4)),
        ("ENST00000357654.10", ("ENST00000357654", 10)),
        ("NM_007294", ("NM_007294", None)),
        ("NM_007294.", ("NM_007294.", None)),
        ("", ("", None)),
    ],
)
def test_the_version_stands_behind_the_last_dot(accession, expected):
    assert split_version(accession) == expected


def test_exons_stand_in_the_order_of_the_transcript():
    forward = alignment(B38, [(100, 110), (200, 205)])
    assert forward.exons == (Exon(100, 110, 0, 10), Exon(200, 205, 10, 15))
    backward = alignment(B38, [(100, 110), (200, 205)], reverse=True)
    assert backward.exons == (Exon(200, 205, 0, 5), Exon(100, 110, 5, 15))


@pytest.mark.parametrize("reverse", [False, True])
def test_an_alignment_spans_its_exons_whatever_the_strand(reverse):
    found = alignment(B38, [(100, 110), (200, 205)], reverse=reverse)
    assert (found.start, found.end) == (100, 205)


def test_segments_without_gaps_are_the_exons():
    found = alignment(B38, [(100, 110), (200, 205)], reverse=True)
    assert list(found.segments()) == [Segment(200, 205, 0, 5), Segment(100, 110, 5, 15)]


@pytest.mark.parametrize(
    ("reverse", "expected"),
    [
        (False, [(100, 104, 0, 4), (104, 104, 4, 6), (104, 107, 6, 9), (107, 108, 9, 9), (108, 110, 9, 11)]),
        (True, [(106, 110, 0, 4), (106, 106, 4, 6), (103, 106, 6, 9), (102, 103, 9, 9), (100, 102, 9, 11)]),
    ],
)
def test_gaps_are_read_along_the_transcript(reverse, expected):
    # 2D are bases of the transcript alone, 1I is one of the chromosome alone.
    found = alignment(B38, [(100, 110)], reverse=reverse, gaps={0: "4=2D3=1I2="})
    assert list(found.segments()) == [Segment(*row) for row in expected]


def test_the_cigar_of_an_exon_without_gap_is_its_length():
    assert Exon(100, 110, 0, 10).cigar == "10="
    assert Exon(100, 110, 0, 11, "4=1D6=").cigar == "4=1D6="


def test_the_length_counts_bases_of_the_transcript():
    assert transcript("NM_1.1", alignment(B38, [(100, 110), (200, 205)], gaps={1: "2=3D3="})).length == 18


@pytest.fixture
def known():
    return InMemoryTranscripts(
        [
            transcript(
                "NM_1.10", alignment(B37, [(100, 110)]), alignment(B38, [(1100, 1110)]), gene="ONE", hgnc="HGNC:1"
            ),
            transcript("NM_1.2", alignment(B38, [(1090, 1095), (1120, 1130)]), gene="ONE", hgnc="HGNC:1"),
            transcript("NM_2.1", alignment(B38, [(1130, 1140)], reverse=True), gene="Two", hgnc=None),
        ]
    )


def test_versions_are_sorted_as_numbers(known):
    assert known.versions("NM_1") == ["NM_1.2", "NM_1.10"]
    assert known.versions("NM_3") == []


def test_a_transcript_is_found_by_its_whole_accession(known):
    assert known.get("NM_1.2").accession == "NM_1.2"
    assert known.get("NM_1") is None


@pytest.mark.parametrize("name", ["ONE", "one", "HGNC:1", "hgnc:1"])
def test_a_gene_is_found_by_symbol_and_identifier(known, name):
    assert [item.accession for item in known.of_gene(name)] == ["NM_1.10", "NM_1.2"]
    gene = known.gene(name)
    assert (gene.symbol, gene.hgnc) == ("ONE", "HGNC:1")
    assert gene.spans == {B37: Interval("NC_000001.10", 100, 110), B38: Interval("NC_000001.11", 1090, 1130)}


def test_an_unknown_gene_is_none(known):
    assert known.gene("THREE") is None
    assert known.of_gene("") == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (1095, 1096, ["NM_1.2"]),
        (1100, 1101, ["NM_1.10", "NM_1.2"]),
        (1109, 1130, ["NM_1.10", "NM_1.2"]),
        (1110, 1131, ["NM_1.2", "NM_2.1"]),
        (1130, 1130, ["NM_2.1"]),
        (1140, 1150, []),
        (1089, 1090, []),
    ],
)
def test_transcripts_overlap_with_their_introns(known, start, end, expected):
    assert [item.accession for item in known.overlapping(B38, 1, start, end)] == expected


def test_other_builds_and_chromosomes_do_not_overlap(known):
    assert known.overlapping(B37, 1, 1090, 1200) == []
    assert known.overlapping(B38, 2, 1090, 1200) == []


def test_genes_overlap_with_all_their_transcripts(known):
    assert [gene.symbol for gene in known.genes_overlapping(B38, 1, 1129, 1131)] == ["ONE", "Two"]
    assert [gene.symbol for gene in known.genes_overlapping(B37, 1, 109, 109)] == ["ONE"]
    assert known.genes_overlapping(B38, 1, 1140, 1141) == []


def test_without_transcripts_nothing_is_known():
    none = InMemoryTranscripts()
    assert (none.get("NM_1.1"), none.versions("NM_1"), none.gene("ONE"), none.sources) == (None, [], None, ())
