"""Genotype statements of tests: who has which, and the distinct names that words are searched in.

A statement is one row of its subject; what it says is stored once for everybody who has it. Which names a word is in,
and who has them, is answered by ``app.store.genotype_index``, which is kept up to date here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson

from app.errors import InvalidInput, quoted
from app.records import SourceClass
from app.store import bitmaps, counters, genotype_index, ledger, stated
from app.store.session import Session
from app.variants.allele_names import is_hla, search_text
from app.variants.hla_reduction import HlaReductions

CALLED: Final = "pgx-calls"
"""Key of the ledger's run that the statements belong to which Operon itself called from variants"""


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
    called: str | None = None
    """What it was called from (``app.pgx.call_body``); None for what somebody stated"""


@dataclass(frozen=True, slots=True)
class FoundName:
    """What words are looked for in, of one distinct name."""

    name_id: int
    search: str
    is_hla: bool


_NAME = "n.gene_id, n.gene_symbol, n.system, n.code, n.display, n.haplotypes, n.hla_alleles, n.search, n.is_hla"
_CALLED_FROM = (
    "(select c.body from pgx_call c where c.shard = g.shard and c.subject_ordinal = g.subject_ordinal"
    " and c.study_id = g.study_id and c.gene = n.gene_symbol"
    f" and g.run_id = (select r.id from ingest_run r where r.key = '{CALLED}'))"
)
_STATEMENT = f"g.uid, s.subject_id, st.test_id, st.test_date, st.specimen_id, g.source_class, {_CALLED_FROM}, {_NAME}"
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


def names_of(session: Session, name_ids: Sequence[int]) -> dict[int, GenotypeName]:
    """Return names by number, in one statement."""
    rows = session.run(
        "select id, gene_id, gene_symbol, system, code, display, haplotypes, hla_alleles from genotype_name"
        f" where id {session.in_ints('ids')}",
        {"ids": session.int_list(list(name_ids))},
    )
    return {name_id: _name(name) for name_id, *name in rows}


def texts_of(session: Session, name_ids: Sequence[int]) -> list[FoundName]:
    """Return what words are looked for in, of some names, in one statement."""
    rows = session.run(
        f"select id, search, is_hla from genotype_name where id {session.in_ints('ids')}",
        {"ids": session.int_list(list(name_ids))},
    )
    return [FoundName(name_id, search, bool(hla)) for name_id, search, hla in rows]


