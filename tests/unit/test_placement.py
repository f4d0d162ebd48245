"""Changes placed on both builds, one at a time and in bulk, on small made-up sequences and on real windows."""

from __future__ import annotations

import csv
import random

import numpy as np
import pytest

from app.errors import CannotNormalize
from app.records import Build, LiftStatus
from app.variants.accessions import MT, contig_named, locate
from app.variants.liftover import Chain, ChainSource, Liftover, add_chain, load_liftover
from app.variants.placement import CONTRADICTS, EQUAL, NOT_LOADED, Placer
from app.variants.reference import FastaReference, InMemoryReference, add_fasta
from app.variants.segments import Segments
from app.variants.spdi import Spdi, reverse_complement

B37, B38 = Build.GRCH37, Build.GRCH38
R37, R38 = "NC_000021.8", "NC_000021.9"
OK, UNVERIFIED, REF_CHANGED = LiftStatus.OK, LiftStatus.UNVERIFIED, LiftStatus.REF_CHANGED

#            1000      1010      1020      1030      1040
SEQUENCE = "GATTACAGCTAAAAGCTTGCACACACGTTCCGGATCTGAGTACGCTGA"
START37, START38 = 1000, 5000


def chain_of(source, contig, *blocks, other=()):
    """Return a chain of (start, end, image of start, sign) blocks on one chromosome."""
    return Chain(ChainSource("test", source, source.other, "0" * 64), {contig: Segments.of(blocks, other)})


def straight():
    size = len(SEQUENCE)
    there = chain_of(B37, 21, (START37, START37 + size, START38, 1))
    back = chain_of(B38, 21, (START38, START38 + size, START37, 1))
    return Liftover([there, back])


def turned():
    size = len(SEQUENCE)
    there = chain_of(B37, 21, (START37, START37 + size, START38 + size - 1, -1))
    back = chain_of(B38, 21, (START38, START38 + size, START37 + size - 1, -1))
    return Liftover([there, back])


def references(on37=SEQUENCE, on38=SEQUENCE, start38=START38):
    loaded = {}
    if on37 is not None:
        loaded[B37] = InMemoryReference({R37: [(START37, on37)]})
    if on38 is not None:
        loaded[B38] = InMemoryReference({R38: [(start38, on38)]})
    return loaded


def texts(placement):
    return str(placement.spdi37 or ""), str(placement.spdi38 or ""), placement.status, placement.justified


# --- one change -------------------------------------------------------------------------------------------------------


CHANGES = [
    pytest.param((1002, "T", "G"), "1002:T:G", "5002:T:G", id="SNV"),
    pytest.param((1001, "AT", "CG"), "1001:AT:CG", "5001:AT:CG", id="MNV"),
    pytest.param((1002, "T", "T"), "1002:T:T", "5002:T:T", id="identity"),
    pytest.param((1010, "AA", "A"), "1010:AAAA:AAA", "5010:AAAA:AAA", id="deletion in a run"),
    pytest.param((1013, "A", "AA"), "1010:AAAA:AAAAA", "5010:AAAA:AAAAA", id="insertion in a run"),
    pytest.param((1024, "ACGT", "AGT"), "1025:C:", "5025:C:", id="deletion of one base"),
    pytest.param((1019, "CAC", "C"), "1019:CACACAC:CACAC", "5019:CACACAC:CACAC", id="deletion in a repeat"),
    pytest.param((1027, "T", "TAAA"), "1028::AAA", "5028::AAA", id="insertion between bases"),
    pytest.param((1040, "TAC", "GG"), "1040:TAC:GG", "5040:TAC:GG", id="delins"),
]


@pytest.mark.parametrize(("change", "on37", "on38"), CHANGES)
def test_a_change_gets_its_contextual_form_on_both_builds(change, on37, on38):
    placement = Placer(references(), straight()).place(B37, 21, *change)

    assert texts(placement) == (f"{R37}:{on37}", f"{R38}:{on38}", OK, True)


