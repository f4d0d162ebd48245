"""Which gene, transcript and protein a variant is named by, in answers too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.operations.context import Genome
from app.records import Build
from app.store.session import Database
from app.variants.accessions import accession
from app.variants.naming import Namer, Names
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi, reverse_complement
from app.variants.transcript_files import TranscriptFiles, add_transcripts
from app.variants.transcripts import MANE_PLUS_CLINICAL, MANE_SELECT, InMemoryTranscripts, Representative, Transcript
from tests.small_store import SmallStore, component, migrated
from tests.synthetic_transcripts import alignment, cdot_place, cdot_record, transcript, write_cdot
from tests.two_builds import Block, bases, genome
from tests.vcf_files import vcf

B37, B38 = Build.GRCH37, Build.GRCH38
CHR1 = "NC_000001.11"
CODING = "ATG" + "GCTTGGAAAGATCTGCCC" + "TAA"
"""M A W K D L P, a stop codon"""
SEQUENCE = "CC" + "GG" + CODING[:10] + "GTAAGCCTTTAG" + CODING[10:] + "CA" + "GTCACC"
"""Bases from 1,000 on: two of nothing, an exon of 12, an intron of 12, an exon of 16, six of nothing"""
EXONS = [(1002, 1014), (1026, 1042)]
PLACE = alignment(B38, EXONS)
KNOWN = replace(transcript("NM_1.1", PLACE, cds=(2, 26)), protein="NP_1.1")
REFERENCE = {B38: InMemoryReference({CHR1: [(1000, SEQUENCE)]})}


def names(change: str, *known: Transcript, references=REFERENCE) -> Names | None:
    ref_seq, position, deleted, inserted = change.split(":")
    namer = Namer(InMemoryTranscripts(known or [KNOWN]), references)
    return namer.names(Spdi(ref_seq, int(position), deleted, inserted))


def named(change: str, *known: Transcript, references=REFERENCE) -> Names:
    found = names(change, *known, references=references)
    assert found is not None
    return found


def test_the_sequence_is_what_the_tests_count_on() -> None:
    spliced = "".join(SEQUENCE[start - 1000 : end - 1000] for start, end in EXONS)
    assert spliced == "GG" + CODING + "CA"


@pytest.mark.parametrize(
    ("change", "coding", "protein"),
    [
        ("1008:C:A", "c.5C>A", "p.(Ala2Asp)"),
        ("1009:T:C", "c.6T>C", "p.(Ala2=)"),
        ("1004:A:G", "c.1A>G", "p.(Met1?)"),
        ("1012:G:A", "c.9G>A", "p.(Trp3Ter)"),
        ("1014:G:A", "c.10+1G>A", "p.?"),
        ("1020:C:A", "c.11-6C>A", "p.?"),
        ("1025:G:A", "c.11-1G>A", "p.?"),
        ("1002:G:A", "c.-2G>A", "p.?"),
        ("1041:A:T", "c.*2A>T", "p.?"),
        ("1007:G:", "c.4del", "p.(Ala2LeufsTer?)"),
        ("1028:GATCTG:", "c.13_18del", "p.(Asp5_Leu6del)"),
        ("1028:GATCTG:GATCTGGATCTG", "c.13_18dup", "p.(Asp5_Leu6dup)"),
        ("1037:T:C", "c.22T>C", "p.(Ter8GlnextTer?)"),
    ],
)
def test_a_change_is_named_along_the_transcript_and_on_the_protein(change: str, coding: str, protein: str) -> None:
    found = named(f"{CHR1}:{change}")
    assert (found.coding, found.change, found.protein) == (f"NM_1.1:{coding}", protein, "NP_1.1")
    assert (found.gene, found.hgnc, found.transcript) == ("GENE", "HGNC:1", "NM_1.1")


def test_what_lies_beyond_every_transcript_has_no_names() -> None:
    assert names(f"{CHR1}:1001:C:A") is None
    assert names(f"{CHR1}:1042:G:A") is None
    assert names(f"{CHR1}:1001:CG:") is None
    assert names("NC_000001.10:1008:C:A") is None
    assert names("NC_000002.12:1008:C:A") is None


def test_the_names_of_the_other_strand_are_the_same() -> None:
    mirror = {B38: InMemoryReference({CHR1: [(1000, reverse_complement(SEQUENCE))]})}
    end = 2000 + len(SEQUENCE)
    known = replace(
        transcript(
            "NM_1.1", alignment(B38, [(end - high, end - low) for low, high in EXONS[::-1]], reverse=True), cds=(2, 26)
        ),
        protein="NP_1.1",
    )
    dice = random.Random(4)
    for _ in range(300):
        low = dice.randrange(1004, 1040)
        high = min(1040, low + dice.choice([1, 1, 2, 3]))
        deleted = SEQUENCE[low - 1000 : high - 1000]
        inserted = "".join(dice.choices("ACGT", k=len(deleted)))
        here = names(f"{CHR1}:{low}:{deleted}:{inserted}")
        there = names(
            f"{CHR1}:{end - high}:{reverse_complement(deleted)}:{reverse_complement(inserted)}",
            known,
            references=mirror,
        )
        assert here == there


def test_codons_are_enough_where_only_parts_of_the_sequence_are_loaded() -> None:
    part = {B38: InMemoryReference({CHR1: [(1007, SEQUENCE[7:10])]})}
    assert named(f"{CHR1}:1008:C:A", references=part).change == "p.(Ala2Asp)"
    assert named(f"{CHR1}:1007:G:", references=part).change is None
    assert named(f"{CHR1}:1012:G:A", references=part).change is None
    assert named(f"{CHR1}:1012:G:A", references={}).coding == "NM_1.1:c.9G>A"


def test_a_coding_region_that_is_not_whole_tells_no_frameshift() -> None:
    selenoprotein = replace(KNOWN, cds=(2, 23))
    assert named(f"{CHR1}:1007:G:", selenoprotein).change is None
    assert named(f"{CHR1}:1008:C:A", selenoprotein).change == "p.(Ala2Asp)"


def test_a_noncoding_transcript_names_positions_on_itself() -> None:
    found = named(f"{CHR1}:1008:C:A", transcript("NR_1.1", PLACE))
    assert (found.coding, found.protein, found.change) == ("NR_1.1:n.7C>A", None, None)


# --- which transcript stands for a gene -------------------------------------------------------------------------------

LONGER = [(1000, 1014), (1026, 1046)]


def variant_of(name: str, exons=EXONS, cds: tuple[int, int] | None = (2, 26), **changes) -> Transcript:
    return replace(transcript(name, alignment(B38, exons), cds=cds), **changes)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (variant_of("NM_1.1", mane=MANE_SELECT), variant_of("NM_2.1", LONGER, (4, 34))),
        (variant_of("NM_1.1", mane=MANE_SELECT), variant_of("NM_2.1", mane=MANE_PLUS_CLINICAL)),
        (variant_of("NM_1.1", mane=MANE_PLUS_CLINICAL), variant_of("NM_2.1", LONGER, (4, 34))),
        (variant_of("NM_1.1", mane=MANE_SELECT), variant_of("ENST2.1", LONGER, (4, 34), mane=MANE_SELECT)),
        (variant_of("NM_1.1"), variant_of("ENST2.1", LONGER, (4, 34))),
        (variant_of("ENST1.1"), variant_of("XM_2.1", LONGER, (4, 34))),
        (variant_of("NR_1.1", cds=None), variant_of("XM_2.1")),
        (variant_of("NM_1.1", LONGER, (4, 34)), variant_of("NM_2.1")),
        (variant_of("NM_1.1"), variant_of("NM_2.1", LONGER, (4, 25))),
        (variant_of("NM_1.1", LONGER), variant_of("NM_2.1")),
        (variant_of("NM_1.2"), variant_of("NM_1.1")),
        (variant_of("NM_2.1"), variant_of("NM_1.1")),
    ],
    ids=lambda item: item.accession,
)
def test_the_better_transcript_stands_for_its_gene(better: Transcript, worse: Transcript, tmp_path: Path) -> None:
    for known in ([better, worse], [worse, better]):
        assert [item.accession for item in InMemoryTranscripts(known).representatives(B38, 1)] == [better.accession]
    records = [as_cdot(item) for item in (worse, better)]
    add_transcripts(tmp_path, write_cdot(tmp_path / "given.json", *records))
    span = better.alignments[B38]
    assert TranscriptFiles(tmp_path).representatives(B38, 1) == [Representative(span.start, span.end, better.accession)]


def as_cdot(item: Transcript) -> dict:
    span = item.alignments[B38]
    exons = [[e.start, e.end, n, e.tx_start + 1, e.tx_end, None] for n, e in enumerate(span.exons)]
    tag = {"tag": item.mane} if item.mane else {}
    cds = {"start_codon": item.cds[0], "stop_codon": item.cds[1]} if item.cds else {}
    return cdot_record(item.accession, {B38: cdot_place(B38, exons, **tag)}, **cds)


def test_a_representative_follows_when_a_file_brings_a_better_one(tmp_path: Path) -> None:
    add_transcripts(tmp_path, write_cdot(tmp_path / "a.json", as_cdot(variant_of("NM_1.1"))))
    add_transcripts(tmp_path, write_cdot(tmp_path / "b.json", as_cdot(variant_of("NM_2.1", mane=MANE_SELECT))))
    assert [item.accession for item in TranscriptFiles(tmp_path).representatives(B38, 1)] == ["NM_2.1"]
    # The next file calls the first one the selected transcript, too: it is the newer word on a transcript that counts.
    add_transcripts(
        tmp_path, write_cdot(tmp_path / "c.json", as_cdot(variant_of("NM_1.1", LONGER, (4, 34), mane=MANE_SELECT)))
    )
    assert [item.accession for item in TranscriptFiles(tmp_path).representatives(B38, 1)] == ["NM_1.1"]


def test_genes_that_overlap_are_chosen_by_what_the_variant_touches() -> None:
    def of(gene: str, name: str, exons, cds=None, **changes) -> Transcript:
        return replace(transcript(name, alignment(B38, exons), cds=cds, gene=gene, hgnc=None), **changes)

    coding = of("CODING", "NM_1.1", EXONS, (2, 26))
    utr = of("UTR", "NM_2.1", [(1000, 1042), (1044, 1046)], (41, 44), mane=MANE_SELECT)
    intron = of("INTRON", "NM_3.1", [(990, 1000), (1044, 1060)], (0, 9), mane=MANE_SELECT)
    known = [intron, utr, coding]
    assert named(f"{CHR1}:1008:C:A", *known).gene == "CODING"
    assert named(f"{CHR1}:1014:G:A", *known).gene == "CODING"
    assert named(f"{CHR1}:1020:C:A", *known).gene == "UTR"
    assert named(f"{CHR1}:1043:T:A", *known).gene == "INTRON"
    # Alike in that, the better transcript decides.
    selected = of("SELECTED", "NM_4.1", EXONS, (2, 26), mane=MANE_SELECT)
    assert named(f"{CHR1}:1008:C:A", coding, selected).gene == "SELECTED"


def test_a_gap_of_the_alignment_has_no_names() -> None:
    gapped = transcript("NM_1.1", alignment(B38, [(1002, 1014), (1026, 1042)], gaps={1: "4=2I10="}))
    assert names(f"{CHR1}:1030:T:A", gapped) is None
    assert names(f"{CHR1}:1029:ATC:", gapped) is None
    assert named(f"{CHR1}:1032:C:A", gapped).coding == "NM_1.1:n.17C>A"
    lacking = transcript("NM_1.1", alignment(B38, [(1002, 1014), (1026, 1042)], gaps={1: "4=2D12="}))
    assert names(f"{CHR1}:1029:AT:", lacking) is None
    assert named(f"{CHR1}:1030:T:A", lacking).coding == "NM_1.1:n.19T>A"


# --- in answers -------------------------------------------------------------------------------------------------------

SHARED = bases(31, 400)
AT = 1004 + 60


@pytest.fixture
def in_genome() -> Genome:
    """Return a genome in which GRCh37 lies 500 bases ahead, with the coding exons in the middle of both."""
    sequence = SHARED[:60] + SEQUENCE[2:] + SHARED[60:]
    found = genome([Block(1500, 1000, len(sequence))], {B37: [(1500, sequence)], B38: [(1000, sequence)]})
    exons = [(start + 58, end + 58) for start, end in EXONS]
    known = replace(
        transcript(
            "NM_1.1",
            alignment(B38, exons),
            alignment(B37, [(start + 500, end + 500) for start, end in exons]),
            cds=(2, 26),
        ),
        protein="NP_1.1",
    )
    return Genome(found.references, found.liftover, InMemoryTranscripts([known]))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as opened:
        yield opened


def texts(variant: dict) -> list[str | None]:
    found = [component(variant, code) for code in ("81290-9", "48004-6", "48005-3")]
    return [item["valueCodeableConcept"]["coding"][0]["code"] if item else None for item in found]


@pytest.mark.parametrize("build", Build)
def test_answers_name_variants(in_genome: Genome, database: Database, tmp_path: Path, build: Build) -> None:
    ref_seq, ahead = accession(build, 1), 500 if build is B37 else 0
    store = SmallStore(database, tmp_path, in_genome)
    at = 1006 + 60 + ahead  # the base of c.5, zero-based
    lines = [
        f"chr1 {at + 1} . C A 50 PASS . GT 0/1",
        f"chr1 {at + 2} . T TT 50 PASS . GT 0/1",
        f"chr1 {at - 56} . {SHARED[9]} {'A' if SHARED[9] != 'A' else 'C'} 50 PASS . GT 0/1",
    ]
    store.ingest(vcf(*lines, build=build), "P1", build=build)
    outside, substitution, duplication = store.in_range("P1", f"{ref_seq}:{at - 100}-{at + 100}").variants
    assert texts(substitution) == [f"{ref_seq}:g.{at + 1}C>A", "NM_1.1:c.5C>A", "NP_1.1:p.(Ala2Asp)"]
    assert texts(duplication) == [f"{ref_seq}:g.{at + 3}dup", "NM_1.1:c.7dup", "NP_1.1:p.(Trp3LeufsTer?)"]
    assert texts(outside)[1:] == [None, None]
    assert component(outside, "48018-6") == {}
    assert component(substitution, "51958-7")["valueCodeableConcept"]["coding"][0]["code"] == "NM_1.1"
    assert component(substitution, "48018-6")["valueCodeableConcept"]["coding"][0]["display"] == "GENE"
    assert [texts(item) for item in store.specific("P1", "NM_1.1:c.5C>A")[0].variants] == [texts(substitution)]


def test_answers_do_not_name_what_may_lie_elsewhere(in_genome: Genome, database: Database, tmp_path: Path) -> None:
    bare = Genome({}, in_genome.liftover, in_genome.transcripts)
    store = SmallStore(database, tmp_path, bare)
    at = 1006 + 60 + 500
    lines = [f"chr1 {at + 1} . C A 50 PASS . GT 0/1", f"chr1 {at + 2} . T TT 50 PASS . GT 0/1"]
    store.ingest(vcf(*lines, build=B37), "P1", build=B37)
    substitution, insertion = store.in_range("P1", f"NC_000001.10:{at - 100}-{at + 100}").variants
    assert texts(substitution) == [f"NC_000001.10:g.{at + 1}C>A", "NM_1.1:c.5C>A", None]
    assert texts(insertion) == [None, None, None]


def test_names_are_those_of_the_build_whose_bases_were_compared(
    in_genome: Genome, database: Database, tmp_path: Path
) -> None:
    there = in_genome.transcripts.get("NM_1.1")
    assert there is not None
    shifted = alignment(B38, [(start + 1, end + 1) for start, end in [(1060, 1072), (1084, 1100)]])
    known = InMemoryTranscripts([replace(there, alignments={**there.alignments, B38: shifted})])
    at = 1006 + 60 + 500
    record = vcf(f"chr1 {at + 1} . C A 50 PASS . GT 0/1", build=B37)
    # With GRCh38 loaded its alignment counts, which is another one here; without it, that of the call's own build.
    for number, (references, expected) in enumerate(
        ((in_genome.references, "NM_1.1:c.4C>A"), ({B37: in_genome.references[B37]}, "NM_1.1:c.5C>A"))
    ):
        store = SmallStore(database, tmp_path, Genome(references, in_genome.liftover, known))
        store.ingest(record, f"P{number}", build=B37)
        (variant,) = store.in_range(f"P{number}", f"NC_000001.10:{at}-{at + 1}").variants
        assert texts(variant)[1] == expected
