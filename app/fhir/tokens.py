r"""Tokens of a query: a word to search for, or ``system|code`` to find exactly.

The Genomics Reporting guide searches a word without regard to case, and compares ``system|code`` with it. Systems are
written in several ways by the guide, the HL7 reference implementation and its clients; those are one system here.

>>> parse_token("http://www.genenames.org/geneId|HGNC:2625").system
'http://www.genenames.org'
>>> parse_token("hla#3.33.0#HLA-A*02:69 HLA-A*23:30|HLA-A*02:302").code
'hla#3.33.0#HLA-A*02:69+HLA-A*23:30|HLA-A*02:302'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.fhir import codes
from app.formats.code_systems import canonical_code
from app.variants.allele_names import GL_NAMESPACE

_ESCAPED = re.compile(r"\\([,|$\\])")
_SPLIT = re.compile(r"((?:[^\\|]|\\.|\\\Z)*)\|(.*)", re.DOTALL)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_LOST_PLUS = re.compile(r"(?<=[A-Za-z0-9]) (?=[A-Za-z][A-Za-z0-9-]*\*)")

_CANONICAL: Final = (
    codes.HGNC,
    codes.SEQUENCE_ONTOLOGY,
    codes.PHARMVAR,
    codes.REFSEQ,
    codes.CLINVAR,
    codes.IMGT_HLA,
    codes.GL_STRING,
    codes.MEDGEN,
    codes.DISEASE_ONTOLOGY,
    codes.MONDO,
    codes.HPO,
    codes.SNOMED,
    codes.ICD_10,
    codes.ICD_10_CM,
    codes.RXNORM,
    codes.NCIT,
    codes.CLINICAL_TRIALS,
)
_OTHER_NAMES: Final = {
    "genenames.org/geneId": codes.HGNC,
    "ncbi.nlm.nih.gov/nuccore": codes.REFSEQ,
    "ncithesaurus.nci.nih.gov": codes.NCIT,
    "purl.obolibrary.org/obo/doid.owl": codes.DISEASE_ONTOLOGY,
    "purl.obolibrary.org/obo/hp.owl": codes.HPO,
}


def _without_form(system: str) -> str:
    return _WEB.sub("", system.strip()).rstrip("/")


_SYSTEMS: Final = {_without_form(system): system for system in _CANONICAL} | _OTHER_NAMES


def canonical_system(system: str) -> str:
    """Return the one name of a code system; that of an unknown one is the name itself."""
    return _SYSTEMS.get(_without_form(system), system.strip())


def is_same_system(one: str, other: str) -> bool:
    """Return whether two names are of one system: http and https, ``www.`` and a last slash do not count."""
    return _without_form(canonical_system(one)) == _without_form(canonical_system(other))


def is_same_code(system: str, one: str, other: str) -> bool:
    """Return whether two spellings are of one code of a system: ``DOID:1324`` and ``1324``, ``C34.1`` and ``C341``."""
    known = canonical_system(system)
    return canonical_code(known, one) == canonical_code(known, other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was given, and taken apart."""

    text: str
    """As it was given, without blanks around it and escapes"""
    code: str
    """The word, or the code of ``system|code``"""
    system: str | None = None
    """Canonical system of ``system|code``, empty for ``|code``; None for a word"""

    @property
    def concept(self) -> tuple[str, str] | None:
        """Return system and code as a store of terminology spells them; None for a word."""
        return None if self.system is None else (self.system, canonical_code(self.system, self.code))


def parse_token(raw: str) -> Token:
    """Return the token of one value of a list, which may still have its escapes.

    The first ``|`` without an escape separates, where a URI (or nothing) stands before it: GL strings have bars of
    their own. A blank between two alleles of a GL string is a ``+`` that the client forgot to encode.
    """
    match = _SPLIT.fullmatch(raw.strip())
    before, after = (_unescaped(match[1]).strip(), _unescaped(match[2]).strip()) if match else ("", "")
    if match is None or (before and not _ABSOLUTE.match(before)):
        word = _with_plus(_unescaped(raw).strip(), is_gl=False)
        return Token(word, word)
    system = canonical_system(before) if before else ""
    code = _with_plus(after, is_gl=system == codes.GL_STRING)
    return Token(f"{before}|{code}", code, system)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _with_plus(text: str, *, is_gl: bool) -> str:
    return _LOST_PLUS.sub("+", text) if is_gl or text.lower().startswith(GL_NAMESPACE) else text
