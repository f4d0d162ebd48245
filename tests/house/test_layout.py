"""What a newcomer and a packager rely on: a short README, a changelog, known origins of data, live links."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA_FILES = sorted(path for path in (ROOT / "data").rglob("*") if path.is_file() and path.name != "SOURCES.md")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").rglob("*.md")])


def recorded_sources() -> dict[str, str]:
    """Return the row of ``data/SOURCES.md`` for each file that has one."""
    rows = (ROOT / "data" / "SOURCES.md").read_text("utf-8").splitlines()
    return {match[1]: row for row in rows if (match := re.match(r"\| *`?([^`|]+?)`? *\|.*[0-9a-f]{64}", row))}


def test_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_readme_starts_with_the_two_commands() -> None:
    opening = (ROOT / "README.md").read_text("utf-8").splitlines()[:15]
    assert [command for command in ("make demo", "make test") if any(command in line for line in opening)] == [
        "make demo",
        "make test",
    ]


def test_changelog_collects_what_is_unreleased() -> None:
    assert re.search(r"^## \[?Unreleased\]?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: path.name)
def test_data_file_has_a_source_with_its_checksum(path: Path) -> None:
    row = recorded_sources().get(str(path.relative_to(ROOT / "data")), "no row")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in row


@pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: path.name)
def test_data_file_is_small(path: Path) -> None:
    assert path.stat().st_size <= 1_500_000


def test_every_recorded_source_is_a_file() -> None:
    assert [name for name in recorded_sources() if not (ROOT / "data" / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:app|ingest|migrations|tests|bench)/[\w/]+\.py)`", page.read_text("utf-8"))
    assert [module for module in named if not (ROOT / module).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []
