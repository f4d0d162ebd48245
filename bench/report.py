"""Figures as JSON, one object a metric; the history that is kept of them, and the table made of its newest entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from bench.environment import machine, revision
from bench.measure import Series, spread

_FOLDER = Path(__file__).parent
RESULTS = _FOLDER / "results"
TABLE = _FOLDER / "RESULTS.md"
_KEPT = 20
"""Entries of one metric that the history keeps"""


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio, or the value of a metric without a peer, is held against."""

    bound: Literal["at most", "at least"]
    limit: float

    def met_by(self, value: float) -> bool:
        """Return whether a value is within the bound."""
        return value <= self.limit if self.bound == "at most" else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.bound == 'at most' else '≥'} {self.limit:g}"


def at_most(limit: float) -> Target:
    """Return an upper bound."""
    return Target("at most", limit)


def at_least(limit: float) -> Target:
    """Return a lower bound."""
    return Target("at least", limit)


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of one bench, with what it was compared with."""

    name: str
    size: str
    engine: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    ratio_is: str | None = None
    ratio_iqr: float | None = None
    n: int = 1
    median: float | None = None
    iqr: float | None = None
    target: str | None = None
    met: bool | None = None
    note: str | None = None
    machine: dict[str, Any] = field(default_factory=machine)
    git_sha: str | None = field(default_factory=revision)
    measured: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(frozen=True, slots=True)
class Refused:
    """A figure that is not reported, because the floor beside it was not steady."""

    name: str
    drift: float

    def __str__(self) -> str:
        return f"{self.name}: not reported, the floor drifted by {self.drift:.0%} between the first and last quarter"


Reported = Metric | Refused


@dataclass(frozen=True, slots=True)
class Run:
    """What every metric of one run shares."""

    size: str
    engine: str = "-"

    def cost(
        self, name: str, product: Series, peer: Series, called: str, *, unit: str, target: Target | None = None,
        note: str | None = None,
    ) -> Reported:  # fmt: skip
        """Return a metric of time an operation takes; its ratio is product ÷ peer."""
        return self._timed(name, product, peer, called, unit=unit, ratio_is="product ÷ peer", target=target, note=note)

    def speedup(
        self, name: str, product: Series, peer: Series, called: str, *, unit: str, target: Target | None = None,
        note: str | None = None,
    ) -> Reported:  # fmt: skip
        """Return a metric of time an operation takes; its ratio is peer ÷ product: how many times faster it is."""
        return self._timed(name, product, peer, called, unit=unit, ratio_is="peer ÷ product", target=target, note=note)

    def _timed(
        self, name: str, product: Series, peer: Series, called: str, *, unit: str, ratio_is: str,
        target: Target | None, note: str | None,
    ) -> Reported:  # fmt: skip
        if not peer.is_steady:
            return Refused(name, peer.drift)
        scale = {"s": 1.0, "ms": 1e3, "µs": 1e6}[unit]
        over = ratio_is == "product ÷ peer"
        ratio = product.median / peer.median if over else peer.median / product.median
        pairs = zip(product.seconds, peer.seconds, strict=True)
        ratios = [a / b if over else b / a for a, b in pairs]
        return Metric(
            name,
            self.size,
            self.engine,
            value=rounded(product.median * scale),
            unit=unit,
            peer=called,
            peer_value=rounded(peer.median * scale),
            ratio=rounded(ratio),
            ratio_is=ratio_is,
            ratio_iqr=rounded(spread(ratios)),
            n=len(product.seconds),
            median=rounded(product.median * scale),
            iqr=rounded(product.iqr * scale),
            target=str(target) if target else None,
            met=target.met_by(ratio) if target else None,
            note=note,
        )

    def rate(self, name: str, product: float, peer: float, called: str, *, unit: str, n: int) -> Metric:
        """Return a metric of operations a second; its ratio is product ÷ peer."""
        return Metric(
            name, self.size, self.engine, rounded(product), unit, called, rounded(peer), rounded(product / peer),
            "product ÷ peer", n=n, median=rounded(product),
        )  # fmt: skip

    def plain(
        self, name: str, value: float, unit: str, *, target: Target | None = None, n: int = 1, note: str | None = None
    ) -> Metric:
        """Return a metric without a peer, whose value itself is held against the target."""
        return Metric(
            name, self.size, self.engine, rounded(value), unit, n=n, median=rounded(value),
            target=str(target) if target else None, met=target.met_by(value) if target else None, note=note,
        )  # fmt: skip

    def shared(self, name: str, agreeing: int, of: int, called: str) -> Metric:
        """Return a metric of how many answers are those of a peer; all have to be."""
        return Metric(
            name, self.size, self.engine, agreeing, "equal answers", called, of, rounded(agreeing / of),
            "equal ÷ all", n=of, target=str(at_least(1)), met=agreeing == of,
        )  # fmt: skip


def rounded(value: float) -> float:
    """Return a value with four significant digits, which is more than any of them has."""
    return float(f"{value:.4g}")


def line(metric: Metric) -> str:
    """Return a metric as one line of JSON."""
    return orjson.dumps(asdict(metric)).decode()


def record(bench: str, metrics: Iterable[Metric], folder: Path = RESULTS) -> None:
    """Append metrics to the history of a bench, and forget the oldest ones of each metric."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{bench}.json"
    history = [*_history(path), *(asdict(metric) for metric in metrics)]
    kept: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, str], int] = {}
    for entry in reversed(history):
        key = _key(entry)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= _KEPT:
            kept.append(entry)
    lines = ",\n".join(orjson.dumps(entry).decode() for entry in reversed(kept))
    path.write_text(f"[\n{lines}\n]\n", "utf-8")


