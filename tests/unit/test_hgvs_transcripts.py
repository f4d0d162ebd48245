"""Changes written along transcripts, on made-up transcripts of a made-up genome."""

import random
import subprocess
import sys

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.config import Settings
from app.errors import CannotNormalize, InvalidInput, OperonError, UnknownRefSeq, UnreadableVariant
from app.operations.context import Genome, OperationContext
from app.records import Build, LiftStatus
from app.store.session import Database
from app.variants.hgvs_provider import ALIGNED, LocalProvider
from app.variants.hgvs_syntax import read_syntax
from app.variants.hgvs_transcript import Projector, description_of_spdi
from app.variants.identify import Identifier, identify, read_variant
from app.variants.liftover import Liftover
from app.variants.placement import Placer
from app.variants.reference import InMemoryReference, NoReference
from app.variants.spdi import Spdi, parse_spdi_of_any, reverse_complement
from app.variants.transcript_bases import transcript_bases
from app.variants.transcripts import Alignment, Exon, InMemoryTranscripts
from tests.small_store import SmallStore, migrated
from tests.synthetic_transcripts import alignment, transcript
from tests.two_builds import Block, bases, genome
from tests.vcf_files import vcf

B37, B38 = Build.GRCH37, Build.GRCH38
CHR1 = "NC_000001.11"
LENGTH = 248_956_422

EXONS = [(102, 112), (120, 130), (140, 152)]
BASES = "TT" + "GACCATGCGT" + "AAGTCCTA" + "GGATCAACGT" + "GAAAGCATTA" + "GGTAAAGATTCC" + "GGATCCAA"
"""Bases from 100 on: what is before the transcript, exon, intron, exon, intron, exon, and what is after it"""
CDNA = "GACCATGCGT" + "GGATCAACGT" + "GGTAAAGATTCC"
CDS = (4, 25)
"""ATG CGT GGA TCA ACG TGG TAA"""
FORWARD = transcript("NM_1.1", alignment(B38, EXONS), cds=CDS)
REFERENCES = {B38: InMemoryReference({CHR1: [(100, BASES)]})}


def mirrored(start, end):
    """Return a range as seen from the other end of the chromosome."""
    return LENGTH - end, LENGTH - start


REVERSE = transcript("NM_1.1", alignment(B38, [mirrored(*exon) for exon in reversed(EXONS)], reverse=True), cds=CDS)
MIRRORED = {B38: InMemoryReference({CHR1: [(mirrored(100, 160)[0], reverse_complement(BASES))]})}


def projected(text, known=FORWARD, references=REFERENCES, **options):
    said = description_of_spdi(text, parse_spdi_of_any(text)) if text.count(":") == 3 else read_syntax(text)
    return Projector(InMemoryTranscripts([known]), references, **options).project(said)


def change(text, known=FORWARD, references=REFERENCES):
    found = projected(text, known, references).changes[B38]
    return found.position, found.deleted, found.inserted


def reason(text, known=FORWARD, references=REFERENCES, **options):
    with pytest.raises(CannotNormalize) as caught:
        projected(text, known, references, **options)
    assert text[:100] in caught.value.diagnostics
    return caught.value.reason


WRITTEN = [
    # substitutions in every part of the transcript
    ("c.1A>G", (106, "A", "G")),
    ("c.6T>C", (111, "T", "C")),
    ("c.7G>A", (120, "G", "A")),
    ("c.21A>C", (144, "A", "C")),
    ("c.-4G>T", (102, "G", "T")),
    ("c.-1C>T", (105, "C", "T")),
    ("c.*1A>T", (145, "A", "T")),
    ("c.*7C>A", (151, "C", "A")),
    ("n.1G>A", (102, "G", "A")),
    ("n.11G>A", (120, "G", "A")),
    ("n.32C>A", (151, "C", "A")),
    # introns
    ("c.6+1A>G", (112, "A", "G")),
    ("c.6+8A>C", (119, "A", "C")),
    ("c.7-1A>C", (119, "A", "C")),
    ("c.7-8A>C", (112, "A", "C")),
    ("c.16+2A>G", (131, "A", "G")),
    ("n.20+2A>G", (131, "A", "G")),
    ("n.21-1A>C", (139, "A", "C")),
    # deletions
    ("c.7del", (120, "G", "")),
    ("c.7delG", (120, "G", "")),
    ("c.7_9del", (120, "GGA", "")),
    ("c.7_9delGGA", (120, "GGA", "")),
    ("c.7_9del3", (120, "GGA", "")),
    ("c.6_6+2del", (111, "TAA", "")),
    ("c.6+7_7del", (118, "TAG", "")),
    ("c.6_7del", (111, "TAAGTCCTAG", "")),
    ("c.-1_1del", (105, "CA", "")),
    ("c.21_*1del", (144, "AA", "")),
    # duplications
    ("c.7dup", (121, "", "G")),
    ("c.7dupG", (121, "", "G")),
    ("c.7_9dup", (123, "", "GGA")),
    ("c.7_9dup3", (123, "", "GGA")),
    ("c.6+1dup", (113, "", "A")),
    # insertions
    ("c.7_8insTT", (121, "", "TT")),
    ("c.6+1_6+2insC", (113, "", "C")),
    ("c.6_6+1insC", (112, "", "C")),
    ("c.7-1_7insC", (120, "", "C")),
    ("c.6+4_7-4insC", (116, "", "C")),
    ("c.-1_1insAC", (106, "", "AC")),
    ("c.21_*1insAC", (145, "", "AC")),
    # the rest
    ("c.7_9delinsTT", (120, "GGA", "TT")),
    ("c.7_9delGGAinsTT", (120, "GGA", "TT")),
    ("c.7_9inv", (120, "GGA", "TCC")),
    ("c.7_9invGGA", (120, "GGA", "TCC")),
    ("c.7=", (120, "G", "G")),
    ("c.7_9=", (120, "GGA", "GGA")),
    ("c.7G=", (120, "G", "G")),
    ("c.[7G>A]", (120, "G", "A")),
]


