"""A large answer comes in portions, and they are the bytes of the answer that is made at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.fhir.parameters import OperationInputs, RangeInput
from app.operations import subject_genotype
from app.records import Build
from app.store.session import Database
from app.variants.interval import parse_range
from tests.small_store import SmallStore
from tests.two_builds import Block, genome
from tests.vcf_files import vcf

ON_37, ON_38 = "NC_000001.10", "NC_000001.11"
BLOCKS = [Block(0, 1_000, 300_000), Block(400_000, 700_000, 300_000, reverse=True)]


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    """Return a store of one subject with three tests on both builds, whose calls come between each other."""
    made = SmallStore(database, tmp_path, genome(BLOCKS))
    chance = random.Random(5)
    # Calls without a place on the other build would need a range that has one as a whole.
    on_37, on_38 = (
        [*range(low, low + 299_000), *range(high, high + 299_000)] for low, high in ((100, 400_100), (1_100, 700_100))
    )
    for test, build, among in (("A", Build.GRCH38, on_38), ("B", Build.GRCH38, on_38), ("C", Build.GRCH37, on_37)):
        places = sorted(chance.sample(among, 900))
        lines = [f"chr1 {at} . A {chance.choice('CGT')} 50 PASS . GT 0/1" for at in places]
        lines += [lines[40], lines[40], lines[-1]]  # an allele that is given again at its place
        made.ingest(vcf(*sorted(lines, key=lambda line: int(line.split()[1])), build=build), test=test, build=build)
    return made


def answered(store: SmallStore, *ranges: str, **inputs: object) -> bytes | Iterator[bytes]:
    asked = tuple(RangeInput(text, parse_range(text)) for text in ranges)
    given = OperationInputs(subject="P1", ranges=asked, include_variants=True, **inputs)  # type: ignore[arg-type]
    return subject_genotype.find_subject_variants(store.context, given)


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize(
    "ranges",
    [
        (f"{ON_38}:0-1000000",),
        (f"{ON_37}:0-1000000",),
        (f"{ON_37}:0-250000", f"{ON_38}:350000-350010", f"{ON_38}:0-1000000"),
        (f"{ON_38}:995-700500", f"{ON_37}:100-1500"),
    ],
)
def test_portions_are_the_same_bytes(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch, ranges: tuple[str, ...], silent: bool
) -> None:
    monkeypatch.setattr(subject_genotype, "_STREAMED_FROM", 10**9)
    whole = answered(store, *ranges, include_non_variants=silent)
    assert isinstance(whole, bytes)

    monkeypatch.setattr(subject_genotype, "_STREAMED_FROM", 10)
    portions = answered(store, *ranges, include_non_variants=silent)
    assert not isinstance(portions, bytes)
    listed = list(portions)

    assert b"".join(listed) == whole
    assert whole.count(b'"dv-') > 500
    assert len(listed) > 2
    assert all(map(len, listed))


def test_the_command_line_gets_the_whole(store: SmallStore) -> None:
    [item] = store.in_ranges("P1", f"{ON_38}:0-1000000")

    assert len(item.variants) > 2_000  # so many come in portions


def test_an_answer_with_phases_or_without_variants_comes_at_once(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_genotype, "_STREAMED_FROM", 1)

    assert isinstance(answered(store, f"{ON_38}:0-1000000", include_phasing=True), bytes)
    assert isinstance(answered(store, f"{ON_38}:0-2"), bytes)
