"""HTTP as uvicorn reads it, with answers of our own where a request never reaches the application.

The parser takes a request line of 64 kB; longer ones, and what is no HTTP, end here with an OperationOutcome as well.
"""

from __future__ import annotations

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import InvalidInput, OperonError, UriTooLong
from app.fhir.outcome import operation_outcome

_LONGEST_URL = 65_535


class Protocol(HttpToolsProtocol):
    """Answers unreadable requests as the rest of the server answers errors."""

    def send_400_response(self, msg: str) -> None:
        """Answer a request that the parser refused, and close the connection."""
        error: OperonError = InvalidInput(f"The request cannot be read: {msg}")
        if len(getattr(self, "url", b"")) > _LONGEST_URL:
            error = UriTooLong("The request line is too long; send the inputs by POST")
        body = orjson.dumps(operation_outcome(error))
        self.transport.write(
            STATUS_LINE[error.status]
            + b"content-type: application/fhir+json; charset=utf-8\r\ncontent-length: %d\r\n" % len(body)
            + b"connection: close\r\n\r\n"
            + body
        )
        self.transport.close()
