"""How often somebody may fail to log in: by name and by address, in each process of the server."""

from __future__ import annotations

import math
from collections import deque
from threading import Lock
from typing import Final

_SECONDS: Final = 300
_OF_A_NAME: Final = 10
_OF_AN_ADDRESS: Final = 100
_REMEMBERED: Final = 10_000


class Attempts:
    """Counts failures of the last minutes; safe for several threads."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], deque[float]] = {}
        self._lock = Lock()

    def wait(self, name: str, address: str, now: float) -> int:
        """Return the seconds until an attempt is looked at; zero: now."""
        with self._lock:
            waits = [
                self._wait(key, most, now)
                for key, most in ((("name", name), _OF_A_NAME), (("address", address), _OF_AN_ADDRESS))
            ]
        return max(waits)

    def failed(self, name: str, address: str, now: float) -> None:
        """Note a failure."""
        with self._lock:
            for key in (("name", name), ("address", address)):
                self._failures.setdefault(key, deque(maxlen=_OF_AN_ADDRESS)).append(now)
            while len(self._failures) > _REMEMBERED:
                self._failures.pop(next(iter(self._failures)))

    def succeeded(self, name: str) -> None:
        """Forget the failures of somebody who has logged in."""
        with self._lock:
            self._failures.pop(("name", name), None)

    def _wait(self, key: tuple[str, str], most: int, now: float) -> int:
        times = self._failures.get(key)
        if times is None:
            return 0
        while times and times[0] <= now - _SECONDS:
            times.popleft()
        if not times:
            del self._failures[key]
            return 0
        return math.ceil(times[-most] + _SECONDS - now) if len(times) >= most else 0
