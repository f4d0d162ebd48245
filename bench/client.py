"""Clients for loopback servers: one that waits for each answer, for latency, and a busy one, for throughput.

Both are bounded in requests, and both talk to 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvloop

from bench.measure import ATTEMPTS, REPEATS, Series

_ACCEPT = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Target:
    """A server's port and the paths that are asked for in turn."""

    port: int
    paths: Sequence[str]


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """Yield one connection that is kept alive."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def get(connection: http.client.HTTPConnection, path: str) -> bytes:
    """Return the body of an answer; any status but 200 is an error of the benchmark."""
    connection.request("GET", path, headers={"Accept": _ACCEPT})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {body[:300]!r}")
    return body


def latencies(*targets: Target, requests: int, repeats: int = REPEATS) -> list[Series]:
    """Return the median latency of each repeat of ``requests`` requests on a connection; the floor comes last.

    Up to three attempts while the floor drifts.
    """
    with ExitStack() as stack:
        asking = [(stack.enter_context(connected(target.port)), itertools.cycle(target.paths)) for target in targets]
        for _ in range(ATTEMPTS):
            found: list[list[float]] = [[] for _ in targets]
            for connection, paths in asking:
                _median_latency(connection, paths, requests)
            for _ in range(repeats):
                for (connection, paths), medians in zip(asking, found, strict=True):
                    medians.append(_median_latency(connection, paths, requests))
            series = [Series(tuple(medians)) for medians in found]
            if series[-1].is_steady:
                break
    return series


def _median_latency(connection: http.client.HTTPConnection, paths: Iterator[str], requests: int) -> float:
    times = []
    for path in itertools.islice(paths, requests):
        started = time.perf_counter()
        get(connection, path)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def throughput(*targets: Target, connections: int = 8, requests: int = 60, repeats: int = 7) -> list[float]:
    """Return how many requests a second each server answers to so many connections at once, median of the repeats."""
    rates: list[list[float]] = [[] for _ in targets]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(repeats):
            for target, found in zip(targets, rates, strict=True):
                found.append(runner.run(_rate(target, connections, requests)))
    return [statistics.median(found) for found in rates]


async def _rate(target: Target, connections: int, requests: int) -> float:
    streams = [await asyncio.open_connection("127.0.0.1", target.port) for _ in range(connections)]
    started = time.perf_counter()
    await asyncio.gather(*(_ask(*stream, target.paths, requests) for stream in streams))
    elapsed = time.perf_counter() - started
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return connections * requests / elapsed


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, paths: Sequence[str], requests: int) -> None:
    for path in itertools.islice(itertools.cycle(paths), requests):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {_ACCEPT}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{path} answered {head[:40]!r}")
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