@pytest.mark.parametrize(("description", "expected"), WRITTEN)
def test_a_description_says_what_happens_to_the_chromosome(description, expected):
    assert change(f"NM_1.1:{description}") == expected


@pytest.mark.parametrize(("description", "expected"), WRITTEN)
def test_the_other_strand_mirrors_it(description, expected):
    position, deleted, inserted = expected
    # A copy stands after the copied bases, and after is before on the other strand.
    at = position - len(inserted) if "dup" in description else position
    start, _ = mirrored(at, at + len(deleted))
    mirror = (start, reverse_complement(deleted), reverse_complement(inserted))
    assert change(f"NM_1.1:{description}", REVERSE, MIRRORED) == mirror


@pytest.mark.parametrize(
    ("spdi", "hgvs"),
    [
        ("NM_1.1:10:G:A", "n.11G>A"),
        ("NM_1.1:10:1:A", "n.11G>A"),
        (" nm_1.1:10:g:a ", "n.11G>A"),
        ("NM_1.1:10:GGA:", "n.11_13del"),
        ("NM_1.1:10:3:", "n.11_13del"),
        ("NM_1.1:11::TT", "n.11_12insTT"),
        ("NM_1.1:11:0:TT", "n.11_12insTT"),
        ("NM_1.1:10:GGA:TT", "n.11_13delinsTT"),
        ("NM_1.1:10:G:G", "n.11="),
    ],
)
def test_spdi_on_a_transcript_counts_from_zero(spdi, hgvs):
    for known, references in ((FORWARD, REFERENCES), (REVERSE, MIRRORED)):
        assert change(spdi, known, references) == change(f"NM_1.1:{hgvs}", known, references)


def test_spdi_may_insert_before_the_first_base_and_after_the_last():
    assert change("NM_1.1:0::TT") == (102, "", "TT")
    assert change("NM_1.1:32::TT") == (152, "", "TT")
    assert change("NM_1.1:0::TA", REVERSE, MIRRORED) == (mirrored(102, 102)[0], "", "TA")


def test_names_of_genes_and_blanks_do_not_matter():
    for text in ("NM_1.1(BRCA1):c.7G>A", " nm_1.1:c.7g>a ", "NM_1.1 : c.7G>A"):
        assert change(text) == (120, "G", "A")
    assert change("NM_1.1:c.6 1A>G") == (112, "A", "G")


# --- an edit of the transcript is that edit of its bases --------------------------------------------------------------


def spliced(sequence, offset, known):
    place = known.alignments[B38]
    parts = (sequence[exon.start - offset : exon.end - offset] for exon in place.exons)
    return "".join(reverse_complement(part) if place.reverse else part for part in parts)


@st.composite
def edits(draw):
    """Return an edit within one exon: HGVS with n. positions, and the transcript after it."""
    low, high = draw(st.sampled_from([(0, 10), (10, 20), (20, 32)]))
    start = draw(st.integers(low, high - 1))
    end = draw(st.integers(start + 1, high))
    new = draw(st.text("ACGT", min_size=1, max_size=5))
    kind = draw(st.sampled_from(["del", "dup", "inv", "delins", "ins", "sub", "="]))
    there = CDNA[start:end]
    place = f"{start + 1}_{end}" if end - start > 1 else str(end)
    if kind == "sub":
        return f"n.{start + 1}{CDNA[start]}>{new[0]}", CDNA[:start] + new[0] + CDNA[start + 1 :]
    if kind == "ins":
        at = draw(st.integers(low + 1, high - 1))
        return f"n.{at}_{at + 1}ins{new}", CDNA[:at] + new + CDNA[at:]
    stated = there if draw(st.booleans()) else ""
    after = {"del": "", "dup": 2 * there, "inv": reverse_complement(there), "delins": new, "=": there}[kind]
    text = f"del{stated}ins{new}" if kind == "delins" else f"{stated}=" if kind == "=" else f"{kind}{stated}"
    return f"n.{place}{text}", CDNA[:start] + after + CDNA[end:]


