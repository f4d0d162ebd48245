"""Carriers that are withdrawn are gone exactly, on pages and in rows of their own, like entries of plain sets."""

from __future__ import annotations

import random

import numpy as np
import pytest

from app.records import SourceClass, Zygosity
from app.store import bitmaps, carriers, counters
from app.store.bitmaps import kind_of
from app.store.session import Database, Session

SHARD = 1 << bitmaps.SHARD_BITS
KINDS = [kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS), kind_of(SourceClass.SOMATIC, Zygosity.HOMOZYGOUS)]
VARIANTS = [0, 7, 255, 256, 1000]

Entry = tuple[int, int, int]
"""(variant, ordinal, kind)"""


def columns(entries: set[Entry]) -> list[np.ndarray]:
    return [np.array(column, dtype=np.int64) for column in zip(*sorted(entries), strict=True)]


def stored(session: Session) -> set[Entry]:
    found = set()
    for source_class in (SourceClass.GERMLINE, SourceClass.SOMATIC):
        who = carriers.fetch(session, VARIANTS, source_class)
        [kind] = [kind for kind in KINDS if kind >> 4 == source_class]
        found |= {(variant, ordinal, kind) for variant in VARIANTS for ordinal in carriers.ordinals(who[variant])}
    return found


@pytest.mark.parametrize("seed", range(6))
def test_withdrawing_is_taking_out_of_a_set(database: Database, seed: int) -> None:
    dice = random.Random(seed)

    def some(most: int) -> set[Entry]:
        subjects = [*range(40), *range(SHARD, SHARD + 5)]
        return {
            (dice.choice(VARIANTS), dice.choice(subjects), dice.choice(KINDS)) for _ in range(dice.randint(1, most))
        }

    with database.write() as session:
        counters.add(session, counters.SUBJECT_ORDINAL, 2 * SHARD)
        expected: set[Entry] = set()
        for _ in range(6):
            added, gone = some(60), some(80)
            carriers.merge(session, *columns(added))
            carriers.withdraw(session, *columns(gone))
            expected = (expected | added) - gone
            assert stored(session) == expected
            counts = {variant: len({o for v, o, _ in expected if v == variant}) for variant in VARIANTS}
            assert carriers.count(session, VARIANTS) == counts


def test_withdrawing_everybody_leaves_no_row(database: Database) -> None:
    entries = {(variant, ordinal, KINDS[0]) for variant in VARIANTS for ordinal in range(3 if variant else 30)}
    with database.write() as session:
        counters.add(session, counters.SUBJECT_ORDINAL, 30)
        carriers.merge(session, *columns(entries))
        carriers.withdraw(session, *columns(entries))

        for table in ("carrier", "carrier_page"):
            assert session.run(f"select count(*) from {table}") == [(0,)]
