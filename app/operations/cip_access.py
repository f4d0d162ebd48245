"""Who asks the CIP-API-compatible interface, what they may do, and the record of what they did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

from app.config import Settings
from app.store import cip_audit, cip_users
from app.store.sealing import Sealer
from app.store.session import Database

FORBIDDEN: Final = "You do not have permission to perform this action."


class Role(IntEnum):
    """What a user may do; each role may do what those before it may."""

    READER = 1
    WRITER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """A user who asks."""

    username: str
    user_id: int
    email: str
    role: Role
    workspaces: frozenset[str] = frozenset()
    """Sites whose cases are seen; empty: all"""

    def sees(self, sites: Iterable[str]) -> bool:
        """Return whether a case of these sites is theirs to see."""
        return not self.workspaces or not self.workspaces.isdisjoint(sites)


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the digest of their password."""

    caller: Caller
    password: str


class CipContext(Protocol):
    """What the interface needs of the context of the operations."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def database(self) -> Database:
        """Return the store."""
        ...

    @property
    def sealer(self) -> Sealer:
        """Return what has the keys of the installation."""
        ...


def account_of(context: Any, username: str) -> Account | None:
    """Return the account of a user; None if there is none."""
    of: CipContext = context
    with of.database.read() as session:
        user = cip_users.find(session, username)
    if user is None:
        return None
    role = Role[user.role.upper()]
    return Account(Caller(user.username, user.user_id, user.email, role, frozenset(user.workspaces)), user.password)


def key_of(context: Any, purpose: str) -> bytes:
    """Return the key of the installation for a purpose."""
    of: CipContext = context
    return of.sealer.key(purpose)


@dataclass(frozen=True, slots=True)
class CipRequest:
    """A request as it is recorded."""

    at: str
    username: str
    method: str
    endpoint: str
    """Template of the path; ``-`` for one that is not served"""
    case: tuple[int, int] | None
    status: int


def record(context: Any, request: CipRequest) -> None:
    """Record a request; it is stored when this returns."""
    of: CipContext = context
    ir_id, version = request.case or (None, None)
    row = cip_audit.CipAuditRow(
        request.at, request.username, request.method, request.endpoint, ir_id, version, request.status
    )
    with of.database.write() as session:
        cip_audit.append(session, [row])