@settings(max_examples=300)
@given(edits(), st.sampled_from([(FORWARD, REFERENCES), (REVERSE, MIRRORED)]))
def test_the_changed_chromosome_has_the_changed_transcript(edit, strand):
    description, expected = edit
    known, references = strand
    offset = 100 if known is FORWARD else mirrored(100, 160)[0]
    sequence = references[B38].fetch(CHR1, offset, offset + 60)
    position, deleted, inserted = change(f"NM_1.1:{description}", known, references)
    assert sequence[position - offset : position - offset + len(deleted)] == deleted
    grown = len(inserted) - len(deleted)
    after = sequence[: position - offset] + inserted + sequence[position - offset + len(deleted) :]
    moved = [
        (start + (grown if start > position else 0), end + (grown if end >= position + len(deleted) else 0))
        for start, end in ((exon.start, exon.end) for exon in known.alignments[B38].exons)
    ]
    parts = [after[start - offset : end - offset] for start, end in moved]
    assert "".join(reverse_complement(part) if known is REVERSE else part for part in parts) == expected


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("c.22A>G", "the coding region of NM_1.1 has 21 bases; positions after it are written c.*1, c.*2"),
        ("c.0A>G", "there is no position 0"),
        ("c.*0A>G", "there is no position 0"),
        ("n.0A>G", "n. positions count from 1"),
        ("c.5+1A>G", "an offset counts from the first or the last base of an exon"),
        ("c.6-1A>G", "an offset counts from the first or the last base of an exon"),
        ("c.7+1A>G", "an offset counts from the first or the last base of an exon"),
        ("c.*7+1A>G", "there is no intron beyond the ends of the transcript"),
        ("c.-4-1A>G", "there is no intron beyond the ends of the transcript"),
        ("c.*9+1A>G", "an offset counts from the first or the last base of an exon"),
        ("c.6+9A>G", "the intron has 8 bases only"),
        ("c.7-9A>G", "the intron has 8 bases only"),
        ("c.-20000A>G", "it lies more than 10,000 bases from NM_1.1"),
        ("c.*20000A>G", "it lies more than 10,000 bases from NM_1.1"),
        ("c.9_7del", "the range ends before it starts"),
        ("c.7_6+2del", "the range ends before it starts"),
        ("c.7insA", "an insertion stands between two neighbouring bases"),
        ("c.7_9insA", "an insertion stands between two neighbouring bases"),
        ("c.6+1_6+4insA", "an insertion stands between two neighbouring bases"),
        ("c.6_7insA", "two exons meet there, so that it has no single place on the chromosome"),
        ("c.7_9delGG", "it states 2 base(s) for a range of 3"),
        ("c.7_9del4", "it states 4 base(s) for a range of 3"),
        ("c.7C>A", "the reference has G there, not C"),
        ("c.7_9delGGC", "the reference has GGA there, not GGC"),
        ("c.7_9dupGGC", "the reference has GGA there, not GGC"),
        ("c.7_9delGGCinsA", "the reference has GGA there, not GGC"),
        ("c.7_9invGGC", "the reference has GGA there, not GGC"),
        ("c.7A=", "the reference has G there, not A"),
        ("c.6+1C>T", "the reference has A there, not C"),
        ("c.7G>R", "it may name the bases A, C, G, T and N only"),
        ("c.7_9copy2", "copy numbers and conversions are not supported"),
        ("c.(7_9)del", "uncertain positions have no single place"),
        ("c.(5_7)_(9_10)del", "uncertain positions have no single place"),
        ("c.6+?_7-?del", "uncertain positions have no single place"),
        ("c.?", "uncertain positions have no single place"),
        ("c.[7G>A;9A>C]", "alleles and repeats in brackets are not supported"),
        ("c.7G[4]", "alleles and repeats in brackets are not supported"),
        ("r.7g>a", "a change of RNA does not say what the DNA is"),
        ("p.Gly3Ala", "a protein change does not say which bases change"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(description, expected):
    for known, references in ((FORWARD, REFERENCES), (REVERSE, MIRRORED)):
        assert expected in reason(f"NM_1.1:{description}", known, references)


@pytest.mark.parametrize(
    "description", ["c.7", "c.G>A", "c.7G>", "c.7G<A", "7G>A", "c.7+G>A", "c.=", "c.7del5A", "x.7G>A", "c.(7G>A"]
)
def test_what_is_no_hgvs_is_unreadable(description):
    with pytest.raises(UnreadableVariant):
        projected(f"NM_1.1:{description}")


def test_positions_of_a_chromosome_are_none_of_a_transcript():
    assert reason("NC_000001.11:c.7G>A") == "c. positions count along a transcript, not a chromosome"
    assert reason("NM_1.1:g.7G>A") == "g. positions count along a chromosome"


def test_a_transcript_without_coding_region_has_no_c_positions():
    known = transcript("NR_1.1", alignment(B38, EXONS))
    assert reason("NR_1.1:c.7G>A", known) == "NR_1.1 has no known coding region; use n."
    assert change("NR_1.1:n.11G>A", known) == (120, "G", "A")


# --- transcripts that are not there -----------------------------------------------------------------------------------

VERSIONS = [transcript(f"NM_1.{version}", alignment(B38, EXONS), cds=CDS) for version in (2, 10)]


def missing(text, **options):
    with pytest.raises(CannotNormalize) as caught:
        Projector(InMemoryTranscripts(VERSIONS), REFERENCES, **options).project(read_syntax(text))
    return caught.value.reason


def test_an_unknown_version_is_refused_with_the_known_ones():
    assert missing("NM_1.3:c.7G>A") == "transcript NM_1.3 is not loaded; known versions: NM_1.2, NM_1.10"


def test_a_missing_version_is_refused_with_the_known_ones():
    assert missing("NM_1:c.7G>A") == "transcript NM_1 needs its version; known versions: NM_1.2, NM_1.10"


@pytest.mark.parametrize("fallback", [False, True])
def test_an_unknown_transcript_is_refused(fallback):
    expected = "transcript NM_2.1 is not loaded; known versions: none"
    assert missing("NM_2.1:c.7G>A", version_fallback=fallback) == expected


@pytest.mark.parametrize("accession", ["NM_1.3", "NM_1"])
def test_the_newest_version_stands_in_only_if_that_is_asked_for(accession):
    projector = Projector(InMemoryTranscripts(VERSIONS), REFERENCES, version_fallback=True)
    found = projector.project(read_syntax(f"{accession}:c.7G>A"))
    assert found.changes == {B38: Spdi(CHR1, 120, "G", "A")}
    assert found.note == f"transcript {accession} is not loaded; NM_1.10 was used"
    assert projector.project(read_syntax("NM_1.2:c.7G>A")).note is None


def test_the_stand_in_is_told_with_the_identity():
    placer = Placer(REFERENCES, Liftover())
    known = InMemoryTranscripts(VERSIONS)
    assert identify("NM_1.2:c.7G>A", placer, known).note is None
    found = Identifier(placer, known, size=5, version_fallback=True).identify("NM_1.3:c.7G>A")
    assert found.note == "transcript NM_1.3 is not loaded; NM_1.10 was used"
    with pytest.raises(CannotNormalize):
        identify("NM_1.3:c.7G>A", placer, known)


# --- a chromosome before the transcript -------------------------------------------------------------------------------

ON_BOTH = transcript(
    "NM_1.1", alignment(B38, EXONS), alignment(B37, [(start + 50, end + 50) for start, end in EXONS]), cds=CDS
)
BOTH = REFERENCES | {B37: InMemoryReference({"NC_000001.10": [(150, BASES)]})}


def test_a_chromosome_before_the_transcript_chooses_the_build():
    assert set(projected("NM_1.1:c.6+1A>G", ON_BOTH, BOTH).changes) == {B37, B38}
    found = projected("NC_000001.10(NM_1.1):c.6+1A>G", ON_BOTH, BOTH)
    assert found.changes == {B37: Spdi("NC_000001.10", 162, "A", "G")}


def test_a_chromosome_that_the_transcript_is_not_on_is_refused():
    found = reason("NC_000002.12(NM_1.1):c.6+1A>G", ON_BOTH, BOTH)
    assert found == "transcript NM_1.1 has no known place on NC_000002.12"
    with pytest.raises(UnknownRefSeq):
        projected("NG_005905.2(NM_1.1):c.6+1A>G", ON_BOTH, BOTH)


# --- beyond the ends --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("c.-5T>A", (101, "T", "A")),
        ("c.-6_-5del", (100, "TT", "")),
        ("c.*8G>A", (152, "G", "A")),
        ("n.34G>A", (153, "G", "A")),
    ],
)
def test_positions_before_and_after_the_transcript_go_on_along_the_chromosome(description, expected):
    for known, references in ((FORWARD, REFERENCES), (REVERSE, MIRRORED)):
        found = projected(f"NM_1.1:{description}", known, references)
        assert found.note == "the position is not within NM_1.1; it was counted on along the chromosome"
    assert change(f"NM_1.1:{description}") == expected


