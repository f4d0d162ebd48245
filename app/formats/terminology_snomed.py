"""SNOMED CT as RF2 snapshot files: Concept, Description, Relationship and the extended map to ICD-10 or ICD-10-CM.

https://confluence.ihtsdotools.org/display/DOCRELFMT. Of Relationship the active is-a (116680003) are read, of
Description the fully specified names in English. The extended map files concepts under classes of ICD: a concept lies
within its class, which is the wider of the two, where the map is unconditional, proper and the only one; all else that
is mapped is related, unless the correlation says more. The kind of a file is told by the names of its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.formats.code_systems import ICD_10, ICD_10_CM, SNOMED, canonical_code
from app.formats.terminology import Equivalence, IsA, Named, Notes, Statement, TermText, both_ways

_IS_A = "116680003"
_FULL_NAME = "900000000000003001"
_REFERENCE_SETS = {"447562003": ICD_10, "6011000124106": ICD_10_CM}
_CORRELATIONS = {
    "447557004": Equivalence.EQUIVALENT,
    "447558009": Equivalence.WIDER,
    "447559001": Equivalence.NARROWER,
    "447560006": Equivalence.INEXACT,
}
_PROPERLY_CLASSIFIED = "447637006"
_ORDER = ("concept", "description", "relationship", "map")
_COLUMNS = {
    "concept": ("id", "active", "definitionStatusId"),
    "description": ("active", "conceptId", "languageCode", "typeId", "term"),
    "relationship": ("active", "sourceId", "destinationId", "typeId"),
    "map": (
        *("active", "refsetId", "referencedComponentId", "mapGroup", "mapPriority", "mapRule", "mapTarget"),
        *("correlationId", "mapCategoryId"),
    ),
}


def read_snomed(texts: Sequence[TermText], notes: Notes) -> Iterator[Statement]:
    """Yield the names, is-a relations and maps of some snapshot files.

    Raises:
        BadFile: a file is none of them, or no snapshot.
    """
    by_kind: dict[str, list[TermText]] = {kind: [] for kind in _ORDER}
    for text in texts:
        by_kind[_kind(text)].append(text)
    active: set[str] = set()
    for text in by_kind["concept"]:
        for line_1based, row in _active_rows(text):
            active.add(_id(text, row, line_1based, "id"))
            text.check_held(len(active))
    inactive = "rows of concepts that are not active"
    for text in by_kind["description"]:
        for line_1based, row in _active_rows(text):
            concept = _id(text, row, line_1based, "conceptId")
            if row["typeId"] == _FULL_NAME and row["languageCode"] == "en":
                if active and concept not in active:
                    notes.left_out[inactive] += 1
                else:
                    yield Named(SNOMED, concept, text.display(row["term"], line_1based, "term"))
    for text in by_kind["relationship"]:
        for line_1based, row in _active_rows(text):
            if row["typeId"] != _IS_A:
                notes.left_out["relations other than is-a"] += 1
                continue
            child, parent = (_id(text, row, line_1based, end) for end in ("sourceId", "destinationId"))
            if active and not {child, parent} <= active:
                notes.left_out[inactive] += 1
            else:
                yield IsA(SNOMED, child, parent)
    for text in by_kind["map"]:
        yield from _maps(text, active, notes)


def _kind(text: TermText) -> str:
    columns = set(text.first_line().split("\t"))
    kind = next((kind for kind in reversed(_ORDER) if set(_COLUMNS[kind]) <= columns), None)
    if kind is None:
        text.refuse_kind("RF2 file (Concept, Description, Relationship or ExtendedMap)")
    if "Full" in text.name or "Delta" in text.name:
        text.refuse("it has the history, or a part of it", 1, mend="Give the file of the Snapshot folder")
    return kind


def _active_rows(text: TermText) -> Iterator[tuple[int, dict[str, str]]]:
    columns = text.first_line().split("\t")
    for line_1based, line in text.lines():
        if line_1based == 1 or not line:
            continue
        row = dict(zip(columns, text.cells(line, line_1based, "\t", len(columns)), strict=True))
        if row["active"] not in ("0", "1"):
            text.refuse(f"{row['active']!r} is neither 0 nor 1", line_1based, "active", "Copy the file again")
        if row["active"] == "1":
            yield line_1based, row


def _id(text: TermText, row: dict[str, str], line_1based: int, column: str) -> str:
    value = row[column]
    if not (value.isascii() and value.isdigit() and 6 <= len(value) <= 18):
        text.refuse(f"{value[:40]!r} is no SNOMED CT identifier", line_1based, column, "Copy the file again")
    return value


def _maps(text: TermText, active: set[str], notes: Notes) -> Iterator[Statement]:
    rows: dict[tuple[str, str], list[tuple[str, str, str, str]]] = {}
    held = 0
    for line_1based, row in _active_rows(text):
        system = _REFERENCE_SETS.get(row["refsetId"])
        concept = _id(text, row, line_1based, "referencedComponentId")
        if system is None:
            notes.left_out["maps of other reference sets"] += 1
        elif active and concept not in active:
            notes.left_out["rows of concepts that are not active"] += 1
        else:
            target = row["mapTarget"].strip() and text.code(row["mapTarget"], line_1based, "mapTarget")
            listed = rows.setdefault((concept, system), [])
            listed.append((target, row["mapRule"].strip(), row["correlationId"], row["mapCategoryId"]))
            held += 1
            text.check_held(held)
    for (concept, system), listed in rows.items():
        for target, rule, correlation, category in listed:
            if not target:
                notes.left_out["maps without a target"] += 1
                continue
            is_only = len(listed) == 1 and rule == "TRUE" and category == _PROPERLY_CLASSIFIED
            equivalence = Equivalence.RELATED
            if is_only:
                equivalence = _CORRELATIONS.get(correlation, Equivalence.WIDER)
            elif len(listed) == 1 and rule == "TRUE":
                equivalence = _CORRELATIONS.get(correlation, Equivalence.RELATED)
            yield from both_ways((SNOMED, concept), (system, canonical_code(system, target)), equivalence, {})
