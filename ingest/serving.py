"""Starting the server from the command line."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from threading import Event, Thread
from typing import Any

import uvicorn

from app.config import Settings
from app.main import refuse_exposure
from ingest.http_protocol import Protocol
from ingest.inbox import watch

_GRACE_SECONDS = 5
_LOOK_SECONDS = 1.0


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
    with _inbox_worker(settings):
        uvicorn.run("app.main:from_environment", factory=True, workers=settings.workers, **options_of(settings))


def options_of(settings: Settings) -> dict[str, Any]:
    """Return how uvicorn serves: the address, the protocol, and TLS where clients prove to this server who they are."""
    options: dict[str, Any] = {
        "http": Protocol,
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
    }
    if settings.abomics_client_cert == "direct":
        options |= {
            "ssl_certfile": str(settings.tls_cert_file),
            "ssl_keyfile": str(settings.tls_key_file),
            "ssl_ca_certs": str(settings.tls_client_ca_file),
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        }
    return options


@contextmanager
def _inbox_worker(settings: Settings) -> Iterator[None]:
    """Work submitted data off in a process of its own: an ingest would take the interpreter from requests.

    What it is at when it is told to stop waits in the inbox for the next start.
    """
    if not settings.inbox_worker:
        yield
        return
    stopped = Event()
    keeper = Thread(target=_keep_worker, args=(settings, stopped), name="operon-inbox", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopped.set()
        keeper.join(2 * _GRACE_SECONDS)


def _keep_worker(settings: Settings, stopped: Event) -> None:
    """Run a worker, and another one when it dies, until the server stops."""
    while not stopped.is_set():
        worker = get_context("spawn").Process(target=watch, args=(settings, os.getpid()), daemon=True)
        worker.start()
        while worker.is_alive() and not stopped.wait(_LOOK_SECONDS):
            pass
        worker.terminate()
        worker.join(_GRACE_SECONDS)
