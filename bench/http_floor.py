"""What a request costs before anybody looks into a store: bare ASGI, bare FastAPI, and the product's ``/livez``."""

from __future__ import annotations

from collections.abc import Iterator

from app.records import Build
from app.variants.accessions import accession
from bench.client import Target, latencies, throughput
from bench.genomes import CONTIG
from bench.report import Reported, Run
from bench.server import asgi_server, fastapi_server, product_server
from bench.stores import stores

_BODIES = (40, 345_000)
_REQUESTS = {"s": 100, "m": 300, "l": 1000}


def question() -> str:
    """Return a query string that FastAPI validates like that of a subject query."""
    return f"?subject=P000001&ranges={accession(Build.GRCH37, CONTIG)}:10000-110000&includeVariants=true"


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield latency and throughput of both floors at a small and a large body."""
    run = Run(size, engine)
    requests = _REQUESTS[size]
    with stores(engine) as made, asgi_server(_BODIES) as asgi, fastapi_server(_BODIES) as fastapi:
        for number, body in enumerate(_BODIES):
            framework = Target(fastapi.port, [f"/{number}{question()}"])
            bare = Target(asgi.port, [f"/{number}"])
            fast, floor = latencies(framework, bare, requests=requests)
            yield run.cost(f"fastapi_latency_{body}_bytes", fast, floor, "bare ASGI", unit="µs")
            fast_rate, floor_rate = throughput(framework, bare)
            yield run.rate(
                f"fastapi_throughput_{body}_bytes", fast_rate, floor_rate, "bare ASGI", unit="requests/s", n=7
            )
        with product_server(made.folder, made.fresh().url.render_as_string(hide_password=False)) as product:
            live, fast = latencies(
                Target(product.port, ["/livez"]), Target(fastapi.port, [f"/0{question()}"]), requests=requests
            )
            yield run.cost("livez_latency", live, fast, "bare FastAPI", unit="µs")
