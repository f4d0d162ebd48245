"""``operon cip-api``: users of the CIP-API-compatible interface, and the record of what they asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.config import Settings
from app.security.cip_passwords import is_password
from app.store import cip_audit, cip_users
from app.store.cip_audit import CipAuditRow
from app.store.session import Database
from tests.command_line import CommandLine


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path / "home")
    made.done("db", "upgrade")
    return made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("a long enough secret\nsecond line\n", "utf-8")
    return file


def users(operon: CommandLine) -> list[dict[str, object]]:
    return [json.loads(line) for line in operon.done("cip-api", "user", "list").out.splitlines()]


def digest(operon: CommandLine, username: str) -> str:
    database = Database(Settings(home=operon.home).store_url)
    try:
        with database.read() as session:
            found = cip_users.find(session, username)
    finally:
        database.close()
    assert found is not None
    return found.password


def test_a_user_is_added_listed_and_removed(operon: CommandLine, secret: Path) -> None:
    operon.done("cip-api", "user", "add", "ann", "--password-file", secret)
    operon.done(
        "cip-api", "user", "add", "bob", "--role", "writer", "--email", "bob@example.org", "--workspace", "SITE2",
        "--workspace", "SITE1", "--password-file", secret,
    )  # fmt: skip
    ann, bob = users(operon)
    assert (ann["username"], ann["user_id"], ann["role"], ann["workspaces"]) == ("ann", 1, "reader", [])
    assert (bob["user_id"], bob["role"], bob["email"], bob["workspaces"]) == (
        2, "writer", "bob@example.org", ["SITE1", "SITE2"],
    )  # fmt: skip
    assert "password" not in ann
    assert is_password("a long enough secret", digest(operon, "ann"))
    operon.done("cip-api", "user", "remove", "ann")
    assert [one["username"] for one in users(operon)] == ["bob"]


def test_a_password_is_changed(operon: CommandLine, secret: Path) -> None:
    operon.done("cip-api", "user", "add", "ann", "--password-file", secret)
    secret.write_text("quite another secret", "utf-8")
    operon.done("cip-api", "user", "password", "ann", "--password-file", secret)
    assert is_password("quite another secret", digest(operon, "ann"))
    assert not is_password("a long enough secret", digest(operon, "ann"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "ann"), 65, "There is a user 'ann' already"),
        (("add", "a b"), 65, "other characters"),
        (("remove", "nobody"), 66, "There is no user 'nobody'"),
        (("password", "nobody"), 66, "There is no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said(
    operon: CommandLine, secret: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    operon.done("cip-api", "user", "add", "ann", "--password-file", secret)
    options = () if arguments[0] == "remove" else ("--password-file", str(secret))
    ended = operon.run("cip-api", "user", *arguments, *options)
    assert ended.code == code
    assert said in ended.err


def test_a_short_password_is_refused_and_not_repeated(operon: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_text("tooshort", "utf-8")
    ended = operon.run("cip-api", "user", "add", "ann", "--password-file", file)
    assert ended.code == 65
    assert "tooshort" not in ended.err + ended.out
    assert users(operon) == []


def test_the_record_is_printed_by_user_and_time(operon: CommandLine) -> None:
    database = Database(Settings(home=operon.home).store_url)
    rows = [
        CipAuditRow(f"2026-01-0{day}T00:00:00.000000Z", user, "GET", "/api/2/interpretation-request", None, None, 200)
        for day, user in ((1, "ann"), (2, "bob"), (3, "ann"))
    ]
    try:
        with database.write() as session:
            cip_audit.append(session, rows)
    finally:
        database.close()
    printed = operon.done("cip-api", "audit", "--since", "2026-01-02", "--user", "ann").out.splitlines()
    assert [json.loads(line)["at"] for line in printed] == ["2026-01-03T00:00:00.000000Z"]
    assert len(operon.done("cip-api", "audit").out.splitlines()) == 3
