import gzip
import json
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pysam
import pytest

from app.errors import BadFile, CannotNormalize, Misconfigured
from app.records import Build
from app.variants import layers
from app.variants.reference import (
    FastaReference,
    InMemoryReference,
    NoReference,
    ReferenceSequence,
    add_fasta,
    require_bases,
)

B37, B38 = Build.GRCH37, Build.GRCH38
CHR17 = "NC_000017.11"
MT = "NC_012920.1"


def bases(count: int, seed: int = 1) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=count))


GENOME = bases(10_000)
"""The bases of CHR17 from its start on, as far as these tests go."""
MITOCHONDRION = bases(16_569, seed=2)


def window(start: int, end: int, ref_seq: str = CHR17) -> str:
    return f">{ref_seq}:{start + 1}-{end}\n{GENOME[start:end]}\n"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "reference" / "GRCh38"


@pytest.fixture
def add(folder, tmp_path):
    """Return a function that adds text, by the name of a file, and gives the report."""

    def add(name: str, content: str | bytes, build: Build = B38):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return add_fasta(folder, build, path)

    return add


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_window_answers_for_its_bases_and_for_nothing_beside_them(add, folder):
    add("a.fa", window(100, 200))
    reference = FastaReference(folder)
    assert reference.fetch(CHR17, 100, 200) == GENOME[100:200]
    assert reference.fetch(CHR17, 150, 151) == GENOME[150]
    assert reference.fetch(CHR17, 150, 150) == ""
    for start, end in ((99, 100), (99, 150), (150, 201), (200, 201), (0, 10_000), (160, 150), (-5, 5)):
        assert reference.fetch(CHR17, start, end) is None
    assert reference.fetch("NC_000018.10", 100, 200) is None
    assert reference.fetch("NM_007294.4", 100, 200) is None
    assert not reference.is_whole(CHR17)


def test_lower_case_and_long_or_short_lines_make_no_difference(add, folder):
    text = GENOME[100:200].lower()
    add("a.fa", f">{CHR17}:101-200 some words\r\n{text[:7]}\r\n\r\n{text[7:]}")
    assert FastaReference(folder).fetch(CHR17, 100, 200) == GENOME[100:200]


@pytest.mark.parametrize("name", ["17", "chr17", "CHR17", CHR17])
def test_windows_may_use_any_name_of_their_chromosome(add, folder, name):
    add("a.fa", window(100, 200, name))
    assert FastaReference(folder).fetch(CHR17, 100, 200) == GENOME[100:200]


def test_touching_and_overlapping_windows_of_one_or_several_files_are_one_stretch(add, folder):
    add("a.fa", window(120, 140) + window(100, 125) + window(100, 125) + window(110, 112))
    add("b.fa", window(140, 150) + window(60, 80))
    add("c.fa", window(70, 101))
    reference = FastaReference(folder)
    assert reference.fetch(CHR17, 60, 150) == GENOME[60:150]
    assert reference.window(CHR17, 100) == (60, GENOME[60:150])
    assert reference.fetch(CHR17, 59, 61) is reference.fetch(CHR17, 149, 151) is None


def test_tiny_windows_first_and_large_ones_later_give_the_bases_of_both(add, folder):
    rng = random.Random(3)
    starts = [rng.randrange(0, 9000) for _ in range(300)]
    tiny = {(start, start + rng.randint(1, 30)) for start in starts}
    first = add("tiny.fa", "".join(window(*place) for place in sorted(tiny)))
    later = add("large.fa", window(1000, 4000) + window(3500, 6000) + window(7000, 7001))
    known = set().union(*(range(*place) for place in tiny))
    assert first.source.new_bases == len(known)
    covered = set(range(1000, 6000)) | {7000}
    assert later.source.new_bases == len(covered - known)
    reference = FastaReference(folder)
    assert reference.fetch(CHR17, 1000, 6000) == GENOME[1000:6000]
    for start, end in tiny:
        assert reference.fetch(CHR17, start, end) == GENOME[start:end]
    for position in range(10_000):
        assert (reference.fetch(CHR17, position, position + 1) is not None) == (position in known | covered)


