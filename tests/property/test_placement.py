"""Laws of placing changes on two builds, on made-up chromosomes with gaps, inversions, mutations and unknown bases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import CannotNormalize
from app.records import Build, LiftStatus
from app.variants.accessions import accession
from app.variants.liftover import Chain, ChainSource, Liftover
from app.variants.normalize import justify
from app.variants.placement import CONTRADICTS, Placement, Placer
from app.variants.reference import InMemoryReference, ReferenceSequence
from app.variants.segments import Segments
from app.variants.spdi import Spdi, reverse_complement

CONTIG = 21
START = {Build.GRCH37: 1000, Build.GRCH38: 5000}
UNITS = ["A", "C", "G", "T", "AAA", "CACA", "ACACACAC", "GATTACA", "TTTTT", "AGCT"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of both builds: ``same`` or ``turned`` are aligned, the others stand on one build only."""

    kind: str
    bases: str
    mutated: bool


EDGE = Part("same", "GC", mutated=False)


@dataclass(frozen=True, slots=True)
class World:
    """Two made-up builds of one chromosome and the alignment between them."""

    bases: dict[Build, str]
    blocks: list[tuple[int, int, int, int]]
    known: dict[Build, ReferenceSequence]

    @property
    def liftover(self) -> Liftover:
        back = [
            (min(image, image + sign * (end - start - 1)), start, end, sign) for start, end, image, sign in self.blocks
        ]
        backwards = [(low, low + end - start, start if sign > 0 else end - 1, sign) for low, start, end, sign in back]
        return Liftover(
            Chain(ChainSource("made up", source, source.other, "0" * 64), {CONTIG: Segments.of(blocks)})
            for source, blocks in ((Build.GRCH37, self.blocks), (Build.GRCH38, backwards))
        )

    @property
    def placer(self) -> Placer:
        return Placer(self.known, self.liftover)

    def counterparts(self, build: Build) -> dict[int, tuple[int, int]]:
        """Return the place on the other build of each aligned base, and the direction that it is read in there."""
        pairs = [
            (start + step, image + sign * step, sign)
            for start, end, image, sign in self.blocks
            for step in range(end - start)
        ]
        return {(a if build is Build.GRCH37 else b): (b if build is Build.GRCH37 else a, sign) for a, b, sign in pairs}

    def mirrored(self, build: Build) -> World:
        """Return the world in which one build is read from its other end."""
        last = 2 * START[build] + len(self.bases[build]) - 1
        blocks = [
            (start, end, last - image, -sign)
            if build is Build.GRCH38
            else (last - end + 1, last - start + 1, image + sign * (end - start - 1), -sign)
            for start, end, image, sign in self.blocks
        ]
        bases = self.bases | {build: reverse_complement(self.bases[build])}
        return World(bases, blocks, {b: whole(b, bases[b]) for b in Build})


def whole(build: Build, bases: str) -> ReferenceSequence:
    return InMemoryReference({accession(build, CONTIG): [(START[build], bases)]})


SEQUENCES = st.lists(st.sampled_from(UNITS), min_size=1, max_size=6).map("".join)
KINDS = st.sampled_from(["same", "same", "same", "turned", "only37", "only38"])
PARTS = st.builds(Part, KINDS, SEQUENCES, st.sampled_from([False, False, False, True]))
HOLES: st.SearchStrategy[list[tuple[float, float]]] = st.one_of(
    st.just([(0.0, 1.0)]), st.just([]), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=3)
)


def built(parts: list[Part], holes37: list[tuple[float, float]], holes38: list[tuple[float, float]]) -> World:
    """Lay the parts one after another on both builds."""
    bases = dict.fromkeys(Build, "")
    blocks = []
    for part in [EDGE, *parts, EDGE]:
        there = part.bases
        if part.mutated:
            middle = len(there) // 2
            there = there[:middle] + {"A": "C", "C": "G", "G": "T", "T": "A"}[there[middle]] + there[middle + 1 :]
        if part.kind in {"same", "turned"}:
            start = START[Build.GRCH37] + len(bases[Build.GRCH37])
            low = START[Build.GRCH38] + len(bases[Build.GRCH38])
            sign = 1 if part.kind == "same" else -1
            blocks.append((start, start + len(there), low if sign > 0 else low + len(there) - 1, sign))
        if part.kind != "only38":
            bases[Build.GRCH37] += part.bases
        if part.kind != "only37":
            bases[Build.GRCH38] += reverse_complement(there) if part.kind == "turned" else there
    known: dict[Build, ReferenceSequence] = {}
    for build, holes in ((Build.GRCH37, holes37), (Build.GRCH38, holes38)):
        size = len(bases[build])
        spans = [sorted((int(low * size), int(high * size))) for low, high in holes]
        windows = [(START[build] + low, bases[build][low:high]) for low, high in spans if low < high]
        known[build] = InMemoryReference({accession(build, CONTIG): windows})
    return World(bases, blocks, known)