def test_what_hgvs_refuses_to_map_is_refused_in_our_words():
    torn = transcript(
        "NM_6.1", Alignment(B38, 1, CHR1, False, (Exon(102, 112, 0, 10), Exon(120, 130, 12, 22))), cds=(0, 21)
    )
    assert reason("NM_6.1:c.5A>G", torn).startswith("its positions cannot be mapped to NC_000001.11: AlignmentMapper(")


def test_positions_may_not_leave_the_chromosome():
    known = transcript("NM_2.1", alignment(B38, [(3, 13)]), cds=(0, 9))
    assert "is not within NC_000001.11" in reason("NM_2.1:c.-4A>G", known, {})


# --- sequence that is not loaded --------------------------------------------------------------------------------------


@pytest.mark.parametrize("references", [{}, {B38: NoReference()}, {B37: REFERENCES[B38]}])
def test_what_states_its_bases_does_without_the_sequence(references):
    for description in (
        "c.7G>A",
        "c.6+1A>G",
        "c.7_9delGGA",
        "c.7_9dupGGA",
        "c.7_9delGGAinsT",
        "c.7_8insTT",
        "c.7G=",
        "c.7_9invGGA",
    ):
        assert change(f"NM_1.1:{description}", FORWARD, references) == change(f"NM_1.1:{description}")
        assert change(f"NM_1.1:{description}", REVERSE, references) == change(
            f"NM_1.1:{description}", REVERSE, MIRRORED
        )


@pytest.mark.parametrize("edit", ["del", "dup", "inv", "=", "delinsA", "del3", "dup3"])
def test_what_does_not_state_its_bases_needs_the_sequence(edit):
    expected = "it needs the sequence of NC_000001.11 at [120, 123), which is not loaded"
    assert reason(f"NM_1.1:c.7_9{edit}", FORWARD, {}) == expected


def test_an_unverified_substitution_is_placed_as_such():
    placer = Placer({}, Liftover())
    found = identify("NM_1.1:c.7G>A", placer, InMemoryTranscripts([ON_BOTH])).placement
    assert (found.spdi37, found.spdi38) == (Spdi("NC_000001.10", 170, "G", "A"), Spdi(CHR1, 120, "G", "A"))
    assert found.status is LiftStatus.UNVERIFIED


def test_the_build_whose_sequence_is_loaded_decides():
    only37 = {B37: BOTH[B37]}
    assert projected("NM_1.1:c.7_9del", ON_BOTH, only37).changes == {B37: Spdi("NC_000001.10", 170, "GGA", "")}
    assert reason("NM_1.1:c.7C>A", ON_BOTH, only37) == "the reference has G there, not C"
    found = identify("NM_1.1:c.7_9del", Placer(only37, Liftover()), InMemoryTranscripts([ON_BOTH])).placement
    assert found.justified
    assert str(found.canonical) == "NC_000001.10:169:AGGA:A"


def test_more_than_a_million_unspelled_bases_are_refused():
    known = transcript("NM_2.1", alignment(B38, [(1000, 1010), (2_000_000, 2_000_010)]), cds=(0, 20))
    assert "more than 1,000,000 bases" in reason("NM_2.1:c.10_11del", known, REFERENCES)


# --- transcript and chromosome differ ---------------------------------------------------------------------------------

