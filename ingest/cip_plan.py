"""Which cases of a CIP-API server have to be fetched: those that are new, changed, or did not come the last time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from app.store import cip_cases, cip_sync
from app.store.cip_cases import State
from app.store.cip_sync import SyncRow, SyncState
from app.store.session import Database, Session
from ingest.cip_client import CaseKey, CipClient, Listed, Listing, moment

_OVERLAP = timedelta(minutes=10)
"""The clocks of two machines differ"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched, and how."""

    filters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the server's list"""
    ids: tuple[CaseKey, ...] = ()
    """Only these cases, whether they changed or not"""
    since: datetime | None = None
    limit: int | None = None
    """Most cases to fetch"""
    concurrent: int = 2
    replace: bool = False
    """Also over what was changed here, or came from elsewhere"""
    as_stored: bool = False
    """Inner documents in the model that the server has them in, not in the newest"""
    folder: Path | None = None
    """Where each case is kept as a file as well"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fetched, and what is not."""

    listing: Listing
    fetch: tuple[Listed, ...]
    unchanged: tuple[Listed, ...]
    given_up: tuple[tuple[Listed, SyncRow], ...]
    """Cases that failed so often that only a change of theirs, or to ask for them, makes them be tried again"""
    gone: tuple[SyncRow, ...]
    """Cases that were in the list and are not any more"""
    older: int
    """How many were changed before the time that was asked for"""
    ledger: Mapping[CaseKey, SyncRow]


def planned(database: Database, client: CipClient, wanted: Wanted) -> Plan:
    """Return what is to be fetched from a server; nothing is written.

    Raises:
        OperonError: the server or the store cannot be asked.
    """
    listing = _listing(client, wanted)
    found = _Sorted()
    with database.read() as session:
        ledger = cip_sync.known(session, client.environment.name)
        for one in listing.cases:
            _sort(session, one, ledger.get(one.key), wanted, found)
    gone = _gone(listing, ledger) if not wanted.filters and not wanted.ids else ()
    fetch = tuple(found.fetch[: wanted.limit])
    return Plan(listing, fetch, tuple(found.unchanged), tuple(found.given_up), gone, found.older, ledger)


@dataclass(slots=True)
class _Sorted:
    fetch: list[Listed] = field(default_factory=list)
    unchanged: list[Listed] = field(default_factory=list)
    given_up: list[tuple[Listed, SyncRow]] = field(default_factory=list)
    older: int = 0


def _sort(session: Session, one: Listed, entry: SyncRow | None, wanted: Wanted, found: _Sorted) -> None:
    if wanted.ids:
        found.fetch.append(one)
    elif _is_older(one, wanted.since) and (entry is None or entry.state is SyncState.DONE):
        found.older += 1
    elif entry is None:
        found.fetch.append(one)
    elif _is_done(session, one, entry):
        found.unchanged.append(one)
    elif _is_given_up(one, entry):
        found.given_up.append((one, entry))
    else:
        found.fetch.append(one)


def _listing(client: CipClient, wanted: Wanted) -> Listing:
    """Return the list; whoever names cases wants them as they are now, so that no list is needed."""
    if wanted.ids:
        return Listing(tuple(Listed(*key) for key in sorted(set(wanted.ids))), is_complete=True)
    return client.cases(wanted.filters)


def _is_older(one: Listed, since: datetime | None) -> bool:
    """Return whether a case was changed before ``since``; one whose time cannot be read was perhaps not."""
    at = moment(one.last_modified)
    return since is not None and at is not None and at < since - _OVERLAP


def _is_done(session: Session, one: Listed, entry: SyncRow) -> bool:
    """Return whether nothing happened to a case since it was fetched, as far as the list tells."""
    if entry.state is not SyncState.DONE or not one.last_modified or one.last_modified != entry.last_modified:
        return False
    if one.last_status != "blocked":
        return True
    # Blocking a case hides it, so it counts even where the server does not take it for a change.
    stored = cip_cases.find(session, *one.key)
    return stored is None or stored.state is State.BLOCKED or stored.overview.get("last_status") == "blocked"


def _is_given_up(one: Listed, entry: SyncRow) -> bool:
    return entry.is_given_up and one.last_modified == entry.last_modified


def _gone(listing: Listing, ledger: Mapping[CaseKey, SyncRow]) -> tuple[SyncRow, ...]:
    """Return the cases that a complete list does not have any more."""
    if not listing.is_complete or listing.unreadable:
        return ()
    listed = {one.key for one in listing.cases}
    return tuple(entry for key, entry in sorted(ledger.items()) if key not in listed)
