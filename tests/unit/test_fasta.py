import gzip
from pathlib import Path

import pysam
import pytest

from app.errors import BadFile
from app.variants import fasta
from app.variants.fasta import Header, open_regular, read_fasta, sha256_of


def read(path: Path) -> list[tuple[str, int, str]]:
    """Return (name, line, bases) of every record."""
    records: list[list] = []
    with open_regular(path) as raw:
        for item in read_fasta(raw, path.name):
            if isinstance(item, Header):
                records.append([item.name, item.line_1based, ""])
            else:
                records[-1][2] += item.decode()
    return [tuple(record) for record in records]


@pytest.fixture
def write(tmp_path):
    def write(content: bytes, name: str = "a.fa") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7, 1 << 20])
def test_records_are_the_same_however_the_file_is_cut_into_blocks(write, monkeypatch, block):
    monkeypatch.setattr(fasta, "_BLOCK", block)
    path = write(b"\n>one two three\nACG\nT\n\n>two\r\nac\r\ngt\r\n>empty\n>last\nAC GT\tA")
    assert read(path) == [("one", 2, "ACGT"), ("two", 6, "ACGT"), ("empty", 9, ""), ("last", 10, "ACGTA")]


def test_a_header_may_end_the_file(write):
    assert read(write(b">x\nACGT\n>y z")) == [("x", 1, "ACGT"), ("y", 3, "")]


def test_case_is_dropped_and_ambiguity_codes_become_n(write):
    assert read(write(b">x\nacgtnACGTN\nRYSWKMBDHVryswkmbdhv\n")) == [("x", 1, "ACGTNACGTN" + "N" * 20)]


def test_gzip_and_bgzf_are_read_like_plain_text(write, tmp_path):
    text = b">x\n" + b"ACGTACGTAC\n" * 20_000
    expected = read(write(text))
    assert read(write(gzip.compress(text), "a.fa.gz")) == expected
    with pysam.BGZFile(str(tmp_path / "b.fa.gz"), "wb", index=None) as out:
        out.write(text)
    assert read(tmp_path / "b.fa.gz") == expected


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"ACGT\n", 1, "bases before the first '>' line"),
        (b"##fileformat=VCFv4.2\n", 1, "'#' is no letter of a DNA sequence"),
        (b">x\nACGT\nACZT\n", 3, "'Z' is no letter of a DNA sequence"),
        (b">x\nACGT\nAC>T\n", 3, "'>' is no letter of a DNA sequence"),
        (b">x\nACGU\n", 2, "'U' is no letter of a DNA sequence"),
        (b">x\nAC\xffT\n", 2, "is no letter of a DNA sequence"),
        (b">x\nACGT\n>\nACGT\n", 3, "the header names no sequence"),
        (b">x\nACGT\n>" + b"y" * 70_000, 3, "the header is longer than 64 KiB"),
    ],
)
def test_what_is_no_fasta_is_refused_with_its_line(write, content, line, problem):
    with pytest.raises(BadFile) as caught:
        read(write(content))
    assert caught.value.line_1based == line
    assert problem in caught.value.problem
    assert caught.value.diagnostics.startswith(f"a.fa, line {line}: ")


def test_a_gzip_file_that_is_cut_off_is_refused(write):
    whole = gzip.compress(b">x\n" + b"ACGTTGCA" * 5000)
    with pytest.raises(BadFile, match="damaged or cut off"):
        read(write(whole[:-20]))


def test_a_gzip_file_with_a_changed_byte_is_refused(write):
    whole = bytearray(gzip.compress(b">x\n" + b"ACGTTGCA" * 5000))
    whole[-6] ^= 0xFF
    with pytest.raises(BadFile, match="damaged or cut off"):
        read(write(bytes(whole)))


def test_a_bgzf_file_that_is_cut_at_a_block_is_refused(write, tmp_path):
    with pysam.BGZFile(str(tmp_path / "b.fa.gz"), "wb", index=None) as out:
        out.write(b">x\nACGT\n")
    content = (tmp_path / "b.fa.gz").read_bytes()
    with pytest.raises(BadFile, match="the BGZF end is missing"):
        read(write(content[:-28]))


def test_what_is_no_regular_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent.fa", Path("https://example.org/a.fa")):
        with pytest.raises(BadFile, match="no regular file"), open_regular(path):
            pass


def test_the_checksum_covers_the_file_and_goes_back_to_its_start(write):
    with open_regular(write(b">x\nACGT\n")) as raw:
        assert sha256_of(raw) == "a0c8300d20406634656296e963816d90c63d8e08d74d477ec7cfcb514e013140"
        assert raw.read() == b">x\nACGT\n"