#          exon of 9 bases: ACGTT TGCA; the transcript has ACG[AA]TT(T)GCA with two bases more and one less
GAPPED = transcript("NM_2.1", alignment(B38, [(300, 309)], gaps={0: "3=2D2=1I3="}), cds=(0, 9))
GAPPED_REVERSE = transcript(
    "NM_2.1", alignment(B38, [mirrored(300, 309)], reverse=True, gaps={0: "3=2D2=1I3="}), cds=(0, 9)
)
GAP_BASES = "GGACGTTTGCAGG"
AROUND_GAP = {B38: InMemoryReference({CHR1: [(298, GAP_BASES)]})}
AROUND_MIRRORED_GAP = {B38: InMemoryReference({CHR1: [(mirrored(298, 311)[0], reverse_complement(GAP_BASES))]})}


def across(description):
    """Return the trimmed change of the gapped exon, checked to be the same on either strand."""
    found = change(f"NM_2.1:{description}", GAPPED, AROUND_GAP)
    other = change(f"NM_2.1:{description}", GAPPED_REVERSE, AROUND_MIRRORED_GAP)
    start, _ = mirrored(found[0], found[0] + len(found[1]))
    assert other == (start, reverse_complement(found[1]), reverse_complement(found[2]))
    return found


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("n.3G>C", (302, "G", "C")),
        ("n.6T>C", (303, "T", "C")),
        ("n.8G>C", (306, "G", "C")),
        ("n.7_8del", (304, "TTG", "")),
        ("n.7_8delinsCC", (304, "TTG", "CC")),
        ("n.7_8insA", (304, "TTG", "TAG")),
        ("n.7_8insT", (305, "T", "T")),
        ("n.7_8=", (304, "TTG", "TG")),
        ("n.4_5delAA", (302, "GT", "GT")),
        ("n.4_5delinsCC", (302, "GT", "GCCT")),
        ("n.4_5dupAA", (302, "GT", "GAAAAT")),
        ("n.4_5invAA", (302, "GT", "GTTT")),
        ("n.4_5AA=", (302, "GT", "GAAT")),
        ("n.3_6delinsC", (302, "GT", "C")),
    ],
)
def test_a_change_at_a_gap_makes_the_chromosome_the_changed_transcript(description, expected):
    assert across(description) == expected


@pytest.mark.parametrize("description", ["n.4A>C", "n.4del", "n.4_5dup", "n.4_5=", "n.5_6insC", "n.4_5inv"])
def test_bases_that_only_the_transcript_has_are_not_known(description):
    expected = r"it needs the sequence of NM_2\.1 at \[[2-5], [4-6]\), which is not loaded, or not on the chromosome"
    with pytest.raises(CannotNormalize, match=expected):
        change(f"NM_2.1:{description}", GAPPED, AROUND_GAP)


@pytest.mark.parametrize("description", ["n.7_8delTC", "n.7_8delTCinsA", "n.7_8dupAG", "n.7_8TC="])
def test_stated_bases_are_checked_at_a_gap_where_they_are_known(description):
    assert "the reference has TG there, not" in reason(f"NM_2.1:{description}", GAPPED, AROUND_GAP)


def test_a_gap_needs_the_sequence_of_the_chromosome():
    assert "is not loaded" in reason("NM_2.1:n.7_8del", GAPPED, {})


def test_unaligned_ends_have_no_place():
    known = transcript("NM_3.1", alignment(B38, [(102, 112), (120, 130)], gaps={1: "3D10="}), cds=(0, 23))
    assert "have no place on NC_000001.11" in reason("NM_3.1:n.12del", known)
    assert "have no place on NC_000001.11" in reason("NM_3.1:n.11-1A>C", known)
    assert change("NM_3.1:n.14G>A", known) == (120, "G", "A")


def test_a_build_with_the_stated_bases_is_believed():
    differs = BASES[:20] + "A" + BASES[21:]
    references = REFERENCES | {B37: InMemoryReference({"NC_000001.10": [(150, differs)]})}
    assert projected("NM_1.1:c.7G>T", ON_BOTH, references).changes == {B38: Spdi(CHR1, 120, "G", "T")}
    assert projected("NM_1.1:c.7A>T", ON_BOTH, references).changes == {B37: Spdi("NC_000001.10", 170, "A", "T")}
    assert reason("NM_1.1:c.7C>T", ON_BOTH, references) == "the reference has G there, not C"


def test_a_reference_that_has_the_inserted_bases_is_not_changed():
    found = projected("NM_1.1:c.7A>G", ON_BOTH, BOTH)
    assert found.changes == {B37: Spdi("NC_000001.10", 170, "G", "G"), B38: Spdi(CHR1, 120, "G", "G")}
    assert found.note == "the reference has the inserted bases there already, so this is no change of it"
    assert projected("NM_1.1:c.7_8delTTinsGG").changes == {B38: Spdi(CHR1, 120, "GG", "GG")}


def test_questions_with_swapped_bases_are_refused_and_not_answered_as_absent(tmp_path):
    in_genome = Genome(REFERENCES, Liftover(), InMemoryTranscripts([FORWARD]))
    context = OperationContext(Settings(), Database(f"sqlite:///{tmp_path / 'x.db'}"), in_genome, {})
    with pytest.raises(CannotNormalize, match="the reference has the inserted bases there already"):
        context.identify("NM_1.1:c.7A>G")
    assert context.identify("NM_1.1:c.7=").canonical == Spdi(CHR1, 120, "G", "G")
    context.close()


# --- both builds ------------------------------------------------------------------------------------------------------

