"""Genotypes and haplotypes of Observations are those that the operations answer from, and they come out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile, InvalidInput
from app.fhir.validate import problems
from app.records import SourceClass
from app.store import genotypes
from app.store.genotypes import Genotype
from app.store.session import Database
from tests.fhir_files import (
    Resource,
    bundle,
    concept,
    content,
    exported,
    genotype,
    spdi,
    store_fhir,
    variant,
)
from tests.profile_validator import Validate
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.store_dump import counts, dump

SNV = "NC_000001.11:104:C:T"


@pytest.fixture
def store(tmp_path: Path, database: Database) -> SmallStore:
    return SmallStore(database, tmp_path, NO_GENOME)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SmallStore]:
    (tmp_path / "second").mkdir()
    with migrated(f"sqlite:///{tmp_path / 'second.db'}") as database:
        yield SmallStore(database, tmp_path / "second", NO_GENOME)


def haplotype(name: str, id_: str) -> Resource:
    return {**genotype(name, id_=id_), "code": concept("84414-2"), "derivedFrom": []}


def stored(store: SmallStore) -> list[Genotype]:
    with store.database.read() as session:
        return genotypes.of_subject(session, "P1")


def test_a_genotype_has_its_gene_its_code_and_its_haplotypes(store: SmallStore) -> None:
    pair = [haplotype("CYP2C19*1", "h1"), haplotype("CYP2C19*17", "h2")]
    one = genotype("CYP2C19  *1/*17", derived=["Observation/h1", "Observation/h2"], effectiveDateTime="2022-01-02")
    report = store_fhir(store, bundle(*pair, one, id="b"))
    assert (report.genotypes, report.calls, dict(report.skipped.counts)) == (1, 0, {})
    [found] = stored(store)
    assert (found.test_id, found.test_date, found.source_class) == ("b", "2022-01-02", SourceClass.UNSPECIFIED)
    name = found.name
    assert (name.gene_id, name.gene_symbol) == ("HGNC:2621", "CYP2C19")
    assert (name.system, name.code, name.display) == ("http://www.pharmvar.org", "CYP2C19 *1/*17", None)
    assert name.haplotypes == ("CYP2C19*1", "CYP2C19*17")


def test_a_gene_or_a_genotype_may_be_a_text(store: SmallStore) -> None:
    gene: Resource = {"component": [{"code": concept("48018-6"), "valueCodeableConcept": {"text": "HLA-A"}}]}
    store_fhir(store, genotype("x", valueCodeableConcept={"text": "HLA-A*01:01/HLA-A*02:01"}, **gene))
    [found] = stored(store)
    assert (found.name.gene_id, found.name.gene_symbol, found.name.system) == (None, "HLA-A", "")
    assert found.name.code == "HLA-A*01:01/HLA-A*02:01"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (genotype("*1/*1", component=[]), "no-gene"),
        (genotype("*1/*1", valueCodeableConcept={"coding": []}), "no-genotype"),
        (genotype("*1/*1", subject={"reference": "Group/1"}), "no-subject"),
    ],
)
def test_what_names_no_genotype_is_refused_and_the_rest_is_stored(
    store: SmallStore, resource: Resource, reason: str
) -> None:
    report = store_fhir(store, bundle(resource, genotype("*1/*2", id_="g2")))
    assert dict(report.refused.counts) == {reason: 1}
    assert [found.name.code for found in stored(store)] == ["*1/*2"]


def test_a_haplotype_alone_is_passed_over(store: SmallStore) -> None:
    report = store_fhir(store, bundle(haplotype("CYP2C19*1", "h1"), genotype("*1/*2")))
    assert dict(report.skipped.counts) == {"haplotype": 1}


def test_genotypes_and_variants_of_a_file_are_one_test(store: SmallStore) -> None:
    report = store_fhir(store, bundle(variant(spdi(SNV)), genotype("*1/*2"), id="b"))
    assert (report.tests, report.calls, report.genotypes) == (1, 1, 1)
    with store.database.read() as session:
        assert [tuple(row) for row in session.run("select test_id, build from study")] == [("b", "GRCh38")]


@pytest.mark.parametrize("resources", [[genotype("*1/*2")], [genotype("*1/*2"), variant(spdi(SNV))]])
def test_the_same_file_again_adds_nothing_and_replace_starts_anew(store: SmallStore, resources: list[Resource]) -> None:
    store_fhir(store, bundle(*resources, id="b"))
    before = dump(store.database)
    assert store_fhir(store, bundle(*resources, id="b")).is_repeated
    assert dump(store.database) == before
    changed = [genotype("*1/*3"), *resources[1:]]
    store_fhir(store, bundle(*changed, id="b"), replace=True)
    assert [found.name.code for found in stored(store)] == ["*1/*3"]


def test_a_genotype_that_contradicts_the_store_leaves_nothing_of_its_file(store: SmallStore) -> None:
    store_fhir(store, bundle(genotype("*1/*2"), id="b"))
    before = content(store.database)
    other = genotype("*1/*2", derived=["Observation/h1"])
    with pytest.raises(InvalidInput, match="already, with another display"):
        store_fhir(store, bundle(other, haplotype("CYP2C19*1", "h1"), variant(spdi(SNV)), id="b"))
    assert content(store.database) == before


def test_nothing_of_a_file_stays_when_a_genotype_is_malformed(store: SmallStore) -> None:
    with pytest.raises(BadFile, match=r"entry\[1\] Observation/g1, component: it is not an array"):
        store_fhir(store, bundle(genotype("*1/*2"), genotype("*1/*2", component=3)))
    assert set(counts(store.database)) <= {"counter"}


def filled(store: SmallStore) -> str:
    pair = [haplotype("CYP2C19*1", "h1"), haplotype("CYP2C19*17", "h2")]
    both = genotype("CYP2C19 *1/*17", derived=["Observation/h1", "Observation/h2"])
    hla: Resource = {"valueCodeableConcept": concept("hla#3.33.0#HLA-A*01:01/HLA-A*02:01", "http://glstring.org")}
    others = [genotype("x", "HGNC:4931", "HLA-A", id_="g2", **hla), variant(spdi(SNV), effectiveDateTime="2022")]
    store_fhir(store, bundle(*pair, both, *others, id="b"))
    store_fhir(store, bundle(genotype("*1/*2"), id="c"), name="other.json")
    return exported(store, "P1")


def test_genotypes_come_back_as_they_were(store: SmallStore, second: SmallStore) -> None:
    text = filled(store)
    report = store_fhir(second, text)
    assert not report.refused.counts
    assert not report.skipped.counts
    assert content(second.database) == content(store.database)
    assert exported(second, "P1") == text


def test_exported_genotypes_are_valid_and_keep_to_their_profiles(store: SmallStore, against_profiles: Validate) -> None:
    made: dict[str, Any] = json.loads(filled(store))
    assert problems(made) == []
    found = [entry["resource"] for entry in made["entry"] if "meta" in entry["resource"]]
    assert {resource["meta"]["profile"][0].rpartition("/")[2] for resource in found} >= {"genotype", "haplotype"}
    for resource in found:
        assert against_profiles(resource) == [], resource["id"]
