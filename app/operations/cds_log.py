"""Keeping the cards that were shown, a moment after they were sent: no clinician waits for a disk.

What is not stored in time is lost with the process, and feedback on it is an orphan then; no answer depends on it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from app.errors import OperonError
from app.store import cds
from app.store.cds import ShownCard
from app.store.session import Database

_MOST_WAITING = 10_000
_BATCH = 200
_PATIENCE = 5.0
_ATTEMPTS = 3


class CardLog:
    """Stores cards in the order in which they were shown, by a thread that starts with the first one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.Queue[ShownCard | threading.Event | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.lost = 0
        """Cards that could not be stored"""

    def add(self, cards: Sequence[ShownCard]) -> None:
        """Have cards stored soon; where too many wait already, they are lost."""
        with self._lock:
            if cards and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="operon-cards", daemon=True)
                self._thread.start()
        for card in cards:
            try:
                self._waiting.put_nowait(card)
            except queue.Full:
                self.lost += 1

    def flush(self, seconds: float = _PATIENCE) -> bool:
        """Wait until everything is dealt with that was added so far; return whether it was in time."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return self._waiting.empty()
        done = threading.Event()
        return self._told(done, seconds) and done.wait(seconds)

    def close(self) -> None:
        """Store what waits, for as long as that takes in reason, and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._told(None, _PATIENCE)
            thread.join(_PATIENCE)

    def _told(self, message: threading.Event | None, seconds: float) -> bool:
        try:
            self._waiting.put(message, timeout=seconds)
        except queue.Full:
            return False
        return True

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH and batch[-1] is not None:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            cards = [card for card in batch if isinstance(card, ShownCard)]
            if cards and not self._store(cards):
                self.lost += len(cards)
            for one in batch:
                if isinstance(one, threading.Event):
                    one.set()
            if batch[-1] is None:
                return

    def _store(self, cards: Sequence[ShownCard]) -> bool:
        for _ in range(_ATTEMPTS):
            try:
                with self._database.write() as session:
                    cds.store_cards(session, cards)
            except (OperonError, *self._database.errors):  # an ingest writes, or the store is away
                continue
            return True
        return False