SHIFT = 5_000
SHARED = bases(3, 600)
TWO = transcript(
    "NM_4.1",
    alignment(B37, [(1100, 1150), (1200, 1260), (1300, 1340)], reverse=True),
    alignment(B38, [(6100, 6150), (6200, 6260), (6300, 6340)], reverse=True),
    cds=(10, 130),
)


def opened(blocks, sequence37=SHARED, sequence38=SHARED, *known):
    made = genome(blocks, {B37: [(1000, sequence37)], B38: [(6000, sequence38)]})
    return Genome(made.references, made.liftover, InMemoryTranscripts(known or [TWO]))


def found_by(text, in_genome):
    return identify(text, in_genome.placer, in_genome.transcripts).placement


WHOLE = [Block(900, 5900, 800)]
EVERY_KIND = [
    "c.5del",
    "c.5_6dup",
    "c.7_8insACG",
    "c.30+4_30+6del",
    "c.12_15inv",
    "c.20_22delinsAA",
    "c.5=",
    "c.-3del",
    "c.*2dup",
]


@pytest.mark.parametrize("description", EVERY_KIND)
def test_transcript_and_chromosomes_name_the_same_variant(description):
    in_genome = opened(WHOLE)
    found = found_by(f"NM_4.1:{description}", in_genome)
    assert found.status is LiftStatus.OK
    assert found.justified
    for spdi in (found.spdi37, found.spdi38):
        assert found_by(str(spdi), in_genome) == found


@pytest.mark.parametrize("description", EVERY_KIND)
def test_the_places_of_a_transcript_stand_in_for_a_missing_chain(description):
    expected, found = (found_by(f"NM_4.1:{description}", opened(blocks)) for blocks in (WHOLE, []))
    assert (found.spdi37, found.spdi38, found.status) == (expected.spdi37, expected.spdi38, LiftStatus.OK)


def test_where_liftover_leads_elsewhere_each_build_keeps_what_the_transcript_says():
    found = found_by("NM_4.1:c.5del", opened([Block(1100, 6000, 700)]))
    expected = found_by("NM_4.1:c.5del", opened(WHOLE))
    assert (found.spdi37, found.spdi38) == (expected.spdi37, expected.spdi38)


def test_without_the_other_sequence_liftover_is_believed():
    in_genome = opened(WHOLE)
    partly = Genome({B38: in_genome.references[B38]}, in_genome.liftover, in_genome.transcripts)
    found = found_by("NM_4.1:c.5del", partly)
    assert found.status is LiftStatus.UNVERIFIED
    assert found == identify(str(found.spdi38), partly.placer).placement


def test_a_base_that_differs_between_the_builds_is_the_builds_own():
    at = 6320  # on the minus strand, in the first exon
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    changed = SHARED[: at - 6000] + other[SHARED[at - 6000]] + SHARED[at - 6000 + 1 :]
    n = 6340 - at
    stated = reverse_complement(changed[at - 6000])
    inserted = next(base for base in "ACGT" if base not in (stated, reverse_complement(SHARED[at - 6000])))
    found = found_by(f"NM_4.1:n.{n}{stated}>{inserted}", opened(WHOLE, SHARED, changed))
    assert found.status is LiftStatus.REF_CHANGED
    assert (found.spdi37.deleted, found.spdi38.deleted) == (SHARED[at - 6000], changed[at - 6000])
    assert found.spdi37.inserted == found.spdi38.inserted == reverse_complement(inserted)


def test_of_the_copies_of_a_pseudoautosomal_region_x_counts():
    known = transcript(
        "NM_5.1",
        alignment(B37, [(1_000_000, 1_000_010)], contig=23),
        alignment(B38, [(1_000_000, 1_000_010)], contig=24),
        cds=(0, 9),
    )
    assert projected("NM_5.1:c.1A>G", known, {}).changes == {B37: Spdi("NC_000023.10", 1_000_000, "A", "G")}


def test_a_transcript_on_different_chromosomes_counts_on_the_newer_build():
    known = transcript("NM_5.1", alignment(B37, [(1000, 1010)], contig=2), alignment(B38, [(1000, 1010)]), cds=(0, 9))
    assert set(projected("NM_5.1:c.1A>G", known, {}).changes) == {B38}


def test_mitochondrial_transcripts_have_one_place():
    known = transcript(
        "ENST1.1", alignment(B37, [(100, 110)], contig=25), alignment(B38, [(100, 110)], contig=25), cds=(0, 9)
    )
    references = {B38: InMemoryReference({"NC_012920.1": [(0, bases(1, 16_569))]})}
    placer = Placer(references, Liftover())
    base = references[B38].fetch("NC_012920.1", 100, 101) or ""
    found = identify(f"ENST1.1:c.1{base}>N", placer, InMemoryTranscripts([known])).placement
    assert found.spdi37 == found.spdi38 == Spdi("NC_012920.1", 100, base, "N")
    assert found.status is LiftStatus.IDENTITY


def test_every_error_quotes_the_text():
    in_genome = opened(WHOLE)
    for text in ("NM_4.1:c.5_6delGGG", "NM_9.1:c.5del", "NM_4.1:5:GGGG:"):
        with pytest.raises(CannotNormalize) as caught:
            found_by(text, in_genome)
        assert caught.value.diagnostics.startswith(f"Cannot normalize variant: {text} (")


# --- through the operations -------------------------------------------------------------------------------------------


