"""ClinGen's dosage sensitivity: ``ClinGen_region_curation_list_GRCh38.tsv``, ``ClinGen_gene_curation_list_GRCh38.tsv``.

https://www.ncbi.nlm.nih.gov/projects/dbvar/clingen/. Only score 3, sufficient evidence, says something about a patient:
that fewer than two copies (haploinsufficiency) or more than two (triplosensitivity) are pathogenic. Lists of both
builds may be given together; a region then has its place on both. A gene is meant by its symbol, so it needs no place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects, Rule
from app.formats.knowledge_phrases import MONDO
from app.formats.named_rows import NamedRow, NamedRows
from app.records import Build
from app.variants.accessions import contig_named, length

SYSTEM = "https://search.clinicalgenome.org/kb/gene-dosage"
LESS = "less than sufficient evidence"
RECESSIVE = "autosomal recessive phenotype"
UNLIKELY = "dosage sensitivity unlikely"
NOT_EVALUATED = "not yet evaluated"
UNKNOWN_SCORE = "unknown score"
NO_REGION = "no region"
CONTRADICTION = "another chromosome on the other build"

_ENOUGH = "3"
_CAUSES = {
    "0": LESS,
    "1": LESS,
    "2": LESS,
    "30": RECESSIVE,
    "40": UNLIKELY,
    "": NOT_EVALUATED,
    "-1": NOT_EVALUATED,
    "not yet evaluated": NOT_EVALUATED,
}
_COLUMNS = ("haploinsufficiency score", "triplosensitivity score")
_REGION_COLUMN, _GENE_COLUMN = "isca id", "gene symbol"
_BUILD = re.compile(r"#Genomic Locations are reported on (GRCh3[78])\b")
_DATE = re.compile(r"#[0-9]{1,2} [A-Z][a-z]{2},[0-9]{4}")
_PLACE = re.compile(r"(?P<contig>chr[0-9XYM]{1,2}):(?P<start>[0-9]{1,10})-(?P<end>[0-9]{1,10})")
_DISEASE = re.compile(r"MONDO:[0-9]{7}")


@dataclass(frozen=True, slots=True)
class _Sensitivity:
    name: str
    changes: tuple[str, ...]
    at_least: int | None = None
    at_most: int | None = None


_SENSITIVITIES = (
    _Sensitivity("Haploinsufficiency", ("DEL", "CNV"), at_most=1),
    _Sensitivity("Triplosensitivity", ("DUP", "CNV"), at_least=3),
)


@dataclass(slots=True)
class _Curation:
    """What one list or two say about a region or gene."""

    row: NamedRow
    sensitivity: _Sensitivity
    places: dict[Build, tuple[int, int, int]] = field(default_factory=dict)


def read_dosage(lists: Sequence[tuple[BinaryIO, str]], rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
    """Yield an item for each region or gene that is known to be sensitive, from lists that are given with their names.

    Raises:
        BadFile: a list does not say its build, or lists of two builds are of different days.
        LimitExceeded: a cap of the settings is exceeded.
    """
    dates: dict[str, str] = {}
    curations: dict[tuple[str, str], _Curation] = {}
    for stream, name in lists:
        rows = NamedRows(stream, name, rejects, settings, required=_COLUMNS, headers=(_REGION_COLUMN, _GENE_COLUMN))
        key = _REGION_COLUMN if _REGION_COLUMN in rows.places else _GENE_COLUMN
        build = _stated_build(rows, name)
        _check_date(dates.setdefault(key, _date(rows)), _date(rows), name)
        for row in rows:
            for sensitivity in _SENSITIVITIES:
                _add(curations, row, key, sensitivity, build=build, name=name, rejects=rejects)
    for (identifier, _), curation in curations.items():
        yield _item(identifier, curation)


def _stated_build(rows: NamedRows, name: str) -> Build:
    for comment in rows.comments:
        match = _BUILD.match(comment)
        if match is not None:
            return Build(match[1])
    raise BadFile(
        name,
        "it does not say which build its locations are on",
        line_1based=rows.header_1based,
        field="Genomic Locations",
        mend="Take the list as ClinGen offers it, with the lines that begin with #",
    )


def _date(rows: NamedRows) -> str:
    return next((comment.removeprefix("#") for comment in rows.comments if _DATE.fullmatch(comment.strip())), "")


def _check_date(first: str, date: str, name: str) -> None:
    if first != date:
        raise BadFile(
            name,
            f"it is of {quoted(date) or 'no day'}, the list before it of {quoted(first) or 'no day'}",
            mend="Give lists of the same day",
        )


def _add(
    curations: dict[tuple[str, str], _Curation],
    row: NamedRow,
    key: str,
    sensitivity: _Sensitivity,
    *,
    build: Build,
    name: str,
    rejects: Rejects,
) -> None:
    """Take what a row says about one kind of sensitivity, or note why it says nothing."""
    column = f"{sensitivity.name} Score"
    score = row.text(column.lower())
    if score != _ENOUGH:
        cause = _CAUSES.get(score.lower(), UNKNOWN_SCORE)
        rejects.add(name, row.line_1based, column, cause, quoted(score) if cause is UNKNOWN_SCORE else "")
        return
    identifier = row.text(key)
    place = _place(row, build) if key == _REGION_COLUMN else None
    if not identifier or (key == _REGION_COLUMN and place is None):
        where = row.text("genomic location")
        rejects.add(name, row.line_1based, "Genomic Location", NO_REGION, quoted(where))
        return
    curation = curations.setdefault((identifier, sensitivity.name), _Curation(row, sensitivity))
    if place is not None:
        if any(contig != place[0] for contig, _, _ in curation.places.values()):
            rejects.add(name, row.line_1based, "Genomic Location", CONTRADICTION, quoted(identifier))
            return
        curation.places[build] = place


def _place(row: NamedRow, build: Build) -> tuple[int, int, int] | None:
    """Return contig, start and end of the location, which is one-based and closed in the file."""
    match = _PLACE.fullmatch(row.text("genomic location").replace(" ", ""))
    contig = contig_named(match["contig"], build) if match else None
    if match is None or contig is None:
        return None
    start, end = int(match["start"]) - 1, int(match["end"])
    return (contig, start, end) if 0 <= start < end <= length(build, contig) else None


def _item(identifier: str, curation: _Curation) -> KnowledgeItem:
    row, sensitivity = curation.row, curation.sensitivity
    word = sensitivity.name.lower()
    gene = row.text(_GENE_COLUMN)
    regions = ((37 if build is Build.GRCH37 else 38, *place) for build, place in sorted(curation.places.items()))
    return KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        f"{identifier} {word}",
        rule=Rule(
            gene,
            tuple(regions),
            sensitivity.changes,
            copies_at_least=sensitivity.at_least,
            copies_at_most=sensitivity.at_most,
        ),
        identifiers=((SYSTEM, identifier),),
        statement=Concept("", "", row.text(f"{word} description") or "Sufficient evidence for dosage pathogenicity"),
        evidence=f"ClinGen {word} score {_ENOUGH}",
        conditions=_disease(row, word),
        gene=gene,
        note=row.text("isca region name"),
    )


def _disease(row: NamedRow, word: str) -> tuple[Concept, ...]:
    code = row.text(f"{word} disease id")
    return (Concept(MONDO, code, row.text(f"{word} disease name")),) if _DISEASE.fullmatch(code) else ()
