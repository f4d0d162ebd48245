"""What the routes of one application share: settings, declared operations, threads, metrics and the open context."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from starlette.types import Scope

from app.api.metrics import Metrics
from app.config import Settings
from app.errors import Unavailable
from app.fhir.definitions import Definition
from app.operations.interface import Context

FHIR_BASE = "/fhir"

# More threads do not answer faster: rendering holds the interpreter, and each thread keeps a database connection.
_THREADS = 8

_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")

T = TypeVar("T")


class Server:
    """The state of one application; ``context`` is None until the application has started."""

    def __init__(self, settings: Settings, definitions: Mapping[str, Definition], context: Context | None) -> None:
        self.settings = settings
        self.definitions = definitions
        self.context = context
        self.metrics = Metrics()
        self.started = datetime.now(UTC)
        self.closing: list[Callable[[], None]] = []
        """What routes have to be done with before the context is closed"""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="operon")

    def opened(self) -> Context:
        """Return the open context. Raises Unavailable before the start and after the stop."""
        if self.context is None:
            raise Unavailable("The server is starting or stopping")
        return self.context

    def offered(self) -> list[Definition]:
        """Return the declared operations that something answers."""
        handlers = self.opened().handlers
        return [definition for name, definition in self.definitions.items() if name in handlers]

    async def run(self, function: Callable[[], T]) -> T:
        """Return what a blocking function returns, without blocking other requests."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Wait for what is running, then release the context."""
        self._pool.shutdown(wait=True)
        for close in self.closing:
            close()
        context, self.context = self.context, None
        if context is not None:
            context.close()

    def root_url(self, scope: Scope) -> str:
        """Return the public address without a trailing slash: the configured one, else that of the request."""
        if self.settings.base_url:
            return self.settings.base_url.rstrip("/")
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if not _HOST.fullmatch(host):
            host = f"{self.settings.host}:{self.settings.port}"
        root_path: str = scope.get("root_path", "")
        return f"{scope.get('scheme', 'http')}://{host}{root_path}"

    def base_url(self, scope: Scope) -> str:
        """Return the public address of the FHIR base."""
        return self.root_url(scope) + FHIR_BASE
