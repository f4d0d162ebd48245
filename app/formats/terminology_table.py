"""Operon's own table of maps, for what no public file has: tabs separate, the first line names the columns.

``source_system``, ``source_code``, ``target_system``, ``target_code``, ``target_display`` and, if wanted,
``equivalence``, one of FHIR's or ``ingredient``; where it is empty the target means the same. A map leads one way only.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.errors import quoted
from app.formats.terminology import CodeMap, Equivalence, Notes, Statement, TermText

_NEEDED = ("source_system", "source_code", "target_system", "target_code", "target_display")
_OPTIONAL = ("equivalence",)


def read_map(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield the maps of a table.

    Raises:
        BadFile: it is no such table, or a cell of it cannot be used.
    """
    del notes
    columns: list[str] = []
    for line_1based, line in text.lines():
        if not line.strip():
            continue
        if not columns:
            columns = [name.strip().lower() for name in line.split("\t")]
            for name in (*_NEEDED, *_OPTIONAL):
                if columns.count(name) > 1 or (name in _NEEDED and name not in columns):
                    problem = "the column is there twice" if name in columns else "the column is missing"
                    text.refuse(problem, line_1based, name, f"The header needs {', '.join(_NEEDED)}, separated by tabs")
            continue
        row = dict(zip(columns, text.cells(line, line_1based, "\t", len(columns)), strict=True))
        yield CodeMap(
            (
                text.system(row["source_system"], line_1based, "source_system"),
                text.code(row["source_code"], line_1based, "source_code"),
            ),
            (
                text.system(row["target_system"], line_1based, "target_system"),
                text.code(row["target_code"], line_1based, "target_code"),
            ),
            _equivalence(text, row.get("equivalence", "").strip().lower(), line_1based),
            text.display(row["target_display"], line_1based, "target_display"),
        )
    if not columns:
        text.refuse("there is no header", 1, mend=f"Begin with {', '.join(_NEEDED)}, separated by tabs")


def _equivalence(text: TermText, word: str, line_1based: int) -> Equivalence:
    if not word:
        return Equivalence.EQUIVALENT
    if word not in tuple(Equivalence):
        text.refuse(f"{quoted(word)} is none", line_1based, "equivalence", f"Use one of {', '.join(Equivalence)}")
    return Equivalence(word)
