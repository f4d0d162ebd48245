"""SNP data from their submission to the person's results, with the definitions that come with the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.formats.snp_batch import Batch, read_batch
from app.operations.pgx import PgxProfile, profile_of
from app.operations.snp_data import submitted_snps
from app.pgx.calls import CallMethod, CallStatus
from ingest.inbox import Worked, work_off
from ingest.progress import Progress
from tests.small_store import SmallStore, migrated
from tests.snp_batches import batch, sample


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    folder: Path = tmp_path_factory.mktemp("store")
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        yield SmallStore(database, folder)


def panel(store: SmallStore, symbol: str, **given: str) -> list[tuple[str, str]]:
    """Return genotypes of every position of a gene: the reference of GRCh38 unless another one is given."""
    gene = store.context.pgx().content.gene(symbol)
    assert gene is not None
    usual = {one.name: f"{one.ref38}/{one.ref38}" for one in gene.positions if one.name.startswith("rs")}
    assert set(given) <= set(usual)
    return list((usual | given).items())


def submit(store: SmallStore, *genotypes: tuple[str, str], subject: str = "P1", **more: Any) -> Batch:
    read = read_batch(batch(sample(subject, *genotypes, **more)))
    assert isinstance(read, Batch), read
    return store.context.queue_snp_data(read)


def worked(store: SmallStore) -> Worked:
    return work_off(store.workspace, Progress(quiet=True))


def profile(store: SmallStore, subject: str) -> PgxProfile:
    return profile_of(store.context, subject)


def test_results_follow_from_what_was_submitted_and_are_not_ready_before(store: SmallStore):
    genotypes = panel(store, "CYP2C19", rs4244285="A/A", rs12769205="G/G", rs3758581="G/G")
    accepted = submit(store, *genotypes, subject="PM1", gender="F")
    assert (len(accepted.samples), accepted.errors) == (1, ())
    assert worked(store) == Worked(done=1)
    found = profile(store, "PM1")
    call = found.results["CYP2C19"].call
    assert (call.status, call.genotype, call.phenotype) == (CallStatus.CALLED, "*2/*2", "Poor Metabolizer")
    assert (found.is_ready, found.results["CYP2C19"].test_id) == (True, "B1")
    assert call.called_positions > 1
    submit(store, *genotypes, subject="PM1")
    assert profile(store, "PM1").is_ready is False
    assert worked(store) == Worked(done=1)
    assert profile(store, "PM1").is_ready is True


def test_a_corrected_batch_changes_the_result(store: SmallStore):
    submit(store, *panel(store, "CYP2C19", rs3758581="G/G"), subject="C1")
    worked(store)
    assert profile(store, "C1").calls["CYP2C19"].genotype == "*1/*1"
    submit(store, *panel(store, "CYP2C19", rs4244285="G/A", rs12769205="A/G", rs3758581="G/G"), subject="C1")
    worked(store)
    assert profile(store, "C1").calls["CYP2C19"].genotype == "*1/*2"


def test_a_position_that_was_not_measured_is_missing_and_never_the_reference(store: SmallStore):
    submit(store, ("rs4244285", "A/A"), ("rs3758581", "./."), subject="M1")
    worked(store)
    call = profile(store, "M1").calls["CYP2C19"]
    assert "rs3758581" in call.missing
    assert call.called_positions == 1


@pytest.mark.parametrize(("copies", "genotype"), [(1, "*4/*5"), (2, "*4/*4")])
def test_copies_of_cyp2d6_decide_its_result(store: SmallStore, copies: int, genotype: str):
    subject = f"D{copies}"
    # *4 as it is usually found: with the other variants of its haplotype.
    given = {"rs3892097": "T/T", "rs1065852": "A/A", "rs1135840": "G/G", "rs28371703": "T/T", "rs28371704": "C/C"}
    gene = store.context.pgx().content.gene("CYP2D6")
    assert gene is not None
    known = {one.name for one in gene.positions}
    genotypes = panel(store, "CYP2D6", **{rs: text for rs, text in given.items() if rs in known})
    submit(store, *genotypes, subject=subject, cnv=[{"gene": "CYP2D6", "cnv": copies}])
    worked(store)
    call = profile(store, subject).calls["CYP2D6"]
    assert (call.copy_number, call.genotype) == (copies, genotype)
    assert call.method is not CallMethod.SNV_ONLY


def test_without_copies_cyp2d6_is_told_to_be_called_from_small_variants_alone(store: SmallStore):
    submit(store, *panel(store, "CYP2D6"), subject="D0")
    worked(store)
    assert profile(store, "D0").calls["CYP2D6"].method is CallMethod.SNV_ONLY


def test_what_a_laboratory_wrote_is_shown_again(store: SmallStore):
    submit(store, ("rs4244285", "A/G"), subject="S1")
    worked(store)
    [snp] = submitted_snps(store.database, profile(store, "S1"))
    assert (snp.rs, snp.genotype, snp.assay, snp.gene) == ("rs4244285", "A/G", "ABC1", "CYP2C19")


def test_genotypes_of_grch37_give_the_same_result(store: SmallStore, tmp_path: Path):
    with migrated(f"sqlite:///{tmp_path / 'other.db'}") as database:
        other = SmallStore(database, tmp_path, snp_import_build="GRCh37")
        submit(other, ("rs776746", "C/C"), subject="P37")
        worked(other)
        call = profile(other, "P37").calls["CYP3A5"]
    submit(store, ("rs776746", "C/C"), subject="P38")
    worked(store)
    assert call.genotype == profile(store, "P38").calls["CYP3A5"].genotype == "*3/*3"
