"""Names of releases: each kind of release is found by its name, and no two of a kind have the same one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar

from app.errors import InvalidInput, NotFound, quoted
from app.store.session import Session


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Release = TypeVar("_Release", bound=_Named)


def find(known: Sequence[_Release], name: str, kind: str) -> _Release:
    """Return the release with a name; raises NotFound, which lists those that there are, if there is none."""
    for release in known:
        if release.name == name:
            return release
    names = ", ".join(release.name for release in known) or "none"
    raise NotFound(f"There is no {kind} release {quoted(name)}; loaded: {names}")


def refuse_taken(session: Session, table: Literal["knowledge_release", "pgx_release"], name: str) -> None:
    """Raise InvalidInput where a table has a release of that name."""
    if session.run(f"select 1 from {table} where name = :name", {"name": name}):
        raise InvalidInput(
            f"the store has a release {quoted(name)} already; give this one another version (--version),"
            " or remove the other one"
        )
