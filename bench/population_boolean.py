"""How many of 1,000,000 subjects carry both of two common variants.

The floor fetches the same bitmaps from the same database through its driver, and intersects them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyroaring import BitMap

from app.store import carriers
from bench.genomes import synthetic_genome
from bench.measure import compare, growth, over
from bench.population_count import COHORTS, MILLION, OPERATION, SHARES, asked, driver_cursor, mark, numerator
from bench.report import Reported, Run, at_most
from bench.stores import CarrierStore, carriers_only, context_of, stores

_ROARING = 2
"""First byte of ``members`` where a serialized bitmap follows (``app.store.bitmaps``)"""


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the figures of AND and OR in the store, of the whole operation, and how AND grows."""
    run = Run(size, engine)
    with stores(engine) as made:
        genome = synthetic_genome(200_000).on_disk(made.folder / "reference")
        points = []
        for subjects in COHORTS:
            cohort = carriers_only(made.fresh(), genome, subjects, SHARES)
            if _both(cohort)(None) != _floor(cohort)(None):
                raise AssertionError("the store counts differently from its own bitmaps")
            ours, floor = compare(over(_both(cohort), [None]), over(_floor(cohort), [None]))
            points.append((subjects, ours.median))
        if subjects != MILLION:
            raise AssertionError("the largest cohort comes last")
        peer = "same bitmaps through the driver + AND"
        yield run.cost("store_population_and", ours, floor, peer, unit="µs", target=at_most(2))
        yield run.plain("store_population_and_growth", growth(points), "exponent", target=at_most(0.3), n=len(points))
        either, floor = compare(over(_either(cohort), [None]), over(_floor(cohort), [None]))
        yield run.cost("store_population_or", either, floor, peer, unit="µs")
        context = context_of(cohort.database, genome)
        inputs = asked([cohort.texts[0]], [cohort.texts[1]])
        if numerator(context.answer(OPERATION, inputs)) != _floor(cohort)(None):
            raise AssertionError("the operation counts differently from the database")
        whole, floor = compare(
            over(lambda question: context.answer(OPERATION, question), [inputs]), over(_floor(cohort), [None])
        )
        yield run.cost("operation_population_and", whole, floor, peer, unit="µs")


def _both(cohort: CarrierStore) -> Callable[[None], int]:
    first, second = cohort.variant_ids[:2]

    def count(_: None) -> int:
        with cohort.database.read() as session:
            who = carriers.fetch(session, [first, second], None)
        return carriers.intersection_count([who[first], who[second]])

    return count


def _either(cohort: CarrierStore) -> Callable[[None], int]:
    first, second = cohort.variant_ids[:2]

    def count(_: None) -> int:
        with cohort.database.read() as session:
            who = carriers.fetch(session, [first, second], None)
        return carriers.size(carriers.union([who[first], who[second]]))

    return count


def _floor(cohort: CarrierStore) -> Callable[[None], int]:
    cursor, place = driver_cursor(cohort.database), mark(cohort.database)
    statement = f"select shard, members from carrier where variant_id = {place}"
    first, second = cohort.variant_ids[:2]

    def fetched(variant_id: int) -> dict[int, BitMap]:
        cursor.execute(statement, (variant_id,))
        found = {}
        for shard, members in cursor.fetchall():
            if members[0] != _ROARING:
                raise AssertionError("common variants are stored as bitmaps")
            found[shard] = BitMap.deserialize(members[1:])
        return found

    def count(_: None) -> int:
        one, other = fetched(first), fetched(second)
        return sum(bits.intersection_cardinality(other[shard]) for shard, bits in one.items() if shard in other)

    return count
