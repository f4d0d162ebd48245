"""Requests that the parser refuses get an OperationOutcome from a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from ingest.http_protocol import Protocol


async def _never(scope: object, receive: object, send: object) -> None:
    raise AssertionError("the request reached the application")


@pytest.fixture
def port(allow_loopback: Callable[[int], None]) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        allow_loopback(number)
        config = uvicorn.Config(_never, http=Protocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield number
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize(
    ("request_line", "status", "said"),
    [
        (b"GET /fhir/$find-subject-variants?ranges=" + b"A" * 2_000_000 + b" HTTP/1.1", 414, "too long"),
        (b"NO HTTP AT ALL", 400, "cannot be read"),
    ],
    ids=["two megabytes", "no HTTP"],
)
def test_an_unreadable_request_gets_an_outcome(port: int, request_line: bytes, status: int, said: str) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request_line + b"\r\nhost: x\r\n\r\n")
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.split()[1] == str(status).encode()
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert said in outcome["issue"][0]["diagnostics"]
