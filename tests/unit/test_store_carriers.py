"""Who carries a variant, counted and listed like plain sets, over several shards."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from pyroaring import BitMap

from app.records import Sex, SourceClass, Zygosity
from app.store import bitmaps, carriers, counters, subjects
from app.store.bitmaps import kind_of
from app.store.carriers import Shards
from app.store.session import Database, Session
from app.store.subjects import Subject

SHARD = 1 << bitmaps.SHARD_BITS
HIGHEST = 3 * SHARD - 1
HET = kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS)
HOM = kind_of(SourceClass.GERMLINE, Zygosity.HOMOZYGOUS)
TUMOUR = kind_of(SourceClass.SOMATIC, Zygosity.HETEROZYGOUS)
KINDS = [kind_of(source_class, zygosity) for source_class in SourceClass for zygosity in Zygosity]

Entry = tuple[int, int, int]
"""(variant, ordinal, kind)"""


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Return a session of a store with subjects in three shards."""
    with database.write() as session:
        counters.add(session, counters.SUBJECT_ORDINAL, HIGHEST + 1)
        yield session


def merge(session: Session, entries: Iterable[Entry]) -> None:
    rows = sorted(entries)
    carriers.merge(session, *(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def members(shards: Shards) -> set[int]:
    return set(carriers.ordinals(shards))


def expect(session: Session, entries: set[Entry], variant_ids: list[int]) -> None:
    """Compare every way of asking with plain sets."""
    assert carriers.count(session, variant_ids) == {
        variant_id: len({ordinal for v, ordinal, _ in entries if v == variant_id}) for variant_id in variant_ids
    }
    for source_class in (None, *SourceClass):
        found = carriers.fetch(session, variant_ids, source_class)
        assert {variant_id: members(found.get(variant_id, {})) for variant_id in variant_ids} == {
            variant_id: {
                ordinal
                for v, ordinal, kind in entries
                if v == variant_id and (source_class is None or kind >> 4 == source_class)
            }
            for variant_id in variant_ids
        }, source_class


def some_entries(chance: random.Random, n: int) -> set[Entry]:
    """Return carriers of variants that few, many or all of a neighbourhood carry, near the borders of shards too."""
    near_borders = [0, 1, SHARD - 1, SHARD, SHARD + 1, 2 * SHARD - 1, 2 * SHARD, HIGHEST]
    crowd = range(70_000, 70_060)
    entries: set[Entry] = set()
    for _ in range(n):
        variant_id = chance.choice([0, 1, 5, 254, 255, 256, 257, 511, 512, 2**31, 2**38])
        ordinal = chance.choice([*near_borders, chance.choice(crowd), chance.randrange(HIGHEST + 1)])
        entries.add((variant_id, ordinal, chance.choice([HET, HET, HET, HOM, *KINDS])))
    return entries


# --- merging ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_carriers_add_up_over_many_merges(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    known: set[Entry] = set()
    for _ in range(6):
        fresh = some_entries(chance, chance.choice([1, 8, 200]))
        merge(session, fresh)
        known |= fresh
        expect(session, known, sorted({entry[0] for entry in known}))

    expect(session, known, [3, 5, 2**37])


def test_a_subject_counts_once_however_often_it_carries_a_variant(session: Session) -> None:
    merge(session, [(1, 7, HET), (1, 7, HOM), (1, 7, TUMOUR)])
    merge(session, [(1, 7, HET)])

    assert carriers.count(session, [1]) == {1: 1}
    assert members(carriers.fetch(session, [1], SourceClass.SOMATIC)[1]) == {7}


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 10, 200])
def test_a_variant_may_grow_one_carrier_at_a_time_or_all_at_once(session: Session, size: int) -> None:
    entries = {(1, SHARD + at * 3, HET) for at in range(size)} | {(2, 5, HET)}

    for entry in sorted(entries):
        merge(session, [entry])
    merge(session, [(variant_id + 2, ordinal, kind) for variant_id, ordinal, kind in entries])

    twice = entries | {(variant_id + 2, ordinal, kind) for variant_id, ordinal, kind in entries}
    expect(session, twice, [1, 2, 3, 4])


def test_a_variant_may_be_common_in_one_shard_and_rare_in_another(session: Session) -> None:
    entries = {(9, ordinal, HET) for ordinal in [*range(500), SHARD, SHARD + 1, 2 * SHARD + 5]}
    merge(session, entries)
    expect(session, entries, [9])

    more = {(9, SHARD + ordinal, HOM) for ordinal in range(1, 100)}
    merge(session, more)
    expect(session, entries | more, [9])


def test_common_variants_have_a_row_of_their_own_and_rare_ones_share_a_page(session: Session) -> None:
    merge(session, {(1, at, HET) for at in range(200)} | {(variant_id, 7, HET) for variant_id in range(2, 256)})

    rows = session.run("select variant_id, shard, n from carrier")
    pages = session.run("select page, shard, data from carrier_page")

    assert [tuple(row) for row in rows] == [(1, 0, 200)]
    assert [(page, shard) for page, shard, _ in pages] == [(0, 0)]
    assert len(pages[0][2]) <= 4 * 254 + 1


