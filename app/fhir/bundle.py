"""Bundles: results of searches, batches and the answers to them (https://hl7.org/fhir/R4/bundle.html).

Resources may be ``orjson.Fragment``: what is serialized already is not read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from app.errors import InvalidBody, TooCostly, quoted

_VERBS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})


def searchset(found: Iterable[tuple[str, Any]], *, self_url: str) -> dict[str, Any]:
    """Return the Bundle of what a search found, as (full URL, resource)."""
    entries = [{"fullUrl": url, "resource": resource, "search": {"mode": "match"}} for url, resource in found]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": self_url}],
    }
    if entries:
        bundle["entry"] = entries
    return bundle


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One request of a batch; ``resource`` is the body of a POST."""

    method: str
    url: str
    resource: object = None
    if_none_match: str | None = None


def read_batch(body: object, *, most_entries: int) -> list[BatchEntry | InvalidBody]:
    """Return the requests of a batch in their order; what is wrong with one entry stands in its place.

    Raises:
        InvalidBody: the body is not a Bundle of type batch.
        TooCostly: it has too many entries.
    """
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        raise InvalidBody("The request body is not a Bundle")
    match body.get("type"):
        case "batch":
            entries = body.get("entry", [])
        case "transaction":
            raise InvalidBody("A Bundle of type transaction is not served: nothing can be written here; send a batch")
        case other:
            raise InvalidBody(f"A Bundle of type '{quoted(other)}' is not served; send a batch")
    if not isinstance(entries, list):
        raise InvalidBody("Bundle.entry is not an array")
    if len(entries) > most_entries:
        raise TooCostly(f"The batch has {len(entries)} entries, the limit (OPERON_MAX_BATCH_ENTRIES) is {most_entries}")
    return [_read_entry(entry, f"Bundle.entry[{position}]") for position, entry in enumerate(entries)]


def _read_entry(entry: object, where: str) -> BatchEntry | InvalidBody:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(request, dict):
        return InvalidBody(f"{where} has no request")
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in _VERBS:
        return InvalidBody(f"{where}.request.method is none of {', '.join(sorted(_VERBS))}")
    if not isinstance(url, str) or not url:
        return InvalidBody(f"{where}.request.url is missing")
    if_none_match = request.get("ifNoneMatch")
    if if_none_match is not None and not isinstance(if_none_match, str):
        return InvalidBody(f"{where}.request.ifNoneMatch is not a string")
    return BatchEntry(method, url, entry.get("resource"), if_none_match)


def batch_response(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the Bundle that answers a batch, with the entries of ``answered`` in the order of the requests."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if entries:
        bundle["entry"] = list(entries)
    return bundle


def answered(status: int, *, resource: Any = None, outcome: Any = None, etag: str | None = None) -> dict[str, Any]:
    """Return one entry of the answer to a batch: what was found, or the outcome that says why not."""
    response: dict[str, Any] = {"status": f"{status} {HTTPStatus(status).phrase}"}
    if etag is not None:
        response["etag"] = etag
    if outcome is not None:
        response["outcome"] = outcome
    return {"response": response} if resource is None else {"resource": resource, "response": response}