def test_the_operations_find_a_call_by_every_spelling(tmp_path):
    in_genome = opened(WHOLE)
    deletion = found_by("NM_4.1:c.5del", in_genome)
    start = deletion.spdi37.position - 1
    anchor = SHARED[start - 1000]
    record = f"chr1 {start + 1} . {anchor}{deletion.spdi37.deleted} {anchor}{deletion.spdi37.inserted} 50 PASS . GT 0/1"
    n = read_variant("NM_4.1:c.5del", in_genome.references, in_genome.transcripts).changes[0]
    spellings = (
        "NM_4.1:c.5del",
        "NM_4.1(GENE):c.5del",
        f"NM_4.1:n.{14 + 1}del",
        "NM_4.1:14:1:",
        "NC_000001.11(NM_4.1):c.5del",
        f"NC_000001.11:g.{n.position + 1}del",
        str(deletion.spdi37),
        str(deletion.spdi38),
    )
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, in_genome)
        store.ingest(vcf(record, build=B37), "P1", build=B37)
        assert [item.present for item in store.specific("P1", *spellings)] == [True] * len(spellings)
        assert [item.present for item in store.specific("P1", "NM_4.1:c.6_40del")] == [False]
        assert [found[1:3] for found in store.population(spellings[:3])] == [(1, 1)] * 3
        assert store.context.identify("NM_4.1:c.5del") == store.context.identify("NM_4.1:14:1:") == deletion
        asked = deletion.canonical
        assert store.in_range("P1", f"{asked.ref_seq}:{asked.position}-{asked.end}").present
        with pytest.raises(OperonError, match=r"transcript NM_9\.1 is not loaded"):
            store.specific("P1", "NM_9.1:c.5del")


def test_the_setting_decides_on_other_versions(tmp_path):
    in_genome = opened(WHOLE)
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        strict = SmallStore(database, tmp_path, in_genome).context
        lenient = SmallStore(database, tmp_path, in_genome, transcript_version_fallback=True).context
        assert lenient.identify("NM_4.7:c.5del") == strict.identify("NM_4.1:c.5del")
        with pytest.raises(CannotNormalize, match=r"known versions: NM_4\.1"):
            strict.identify("NM_4.7:c.5del")


# --- nothing but our own errors ---------------------------------------------------------------------------------------

NAMES = ["NM_1.1", "NM_2.1", "NR_1.1", "ENST1.1", "NC_000001.11", "NM_1.1:", "NM_1.1:c.", "NM_1.1:n."]
NUMBERS = ["0", "1", "6", "7", "9", "23", "99999999999", "6+1", "7-1", "6+9", "-4", "*5"]
WORDS = ["c.", "n.", "r.", "p.", "g.", "del", "ins", "dup", "inv", "con", "copy"]
PIECES = [*NAMES, *NUMBERS, *WORDS, *"ACgTNU():*-+_?[];=> é\0"]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_is_written_only_our_own_errors_come_back(text):
    known = InMemoryTranscripts([FORWARD, GAPPED])
    references = {B38: InMemoryReference({CHR1: [(100, BASES), (298, GAP_BASES)]})}
    problem = ""
    try:
        identify(text, Placer(references, Liftover()), known)
    except InvalidInput as error:
        problem = error.diagnostics
    assert len(problem) < 500


