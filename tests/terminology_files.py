"""The small terminology files in ``tests/data/terminology``, all made up, and what their readers say."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.config import Settings
from app.formats.terminology import CodeMap, IsA, Named, Notes, Statement, TermText

FOLDER = Path(__file__).parent / "data" / "terminology"
FILES: dict[str, tuple[str, ...]] = {
    "obo": ("doid.obo",),
    "sssom": ("mondo.sssom.tsv",),
    "medgen": ("MedGenIDMappings.txt", "MGCONSO.RRF", "MGREL.RRF"),
    "snomed": (
        "der2_iisssccRefset_ExtendedMapSnapshot_INT_20240101.txt",
        "sct2_Relationship_Snapshot_INT_20240101.txt",
        "sct2_Description_Snapshot-en_INT_20240101.txt",
        "sct2_Concept_Snapshot_INT_20240101.txt",
    ),
    "icd-10-cm": ("icd10cm-order-2024.txt",),
    "rxnorm": ("RXNREL.RRF", "RXNCONSO.RRF"),
    "conceptmap": ("conceptmap.json",),
    "codesystem": ("codesystem.json",),
    "map": ("map.tsv",),
}


class Said:
    """Everything that a reader said about some texts."""

    def __init__(self, statements: Iterator[Statement], notes: Notes) -> None:
        self.statements = list(statements)
        self.version = notes.version
        self.left_out = dict(notes.left_out)

    @property
    def maps(self) -> dict[tuple[str, str], str]:
        """Return the equivalence of each pair of codes."""
        found: dict[tuple[str, str], str] = {}
        for one in self.statements:
            if isinstance(one, CodeMap):
                pair = (one.source[1], one.target[1])
                assert pair not in found, pair
                found[pair] = one.equivalence.value
        return found

    @property
    def displays(self) -> dict[tuple[str, str], str]:
        """Return the name of the target of each pair of codes that has one."""
        maps = [one for one in self.statements if isinstance(one, CodeMap)]
        return {(one.source[1], one.target[1]): one.display for one in maps if one.display}

    @property
    def parents(self) -> set[tuple[str, str]]:
        """Return child and parent of each relation."""
        return {(one.child, one.parent) for one in self.statements if isinstance(one, IsA)}

    @property
    def names(self) -> dict[str, str]:
        """Return the name of each code."""
        return {one.code: one.display for one in self.statements if isinstance(one, Named)}

    @property
    def systems(self) -> set[str]:
        """Return the systems of the named and related codes."""
        return {one.system for one in self.statements if isinstance(one, IsA | Named)}


def text_of(content: str | bytes, name: str = "x.txt", **settings: Any) -> TermText:
    """Return the text of a file."""
    data = content.encode() if isinstance(content, str) else content
    return TermText(io.BytesIO(data), name, Settings(**settings))


def file_text(name: str, change: Callable[[str], str] = lambda text: text) -> TermText:
    """Return the text of one of the files, changed."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return text_of(change(file.read()), name)


def said(read: Callable[..., Iterator[Statement]], texts: Any) -> Said:
    """Return what a reader says."""
    notes = Notes()
    statements = list(read(texts, notes))
    return Said(iter(statements), notes)
