"""The application: which middleware a request passes, which routes there are, what is open while the server runs.

>>> app = create_app(Settings())  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__
from app.api import (
    abomics,
    abomics_gate,
    batch,
    capability,
    cds_hooks,
    cip,
    cip_gate,
    client_certificates,
    health,
    openapi,
    reading,
    snp_import,
    utilities,
)
from app.api.errors import EXCEPTION_HANDLERS
from app.api.logs import configure_logging
from app.api.middleware import build_middleware
from app.api.operations import OperationRoute
from app.api.server import Server
from app.config import Settings, is_loopback
from app.errors import Misconfigured
from app.fhir.definitions import Definition, load_definitions
from app.memory import keep_large_blocks
from app.operations.interface import Context
from app.operations.registry import open_context
from app.web import pages


def create_app(
    settings: Settings, context: Context | None = None, *, definitions: Mapping[str, Definition] | None = None
) -> FastAPI:
    """Return the application; without a context it opens the one that the settings describe when it starts.

    Raises Misconfigured if the settings would expose it.
    """
    refuse_exposure(settings)
    configure_logging(settings)
    server = Server(settings, load_definitions() if definitions is None else definitions, context)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if server.context is None:
            opened = open_context(settings)
            opened.prepare()
            server.context = opened
        try:
            yield
        finally:
            server.close()

    gates = [cip_gate.middleware(server), abomics_gate.middleware(server)]
    app = FastAPI(
        title="Operon",
        version=__version__,
        # Ours are made from the operation definitions and need no CDN.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect would send the query, and with it a subject, once more.
        redirect_slashes=False,
        # Spans would carry the query string; numbers and log lines of our own do not.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=lifespan,
        middleware=build_middleware(settings, server.metrics, gates),
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.router.routes += [
        OperationRoute(server),
        *capability.routes(server),
        *batch.routes(server),
        *reading.routes(server),
        *utilities.routes(server),
        *cds_hooks.routes(server),
        *abomics.routes(server),
        *snp_import.routes(server),
        *health.routes(server),
        *openapi.routes(server),
        *pages.routes(server),
        *cip.routes(server),
    ]
    return app


def from_environment() -> FastAPI:
    """Return the application that the environment describes; the factory of every server process."""
    keep_large_blocks()
    return create_app(Settings())


def refuse_exposure(settings: Settings) -> None:
    """Raise Misconfigured if anybody on the network could read the data: only certificates tell who calls."""
    client_certificates.check(settings)
    if settings.env != "dev" and not is_loopback(settings.host) and settings.abomics_client_cert != "direct":
        raise Misconfigured(
            f"OPERON_HOST={settings.host} is reachable from other machines, and this release does not authenticate "
            "callers. Listen on 127.0.0.1 behind a gateway that does, let clients prove who they are by certificates "
            "(OPERON_ABOMICS_CLIENT_CERT=direct), or set OPERON_ENV=dev."
        )
