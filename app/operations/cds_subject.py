"""Which subject of the store the patient of a CDS client is; nobody, rather than perhaps the wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.errors import PrefetchUnavailable
from app.operations.cds_request import HookCall
from app.pgx.orders import objects, text_of
from app.store import subjects
from app.store.session import Session
from app.store.subjects import Subject

Fetch = Callable[[str, str | None], Mapping[str, Any] | None]
"""Returns the resource at an address, with a token; None where it may not be asked, or does not answer"""

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_MOST_IDENTIFIERS = 50


def patient_of(session: Session, call: HookCall, fetch: Fetch, *, ids_are_ours: bool) -> Subject | None:
    """Return the subject that a call is about; None for a patient who is not known here.

    The id of the patient counts where clients share ours, else the identifiers of the Patient that was sent along, or
    else of the one that the client's server gives.

    Raises:
        PrefetchUnavailable: only identifiers would tell, and no Patient can be had.
    """
    by_id = subjects.find(session, [call.patient_id]).get(call.patient_id) if ids_are_ours else None
    patient = _sent(call)
    if patient is None and by_id is None:
        patient = _fetched(call, fetch)
        if patient is None and not ids_are_ours:
            raise PrefetchUnavailable("The Patient was not sent along, and cannot be fetched")
    if patient is None:
        return by_id
    by_identifier = _identified(session, patient)
    named = set(by_identifier) | ({by_id.subject_id} if by_id else set())
    if len(named) != 1:
        return None
    found = by_id or subjects.find(session, named)[named.pop()]
    return found if _is_of_age(found, patient) else None


def _sent(call: HookCall) -> Mapping[str, Any] | None:
    patient = call.prefetched("patient")
    return patient if patient is not None and patient.get("resourceType") == "Patient" else None


def _fetched(call: HookCall, fetch: Fetch) -> Mapping[str, Any] | None:
    if call.fhir_server is None or not _ID.fullmatch(call.patient_id) or not call.patient_id.strip("."):
        return None
    patient = fetch(f"{call.fhir_server.rstrip('/')}/Patient/{call.patient_id}", call.access_token)
    if patient is None or patient.get("resourceType") != "Patient" or text_of(patient.get("id")) != call.patient_id:
        return None
    return patient


def _identified(session: Session, patient: Mapping[str, Any]) -> list[str]:
    """Return the ids of all subjects that have one of the identifiers of a Patient."""
    found: dict[str, None] = {}
    for identifier in list(objects(patient.get("identifier")))[:_MOST_IDENTIFIERS]:
        value = text_of(identifier.get("value"))
        if value and identifier.get("use") != "old":
            found |= dict.fromkeys(subjects.with_identifier(session, text_of(identifier.get("system")), value))
    return list(found)


def _is_of_age(subject: Subject, patient: Mapping[str, Any]) -> bool:
    """Return whether the dates of birth do not contradict each other; dates may lack day and month."""
    ours, theirs = subject.birth_date or "", text_of(patient.get("birthDate"))
    length = min(len(ours), len(theirs))
    return ours[:length] == theirs[:length]
