"""Every setting is in the reference with its default and its sentence, and in the example of an environment file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from tests.house import reference_pages


def test_settings_page_lists_every_setting(root: Path, update_golden: bool) -> None:
    page = root / "docs" / "reference" / "settings.md"
    expected = reference_pages.fill(page, "settings", reference_pages.settings_table())
    reference_pages.check_or_update(page, expected, update=update_golden)


def test_environment_example_lists_every_setting(root: Path, update_golden: bool) -> None:
    reference_pages.check_or_update(root / ".env.example", reference_pages.env_example(), update=update_golden)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_has_one_sentence(name: str) -> None:
    sentence = Settings.model_fields[name].description or ""
    assert sentence.endswith(".")
    assert "\n" not in sentence
