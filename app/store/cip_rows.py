"""A case of a CIP-API as a row of the store, without its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from app.formats.gel_values import timestamp


class State(StrEnum):
    """How far the store of calls follows a case."""

    LISTED = "listed"
    """Only the list of cases is known"""
    WAITING = "waiting"
    """Its calls are not those of its document yet"""
    STORED = "stored"
    QUARANTINED = "quarantined"
    """Nothing of it can be stored; the report says why"""
    BLOCKED = "blocked"
    """Its status says so: it has no calls in the store"""
    REFUSED = "refused"
    """Somebody refused the test: it has no calls in the store"""
    SUPERSEDED = "superseded"
    """A newer version has taken its place"""


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case without its documents."""

    row: int
    """Number of the case in the store"""
    ir_id: int
    version: int
    overview: Mapping[str, Any]
    """Entry of the list of cases, addresses without host (``gel_overview.with_base``)"""
    sha256: str
    origin: str
    state: State
    reflected: str
    tests: tuple[tuple[str, str], ...]
    """(subject, test) that it has in the store of calls"""
    report: Mapping[str, Any]
    last_modified: str
    sample_type: str
    updated: str = ""
    """When the document, or what its calls rest on, was changed last: a mark for ``cip_cases.reflect``"""

    @property
    def name(self) -> str:
        """Return ``40101-1``."""
        return f"{self.ir_id}-{self.version}"


COLUMNS: Final = (
    "c.id, c.ir_id, c.version, c.overview, c.sha256, c.origin, c.state, c.reflected, c.tests, c.report,"
    " c.last_modified, c.sample_type, c.updated"
)
"""What ``read_case`` reads, of ``cip_case c``"""

CONSENT_KEYS: Final = (
    "(select f.case_row, f.value from cip_facet f where f.name = 'consents'"
    " union select k.id, t.referral_id from cip_case k"
    " join cip_referral_test t on t.ir_id = k.ir_id and t.ir_version = k.version)"
)
"""Under which ``referral_id`` (``value``) the consents of cases (``case_row``) are"""


def read_case(row: Sequence[Any]) -> StoredCase:
    """Return a case from the columns ``COLUMNS``."""
    number, ir_id, version, overview, sha256, origin, state, reflected, tests, report, modified, kind, updated = row
    return StoredCase(
        row=number,
        ir_id=ir_id,
        version=version,
        overview=orjson.loads(overview),
        sha256=sha256,
        origin=origin,
        state=State(state),
        reflected=reflected,
        tests=tuple((subject, test) for subject, test in orjson.loads(tests)),
        report=orjson.loads(report),
        last_modified=modified,
        sample_type=kind,
        updated=updated,
    )


def now() -> str:
    """Return the time as the interface writes it: ``2022-03-02T10:00:00.000000Z``."""
    return timestamp(datetime.now(UTC))
