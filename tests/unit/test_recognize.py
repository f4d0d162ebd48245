"""A reference file is recognized by what it holds, and what cannot be used is refused with what it really is."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pysam import FastaFile

from app.errors import BadFile
from app.records import Build
from app.variants.accessions import accession, length
from app.variants.known_slices import KNOWN_SLICES, Slice, SliceCheck
from app.variants.recognize import ChainFile, GeneFeatureFile, GeneNameFile, SequenceFile, TranscriptFile, recognize
from app.variants.reference import FastaReference, add_fasta
from tests import synthetic_chains
from tests.command_line import CommandLine

B37, B38 = Build.GRCH37, Build.GRCH38
SMALLEST = 21
"""The shortest chromosome"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "file.fa") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def chromosome(name: str, bases: int) -> str:
    return f">{name} some words\n{'N' * bases}\n"


def only(build: Build) -> SequenceFile:
    return SequenceFile(frozenset({build}))


@pytest.mark.parametrize("build", Build)
def test_an_accession_names_the_build(written: Callable[..., Path], build: Build) -> None:
    assert recognize(written(f">scaffold\nACGT\n>{accession(build, 17)}\nACGT\n")) == only(build)
    assert recognize(written(f">{accession(build, 17)}:100-103\nACGT\n")) == only(build)


@pytest.mark.parametrize("name", ["21", "chr21", "CHR21"])
@pytest.mark.parametrize("build", Build)
def test_a_name_of_both_builds_is_told_by_its_length(written: Callable[..., Path], build: Build, name: str) -> None:
    content = gzip.compress(chromosome(name, length(build, SMALLEST)).encode(), 1)
    assert recognize(written(content)) == only(build)


def test_the_mitochondrial_genome_is_of_both_builds_and_decides_nothing(written: Callable[..., Path]) -> None:
    assert recognize(written(chromosome("MT", 16_569))) == SequenceFile(frozenset(Build))
    hg19 = chromosome("chrM", 16_571) + chromosome("chr21", length(B37, SMALLEST))
    assert recognize(written(hg19)) == only(B37)


