"""The inbox keeps what was submitted until it is worked off, whatever happens to the worker."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import Busy, SubjectNotFound, Unavailable
from app.formats.pgx import PgxContent
from app.formats.snp_batch import Batch, read_batch
from app.operations import snp_data
from app.operations.pgx_places import Places
from app.store import bulk, inbox
from app.store.inbox import Submitted
from app.store.session import Database
from ingest import inbox as working
from ingest.inbox import Worked, listed, work_off
from ingest.pgx_calls import Definitions
from ingest.progress import Progress
from ingest.workspace import Workspace
from tests.command_line import CommandLine
from tests.small_store import Interrupted, SmallStore, migrated
from tests.snp_batches import CONTENT, batch, sample

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
QUIET = Progress(quiet=True)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with migrated(store_url) as database:
        yield database


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, snp_import_system=SYSTEM)


SYSTEM = "https://lab.example/samples"


def submit(database: Database, body: dict[str, Any]) -> Batch:
    read = read_batch(body)
    assert isinstance(read, Batch), read
    return snp_data.queue(database, read, CONTENT, SYSTEM)


def put(database: Database, *samples: str, now: datetime = NOON) -> None:
    with database.write() as session:
        inbox.put(session, [Submitted("other", "B1", one, one, "{}") for one in samples], now)


def work(store: SmallStore, now: datetime | None = None, content: PgxContent = CONTENT) -> Worked:
    return work_off(store.workspace, QUIET, now, definitions_of(store.workspace, content))


def definitions_of(workspace: Workspace, content: PgxContent) -> Definitions:
    genes = {gene.symbol: gene for gene in content.genes}
    places = Places(content.genes, workspace.genome.placer)
    return Definitions("small", genes, dict.fromkeys(genes, "small"), places, "small basis")


def states(database: Database) -> dict[str, tuple[str, int]]:
    with database.read() as session:
        return {entry.sample: (entry.state, entry.tries) for entry in inbox.entries(session)}


def waiting(database: Database, subject: str) -> int:
    with database.read() as session:
        return inbox.waiting(session, subject)


def test_what_was_submitted_waits_until_it_is_worked_off(store: SmallStore):
    submit(store.database, batch(sample("P1"), sample("P2")))
    assert (waiting(store.database, "P1"), states(store.database)["P1"]) == (1, ("queued", 0))
    assert work(store) == Worked(done=2)
    assert (waiting(store.database, "P1"), states(store.database)) == (0, {"P1": ("done", 1), "P2": ("done", 1)})
    assert work(store) == Worked()


def test_a_sample_becomes_a_test_of_its_subject(store: SmallStore):
    submit(
        store.database, batch(sample("P1", ("rs4244285", "G/A"), ("rs999", "A/A"), birthday="1982-09-11", gender="F"))
    )
    work(store)
    [study] = store.studies("P1")
    assert (study["testId"], study["testDate"], study["specimenId"]) == ("B1", "2017-01-20", "P1")
    assert store.in_range("P1", "NC_000010.11:94781850-94781870").spdis == ["NC_000010.11:94781858:G:A"]
    patient = store.read("P1", "Patient")
    assert patient is not None
    assert (patient["gender"], patient["birthDate"]) == ("female", "1982-09-11")
    [entry] = listed(store.database)
    assert entry["report"]["placed"] == 1
    assert [one["name"] for one in entry["report"]["not_placed"]] == ["rs999"]
    assert "payload" not in entry


def test_a_sample_id_that_is_no_id_of_a_subject_is_its_identifier(store: SmallStore):
    submit(store.database, batch(sample("12345_A")))
    subject = listed(store.database)[0]["subject"]
    assert subject.startswith("sample-")
    work(store)
    patient = store.read(subject, "Patient")
    assert patient is not None
    assert patient["identifier"] == [{"system": SYSTEM, "value": "12345_A"}]
    submit(store.database, batch(sample("12345_A"), batch_id="B2"))
    assert {entry["subject"] for entry in listed(store.database)} == {subject}


def test_the_same_sample_again_takes_the_place_of_the_earlier_one(store: SmallStore):
    submit(store.database, batch(sample("P1", ("rs4244285", "G/A"))))
    work(store)
    again = submit(store.database, batch(sample("P1", ("rs4244285", "G/G"))))
    assert "BatchSample 'P1' replaces what was submitted before" in again.warnings
    assert (len(listed(store.database)), waiting(store.database, "P1")) == (1, 1)
    work(store)
    assert store.in_range("P1", "NC_000010.11:94781850-94781870").present is False
    assert len(store.studies("P1")) == 1


def test_the_same_payload_again_changes_nothing(store: SmallStore):
    for _ in range(2):
        submit(store.database, batch(sample("P1")))
        assert work(store) == Worked(done=1)
    assert store.in_range("P1", "NC_000010.11:94781850-94781870").spdis == ["NC_000010.11:94781858:G:A"]


def test_what_replaces_a_payload_that_is_being_worked_on_is_worked_off_as_well(database: Database):
    put(database, "P1")
    with database.write() as session:
        entry = inbox.claim(session, NOON)
        assert entry is not None
    put(database, "P1", now=NOON)
    with database.write() as session:
        inbox.done(session, entry, "{}", NOON)
    assert states(database) == {"P1": ("queued", 0)}


def test_one_payload_is_taken_once(database: Database):
    put(database, "P1")
    with database.write() as session:
        first, second = inbox.claim(session, NOON), inbox.claim(session, NOON)
    assert (first is not None, second) == (True, None)


def test_there_is_one_worker_at_a_time(store: SmallStore):
    with store.database.sole_worker(), pytest.raises(Busy):
        work(store)


def test_a_worker_that_died_leaves_its_payload_to_the_next_one(store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    def die(*_: object) -> None:
        raise Interrupted

    submit(store.database, batch(sample("P1")))
    with monkeypatch.context() as patch:
        patch.setattr(working, "import_sample", die)
        with pytest.raises(Interrupted):
            work(store)
    assert (states(store.database), waiting(store.database, "P1")) == ({"P1": ("running", 1)}, 1)
    assert work(store) == Worked(done=1)
    assert states(store.database) == {"P1": ("done", 2)}


def test_a_payload_that_kills_its_worker_is_given_up(store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    def die(*_: object) -> None:
        raise Interrupted

    submit(store.database, batch(sample("P1")))
    monkeypatch.setattr(working, "import_sample", die)
    for _ in range(inbox.MOST_TRIES):
        with pytest.raises(Interrupted):
            work(store)
    assert work(store) == Worked()
    assert states(store.database) == {"P1": ("failed", 5)}


def test_what_fails_is_tried_again_each_time_later_and_at_most_five_times(store: SmallStore):
    submit(store.database, batch(sample("P1")))
    now, waits = datetime.now(UTC), []
    for _ in range(inbox.MOST_TRIES - 1):
        assert work(store, now, content=PgxContent()) == Worked(postponed=1)
        [entry] = listed(store.database)
        due = datetime.fromisoformat(entry["due"])
        waits.append(due - now)
        assert work(store, due - timedelta(seconds=1), content=PgxContent()) == Worked()
        now = due
    assert all(later > earlier for earlier, later in itertools.pairwise(waits))
    assert work(store, now, content=PgxContent()) == Worked(failed=1)
    [entry] = listed(store.database, "failed")
    assert (entry["tries"], "no release" in entry["error"]) == (5, True)


def test_what_contradicts_the_store_fails_at_once_with_its_reason_and_can_be_tried_again(store: SmallStore):
    submit(store.database, batch(sample("P1", birthday="1982-09-11")))
    work(store)
    submit(store.database, batch(sample("P1", birthday="1990-01-01"), batch_id="B2"))
    assert work(store) == Worked(failed=1)
    [failed] = listed(store.database, "failed")
    assert "birth date" in failed["error"]
    with store.database.write() as session:
        assert inbox.retry(session) == 1
    assert work(store) == Worked(failed=1)


def test_a_payload_that_meets_another_ingest_waits_without_counting(store: SmallStore):
    submit(store.database, batch(sample("P1")))
    with store.database.sole_writer(), pytest.raises(Busy):
        work(store)
    assert states(store.database) == {"P1": ("queued", 0)}


def test_an_unforeseen_failure_is_told_by_its_type_alone(store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise ValueError("P1 has G/A")

    submit(store.database, batch(sample("P1")))
    monkeypatch.setattr(working, "import_sample", fail)
    assert work(store) == Worked(postponed=1)
    assert listed(store.database)[0]["error"] == "unexpected ValueError"


def test_erasing_a_subject_takes_what_it_submitted(store: SmallStore):
    submit(store.database, batch(sample("P1"), sample("P2")))
    bulk.erase_subject(store.database, "P1")
    assert list(states(store.database)) == ["P2"]
    work(store)
    bulk.erase_subject(store.database, "P2")
    assert states(store.database) == {}
    with pytest.raises(SubjectNotFound):
        bulk.erase_subject(store.database, "P1")


def test_copies_of_a_gene_are_told_of_the_test_that_states_them(store: SmallStore):
    submit(store.database, batch(sample("P1", cnv=[{"gene": "CYP2D6", "cnv": 2}])))
    work(store)
    with store.database.read() as session:
        assert inbox.gene_copies(session, "P1", "B1") == {"CYP2D6": 2}
        assert inbox.gene_copies(session, "P1", "B2") == {}


def test_senders_are_warned_of_what_a_strand_does_not_show():
    for genotype, rs in (("A/T", "rs4"), ("C/G", "rs4"), ("A/A", "rs1057910")):
        assert "strand" in " ".join(warnings_of(rs, genotype)), (rs, genotype)
    assert warnings_of("rs4244285", "G/A") == ()


def warnings_of(rs: str, genotype: str) -> tuple[str, ...]:
    read = read_batch(batch(sample("P1", (rs, genotype))))
    assert isinstance(read, Batch)
    alleles = {position.name: frozenset(position.alleles38) for gene in CONTENT.genes for position in gene.positions}
    found = snp_data.warnings_of(read.samples[0], alleles)
    return tuple(text for text in found if "no definition" not in text)


def test_the_worker_outlives_a_store_that_is_away(store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []

    def away(_: Workspace) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(working, "open_workspace", away)
    working.keep_working(store.settings, lambda: len(pauses) == 3, pauses.append)
    assert len(pauses) == 3


def test_the_worker_takes_what_comes_and_stops_when_it_is_told(tmp_path: Path):
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path)
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 1:
                submit(database, batch(sample("P1")))

        working.keep_working(store.settings, lambda: len(pauses) == 2, pause)
        assert states(database) == {"P1": ("done", 1)}


def test_the_worker_ends_with_its_server(store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(working, "configure_logging", lambda _: None)
    working.watch(store.settings, parent=-1)


def test_commands_of_the_inbox_say_what_became_of_it(tmp_path: Path):
    operon = CommandLine(tmp_path)
    operon.done("db", "upgrade")
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        submit(database, batch(sample("P1"), sample("P2", birthday="1980-01-01")))
    assert [json.loads(line)["state"] for line in operon.done("inbox", "list").out.splitlines()] == ["queued"] * 2
    assert operon.done("inbox", "work", "--once").err == "2 done, 0 failed, 0 will be tried again\n"
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        submit(database, batch(sample("P2", birthday="1990-01-01"), batch_id="B2"))
    assert "1 failed" in operon.done("inbox", "work", "--once").err
    [failed] = operon.done("inbox", "list", "--state", "failed").out.splitlines()
    assert "birth date" in json.loads(failed)["error"]
    assert operon.done("inbox", "retry").out == "1\n"
    operon.done("subject", "erase", "P2", "--yes")
    assert [json.loads(line)["sample"] for line in operon.done("inbox", "list").out.splitlines()] == ["P1"]


def test_reports_are_json(store: SmallStore):
    submit(store.database, batch(sample("P1")))
    work(store)
    assert json.loads(json.dumps(listed(store.database)))
