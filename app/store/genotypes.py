"""Genotype statements of tests: who has which, and the distinct names that words are searched in.

A statement is one row of its subject; what it says is stored once for everybody who has it. Words are searched among
the distinct names, and the subjects of what was found are read from an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from pyroaring import BitMap

from app.errors import InvalidInput, quoted
from app.records import SourceClass
from app.store import bitmaps, counters, ledger
from app.store.carriers import Shards
from app.store.session import Session
from app.variants.allele_names import is_hla, search_text
from app.variants.hla_reduction import HlaReductions


@dataclass(frozen=True, slots=True)
class GenotypeName:
    """What a statement says: gene, coded genotype, and the haplotypes and HLA alleles that it lists."""

    gene_id: str | None
    """HGNC identifier (``HGNC:2621``)"""
    gene_symbol: str | None
    system: str
    """Code system as given; empty when the code has none"""
    code: str
    display: str | None = None
    haplotypes: tuple[str, ...] = ()
    hla_alleles: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return what makes two names one."""
        fields = (
            self.gene_id, self.gene_symbol, self.system, self.code, self.display, self.haplotypes, self.hla_alleles
        )  # fmt: skip
        return blake2b(orjson.dumps(fields), digest_size=16).hexdigest()

    @property
    def is_hla(self) -> bool:
        """Return whether the nomenclature of HLA spells it."""
        return is_hla(self.gene_symbol, (self.code, self.display or ""), alleles=self.hla_alleles)

    def search_text(self, reductions: HlaReductions | None = None) -> str:
        """Return every spelling of it, and of what its HLA alleles are reduced to."""
        names = [self.code, self.display or "", *self.haplotypes, *self.hla_alleles]
        if reductions is not None and self.is_hla:
            names += reductions.lgx(self.hla_alleles or (self.code,))
        return search_text(self.gene_symbol, names, hla=self.is_hla)


@dataclass(frozen=True, slots=True)
class Genotype:
    """One statement of a test, as it is read back."""

    uid: str
    subject_id: str
    test_id: str
    test_date: str | None
    specimen_id: str | None
    source_class: SourceClass
    name: GenotypeName
    search: str
    """What words are looked for in (``app.variants.allele_names.Word``)"""
    is_hla: bool


@dataclass(frozen=True, slots=True)
class FoundName:
    """One distinct name, as it is read back."""

    name_id: int
    name: GenotypeName
    search: str
    is_hla: bool


_NAME = "n.gene_id, n.gene_symbol, n.system, n.code, n.display, n.haplotypes, n.hla_alleles, n.search, n.is_hla"
_STATEMENT = f"g.uid, s.subject_id, st.test_id, st.test_date, st.specimen_id, g.source_class, {_NAME}"
_JOINED = (
    " join study st on st.id = g.study_id join genotype_name n on n.id = g.name_id where s.ordinal = g.subject_ordinal"
)


def of_subject(session: Session, subject_id: str) -> list[Genotype]:
    """Return every statement about a subject by test date, test and code; none for an unknown subject."""
    rows = session.run(
        f"select {_STATEMENT} from subject s join genotype g on g.shard = s.shard and g.subject_ordinal = s.ordinal"
        f"{_JOINED} and s.subject_id = :subject",
        {"subject": subject_id},
    )
    # Sorted here, because databases differ about texts and about where what is absent goes.
    return sorted(map(_genotype, rows), key=lambda one: (one.test_date or "", one.test_id, one.name.code, one.uid))


def with_uid(session: Session, uid: str) -> Genotype | None:
    """Return the statement that a resource id names; None if there is none."""
    rows = session.run(f"select {_STATEMENT} from subject s, genotype g{_JOINED} and g.uid = :uid", {"uid": uid})
    return _genotype(rows[0]) if rows else None


def names_with(session: Session, texts: Sequence[str]) -> list[FoundName]:
    """Return the distinct names whose spellings hold one of some texts, in one statement."""
    rows = session.run(
        f"select n.id, {_NAME} from genotype_name n where exists (select 1 from {session.texts('texts')} t"
        f" where {session.holds('n.search', 't.value')})",
        {"texts": session.text_list(texts)},
    )
    return [FoundName(name_id, _name(name), search, bool(is_hla)) for name_id, *name, search, is_hla in rows]


