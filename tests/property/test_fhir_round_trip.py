"""What is exported and ingested again is the same: call by call, answer by answer, byte by byte."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.records import Sex, SourceClass
from app.store.subjects import Subject
from tests.fhir_files import Resource, bundle, coded, content, exported, implication, store_fhir, tbd
from tests.small_store import SmallStore, migrated
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_random import random_vcf

SEQUENCE = bases(11, 4000)
CHANGED = "".join(
    {"A": "C", "C": "G", "G": "T", "T": "A"}[base] if at % 7 == 3 else base for at, base in enumerate(SEQUENCE)
)
GENOME = genome([Block(0, 600, 3000), Block(3200, 4000, 500, reverse=True)], {B37: [(0, CHANGED)]})
"""No sequence of GRCh38, so that random REFs contradict nothing there; some bases differ where it is lifted to"""

RANGES = ("NC_000001.11:0-5000", "NC_000001.10:0-3000", "NC_000023.11:0-5000", "NC_012920.1:0-5000")


@dataclass
class Stores:
    """One store that VCFs go to, and one that what it exports goes to."""

    first: SmallStore
    second: SmallStore
    numbers: Iterator[int]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    one, two = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    with migrated(f"sqlite:///{one / 'operon.db'}") as first, migrated(f"sqlite:///{two / 'operon.db'}") as second:
        yield Stores(SmallStore(first, one, GENOME), SmallStore(second, two, GENOME), itertools.count(1))


def random_statements(rng: random.Random, subject: str, ids: list[str]) -> list[Resource]:
    """Return implications that are derived from variants that the store shows; each says something else."""
    found = []
    for at in range(rng.randint(0, 3) if ids else 0):
        kind = rng.choice(["diagnostic-implication", "therapeutic-implication", "molecular-consequence"])
        parts = [
            coded(
                rng.choice(["81259-4", "51963-7", "53037-8", "99999-9"]),
                *rng.sample(["A", "b", "\u00e9 c"], rng.randint(1, 2)),
                system=rng.choice(["http://loinc.org", "urn:x"]),
            )
            for _ in range(rng.randint(0, 3))
        ]
        parts.append({"code": tbd("conclusion-string"), "valueString": f"Number {at}"})
        derived = [f"Observation/{id_}" for id_ in rng.sample(ids, min(len(ids), rng.randint(1, 3)))]
        more: Resource = {"subject": {"reference": f"Patient/{subject}"}, "status": rng.choice(["final", "amended"])}
        if rng.random() < 0.5:
            more["identifier"] = [{"system": "urn:lab", "value": f"{at}"}]
        if rng.random() < 0.5:
            more |= {"effectiveDateTime": "2024-05", "interpretation": [{"text": "HIGH"}], "note": [{"text": "n"}]}
        found.append(implication(kind, *parts, derived=derived, id_=f"i{at}", **more))
    return found


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), data=st.data())
def test_random_calls_come_back_as_they_were(stores: Stores, seed: int, data: st.DataObject) -> None:
    rng = random.Random(seed)
    subject = f"P{next(stores.numbers)}"
    sex = data.draw(st.sampled_from(list(Sex)))
    person = Subject(
        subject, sex, data.draw(st.sampled_from([None, "1950", "1950-02-03"])), (("urn:a", f"{subject}x"),)
    )
    for test in range(data.draw(st.integers(1, 2))):
        stores.first.ingest(
            random_vcf(rng, 1, rng.randint(1, 40)),
            person,
            test=f"T{test}",
            source_class=data.draw(st.sampled_from(list(SourceClass))),
            test_date=data.draw(st.sampled_from([None, "2024", "2024-05-06"])),
            specimen=data.draw(st.sampled_from([None, "S 1"])),
            phased_contigs=data.draw(st.booleans()),
            keep_filtered=data.draw(st.booleans()),
            build=data.draw(st.just(B38)),
        )
    calls = stores.first.in_ranges(subject, *RANGES)
    stated = random_statements(rng, subject, sorted({one["id"] for item in calls for one in item.variants}))
    told = store_fhir(stores.first, bundle(*stated, id=f"{subject}-statements"))
    assert (told.implications, told.skipped.total) == (len(stated), 0)
    text = exported(stores.first, subject)
    report = store_fhir(stores.second, text)
    assert not report.refused.counts
    assert (report.implications, report.skipped.total) == (len(stated), 0)
    assert exported(stores.second, subject) == text
    for phasing in (False, True):
        one, two = (
            store.in_ranges(subject, *RANGES, include_phasing=phasing) for store in (stores.first, stores.second)
        )
        assert one == two
    named = [variant for item in one for variant in item.variants]
    assert {json.loads(text)["entry"][0]["resource"]["id"]} == {subject}
    asked = [
        coding["code"] for variant in named[:3] for coding in variant["component"][1]["valueCodeableConcept"]["coding"]
    ]
    spdis = [code for code in asked if code.count(":") == 3]
    if spdis:
        assert stores.first.specific(subject, *spdis) == stores.second.specific(subject, *spdis)


def test_both_stores_say_the_same_in_the_end(stores: Stores) -> None:
    if next(stores.numbers) == 1:
        stores.first.ingest(random_vcf(random.Random(1), 1, 40))
        store_fhir(stores.second, exported(stores.first, "P1"))
    assert content(stores.first.database) == content(stores.second.database)


def test_a_subject_with_calls_that_follow_for_the_other_build_comes_back(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with migrated(f"sqlite:///{tmp_path / 'a.db'}") as a, migrated(f"sqlite:///{tmp_path / 'b.db'}") as b:
        sequences = {B37: [(0, CHANGED)], B38: [(600, SEQUENCE)]}
        both = genome([Block(0, 600, 3000)], sequences)
        first, second = SmallStore(a, tmp_path / "one", both), SmallStore(b, tmp_path / "two", both)
        lines = [
            f"chr1\t{at + 1}\t.\t{CHANGED[at]}\t{SEQUENCE[at]}\t.\tPASS\t.\tGT:DP\t0|1:{at}" for at in range(3, 2900, 7)
        ]
        header = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
        first.ingest(header + "\n".join(lines) + "\n", build=B37)
        text = exported(first, "P1")
        assert store_fhir(second, text).calls == len(lines)
        found = content(a)
        assert found == content(b)
        assert len(found["carriers"]) == 2 * len(lines)
        assert exported(second, "P1") == text
