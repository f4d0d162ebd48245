"""Karyotypes and uniparental disomies: findings about a whole genome, kept as words."""

from __future__ import annotations

from collections.abc import Iterator

from app.formats.gel import GenomeFinding
from app.formats.gel_parts import Notes, Record, join

KARYOTYPE = "karyotype"
UNIPARENTAL_DISOMY = "uniparental_disomy"


def read_findings(record: Record, path: str, notes: Notes) -> tuple[GenomeFinding, ...]:
    """Return the karyotypes and uniparental disomies of an interpreted genome."""
    return (*_karyotypes(record, path, notes), *_disomies(record, path, notes))


def _karyotypes(record: Record, path: str, notes: Notes) -> Iterator[GenomeFinding]:
    for one, place in notes.records(record, "karyotypes", path):
        participant = notes.text(one, "participantId", place)
        if not participant:
            notes.warn(join(place, "participantId"), "This field is required.")
            continue
        yield GenomeFinding(KARYOTYPE, participant, _karyotype(one, place, notes))


def _karyotype(record: Record, path: str, notes: Notes) -> str:
    number = notes.whole(record, "numberOfChromosomes", path)
    sex = notes.text(record, "personKaryotipicSex", path)
    parts = [notes.text(record, "iscn", path) or ",".join(str(one) for one in (number, sex) if one)]
    if description := notes.text(record, "description", path):
        parts.append(description)
    for one, place in notes.records(record, "aneuploidies", path):
        copies = notes.whole(one, "numberOfCopies", place)
        chromosome = notes.text(one, "chromosome", place)
        words = notes.text(one, "iscn", place) or f"{copies} copies of chromosome {chromosome}"
        part = "" if one.get("complete") is True else _stretch(one, place, notes)
        parts.append(f"{words}{part}")
    return "; ".join(one for one in parts if one)


def _disomies(record: Record, path: str, notes: Notes) -> Iterator[GenomeFinding]:
    for one, place in notes.records(record, "uniparentalDisomies", path):
        participant = notes.text(one, "participantId", place)
        if not participant:
            notes.warn(join(place, "participantId"), "This field is required.")
            continue
        words = [f"chromosome {notes.text(one, 'chromosome', place)}", notes.text(one, "origin", place)]
        if one.get("complete") is True:
            words.append("complete")
        for part, at in notes.records(one, "uniparentalDisomyFragments", place):
            words.append(notes.text(part, "uniparentalDisomyType", at) + _stretch(part, at, notes))
        yield GenomeFinding(UNIPARENTAL_DISOMY, participant, ", ".join(word for word in words if word))


def _stretch(record: Record, path: str, notes: Notes) -> str:
    """Return `` (15:100-200)``, one-based as in the document; nothing without coordinates."""
    found = notes.record(record, "coordinates", path)
    if not found:
        return ""
    place = join(path, "coordinates")
    start, end = notes.whole(found, "start", place), notes.whole(found, "end", place)
    return f" ({notes.text(found, 'chromosome', place)}:{start}-{end})"
