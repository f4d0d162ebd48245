"""What becomes of each case while they are fetched, on standard error: a line each, and on a terminal a bar below."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


class CaseLines:
    """Reports to people; ``quiet`` silences it."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._quiet = quiet
        self._console = console or Console(stderr=True)
        self._total = 0
        self._done = 0
        self._bars: Bars | None = None

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def counting(self, total: int) -> Iterator[None]:
        """Count the cases of the block."""
        self._total, self._done = total, 0
        if self._quiet or not self._console.is_terminal or not total:
            yield
            return
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        with Bars(*columns, TimeRemainingColumn(), console=self._console, transient=True) as bars:
            self._bars, task = bars, bars.add_task("cases", total=total)
            try:
                yield
            finally:
                bars.update(task, completed=self._done)
                self._bars = None

    def case(self, name: str, outcome: str, text: str) -> None:
        """Print what became of the next case: ``[ 12/340] 40101-1 updated (20 SNV, 2 SV, 2 STR)``."""
        self._done += 1
        if self._bars is not None:
            for task in self._bars.task_ids:
                self._bars.update(task, completed=self._done)
        width = len(str(self._total))
        self.say(f"[{self._done:>{width}}/{self._total}] {name} {outcome}{f' ({text})' if text else ''}")