def test_unknown_bases_stay_unknown_until_another_file_knows_them(add, folder):
    masked = GENOME[100:150] + "N" * 10 + "r" + GENOME[161:200]
    report = add("a.fa", f">{CHR17}:101-200\n{masked}\n")
    assert (report.source.bases, report.source.new_bases) == (89, 89)
    reference = FastaReference(folder)
    assert reference.fetch(CHR17, 100, 150) == GENOME[100:150]
    assert reference.fetch(CHR17, 149, 151) is reference.fetch(CHR17, 160, 161) is None
    assert reference.window(CHR17, 170) == (161, GENOME[161:200])
    add("b.fa", window(149, 165))
    assert FastaReference(folder).fetch(CHR17, 100, 200) == GENOME[100:200]


def test_contradicting_bases_are_refused_with_both_sources_and_nothing_changes(add, folder):
    add("first.fa", window(100, 200))
    add("second.fa", window(300, 400))
    before = files(folder)
    wrong = GENOME[250:310] + ("A" if GENOME[310] != "A" else "C")
    with pytest.raises(BadFile) as caught:
        add("third.fa", window(500, 600) + f">{CHR17}:251-311\n{wrong}\n")
    message = caught.value.diagnostics
    assert message.startswith(f"third.fa, line 3, {CHR17}:251-311: base 311 of {CHR17} is {wrong[-1]} here")
    assert f"but {GENOME[310]} in second.fa" in message
    assert files(folder) == before
    assert FastaReference(folder).fetch(CHR17, 500, 600) is None


def test_a_file_that_contradicts_itself_is_refused(add, folder):
    with pytest.raises(BadFile, match="in an earlier sequence of the same file"):
        add("a.fa", f">{CHR17}:101-104\nACGT\n>{CHR17}:104-105\nAA\n")
    assert FastaReference(folder).sources == ()


def test_adding_the_same_file_twice_changes_nothing(add, folder):
    first = add("a.fa", window(100, 200))
    before = files(folder)
    again = add("renamed.fa", window(100, 200))
    assert (first.already_there, again.already_there) == (False, True)
    assert again.source == first.source
    assert files(folder) == before


def test_bases_that_are_all_known_are_recorded_but_not_stored_again(add, folder):
    add("a.fa", window(100, 200))
    report = add("b.fa", window(120, 150))
    assert (report.source.bases, report.source.new_bases) == (30, 0)
    assert (report.source.windows, report.source.wholes) == (None, None)
    assert [source.name for source in FastaReference(folder).sources] == ["a.fa", "b.fa"]


def test_the_report_counts_sequences_and_names_what_is_no_primary_chromosome(add):
    report = add("a.fa", ">NT_113889.1\nACGT\n" + window(100, 200) + ">chrUn_1\nACG\n" + window(300, 301))
    assert (report.build, report.sequences, report.skipped) == (B38, 2, ("NT_113889.1", "chrUn_1"))
    assert report.source.bases == report.source.new_bases == 101


@pytest.mark.parametrize("name", ["MT", "chrM", "M", MT])
@pytest.mark.parametrize("compress", [False, True])
def test_a_whole_chromosome_is_found_by_any_of_its_names(add, folder, name, compress):
    text = f">{name} mitochondrion\n{MITOCHONDRION.lower()}\n".encode()
    add("mt.fa.gz" if compress else "mt.fa", gzip.compress(text) if compress else text)
    reference = FastaReference(folder)
    assert reference.is_whole(MT)
    assert reference.fetch(MT, 0, 16_569) == MITOCHONDRION
    assert reference.fetch(MT, 16_568, 16_569) == MITOCHONDRION[-1]
    assert reference.fetch(MT, 16_568, 16_570) is None
    assert reference.fetch(MT, 16_569, 16_570) is None
    assert reference.fetch(MT, -1, 1) is None
    assert reference.window(MT, 16_569) == (0, MITOCHONDRION)


def test_a_window_that_covers_its_chromosome_makes_it_whole(add, folder):
    add("mt.fa", f">{MT}:1-16569\n{MITOCHONDRION}\n")
    assert FastaReference(folder).is_whole(MT)


