"""Places taken from one build to the other: chain files, their folder, and the truth tables that they must meet."""

from __future__ import annotations

import csv
import gzip
import hashlib
import itertools
import json
from unittest.mock import Mock

import numpy as np
import pytest
from pyliftover import LiftOver

from app.errors import BadFile, LiftoverFailed
from app.records import Build, LiftStatus
from app.variants import liftover as module
from app.variants.accessions import MT, contig_named, display, length
from app.variants.interval import Interval, parse_range
from app.variants.liftover import Chain, Liftover, add_chain, load_liftover
from app.variants.segments import LiftedInterval
from tests.synthetic_chains import Block, text_of, write

B37, B38 = Build.GRCH37, Build.GRCH38
OK, UNMAPPED, SPLIT, OTHER = LiftStatus.OK, LiftStatus.UNMAPPED, LiftStatus.SPLIT, LiftStatus.OTHER_CONTIG

# 1000–1099 → 2000–2099; 1100–1104 nothing; 1105–1199 → 2100–2194; 1200–1299 turned round → 2300–2399;
# 1300–1399 → a patch; 1400–1499 → 2500–2599
BLOCKS = (
    Block(1000, 100, 2000),
    Block(1105, 95, 2100),
    Block(1200, 100, 2300, reverse=True),
    Block(1300, 100, 70, target_name="HG1_PATCH"),
    Block(1400, 100, 2500),
)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    path = tmp_path_factory.mktemp("chains") / "a.chain"
    return Chain.load(write(path, B37, *BLOCKS), B37, B38)


@pytest.fixture(scope="module")
def ensembl(shared, tmp_path_factory):
    directory = tmp_path_factory.mktemp("reference")
    for source in Build:
        add_chain(directory, source, source.other, ensembl_file(shared, source))
    return load_liftover(directory)


def ensembl_file(shared, source):
    path = shared / "data" / "chain_ensembl" / f"{source}_to_{source.other}.chain.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is absent")
    return path


INTERVALS = [
    pytest.param(1000, 1001, (2000, 2001, False, OK), id="first base of a block"),
    pytest.param(1099, 1100, (2099, 2100, False, OK), id="last base of a block"),
    pytest.param(999, 1000, UNMAPPED, id="base before a block"),
    pytest.param(1100, 1101, UNMAPPED, id="base in a gap"),
    pytest.param(1010, 1020, (2010, 2020, False, OK), id="within a block"),
    pytest.param(1010, 1110, SPLIT, id="over a gap of the source"),
    pytest.param(1190, 1200, (2185, 2195, False, OK), id="up to an inversion"),
    pytest.param(1200, 1201, (2399, 2400, True, OK), id="first base of an inversion"),
    pytest.param(1299, 1300, (2300, 2301, True, OK), id="last base of an inversion"),
    pytest.param(1210, 1215, (2385, 2390, True, OK), id="within an inversion"),
    pytest.param(1195, 1205, SPLIT, id="into an inversion"),
    pytest.param(1310, 1320, OTHER, id="on a patch"),
    pytest.param(1299, 1301, SPLIT, id="half on a patch"),
    pytest.param(1399, 1402, SPLIT, id="half off a patch"),
    pytest.param(1095, 1103, UNMAPPED, id="last base in a gap"),
    pytest.param(1102, 1110, UNMAPPED, id="first base in a gap"),
    pytest.param(1050, 1050, (2050, 2050, False, OK), id="insertion within a block"),
    pytest.param(1000, 1000, UNMAPPED, id="insertion before a block"),
    pytest.param(1100, 1100, UNMAPPED, id="insertion after a block"),
    pytest.param(1210, 1210, (2390, 2390, True, OK), id="insertion within an inversion"),
    pytest.param(1200, 1200, SPLIT, id="insertion at the edge of an inversion"),
    pytest.param(1350, 1350, OTHER, id="insertion on a patch"),
    pytest.param(0, 0, UNMAPPED, id="insertion before the chromosome"),
    pytest.param(0, 1, UNMAPPED, id="first base of the chromosome"),
    pytest.param(10**9, 10**9 + 1, UNMAPPED, id="beyond the chromosome"),
]