WHOLE = st.just([(0.0, 1.0)])
PART_LISTS = st.lists(PARTS, min_size=1, max_size=8)
WORLDS = st.builds(built, PART_LISTS, HOLES, HOLES)
LOADED_WORLDS = st.builds(built, st.lists(PARTS, min_size=1, max_size=5), WHOLE, WHOLE)
RECIPE = st.tuples(
    st.floats(0, 1),
    st.sampled_from([0, 1, 1, 1, 2, 3, 5, 9]),
    st.sampled_from(["", *UNITS]),
    st.integers(0, 9),
    st.booleans(),
)
RECIPES = st.lists(RECIPE, min_size=1, max_size=12)
FEW_RECIPES = st.lists(RECIPE, min_size=1, max_size=3)
many = settings(max_examples=2000)


def changes_of(world: World, build: Build, recipes, contradictions: bool = False) -> list[tuple[int, str, str]]:
    """Return VCF-like changes (position, REF, ALT): most agree with the build's bases."""
    start, bases = START[build], world.bases[build]
    changes = []
    for where, size, unit, repeat, anchored in recipes:
        at = min(int(where * len(bases)), len(bases) - 1)
        ref = bases[at : at + max(size, 1)]
        # Repeating what stands there makes changes that roll.
        new = unit if repeat < 6 else (ref * (repeat - 5))[:12]
        alt = ref[0] + new if anchored else new or ref[0]
        if contradictions and repeat == 5:
            ref = reverse_complement(ref)
        changes.append((start + at, ref, alt))
    return changes


def columns_of(batch, row: int) -> tuple[object, ...]:
    return (
        batch.start[row],
        batch.end[row],
        batch.deleted[row],
        batch.inserted[row],
        batch.status[row],
        batch.justified[row],
        batch.other_start[row],
        batch.other_end[row],
        batch.other_deleted[row],
        batch.other_inserted[row],
    )


def expected_columns(placement: Placement, build: Build) -> tuple[object, ...]:
    here, there = placement.on(build), placement.on(build.other)
    assert here is not None
    other = (there.position, there.end, there.deleted, there.inserted) if there else (-1, -1, "", "")
    return (here.position, here.end, here.deleted, here.inserted, placement.status, placement.justified, *other)


@settings(max_examples=900)
@given(WORLDS, st.sampled_from(list(Build)), RECIPES)
def test_a_batch_says_of_each_row_what_a_single_change_says(world, build, recipes):
    placer, reference = world.placer, world.known[build]
    changes = changes_of(world, build, recipes, contradictions=True)
    positions, refs, alts = zip(*changes, strict=True)

    batch = placer.place_batch(build, CONTIG, np.array(positions), list(refs), list(alts))

    for row, change in enumerate(changes):
        try:
            placement = placer.place(build, CONTIG, *change)
        except CannotNormalize:
            assert (batch.ref_check[row], batch.other_start[row]) == (CONTRADICTS, -1)
            continue
        assert batch.ref_check[row] != CONTRADICTS
        assert columns_of(batch, row) == expected_columns(placement, build)
        native = justify(reference, accession(build, CONTIG), *change)
        assert (batch.left[row], batch.right[row]) == (native.left, native.right)


def applied(start: int, bases: str, spdi: Spdi) -> str:
    """Return some bases from ``start`` on with a change made in them, after checking what it deletes."""
    at = spdi.position - start
    assert bases[at : at + len(spdi.deleted)] == spdi.deleted
    return bases[:at] + spdi.inserted + bases[at + len(spdi.deleted) :]


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), FEW_RECIPES)
def test_a_placed_change_makes_the_same_bases_as_the_reported_one(world, build, recipes):
    for position, ref, alt in changes_of(world, build, recipes):
        placement = world.placer.place(build, CONTIG, position, ref, alt)

        start, bases = START[build], world.bases[build]
        here, there = placement.on(build), placement.on(build.other)
        assert here is not None
        made = applied(start, bases, here)
        assert made == applied(start, bases, Spdi("", position, ref, alt))
        if placement.status in {LiftStatus.OK, LiftStatus.REF_CHANGED}:
            assert there is not None
            applied(START[build.other], world.bases[build.other], there)
        if placement.status is LiftStatus.OK and there is not None:
            assert_same_within_its_block(world, build, here, there)


