"""Every error that Operon raises on purpose is in the reference with its codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import OperonError
from tests.house import reference_pages


def test_errors_page_lists_every_error(root: Path, update_golden: bool) -> None:
    page = root / "docs" / "reference" / "errors.md"
    expected = reference_pages.fill(page, "errors", reference_pages.errors_table())
    reference_pages.check_or_update(page, expected, update=update_golden)


@pytest.mark.parametrize("error", reference_pages.error_classes(), ids=lambda error: error.__name__)
def test_error_says_when_it_is_raised(error: type[OperonError]) -> None:
    assert error.__doc__ is not None
    assert error.__doc__ != OperonError.__doc__ or error is OperonError


def test_no_error_lives_outside_the_tree() -> None:
    outside = [error for error in all_subclasses(OperonError) if error.__module__ != "app.errors"]
    assert outside == []


def all_subclasses(base: type[OperonError]) -> set[type[OperonError]]:
    direct = set(base.__subclasses__())
    return direct.union(*(all_subclasses(error) for error in direct))