def test_windows_by_names_of_both_builds_are_undecided(written: Callable[..., Path]) -> None:
    assert recognize(written(">17:1-4\nACGT\n")) == SequenceFile(frozenset(Build), undecided="17:1-4")
    assert recognize(written(">17:1-4\nACGT\n>NC_000017.10:5-8\nACGT\n")) == only(B37)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"transcripts": {}}', TranscriptFile()),
        ("##gff-version 3\n", GeneFeatureFile()),
        (gzip.compress(b"##gff-version 3\n", mtime=0), GeneFeatureFile()),
        ("hgnc_id\tsymbol\tname\n", GeneNameFile()),
        (b"\xef\xbb\xbfhgnc_id\tsymbol\tname\n", GeneNameFile()),
    ],
)
def test_files_of_transcripts_and_genes_are_told_by_how_they_begin(
    written: Callable[..., Path], content: str | bytes, expected: object
) -> None:
    assert recognize(written(content)) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (">NC_000001.9\nACGT\n", "it is a chromosome of NCBI36"),
        (">NC_060925.1\nACGT\n", r"it is a chromosome of T2T-CHM13v2\.0"),
        (chromosome("chr21", 45_090_682), r"chromosome 21 has 45,090,682 bases, as in T2T-CHM13v2\.0"),
        (chromosome("21", 46_944_323), "as in NCBI3"),
        (">21\nACGT\n", "chromosome 21 has 4 bases, which no known assembly has"),
        (">chrUn_1\nACGT\n>alt\nACGT\n", "no chromosome of GRCh37 or GRCh38 but chrUn_1, alt"),
        ("##fileformat=VCFv4.3\n", "it is a VCF file"),
        (gzip.compress(b"##fileformat=VCFv4.3\n", mtime=0), "it is a VCF file"),
        (gzip.compress(b"BAM\x01", mtime=0), "it is a BAM file"),
        (b"\x1a\x41\x27\x43\0\0", "it is a 2bit file"),
        ("17\t100\t200\n", "it is no FASTA, chain, cdot or GFF3 file"),
        (b"", "it is no FASTA, chain, cdot or GFF3 file"),
        (gzip.compress(b">NC_000017.11\nACGT\n", mtime=0)[:-12], "damaged or cut off"),
        ("chain 1 1 10 + 0 5 1 20 + 0 5 1\n5\n", "no chromosomes of GRCh37 and GRCh38"),
    ],
)
def test_what_cannot_be_used_is_named(written: Callable[..., Path], content: str | bytes, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        recognize(written(content))


@pytest.mark.parametrize("source", Build)
@pytest.mark.parametrize("prefix", ["", "# a comment\n"])
def test_chains_tell_their_direction(written: Callable[..., Path], source: Build, prefix: str) -> None:
    text = prefix.encode() + synthetic_chains.text_of(source, synthetic_chains.Block(100, 50, 300))
    for content in (text, gzip.compress(text, mtime=0)):
        assert recognize(written(content)) == ChainFile(source, source.other, has_ucsc_names=False)


def test_chains_to_names_of_ucsc_are_noticed(written: Callable[..., Path]) -> None:
    text = synthetic_chains.text_of(B37, synthetic_chains.Block(100, 50, 300)).replace(
        b" 1 248956422", b" chr1 248956422"
    )
    assert recognize(written(text)) == ChainFile(B37, B38, has_ucsc_names=True)


def test_json_is_taken_for_transcripts(written: Callable[..., Path]) -> None:
    assert recognize(written(gzip.compress(b'{"transcripts": {}}', mtime=0))) == TranscriptFile()


# --- adding -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def test_files_of_several_kinds_are_added_at_once(operon: CommandLine, written: Callable[..., Path]) -> None:
    window = written(">NC_000017.10:101-104\nACGT\n", "window.fa")
    chains = written(synthetic_chains.text_of(B38, synthetic_chains.Block(100, 50, 300)), "b.chain")

    ended = operon.done("reference", "add", window, chains)

    assert ended.out == "window.fa: 1 sequences, 4 new bases of GRCh37\nb.chain: GRCh38 to GRCh37, 1 chains\n"
    assert FastaReference(operon.home / "reference" / "GRCh37").fetch("NC_000017.10", 100, 104) == "ACGT"


def test_another_build_than_the_one_named_is_refused(operon: CommandLine, written: Callable[..., Path]) -> None:
    ended = operon.run("reference", "add", written(">NC_000017.10:101-104\nACGT\n"), "--assembly", "GRCh38")

    assert ended.code == 65
    assert "it is of GRCh37, not of GRCh38. Add it with --assembly GRCh37" in ended.err
    assert not (operon.home / "reference" / "GRCh38" / "index.json").exists()


def test_undecided_windows_need_the_option(operon: CommandLine, written: Callable[..., Path]) -> None:
    window = written(">17:101-104\nACGT\n")

    assert "17:101-104 may be of either build. Say with --assembly" in operon.run("reference", "add", window).err
    assert operon.done("reference", "add", window, "--assembly", "GRCh37").out.endswith("4 new bases of GRCh37\n")


def test_names_of_ucsc_come_with_a_word_on_the_licence(operon: CommandLine, written: Callable[..., Path]) -> None:
    text = synthetic_chains.text_of(B37, synthetic_chains.Block(100, 50, 300)).replace(
        b" 1 248956422", b" chr1 248956422"
    )

    assert "non-commercial use only" in operon.done("reference", "add", written(text, "a.chain")).out


# --- slices -----------------------------------------------------------------------------------------------------------

BASES = "ACGTTGCA" * 500
KNOWN = Slice(1000, 1800, hashlib.md5(BASES[1000:1800].encode()).hexdigest())


@pytest.mark.parametrize("block", [1, 7, 400, 999, 5000])
def test_a_slice_is_found_whatever_the_blocks(block: int) -> None:
    def problem(bases: str) -> str | None:
        check = SliceCheck(KNOWN)
        blocks = range(0, len(bases), block)
        return next(filter(None, (check.take(at, bases[at : at + block].encode()) for at in blocks)), None)

    assert problem(BASES) is None
    assert "are not those of the assembly" in (problem(BASES[:1799] + "T" + BASES[1800:]) or "")
    assert "it is masked" in (problem(BASES[:1000] + "N" * 10 + BASES[1010:]) or "")
    assert problem("T" * 1000 + BASES[1000:1800] + "T") is None


def test_a_masked_chromosome_is_refused_whole(written: Callable[..., Path], tmp_path: Path) -> None:
    bases = length(B38, SMALLEST)
    path = written(f">21\n{BASES}{'N' * (bases - len(BASES))}\n")

    with pytest.raises(BadFile, match="bases 3,999 to 4,004 have N"):
        add_fasta(tmp_path / "38", B38, path, slices={accession(B38, SMALLEST): Slice(3998, 4004, "0" * 32)})

    assert not (tmp_path / "38" / "index.json").exists()


def test_known_slices_are_those_of_the_windows(shared: Path) -> None:
    checked = set()
    for build in Build:
        with FastaFile(str(shared / "data" / "seq" / f"windows.{build}.fa.gz")) as fasta:
            for name in fasta.references:
                ref_seq, first, last = re.split("[:-]", name)
                known, start = KNOWN_SLICES.get(ref_seq), int(first) - 1
                if known and start <= known.start and known.end <= int(last):
                    bases = fasta.fetch(name, known.start - start, known.end - start)
                    assert hashlib.md5(bases.encode()).hexdigest() == known.md5
                    checked.add(ref_seq)
    assert checked == set(KNOWN_SLICES)