@pytest.mark.parametrize(("change", "on37", "on38"), CHANGES)
def test_on_the_other_strand_the_alleles_are_turned(change, on37, on38):
    placement = Placer(references(on38=reverse_complement(SEQUENCE)), turned()).place(B37, 21, *change)

    here = placement.on(B37) or placement.canonical
    start = START38 + START37 + len(SEQUENCE) - here.end
    there = Spdi(R38, start, reverse_complement(here.deleted), reverse_complement(here.inserted))
    assert texts(placement) == (f"{R37}:{on37}", str(there), OK, True)


def test_a_change_of_grch38_is_placed_on_grch37():
    placement = Placer(references(), straight()).place(B38, 21, 5010, "AA", "A")

    assert texts(placement) == (f"{R37}:1010:AAAA:AAA", f"{R38}:5010:AAAA:AAA", OK, True)
    assert placement.canonical == placement.spdi38 == placement.on(B38)
    assert placement.on(B37) == placement.spdi37


def test_a_change_without_a_place_on_grch38_is_known_by_grch37():
    placement = Placer(references(), Liftover()).place(B37, 21, 1002, "T", "G")

    assert (placement.canonical, placement.status) == (Spdi(R37, 1002, "T", "G"), LiftStatus.NO_CHAIN)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param((1009, "T", "C"), LiftStatus.UNMAPPED, id="in a gap"),
        pytest.param((1030, "C", "T"), LiftStatus.OTHER_CONTIG, id="on another contig"),
        pytest.param((1008, "CTAA", "C"), LiftStatus.UNMAPPED, id="end in a gap"),
        pytest.param((1007, "GCTAAAAGC", "T"), LiftStatus.SPLIT, id="over a gap"),
    ],
)
def test_a_change_without_a_place_says_why(change, status):
    liftover = Liftover([chain_of(B37, 21, (1000, 1009, 5000, 1), (1014, 1030, 5015, 1), other=[(1030, 1040)])])

    placement = Placer(references(), liftover).place(B37, 21, *change)

    assert (placement.spdi38, placement.status) == (None, status)


def test_a_run_that_a_gap_of_the_chain_makes_longer_is_split():
    longer = SEQUENCE[:12] + "A" + SEQUENCE[12:]
    liftover = Liftover([chain_of(B37, 21, (1000, 1012, 5000, 1), (1012, 1048, 5013, 1))])

    placement = Placer(references(on38=longer), liftover).place(B37, 21, 1010, "AA", "A")

    assert (placement.spdi38, placement.status) == (None, LiftStatus.SPLIT)


def changed(at, base):
    return SEQUENCE[:at] + base + SEQUENCE[at + 1 :]


@pytest.mark.parametrize(
    ("on38", "change", "expected", "status"),
    [
        pytest.param(changed(2, "C"), (1002, "T", "G"), "5002:C:G", REF_CHANGED, id="SNV"),
        pytest.param(changed(2, "G"), (1002, "T", "G"), "5002:G:G", REF_CHANGED, id="SNV that becomes an identity"),
        pytest.param(changed(2, "C"), (1002, "T", "T"), "5002:C:T", REF_CHANGED, id="identity that becomes an SNV"),
        pytest.param(changed(11, "T"), (1010, "AA", "A"), "5011:T:", REF_CHANGED, id="another base within a run"),
        pytest.param(changed(14, "A"), (1010, "AA", "A"), "5010:AAAAA:AAAA", OK, id="a longer run"),
        pytest.param(changed(1, "T"), (1001, "AT", "CG"), "5001:TT:CG", REF_CHANGED, id="MNV"),
    ],
)
def test_bases_that_differ_between_the_builds_are_recorded(on38, change, expected, status):
    placement = Placer(references(on38=on38), straight()).place(B37, 21, *change)

    assert texts(placement)[1:3] == (f"{R38}:{expected}", status)


