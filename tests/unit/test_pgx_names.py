"""Tests of the order of the names of a diplotype."""

from __future__ import annotations

import pytest

from app.formats.pgx_names import diplotype_key, name_order


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("*10", "*2", "*2/*10"),
        ("*1", "*1", "*1/*1"),
        ("*80+*28", "*28", "*28/*80+*28"),
        ("*3A", "*1", "*1/*3A"),
        ("*36+*10", "*10", "*10/*36+*10"),
        ("*2x2", "*71", "*2x2/*71"),
        ("c.1905+1G>A (*2A)", "Reference", "Reference/c.1905+1G>A (*2A)"),
        ("A- 202A_376G", "B (reference)", "B (reference)/A- 202A_376G"),
        ("rs9923231 variant (T)", "rs9923231 reference (C)", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("E56K", "ivacaftor non-responsive CFTR sequence", "ivacaftor non-responsive CFTR sequence/E56K"),
    ],
)
def test_a_diplotype_has_one_key_in_either_order(first: str, second: str, key: str) -> None:
    assert diplotype_key(first, second) == diplotype_key(second, first) == key


def test_one_copy_is_written_alone() -> None:
    assert diplotype_key("m.1555A>G") == "m.1555A>G"


def test_stars_are_sorted_as_numbers() -> None:
    assert sorted(["*10", "*2", "*1", "*3C", "*3A"], key=name_order) == ["*1", "*2", "*3A", "*3C", "*10"]
