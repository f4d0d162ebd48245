"""What became of cases: for the store, for a file, and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.formats.gel import Problem, Scope
from app.store.cip_cases import State

_MOST_PROBLEMS: Final = 1000
"""Of one case, that are kept; all of them are counted"""
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of one case."""

    name: str
    state: State
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    @property
    def is_quarantined(self) -> bool:
        """Return whether anything of it could not be stored."""
        return self.state is State.QUARANTINED or any(one.scope is not Scope.WARNING for one in self.problems)

    def to_json(self) -> dict[str, Any]:
        """Return what is kept with the case, and written into a report file."""
        listed = [
            {"path": one.path, "message": one.message, "scope": one.scope.value}
            for one in self.problems[:_MOST_PROBLEMS]
        ]
        by_scope = Counter(one.scope.value for one in self.problems)
        return {
            "case": self.name,
            "state": self.state.value,
            "counts": dict(self.counts),
            "problems": listed,
            "problems_by_scope": dict(sorted(by_scope.items())),
        }


@dataclass(slots=True)
class CipReport:
    """What became of all cases of one projection."""

    by_name: dict[str, CaseOutcome] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def outcomes(self) -> list[CaseOutcome]:
        """Return what became of each case."""
        return list(self.by_name.values())

    def add(self, outcomes: Iterable[CaseOutcome]) -> None:
        """Add cases; of one that was made twice the later outcome counts."""
        self.by_name |= {one.name: one for one in outcomes}

    @property
    def quarantined(self) -> int:
        """Return of how many cases something could not be stored."""
        return sum(one.is_quarantined for one in self.outcomes)

    def counts(self) -> dict[str, int]:
        """Return the sums of all cases."""
        total: Counter[str] = Counter()
        for one in self.outcomes:
            total.update(one.counts)
        return dict(total)

    def to_json(self) -> dict[str, Any]:
        """Return the report for a file."""
        states = Counter(one.state.value for one in self.outcomes)
        return {
            "states": dict(sorted(states.items())),
            "counts": self.counts(),
            "cases": [one.to_json() for one in self.outcomes],
        }

    def lines(self) -> list[str]:
        """Return the report for people: every state, and the first problems."""
        states = Counter(one.state.value for one in self.outcomes)
        total = self.counts()
        numbers = ", ".join(
            f"{total.get(name, 0):,} {text}"
            for name, text in (("calls", "calls"), ("structural", "structural calls"), ("implications", "implications"))
        )
        found = [f"{number:,} {state}" for state, number in sorted(states.items())]
        lines = [f"{len(self.outcomes):,} cases: {', '.join(found) or 'nothing new'} ({numbers})"]
        shown = [(one.name, problem) for one in self.outcomes for problem in one.problems]
        shown.sort(key=lambda pair: pair[1].scope is Scope.WARNING)
        lines += [
            f"{name}: {problem.scope.value}: {problem.path}: {problem.message}" for name, problem in shown[:_MOST_SHOWN]
        ]
        if len(shown) > _MOST_SHOWN:
            lines.append(f"and {len(shown) - _MOST_SHOWN:,} more problems; --report FILE lists them")
        return lines
