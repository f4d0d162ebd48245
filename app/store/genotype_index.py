"""Which names of genotypes a word or a code is in, and who has them: an index kept up to date with every statement.

The texts of names are taken apart (``app.variants.allele_names.pieces_of``), and each distinct piece has the set of the
names that it is a piece of; so has each code. Carriers of a name are kept as those of a variant are
(``app.store.carriers``), under a number below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np
import orjson
from pyroaring import BitMap

from app.records import SourceClass, Zygosity
from app.store import bitmaps, carriers
from app.store.carriers import Shards
from app.store.session import Session
from app.variants.allele_names import GL_NAMESPACE, Word, certain_alleles, genotype_key, pieces_of


class TermKind(IntEnum):
    """What a term is: a piece of a text, by its spelling and whether it has a star, or a code with its system."""

    WORD = 0
    ALLELE = 1
    HLA_WORD = 2
    HLA_ALLELE = 3
    GENOTYPE = 4
    """The code of a genotype, with its system"""
    HAPLOTYPE = 5
    """A haplotype that a genotype certainly has, with the system of the genotype"""
    GL_HAPLOTYPE = 6
    """The same of a GL string in the namespace of HLA, whose haplotypes have another system than it has itself"""
    KEY = 7
    """The one spelling of a genotype (``app.variants.allele_names.genotype_key``), whatever its system"""


Term = tuple[TermKind, str, str]
"""Kind, text, and the system of a code as it was given; empty for a piece"""

_COLUMNS = ("kind", "digest", "system_digest", "text", "system", "names")


def carrier_id(name_id: int) -> int:
    """Return the number under which the carriers of a name are kept; those of variants are not below zero."""
    return -1 - name_id


def _kind_of_piece(piece: str, *, hla: bool) -> TermKind:
    return TermKind(2 * hla + ("*" in piece))


def terms_of_text(text: str, *, hla: bool) -> set[Term]:
    """Return the terms of what words are looked for in."""
    return {(_kind_of_piece(piece, hla=hla), piece, "") for piece in pieces_of(text, hla=hla)}


def terms_of_code(system: str, code: str, gene_symbol: str | None, haplotypes: Iterable[str]) -> set[Term]:
    """Return the terms of a coded genotype and of the haplotypes that it is certainly made of."""
    kind = TermKind.GL_HAPLOTYPE if code.lower().startswith(GL_NAMESPACE) else TermKind.HAPLOTYPE
    certain = certain_alleles(code, gene_symbol, haplotypes)
    return {
        (TermKind.GENOTYPE, code, system),
        (TermKind.KEY, genotype_key(code, gene_symbol), ""),
        *((kind, haplotype, system) for haplotype in certain),
    }


# --- writing ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Additions:
    """What a batch of statements adds to the index."""

    terms: dict[int, set[Term]] = field(default_factory=dict)
    """Of names"""
    carried: list[tuple[int, int, SourceClass]] = field(default_factory=list)
    """Name, ordinal of the subject and class of each statement"""


def add(session: Session, additions: Additions) -> None:
    """Add to the index what a batch of statements brings, each term and each page of carriers once."""
    _change(session, additions.terms, lambda names, some: names | some)
    if additions.carried:
        rows = [(carrier_id(name), ordinal, _kind(source_class)) for name, ordinal, source_class in additions.carried]
        columns = np.array(rows, dtype=np.int64).T
        carriers.merge(session, columns[0], columns[1], columns[2])


def remove_names(session: Session, terms: Mapping[int, Collection[Term]]) -> None:
    """Take names out of the sets of their terms; a term without names goes."""
    _change(session, terms, lambda names, some: names - some)


def reset_carrier(session: Session, ordinal: int, remaining: Mapping[int, Collection[SourceClass]]) -> None:
    """Set the classes in which a subject has some names: name to classes, none to remove the subject."""
    carriers.reset(
        session, ordinal, {carrier_id(name): set(map(_kind, classes)) for name, classes in remaining.items()}
    )


def _kind(source_class: SourceClass) -> int:
    return bitmaps.kind_of(source_class, Zygosity.UNKNOWN)


def _change(
    session: Session, terms: Mapping[int, Collection[Term]], changed: Callable[[BitMap, BitMap], BitMap]
) -> None:
    some: dict[Term, BitMap] = {}
    for name_id, of_name in terms.items():
        for term in of_name:
            some.setdefault(term, BitMap()).add(name_id)
    known = _exactly(session, list(some))
    fresh: list[tuple[Any, ...]] = []
    kept: list[tuple[Any, ...]] = []
    emptied: list[tuple[Any, ...]] = []
    for term, ids in some.items():
        kind, text, system = term
        key = (int(kind), _digest(text), _digest(system))
        names = changed(known.get(term, BitMap()), ids)
        if not names:
            emptied.append(key)
        elif term in known:
            kept.append((bitmaps.pack_ids(names), *key))
        else:
            fresh.append((*key, text, system, bitmaps.pack_ids(names)))
    key_is = "kind = ? and digest = ? and system_digest = ?"
    session.insert_rows("genotype_term", _COLUMNS, fresh)
    session.run_many(f"update genotype_term set names = ? where {key_is}", kept)
    session.run_many(f"delete from genotype_term where {key_is}", emptied)


def _digest(text: str) -> int:
    """Return the number that stands for a text in a key, since GL strings are longer than an index takes."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def _exactly(session: Session, terms: Collection[Term]) -> dict[Term, BitMap]:
    keys = [(int(kind), _digest(text), _digest(system)) for kind, text, system in terms]
    if not keys:
        return {}
    table, parameters = session.integer_rows(("kind", "digest", "system_digest"), list(zip(*keys, strict=True)))
    rows = session.run(
        f"select g.kind, g.text, g.system, g.names from {table} k cross join genotype_term g"
        " where g.kind = k.kind and g.digest = k.digest and g.system_digest = k.system_digest",
        parameters,
    )
    return {(TermKind(kind), text, system): bitmaps.unpack(names) for kind, text, system, names in rows}