@pytest.mark.parametrize(("start", "end", "expected"), INTERVALS)
def test_an_interval_is_lifted_by_its_two_end_bases(chain, start, end, expected):
    wanted = LiftedInterval(-1, -1, False, expected) if isinstance(expected, LiftStatus) else LiftedInterval(*expected)

    assert chain.lift_interval(1, start, end) == wanted


def rows_of(batch):
    columns = (batch.start.tolist(), batch.end.tolist(), batch.reverse.tolist(), batch.status.tolist())
    return [LiftedInterval(*row[:3], LiftStatus(row[3])) for row in zip(*columns, strict=True)]


def test_a_batch_gives_what_single_questions_give(chain):
    starts = np.repeat(np.arange(990, 1510), 6)
    ends = starts + np.tile([0, 1, 2, 6, 95, 105], 520)

    batch = chain.lift_batch(1, starts, ends)

    assert rows_of(batch) == [chain.lift_interval(1, *row) for row in zip(starts.tolist(), ends.tolist(), strict=True)]


def test_an_empty_batch_is_lifted_to_an_empty_batch(chain):
    nothing = np.array([], dtype=np.int64)

    assert rows_of(chain.lift_batch(1, nothing, nothing)) == []


def test_a_chromosome_without_chains_is_unmapped(chain):
    assert rows_of(chain.lift_batch(2, np.array([5]), np.array([6]))) == [LiftedInterval(-1, -1, False, UNMAPPED)]
    assert chain.lift_interval(2, 5, 6).status is UNMAPPED
    assert chain.source_intervals(2, 0, 10**6) == []


def test_gaps_of_several_block_chains_are_kept(tmp_path):
    sizes = f"{length(B37, 1)} + 1000 1120 chr1 {length(B38, 1)}"
    path = tmp_path / "gaps.chain"
    path.write_text(f"# made by hand\nchain 9 chr1 {sizes} + 500 623 1\n50 10 3\n20 0 10\n40\n\n")

    lifted = [
        Chain.load(path, B37, B38).lift_interval(1, base, base + 1).start for base in (1049, 1050, 1060, 1079, 1080)
    ]

    assert lifted == [549, -1, 553, 572, 583]


@pytest.mark.parametrize(
    ("blocks", "start"),
    [
        pytest.param([Block(10, 9, 100, score=5), Block(10, 9, 200, score=7)], 200, id="the higher score"),
        pytest.param([Block(10, 9, 100), Block(10, 9, 200, target_name="P")], 100, id="the chromosome before a patch"),
        pytest.param([Block(10, 9, 200, target_name="P"), Block(10, 9, 100)], 100, id="in either order"),
        pytest.param(
            [Block(10, 9, 100), Block(10, 9, 200, target_name="P", score=2)], -1, id="but not against the score"
        ),
        pytest.param(
            [Block(10, 9, 100), Block(10, 9, 200, target_name="2", target_size=242193529)],
            100,
            id="the same chromosome before another",
        ),
        pytest.param([Block(10, 9, 200, target_name="2", target_size=242193529)], -1, id="never another chromosome"),
    ],
)
def test_the_best_of_several_chains_counts(tmp_path, blocks, start):
    confirming = Block(500, 5, 500)  # a chain between chromosomes, which proves the builds

    chain = Chain.load(write(tmp_path / "a.chain", B37, confirming, *blocks), B37, B38)

    assert chain.lift_interval(1, 10, 11).start == start
    assert (chain.lift_interval(1, 10, 11).status is OTHER) == (start == -1)


def test_a_source_chromosome_that_is_listed_by_two_names_counts_once(tmp_path):
    path = tmp_path / "twice.chain"
    path.write_bytes(text_of(B37, Block(10, 9, 100)) + text_of(B37, Block(10, 9, 700), prefix="chr"))

    assert Chain.load(path, B37, B38).lift_interval(1, 10, 11).start == 100


