"""Render the parts of the documentation that are read out of the code: settings and errors.

``make test ARGS='tests/house --update-golden'`` writes them anew; without the flag the tests compare.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from app import errors
from app.config import Settings

_ENV_HEADER = """\
# Every setting of Operon with its default; docs/reference/settings.md has the same list as a table.
# Copy to .env and remove the "#" from what you change. Operon itself reads only environment variables:
#   set -a; . ./.env; set +a; operon serve          or          docker compose up   (compose.yaml reads .env)
"""


def settings_rows() -> Iterator[tuple[str, str, str]]:
    """Yield variable, default and meaning of each setting, in the order of the class."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        yield f"OPERON_{name.upper()}", default, field.description or ""


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variable, default, meaning in settings_rows():
        lines.append(f"| `{variable}` | {f'`{default}`' if default else 'unset'} | {meaning} |")
    return "\n".join(lines)


def env_example() -> str:
    """Return the text of ``.env.example``."""
    return _ENV_HEADER + "".join(f"\n# {meaning}\n# {name}={default}\n" for name, default, meaning in settings_rows())


def error_classes() -> list[type[errors.OperonError]]:
    """Return every class of the tree of errors, in the order of the module."""
    return [
        member for member in vars(errors).values() if inspect.isclass(member) and issubclass(member, errors.OperonError)
    ]


def errors_table() -> str:
    """Return the errors as a Markdown table."""
    lines = ["| error | HTTP | FHIR issue | phrase | exit code | when |", "|---|---|---|---|---|---|"]
    for error in error_classes():
        meaning = inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        lines.append(
            f"| `{error.__name__}` | {error.status} | `{error.code}` | {error.phrase} | {error.exit_code} | {meaning} |"
        )
    return "\n".join(lines)


def fill(page: Path, name: str, table: str) -> str:
    """Return a page with the table between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    text = page.read_text("utf-8")
    filled, count = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
        lambda match: f"{match[1]}{table}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise AssertionError(f"{page.name} has no place for the table of {name}")
    return filled


def check_or_update(page: Path, expected: str, *, update: bool) -> None:
    """Compare a page with what the code says, or write it."""
    if update:
        page.write_text(expected, "utf-8")
    hint = f"{page.name} is out of date: make test ARGS='tests/house --update-golden'"
    assert page.read_text("utf-8") == expected, hint
