"""Time the product and its peers in turn, and say nothing where the machine was not steady meanwhile.

Work of one thread is timed in CPU time of this process, which leaves the neighbours out; answers over HTTP in wall
time. Every repeat times each contestant once (ABAB…), so that a slower minute hits all of them. The last contestant is
the floor: where its times in the first and last quarter of the repeats differ by more than ``MOST_DRIFT``, the figures
are not reported.
"""

from __future__ import annotations

import gc
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

REPEATS = 12
MOST_DRIFT = 0.15
ATTEMPTS = 3

Clock = Callable[[], float]
Work = Callable[[], int]
"""Does a portion of work and returns how many operations that was"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Series:
    """Seconds an operation took, one value a repeat."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median."""
        return statistics.median(self.seconds)

    @property
    def iqr(self) -> float:
        """Return the distance between the quartiles."""
        return spread(self.seconds)

    @property
    def drift(self) -> float:
        """Return by which share the medians of the first and the last quarter differ."""
        quarter = max(1, len(self.seconds) // 4)
        first, last = statistics.median(self.seconds[:quarter]), statistics.median(self.seconds[-quarter:])
        return abs(last - first) / first

    @property
    def is_steady(self) -> bool:
        """Return whether the drift is small enough to report what was measured beside these times."""
        return self.drift <= MOST_DRIFT


def spread(values: Sequence[float]) -> float:
    """Return the distance between the quartiles of at least two values."""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def compare(*works: Work, repeats: int = REPEATS, clock: Clock = time.process_time) -> list[Series]:
    """Return the times of each contestant, the floor being the last; up to three attempts while the floor drifts."""
    for _ in range(ATTEMPTS):
        found = _interleaved(works, repeats, clock)
        if found[-1].is_steady:
            break
    return found


def _interleaved(works: Sequence[Work], repeats: int, clock: Clock) -> list[Series]:
    times: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(repeats):
        for work, seconds in zip(works, times, strict=True):
            gc.collect()  # one contestant's garbage is not collected at the expense of the next one
            started = clock()
            done = work()
            seconds.append((clock() - started) / done)
    return [Series(tuple(seconds)) for seconds in times]


def over(function: Callable[[T], object], arguments: Sequence[T], *, seconds: float = 0.03) -> Work:
    """Return a portion of work: ``function`` over the arguments, again and again until it takes about ``seconds``."""
    times = 1
    while True:
        started = time.perf_counter()
        for argument in itertools.islice(itertools.cycle(arguments), times):
            function(argument)
        elapsed = time.perf_counter() - started
        if elapsed >= seconds / 4:
            break
        times *= 4
    times = max(1, round(times * seconds / elapsed))
    endless = itertools.cycle(arguments)

    def work() -> int:
        for argument in itertools.islice(endless, times):
            function(argument)
        return times

    return work


def growth(points: Iterable[tuple[float, float]]) -> float:
    """Return the exponent with which a cost grows: the slope of its logarithm over the logarithm of the size."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    slope, _ = statistics.linear_regression(*zip(*logs, strict=True))
    return slope