# --- taking away ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_subject_that_is_taken_away_leaves_everybody_else(session: Session, seed: int) -> None:
    chance = random.Random(100 + seed)
    known = some_entries(chance, 600)
    merge(session, known)
    asked = sorted({entry[0] for entry in known})
    for ordinal in chance.sample(sorted({entry[1] for entry in known}), 12):
        carried = {variant_id for variant_id, other, _ in known if other == ordinal}

        carriers.reset(session, ordinal, dict.fromkeys(carried, frozenset[int]()))  # type: ignore[arg-type]

        known = {entry for entry in known if entry[1] != ordinal}
        expect(session, known, asked)


@pytest.mark.parametrize("seed", range(3))
def test_carriers_that_are_withdrawn_leave_all_others(session: Session, seed: int) -> None:
    chance = random.Random(200 + seed)
    known = some_entries(chance, 600)
    merge(session, known)
    asked = sorted({entry[0] for entry in known})
    for size in (1, 50, 300):
        gone = set(chance.sample(sorted(known), size)) | some_entries(chance, 20)

        carriers.withdraw(session, *(np.array(column, dtype=np.int64) for column in zip(*gone, strict=True)))

        known -= gone
        expect(session, known, asked)


def test_a_test_that_is_taken_away_leaves_what_another_test_found(session: Session) -> None:
    merge(session, [(1, 7, HET), (1, 7, TUMOUR), (1, 8, HET), (2, 7, HET)])

    carriers.reset(session, 7, {1: {TUMOUR}, 2: set()})

    expect(session, {(1, 7, TUMOUR), (1, 8, HET)}, [1, 2])


def test_without_carriers_nothing_is_left(session: Session) -> None:
    entries = {(variant_id, ordinal, HET) for variant_id in (1, 300) for ordinal in range(20)} | {(2, 7, HET)}
    merge(session, entries)

    for ordinal in range(20):
        carriers.reset(session, ordinal, {1: set(), 2: set(), 300: set()})

    expect(session, set(), [1, 2, 300])
    assert carriers.carried_from(session, 0) == set()
    for table in ("carrier", "carrier_page"):
        assert session.run(f"select 1 from {table}") == []


def test_carried_variants_are_listed_from_a_number_on(session: Session) -> None:
    merge(
        session, [(3, 1, HET), (255, 1, HET), (256, 1, HET), (260, SHARD, HET), *((400, at, HET) for at in range(50))]
    )

    assert carriers.carried_from(session, 0) == {3, 255, 256, 260, 400}
    assert carriers.carried_from(session, 256) == {256, 260, 400}
    assert carriers.carried_from(session, 257) == {260, 400}
    assert carriers.carried_from(session, 401) == set()


# --- counting together ------------------------------------------------------------------------------------------------


def in_shards(*ordinals: int) -> Shards:
    found: Shards = {}
    for ordinal in ordinals:
        found.setdefault(ordinal // SHARD, BitMap()).add(ordinal % SHARD)
    return found


SETS = [
    set(),
    {1, 2, 3},
    {2, 3, SHARD + 2},
    {3, SHARD + 2, HIGHEST},
    set(range(SHARD - 100, SHARD + 100)),
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    ("ours", "plain"),
    [
        pytest.param(carriers.union, set.union, id="union"),
        pytest.param(carriers.intersection, set.intersection, id="intersection"),
    ],
)
def test_sets_add_up_over_shards(
    n: int, ours: Callable[[list[Shards]], Shards], plain: Callable[..., set[int]]
) -> None:
    for chosen in itertools.product(SETS, repeat=n):
        found = ours([in_shards(*some) for some in chosen])

        assert members(found) == plain(*chosen)
        assert carriers.size(found) == len(plain(*chosen))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_size_of_an_intersection_needs_no_intersection(n: int) -> None:
    for chosen in itertools.product(SETS, repeat=n):
        found = carriers.intersection_count([in_shards(*some) for some in chosen])

        assert found == len(set.intersection(*chosen))


def test_of_no_sets_nobody_is_in_all() -> None:
    assert carriers.intersection([]) == carriers.union([]) == {}
    assert carriers.intersection_count([]) == 0


def test_joining_sets_leaves_them_as_they_were() -> None:
    one, other = in_shards(1, 2), in_shards(2, 3)

    carriers.union([one, other])
    carriers.intersection([one, other])

    assert (members(one), members(other)) == ({1, 2}, {2, 3})


def test_ordinals_of_several_shards_name_their_subjects(session: Session) -> None:
    people = [Subject(f"P{ordinal}", Sex.UNKNOWN, ordinal=ordinal) for ordinal in (1, SHARD - 1, SHARD, HIGHEST)]
    subjects.insert(session, people)
    merge(session, [(4, person.ordinal, HET) for person in people[1:]])

    found = carriers.ordinals(carriers.fetch(session, [4], None)[4])

    assert found == [SHARD - 1, SHARD, HIGHEST]
    assert subjects.names_of(session, found) == {person.ordinal: person.subject_id for person in people[1:]}
    assert session.run("select shard from subject order by ordinal") == [(0,), (0,), (1,), (2,)]