def test_the_mitochondrial_genome_is_the_same_on_both_builds(tmp_path):
    mitochondrial = f"chain 1 MT {length(B37, MT)} + 0 100 MT {length(B38, MT)} + 5 105 1\n100\n\n"
    path = tmp_path / "mt.chain"
    path.write_bytes(mitochondrial.encode() + text_of(B37, Block(10, 9, 100)))

    liftover = Liftover([Chain.load(path, B37, B38)])

    assert liftover.lift_interval(B37, MT, 3, 9) == LiftedInterval(3, 9, False, LiftStatus.IDENTITY)
    assert rows_of(liftover.lift_batch(B38, MT, np.array([3]), np.array([3]))) == [
        LiftedInterval(3, 3, False, LiftStatus.IDENTITY)
    ]
    assert liftover.source_intervals(B38, MT, 3, 9) == [(3, 9)]
    assert liftover.lift_range(B37, Interval("NC_012920.1", 3, 9), 0).interval == Interval("NC_012920.1", 3, 9)


def test_without_a_chain_for_the_direction_nothing_is_placed(chain):
    liftover = Liftover([chain])

    assert liftover.lift_interval(B38, 1, 2000, 2001).status is LiftStatus.NO_CHAIN
    assert liftover.lift_batch(B38, 1, np.array([2000]), np.array([2001])).status.tolist() == [LiftStatus.NO_CHAIN]
    assert liftover.source_intervals(B37, 1, 2000, 2001) == []
    assert liftover.lift_interval(B37, 1, 1000, 1001).start == 2000


@pytest.mark.parametrize("bases", [(10, 10), (8, 11), (10, 12)], ids=["insertion", "into", "out of"])
def test_a_single_base_that_is_turned_on_the_spot_splits_what_reaches_over_its_edge(tmp_path, bases):
    blocks = Block(5, 5, 105), Block(10, 1, 110, reverse=True), Block(11, 5, 111)
    chain = Chain.load(write(tmp_path / "a.chain", B37, *blocks), B37, B38)

    assert chain.lift_interval(1, *bases).status is SPLIT
    assert chain.lift_batch(1, np.array(bases[:1]), np.array(bases[1:])).status.tolist() == [SPLIT]
    assert chain.lift_interval(1, 8, 13) == LiftedInterval(108, 113, False, OK)


@pytest.mark.parametrize("target", [(1990, 2010), (2050, 2450), (2194, 2301), (2399, 2400), (2195, 2300), (2000, 2000)])
def test_source_intervals_are_exactly_the_bases_that_lift_into_the_target(chain, target):
    bases = [base for base in range(990, 1510) if target[0] <= chain.lift_interval(1, base, base + 1).start < target[1]]

    intervals = chain.source_intervals(1, *target)

    assert [base for start, end in intervals for base in range(start, end)] == bases
    assert all(before[1] < after[0] for before, after in itertools.pairwise(intervals))


def test_source_intervals_find_every_source_of_a_target_that_is_hit_twice(tmp_path):
    blocks = Block(100, 50, 1000), Block(300, 400, 1010), Block(900, 5, 1400)

    chain = Chain.load(write(tmp_path / "a.chain", B37, *blocks), B37, B38)

    assert chain.source_intervals(1, 1020, 1030) == [(120, 130), (310, 320)]
    assert chain.source_intervals(1, 1399, 1402) == [(689, 692), (900, 902)]


# --- ranges -----------------------------------------------------------------------------------------------------------


RANGES = [
    pytest.param((1010, 1090), 0, (2010, 2090), 0, id="within a block"),
    pytest.param((1010, 1150), 0, (2010, 2145), 0, id="over a gap"),
    pytest.param((1210, 1220), 0, (2380, 2390), 0, id="turned round"),
    pytest.param((1250, 1250), 0, (2349, 2350), 0, id="an empty range is the base at its start"),
    pytest.param((1101, 1150), 2, (2099, 2145), 2, id="a start in a gap moves to the left"),
    pytest.param((1050, 1102), 4, (2050, 2101), 4, id="an end in a gap moves to the right"),
    pytest.param((1102, 1104), 8, (2098, 2101), 4, id="both ends move, each as far as it must"),
    pytest.param((1050, 1103), 3, (2050, 2101), 3, id="the cap is the last step"),
    pytest.param((1150, 1250), 200, (2145, 2550), 200, id="an end within an inversion moves out of it"),
]


@pytest.mark.parametrize(("asked", "widen_max", "expected", "widened"), RANGES)
def test_a_range_is_lifted_by_its_ends_and_widened_where_they_fail(chain, asked, widen_max, expected, widened):
    lifted = Liftover([chain]).lift_range(B37, Interval("NC_000001.10", *asked), widen_max)

    assert lifted.interval == Interval("NC_000001.11", *expected)
    assert lifted.widened == widened


