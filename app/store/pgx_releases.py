"""Releases of pharmacogenetic knowledge: stored table by table in Operon's own layout, listed, switched and removed.

Several may be active; what counts of them is decided by ``app.pgx.layers``. What a release says of drugs and genotypes
for the operations on implications is a release of knowledge of the same name (``app.store.knowledge``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import orjson
import zstandard

from app.formats.pgx import PgxContent
from app.formats.pgx_tables import read_folder, write_tables
from app.store import counters, release_names
from app.store.session import Session

EMBEDDED: Final = "embedded"
"""Source of the release that comes with the program"""

_LEVEL = 9
_RELEASE = "id, name, source, label, version, released, licence, attribution, files, sha256, active, report, loaded"
_COLUMNS = tuple(_RELEASE.split(", "))


@dataclass(frozen=True, slots=True)
class PgxFacts:
    """What is told of a release; ``name`` is what answers and commands call it."""

    name: str
    source: str
    label: str
    version: str
    released: str | None
    licence: str
    attribution: str
    files: Sequence[Mapping[str, Any]]
    """Name, sha256 and size of each file"""
    sha256: str


@dataclass(frozen=True, slots=True)
class PgxRelease:
    """One release as the store knows it."""

    release_id: int
    facts: PgxFacts
    active: bool
    report: Mapping[str, Any]
    loaded: str

    @property
    def name(self) -> str:
        """Return what answers and commands call it."""
        return self.facts.name


def releases(session: Session, *, active: bool | None = None) -> list[PgxRelease]:
    """Return the releases of the store in the order in which they were loaded; only (in)active ones if asked for."""
    rows = session.run(f"select {_RELEASE} from pgx_release order by id")
    found = [_release(row) for row in rows]
    return [one for one in found if active is None or one.active is active]


def _release(row: Sequence[Any]) -> PgxRelease:
    release_id, name, source, label, version, released, licence, attribution, files, sha256, active, *rest = row
    report, loaded = rest
    facts = PgxFacts(
        name, source, label, version, released, licence, attribution, orjson.loads(files), sha256
    )  # fmt: skip
    return PgxRelease(release_id, facts, bool(active), orjson.loads(report), loaded)


def named(session: Session, name: str) -> PgxRelease:
    """Return a release by name; raises NotFound if there is none."""
    return release_names.find(releases(session), name, "pharmacogenetic")


def add(session: Session, facts: PgxFacts, content: PgxContent, report: Mapping[str, Any]) -> PgxRelease:
    """Store a release; it is inactive until it is activated.

    Raises:
        InvalidInput: the store has a release of that name.
    """
    release_names.refuse_taken(session, "pgx_release", facts.name)
    release_id = counters.allocate(session, counters.PGX_RELEASE, 1)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = (
        release_id, facts.name, facts.source, facts.label, facts.version, facts.released, facts.licence,
        facts.attribution, orjson.dumps(list(facts.files)).decode(), facts.sha256, 0,
        orjson.dumps(dict(report)).decode(), now,
    )  # fmt: skip
    session.insert_rows("pgx_release", _COLUMNS, [row])
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    tables = [(release_id, name, compressor.compress(text)) for name, text in sorted(write_tables(content).items())]
    session.insert_rows("pgx_table", ("release_id", "name", "data"), tables)
    return PgxRelease(release_id, facts, active=False, report=report, loaded=now)


def set_active(session: Session, release: PgxRelease, *, active: bool) -> None:
    """Let answers use a release, or no longer; calls that name another release are stale from then on."""
    session.run_many("update pgx_release set active = ? where id = ?", [(int(active), release.release_id)])
    counters.add(session, counters.DATA_VERSION, 1)


def remove(session: Session, release: PgxRelease) -> None:
    """Remove every row of a release."""
    scope = {"id": release.release_id}
    session.run("delete from pgx_table where release_id = :id returning 1", scope)
    session.run("delete from pgx_release where id = :id returning 1", scope)
    counters.add(session, counters.DATA_VERSION, 1)


def content_of(session: Session, release: PgxRelease) -> PgxContent:
    """Return what a release says."""
    rows = session.run(
        "select name, data from pgx_table where release_id = :id order by name", {"id": release.release_id}
    )
    decompressor = zstandard.ZstdDecompressor()
    texts = {name: decompressor.decompress(bytes(data)) for name, data in rows}
    return read_folder({name: (BytesIO(text), f"{release.name} {name}.tsv") for name, text in texts.items()})
