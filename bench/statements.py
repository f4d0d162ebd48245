"""How many SQL statements one request sends, for answers of 1 to 10,000 variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import event

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, read_inputs
from app.operations.context import OperationContext
from app.records import Build
from app.store import structural_places
from app.store.session import Database
from app.variants.accessions import accession
from bench.generate import bases_for, single_vcf
from bench.genomes import CONTIG, synthetic_genome
from bench.report import Reported, Run, at_most
from bench.stores import context_of, ingest_vcf, stores

_RECORDS = 10_500
_ANSWERS = (1, 10, 100, 1_000, 10_000)
_FIXED = 4
"""Statements that a request may send besides one a range"""


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Yield the list to which every statement of the database's readers is added; ``begin`` is none.

    The drivers themselves report what they send, since not all of it goes through SQLAlchemy's cursors. What SQLite's
    R*Tree asks of its own table is none of ours.
    """
    sent: list[str] = []

    def note(statement: str) -> None:
        word = statement.split(None, 1)[0].lower()
        if word not in ("begin", "commit", "rollback") and f"{structural_places.TABLE}_node" not in statement:
            sent.append(statement)

    def watch(connection: Any, _record: Any, _proxy: Any) -> None:
        if database.is_sqlite:
            connection.set_trace_callback(note)
        else:
            connection.cursor_factory = _reporting(connection.cursor_factory, note)

    def unwatch(connection: Any, _record: Any) -> None:
        if database.is_sqlite:
            connection.set_trace_callback(None)
        else:
            connection.cursor_factory = connection.cursor_factory.__base__

    database.close()  # connections that wait to be used again were opened without the watch
    event.listen(database.reader, "checkout", watch)
    event.listen(database.reader, "checkin", unwatch)
    try:
        yield sent
    finally:
        database.close()
        event.remove(database.reader, "checkout", watch)
        event.remove(database.reader, "checkin", unwatch)


def _reporting(kind: Any, note: Callable[[str], None]) -> Any:
    """Return a kind of psycopg cursor that reports what it executes."""

    def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        note(str(query))
        return kind.execute(self, query, *arguments, **options)

    return type("Reporting", (kind,), {"execute": execute})


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the statements of each operation at each number of answers."""
    run = Run(size, engine)
    with stores(engine) as made:
        genome = synthetic_genome(bases_for(_RECORDS))
        opened = genome.in_memory(made.folder / "reference")
        vcf = single_vcf(made.folder / "single.vcf.gz", _RECORDS, genome)
        database = made.fresh()
        ingest_vcf(database, opened, vcf.path, "S1")
        context = context_of(database, opened)
        ref_seq = accession(Build.GRCH37, CONTIG)
        for answers in _ANSWERS:
            start, end = vcf.window(0, answers)
            pairs = [("subject", "S1"), ("ranges", f"{ref_seq}:{start}-{end}"), ("includeVariants", "true")]
            body, sent = _asked(context, "find-subject-variants", pairs)
            found = body.count(b'"name":"variant"')
            yield run.plain(
                f"statements_subject_range_{answers}", len(sent), "statements", target=at_most(_FIXED + 1),
                note=f"{found} variants in the answer",
            )  # fmt: skip
            texts = _spdis(body)[:answers]
            for name, operation, extra in (
                ("subject_specific", "find-subject-specific-variants", [("subject", "S1")]),
                ("population", "find-population-specific-variants", [("includePatientList", "true")]),
            ):
                body, sent = _asked(context, operation, [*extra, ("variants", ",".join(texts))])
                yield run.plain(
                    f"statements_{name}_{answers}", len(sent), "statements", target=at_most(_FIXED + 1),
                    note=f"{len(texts)} variants in the question",
                )  # fmt: skip


def _asked(context: OperationContext, operation: str, pairs: list[tuple[str, str]]) -> tuple[bytes, list[str]]:
    definition = load_definitions()[operation]
    inputs = read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())
    with counted(context.database) as sent:
        body = context.answer(operation, inputs)
    return body, sent


def _spdis(body: bytes) -> list[str]:
    """Return the SPDI of each variant of an answer, on the build that it was asked on."""
    texts = []
    for part in orjson.loads(body)["parameter"][0]["part"]:
        if part["name"] == "variant":
            components = part["resource"]["component"]
            code = next(c for c in components if c["code"]["coding"][0]["code"] == "81252-9")
            texts.append(code["valueCodeableConcept"]["coding"][0]["code"])
    return texts