@pytest.mark.parametrize(
    ("asked", "widen_max"),
    [
        pytest.param((1050, 1102), 3, id="no place within reach"),
        pytest.param((1150, 1250), 100, id="ends on two strands"),
        pytest.param((995, 1000), 1000, id="nothing to the left"),
        pytest.param((1310, 1320), 8, id="on a patch"),
        pytest.param((1490, 249_250_621), 1000, id="at the end of the chromosome"),
        pytest.param((249_250_621, 249_250_621), 1000, id="beyond the last base"),
    ],
)
def test_a_range_without_a_place_fails_and_names_itself(chain, asked, widen_max):
    asked = Interval("NC_000001.10", *asked)

    with pytest.raises(LiftoverFailed) as failure:
        Liftover([chain]).lift_range(B37, asked, widen_max)

    assert failure.value.diagnostics == f"Failed LiftOver ({asked})"


@pytest.mark.parametrize("targets", [(100, 100_000), (5000, 4800)], ids=["too far apart", "in another order"])
def test_ends_that_do_not_keep_their_distance_and_order_fail(tmp_path, targets):
    blocks = Block(100, 50, targets[0]), Block(300, 50, targets[1])
    liftover = Liftover([Chain.load(write(tmp_path / "a.chain", B37, *blocks), B37, B38)])

    with pytest.raises(LiftoverFailed):
        liftover.lift_range(B37, Interval("NC_000001.10", 110, 310), 4)


# --- the folder of chain files ----------------------------------------------------------------------------------------


def test_an_added_chain_is_loaded_with_its_origin(tmp_path):
    given = write(tmp_path / "mine.chain.gz", B37, *BLOCKS)

    report = add_chain(tmp_path / "home", B37, B38, given)

    liftover = load_liftover(tmp_path / "home")
    assert (report.chains, report.contigs) == (5, (1,))
    assert liftover.sources == (report.origin,)
    assert report.origin.name == "mine.chain.gz"
    assert report.origin.sha256 == hashlib.sha256(given.read_bytes()).hexdigest()
    assert liftover.lift_interval(B37, 1, 1010, 1020) == LiftedInterval(2010, 2020, False, OK)
    assert (tmp_path / "home" / "GRCh37_to_GRCh38.chain.gz").read_bytes() == given.read_bytes()


def test_a_plain_chain_file_is_stored_gzipped_and_keeps_its_own_checksum(tmp_path):
    given = write(tmp_path / "mine.chain", B38, Block(10, 9, 100))

    report = add_chain(tmp_path / "home", B38, B37, given)

    stored = gzip.decompress((tmp_path / "home" / "GRCh38_to_GRCh37.chain.gz").read_bytes())
    assert stored == given.read_bytes()
    assert load_liftover(tmp_path / "home").sources == (report.origin,)
    assert report.origin.sha256 == hashlib.sha256(stored).hexdigest()


def test_a_chain_added_again_replaces_the_earlier_one(tmp_path):
    add_chain(tmp_path, B37, B38, write(tmp_path / "old.chain", B37, Block(10, 9, 100)))

    add_chain(tmp_path, B37, B38, write(tmp_path / "new.chain", B37, Block(10, 9, 300)))

    assert load_liftover(tmp_path).lift_interval(B37, 1, 10, 11).start == 300
    assert [source.name for source in load_liftover(tmp_path).sources] == ["new.chain"]


def test_an_empty_or_absent_folder_holds_no_direction(tmp_path):
    assert load_liftover(tmp_path).sources == ()
    assert load_liftover(tmp_path / "absent").sources == ()


def test_the_wrong_direction_is_refused_with_the_true_one(tmp_path):
    given = write(tmp_path / "a.chain", B37, *BLOCKS)

    with pytest.raises(BadFile, match=r"leads from GRCh37 to GRCh38, not from GRCh38 to GRCh37"):
        add_chain(tmp_path / "home", B38, B37, given)

    assert not (tmp_path / "home").exists()