def fetch(session: Session, name_ids: Sequence[int], classes: Iterable[SourceClass]) -> dict[int, Shards]:
    """Return who has each of some names by statements of some source classes, in one statement."""
    rows = session.run(
        f"select distinct name_id, subject_ordinal from genotype where name_id {session.in_ints('names')}"
        f" and source_class {session.in_ints('classes')}",
        {"names": session.int_list(list(name_ids)), "classes": session.int_list(sorted(map(int, classes)))},
    )
    members: dict[int, dict[int, list[int]]] = {name_id: {} for name_id in name_ids}
    for name_id, ordinal in rows:
        members[name_id].setdefault(bitmaps.shard_of(ordinal), []).append(ordinal & bitmaps.LOW)
    return {name_id: {shard: BitMap(low) for shard, low in found.items()} for name_id, found in members.items()}


def _genotype(row: Sequence[Any]) -> Genotype:
    uid, subject_id, test_id, test_date, specimen_id, source_class, *name, search, is_hla = row
    return Genotype(
        uid, subject_id, test_id, test_date, specimen_id, SourceClass(source_class), _name(name), search, bool(is_hla)
    )


def _name(row: Sequence[Any]) -> GenotypeName:
    gene_id, gene_symbol, system, code, display, haplotypes, hla_alleles = row
    lists = (tuple(orjson.loads(text)) for text in (haplotypes, hla_alleles))
    return GenotypeName(gene_id, gene_symbol, system, code, display, *lists)


def uid_of(subject_id: str, test_id: str, source_class: SourceClass, name: GenotypeName) -> str:
    """Return what makes a statement the same one on every server that is told it."""
    gene = name.gene_id or name.gene_symbol
    identity = [subject_id, test_id, int(source_class), gene, name.system, name.code]
    return blake2b(orjson.dumps(identity), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Addition:
    """A statement to be added to a study that is stored."""

    uid: str
    ordinal: int
    study_id: int
    source_class: SourceClass
    name: GenotypeName


def add(session: Session, run_id: int, addition: Addition, reductions: HlaReductions | None = None) -> bool:
    """Add a statement; return False where the store has the very same one.

    Raises:
        InvalidInput: the test says something else of the same genotype (display, haplotypes or alleles).
    """
    shard = bitmaps.shard_of(addition.ordinal)
    rows = session.run(
        "select n.digest from genotype g join genotype_name n on n.id = g.name_id"
        " where g.shard = :shard and g.subject_ordinal = :ordinal and g.uid = :uid",
        {"shard": shard, "ordinal": addition.ordinal, "uid": addition.uid},
    )
    if rows:
        if rows[0][0] != addition.name.digest:
            raise InvalidInput(
                f"the test has {quoted(addition.name.code)} already, with another display, other haplotypes or HLA"
                " alleles; keep one of them, or replace what is stored (--replace)",
                parameter="genotype_code",
            )
        return False
    name_id = _ensure_name(session, addition.name, addition.name.search_text(reductions))
    session.run_many(
        "insert into genotype (shard, subject_ordinal, uid, study_id, name_id, source_class, run_id)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [(shard, addition.ordinal, addition.uid, addition.study_id, name_id, int(addition.source_class), run_id)],
    )
    counters.add(session, counters.GENOTYPES, 1)
    return True


def _ensure_name(session: Session, name: GenotypeName, search: str) -> int:
    rows = session.run("select id, search from genotype_name where digest = :digest", {"digest": name.digest})
    if rows:
        if rows[0][1] != search:  # stored by a program that spelled it otherwise, or had no reductions
            session.run_many("update genotype_name set search = ? where id = ?", [(search, rows[0][0])])
        return int(rows[0][0])
    name_id = counters.allocate(session, counters.GENOTYPE_NAME, 1)
    lists = [orjson.dumps(names).decode() for names in (name.haplotypes, name.hla_alleles)]
    session.run_many(
        "insert into genotype_name (id, digest, gene_id, gene_symbol, system, code, display, haplotypes, hla_alleles,"
        " is_hla, search) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(
            name_id, name.digest, name.gene_id, name.gene_symbol, name.system, name.code, name.display, *lists,
            int(name.is_hla), search,
        )],
    )  # fmt: skip
    return name_id


def withdraw(session: Session, study_ids: Iterable[int], *, keep_run: int = -1) -> int:
    """Remove the statements of some studies, but those of one run; return how many there were.

    Names that nobody has any more go too: a rare one alone can tell who was here.
    """
    gone: list[tuple[Any, ...]] = []
    for study_id in study_ids:
        gone += session.run(
            "delete from genotype where study_id = :study and run_id <> :keep returning name_id, run_id",
            {"study": study_id, "keep": keep_run},
        )
    for name_id in sorted({row[0] for row in gone}):
        session.run(
            "delete from genotype_name where id = :id"
            " and not exists (select 1 from genotype where name_id = :id) returning 1",
            {"id": name_id},
        )
    ledger.forget_empty(session, {row[1] for row in gone})
    if gone:
        counters.add(session, counters.GENOTYPES, -len(gone))
    return len(gone)
