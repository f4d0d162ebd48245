"""Reading what CDS clients send: calls of services and feedback."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.errors import InvalidBody, NotFound
from app.operations.cds_services import SERVICE_IDS, is_offered
from app.pgx.orders import text_of
from app.store.cds import Feedback

_MOST_FEEDBACK = 100
_LONGEST_TEXT = 256
_LONGEST_COMMENT = 4000
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class HookCall:
    """A call of a service, as far as it matters here."""

    service: str
    hook: str
    instance: str
    patient_id: str
    orders: object
    """Bundle of the orders that are judged; None for a hook without"""
    selections: tuple[str, ...] | None
    """None: all orders are judged"""
    prefetch: Mapping[str, Any]
    fhir_server: str | None
    access_token: str | None

    @property
    def has_orders(self) -> bool:
        """Return whether the hook is about orders."""
        return self.hook != "patient-view"

    def prefetched(self, key: str) -> Mapping[str, Any] | None:
        """Return a resource that was sent along; None for one that was not, is null, or is an error."""
        value = self.prefetch.get(key)
        return value if isinstance(value, Mapping) and value.get("resourceType") != "OperationOutcome" else None


def read_call(service: str, body: object) -> HookCall:
    """Read the body of a call.

    Raises:
        NotFound: there is no such service, or it does not answer the hook.
        InvalidBody: the body is not the one of a hook.
    """
    require_service(service)
    given = _object(body, "The body")
    hook = given.get("hook")
    if not isinstance(hook, str):
        raise InvalidBody("hook is missing")
    if not is_offered(service, hook):
        raise NotFound("The service does not answer this hook")
    context = _object(given.get("context"), "context")
    patient_id = text_of(context.get("patientId")).removeprefix("Patient/")
    if not patient_id or len(patient_id) > _LONGEST_TEXT:
        raise InvalidBody("context.patientId is missing")
    authorization = given.get("fhirAuthorization")
    token = authorization.get("access_token") if isinstance(authorization, Mapping) else None
    server = given.get("fhirServer")
    prefetch = given.get("prefetch")
    if prefetch is not None:
        _object(prefetch, "prefetch")
    return HookCall(
        service=service,
        hook=hook,
        instance=_uuid(given.get("hookInstance")),
        patient_id=patient_id,
        orders=_orders(hook, context),
        selections=_selections(context) if hook == "order-select" else None,
        prefetch=prefetch or {},
        fhir_server=server if isinstance(server, str) else None,
        access_token=token if isinstance(token, str) else None,
    )


def require_service(service: str) -> None:
    """Raise NotFound for a service that is not offered."""
    if service not in SERVICE_IDS:
        raise NotFound("There is no such service")


def _orders(hook: str, context: Mapping[str, Any]) -> object:
    if hook == "patient-view":
        return None
    name = "medications" if hook == "medication-prescribe" else "draftOrders"
    orders = context.get(name)
    if not isinstance(orders, Mapping | list):
        raise InvalidBody(f"context.{name} is missing")
    return orders


def _selections(context: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the selected orders; an early client without any has all of its orders judged."""
    given = context.get("selections")
    if given is None:
        return None
    if not isinstance(given, list):
        raise InvalidBody("context.selections is no list")
    selections = tuple(map(text_of, given))
    if not all(selections):
        raise InvalidBody("context.selections holds something else than references")
    return selections


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidBody(f"{name} is no JSON object")
    return value


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else _no_uuid()
    except ValueError:
        return _no_uuid()


def _no_uuid() -> str:
    raise InvalidBody("hookInstance is no UUID")


# --- feedback ---------------------------------------------------------------------------------------------------------


def read_feedback(service: str, body: object, *, received: datetime, issuer: str | None) -> list[Feedback]:
    """Read the body of feedback.

    Raises:
        NotFound: there is no such service.
        InvalidBody: the body is not feedback; none of it counts.
    """
    require_service(service)
    given = _object(body, "The body").get("feedback")
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_FEEDBACK:
        raise InvalidBody(f"feedback is no list of 1 to {_MOST_FEEDBACK} entries")
    at = received.astimezone(UTC).isoformat(timespec="seconds")
    return [_feedback(service, _object(entry, "An entry of feedback"), at, issuer) for entry in given]


def _feedback(service: str, entry: Mapping[str, Any], received_at: str, issuer: str | None) -> Feedback:
    card = entry.get("card")
    if not isinstance(card, str) or not card or len(card) > _LONGEST_TEXT:
        raise InvalidBody("card is missing")
    outcome = entry.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise InvalidBody("outcome is neither accepted nor overridden")
    override = entry.get("overrideReason")
    reason = override.get("reason") if isinstance(override, Mapping) else None
    code, system = (reason.get("code"), reason.get("system")) if isinstance(reason, Mapping) else (None, None)
    comment = override.get("userComment") if isinstance(override, Mapping) else None
    return Feedback(
        card=card.lower(),
        service=service,
        outcome=outcome,
        suggestions=_accepted(entry) if outcome == "accepted" else (),
        reason_system=_short(system),
        reason_code=_short(code),
        comment=comment[:_LONGEST_COMMENT] if isinstance(comment, str) and comment.strip() else None,
        at=_moment(entry.get("outcomeTimestamp")),
        received_at=received_at,
        iss=issuer,
    )


def _accepted(entry: Mapping[str, Any]) -> tuple[str, ...]:
    given = entry.get("acceptedSuggestions")
    ids = [_short(one.get("id")) for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    if not isinstance(given, list) or len(given) > _MOST_FEEDBACK or len(ids) < len(given) or not all(ids):
        raise InvalidBody("acceptedSuggestions is no list of ids")
    return tuple(one for one in ids if one)


def _short(value: object) -> str | None:
    return text_of(value)[:_LONGEST_TEXT] or None


def _moment(value: object) -> str:
    try:
        if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise InvalidBody("outcomeTimestamp is no moment as in 2026-11-22T10:05:31Z") from None
