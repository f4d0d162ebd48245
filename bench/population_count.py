"""How many subjects carry a variant, among 1,000,000: the store beside its driver, the server beside bare FastAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from app.config import Settings
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, OperationInputs, read_inputs
from app.operations.context import Genome
from app.store import carriers
from app.store.session import Database
from bench.client import Target, connected, get, latencies
from bench.genomes import synthetic_genome
from bench.measure import compare, growth, over
from bench.report import Reported, Run, at_most
from bench.server import fastapi_server, product_server
from bench.stores import CarrierStore, carriers_only, context_of, stores

MILLION = 1_000_000
COHORTS = (2_500, 25_000, 250_000, MILLION)
COMMON = (0.5, 0.3, 0.01)
SHARES = (*COMMON, *[0.0001] * 250)
"""Shares of carriers: common variants first, then so many rare ones that they fill a page of the store"""
OPERATION = "find-population-specific-variants"
_PEER = "sum(n) through the driver"
_REQUESTS = {"s": 100, "m": 300, "l": 1000}


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the figures of the store, of the whole operation, of the server, and how the store's grow."""
    run = Run(size, engine)
    with stores(engine) as made:
        genome = synthetic_genome(200_000).on_disk(made.folder / "reference")
        points = []
        for subjects in COHORTS:
            cohort = carriers_only(made.fresh(), genome, subjects, SHARES)
            common = cohort.variant_ids[: len(COMMON)]
            ours, floor = compare(over(_counted(cohort), common), over(_summed(cohort), common))
            points.append((subjects, ours.median))
        yield run.cost("store_population_count", ours, floor, _PEER, unit="µs")
        yield run.plain("store_population_count_growth", growth(points), "exponent", target=at_most(0.1), n=len(points))
        rare, floor = compare(over(_counted(cohort), cohort.variant_ids[len(COMMON) :]), over(_summed(cohort), common))
        yield run.cost("store_population_count_rare", rare, floor, f"{_PEER}, common variants", unit="µs")
        yield _operation(run, cohort, genome)
        yield _server(run, made.folder, cohort)


def _operation(run: Run, cohort: CarrierStore, genome: Genome) -> Reported:
    context = context_of(cohort.database, genome)
    common = cohort.variant_ids[: len(COMMON)]
    questions = [asked([text]) for text in cohort.texts[: len(COMMON)]]
    for variant_id, inputs in zip(common, questions, strict=True):
        if numerator(context.answer(OPERATION, inputs)) != _summed(cohort)(variant_id):
            raise AssertionError("the operation counts differently from the database")
    whole, floor = compare(
        over(lambda inputs: context.answer(OPERATION, inputs), questions), over(_summed(cohort), common)
    )
    return run.cost("operation_population_count", whole, floor, _PEER, unit="µs")


def _server(run: Run, home: Path, cohort: CarrierStore) -> Reported:
    url = cohort.database.url.render_as_string(hide_password=False)
    paths = [f"/fhir/${OPERATION}?variants={text}" for text in cohort.texts[: len(COMMON)]]
    with product_server(home, url) as product:
        with connected(product.port) as connection:
            body = len(get(connection, paths[0]))
        with fastapi_server([body]) as bare:
            served, constant = latencies(
                Target(product.port, paths),
                Target(bare.port, ["/0?subject=a&ranges=b&includeVariants=false"]),
                requests=_REQUESTS[run.size],
            )
    return run.cost(
        "server_population_count", served, constant, f"FastAPI, constant {body} bytes", unit="µs", target=at_most(2)
    )


def asked(*groups: list[str]) -> OperationInputs:
    """Return the inputs of the operation for groups of alternative variants."""
    pairs = [("variants", ",".join(group)) for group in groups]
    definition = load_definitions()[OPERATION]
    return read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())


def numerator(answer: bytes) -> int:
    """Return the count of the first item of an answer."""
    parts = orjson.loads(answer)["parameter"][0]["part"]
    return next(int(part["valueQuantity"]["value"]) for part in parts if part["name"] == "numerator")


def driver_cursor(database: Database) -> Any:
    """Return a cursor of the database's own driver, on a connection of its own that is set up as the readers' are."""
    connection = database.reader.raw_connection()
    connection.detach()
    return connection.cursor()


def mark(database: Database) -> str:
    """Return how the driver writes a parameter."""
    return "?" if database.is_sqlite else "%s"


def _counted(cohort: CarrierStore) -> Callable[[int], int]:
    def count(variant_id: int) -> int:
        with cohort.database.read() as session:
            return carriers.count(session, [variant_id])[variant_id]

    return count


def _summed(cohort: CarrierStore) -> Callable[[int], int]:
    cursor, place = driver_cursor(cohort.database), mark(cohort.database)

    def count(variant_id: int) -> int:
        cursor.execute(f"select sum(n) from carrier where variant_id = {place}", (variant_id,))
        return int(cursor.fetchone()[0])

    return count
