"""MedGen's tables: ``MedGenIDMappings.txt``, ``MGCONSO.RRF`` and ``MGREL.RRF``, cells that each end in a bar.

https://ftp.ncbi.nlm.nih.gov/pub/medgen/README.txt. A concept holds the codes of other vocabularies that mean the same.
A code in several concepts is only related to each. MGREL reads from the second concept to the first, as MRREL of UMLS
does (https://www.ncbi.nlm.nih.gov/books/NBK9685/): with RELA ``isa`` the second is a kind of the first; rows whose REL
says the contrary are left out. The kind of a file is told by the names of its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.formats.code_systems import HPO, ICD_10, ICD_10_CM, MEDGEN, MONDO, NCIT, SNOMED, Coded, canonical_code
from app.formats.terminology import Equivalence, IsA, Named, Notes, Statement, TermText, both_ways

# Only whole names count: "OMIM included" and its like are not the same concept.
_SOURCES = {
    "SNOMEDCT_US": SNOMED,
    "MONDO": MONDO,
    "HPO": HPO,
    "NCI": NCIT,
    "ICD10": ICD_10,
    "ICD10CM": ICD_10_CM,
    "MedGen": MEDGEN,
}


class _Table:
    """A table of one file, its columns by name."""

    def __init__(self, text: TermText) -> None:
        self.text = text
        self.columns = [name.strip() for name in text.first_line().removeprefix("#").split("|")]

    def has(self, *names: str) -> bool:
        return set(names) <= set(self.columns)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        for line_1based, line in self.text.lines():
            if line_1based > 1 and line:
                cells = self.text.cells(line, line_1based, "|", len(self.columns))
                yield line_1based, dict(zip(self.columns, cells, strict=True))


def read_medgen(texts: Sequence[TermText], notes: Notes) -> Iterator[Statement]:
    """Yield the names, maps and is-a relations of some of the tables.

    Raises:
        BadFile: a file is none of them, or a row has another number of columns.
    """
    concepts = _Concepts(notes)
    related: set[tuple[str, str]] = set()
    for text in texts:
        table = _Table(text)
        if table.has("pref_name", "source_id", "source"):
            yield from _mappings(table, concepts)
        elif table.has("CUI", "SAB", "CODE", "STR", "SUPPRESS"):
            yield from _atoms(table, concepts, notes)
        elif table.has("CUI1", "REL", "CUI2", "RELA", "SUPPRESS"):
            yield from _relations(table, related, notes)
        else:
            text.refuse_kind("table of MedGen (MedGenIDMappings.txt, MGCONSO.RRF or MGREL.RRF)")
    yield from concepts.maps()


class _Concepts:
    """The concepts that hold each code of another vocabulary, and the names of concepts."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._holding: dict[Coded, dict[str, None]] = {}
        self._names: dict[Coded, str] = {}

    def name(self, cui: str, name: str) -> Iterator[Statement]:
        """Yield the name of a concept that has none yet."""
        if name and (MEDGEN, cui) not in self._names:
            self._names[MEDGEN, cui] = name
            yield Named(MEDGEN, cui, name)

    def claim(self, table: _Table, line_1based: int, source: str, code: str, cui: str) -> None:
        """Note that a concept holds a code."""
        system = _SOURCES.get(source)
        if system is None:
            self._notes.left_out["codes of other systems"] += 1
            return
        coded = (system, canonical_code(system, table.text.code(code, line_1based, f"code of {source}")))
        if coded != (MEDGEN, cui):
            self._holding.setdefault(coded, {})[cui] = None
            table.text.check_held(len(self._holding))

    def maps(self) -> Iterator[Statement]:
        """Yield the maps, both ways."""
        for code, cuis in self._holding.items():
            equivalence = Equivalence.EQUIVALENT if len(cuis) == 1 else Equivalence.RELATED
            for cui in cuis:
                yield from both_ways(code, (MEDGEN, cui), equivalence, self._names)


def _mappings(table: _Table, concepts: _Concepts) -> Iterator[Statement]:
    of_concept = table.columns[0]  # CUI or, in other releases, CUI_or_CN_id
    for line_1based, row in table.rows():
        cui = table.text.code(row[of_concept], line_1based, of_concept)
        yield from concepts.name(cui, table.text.display(row["pref_name"], line_1based, "pref_name"))
        concepts.claim(table, line_1based, row["source"], row["source_id"], cui)


def _atoms(table: _Table, concepts: _Concepts, notes: Notes) -> Iterator[Statement]:
    for line_1based, row in table.rows():
        if row["SUPPRESS"] != "N":
            notes.left_out["suppressed rows"] += 1
            continue
        cui = table.text.code(row["CUI"], line_1based, "CUI")
        # The preferred term (TS) in its preferred form (STT), once a concept.
        if (row.get("TS", "P"), row.get("STT", "PF"), row.get("ISPREF", "Y")) == ("P", "PF", "Y"):
            yield from concepts.name(cui, table.text.display(row["STR"], line_1based, "STR"))
        if row["CODE"] not in ("", "NOCODE"):
            concepts.claim(table, line_1based, row["SAB"], row["CODE"], cui)


def _relations(table: _Table, related: set[tuple[str, str]], notes: Notes) -> Iterator[Statement]:
    for line_1based, row in table.rows():
        first, second = row["CUI1"], row["CUI2"]
        if row["SUPPRESS"] != "N":
            notes.left_out["suppressed rows"] += 1
            continue
        if row["RELA"] == "isa" and row["REL"] in ("CHD", "RN"):
            pair = (second, first)
        elif row["RELA"] == "inverse_isa" and row["REL"] in ("PAR", "RB"):
            pair = (first, second)
        else:
            notes.left_out["relations other than is-a"] += 1
            continue
        child, parent = (table.text.code(cui, line_1based, "CUI1, CUI2") for cui in pair)
        if child != parent and pair not in related:
            related.add(pair)
            table.text.check_held(len(related))
            yield IsA(MEDGEN, child, parent)
