"""Sending an answer only once its request is recorded: nothing is told that is not recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.types import Message, Scope, Send

from app.api.errors import render
from app.api.logs import describe, log
from app.api.scope import REQUEST_ID
from app.api.server import Server
from app.errors import Unavailable


class Recorder:
    """Sends an answer once ``record``, which is given the status and waits for the store, has returned."""

    def __init__(self, server: Server, scope: Scope, send: Send, record: Callable[[int], None]) -> None:
        self._server = server
        self._scope = scope
        self._send = send
        self._record = record
        self._failed = False

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one only after the request was recorded, else a refusal (503)."""
        if message["type"] == "http.response.start":
            status = message["status"]
            try:
                await self._server.run(lambda: self._record(status))
            except Exception as error:  # whatever the reason: what is not recorded is not answered
                self._failed = True
                log(logging.ERROR, "audit", request_id=self._scope[REQUEST_ID], failure=describe(error))
                refusal = Unavailable("The request could not be recorded, and was not answered therefore")
                await render(self._scope, refusal)(self._scope, _no_body, self._send)
        if not self._failed:
            await self._send(message)


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