def bad_files():
    good = text_of(B37, *BLOCKS)
    sizes = f"{length(B37, 1)} + 10 30 1 {length(B38, 1)} + 10 30 1"
    return [
        pytest.param(gzip.compress(good)[:-20], "damaged or truncated", id="truncated gzip"),
        pytest.param(gzip.compress(good)[:15] + bytes(9) + gzip.compress(good)[24:], "damaged", id="damaged gzip"),
        pytest.param(good[: good.rindex(b"100")], "cannot be read", id="truncated text"),
        pytest.param(b"", "holds no chain", id="empty"),
        pytest.param(gzip.compress(b""), "holds no chain", id="empty gzip"),
        pytest.param(b"# only a comment\n", "holds no chain", id="only comments"),
        pytest.param(b"<!DOCTYPE html>\n<p>404</p>\n", r"line 1: is not a chain file", id="a web page"),
        pytest.param(bytes(range(256)) * 50, "is not a chain file", id="noise"),
        pytest.param(b"# x\nchain 1 2 3\n5\n", r"line 2: is not the first line of a chain", id="short first line"),
        pytest.param(
            good.replace(b"249250621", b"247249719"), "no chromosomes of GRCh37 and GRCh38", id="another build"
        ),
        pytest.param(good.replace(b"248956422", b"1000000"), "no chromosomes of", id="another target"),
        pytest.param(b"chain 1 P 99 + 0 9 P 99 + 0 9 1\n9\n", "no chromosomes of", id="no chromosome at all"),
        pytest.param(f"chain 1 1 {sizes}\n20 x 3\n".encode(), "cannot be read", id="a block that is no number"),
        pytest.param(f"chain 1 1 {sizes}\n19\n".encode(), "cannot be read", id="blocks that miss the end"),
        pytest.param(f"chain 1 1 {sizes}\n-5 0 0\n25\n".encode(), "block of no bases", id="a negative block"),
        pytest.param(f"chain 1 1 {sizes}\n0 0 0\n20\n".encode(), "block of no bases", id="an empty block"),
        pytest.param(text_of(B37, Block(0, 90, length(B38, 1) - 80)), "leaves its sequences", id="beyond the target"),
        pytest.param(text_of(B37, Block(0, 90, 10), Block(-5, 90, 10)), "leaves its sequences", id="before the source"),
        pytest.param(text_of(B37, Block(0, 9, 0)).replace(b" + 0", b" - 0", 1), "cannot be read", id="reverse source"),
    ]


@pytest.mark.parametrize(("content", "problem"), bad_files())
def test_a_file_that_cannot_be_used_is_refused_and_nothing_changes(tmp_path, content, problem):
    add_chain(tmp_path / "home", B37, B38, write(tmp_path / "good.chain", B37, Block(10, 9, 100)))
    before = {path.name: path.read_bytes() for path in (tmp_path / "home").iterdir()}
    given = tmp_path / "bad.chain"
    given.write_bytes(content)

    with pytest.raises(BadFile, match=rf"^bad\.chain.*{problem}"):
        add_chain(tmp_path / "home", B37, B38, given)

    assert {path.name: path.read_bytes() for path in (tmp_path / "home").iterdir()} == before


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "absent.chain", tmp_path):
        with pytest.raises(BadFile, match="cannot be read"):
            add_chain(tmp_path / "home", B37, B38, path)


def test_a_chain_from_a_build_to_itself_is_refused(tmp_path):
    with pytest.raises(BadFile, match="not from GRCh37 to GRCh37"):
        add_chain(tmp_path / "home", B37, B37, write(tmp_path / "a.chain", B37, *BLOCKS))


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("app.variants.chain_text._LARGEST_TEXT", 2**20)
    path = tmp_path / "bomb.chain.gz"
    path.write_bytes(gzip.compress(b"#" * 2**21))

    with pytest.raises(BadFile, match="unpacks to more than 1 MiB"):
        add_chain(tmp_path / "home", B37, B38, path)


def test_a_stored_file_that_was_damaged_is_refused(tmp_path):
    add_chain(tmp_path, B37, B38, write(tmp_path / "a.chain", B37, *BLOCKS))
    (tmp_path / "GRCh37_to_GRCh38.chain.gz").write_bytes(b"\x1f\x8b junk")

    with pytest.raises(BadFile, match=r"GRCh37_to_GRCh38\.chain\.gz"):
        load_liftover(tmp_path)


