"""Consent of people in CIP-API cases, as it bears on every answer: who is not counted, and of whom what is not told.

What is withheld is said to be withheld; an answer without it would look like "not there". People in no case are never
affected.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from app.config import Settings
from app.errors import ConsentWithheld, NotFound
from app.fhir.parameters import Dialect, OperationInputs
from app.operations.query import named_subject
from app.store import carriers, counters, withheld
from app.store.carriers import Shards
from app.store.session import Database, Session
from app.store.version import DataVersion
from app.store.withheld import NOBODY, Withheld

Mode = Literal["off", "warn", "enforce"]

_LOGGER = logging.getLogger("operon")
_REFUSED = "Withheld: genomic testing was refused by this person, or by somebody of the same referral"
_NO_PHARMACOGENOMICS = "Withheld: this person has not agreed to pharmacogenomic findings"
_COUNTED_ALL_THE_SAME = (
    "{number} of the subjects counted have not agreed to research; they are counted because consent is not enforced"
    " on this server."
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Whom a population operation counts."""

    denominator: int
    shards: int
    """Number of shards of the store"""
    hidden: Shards = field(default_factory=dict)
    """Who is in no numerator"""
    warning: str | None = None
    """What an answer should say that counts people who have not agreed"""

    def of(self, members: Shards) -> Shards:
        """Return those members who are counted."""
        return carriers.without(members, self.hidden) if self.hidden else members

    def note(self, inputs: OperationInputs, others: str | None = None) -> str | None:
        """Return what is noted of an item; the reference implementation has no notes of consent."""
        if self.warning is None or inputs.dialect is Dialect.REF:
            return others
        return self.warning if others is None else f"{others} {self.warning}"


class ConsentGate:
    """Who is withheld from what, read once for each state of the store; safe for several threads."""

    def __init__(self, database: Database, mode: Mode, version: DataVersion) -> None:
        self._database = database
        self._mode = mode
        self._version = version
        self._known: tuple[str, Withheld] = ("", NOBODY)

    @property
    def mode(self) -> Mode:
        """Return how consent is taken notice of."""
        return self._mode

    def now(self) -> Withheld:
        """Return who is withheld from what; nobody where no notice is taken."""
        if self._mode == "off":
            return NOBODY
        version, known = self._known
        if version == self._version.current():
            return known
        with self._database.read() as session:
            return self._of(session, str(counters.value(session, counters.DATA_VERSION)))

    def _of(self, session: Session, version: str) -> Withheld:
        if self._mode == "off":
            return NOBODY
        seen, known = self._known
        if seen != version:
            known = withheld.read(session)
            self._known = (version, known)
        return known

    def counted(self, session: Session, *, pharmacogenomic: bool = False) -> Counted:
        """Return whom an operation counts; one whose answer is pharmacogenomic needs that consent, too."""
        totals = counters.values(session)
        everybody, shards = totals.get(counters.SUBJECTS, 0), carriers.shards_of(totals)
        known = self._of(session, str(totals.get(counters.DATA_VERSION, 0)))
        hidden = known.research
        if pharmacogenomic and known.pharmacogenomics:
            hidden = carriers.union([hidden, known.pharmacogenomics])
        if not hidden:
            return Counted(everybody, shards)
        number = carriers.size(hidden)
        if self._mode == "enforce":
            return Counted(everybody - number, shards, hidden)
        self._warn("population")
        return Counted(everybody, shards, warning=_COUNTED_ALL_THE_SAME.format(number=number))

    def require_testing(self, subject_id: str) -> None:
        """Raise ConsentWithheld for a subject of whom nothing is told, since the test was refused."""
        if subject_id in self.now().refused and self._is_enforced("testing"):
            raise ConsentWithheld(_REFUSED)

    def require_pharmacogenomics(self, subject_id: str) -> None:
        """Raise ConsentWithheld for a subject of whom nothing pharmacogenomic is told."""
        self.require_testing(subject_id)
        if subject_id in self.now().of_pharmacogenomics and self._is_enforced("pharmacogenomics"):
            raise ConsentWithheld(_NO_PHARMACOGENOMICS)

    def require_testing_of(self, inputs: OperationInputs) -> None:
        """Do the same for the subject of a question, named by id or identifier."""
        if inputs.subject is None or not self.now().refused:
            return
        with self._database.read() as session:
            subject_id = _named(session, inputs)
        self.require_testing(subject_id)

    def require_testing_in(self, resource: bytes) -> None:
        """Do the same for the subject of a resource that was read by its id."""
        if not self.now().refused:
            return
        found: Any = orjson.loads(resource)
        reference = str((found.get("subject") or {}).get("reference", ""))
        self.require_testing(reference.removeprefix("Patient/"))

    def _is_enforced(self, consent: str) -> bool:
        if self._mode == "enforce":
            return True
        self._warn(consent)
        return False

    def _warn(self, consent: str) -> None:
        _LOGGER.warning("answered without consent", extra={"fields": {"consent": consent}})


def open_gate(database: Database, settings: Settings) -> ConsentGate:
    """Return the gate of a store for a command."""
    return ConsentGate(database, settings.cip_consent, DataVersion(database))


def _named(session: Session, inputs: OperationInputs) -> str:
    try:
        return named_subject(session, inputs)
    except NotFound:  # said by the operation itself
        return ""