@pytest.mark.parametrize(
    ("change", "on37", "on38", "justified"),
    [
        pytest.param((1002, "T", "G"), "1002:T:G", "5002:T:G", True, id="SNV"),
        pytest.param((1001, "ATT", "CTG"), "1001:ATT:CTG", "5001:ATT:CTG", True, id="MNV"),
        pytest.param((1010, "AA", "A"), "1010:A:", "5010:A:", False, id="deletion"),
        pytest.param((1010, "A", "AA"), "1010::A", "5010::A", False, id="insertion"),
    ],
)
def test_without_sequence_a_change_is_trimmed_lifted_and_marked(change, on37, on38, justified):
    placement = Placer({}, straight()).place(B37, 21, *change)

    assert texts(placement) == (f"{R37}:{on37}", f"{R38}:{on38}", UNVERIFIED, justified)


def test_without_the_other_sequence_the_lifted_alleles_stay():
    placement = Placer(references(on38=None), straight()).place(B37, 21, 1010, "AA", "A")

    assert texts(placement) == (f"{R37}:1010:AAAA:AAA", f"{R38}:5010:AAAA:AAA", UNVERIFIED, True)


def test_without_the_reported_sequence_the_other_one_justifies():
    placement = Placer(references(on37=None), straight()).place(B37, 21, 1011, "AA", "A")

    assert texts(placement) == (f"{R37}:1011:A:", f"{R38}:5010:AAAA:AAA", OK, False)


@pytest.mark.parametrize("span", [(0, 14), (10, 48), (11, 48), (20, 48)])
def test_where_the_window_ends_within_the_run_the_lifted_alleles_stay(span):
    window = references(on38=SEQUENCE[slice(*span)], start38=START38 + span[0])

    placement = Placer(window, straight()).place(B37, 21, 1010, "AA", "A")

    assert texts(placement) == (f"{R37}:1010:AAAA:AAA", f"{R38}:5010:AAAA:AAA", UNVERIFIED, True)


@pytest.mark.parametrize("build", Build)
def test_the_mitochondrial_genome_needs_no_chain(build):
    placement = Placer({}, Liftover()).place(build, MT, 3242, "A", "G")

    spdi = Spdi("NC_012920.1", 3242, "A", "G")
    assert (placement.spdi37, placement.spdi38, placement.status) == (spdi, spdi, LiftStatus.IDENTITY)


@pytest.mark.parametrize("build", Build)
def test_the_mitochondrial_sequence_of_either_build_serves_both(build):
    rng = random.Random(1)
    sequence = (
        "".join(rng.choice("ACGT") for _ in range(300)) + "GAAAAC" + "".join(rng.choice("CGT") for _ in range(16263))
    )
    placer = Placer({B38: InMemoryReference({"NC_012920.1": [(0, sequence)]})}, Liftover())

    placement = placer.place(build, MT, 302, "AA", "A")

    assert str(placement.spdi37) == str(placement.spdi38) == "NC_012920.1:301:AAAA:AAA"
    assert placer.place_batch(build, MT, np.array([302]), ["AA"], ["A"]).other_deleted == ["AAAA"]


@pytest.mark.parametrize("change", [(1002, "C", "G"), (1010, "AC", "A"), (46_709_983, "A", "C"), (-1, "A", "C")])
def test_a_change_that_contradicts_the_reference_is_refused(change):
    with pytest.raises(CannotNormalize):
        Placer(references(), straight()).place(B37, 21, *(change if change[0] < 10**6 else (48_129_895, "A", "C")))


# --- many changes -----------------------------------------------------------------------------------------------------


