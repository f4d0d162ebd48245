"""Numbers for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).

Each process counts for itself; with several workers a scrape reaches one of them.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from app.operations.interface import Summary

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts and times of requests, and how much is loaded."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "operon_requests", "Requests answered.", ["operation", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "operon_request_seconds", "Time to answer.", ["operation"], buckets=_BUCKETS, registry=self._registry
        )
        self._loaded = Gauge("operon_loaded", "Rows in the store, by kind.", ["kind"], registry=self._registry)
        # `labels` costs more than the increment; both label sets are small, so what it returns is kept.
        self._counters: dict[tuple[str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._counters.get((operation, status))
        if counter is None:
            counter = self._counters[operation, status] = self._requests.labels(operation, str(status))
        counter.inc()
        timer = self._timers.get(operation)
        if timer is None:
            timer = self._timers[operation] = self._seconds.labels(operation)
        timer.observe(seconds)

    def expose(self, summary: Summary | None) -> bytes:
        """Return the exposition; without a summary what is loaded is left out."""
        if summary is None:
            self._loaded.clear()
        else:
            for kind in ("subjects", "studies", "call_sets", "calls", "variants"):
                self._loaded.labels(kind).set(getattr(summary, kind))
        return generate_latest(self._registry)
