"""What a study looked at, and could not call, travels with its Procedure."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import BadFile
from app.fhir.validate import problems
from app.records import Build
from app.store import bulk
from app.store.session import Database
from app.store.studies import Regions, StudyFacts
from app.store.subjects import Subject
from tests.fhir_files import bundle, exported, store_fhir
from tests.profile_validator import Validate
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.vcf_files import vcf


@pytest.fixture
def store(tmp_path: Path, database: Database) -> SmallStore:
    return SmallStore(database, tmp_path, NO_GENOME)


def intervals(*pairs: tuple[int, int]) -> tuple[Any, Any]:
    return np.array([low for low, _ in pairs]), np.array([high for _, high in pairs])


REGIONS: dict[str, Regions] = {
    "studied": {1: intervals((5, 90), (100, 900)), 25: intervals((0, 16569))},
    "uncallable": {},
}


@pytest.fixture
def filled(store: SmallStore) -> SmallStore:
    """A store with a study that has calls and regions, and one that found nothing."""
    job = store.file(vcf("chr1 101 . A G 50 PASS . GT 0/1"), "P1")
    store.store(replace(job, samples=[replace(sample, regions=REGIONS) for sample in job.samples]))
    nothing = StudyFacts("T2", Build.GRCH37)
    bulk.declare_studies(store.database, [(Subject("P1"), nothing, {"studied": {2: intervals((1, 2))}})])
    return store


def regions(store: SmallStore) -> list[tuple[Any, ...]]:
    with store.database.read() as session:
        rows = session.run(
            "select st.test_id, r.kind, r.contig, r.data from study_region r join study st on st.id = r.study_id"
        )
    return sorted(map(tuple, rows))


def test_regions_come_back_as_they_were(filled: SmallStore, tmp_path: Path) -> None:
    text = exported(filled, "P1")
    (tmp_path / "second").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'second.db'}") as database:
        second = SmallStore(database, tmp_path / "second", NO_GENOME)
        store_fhir(second, text)
        assert regions(second) == regions(filled)
        assert len(regions(filled)) == 4
        assert exported(second, "P1") == text


def test_other_regions_of_a_known_test_change_what_answers_say(filled: SmallStore, tmp_path: Path) -> None:
    with migrated(f"sqlite:///{tmp_path / 'second.db'}") as database:
        (tmp_path / "second").mkdir()
        other = SmallStore(database, tmp_path / "second", NO_GENOME)
        nothing = StudyFacts("T2", Build.GRCH37)
        bulk.declare_studies(database, [(Subject("P1"), nothing, {"studied": {2: intervals((1, 3))}})])
        text = exported(other, "P1")
    before = regions(filled), filled.context.data_version()

    store_fhir(filled, text)

    assert regions(filled) != before[0]
    assert filled.context.data_version() != before[1]


def test_a_procedure_with_regions_is_valid_and_keeps_to_its_profile(
    filled: SmallStore, against_profiles: Validate
) -> None:
    made = json.loads(exported(filled, "P1"))
    assert problems(made) == []
    procedures = [entry["resource"] for entry in made["entry"] if entry["resource"]["resourceType"] == "Procedure"]
    for procedure in procedures:
        assert against_profiles(procedure) == []


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"sequence": "NC_000001.11", "intervals": base64_of("1\t5\n")}, "it has no kind"),
        ({"kind": "studied", "sequence": "NC_000001.9", "intervals": base64_of("1\t5\n")}, "NC_000001.9"),
        ({"kind": "studied", "sequence": "NC_000001.11"}, "not sorted"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": "=!"}, "no lines of start and end"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of("1\n")}, "no lines of start and end"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of(f"1\t{10**30}\n")}, "no lines of"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of("5\t5\n")}, "not sorted"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of("1\t5\n5\t9\n")}, "not sorted"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of("-1\t5\n")}, "outside of"),
        ({"kind": "studied", "sequence": "NC_000001.11", "intervals": base64_of("1\t400000000\n")}, "outside of"),
    ],
)
def test_regions_of_another_form_refuse_the_file(store: SmallStore, parts: dict[str, str], problem: str) -> None:
    types = {"kind": "valueCode", "sequence": "valueString", "intervals": "valueBase64Binary"}
    extension = {"url": "urn:operon:fhir:regions", "extension": [{"url": n, types[n]: v} for n, v in parts.items()]}
    procedure = {
        "resourceType": "Procedure",
        "id": "p",
        "subject": {"reference": "Patient/P1"},
        "extension": [extension],
    }
    with pytest.raises(BadFile) as refused:
        store_fhir(store, bundle(procedure))
    assert problem in refused.value.diagnostics
    assert "entry[0] Procedure/p, extension[0]" in refused.value.diagnostics