@settings(max_examples=300)
@given(
    st.sampled_from(["NM_1.1:c.", "NM_1.1:n.", "NM_2.1:n."]),
    st.lists(
        st.sampled_from(["1", "3", "4", "5", "6", "7", "8", "-1", "*1", "6+1", "7-1", "3+1", "99"]),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from(["del", "dup", "inv", "=", "G>A", "delinsAC", "insT", "delG", "dupA", "delAAinsC", "AA=", "del2"]),
)
def test_positions_at_every_border_are_answered_or_refused(start, positions, edit):
    known = InMemoryTranscripts([FORWARD, GAPPED])
    references = {B38: InMemoryReference({CHR1: [(100, BASES), (298, GAP_BASES)]})}
    text = start + "_".join(positions) + edit
    try:
        found = identify(text, Placer(references, Liftover()), known)
    except InvalidInput:
        return
    spdi = found.placement.canonical
    assert references[B38].fetch(CHR1, spdi.position, spdi.end) in (None, spdi.deleted)


# --- the data provider ------------------------------------------------------------------------------------------------


def test_bases_of_a_transcript_are_spliced_from_its_exons():
    for known, references in ((FORWARD, REFERENCES), (REVERSE, MIRRORED)):
        assert transcript_bases(known, references, 0, 32) == CDNA
        for start in range(33):
            for end in range(start, 33):
                assert transcript_bases(known, references, start, end) == CDNA[start:end]


def test_bases_across_a_gap_are_those_of_the_transcript():
    for known, references in ((GAPPED, AROUND_GAP), (GAPPED_REVERSE, AROUND_MIRRORED_GAP)):
        assert transcript_bases(known, references, 0, 3) == "ACG"
        assert transcript_bases(known, references, 5, 10) == "TTGCA"
        assert transcript_bases(known, references, 2, 6) is None
        assert transcript_bases(known, references, 0, 10) is None


def test_bases_come_from_whichever_build_has_them():
    assert transcript_bases(ON_BOTH, {B37: BOTH[B37]}, 0, 32) == CDNA
    assert transcript_bases(ON_BOTH, {}, 0, 32) is None


def provider(*known, references=REFERENCES):
    return LocalProvider(InMemoryTranscripts(known or [FORWARD]), references)


def test_the_provider_serves_the_mappers_of_hgvs():
    from hgvs.assemblymapper import AssemblyMapper
    from hgvs.parser import Parser

    parser = Parser()
    for known, references in ((FORWARD, REFERENCES), (REVERSE, MIRRORED)):
        mapper = AssemblyMapper(
            provider(known, references=references), assembly_name="GRCh38", alt_aln_method=ALIGNED, normalize=False
        )
        for description in ("c.7G>A", "c.7_9del", "c.7_9dup", "c.7_8insTT", "c.-1C>T", "c.*1A>T"):
            genomic = mapper.c_to_g(parser.parse_hgvs_variant(f"NM_1.1:{description}"))
            back = mapper.g_to_c(genomic, "NM_1.1")
            assert back.format({"max_ref_length": 0}) == f"NM_1.1:{description}"
            expected = read_variant(str(genomic), references).changes[0]
            assert (
                read_variant(f"NM_1.1:{description}", references, InMemoryTranscripts([known])).changes[0] == expected
            )


def test_the_provider_translates():
    from hgvs.assemblymapper import AssemblyMapper
    from hgvs.parser import Parser

    mapper = AssemblyMapper(provider(), assembly_name="GRCh38", alt_aln_method=ALIGNED, normalize=False)
    protein = mapper.c_to_p(parser_of(Parser, "NM_1.1:c.4C>T"))
    assert str(protein).endswith(":p.(Arg2Cys)")


def parser_of(parser, text):
    return parser().parse_hgvs_variant(text)


def test_the_provider_says_what_it_does_not_have():
    from hgvs.exceptions import HGVSDataNotAvailableError

    asked = provider()
    for question in (
        lambda: asked.get_seq("NM_9.1"),
        lambda: asked.get_seq("NC_000002.12", 5, 10),
        lambda: asked.get_seq("NP_000001.1"),
        lambda: asked.get_seq(CHR1),
        lambda: asked.get_tx_identity_info("NM_9.1"),
        lambda: asked.get_tx_exons("NM_1.1", "NC_000001.10", ALIGNED),
        lambda: asked.get_tx_info("NM_1.1", "NC_000001.10", ALIGNED),
        lambda: asked.get_tx_mapping_options("NM_9.1"),
    ):
        with pytest.raises(HGVSDataNotAvailableError):
            question()


def test_the_provider_answers_from_the_transcripts():
    asked = provider(ON_BOTH, references=BOTH)
    assert asked.get_seq("NM_1.1") == CDNA
    assert asked.get_seq("NM_1.1", 4, 7) == "ATG"
    assert asked.get_seq("NM_1.1", 30, 99) == "CC"
    assert asked.get_seq(CHR1, 106, 109) == "ATG"
    assert asked.get_seq("NC_000001.10", 156, 159) == "ATG"
    assert asked.get_tx_identity_info("NM_1.1")["lengths"] == [10, 10, 12]
    assert asked.get_tx_info("NM_1.1", CHR1, ALIGNED)["cds_start_i"] == 4
    assert [row["alt_ac"] for row in asked.get_tx_mapping_options("NM_1.1")] == ["NC_000001.11", "NC_000001.10"]
    assert [row["tx_ac"] for row in asked.get_tx_for_region(CHR1, ALIGNED, 102, 103)] == ["NM_1.1"]
    assert len(asked.get_tx_for_gene("GENE")) == 2
    assert asked.get_gene_info("gene")["hgnc"] == "GENE"
    assert asked.get_gene_info("other") is None
    assert asked.get_assembly_map("GRCh37")["NC_000001.10"] == "1"
    assert asked.get_similar_transcripts("NM_1.1") == []
    assert asked.get_pro_ac_for_tx_ac("NM_1.1") is None
    assert [len(name) for name in asked.get_acs_for_protein_seq("MA")] == [len("MD5_") + 32]
    assert asked.data_version() == ""


def test_exons_of_either_strand_come_in_the_order_of_the_chromosome():
    rows = provider(REVERSE).get_tx_exons("NM_1.1", CHR1, ALIGNED)
    assert [row["ord"] for row in rows] == [2, 1, 0]
    assert [row["alt_start_i"] for row in rows] == sorted(row["alt_start_i"] for row in rows)
    assert {row["alt_strand"] for row in rows} == {-1}


def test_reading_transcripts_imports_nothing_that_connects():
    program = """
import sys
from app.variants.identify import Identifier
from app.variants.liftover import Liftover
from app.variants.placement import Placer
from app.variants.transcripts import InMemoryTranscripts
from tests.unit.test_hgvs_transcripts import FORWARD, REFERENCES
Identifier(Placer(REFERENCES, Liftover()), InMemoryTranscripts([FORWARD]), size=1).identify("NM_1.1:c.7_9del")
found = {"hgvs.dataproviders.uta", "hgvs.dataproviders.seqfetcher", "psycopg2", "requests"} & set(sys.modules)
sys.exit(", ".join(sorted(found)) or 0)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_random_genomes_and_transcripts_agree_with_plain_splicing():
    picked = random.Random(11)
    for _ in range(30):
        sequence = "".join(picked.choices("ACGT", k=400))
        cuts = sorted(picked.sample(range(10, 390), 8))
        exons = [(1000 + low, 1000 + high) for low, high in zip(cuts[::2], cuts[1::2], strict=True)]
        reverse = picked.random() < 0.5
        known = transcript("NM_7.1", alignment(B38, exons, reverse=reverse))
        references = {B38: InMemoryReference({CHR1: [(1000, sequence)]})}
        plain = "".join(sequence[start - 1000 : end - 1000] for start, end in exons)
        plain = reverse_complement(plain) if reverse else plain
        assert transcript_bases(known, references, 0, known.length) == plain
        at = picked.randrange(known.length)
        other = next(base for base in "ACGT" if base != plain[at])
        position, deleted, inserted = change(f"NM_7.1:n.{at + 1}{plain[at]}>{other}", known, references)
        assert sequence[position - 1000] == deleted
        assert (reverse_complement(inserted) if reverse else inserted) == other
