"""Laws of fully justified alleles, on short sequences that are rich in repeats."""

import random
from dataclasses import dataclass

import numpy as np
from bioutils.normalize import normalize
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.variants.normalize import contextual, justify, roll, trim
from app.variants.reference import InMemoryReference
from app.variants.rolls import NEAR, rolled
from app.variants.spdi import reverse_complement

REF_SEQ = "NC_012920.1"
LENGTH = 16_569
FILLER = "".join(random.Random(7).choices("ACGT", k=LENGTH))


@dataclass(frozen=True)
class Case:
    """A change of a whole chromosome, of which ``core`` at ``core_start`` was drawn."""

    chromosome: str
    core_start: int
    core: str
    position: int
    deleted: str
    inserted: str

    @property
    def reference(self) -> InMemoryReference:
        return InMemoryReference({REF_SEQ: [(0, self.chromosome)]})

    def apply(self, position: int, deleted: str, inserted: str) -> str:
        assert self.chromosome[position : position + len(deleted)] == deleted
        return self.chromosome[:position] + inserted + self.chromosome[position + len(deleted) :]


repetitive = st.one_of(st.text("A", min_size=1), st.text("AC", min_size=1), st.text("ACGT", min_size=1, max_size=60))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a change whose inserted bases often continue the sequence around it."""
    core = draw(repetitive)
    core_start = draw(st.sampled_from([0, 8000, LENGTH - len(core)]))
    chromosome = FILLER[:core_start] + core + FILLER[core_start + len(core) :]
    start, end, copied, copied_end = draw(st.tuples(*[st.integers(0, len(core))] * 4))
    start, end = sorted((start, end))
    inserted = core[copied:copied_end] if copied < copied_end else draw(st.text("ACGT", max_size=4))
    return Case(chromosome, core_start, core, core_start + start, core[start:end], inserted)


many = settings(max_examples=2000, deadline=None)


def spelled(case: Case, position: int, deleted: str, inserted: str) -> tuple[int, str, str]:
    found = justify(case.reference, REF_SEQ, position, deleted, inserted)
    assert found.justified
    return found.position, found.deleted, found.inserted


@many
@given(cases())
def test_justifying_is_idempotent_and_keeps_the_changed_sequence(case):
    once = spelled(case, case.position, case.deleted, case.inserted)
    assert spelled(case, *once) == once
    assert case.apply(*once) == case.apply(case.position, case.deleted, case.inserted)


@many
@given(cases(), st.data())
def test_every_alignment_and_padding_of_a_change_gets_the_same_form(case, data):
    found = justify(case.reference, REF_SEQ, case.position, case.deleted, case.inserted)
    position, deleted, inserted = found.trimmed
    if bool(deleted) is not bool(inserted):
        # Slide the allele to anywhere in the repeat.
        size, run = len(deleted or inserted), max(found.deleted, found.inserted, key=len)
        shift = data.draw(st.integers(0, found.left + found.right))
        position, allele = found.position + shift, run[shift : shift + size]
        deleted, inserted = (allele, "") if deleted else ("", allele)
    if case.deleted != case.inserted:
        end = position + len(deleted)
        start = data.draw(st.integers(max(0, position - 5), position))
        stop = data.draw(st.integers(end, min(LENGTH, end + 5)))
        before, after = case.chromosome[start:position], case.chromosome[end:stop]
        position, deleted, inserted = start, before + deleted + after, before + inserted + after
    assert spelled(case, position, deleted, inserted) == (found.position, found.deleted, found.inserted)


def spellings(case: Case) -> list[tuple[int, str, str]]:
    """Return every place of a pure insertion or deletion that makes the same chromosome, by trying them all."""
    made, growth = case.apply(case.position, case.deleted, case.inserted), len(case.inserted) - len(case.deleted)
    size, found = abs(growth), []
    for at in range(max(0, case.core_start - 30), min(LENGTH, case.core_start + len(case.core) + 30) + 1):
        deleted, inserted = ("", made[at : at + size]) if growth > 0 else (case.chromosome[at : at + size], "")
        if len(deleted) <= LENGTH - at and case.apply(at, deleted, inserted) == made:
            found.append((at, deleted, inserted))
    return found


@many
@given(cases())
def test_the_form_covers_every_place_where_the_change_can_stand_and_no_other(case):
    _, deleted, inserted = trim(case.position, case.deleted, case.inserted)
    assume(bool(deleted) is not bool(inserted))
    everywhere = spellings(case)

    found = {spelled(case, *spelling) for spelling in everywhere}

    (left, deleted, _), (right, *_) = everywhere[0], everywhere[-1]
    assert found == {spelled(case, case.position, case.deleted, case.inserted)}
    [(position, removed, _)] = found
    assert (position, position + len(removed)) == (left, right + len(deleted))


@many
@given(cases())
def test_the_form_is_the_one_that_bioutils_expands_to(case):
    assume(case.deleted != case.inserted)
    place = (case.position, case.position + len(case.deleted))
    (start, _), (deleted, inserted) = normalize(case.chromosome, place, (None, case.inserted), mode="EXPAND")
    assert spelled(case, case.position, case.deleted, case.inserted) == (start, deleted, inserted)


@many
@given(cases())
def test_the_context_follows_from_the_allele_and_the_distances_alone(case):
    position, deleted, inserted = trim(case.position, case.deleted, case.inserted)
    assume(bool(deleted) is not bool(inserted))
    end = position + len(deleted)
    left, right, _ = roll(case.chromosome, position, end, deleted or inserted)
    before, after = case.chromosome[position - left : position], case.chromosome[end : end + right]
    assert contextual(deleted, inserted, left, right) == (before + deleted + after, before + inserted + after)


@many
@given(cases())
def test_the_opposite_strand_gives_the_mirrored_form(case):
    mirror = InMemoryReference({REF_SEQ: [(0, reverse_complement(case.chromosome))]})
    position, deleted, inserted = spelled(case, case.position, case.deleted, case.inserted)
    found = justify(
        mirror,
        REF_SEQ,
        LENGTH - case.position - len(case.deleted),
        reverse_complement(case.deleted),
        reverse_complement(case.inserted),
    )
    assert found.position == LENGTH - position - len(deleted)
    assert (found.deleted, found.inserted) == (reverse_complement(deleted), reverse_complement(inserted))


@many
@given(cases(), st.integers(0, 60), st.integers(0, 60))
def test_less_sequence_never_changes_the_answer_but_may_withhold_it(case, before, after):
    start = max(0, case.position - before)
    end = min(LENGTH, case.position + len(case.deleted) + after)
    part = InMemoryReference({REF_SEQ: [(start, case.chromosome[start:end])]})
    found = justify(part, REF_SEQ, case.position, case.deleted, case.inserted)
    whole = justify(case.reference, REF_SEQ, case.position, case.deleted, case.inserted)
    if found.justified:
        assert found == whole
    else:
        assert (found.position, found.deleted, found.inserted) == whole.trimmed


@many
@given(
    st.text("AC", min_size=200, max_size=400),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 9), st.text("AC", min_size=1, max_size=9)),
        min_size=1,
        max_size=40,
    ),
)
def test_many_alleles_roll_together_as_each_does_alone(window, drawn):
    # A deletion takes its allele from the window; an insertion brings one, often what stands there.
    starts, ends, alleles = [], [], []
    for at, size, inserted in drawn:
        start = at % len(window)
        end = min(len(window), start + size)
        starts.append(start)
        ends.append(end)
        alleles.append(window[start:end] or inserted)
    codes = np.frombuffer(window.encode(), dtype=np.uint8)
    lefts, rights = rolled(codes, np.array(starts), np.array(ends), alleles)
    for start, end, allele, left, right in zip(starts, ends, alleles, lefts.tolist(), rights.tolist(), strict=True):
        alone = roll(window, start, end, allele)
        assert left in (alone[0], -1)
        assert right in (alone[1], -1)
        if start >= NEAR and end + NEAR <= len(window):
            assert left >= 0 or alone[0] >= NEAR
            assert right >= 0 or alone[1] >= NEAR
