"""A server for one benchmark, in a process of its own: the product, a bare FastAPI application, or bare ASGI.

It listens on a loopback port of its own, prints the number, and stops when it is told to, after its time, or after its
number of requests.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.main import create_app
from app.memory import keep_large_blocks

_SECONDS = 600.0
_REQUESTS = 500_000
_START_SECONDS = 30.0
_FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server of this benchmark that answers on a loopback port."""

    port: int


@contextmanager
def product_server(home: Path, database_url: str) -> Iterator[RunningServer]:
    """Serve a store with the product, its sequences and chains from ``home``."""
    with _running(["product", "--home", str(home), "--database", database_url]) as server:
        yield server


@contextmanager
def fastapi_server(bodies: Sequence[int]) -> Iterator[RunningServer]:
    """Serve bodies of so many bytes at ``/0``, ``/1``, … with FastAPI; each takes the parameters of a subject query."""
    with _running(["fastapi", "--bodies", json.dumps(list(bodies))]) as server:
        yield server


@contextmanager
def asgi_server(bodies: Sequence[int]) -> Iterator[RunningServer]:
    """Serve bodies of so many bytes at ``/0``, ``/1``, … without any framework."""
    with _running(["asgi", "--bodies", json.dumps(list(bodies))]) as server:
        yield server


@contextmanager
def _running(arguments: Sequence[str]) -> Iterator[RunningServer]:
    command = [sys.executable, "-m", "bench.server", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield RunningServer(_announced_port(process))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _announced_port(process: subprocess.Popen[str]) -> int:
    """Wait until the server answers and return its port."""
    if process.stdout is None:
        raise ValueError("the server's output is not connected")
    watch = threading.Timer(_START_SECONDS, process.kill)
    watch.start()
    try:
        announced = process.stdout.readline()
    finally:
        watch.cancel()
    if not announced:
        raise RuntimeError(f"a server did not start: {' '.join(map(str, process.args))}")  # type: ignore[arg-type]
    return int(announced)


# --- in the server's process ------------------------------------------------------------------------------------------


class _Announcing(uvicorn.Server):
    """A server that prints its port once it accepts connections; its other options are those of ``operon serve``."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            print(sockets[0].getsockname()[1], flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.server")
    parser.add_argument("kind", choices=("product", "fastapi", "asgi"))
    parser.add_argument("--database")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--bodies", type=json.loads, default=[])
    given = parser.parse_args(arguments)
    match given.kind:
        case "product":
            application: Any = _product(given.home, given.database)
        case "fastapi":
            application = _fastapi(given.bodies)
        case _:
            application = _Asgi(given.bodies)
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_max_requests=_REQUESTS,
        timeout_graceful_shutdown=2,
    )
    server = _Announcing(config)
    watch = threading.Timer(_SECONDS, setattr, (server, "should_exit", True))
    watch.daemon = True
    watch.start()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        server.run(sockets=[listener])


def _product(home: Path, database_url: str) -> FastAPI:
    keep_large_blocks()  # as every server process does
    return create_app(Settings(home=home, database_url=database_url))


def _fastapi(bodies: Sequence[int]) -> FastAPI:
    application = FastAPI(openapi_url=None)
    for number, size in enumerate(bodies):
        _add_endpoint(application, f"/{number}", filler(size))
    return application


def _add_endpoint(application: FastAPI, path: str, body: bytes) -> None:
    @application.get(path)
    async def answer(subject: str, ranges: str, includeVariants: bool = False) -> Response:  # noqa: N803 - FHIR's name
        return Response(body, media_type=_FHIR_JSON)


class _Asgi:
    """An application without a framework."""

    def __init__(self, bodies: Sequence[int]) -> None:
        self._answers = {f"/{number}": filler(size) for number, size in enumerate(bodies)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body = self._answers[scope["path"]]
        headers = [(b"content-type", _FHIR_JSON.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def filler(size: int) -> bytes:
    """Return a JSON text of so many bytes."""
    return b'"' + b"x" * max(0, size - 2) + b'"'


if __name__ == "__main__":
    main()
