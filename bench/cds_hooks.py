"""How long an EHR waits for cards: calls of CDS Hooks over HTTP, eight at a time, for a subject with six results.

An order that gets a card is asked about while it is selected and when it is signed; the summary of a patient looks at
every drug.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
import uvloop

from app.config import Settings
from app.operations.context import Genome
from app.store.session import Database
from app.variants.liftover import Liftover
from bench.report import Reported, Run, at_most
from bench.server import product_server
from bench.stores import stores
from ingest.haplotypes import ingest_haplotypes
from ingest.workspace import Workspace

_SUBJECT = "S1"
_CLIENTS = 8
_REQUESTS = {"s": 50, "m": 200, "l": 1000}
"""Of each client"""
_RESULTS = {
    "CYP2C19": ("HGNC:2621", "*2/*2"),
    "CYP2C9": ("HGNC:2623", "*1/*3"),
    "TPMT": ("HGNC:12014", "*1/*3A"),
    "NUDT15": ("HGNC:23063", "*1/*1"),
    "SLCO1B1": ("HGNC:10959", "*1/*5"),
    "CYP2D6": ("HGNC:2625", "*4/*4"),
}
_COLUMNS = (
    "subject_id", "test_id", "specimen_id", "gene_id", "gene_symbol", "genotype_system", "genotype_code",
    "genotype_display", "haplotypes", "hla_alleles",
)  # fmt: skip
_P95, _P99 = 50.0, 100.0


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield median, 95th and 99th percentile of the time until the cards are there, in milliseconds."""
    run = Run(size, engine)
    with stores(engine) as made:
        database = made.fresh()
        store_results(database, made.folder)
        url = database.url.render_as_string(hide_password=False)
        with product_server(made.folder, url) as server:
            for name, path, bodies in (
                ("order_select", "/cds-services/pgx-medication-advisor", [order_select() for _ in range(50)]),
                ("order_sign", "/cds-services/pgx-medication-advisor", [order_sign() for _ in range(50)]),
                ("patient_view", "/cds-services/pgx-patient-summary", [patient_view() for _ in range(50)]),
            ):
                requests = _REQUESTS[size]
                times = waits(server.port, path, bodies, clients=_CLIENTS, requests=requests)
                cuts = [seconds * 1e3 for seconds in statistics.quantiles(times, n=100, method="inclusive")]
                for cut, target in ((50, None), (95, at_most(_P95)), (99, at_most(_P99))):
                    metric = f"cds_{name}_p{cut}"
                    yield run.plain(metric, cuts[cut - 1], "ms", target=target, n=len(times), note="8 clients")


def store_results(database: Database, folder: Path) -> None:
    """Store six genotypes of a subject."""
    rows = [
        (_SUBJECT, "T1", "", hgnc, gene, "http://www.pharmvar.org", f"{gene} {genotype}", "", "", "")
        for gene, (hgnc, genotype) in _RESULTS.items()
    ]
    path = folder / "genotypes.tsv"
    path.write_text("\n".join("\t".join(row) for row in (_COLUMNS, *rows)) + "\n")
    ingest_haplotypes(Workspace(Settings(home=folder), database, Genome({}, Liftover())), path)


def order_select() -> bytes:
    """Return the call of a selection of clopidogrel."""
    return _call("order-select", {"selections": ["MedicationRequest/m1"], "draftOrders": _orders()})


def order_sign() -> bytes:
    """Return the call of a signature of clopidogrel."""
    return _call("order-sign", {"draftOrders": _orders()})


def _orders() -> dict[str, object]:
    concept = {
        "text": "clopidogrel 75 MG Oral Tablet",
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "32968"}],
    }
    order = {"resourceType": "MedicationRequest", "id": "m1", "status": "draft", "medicationCodeableConcept": concept}
    return {"resourceType": "Bundle", "entry": [{"resource": order}]}


def patient_view() -> bytes:
    """Return the call of an opened chart."""
    return _call("patient-view", {})


def _call(hook: str, context: Mapping[str, object]) -> bytes:
    of = {"userId": "Practitioner/p1", "patientId": _SUBJECT, **context}
    return orjson.dumps({"hook": hook, "hookInstance": str(uuid.uuid4()), "context": of})


def waits(port: int, path: str, bodies: Sequence[bytes], *, clients: int, requests: int) -> list[float]:
    """Return how long each answer took, after as many requests that do not count as there are bodies."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_all(port, path, bodies, clients=1, requests=len(bodies)))
        return runner.run(_all(port, path, bodies, clients=clients, requests=requests))


async def _all(port: int, path: str, bodies: Sequence[bytes], *, clients: int, requests: int) -> list[float]:
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    found = await asyncio.gather(
        *(_ask(*stream, path, [*bodies[at:], *bodies[:at]], requests) for at, stream in enumerate(streams))
    )
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return [seconds for times in found for seconds in times]


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, bodies: Sequence[bytes], requests: int
) -> list[float]:
    times = []
    for body in itertools.islice(itertools.cycle(bodies), requests):
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        started = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(status.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        if not status.startswith(b"http/1.1 200") or b'"uuid"' not in answer:
            raise RuntimeError(f"{path} answered {status[:40]!r} {answer[:300]!r}")
    return times