def _genotype(row: Sequence[Any]) -> Genotype:
    uid, subject_id, test_id, test_date, specimen_id, source_class, called, *name, search, is_hla = row
    return Genotype(
        uid,
        subject_id,
        test_id,
        test_date,
        specimen_id,
        SourceClass(source_class),
        _name(name),
        search,
        bool(is_hla),
        called,
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


def add(
    session: Session,
    run_id: int,
    addition: Addition,
    additions: genotype_index.Additions,
    reductions: HlaReductions | None = None,
) -> bool:
    """Add a statement; return False where the store has the very same one.

    What it adds to the index is only noted, for the caller to add it with that of others.

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
    name_id = _ensure_name(session, addition.name, addition.name.search_text(reductions), additions)
    session.run_many(
        "insert into genotype (shard, subject_ordinal, uid, study_id, name_id, source_class, run_id)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [(shard, addition.ordinal, addition.uid, addition.study_id, name_id, int(addition.source_class), run_id)],
    )
    additions.carried.append((name_id, addition.ordinal, addition.source_class))
    counters.add(session, counters.GENOTYPES, 1)
    return True


def _ensure_name(session: Session, name: GenotypeName, search: str, additions: genotype_index.Additions) -> int:
    rows = session.run("select id, search from genotype_name where digest = :digest", {"digest": name.digest})
    if rows:
        name_id = int(rows[0][0])
        if rows[0][1] != search:  # stored by a program that spelled it otherwise, or had no reductions
            session.run_many("update genotype_name set search = ? where id = ?", [(search, name_id)])
            old, new = (genotype_index.terms_of_text(text, hla=name.is_hla) for text in (rows[0][1], search))
            genotype_index.remove_names(session, {name_id: old - new})
            additions.terms.setdefault(name_id, set()).update(new)
        return name_id
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
    additions.terms[name_id] = _terms(name, search)
    return name_id


def _terms(name: GenotypeName, search: str) -> set[genotype_index.Term]:
    of_code = genotype_index.terms_of_code(name.system, name.code, name.gene_symbol, name.haplotypes)
    return genotype_index.terms_of_text(search, hla=name.is_hla) | of_code


def called_run(session: Session) -> int | None:
    """Return the run of the statements that Operon itself called from variants; None if there are none."""
    rows = session.run("select id from ingest_run where key = :key", {"key": CALLED})
    return rows[0][0] if rows else None


def withdraw_called(session: Session, run_id: int, study_id: int, name: GenotypeName) -> None:
    """Remove what Operon itself called of the gene of a name: what a laboratory says of it stands alone."""
    rows = session.run(
        "select g.uid, n.gene_id, n.gene_symbol from genotype g join genotype_name n on n.id = g.name_id"
        " where g.study_id = :study and g.run_id = :run",
        {"study": study_id, "run": run_id},
    )
    of_gene = {name.gene_id, name.gene_symbol} - {None}
    uids = [uid for uid, *gene in rows if not of_gene.isdisjoint(gene)]
    if uids:
        withdraw(session, [study_id], only_run=run_id, only=uids)


def withdraw(
    session: Session,
    study_ids: Iterable[int],
    *,
    keep_runs: Sequence[int] = (),
    only_run: int | None = None,
    only: Sequence[str] = (),
) -> int:
    """Remove the statements of some studies, of ``only_run`` or all but those of some runs; return how many there were.

    With ``only`` no others than those with some uids are removed.

    Names that nobody has any more go too: a rare one alone can tell who was here.
    """
    gone: list[tuple[Any, ...]] = []
    for study_id in study_ids:
        rows = session.run("select uid, run_id from genotype where study_id = :study", {"study": study_id})
        uids = [
            uid
            for uid, run_id in rows
            if (run_id not in keep_runs if only_run is None else run_id == only_run) and (not only or uid in only)
        ]
        for uid in uids:
            gone += session.run(
                "delete from genotype where uid = :uid returning name_id, run_id, subject_ordinal, uid", {"uid": uid}
            )
    names: dict[int, set[int]] = {}
    for name_id, _, ordinal, _ in gone:
        names.setdefault(ordinal, set()).add(name_id)
    for ordinal, some in names.items():
        genotype_index.reset_carrier(session, ordinal, _classes_left(session, ordinal, some))
    _forget_names(session, {row[0] for row in gone})
    stated.withdraw_derived(session, (row[3] for row in gone))
    ledger.forget_empty(session, {row[1] for row in gone})
    if gone:
        counters.add(session, counters.GENOTYPES, -len(gone))
    return len(gone)


def _classes_left(session: Session, ordinal: int, name_ids: Iterable[int]) -> dict[int, set[SourceClass]]:
    """Return in which classes a subject still has each of some names."""
    left: dict[int, set[SourceClass]] = {name_id: set() for name_id in name_ids}
    rows = session.run(
        "select name_id, source_class from genotype where shard = :shard and subject_ordinal = :ordinal",
        {"shard": bitmaps.shard_of(ordinal), "ordinal": ordinal},
    )
    for name_id, source_class in rows:
        if name_id in left:
            left[name_id].add(SourceClass(source_class))
    return left


def _forget_names(session: Session, name_ids: Iterable[int]) -> None:
    """Remove those of some names that nobody has."""
    terms: dict[int, set[genotype_index.Term]] = {}
    for name_id in sorted(name_ids):
        rows = session.run(
            "delete from genotype_name where id = :id and not exists (select 1 from genotype where name_id = :id)"
            " returning gene_id, gene_symbol, system, code, display, haplotypes, hla_alleles, search",
            {"id": name_id},
        )
        for *name, search in rows:
            terms[name_id] = _terms(_name(name), search)
    genotype_index.remove_names(session, terms)