def test_a_gap_of_a_whole_chromosome_is_unknown_and_bounds_a_window(add, folder):
    gapped = MITOCHONDRION[:3106] + "N" + MITOCHONDRION[3107:]
    add("mt.fa", f">MT\n{gapped}\n")
    reference = FastaReference(folder)
    assert reference.is_whole(MT)
    assert reference.fetch(MT, 3100, 3110) is None
    assert reference.window(MT, 3106) is None
    assert reference.window(MT, 3105) == (0, gapped[:3106])
    assert reference.window(MT, 3107) == (3107, gapped[3107:])
    add("filler.fa", f">{MT}:3105-3109\n{MITOCHONDRION[3104:3109]}\n")
    assert FastaReference(folder).fetch(MT, 0, 16_569) == MITOCHONDRION


def test_a_whole_chromosome_may_follow_its_windows_and_the_other_way_round(add, folder):
    add("window.fa", f">{MT}:101-200\n{MITOCHONDRION[100:200]}\n")
    with pytest.raises(BadFile, match=r"but . in window\.fa"):
        add("wrong.fa", f">MT\n{MITOCHONDRION[1:]}A\n")
    add("mt.fa", f">MT\n{MITOCHONDRION}\n")
    report = add("later.fa", f">{MT}:151-300\n{MITOCHONDRION[150:300]}\n")
    assert report.source.new_bases == 0
    assert FastaReference(folder).fetch(MT, 0, 16_569) == MITOCHONDRION
    with pytest.raises(BadFile, match=r"but . in mt\.fa"):
        add("wrong.fa", f">{MT}:16001-16010\n{MITOCHONDRION[16_001:16_011]}\n")


def test_chrm_of_the_ucsc_genome_is_another_sequence_and_is_left_out(add, folder):
    report = add("hg19.fa", ">chrM\n" + "ACGTTGCAGTCAGATCCA"[:11] * 1506 + "ACGTA\n" + window(100, 200, "17"), B37)
    assert report.skipped == ("chrM",)
    assert not FastaReference(folder).is_whole(MT)


