"""Figures of the benchmarks are computed as their table says, and unsteady ones are not reported."""

from __future__ import annotations

import pytest

from bench import report
from bench.measure import Series, compare, growth
from bench.report import Metric, Refused, Run, at_least, at_most

STEADY = Series((2.0, 2.1, 1.9, 2.0, 2.0, 2.1, 1.9, 2.0))
DOUBLE = Series((4.0, 4.2, 3.8, 4.0, 4.0, 4.2, 3.8, 4.0))
DRIFTING = Series((2.0, 2.0, 2.1, 2.2, 2.3, 2.4, 2.6, 2.6))


def test_growth_is_the_exponent():
    assert growth([(10, 3.0), (100, 30.0), (1000, 300.0)]) == pytest.approx(1)
    assert growth([(10, 5.0), (100, 5.0)]) == pytest.approx(0)
    assert growth([(n, n**0.5) for n in (1, 4, 64)]) == pytest.approx(0.5)


def test_contestants_take_turns():
    turns: list[str] = []

    def contestant(name: str):
        def work() -> int:
            turns.append(name)
            return 1

        return work

    clock = iter(range(10_000))
    series = compare(contestant("a"), contestant("b"), repeats=4, clock=lambda: next(clock))
    assert turns == list("ab" * 5)  # once to warm up
    assert [len(one.seconds) for one in series] == [4, 4]


def test_a_ratio_says_which_way_it_goes():
    cost = Run("s").cost("x", DOUBLE, STEADY, "peer", unit="s", target=at_most(3))
    speedup = Run("s").speedup("x", STEADY, DOUBLE, "peer", unit="ms", target=at_least(3))
    assert isinstance(cost, Metric)
    assert isinstance(speedup, Metric)
    assert (cost.ratio, cost.ratio_is, cost.met, cost.value) == (2, "product ÷ peer", True, 4)
    assert (speedup.ratio, speedup.ratio_is, speedup.met, speedup.value) == (2, "peer ÷ product", False, 2000)


def test_a_figure_beside_an_unsteady_floor_is_refused():
    refused = Run("s").cost("x", STEADY, DRIFTING, "peer", unit="s")
    assert isinstance(refused, Refused)
    assert str(refused) == "x: not reported, the floor drifted by 30% between the first and last quarter"
    assert isinstance(Run("s").cost("x", DRIFTING, STEADY, "peer", unit="s"), Metric)


def test_the_history_keeps_the_newest_and_the_table_shows_the_last(tmp_path):
    for value in range(25):
        report.record("some", [Run("s").plain("x", value, "things", target=at_most(23))], tmp_path)
    report.record("some", [Run("m").plain("x", 7, "things", target=at_most(23))], tmp_path)
    assert (tmp_path / "some.json").read_text("utf-8").count('"size":"s"') == 20
    table = tmp_path / "RESULTS.md"
    report.write_table(["some", "never_run"], tmp_path, table)
    rows = [line for line in table.read_text("utf-8").splitlines() if line.startswith("| x ")]
    assert ["24 things" in rows[0], "7 things" in rows[1]] == [True, True]
    assert ["**missed**" in row for row in rows] == [True, False]


def test_a_figure_names_no_machine():
    import socket

    line = report.line(Run("s").plain("x", 1, "things"))
    assert socket.gethostname() not in line
    assert '"fingerprint"' in line