def rebuild(session: Session) -> None:
    """Fill the empty index from the names and statements that are stored."""
    additions = Additions()
    for name_id, system, code, symbol, haplotypes, hla, text in session.run(
        "select id, system, code, gene_symbol, haplotypes, is_hla, search from genotype_name"
    ):
        additions.terms[name_id] = terms_of_text(text, hla=bool(hla))
        additions.terms[name_id] |= terms_of_code(system, code, symbol, orjson.loads(haplotypes))
    rows = session.run("select name_id, subject_ordinal, source_class from genotype")
    additions.carried = [(name_id, ordinal, SourceClass(source_class)) for name_id, ordinal, source_class in rows]
    add(session, additions)


def add_keys(session: Session) -> None:
    """Add to the index by which key each stored name is found."""
    rows = session.run("select id, code, gene_symbol from genotype_name")
    terms = {name_id: {(TermKind.KEY, genotype_key(code, symbol), "")} for name_id, code, symbol in rows}
    add(session, Additions(terms=dict(terms)))


_CODE_KINDS = (TermKind.GENOTYPE, TermKind.HAPLOTYPE, TermKind.GL_HAPLOTYPE)
_CODES = ", ".join(str(int(kind)) for kind in _CODE_KINDS)


# --- asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A term that holds a piece that was asked for, or is a code that was, with the names that have it."""

    kind: TermKind
    text: str
    system: str
    names: BitMap

    @property
    def is_code(self) -> bool:
        """Return whether it is a code, and no piece of a text."""
        return self.kind in _CODE_KINDS

    @property
    def is_hla(self) -> bool:
        """Return whether the nomenclature of HLA spells the piece."""
        return self.kind in (TermKind.HLA_WORD, TermKind.HLA_ALLELE)


def find(session: Session, words: Iterable[Word], codes: Collection[str]) -> list[FoundTerm]:
    """Return the terms that hold a piece of one of some words, and those that are one of some codes; one statement."""
    asked: dict[TermKind, dict[str, None]] = {}
    for word in words:
        for hla in (False, True):
            for piece in chain.from_iterable(word.pieces(hla=hla)):
                asked.setdefault(_kind_of_piece(piece, hla=hla), {})[piece] = None
    parameters = {"codes": session.int_list(sorted(map(_digest, codes)))}
    conditions = [f"kind in ({_CODES}) and digest {session.in_ints('codes')}"]
    for kind, pieces in asked.items():
        names = {f"p{int(kind)}_{number}": piece for number, piece in enumerate(pieces)}
        parameters |= names
        holding = " or ".join(session.holds("text", f":{name}") for name in names)
        conditions.append(f"kind = {int(kind)} and ({holding})")
    rows = session.run(
        " union all ".join(f"select kind, text, system, names from genotype_term where {one}" for one in conditions),
        parameters,
    )
    return [FoundTerm(TermKind(kind), text, system, bitmaps.unpack(names)) for kind, text, system, names in rows]


def with_keys(session: Session, keys: Collection[str]) -> dict[str, BitMap]:
    """Return the names that have each of some keys, in one statement; keys of none are left out."""
    found = _exactly(session, [(TermKind.KEY, key, "") for key in keys])
    return {key: names for (_, key, _), names in found.items()}


def who(
    session: Session, groups: Sequence[BitMap], classes: Collection[SourceClass] | None, *, shards: int
) -> list[Shards]:
    """Return who has any name of each group, by statements of some source classes (all by default)."""
    ids = [-1 - np.array(group.to_array(), dtype=np.int64) for group in groups]
    return carriers.united(session, ids, classes, shards=shards)
