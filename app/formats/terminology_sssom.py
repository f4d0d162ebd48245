"""Mappings between ontologies as SSSOM tables (``mondo.sssom.tsv``), https://mapping-commons.github.io/sssom/.

``skos:exactMatch`` is the same; ``skos:broadMatch`` says that the object is the broader one, ``skos:narrowMatch`` that
it is the narrower one, and each is kept in both directions as what it is there: a question in the broader code reaches
the narrower one, never the other way round. Close and related matches are kept, and no question uses them.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.formats.code_systems import Coded, from_curie
from app.formats.terminology import Equivalence, Named, Notes, Statement, TermText, both_ways, maps_of_terms

_NEEDED = ("subject_id", "predicate_id", "object_id")
_PREDICATES = {
    "skos:exactMatch": Equivalence.EQUIVALENT,
    "owl:equivalentClass": Equivalence.EQUIVALENT,
    "skos:broadMatch": Equivalence.WIDER,
    "skos:narrowMatch": Equivalence.NARROWER,
    "skos:closeMatch": Equivalence.INEXACT,
    "skos:relatedMatch": Equivalence.RELATED,
    "oboInOwl:hasDbXref": Equivalence.RELATED,
}


def read_sssom(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield the maps of a table.

    Raises:
        BadFile: it is no such table, or a row of it has another number of columns.
    """
    columns: list[str] = []
    same: dict[Coded, list[Coded]] = {}
    names: dict[Coded, str] = {}
    held = 0
    for line_1based, line in text.lines():
        if line.startswith("#"):
            if line.startswith("#mapping_set_version:") or line.startswith("# mapping_set_version:"):
                notes.version = line.partition(":")[2].strip().strip("\"'")
            continue
        if not columns:
            columns = line.split("\t")
            for name in _NEEDED:
                if name not in columns:
                    text.refuse("the column is missing", line_1based, name, "Give an SSSOM table, separated by tabs")
            continue
        if not line.strip():
            continue
        row = dict(zip(columns, text.cells(line, line_1based, "\t", len(columns)), strict=True))
        equivalence = _PREDICATES.get(row["predicate_id"])
        one, other = from_curie(row["subject_id"]), from_curie(row["object_id"])
        if row.get("predicate_modifier"):
            notes.left_out["mappings that are denied"] += 1
        elif one is None or other is None:
            notes.left_out["mappings of other systems"] += 1
        elif equivalence is None:
            notes.left_out["mappings with other predicates"] += 1
        else:
            text.code(one[1], line_1based, "subject_id")
            text.code(other[1], line_1based, "object_id")
            for code, label in ((one, row.get("subject_label")), (other, row.get("object_label"))):
                if label and code not in names:
                    names[code] = text.display(label, line_1based, "subject_label, object_label")
                    yield Named(*code, names[code])
            if equivalence is Equivalence.EQUIVALENT:
                same.setdefault(one, []).append(other)
                held += 1
                text.check_held(held)
                text.check_codes(same[one], line_1based)
            else:
                yield from both_ways(one, other, equivalence, names)
    if not columns:
        text.refuse("there is no header", 1, mend=f"The header needs {', '.join(_NEEDED)}")
    yield from maps_of_terms(same, names, are_curated=True)
