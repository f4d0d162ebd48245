"""FHIR files as a stream of resources: Bundles, single resources, or one of them a line; plain or gzip.

A Bundle is read entry by entry, so that its size does not count; a resource is held as a whole and has a cap. JSON of
https://hl7.org/fhir/R4/json.html: a property stands once in an object, numbers are finite.

>>> text = b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"a"}}]}'
>>> [str(entry) for entry in FhirFile(io.BytesIO(text), "x.json", Settings()).entries()]
['entry[0] Patient/a']
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.config import Settings
from app.errors import BadFile, LimitExceeded, quoted
from app.variants.json_members import JsonScanner

_GZIP = b"\x1f\x8b"
_TYPES = ("collection", "transaction", "batch", "searchset", "document")
_MEND = "Give a Bundle or resources of FHIR R4 as JSON, or one of them a line"


NO_BUNDLE = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource; ``number`` counts all of the file from 0, ``bundle`` the Bundles, or is NO_BUNDLE."""

    number: int
    bundle: int
    full_url: str | None
    resource: dict[str, Any]

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.resource["resourceType"])

    def __str__(self) -> str:
        """Return the text that names the resource in messages."""
        id_ = self.resource.get("id")
        named = f"{self.type}/{id_}" if isinstance(id_, str) else self.type
        return f"entry[{self.number}] {quoted(named)}"


class FhirFile:
    """Read one file; ``bundles`` has what each Bundle says of itself, by its number, once its entries are read."""

    def __init__(self, stream: BinaryIO, source: str, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        self._stored = _Stored(stream)
        self.bundles: dict[int, dict[str, Any]] = {}
        self.number = 0

    @property
    def bytes_read(self) -> int:
        """Return how many stored bytes were taken so far."""
        return self._stored.bytes_read

    def entries(self) -> Iterator[Entry]:
        """Yield the resources in the order of the file.

        Raises:
            BadFile: the file is no FHIR JSON; the message names the entry.
            LimitExceeded: the file or a resource is above a cap; the message names the setting.
        """
        text = _Capped(self._stored, self._source, self._settings)
        scanner = JsonScanner(
            text, self._source, longest=self._settings.fhir_max_resource_bytes, pairs=_without_repeats, mend=_MEND
        )
        bundle = 0
        try:
            while start := scanner.peek():
                if start != "{":
                    scanner.fail("it is no JSON object")
                scanner.next()
                yield from self._top(scanner, bundle)
                bundle += 1
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            problem = f"its compression is damaged or cut off ({error})"
            raise BadFile(self._source, problem, mend="Copy the file again") from error
        except UnicodeDecodeError as error:
            raise BadFile(self._source, "it is no UTF-8 text", mend=_MEND) from error
        if not bundle:
            raise BadFile(self._source, "it is empty", mend=_MEND)

    def _top(self, scanner: JsonScanner, bundle: int) -> Iterator[Entry]:
        """Yield the resources of one object of the first level, of which only the brace is read."""
        members: dict[str, Any] = {}
        has_entries = False
        for name in scanner.members():
            if name in members or (name == "entry" and has_entries):
                scanner.fail("it stands twice in one object")
            opened = name == "entry" and members.get("resourceType", "Bundle") == "Bundle"
            if opened and scanner.peek() == "[":
                has_entries = True
                scanner.next()
                yield from self._of_bundle(scanner, bundle)
            else:
                members[name] = scanner.value()
        scanner.field = None
        if has_entries or members.get("resourceType") == "Bundle":
            self._check_bundle(scanner, members)
            self.bundles[bundle] = members
        else:
            yield self._entry(scanner, NO_BUNDLE, None, members)

    def _of_bundle(self, scanner: JsonScanner, bundle: int) -> Iterator[Entry]:
        for _ in scanner.elements():
            scanner.field = f"entry[{self.number}]"
            entry = scanner.value()
            if not isinstance(entry, dict):
                scanner.fail("it is no JSON object")
            full_url = entry.get("fullUrl")
            if full_url is not None and not isinstance(full_url, str):
                scanner.fail("fullUrl is no text")
            resource = entry.get("resource")
            if resource is None:  # a DELETE of a transaction, for instance
                self.number += 1
                continue
            yield self._entry(scanner, bundle, full_url, resource)

    def _entry(self, scanner: JsonScanner, bundle: int, full_url: str | None, resource: Any) -> Entry:
        scanner.field = f"entry[{self.number}]"
        if not isinstance(resource, dict):
            scanner.fail("the resource is no JSON object")
        if not isinstance(resource.get("resourceType"), str):
            scanner.fail("the resource has no resourceType")
        if self.number >= self._settings.fhir_max_resources:
            raise LimitExceeded(
                self._source,
                f"it has more than {self._settings.fhir_max_resources:,} resources",
                mend="Split it, or raise OPERON_FHIR_MAX_RESOURCES",
            )
        entry = Entry(self.number, bundle, full_url, resource)
        self.number += 1
        return entry

    def _check_bundle(self, scanner: JsonScanner, members: dict[str, Any]) -> None:
        if members.get("resourceType") != "Bundle":
            scanner.fail("it has entries, but its resourceType is not Bundle")
        if members.get("type") not in _TYPES:
            given = quoted(str(members.get("type")))
            scanner.fail(f"the type of the Bundle is {given}; {', '.join(_TYPES)} are read")


class _Stored(io.RawIOBase):
    """The stored bytes, of which the first two were looked at and the rest are counted; nothing is sought."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._first = stream.read(2)
        self.is_packed = self._first == _GZIP
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        data, self._first = self._first or self._stream.read(len(buffer)), b""
        buffer[: len(data)] = data
        self.bytes_read += len(data)
        return len(data)


class _Capped:
    """The text of a file, unpacked where it is packed, up to the cap."""

    def __init__(self, stored: _Stored, source: str, settings: Settings) -> None:
        buffered = io.BufferedReader(stored, 1 << 18)
        self._stream: BinaryIO = gzip.GzipFile(fileobj=buffered) if stored.is_packed else buffered  # type: ignore[assignment]
        self._source = source
        self._most = settings.fhir_max_bytes
        self._read = 0

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; raises LimitExceeded."""
        block = self._stream.read(size)
        self._read += len(block)
        if self._read > self._most:
            problem = f"it has more than {self._most:,} bytes of text"
            raise LimitExceeded(self._source, problem, mend="Raise OPERON_FHIR_MAX_BYTES if it is meant")
        return block


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"{quoted(name)} stands twice in one object")
            seen.add(name)
    return members