def assert_same_within_its_block(world: World, build: Build, here: Spdi, there: Spdi) -> None:
    """Make the change in the aligned block around it on both builds, if the block has no other difference."""
    for start, end, image, sign in world.blocks:
        low = min(image, image + sign * (end - start - 1))
        spans = {Build.GRCH37: (start, end), Build.GRCH38: (low, low + end - start)}
        ours, theirs = spans[build], spans[build.other]
        if not (
            ours[0] <= here.position and here.end <= ours[1] and theirs[0] <= there.position and there.end <= theirs[1]
        ):
            continue
        block = {b: world.bases[b][low - START[b] : high - START[b]] for b, (low, high) in spans.items()}
        turn = (lambda bases: bases) if sign > 0 else reverse_complement
        if turn(block[build]) == block[build.other]:
            assert turn(applied(ours[0], block[build], here)) == applied(theirs[0], block[build.other], there)


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), FEW_RECIPES)
def test_there_and_back_is_the_same_change_or_says_why_not(world, build, recipes):
    failures = {LiftStatus.REF_CHANGED, LiftStatus.UNVERIFIED, LiftStatus.SPLIT, LiftStatus.UNMAPPED}
    placer = world.placer
    for change in changes_of(world, build, recipes):
        placement = placer.place(build, CONTIG, *change)
        there = placement.on(build.other)
        if there is None or placement.status is not LiftStatus.OK or not placement.justified:
            continue

        back = placer.place(build.other, CONTIG, there.position, there.deleted, there.inserted)

        if back.status is LiftStatus.OK:
            assert (back.spdi37, back.spdi38) == (placement.spdi37, placement.spdi38)
        else:
            assert back.status in failures


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), FEW_RECIPES, st.integers(0, 5), st.integers(0, 5))
def test_however_a_change_is_padded_it_is_placed_alike(world, build, recipes, before, after):
    start, bases = START[build], world.bases[build]
    for position, ref, alt in changes_of(world, build, recipes):
        if ref == alt:
            continue
        at = position - start
        low, high = max(0, at - before), at + len(ref) + after
        padded = bases[low:high], bases[low:at] + alt + bases[at + len(ref) : high]

        plain = world.placer.place(build, CONTIG, position, ref, alt)

        if plain.justified:
            assert world.placer.place(build, CONTIG, start + low, *padded) == plain


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), FEW_RECIPES)
def test_placing_a_placed_change_again_changes_nothing(world, build, recipes):
    for change in changes_of(world, build, recipes):
        placement = world.placer.place(build, CONTIG, *change)
        here = placement.on(build)
        assert here is not None
        assert world.placer.place(build, CONTIG, here.position, here.deleted, here.inserted) == placement


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), st.sampled_from(list(Build)), FEW_RECIPES)
def test_a_build_read_from_its_other_end_gives_the_mirrored_place(world, build, turned, recipes):
    mirror = world.mirrored(turned)
    for change in changes_of(world, build, recipes):
        plain = world.placer.place(build, CONTIG, *change)

        asked = Spdi("", *change)
        found = mirror.placer.place(
            build, CONTIG, *as_change(mirrored(world, build, asked) if build is turned else asked)
        )

        assert found.justified == plain.justified
        if not plain.justified:
            continue  # what is only trimmed is trimmed from the end
        assert found.status is plain.status
        for on in Build:
            place = plain.on(on)
            assert found.on(on) == (mirrored(world, on, place) if place is not None and on is turned else place)


def mirrored(world: World, build: Build, spdi: Spdi) -> Spdi:
    """Return a change on a build that is read from its other end."""
    position = 2 * START[build] + len(world.bases[build]) - spdi.end
    return Spdi(spdi.ref_seq, position, reverse_complement(spdi.deleted), reverse_complement(spdi.inserted))


def as_change(spdi: Spdi) -> tuple[int, str, str]:
    return spdi.position, spdi.deleted, spdi.inserted


INTERVALS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30)), min_size=1, max_size=10)


@many
@given(LOADED_WORLDS, st.sampled_from(list(Build)), INTERVALS)
def test_an_interval_goes_there_and_back_or_says_why_not(world, build, intervals):
    places, back, liftover = world.counterparts(build), world.counterparts(build.other), world.liftover
    for where, size in intervals:
        start = START[build] + int(where * len(world.bases[build]))
        lifted = liftover.lift_interval(build, CONTIG, start, start + size)

        first, last = (start, start + size - 1) if size else (start - 1, start)
        if first not in places or last not in places:
            assert lifted.status is LiftStatus.UNMAPPED
            continue
        (low, sign), (high, other_sign) = places[first], places[last]
        if sign != other_sign or (high - low) * sign != last - first:
            assert lifted.status is LiftStatus.SPLIT
            continue
        ends = sorted((low, high))
        expected = (ends[0], ends[1] + 1) if size else (ends[1], ends[1])
        assert (lifted.status, lifted.start, lifted.end, lifted.reverse) == (LiftStatus.OK, *expected, sign < 0)
        assert {place: back[place][0] for place in (low, high)} == {low: first, high: last}
        again = liftover.lift_interval(build.other, CONTIG, lifted.start, lifted.end)
        assert (again.status, again.start, again.end, again.reverse) == (LiftStatus.OK, start, start + size, sign < 0)