def assert_like_single(placer, build, contig, changes):
    """Place changes in bulk and one by one, and compare every column."""
    positions, refs, alts = (list(column) for column in zip(*changes, strict=True))
    batch = placer.place_batch(build, contig, np.array(positions, dtype=np.int64), refs, alts)
    for row, change in enumerate(changes):
        here = Spdi("", int(batch.start[row]), batch.deleted[row], batch.inserted[row])
        there = Spdi("", int(batch.other_start[row]), batch.other_deleted[row], batch.other_inserted[row])
        assert (here.end, there.end if there.position >= 0 else -1) == (batch.end[row], batch.other_end[row])
        try:
            single = placer.place(build, contig, *change)
        except CannotNormalize:
            assert (batch.ref_check[row], there.position, batch.justified[row]) == (CONTRADICTS, -1, False), change
            continue
        assert batch.ref_check[row] != CONTRADICTS, change
        assert (batch.status[row], batch.justified[row]) == (single.status, single.justified), change
        for spdi, column in ((single.on(build), here), (single.on(build.other), there)):
            expected = (spdi.position, spdi.deleted, spdi.inserted) if spdi else (-1, "", "")
            assert (column.position, column.deleted, column.inserted) == expected, change
    return batch


ALL = [change.values[0] for change in CHANGES]


@pytest.mark.parametrize("rows", [10, 23, 24, 25, 300])
def test_few_and_many_indels_in_repeats_are_placed_alike(rows):
    dice = random.Random(rows)
    sequence = "".join(
        dice.choice("ACGT") * dice.randint(1, 3) + dice.choice(["AC", "T", "GCA"]) * dice.randint(0, 40)
        for _ in range(60)
    )
    size = len(sequence)
    liftover = Liftover([chain_of(B37, 21, (START37, START37 + size, START38, 1))])
    changes = []
    for _ in range(rows):
        at, taken = dice.randrange(1, size - 12), dice.randint(1, 7)
        gone, new = sequence[at : at + taken], sequence[at : at + dice.randint(1, 7)]
        changes.append((START37 + at, gone, new if dice.random() < 0.8 else new + dice.choice("ACGT")))
    assert_like_single(Placer(references(sequence, sequence), liftover), B37, 21, changes)
    assert_like_single(Placer(references(sequence, None), liftover), B37, 21, changes)


@pytest.mark.parametrize("liftover", [straight(), turned(), Liftover()], ids=["straight", "turned", "no chain"])
@pytest.mark.parametrize("on37", [SEQUENCE, None, SEQUENCE[:12]], ids=["whole", "none", "part"])
@pytest.mark.parametrize("on38", [SEQUENCE, None, SEQUENCE[:12], changed(11, "T"), changed(14, "A")])
def test_a_batch_says_what_single_changes_say(liftover, on37, on38):
    contradicting = [(1002, "C", "G"), (1002, "CT", "C"), (1020, "GG", "G"), (48_129_895, "A", "C"), (-1, "AC", "A")]

    assert_like_single(Placer(references(on37, on38), liftover), B37, 21, [*ALL, *contradicting, *ALL])


def test_the_order_of_the_rows_is_kept():
    placer = Placer(references(), straight())
    shuffled = ALL * 3
    random.Random(7).shuffle(shuffled)

    assert_like_single(placer, B37, 21, shuffled)


def test_turned_rows_are_never_taken_for_straight_ones():
    liftover = Liftover([chain_of(B37, 21, (1002, 1004, 5003, -1))])

    batch = assert_like_single(Placer(references(), liftover), B37, 21, [(1002, "TT", "CG"), (1002, "T", "C")])

    assert batch.status.tolist() == [REF_CHANGED] * 2
    assert (batch.other_deleted, batch.other_inserted) == (["TT", "T"], ["CG", "G"])


def test_an_empty_batch_is_an_empty_batch():
    batch = Placer(references(), straight()).place_batch(B37, 21, np.array([], dtype=np.int64), [], [])

    assert (len(batch.start), batch.deleted, batch.other_deleted) == (0, [], [])


def test_the_columns_tell_how_far_a_change_was_extended():
    changes = [(1002, "T", "G"), (1010, "AA", "A"), (1013, "A", "AA"), (1019, "CAC", "C")]

    batch = assert_like_single(Placer(references(), straight()), B37, 21, changes)

    assert batch.left.tolist() == [0, 0, 3, 0]
    assert batch.right.tolist() == [0, 3, 1, 5]
    assert (batch.left.dtype, batch.right.dtype) == (np.int32, np.int32)


