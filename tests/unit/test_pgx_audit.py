"""The audit of the pharmacogenetic API: nothing lost, nobody named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.errors import OperonError, Unavailable
from app.operations.context import OperationContext
from app.operations.interface import PgxRequest
from app.operations.pgx_desk import StoreDesk
from app.store import audit_pages, pgx_audit
from app.store.pgx_audit import AuditLog, AuditRow
from app.store.session import Database
from tests.command_line import CommandLine
from tests.small_store import NO_GENOME
from tests.store_dump import dump

ROW = AuditRow(
    at="2026-01-02T03:04:05.678+00:00",
    request_id="r1",
    method="GET",
    path="/abomics/{version}/patient/{id}/report/{locale}/{type}",
    user_id="jane",
    organization_id="Lab",
    client="ExampleLab",
    client_version="1.0.3",
    cert_cn=None,
    patient_ref=None,
    status=200,
    error_type=None,
    duration_ms=7,
)
REQUEST = PgxRequest(
    ROW.at, "r1", "GET", ROW.path, "jane", "Lab", "ExampleLab", "1.0.3", "Example Lab", "171081-9419", 404,
    "NO_PATIENT", 7,
)  # fmt: skip


def entries(database: Database, **options: Any) -> list[dict[str, Any]]:
    return list(pgx_audit.entries(database, **options))


def test_rows_written_at_once_are_all_there(database: Database) -> None:
    log = AuditLog(database)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.write(replace(ROW, request_id=f"r{n}")), range(200)))
    found = entries(database)
    assert {entry["request_id"] for entry in found} == {f"r{n}" for n in range(200)}
    assert [entry["id"] for entry in found] == list(range(200))


def test_long_audits_are_read_in_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_pages, "_PAGE", 2)
    with database.write() as session:
        pgx_audit.append(session, [replace(ROW, request_id=f"r{n}") for n in range(4)])
    assert [entry["request_id"] for entry in entries(database)] == ["r0", "r1", "r2", "r3"]


def test_audit_can_be_narrowed(database: Database) -> None:
    later = replace(ROW, at="2026-02-01T00:00:00.000+00:00", patient_ref="x")
    with database.write() as session:
        pgx_audit.append(session, [ROW, later])
    assert [entry["id"] for entry in entries(database, since="2026-01-15")] == [1]
    assert [entry["id"] for entry in entries(database, patient_ref="x")] == [1]
    assert entries(database, patient_ref="y") == []


def test_row_that_cannot_be_stored_is_told_to_everyone_who_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise Unavailable("away")

    monkeypatch.setattr(pgx_audit, "append", away)
    log = AuditLog(database)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: _failure(log), range(8)))
    assert all(isinstance(error, Unavailable) for error in results)
    monkeypatch.undo()
    assert _failure(log) is None
    assert len(entries(database)) == 1


def _failure(log: AuditLog) -> Exception | None:
    try:
        log.write(ROW)
    except OperonError as error:
        return error
    return None


def desk_of(database: Database, home: Path) -> StoreDesk:
    settings = Settings(home=home)
    return OperationContext(settings, database, NO_GENOME, {}).pgx_desk


def test_person_is_kept_as_a_keyed_digest(database: Database, tmp_path: Path) -> None:
    desks = [desk_of(database, tmp_path / name) for name in ("a", "b")]
    for desk in desks:
        desk.record(REQUEST)
        desk.record(replace(REQUEST, patient=None))
    references = [entry["patient_ref"] for entry in entries(database)]
    assert references[1] is references[3] is None
    assert len({references[0], references[2]}) == 2
    assert "171081-9419" not in repr(dump(database)["pgx_audit"])
    assert entries(database)[0]["cert_cn"] == "Example Lab"


def test_command_prints_the_audit(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    database = Database(Settings(home=operon.home).store_url)
    desk = desk_of(database, operon.home)
    desk.record(REQUEST)
    desk.record(replace(REQUEST, patient=None, request_id="r2", at="2026-03-01T00:00:00.000+00:00"))
    database.close()

    def printed(*options: str) -> list[str]:
        lines = operon.done("audit", "pgx", *options).out.splitlines()
        return [json.loads(line)["request_id"] for line in lines]

    assert printed() == ["r1", "r2"]
    assert printed("--since", "2026-02-01") == ["r2"]
    assert printed("--since", "2026-01-02T05:04:05.678+02:00") == ["r1", "r2"]
    assert printed("--patient", "171081-9419") == ["r1"]
    assert printed("--patient", "P2") == []
    assert operon.run("audit", "pgx", "--since", "yesterday").code == 65
