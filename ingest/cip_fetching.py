"""Doing a slow thing for many items at a time, in threads that do not keep the program alive."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(items: Iterable[T], do: Callable[[T], R], *, threads: int) -> Iterator[tuple[T, Future[R]]]:
    """Yield each item with what became of it, in the order of the items; few are ahead of whoever takes them.

    The threads end with the program: an interrupted one does not wait for servers that answer slowly.
    """
    waiting: SimpleQueue[tuple[T, Future[R]] | None] = SimpleQueue()
    for _ in range(threads):
        threading.Thread(target=_work, args=(waiting, do), daemon=True).start()
    pending: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            pending.append((item, Future()))
            waiting.put(pending[-1])
            if len(pending) > 2 * threads:
                yield pending.popleft()
        while pending:
            yield pending.popleft()
    finally:
        for _, future in pending:
            future.cancel()
        for _ in range(threads):
            waiting.put(None)


def _work(waiting: SimpleQueue[tuple[T, Future[R]] | None], do: Callable[[T], R]) -> None:
    while (task := waiting.get()) is not None:
        item, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(do(item))
        except BaseException as error:
            future.set_exception(error)