def test_the_columns_tell_what_the_reference_says_of_ref():
    changes = [
        (1002, "T", "G"),
        (1002, "C", "G"),
        (900, "C", "G"),
        (1010, "AA", "A"),
        (1010, "AC", "A"),
        (900, "AC", "A"),
    ]

    batch = assert_like_single(Placer(references(), straight()), B37, 21, changes)

    assert batch.ref_check.tolist() == [EQUAL, CONTRADICTS, NOT_LOADED] * 2


def test_a_row_that_contradicts_the_reference_is_only_trimmed():
    batch = Placer(references(), straight()).place_batch(B37, 21, np.array([1002, 1010]), ["C", "AC"], ["G", "A"])

    assert batch.start.tolist() == [1002, 1011]
    assert (batch.deleted, batch.inserted) == (["C", "C"], ["G", ""])
    assert batch.status.tolist() == [LiftStatus.UNMAPPED] * 2
    assert (batch.other_start.tolist(), batch.other_deleted) == ([-1, -1], ["", ""])


def test_equal_alleles_are_the_same_objects():
    batch = assert_like_single(Placer(references(on38=changed(14, "A")), straight()), B37, 21, ALL)

    for here, there in ((batch.deleted, batch.other_deleted), (batch.inserted, batch.other_inserted)):
        assert all(one is other for one, other in zip(here, there, strict=True) if one == other)


def test_rows_over_several_windows_and_holes():
    rng = random.Random(11)
    sequence = "".join(rng.choice("AC") for _ in range(4000))
    cut = [(START37 + low, sequence[low:high]) for low, high in ((0, 700), (700, 1500), (1600, 1640), (3000, 4000))]
    placer = Placer(
        {B37: InMemoryReference({R37: cut}), B38: InMemoryReference({R38: [(START38 + 500, sequence[500:3500])]})},
        Liftover([chain_of(B37, 21, (START37, START37 + 4000, START38, 1))]),
    )

    changes = []
    for at in range(0, 3990, 3):
        size = rng.choice([0, 0, 1, 2, 5])
        changes.append((START37 + at, sequence[at : at + 1 + size], sequence[at] + rng.choice(["", "A", "CC", "T"])))

    batch = assert_like_single(placer, B37, 21, changes)
    assert {OK, UNVERIFIED} <= set(batch.status.tolist())


def test_a_long_roll_is_found_in_bulk_too():
    sequence = "G" + "CA" * 90 + "T" + "A" * 200 + "G"
    placer = Placer(
        {B37: InMemoryReference({R37: [(START37, sequence)]}), B38: InMemoryReference({R38: [(START38, sequence)]})},
        Liftover([chain_of(B37, 21, (START37, START37 + len(sequence), START38, 1))]),
    )
    changes = [(1000, "GCA", "G"), (1100, "A", "ACA"), (1181, "TA", "T"), (1250, "A", "AAA"), (1100, "ACAC", "AC")]

    batch = assert_like_single(placer, B37, 21, changes)

    assert batch.status.tolist() == [OK] * 5
    assert (batch.end - batch.start).tolist() == [180, 180, 200, 200, 180]


def test_an_allele_outside_the_alphabet_is_compared_all_the_same():
    batch = assert_like_single(
        Placer(references(), straight()), B37, 21, [(1002, "N", "G"), (1002, "T", "Ü"), (900, "N", "T")]
    )

    assert batch.ref_check.tolist() == [CONTRADICTS, EQUAL, NOT_LOADED]


# --- real windows -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    data = shared / "data"
    for build in Build:
        add_fasta(folder / build, build, data / "seq" / f"windows.{build}.fa.gz")
        add_fasta(folder / build, build, data / "seq" / "rCRS.NC_012920.1_full.fa")
        add_chain(folder, build, build.other, data / "chain_ensembl" / f"{build}_to_{build.other}.chain.gz")
    return folder


