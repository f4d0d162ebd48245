"""Starting the server from the command line."""

from __future__ import annotations

import os

import uvicorn

from app.config import Settings
from app.main import refuse_exposure
from ingest.http_protocol import Protocol


def with_address(settings: Settings, *, host: str | None, port: int | None, workers: int | None) -> Settings:
    """Return the settings with what the command line says about the address."""
    given = {"host": host, "port": port, "workers": workers}
    return settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises:
        Misconfigured: the address is beyond loopback, and nothing guards the data.
    """
    refuse_exposure(settings)
    # Every worker process reads the settings anew, so what the command line said must be in its environment.
    for name in ("host", "port", "workers"):
        os.environ[f"OPERON_{name.upper()}"] = str(getattr(settings, name))
    uvicorn.run(
        "app.main:from_environment",
        factory=True,
        http=Protocol,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
