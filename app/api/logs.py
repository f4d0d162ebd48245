"""Log lines as JSON objects or as text, without anything that a caller sent or that a subject's data hold.

What is logged of a request: its id, method, route template, status, size and time; never the query string, the path
of a Patient or a value. What is logged of a failure: types and places, since messages may quote data.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from time import time
from typing import Any

import orjson

from app.config import Settings

LOGGER = logging.getLogger("operon")

_FIELDS = "fields"
_BLOCK = "failure"
"""The one field that a text line shows below itself, one entry a line."""


def log(level: int, event: str, /, **fields: Any) -> None:
    """Write one line with named fields."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, event, extra={_FIELDS: fields})


def log_request(fields: Mapping[str, Any]) -> None:
    """Write the line of one request, past the machinery of ``logging``, which costs as much as parsing the request."""
    if LOGGER.isEnabledFor(logging.INFO):
        for handler in LOGGER.handlers:
            if isinstance(handler.formatter, LineFormatter):
                sys.stderr.write(handler.formatter.line(time(), "info", "request", fields) + "\n")


def describe(error: BaseException) -> list[str]:
    """Return where an error came from: type and frames of it and of its causes, without any message."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 200:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


class LineFormatter(logging.Formatter):
    """Formats a record with named fields as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields: Mapping[str, Any] = getattr(record, _FIELDS, {})
        return self.line(record.created, record.levelname.lower(), record.getMessage(), fields)

    def line(self, seconds: float, level: str, event: str, fields: Mapping[str, Any]) -> str:
        """Return the line of an event at a time in seconds since 1970."""
        raise NotImplementedError


class JsonFormatter(LineFormatter):
    """One JSON object a line."""

    def line(self, seconds: float, level: str, event: str, fields: Mapping[str, Any]) -> str:
        """Return the object."""
        head = {"time": datetime.fromtimestamp(seconds, UTC), "level": level, "event": event}
        return orjson.dumps(head | dict(fields), default=str).decode()


class TextFormatter(LineFormatter):
    """One readable line, the frames of a failure below it."""

    def line(self, seconds: float, level: str, event: str, fields: Mapping[str, Any]) -> str:
        """Return the line."""
        shown = " ".join(f"{name}={value}" for name, value in fields.items() if name != _BLOCK)
        moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
        return "\n".join([f"{moment} {level:7} {event} {shown}".rstrip(), *fields.get(_BLOCK, ())])


class StderrHandler(logging.Handler):
    """Writes to what standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record."""
        sys.stderr.write(self.format(record) + "\n")


def configure_logging(settings: Settings) -> None:
    """Send the server's log lines to standard error in the form that the settings ask for; may be called again."""
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    LOGGER.handlers = [handler]
    LOGGER.setLevel(settings.log_level.upper())
    LOGGER.propagate = False
    LOGGER.disabled = False  # configuring the logging of a library silences every logger that it does not name
