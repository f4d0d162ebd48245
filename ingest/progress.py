"""How far an ingest is, on standard error: a bar on a terminal, elsewhere a short line every ten seconds.

>>> with Progress(quiet=False).file("a.vcf.gz", 1000) as bar:                                         # doctest: +SKIP
...     bar.at(500)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

_SECONDS_BETWEEN_LINES = 10.0


class Bar(Protocol):
    """The progress of one file."""

    def at(self, bytes_done: int) -> None:
        """Tell how many bytes of the file are done."""


class Progress:
    """Reports progress to people; ``quiet`` silences it. ``clock`` counts seconds."""

    def __init__(
        self, *, quiet: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet = quiet
        self._console = console or Console(stderr=True)
        self._clock = clock

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def file(self, name: str, size: int) -> Iterator[Bar]:
        """Report the progress of one file of ``size`` bytes."""
        if self._quiet:
            yield _NoBar()
        elif self._console.is_terminal:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
            with Bars(*columns, TimeRemainingColumn(), console=self._console, transient=True) as bars:
                yield _RichBar(bars, name, size)
        else:
            yield _Lines(self, name, size, self._clock)


class _NoBar:
    def at(self, bytes_done: int) -> None:
        """Do nothing."""


class _RichBar:
    def __init__(self, bars: Bars, name: str, size: int) -> None:
        self._bars = bars
        self._task = bars.add_task(name, total=size)

    def at(self, bytes_done: int) -> None:
        self._bars.update(self._task, completed=bytes_done)


class _Lines:
    def __init__(self, progress: Progress, name: str, size: int, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._name = name
        self._size = size
        self._clock = clock
        self._next = clock() + _SECONDS_BETWEEN_LINES

    def at(self, bytes_done: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN_LINES
            share = 100 * bytes_done // self._size if self._size else 100
            self._progress.say(f"{self._name}: {share} %")