@pytest.fixture(scope="module")
def reference37(folder):
    return FastaReference(folder / B37)


@pytest.fixture(scope="module")
def placer(folder, reference37):
    return Placer({B37: reference37, B38: FastaReference(folder / B38)}, load_liftover(folder))


def pypgx_pairs(shared):
    """Yield each variant of the table that both builds spell as chromosome-position-REF-ALT."""
    with (shared / "data" / "genes" / "pypgx" / "variant-table.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            names = [row[f"{build}Name"].split("-") for build in Build]
            if all(len(name) == 4 for name in names):
                yield [(contig_named(name[0], B37), int(name[1]) - 1, name[2], name[3]) for name in names]


def test_both_spellings_of_the_pypgx_variants_are_placed_alike(shared, placer):
    pairs = list(pypgx_pairs(shared))
    placed = [(placer.place(B37, *on37), placer.place(B38, *on38)) for on37, on38 in pairs]

    unlike = [
        (str(one.spdi37), str(other.spdi38), one.status) for one, other in placed if one.canonical != other.canonical
    ]

    assert len(pairs) == 1246
    # In these the reference base of one build is the alternate base of the other.
    assert [row for row in unlike if row[2] is not UNVERIFIED] == [
        ("NC_000022.10:42522612:G:C", "NC_000022.11:42126610:C:G", REF_CHANGED),
        ("NC_000022.10:42523942:A:G", "NC_000022.11:42127940:G:A", REF_CHANGED),
        ("NC_000001.10:98348884:G:A", "NC_000001.11:97883328:A:G", REF_CHANGED),
        ("NC_000023.10:153760653:G:A", "NC_000023.11:154532438:A:G", REF_CHANGED),
    ]
    assert len(unlike) == 10
    assert all(one.spdi38.inserted == one.spdi38.deleted for one, _ in placed if one.status is REF_CHANGED)


def window_bases(shared, reference, build):
    """Yield each contig with the positions of every 23rd base of its windows, and these bases."""
    with (shared / "data" / "seq" / "windows.tsv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["build"] == build]
    for ref_seq in sorted({row["accession"] for row in rows}):
        spans = [(int(row["start"]) - 1, int(row["end"])) for row in rows if row["accession"] == ref_seq]
        at = np.concatenate([np.arange(start, end, 23) for start, end in spans])
        yield locate(ref_seq)[0], at, [base for span in spans for base in reference.fetch(ref_seq, *span)[::23]]


def test_every_23rd_base_of_the_windows_lands_on_the_same_base(shared, placer, reference37):
    statuses = np.zeros(8, dtype=np.int64)
    for contig, at, bases in window_bases(shared, reference37, B37):
        batch = placer.place_batch(B37, contig, at, bases, ["N"] * len(at))
        statuses += np.bincount(batch.status, minlength=8)

    counts = {LiftStatus(status).name: int(count) for status, count in enumerate(statuses) if count}
    assert counts == {"OK": 2_004_239, "UNVERIFIED": 2, "REF_CHANGED": 9, "UNMAPPED": 205}


def brca1_rows(shared):
    """Yield (position, REF, ALT) of a file whose positions count from base 41196313 of NC_000017.10."""
    text = (shared / "data" / "vcf" / "brca1_1kgPhase3_variants.vcf").read_text()
    for line in text.splitlines():
        if not line.startswith("#"):
            _, position, _, ref, alts = line.split("\t")[:5]
            yield from ((41_196_311 + int(position), ref, alt) for alt in alts.split(",") if set(alt) <= set("ACGT"))


def test_a_real_file_agrees_with_the_reference_and_is_placed_as_single_changes_are(shared, placer):
    changes = list(brca1_rows(shared))

    batch = assert_like_single(placer, B37, 17, changes)

    assert set(batch.ref_check.tolist()) == {EQUAL}
    assert (len(changes), set(batch.status.tolist())) == (2057, {OK})


# --- speed ------------------------------------------------------------------------------------------------------------