def _key(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["name"], entry["size"], entry["engine"]


def _history(path: Path) -> list[dict[str, Any]]:
    return list(orjson.loads(path.read_bytes())) if path.is_file() else []


_HEAD = """\
# Results of the benchmarks

Written by `python -m bench`; the newest figure of each metric, size and database. All figures of a line come from one
process window in which product and peer took turns; they are medians, and what counts is the ratio, not the value.
Values in s, ms and µs are CPU time where one thread works, wall time over HTTP. `bench/results` has the spread, the
versions and earlier figures.
"""


def write_table(benches: Sequence[str], folder: Path = RESULTS, table: Path = TABLE) -> None:
    """Write the table of the newest figures of all benches."""
    sections = [_HEAD]
    for bench in benches:
        newest = {
            (entry["name"], entry["size"], entry["engine"]): entry for entry in _history(folder / f"{bench}.json")
        }
        if newest:
            rows = [_row(newest[key]) for key in sorted(newest, key=_order)]
            sections.append("\n".join([f"## {bench}", "", _COLUMNS, "|---|---|---|---|---|---|---|---|", *rows, ""]))
    table.write_text("\n".join(sections), "utf-8")


_COLUMNS = "| metric | size | database | product | peer | ratio | target | machine, commit, day |"


def _order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    name, size, engine = key
    return name, "sml".index(size), engine


def _row(entry: dict[str, Any]) -> str:
    peer = "" if entry["peer"] is None else f"{entry['peer_value']:g} ({entry['peer']})"
    ratio = "" if entry["ratio"] is None else f"{entry['ratio']:g} {entry['ratio_is']}"
    if entry["ratio_iqr"] is not None:
        ratio += f", IQR {entry['ratio_iqr']:g}"
    target = "" if entry["target"] is None else f"{entry['target']} {'met' if entry['met'] else '**missed**'}"
    origin = f"{entry['machine']['fingerprint']}, {entry['git_sha'] or 'no commit'}, {entry['measured'][:10]}"
    value = f"{entry['value']:g} {entry['unit']}"
    return (
        f"| {entry['name']} | {entry['size']} | {entry['engine']} | {value} | {peer} | {ratio} | {target} | {origin} |"
    )
