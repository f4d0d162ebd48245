"""A client that speaks ASGI to the application in this process and sends exactly the bytes it is given.

HTTP libraries rewrite URLs; here ``|``, ``>``, ``%24`` or a raw ``+`` arrive as written.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def issues(self) -> list[dict[str, Any]]:
        body = self.json()
        assert body["resourceType"] == "OperationOutcome", body
        return body["issue"]

    @property
    def diagnostics(self) -> list[str]:
        return [issue["diagnostics"] for issue in self.issues]


class Client:
    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def get(self, url: str, **headers: str) -> Answer:
        return self.request("GET", url, headers=headers)

    def head(self, url: str, **headers: str) -> Answer:
        return self.request("HEAD", url, headers=headers)

    def options(self, url: str, **headers: str) -> Answer:
        return self.request("OPTIONS", url, headers=headers)

    def post(
        self, url: str, body: bytes | str | dict = b"", content_type: str = "application/fhir+json", **headers: str
    ) -> Answer:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        return self.request("POST", url, data, {"content_type": content_type, **headers})

    def form(self, url: str, body: str, **headers: str) -> Answer:
        return self.post(url, body, "application/x-www-form-urlencoded", **headers)

    def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        root_path: str = "",
        chunk: int = 65536,
    ) -> Answer:
        """Send one request; ``_`` in a header's name stands for ``-``."""
        return self.loop.run_until_complete(self.send(method, url, body, headers, root_path=root_path, chunk=chunk))

    async def send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        root_path: str = "",
        chunk: int = 65536,
    ) -> Answer:
        path, _, query = url.partition("?")
        sent = {b"host": b"testserver"}
        for name, value in (headers or {}).items():
            sent[name.replace("_", "-").lower().encode()] = value.encode("latin-1")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode("utf-8", "surrogateescape"),
            "root_path": root_path,
            "headers": list(sent.items()),
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        return await self._exchange(scope, body, chunk)

    async def _exchange(self, scope: dict[str, Any], body: bytes, chunk: int) -> Answer:
        chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
        messages = [
            {"type": "http.request", "body": piece, "more_body": position < len(chunks) - 1}
            for position, piece in enumerate(chunks)
        ]
        messages.reverse()
        started: dict[str, Any] = {}
        received = bytearray()

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                assert not started, "two responses"
                started.update(message)
            else:
                received.extend(message.get("body", b""))

        await self.app(scope, receive, send)
        headers: dict[str, str] = {}
        for name, value in started["headers"]:
            key = name.decode()
            headers[key] = f"{headers[key]}, {value.decode()}" if key in headers else value.decode()
        return Answer(started["status"], headers, bytes(received))
