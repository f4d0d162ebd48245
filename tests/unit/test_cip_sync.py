"""Keeping the cases of a server in the store: no partial case, nothing twice, nothing lost when the server is ill."""

from __future__ import annotations

import copy
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.config import Settings
from app.errors import Busy, InvalidInput, NotAuthenticated, Unavailable
from app.store import cip_cases, cip_referrals, cip_sync
from app.store.cip_sync import SyncState
from app.store.session import Database
from ingest import cip_sync as syncing
from ingest.cip_client import CipClient
from ingest.cip_environment import ClientCredentials, Environment
from ingest.cip_fetching import in_threads
from ingest.cip_http import Waits
from ingest.cip_plan import Wanted, planned
from ingest.cip_progress import CaseLines
from ingest.cip_sync import Sync
from ingest.cip_sync_report import SyncReport
from tests.cip_stub import SECRET, TENANT, CipStub, overview, page, running
from tests.small_store import Interrupted
from tests.store_dump import dump

LIST = "/interpretation-request/"


def detail(ir_id: int, version: int = 1, *, at: str = "2022-03-02T10:00:00.000000Z", **more: Any) -> dict[str, Any]:
    """Return a case without any genome."""
    return {
        "interpretation_request_id": ir_id,
        "version": str(version),
        "created_at": "2022-02-01T08:00:00.000000Z",
        "last_modified": at,
        "cip": "genomics_england",
        "sample_type": "raredisease",
        "assembly": "GRCh38",
        "last_status": "sent_to_gmcs",
        "status": [{"status": "sent_to_gmcs", "created_at": "2022-02-02T10:00:00.000000Z", "user": "x"}],
        "proband": f"p{ir_id}",
        "family_id": f"r{ir_id}",
        "interpreted_genome": [],
        "clinical_report": [],
        **more,
    }


def path_of(ir_id: int, version: int = 1) -> str:
    return f"{LIST}{ir_id}/{version}/"


@dataclass
class Desk:
    """A store and the server that it follows."""

    database: Database
    stub: CipStub
    name: str = "UAT"
    projected: list[int] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    said: io.StringIO = field(default_factory=io.StringIO)

    def client(self) -> CipClient:
        credentials = ClientCredentials(TENANT, "client", SECRET)
        environment = Environment(self.name, self.stub.api, self.stub.host, credentials)
        waits = Waits(pause=self.pauses.append)
        return CipClient(environment, Settings(), waits=waits, clock=lambda: self.stub.now)

    def sync(self, **wanted: Any) -> SyncReport:
        client = self.client()
        lines = CaseLines(console=Console(file=self.said))
        sync = Sync(self.database, client, Wanted(**wanted), lines, self._project, pause=self.pauses.append)
        try:
            return sync.run()
        finally:
            client.close()

    def _project(self) -> None:
        with self.database.read() as session:
            self.projected.append(len(cip_cases.waiting(session)))

    def counts(self, **wanted: Any) -> dict[str, int]:
        return {name: number for name, number in self.sync(**wanted).counts().items() if number and name != "waiting"}

    def stored(self, ir_id: int, version: int = 1) -> Any:
        with self.database.read() as session:
            case = cip_cases.find(session, ir_id, version)
            raw = cip_cases.detail_of(session, case.row) if case is not None else None
        return None if raw is None else json.loads(raw)

    def row(self, ir_id: int, version: int = 1) -> Any:
        with self.database.read() as session:
            return cip_sync.get(session, self.name, ir_id, version)

    def put_cases(self, *details: dict[str, Any]) -> None:
        self.stub.put_cases(*details)
        self.stub.asked.clear()

    def asked(self) -> list[str]:
        """Return the details that were asked for since the cases were put."""
        found = [one.path.removeprefix("/api/2") for one in self.stub.asked]
        self.stub.asked.clear()
        return sorted(path for path in found if path.startswith(LIST) and path != LIST)


@pytest.fixture
def desk(database: Database, allow_loopback: Callable[[int], None]) -> Iterator[Desk]:
    with running() as stub:
        allow_loopback(stub.port)
        yield Desk(database, stub)


# --- what is fetched --------------------------------------------------------------------------------------------------


