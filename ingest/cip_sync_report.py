"""What a run of fetching cases did, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.store.cip_cases import State
from ingest.cip_client import CaseKey
from ingest.cip_environment import Environment
from ingest.cip_plan import Plan
from ingest.cip_report import CaseOutcome, CipReport

_QUARANTINED = "quarantined"
_SHOWN = {State.REFUSED: "refused by consent", State.WAITING: "waiting for their calls"}


class Outcome(StrEnum):
    """What became of a case."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    """It was changed here, or came from another server, and stays as it is"""
    FORBIDDEN = "forbidden"
    GONE = "gone"
    FAILED = "failed"
    GIVEN_UP = "given up"


_TOLD = (Outcome.CONFLICT, Outcome.FORBIDDEN, Outcome.GONE, Outcome.FAILED, Outcome.GIVEN_UP)
_INCOMPLETE = frozenset({Outcome.CONFLICT, Outcome.FAILED, Outcome.GIVEN_UP})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case that was fetched, or should have been."""

    key: CaseKey
    outcome: Outcome
    text: str = ""

    @property
    def name(self) -> str:
        """Return ``40101-1``."""
        return f"{self.key[0]}-{self.key[1]}"

    @property
    def is_stored(self) -> bool:
        """Return whether the store has something new of the case."""
        return self.outcome in (Outcome.NEW, Outcome.UPDATED)


@dataclass(slots=True)
class SyncReport:
    """What a run did."""

    plan: Plan
    results: list[Result] = field(default_factory=list)
    projected: dict[str, CaseOutcome] = field(default_factory=dict)
    """What became of the calls of cases, those that waited before this run included"""

    def add(self, projected: CipReport | None) -> None:
        """Add what became of the calls of cases; None: somebody else has to make them."""
        if projected is not None:
            self.projected.update((one.name, one) for one in projected.outcomes)

    def counts(self) -> dict[str, int]:
        """Return how many cases had each outcome, and of how many the calls are not all in the store."""
        found = {one.value: 0 for one in (*Outcome, State.BLOCKED, State.REFUSED)} | {_QUARANTINED: 0, "waiting": 0}
        found[Outcome.UNCHANGED] += len(self.plan.unchanged)
        for result in self.results:
            found[result.outcome] += 1
            found[State.WAITING] += result.is_stored and result.name not in self.projected
        for one in self.projected.values():
            if one.is_quarantined:
                found[_QUARANTINED] += 1
            elif one.state in (State.BLOCKED, State.REFUSED):
                found[one.state] += 1
        return found

    @property
    def is_complete(self) -> bool:
        """Return whether everything that was wanted is stored, but for what the server does not give."""
        failed = any(result.outcome in _INCOMPLETE for result in self.results)
        return not failed and not any(one.is_quarantined for one in self.projected.values())

    def lines(self) -> Iterator[str]:
        """Yield the summary."""
        listing = self.plan.listing
        if listing.unreadable:
            yield f"{listing.unreadable:,} entries of the server's list name no case"
        if not listing.is_complete:
            yield "the server's list changed while it was read: some cases may come with the next run only"
        for result in self.results:
            if result.outcome in _TOLD:
                yield f"{result.name} {result.outcome}: {result.text}"
        numbers = self.counts()
        if self.plan.older:
            numbers["older"] = self.plan.older
        shown = {state.value: text for state, text in _SHOWN.items()}
        words = [f"{number:,} {shown.get(name, name)}" for name, number in numbers.items() if number]
        yield f"{len(listing.cases):,} cases listed{': ' if words else ''}{', '.join(words)}"
        if self.projected:
            yield from CipReport(self.projected).lines()

    def to_json(self, environment: Environment) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "environment": environment.name,
            "base_url": environment.base_url,
            "listed": len(self.plan.listing.cases),
            "list_is_complete": self.plan.listing.is_complete,
            "counts": self.counts() | {"older": self.plan.older},
            "cases": [
                {
                    "case": result.name,
                    "outcome": result.outcome.value,
                    "state": one.state.value if (one := self.projected.get(result.name)) else None,
                    "text": result.text or None,
                }
                for result in self.results
                if result.outcome is not Outcome.UNCHANGED
            ],
            "reports": [one.to_json() for one in self.projected.values()],
        }
