"""The texts that are written for Operon and the rules that grade advice, which count beside every release."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from app.data_folder import data_folder
from app.errors import Misconfigured, quoted
from app.formats.pgx import Text
from app.pgx.grades import GradeRules, read_grade_rules
from app.pgx.texts import read_texts

_FILES = ("texts.tsv", "report_labels.tsv")


@cache
def templates() -> tuple[Text, ...]:
    """Return the texts that are written for Operon, in all its languages."""
    folder = data_folder() / "pgx"
    return tuple(text for name in _FILES for text in read_texts((folder / name).read_bytes(), name))


def grade_rules(path: Path | None) -> GradeRules:
    """Return the rules of a site's file, or those that come with the program.

    Raises:
        Misconfigured: the file cannot be read.
        BadFile: a rule of it cannot be used.
    """
    found = path or data_folder() / "pgx" / "grade_rules.tsv"
    try:
        data = found.read_bytes()
    except OSError as error:
        problem = f"OPERON_PGX_GRADE_RULES names {quoted(found)}, which cannot be read ({error.strerror})"
        raise Misconfigured(problem) from error
    return read_grade_rules(data, found.name)
