"""Users of the CIP-API-compatible interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from app.store.session import Session

_COLUMNS = "username, id, password, email, role, workspaces, created_at"


@dataclass(frozen=True, slots=True)
class CipUser:
    """A user; ``password`` is a salted digest, empty where no password logs in."""

    username: str
    user_id: int
    password: str
    email: str
    role: str
    """reader, writer or admin"""
    workspaces: tuple[str, ...]
    """Sites whose cases are seen; empty: all"""
    created_at: str


def find(session: Session, username: str) -> CipUser | None:
    """Return a user; None if there is none of that name."""
    rows = session.run(f"select {_COLUMNS} from cip_user where username = :username", {"username": username})
    return _user(rows[0]) if rows else None


def everybody(session: Session) -> list[CipUser]:
    """Return all users by name."""
    return [_user(row) for row in session.run(f"select {_COLUMNS} from cip_user order by username")]


def add(
    session: Session, username: str, *, password: str, email: str, role: str, workspaces: Sequence[str]
) -> CipUser | None:
    """Store a new user; return None, and change nothing, if there is one of that name."""
    if find(session, username) is not None:
        return None
    [(last,)] = session.run("select coalesce(max(id), 0) from cip_user")
    user = CipUser(
        username, int(last) + 1, password, email, role, tuple(workspaces), datetime.now(UTC).isoformat("T", "seconds")
    )
    session.insert_rows("cip_user", _COLUMNS.split(", "), [_row(user)])
    return user


def set_password(session: Session, username: str, password: str) -> bool:
    """Give a user another password; return whether there is such a user."""
    if find(session, username) is None:
        return False
    session.run_many("update cip_user set password = ? where username = ?", [(password, username)])
    return True


def remove(session: Session, username: str) -> bool:
    """Remove a user; return whether there was one."""
    if find(session, username) is None:
        return False
    session.run_many("delete from cip_user where username = ?", [(username,)])
    return True


def _row(user: CipUser) -> tuple[object, ...]:
    workspaces = orjson.dumps(list(user.workspaces)).decode()
    return user.username, user.user_id, user.password, user.email, user.role, workspaces, user.created_at


def _user(row: tuple[object, ...]) -> CipUser:
    username, user_id, password, email, role, workspaces, created_at = row
    return CipUser(
        str(username),
        int(str(user_id)),
        str(password),
        str(email),
        str(role),
        tuple(orjson.loads(str(workspaces))),
        str(created_at),
    )