@pytest.fixture
def home(tmp_path):
    add_chain(tmp_path, B37, B38, write(tmp_path / "a.chain", B37, *BLOCKS))
    return tmp_path


def test_a_start_needs_no_parser(home, monkeypatch):
    monkeypatch.setattr(module, "LiftOver", None)

    assert load_liftover(home).lift_interval(B37, 1, 1010, 1020).start == 2010


def parsed_forms():
    def cut(content):
        return content[: len(content) // 2]

    def flipped(content):
        middle = content.index(b"bounds.npy") + 200
        return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]

    return [
        pytest.param(cut, id="cut"),
        pytest.param(flipped, id="one bit flipped"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"noise" * 99, id="noise"),
        pytest.param(lambda content: content.replace(b"status.npy", b"tatuss.npy"), id="column missing"),
    ]


@pytest.mark.parametrize("damage", parsed_forms())
def test_a_damaged_parsed_form_is_ignored_and_made_anew(home, damage):
    parsed = home / "GRCh37_to_GRCh38.npz"
    whole = parsed.read_bytes()
    parsed.write_bytes(damage(whole))

    assert load_liftover(home).lift_interval(B37, 1, 1010, 1020).start == 2010
    assert parsed.read_bytes() == whole


def test_a_parsed_form_of_another_version_is_ignored(home, monkeypatch):
    monkeypatch.setattr("app.variants.segment_cache._VERSION", 0)
    add_chain(home, B37, B38, home / "a.chain")
    monkeypatch.undo()
    parser = Mock(wraps=LiftOver)
    monkeypatch.setattr(module, "LiftOver", parser)

    assert load_liftover(home).lift_interval(B37, 1, 1010, 1020).start == 2010
    assert parser.call_count == 1


def test_a_chain_file_that_was_changed_by_hand_is_parsed_and_named_itself(home):
    write(home / "GRCh37_to_GRCh38.chain.gz", B37, Block(10, 9, 300))

    liftover = load_liftover(home)

    assert liftover.lift_interval(B37, 1, 10, 11).start == 300
    assert liftover.sources[0].name == "GRCh37_to_GRCh38.chain.gz"


@pytest.mark.parametrize("record", [None, b"", b"[]", b'{"name": 1}'])
def test_a_chain_file_without_a_record_is_named_itself(home, record):
    path = home / "GRCh37_to_GRCh38.json"
    path.unlink()
    if record is not None:
        path.write_bytes(record)

    assert load_liftover(home).sources[0].name == "GRCh37_to_GRCh38.chain.gz"


def test_a_folder_that_cannot_be_written_is_loaded_all_the_same(home, monkeypatch):
    (home / "GRCh37_to_GRCh38.npz").unlink()

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)

    assert load_liftover(home).lift_interval(B37, 1, 1010, 1020).start == 2010


def test_a_failed_write_leaves_no_part_behind(tmp_path, monkeypatch):
    given = write(tmp_path / "a.chain", B37, *BLOCKS)

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(OSError, match="disk full"):
        add_chain(tmp_path / "home", B37, B38, given)
    assert list((tmp_path / "home").iterdir()) == []


def test_the_record_names_the_file_and_both_checksums(home):
    record = json.loads((home / "GRCh37_to_GRCh38.json").read_bytes())

    assert record["name"] == "a.chain"
    assert record["stored_sha256"] == hashlib.sha256((home / "GRCh37_to_GRCh38.chain.gz").read_bytes()).hexdigest()


# --- truth ------------------------------------------------------------------------------------------------------------


KNOWN = [
    ("BRAF V600", "7", 140453135, 140753335),
    ("CYP2C19*2", "10", 96541615, 94781858),
    ("CYP2C19*17", "10", 96521656, 94761899),
    ("TPMT*3C", "6", 18130917, 18130686),
    ("DPYD*2A", "1", 97915613, 97450057),
    ("EGFR L858", "7", 55259514, 55191821),
    ("CFTR", "7", 117199643, 117559589),
    ("LDLR", "19", 11200137, 11089461),
]