def test_every_case_is_stored_as_it_came_with_where_it_is_from(desk: Desk):
    text = json.dumps(detail(7), indent=2).encode()
    desk.put_cases(detail(7), detail(8, 2))
    desk.stub.put(path_of(7), text)
    assert desk.counts() == {"new": 2}
    with desk.database.read() as session:
        case = cip_cases.find(session, 7, 1)
        assert case is not None
        assert (case.origin, cip_cases.detail_of(session, case.row)) == ("UAT", text)
    assert desk.stored(8, 2) == detail(8, 2)
    assert desk.projected == [2]
    assert "[1/2] 7-1 new" in desk.said.getvalue()


def test_a_second_run_without_changes_asks_for_the_list_alone_and_writes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    desk.put_cases(detail(7), detail(8))
    desk.sync()
    before = dump(desk.database)
    writes: list[int] = []
    monkeypatch.setattr(Database, "write", lambda self: writes.append(1))
    desk.asked()
    assert desk.counts() == {"unchanged": 2}
    assert (desk.asked(), writes, dump(desk.database)) == ([], [], before)


def test_only_what_changed_is_fetched_again(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.sync()
    changed = detail(8, at="2022-03-03T10:00:00.000000Z", last_status="report_sent")
    desk.put_cases(detail(7), changed, detail(8, 2))
    assert desk.counts() == {"new": 1, "updated": 1, "unchanged": 1}
    assert desk.asked() == [path_of(8), path_of(8, 2)]
    assert desk.stored(8) == changed


def test_a_newer_time_without_another_content_changes_nothing_but_the_note(desk: Desk):
    desk.put_cases(detail(7))
    desk.sync()
    with desk.database.write() as session:
        session.run("update cip_case set state = 'stored' returning 1")
    desk.put_cases(detail(7, at="2022-04-01T10:00:00.000000Z"))
    assert desk.counts() == {"unchanged": 1}
    with desk.database.read() as session:
        assert cip_cases.waiting(session) == []
    assert desk.row(7).last_modified == "2022-04-01T10:00:00.000000Z"
    desk.asked()
    desk.sync()
    assert desk.asked() == []


def test_a_case_that_is_blocked_counts_as_changed_whatever_its_time(desk: Desk):
    desk.put_cases(detail(7))
    desk.sync()
    desk.put_cases(detail(7, last_status="blocked"))
    assert desk.counts() == {"updated": 1}
    assert desk.stored(7)["last_status"] == "blocked"
    assert desk.counts() == {"unchanged": 1}


def test_filters_go_to_the_server(desk: Desk):
    desk.put_cases(detail(7))
    desk.sync(filters={"status": "sent_to_gmcs,report_sent", "category": "gms"})
    [asked] = [one for one in desk.stub.asked if one.path == f"/api/2{LIST}"]
    assert (asked.query["status"], asked.query["category"]) == (["sent_to_gmcs,report_sent"], ["gms"])


def test_since_leaves_out_what_is_older_but_for_ten_minutes(desk: Desk):
    times = ["2022-03-02T09:49:59.000000Z", "2022-03-02T09:50:00.000000Z", "2022-03-02 10:30:00", "soon"]
    desk.put_cases(*(detail(number, at=at) for number, at in enumerate(times, 1)))
    report = desk.sync(since=datetime(2022, 3, 2, 10, tzinfo=UTC))
    assert [result.name for result in report.results] == ["2-1", "3-1", "4-1"]
    assert report.plan.older == 1


def test_limit_and_ids_choose(desk: Desk):
    desk.put_cases(detail(7), detail(8), detail(9))
    assert desk.counts(limit=2) == {"new": 2}
    assert desk.asked() == [path_of(7), path_of(8)]
    assert desk.counts(ids=((9, 1), (7, 1), (6, 1))) == {"new": 1, "unchanged": 1, "gone": 1}
    desk.asked()
    assert desk.counts() == {"unchanged": 3}
    assert desk.asked() == []


def test_a_dry_run_writes_nothing(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.sync(limit=1)
    before = dump(desk.database)
    plan = planned(desk.database, desk.client(), Wanted())
    assert ([one.name for one in plan.fetch], [one.name for one in plan.unchanged]) == (["8-1"], ["7-1"])
    assert dump(desk.database) == before


def test_files_are_kept_beside_the_store(desk: Desk, tmp_path: Path):
    desk.put_cases(detail(7), detail(8))
    desk.sync(limit=1)
    folder = tmp_path / "cases"
    desk.sync(folder=folder)
    assert {one.name: json.loads(one.read_bytes()) for one in folder.iterdir()} == {
        "7-1.json": detail(7),
        "8-1.json": detail(8),
    }
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}


# --- consent ----------------------------------------------------------------------------------------------------------

CONSENT = {
    "participant_id": "p7",
    "referral_id": "r7",
    "primaryGenomicTestingConsent": "yes",
    "researchFindingConsent": "no",
    "last_modified": "2022-01-10T15:18:58.915454Z",
}


def test_consent_is_asked_for_where_the_referral_has_none(desk: Desk):
    desk.put_cases(detail(7, referral={"referral_id": "r7", "referral_uid": "u7"}))
    desk.stub.put("/referral/r7/econsent/", {"econsent": [CONSENT]})
    assert desk.counts() == {"new": 1}
    with desk.database.read() as session:
        assert cip_referrals.econsent_of(session, "r7") == [CONSENT]
    before = dump(desk.database)
    assert desk.counts(ids=((7, 1),)) == {"unchanged": 1}
    assert dump(desk.database) == before
    later = {**CONSENT, "primaryGenomicTestingConsent": "no", "last_modified": "2023-01-10T15:18:58.915454Z"}
    desk.stub.put("/referral/r7/econsent/", {"econsent": [later]})
    assert desk.counts(ids=((7, 1),)) == {"updated": 1}
    with desk.database.read() as session:
        assert cip_referrals.econsent_of(session, "r7") == [later]


def test_a_case_whose_consent_cannot_be_had_is_not_stored(desk: Desk):
    desk.put_cases(detail(7, referral={"referral_id": "r7"}))
    desk.stub.put("/referral/r7/econsent/", {"econsent": []}, "status 500 *")
    assert desk.counts() == {"failed": 1}
    assert desk.stored(7) is None


# --- a server that is ill ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["status 500", "cut", "break", "status 429"])
def test_a_case_that_fails_costs_no_other_one_and_comes_with_the_next_run(desk: Desk, act: str):
    desk.put_cases(detail(7), detail(8), detail(9))
    desk.stub.script[f"/api/2{path_of(8)}"] = 5 * [act]
    report = desk.sync()
    assert (report.counts()["new"], report.counts()["failed"], report.is_complete) == (2, 1, False)
    assert (desk.stored(8), desk.row(8).attempts) == (None, 1)
    assert desk.asked().count(path_of(8)) == 5
    assert desk.counts() == {"new": 1, "unchanged": 2}
    assert desk.row(8).state is SyncState.DONE


@pytest.mark.parametrize("answer", [b"[]", b'"text"', {"version": "1"}, {"detail": "?"}, {**detail(9), "version": 3}])
def test_a_case_of_another_shape_is_a_failure_and_nothing_of_it_is_stored(desk: Desk, answer: Any):
    desk.put_cases(detail(7), detail(8))
    desk.stub.put(path_of(8), answer)
    assert desk.counts() == {"new": 1, "failed": 1}
    with desk.database.read() as session:
        assert session.run("select ir_id from cip_case") == [(7,)]
        assert session.run("select participant from cip_member") == [("p7",)]


def test_a_case_that_failed_in_five_runs_is_only_reported_until_it_changes(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.stub.put(path_of(8), {"detail": "?"})
    for _ in range(5):
        assert desk.counts()["failed"] == 1
    desk.asked()
    report = desk.sync()
    assert (report.counts()["given up"], report.is_complete, desk.asked()) == (1, False, [])
    assert any("8-1 given up: case 8-1" in line for line in report.lines())
    desk.put_cases(detail(7), detail(8, at="2022-03-03T10:00:00.000000Z"))
    assert desk.counts() == {"new": 1, "unchanged": 1}


def test_naming_a_case_that_was_given_up_tries_it_again(desk: Desk):
    desk.put_cases(detail(8))
    desk.stub.put(path_of(8), {"detail": "?"})
    for _ in range(6):
        desk.sync()
    desk.put_cases(detail(8))
    assert desk.counts(ids=((8, 1),)) == {"new": 1}


def test_a_forbidden_case_is_skipped_and_asked_for_again(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.stub.script[f"/api/2{path_of(7)}"] = 4 * ["status 403"]
    report = desk.sync()
    assert (report.counts()["forbidden"], report.counts()["new"], report.is_complete) == (1, 1, True)
    before = dump(desk.database)
    assert desk.counts() == {"forbidden": 1, "unchanged": 1}
    assert dump(desk.database) == before
    assert desk.counts() == {"new": 1, "unchanged": 1}


def test_a_case_that_vanishes_is_reported_and_stays(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.sync()
    desk.stub.put(LIST, page([overview(detail(7))]))
    report = desk.sync()
    assert "8-1 gone: it is not in the list any more" in list(report.lines())
    assert (desk.row(8).state, desk.stored(8)) == (SyncState.GONE, detail(8))
    before = dump(desk.database)
    assert desk.counts() == {"gone": 1, "unchanged": 1}
    assert dump(desk.database) == before
    desk.put_cases(detail(7), detail(8))
    assert desk.counts() == {"unchanged": 2}
    assert desk.row(8).state is SyncState.DONE


def test_nothing_is_taken_for_gone_because_the_list_was_filtered_or_incomplete(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.sync()
    desk.stub.put(LIST, page([overview(detail(7))], count=2))
    report = desk.sync()
    assert report.counts()["gone"] == 0
    assert "the server's list changed" in next(report.lines())
    desk.stub.put(LIST, page([overview(detail(7))]))
    assert desk.counts(filters={"category": "gms"}) == {"unchanged": 1}


def test_a_case_that_goes_between_list_and_detail_is_gone(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    del desk.stub.documents[f"/api/2{path_of(8)}"]
    assert desk.counts() == {"new": 1, "gone": 1}


def test_a_server_that_goes_away_ends_the_run_and_is_not_held_against_the_cases(desk: Desk):
    desk.put_cases(*map(detail, range(1, 20)))
    for number in range(4, 20):
        desk.stub.script[f"/api/2{path_of(number)}"] = ["status 503 *"]
    with pytest.raises(Unavailable, match="status 503, 5 times"):
        desk.sync(concurrent=1)
    assert [desk.stored(number) is not None for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert desk.row(4) is None
    desk.put_cases(*map(detail, range(1, 20)))
    assert desk.counts() == {"new": 16, "unchanged": 3}
    assert path_of(3) not in desk.asked()


def test_a_token_that_the_server_does_not_accept_ends_the_run(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.stub.script[f"/api/2{path_of(8)}"] = ["old *"]
    with pytest.raises(NotAuthenticated):
        desk.sync()
    assert desk.stored(7) is not None


# --- whatever ends the program ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("moment", ["put_done", "put"])
def test_a_run_that_is_interrupted_anywhere_is_continued(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, nth: int, moment: str
):
    desk.put_cases(detail(7), detail(8), detail(9))
    module = cip_sync if moment == "put_done" else cip_cases
    real: Any = getattr(module, moment)
    left = [nth]

    def ends(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        left[0] -= 1
        if left[0] == 0:
            raise Interrupted
        return result

    monkeypatch.setattr(module, moment, ends)
    with suppress(Interrupted):
        desk.sync()
    for number in (7, 8, 9):  # a case and the note of it are there together, or neither
        assert (desk.stored(number) is None) == (desk.row(number) is None)
    assert desk.stored(6 + nth) is None
    assert desk.counts() == ({"new": 4 - nth, "unchanged": nth - 1} if nth > 1 else {"new": 3})


def test_another_writer_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.put_cases(detail(7))
    real, left = cip_cases.put, [2]

    def busy(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise Busy("the database is locked by another program")
        return real(*args, **options)

    monkeypatch.setattr(cip_cases, "put", busy)
    assert desk.counts() == {"new": 1}
    assert desk.pauses == [5.0, 5.0]


def test_what_nobody_foresaw_in_one_case_costs_no_other_one(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.put_cases(detail(7), detail(8))
    real = cip_cases.put

    def odd(session: Any, content: Any, *args: Any, **options: Any) -> Any:
        if content["interpretation_request_id"] == 7:
            raise KeyError("p12345")
        return real(session, content, *args, **options)

    monkeypatch.setattr(cip_cases, "put", odd)
    report = desk.sync()
    assert [(result.name, result.outcome.value) for result in report.results] == [("7-1", "failed"), ("8-1", "new")]
    assert desk.row(7).error == "unexpected KeyError"


def test_calls_are_made_now_and_then(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(syncing, "_PROJECTED_AT_ONCE", 2)
    desk.put_cases(*map(detail, range(1, 6)))
    desk.sync()
    assert desk.projected == [2, 4, 5]


# --- what was changed here --------------------------------------------------------------------------------------------


def put_here(desk: Desk, content: dict[str, Any], origin: str) -> None:
    with desk.database.write() as session:
        cip_cases.put(session, content, json.dumps(content).encode(), origin=origin)


def test_a_case_that_was_changed_here_stays_until_the_server_has_another(desk: Desk):
    desk.put_cases(detail(7))
    desk.sync()
    here = detail(7, tags=["here"])
    put_here(desk, here, "UAT")
    desk.put_cases(detail(7, at="2022-04-01T10:00:00.000000Z"))
    assert desk.counts() == {"unchanged": 1}
    assert desk.stored(7) == here
    there = detail(7, at="2022-05-01T10:00:00.000000Z", tags=["there"])
    desk.put_cases(there)
    report = desk.sync()
    assert (report.counts()["conflict"], report.is_complete, desk.stored(7)) == (1, False, here)
    assert any("changed here and there" in line for line in report.lines())
    assert desk.counts(replace=True) == {"updated": 1}
    assert desk.stored(7) == there
    assert desk.counts() == {"unchanged": 1}


def test_a_case_of_another_server_is_not_replaced(desk: Desk):
    put_here(desk, detail(7, tags=["production"]), "PROD")
    desk.put_cases(detail(7))
    report = desk.sync()
    assert any("a case of PROD has this number" in line for line in report.lines())
    assert desk.stored(7)["tags"] == ["production"]


def test_a_case_from_a_file_is_replaced(desk: Desk):
    put_here(desk, detail(7, tags=["file"]), "file")
    desk.put_cases(detail(7))
    assert desk.counts() == {"updated": 1}


def test_environments_are_kept_apart(desk: Desk):
    desk.put_cases(detail(7))
    desk.sync()
    desk.name = "SIT"
    assert desk.counts() == {"unchanged": 1}
    assert desk.row(7).state is SyncState.DONE


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_things_are_done_at_the_same_time_and_come_in_order():
    together = threading.Barrier(3, timeout=10)

    def do(number: int) -> int:
        together.wait()
        if number == 4:
            raise InvalidInput("four")
        return number * 2

    found = list(in_threads(range(6), do, threads=3))
    assert [item for item, _ in found] == list(range(6))
    assert [future.result() for _, future in found if future.exception() is None] == [0, 2, 4, 6, 10]


def test_few_things_are_done_ahead():
    done: list[int] = []
    results = in_threads(range(100), done.append, threads=2)
    item, future = next(results)
    future.result()
    results.close()  # type: ignore[attr-defined]
    assert item == 0
    assert len(done) <= 5


def test_the_report_for_programs_names_the_environment(desk: Desk):
    desk.put_cases(detail(7), detail(8))
    desk.stub.put(path_of(8), {"detail": "?"})
    report = desk.sync()
    told = report.to_json(desk.client().environment)
    assert (told["environment"], told["base_url"], told["listed"]) == ("UAT", desk.stub.api, 2)
    assert [(one["case"], one["outcome"]) for one in told["cases"]] == [("7-1", "new"), ("8-1", "failed")]
    assert SECRET not in json.dumps(told)
    assert copy.deepcopy(told["counts"])["new"] == 1