@pytest.mark.parametrize(
    ("content", "field", "problem"),
    [
        ("", None, "it holds no chromosome of GRCh38"),
        ("\n\n", None, "it holds no chromosome of GRCh38"),
        (">NT_113889.1\nACGT\n", None, "it holds no chromosome of GRCh38"),
        (">NC_000017.10:1-4\nACGT\n", "NC_000017.10:1-4", "it is no sequence of GRCh38"),
        (">NC_000017.9\nACGT\n", "NC_000017.9", "it is no sequence of GRCh38"),
        (f">{CHR17}:0-3\nACGT\n", f"{CHR17}:0-3", "the range is not within 1-83257441"),
        (f">{CHR17}:4-3\nACGT\n", f"{CHR17}:4-3", "the range is not within"),
        (f">{CHR17}:83257440-83257442\nACG\n", f"{CHR17}:83257440-83257442", "the range is not within"),
        (f">{CHR17}:1-5\nACGT\n", f"{CHR17}:1-5", "its length is not the 5 bases"),
        (f">{CHR17}:1-5\n", f"{CHR17}:1-5", "its length is not the 5 bases"),
        (f">{CHR17}:1-3\nACGT\n", f"{CHR17}:1-3", "its length is not the 3 bases"),
        (">chr17\nACGT\n", "chr17", "its length is not the 83257441 bases"),
        (">chrM\n" + "A" * 16_568, "chrM", "its length is not the 16569 bases"),
        (">chrM\n" + "A" * 16_572, "chrM", "its length is not the 16569 bases"),
        (">chrM\n", "chrM", "its length is not the 16569 bases"),
        (f">MT\n{MITOCHONDRION}\n>MT\n{MITOCHONDRION}\n", "MT", "holds this chromosome more than once"),
        (f">{CHR17}:1-4\nACXT\n", None, "'X' is no letter of a DNA sequence"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_place_and_the_mend(add, folder, content, field, problem):
    with pytest.raises(BadFile) as caught:
        add("bad.fa", content)
    assert caught.value.source == "bad.fa"
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert caught.value.mend
    assert FastaReference(folder).sources == ()
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_a_folder_holds_one_build(add):
    add("a.fa", window(100, 200))
    with pytest.raises(Misconfigured, match="holds sequences of GRCh38, not of GRCh37"):
        add("b.fa", ">NC_000017.10:1-4\nACGT\n", B37)


def test_a_name_that_looks_like_an_address_is_not_fetched(folder):
    with pytest.raises(BadFile, match="no regular file"):
        add_fasta(folder, B38, Path("https://example.org/genome.fa"))


def test_a_folder_that_does_not_exist_has_no_sequence(folder):
    reference = FastaReference(folder)
    assert reference.sources == ()
    assert reference.build is None
    assert reference.fetch(CHR17, 0, 1) is None
    assert reference.window(CHR17, 0) is None


@pytest.mark.parametrize("damage", ["no json", '{"format": 2}', '{"format": 1}', '{"format": 1, "build": "x"}'])
def test_a_damaged_index_is_reported_as_such(add, folder, damage):
    add("a.fa", window(100, 200))
    (folder / "index.json").write_text(damage)
    with pytest.raises(Misconfigured, match="is damaged"):
        FastaReference(folder)


def test_a_missing_sequence_file_is_reported_as_such(add, folder):
    report = add("a.fa", window(100, 200))
    (folder / report.source.windows).unlink()
    with pytest.raises(Misconfigured, match="is damaged"):
        FastaReference(folder)


def test_an_open_reference_keeps_its_bases_while_others_are_added(add, folder):
    add("a.fa", window(100, 200))
    reference = FastaReference(folder)
    add("b.fa", window(150, 300))
    assert reference.fetch(CHR17, 100, 200) == GENOME[100:200]
    assert reference.fetch(CHR17, 100, 300) is None
    assert FastaReference(folder).fetch(CHR17, 100, 300) == GENOME[100:300]


def test_the_stored_files_are_ordinary_indexed_fasta(add, folder):
    add("a.fa", window(100, 200) + f">MT\n{MITOCHONDRION}\n")
    [source] = json.loads((folder / "index.json").read_text())["sources"]
    with pysam.FastaFile(str(folder / source["windows"])) as stored:
        assert stored.fetch(f"{CHR17}:101-200") == GENOME[100:200]
    with pysam.FastaFile(str(folder / source["wholes"])) as stored:
        assert stored.fetch(MT) == MITOCHONDRION


def in_threads(work: Callable[[int], None], count: int) -> None:
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(work, range(count)))


def test_several_threads_read_the_right_bases(add, folder):
    add("a.fa", window(0, 10_000) + f">MT\n{MITOCHONDRION}\n")
    reference = FastaReference(folder)

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(300):
            ref_seq, text = rng.choice([(CHR17, GENOME), (MT, MITOCHONDRION)])
            start = rng.randrange(len(text) - 5000)
            assert reference.fetch(ref_seq, start, start + 5000) == text[start : start + 5000]

    in_threads(work, 4)


def test_files_that_are_added_at_the_same_time_are_all_there(add, folder):
    in_threads(lambda number: add(f"{number}.fa", window(100 * number, 100 * number + 100)), 8)
    reference = FastaReference(folder)
    assert sorted(source.name for source in reference.sources) == [f"{number}.fa" for number in range(8)]
    assert reference.fetch(CHR17, 0, 800) == GENOME[:800]


def make_in_memory(folder: Path, tmp_path: Path) -> InMemoryReference:
    return InMemoryReference({CHR17: [(0, GENOME[:6000]), (5000, GENOME[5000:])], MT: [(0, MITOCHONDRION)]})


def make_fasta(folder: Path, tmp_path: Path) -> FastaReference:
    path = tmp_path / "both.fa"
    path.write_text(window(0, 6000) + window(5000, 10_000) + f">MT\n{MITOCHONDRION}\n")
    add_fasta(folder, B38, path)
    return FastaReference(folder)


@pytest.fixture(params=[make_in_memory, make_fasta], ids=["memory", "fasta"])
def reference(request, folder, tmp_path):
    return request.param(folder, tmp_path)


@pytest.mark.parametrize(("ref_seq", "text"), [(CHR17, GENOME), (MT, MITOCHONDRION)])
def test_a_small_window_reaches_as_far_as_asked_and_no_further(reference, ref_seq, text):
    assert reference.window(ref_seq, 5500, 20) == (5480, text[5480:5520])
    assert reference.window(ref_seq, 5, 20) == (0, text[:25])
    last = len(text) - 1
    assert reference.window(ref_seq, last, 20) == (last - 20, text[last - 20 :])


@pytest.mark.parametrize(("ref_seq", "text"), [(CHR17, GENOME), (MT, MITOCHONDRION)])
def test_windows_for_bulk_work_always_reach_far_enough(reference, monkeypatch, ref_seq, text):
    monkeypatch.setattr(layers, "BULK_REACH", 100)
    monkeypatch.setattr(layers, "_AHEAD", 700)
    rng = random.Random(5)
    for position in (*range(0, len(text), 37), *(rng.randrange(len(text)) for _ in range(300))):
        start, found = reference.window(ref_seq, position, 100)
        assert found == text[start : start + len(found)]
        assert start <= max(0, position - 100)
        assert start + len(found) >= min(len(text), position + 100)
        assert len(found) <= 800


def test_a_window_for_bulk_work_serves_its_neighbours(reference):
    assert reference.window(CHR17, 5000)[1] is reference.window(CHR17, 5100)[1]
    assert reference.window(CHR17, 5000)[1] is reference.window(CHR17, 4000, 10)[1]


def test_there_is_no_window_where_nothing_is_loaded(reference):
    assert reference.window(CHR17, 10_000) is None
    assert reference.window("NC_000018.10", 5) is None
    assert reference.window("NM_007294.4", 5) is None


def test_no_reference_knows_nothing():
    reference = NoReference()
    assert reference.fetch(CHR17, 0, 1) is None
    assert reference.window(CHR17, 0) is None
    assert not reference.is_whole(CHR17)


def test_contradicting_stretches_in_memory_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match=f"two stretches of {CHR17} differ at 12"):
        InMemoryReference({CHR17: [(10, "ACGT"), (12, "AT")]})


def test_required_bases_come_from_whichever_build_has_them():
    loaded = InMemoryReference({MT: [(0, "ACGT")]})
    either: list[Mapping[Build, ReferenceSequence]] = [{B37: loaded}, {B38: loaded}, {B37: loaded, B38: NoReference()}]
    for references in either:
        assert require_bases(references, MT, 1, 3, text="x") == "CG"
    with pytest.raises(CannotNormalize, match=rf"needs the sequence of {MT} at \[3, 5\), which is not loaded"):
        require_bases({B37: loaded}, MT, 3, 5, text="x")
    with pytest.raises(CannotNormalize, match="not loaded"):
        require_bases({}, CHR17, 3, 5, text="x")


def test_the_test_windows_of_both_builds_are_taken_in_after_tiny_ones(shared, tmp_path):
    source = shared / "data/seq/windows.GRCh38.fa.gz"
    with pysam.FastaFile(str(source)) as given:
        names = given.references[::3]
        tiny = tmp_path / "tiny.fa"
        with tiny.open("w") as out:
            for name in names:
                ref_seq, start = name.split(":")[0], int(name.split(":")[1].split("-")[0]) - 1
                for offset in (0, 100, 1000):
                    piece = given.fetch(name, offset, offset + 17)
                    out.write(f">{ref_seq}:{start + offset + 1}-{start + offset + len(piece)}\n{piece}\n")
        add_fasta(tmp_path / "38", B38, tiny)
        report = add_fasta(tmp_path / "38", B38, source)
        reference = FastaReference(tmp_path / "38")
        assert report.sequences == 548
        for name in names:
            ref_seq, start = name.split(":")[0], int(name.split(":")[1].split("-")[0]) - 1
            assert reference.fetch(ref_seq, start, start + 5000) == given.fetch(name, 0, 5000)
        with pytest.raises(BadFile, match="it is no sequence of GRCh38"):
            add_fasta(tmp_path / "38", B38, shared / "data/seq/windows.GRCh37.fa.gz")