@pytest.mark.parametrize(("name", "chromosome", "on37", "on38"), KNOWN, ids=[row[0] for row in KNOWN])
def test_known_places_are_found_there_and_back(ensembl, name, chromosome, on37, on38):
    contig = contig_named(chromosome, B37)

    assert ensembl.lift_interval(B37, contig, on37, on37 + 1) == LiftedInterval(on38, on38 + 1, False, OK)
    assert ensembl.lift_interval(B38, contig, on38, on38 + 1) == LiftedInterval(on37, on37 + 1, False, OK)


def test_every_pair_of_the_pypgx_variant_table_is_reproduced(shared, ensembl):
    with (shared / "data" / "genes" / "pypgx" / "variant-table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 1247

    wrong = []
    for row in rows:
        contig, on37, on38 = (
            contig_named(row["Chromosome"], B37),
            int(row["GRCh37Position"]),
            int(row["GRCh38Position"]),
        )
        there = ensembl.lift_interval(B37, contig, on37 - 1, on37).end
        back = ensembl.lift_interval(B38, contig, on38 - 1, on38).end
        if (there, back) != (on38, on37):
            wrong.append((row["Gene"], row["GRCh37Name"], there, back))
    assert wrong == []


LIFTED_RANGES = [
    ("NC_000007.14:55019016-55211628", "NC_000007.13:55086709-55279321", 0),
    ("NC_000006.11:26091303-26091307", "NC_000006.12:26091075-26091079", 0),
    # RBM8A, turned round between the builds; one base is missing from GRCh37.
    ("NC_000001.10:145507556-145513536", "NC_000001.11:145921555-145927536", 0),
    ("NC_000001.11:145921556-145927537", "NC_000001.10:145507555-145513535", 0),
    # A base that only GRCh38 has, and twenty bases around it.
    ("NC_000001.11:145923295-145923296", "NC_000001.10:145511795-145511797", 1),
    ("NC_000001.11:145923285-145923306", "NC_000001.10:145511786-145511806", 0),
]


@pytest.mark.parametrize(("asked", "expected", "widened"), LIFTED_RANGES)
def test_ranges_of_published_examples(ensembl, asked, expected, widened):
    source = B37 if asked.split(":")[0] in {"NC_000006.11", "NC_000001.10"} else B38

    lifted = ensembl.lift_range(source, parse_range(asked), 1000)

    assert (str(lifted.interval), lifted.widened) == (expected, widened)


def test_a_range_that_lies_on_a_patch_only_fails(ensembl):
    with pytest.raises(LiftoverFailed):
        ensembl.lift_range(B38, parse_range("NC_000001.11:145507556-145513536"), 1000)


@pytest.mark.parametrize("source", Build)
def test_bulk_equals_the_best_hit_of_pyliftover(shared, ensembl, source):
    peer = LiftOver(str(ensembl_file(shared, source)))
    for contig, at in random_points(source, 100_000).items():
        name = display(contig)
        hits = [peer.convert_coordinate(name, point) for point in at.tolist()]
        assert rows_of(ensembl.lift_batch(source, contig, at, at + 1)) == [best_of(hit, name) for hit in hits]


def random_points(source, count):
    rng = np.random.default_rng(37)
    sizes = np.array([length(source, contig) for contig in range(1, MT)])
    counts = rng.multinomial(count, sizes / sizes.sum())
    return {contig: rng.integers(0, sizes[contig - 1], counts[contig - 1]) for contig in range(1, MT)}


def best_of(hits, name):
    if not hits:
        return LiftedInterval(-1, -1, False, UNMAPPED)
    best = [hit for hit in hits if hit[3] == hits[0][3]]
    target, place, strand, _ = next((hit for hit in best if hit[0] == name), best[0])
    return (
        LiftedInterval(place, place + 1, strand == "-", OK) if target == name else LiftedInterval(-1, -1, False, OTHER)
    )


def test_every_place_that_lifts_to_grch38_lifts_back_to_itself(ensembl):
    for contig, at in random_points(B37, 50_000).items():
        there = ensembl.lift_batch(B37, contig, at, at + 1)
        placed = there.status == OK
        back = ensembl.lift_batch(B38, contig, there.start[placed], there.end[placed])

        assert back.start.tolist() == at[placed].tolist()
