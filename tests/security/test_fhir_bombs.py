"""FHIR files that are made to do harm end in an error that names the cap, and take little memory and time."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile, InvalidInput, LimitExceeded
from tests.fhir_files import bundle, concept, exported, phase, record, spdi, store_fhir, variant
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.store_dump import counts

SNV = "NC_000001.11:104:C:T"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        yield SmallStore(database, tmp_path, NO_GENOME)


def with_limits(store: SmallStore, **limits: int) -> SmallStore:
    store.settings = store.settings.model_copy(update=limits)
    return store


def nested(depth: int) -> bytes:
    inside = b'{"a":' * depth + b"1" + b"}" * depth
    return b'{"resourceType":"Observation","id":"x","extension":' + inside + b"}"


@pytest.mark.parametrize(
    "data",
    [
        nested(200_000),
        b'{"resourceType":"Bundle","type":"batch","entry":' + b"[" * 200_000,
        b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":' + nested(100_000) + b"}]}",
        b'{"resourceType":"Patient","id":"a","x":' + b"9" * 100_000 + b"}",
        b'{"resourceType":"Patient","id":"a","x":1e400}',
        b'{"resourceType":"Patient","id":"a","x":NaN}',
        b'{"resourceType":"Patient","id":"a","id":"b"}',
        b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"a","id":"b"}}]}',
        b'{"resourceType":"Bundle","type":"batch","type":"batch"}',
        b'{"resourceType":"Bundle","type":"batch","entry":[],"entry":[]}',
    ],
    ids=[
        "depth",
        "open",
        "depth in an entry",
        "digits",
        "infinite",
        "nan",
        "twice",
        "twice in an entry",
        "type",
        "entry",
    ],
)
def test_json_that_is_no_fhir_is_refused_at_once(store: SmallStore, data: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(BadFile) as refused:
        store_fhir(store, data)
    assert refused.value.diagnostics.startswith("reports.json")
    assert time.monotonic() - began < 10
    assert set(counts(store.database)) <= {"counter"}


@pytest.mark.parametrize(
    ("limits", "data", "setting"),
    [
        (
            {"fhir_max_bytes": 10_000},
            gzip.compress(b'{"resourceType":"Patient","id":"a"}\n' * 100_000),
            "OPERON_FHIR_MAX_BYTES",
        ),
        ({"fhir_max_resources": 3}, b'{"resourceType":"Organization","id":"a"}\n' * 4, "OPERON_FHIR_MAX_RESOURCES"),
        (
            {"fhir_max_held": 3},
            b"".join(b'{"resourceType":"Patient","id":"a%d"}\n' % n for n in range(5)),
            "OPERON_FHIR_MAX_HELD",
        ),
        (
            {"fhir_max_resource_bytes": 2000},
            b'{"resourceType":"Patient","id":"' + b"a" * 4000 + b'"}',
            "longer than 2,000",
        ),
    ],
)
def test_a_file_above_a_cap_names_the_setting(
    store: SmallStore, limits: dict[str, int], data: bytes, setting: str
) -> None:
    with pytest.raises(BadFile, match=setting):
        store_fhir(with_limits(store, **limits), data)
    assert set(counts(store.database)) <= {"counter"}


def test_a_file_whose_chromosomes_are_mixed_is_held_up_to_the_cap(store: SmallStore) -> None:
    mixed = [variant(spdi(f"NC_00000{1 + at % 2}.{11 + at % 2}:{at}:C:T"), id_=f"v{at}") for at in range(8)]
    with pytest.raises(LimitExceeded, match="do not stand together"):
        store_fhir(with_limits(store, fhir_max_held=4), "\n".join(map(json.dumps, mixed)))
    assert store_fhir(with_limits(store, fhir_max_held=100), "\n".join(map(json.dumps, mixed))).calls == 8


@pytest.mark.parametrize("number", [10**400, -(10**9), 2.5, True])
def test_numbers_that_are_no_position_are_refused(store: SmallStore, number: Any) -> None:
    with pytest.raises(BadFile, match=r"component\[3\]\.valueRange\.low"):
        store_fhir(store, variant(*record("NC_000001.11", number, "C", "T")))


def test_references_in_a_circle_end(store: SmallStore) -> None:
    circle = [phase("Observation/f2", "Observation/v1", id_="f1"), phase("Observation/f1", "Observation/v1", id_="f2")]
    own = {
        "resourceType": "Procedure",
        "id": "a",
        "subject": {"reference": "Patient/P1"},
        "partOf": [{"reference": "Procedure/a"}],
    }
    one = variant(spdi(SNV), partOf=[{"reference": "Procedure/a"}])
    report = store_fhir(store, bundle(one, own, *circle))
    assert dict(report.refused.counts) == {"phase-target": 2}
    assert report.calls == 1


def test_many_relations_of_one_set_take_little_time(store: SmallStore) -> None:
    size = 3000
    hets = [
        variant(
            spdi(f"NC_000001.11:{at}:C:T"),
            {"code": concept("53034-5"), "valueCodeableConcept": concept("LA6706-1")},
            id_=f"v{at}",
        )
        for at in range(size)
    ]
    chain = [phase(f"Observation/v{at}", f"Observation/v{at - 1}", id_=f"f{at}") for at in range(size - 1, 0, -1)]
    began = time.monotonic()
    assert store_fhir(store, bundle(*hets, *chain)).phased == size
    assert time.monotonic() - began < 20


def test_a_uid_of_others_is_refused(store: SmallStore) -> None:
    store_fhir(store, bundle(variant(spdi(SNV)), id="b"))
    stolen = exported(store, "P1").replace("P1", "P2")
    for replace in (False, True):
        with pytest.raises(InvalidInput, match="stored already"):
            store_fhir(store, stolen, name="stolen.json", replace=replace)
    assert store.specific("P1", SNV)[0].present
