"""Conditions as ClinVar names them: MedGen first, else the next best vocabulary, else the name alone.

https://www.ncbi.nlm.nih.gov/clinvar/docs/identifiers/
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.formats.knowledge import Concept
from app.formats.knowledge_phrases import MEDGEN, MONDO

CLINVAR = "http://www.ncbi.nlm.nih.gov/clinvar"
SCV = "http://www.ncbi.nlm.nih.gov/clinvar/scv"
ABSENT = ("", "-", ".", "na")

_SYSTEMS = (
    ("MedGen", MEDGEN, re.compile(r"CN?[0-9]{5,9}")),
    ("MONDO", MONDO, re.compile(r"MONDO:[0-9]{7}")),
    ("OMIM", "http://www.omim.org", re.compile(r"(?:PS)?[0-9]{6}")),
    ("SNOMED CT", "http://snomed.info/sct", re.compile(r"[0-9]{6,18}")),
    ("Human Phenotype Ontology", "http://human-phenotype-ontology.org", re.compile(r"HP:[0-9]{7}")),
    ("Orphanet", "http://www.orpha.net", re.compile(r"(?:ORPHA)?[0-9]{1,7}")),
)
"""Name at ClinVar, system and form of a code, the best one first"""

_MEMBER = re.compile(r";(?=(?:CN?[0-9]{5,9}|na|-):)")


def paired(ids: str, names: str, *, inner: str = ";") -> tuple[Concept, ...]:
    """Return the conditions of two parallel lists: ``|`` between conditions, ``,`` between identifiers of one.

    ``inner`` separates where one submission has several conditions, if anything does. Where the lists do not fit,
    names stay without codes: a code that may be another condition's is worse than none.

    >>> paired("MONDO:MONDO:0013342,MedGen:C3150901|MedGen:CN169374", "Spastic paraplegia 48|not specified")[0].code
    'C3150901'
    """
    ids_of, names_of = _split(ids, "|"), _split(names, "|")
    if len(ids_of) != len(names_of):
        ids_of = [""] * len(names_of)
    concepts: list[Concept] = []
    for some_ids, some_names in zip(ids_of, names_of, strict=True):
        members, texts = _split(some_ids, inner), _split(some_names, inner)
        if len(members) == len(texts):
            concepts += [_concept(member, text) for member, text in zip(members, texts, strict=True)]
        else:
            concepts.append(Concept("", "", some_names.strip()))
    return _distinct(concepts)


def reported(text: str) -> tuple[Concept, ...]:
    """Return the conditions of one submission, written as ``C1708353:Name;na:Other name``."""
    concepts = []
    for member in _MEMBER.split(text):
        code, colon, name = member.partition(":")
        known = colon and _SYSTEMS[0][2].fullmatch(code)
        if known:
            concepts.append(Concept(MEDGEN, code, name.strip()))
        elif colon and code in ABSENT:
            concepts.append(Concept("", "", name.strip()))
        else:
            concepts.append(Concept("", "", member.strip()))
    return _distinct(concepts)


def _concept(ids: str, name: str) -> Concept:
    codes: dict[str, list[str]] = {}
    for tag in ids.split(","):
        database, colon, code = tag.strip().partition(":")
        if colon:
            codes.setdefault(database, []).append(code)
    for database, system, form in _SYSTEMS:
        found = [code for code in codes.get(database, ()) if form.fullmatch(code)]
        if len(found) == 1:
            return Concept(system, found[0], "" if name in ABSENT else name)
    return Concept("", "", name)


def _distinct(concepts: Iterable[Concept]) -> tuple[Concept, ...]:
    named = (concept for concept in concepts if concept.code or concept.display not in ABSENT)
    return tuple(dict.fromkeys(named))


def _split(text: str, mark: str) -> list[str]:
    return [part.strip() for part in text.split(mark)] if mark else [text.strip()]
