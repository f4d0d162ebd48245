"""HTTP as uvicorn reads it, with answers of our own where a request never reaches the application.

The parser takes a request line of 64 kB; longer ones, and what is no HTTP, end here with an OperationOutcome as well.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.api.scope import PEER
from app.errors import InvalidInput, OperonError, UriTooLong
from app.fhir.outcome import operation_outcome

_LONGEST_URL = 65_535
_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
_SPECIAL = re.compile(r"[\\,+\"<>;=#]")


class Protocol(HttpToolsProtocol):
    """Answers unreadable requests as the rest of the server answers errors."""

    def on_message_begin(self) -> None:
        """Tell the application who is at the other end: its address, and the subject of its certificate."""
        super().on_message_begin()
        told: dict[str, Any] = {PEER: self.client}
        encrypted = self.transport.get_extra_info("ssl_object")
        if encrypted is not None:
            told["extensions"] = {"tls": {"client_cert_name": _subject(encrypted.getpeercert())}}
        self.scope.update(told)  # type: ignore[typeddict-item]

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


def _subject(certificate: Any) -> str | None:
    """Return the subject of a verified certificate as RFC 4514 writes it; None without one."""
    if not certificate:
        return None
    parts = [pair for names in reversed(certificate.get("subject", ())) for pair in names]
    return ",".join(f"{_SHORT.get(name, name)}={_SPECIAL.sub(_escaped, value)}" for name, value in parts)


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"
