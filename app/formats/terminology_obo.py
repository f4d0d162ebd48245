r"""Ontologies as OBO files: the Disease Ontology (``doid.obo``), MONDO (``mondo.obo``) and HPO (``hp.obo``).

https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html. Of each term that is not obsolete: its name, ``is_a``
and the ``xref`` to systems that questions are asked in. MONDO says in a qualifier which cross-references are the same
(``{source="MONDO:equivalentTo"}``) and only these are read; the others say nothing of the kind.

Of an OBO file this needs five tags a term. pronto (MIT) is well kept, but reads everything, holds the whole ontology as
objects and brings a compiled parser, networkx and two more packages, so these few lines are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.errors import quoted
from app.formats.code_systems import DISEASE_ONTOLOGY, HPO, MONDO, Coded, canonical_code, from_curie
from app.formats.terminology import IsA, Named, Notes, Statement, TermText, maps_of_terms

_ONTOLOGIES = {"doid": ("DOID", DISEASE_ONTOLOGY), "mondo": ("MONDO", MONDO), "hp": ("HP", HPO)}
_SAME = "MONDO:equivalentTo"
_TAG = re.compile(r"([A-Za-z_-]+):\s*(.*)")
_SOURCE = re.compile(r'source="((?:[^"\\]|\\.)*)"')
_QUALIFIERS = re.compile(r"\s*\{[A-Za-z_]\w*=\"[^{}]*\"\}\s*\Z")
_ESCAPED = re.compile(r"\\(.)")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.-]*")


class _Term:
    """One stanza while it is read."""

    def __init__(self, line_1based: int) -> None:
        self.line_1based = line_1based
        self.id = ""
        self.name = ""
        self.parents: list[tuple[int, str]] = []
        self.xrefs: list[Coded] = []
        self.is_obsolete = False


def read_obo(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield what an ontology says.

    Raises:
        BadFile: it is no OBO file, not one of these ontologies, or a term of it has no identifier.
    """
    if not text.first_line().startswith("format-version:"):
        text.refuse_kind("OBO file (it begins with format-version:)")
    yield from _Ontology(text, notes).statements()


class _Ontology:
    """One file while it is read."""

    def __init__(self, text: TermText, notes: Notes) -> None:
        self._text = text
        self._notes = notes
        self._prefix = ""
        self._system = ""
        self._same: dict[Coded, list[Coded]] = {}
        self._names: dict[Coded, str] = {}

    def statements(self) -> Iterator[Statement]:
        term: _Term | None = None
        in_header = True
        line_1based = 0
        for line_1based, line in self._text.lines():
            if line.startswith("["):
                if not self._system:
                    mend = f"The ontologies are {', '.join(_ONTOLOGIES)}"
                    self._text.refuse("the header names no ontology", line_1based, "ontology", mend)
                in_header = False
                yield from self._finished(term)
                term = _Term(line_1based) if line.strip() == "[Term]" else None
                continue
            match = _TAG.match(line)
            if match is None:
                if line.strip() and not line.startswith("!"):
                    self._text.refuse("it is no tag and value", line_1based, mend="Copy the file again")
            elif in_header:
                self._take_header(match[1], match[2], line_1based)
            elif term is not None:
                self._take(term, match[1], match[2], line_1based)
        if in_header:
            self._text.refuse("there is no term", line_1based, mend="Copy the file again")
        yield from self._finished(term)
        yield from maps_of_terms(self._same, self._names, are_curated=self._system == MONDO)

    def _take_header(self, tag: str, value: str, line_1based: int) -> None:
        if tag == "data-version":
            found = _VERSION.search(value)
            self._notes.version = found[0].removesuffix(".obo") if found else value.strip()
        elif tag == "ontology":
            known = _ONTOLOGIES.get(value.strip().lower().removesuffix(".obo"))
            if known is None:
                mend = f"The ontologies are {', '.join(_ONTOLOGIES)}"
                self._text.refuse(f"{quoted(value)} is not read", line_1based, "ontology", mend)
            self._prefix, self._system = known

    def _take(self, term: _Term, tag: str, value: str, line_1based: int) -> None:
        match tag:
            case "id":
                term.id = _word(value)
            case "name":
                bare = _QUALIFIERS.sub("", value)
                term.name = self._text.display(_ESCAPED.sub(r"\1", bare), line_1based, "name")
            case "is_a":
                term.parents.append((line_1based, _word(value)))
            case "is_obsolete":
                term.is_obsolete = _word(value) == "true"
            case "xref":
                self._take_reference(term, value, line_1based)

    def _take_reference(self, term: _Term, value: str, line_1based: int) -> None:
        if self._system == MONDO and _SAME not in _SOURCE.findall(value):
            self._notes.left_out["cross-references that are not said to be equivalent"] += 1
            return
        code = from_curie(_word(value))
        if code is None or code[0] == self._system:
            self._notes.left_out["cross-references to other systems"] += 1
        else:
            term.xrefs.append((code[0], self._text.code(code[1], line_1based, "xref")))
            self._text.check_codes(term.xrefs, line_1based)

    def _finished(self, term: _Term | None) -> Iterator[Statement]:
        if term is None:
            return
        if not term.id:
            self._text.refuse("the term has no identifier", term.line_1based, "id", "Copy the file again")
        if term.is_obsolete:
            self._notes.left_out["obsolete terms"] += 1
            return
        if not term.id.startswith(f"{self._prefix}:"):
            self._notes.left_out["terms of other ontologies"] += 1
            return
        code = self._text.code(canonical_code(self._system, term.id), term.line_1based, "id")
        if term.name:
            self._names[self._system, code] = term.name
            self._text.check_held(len(self._names))
            yield Named(self._system, code, term.name)
        for line_1based, parent in term.parents:
            if parent.startswith(f"{self._prefix}:"):
                above = self._text.code(canonical_code(self._system, parent), line_1based, "is_a")
                yield IsA(self._system, code, above)
            else:
                self._notes.left_out["is_a of other ontologies"] += 1
        if term.xrefs:
            self._same.setdefault((self._system, code), []).extend(term.xrefs)


def _word(value: str) -> str:
    """Return the first word of a value, without escapes; qualifiers and comments come after it."""
    words = value.split(None, 1)
    return _ESCAPED.sub(r"\1", words[0]) if words else ""
