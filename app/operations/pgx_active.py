"""What the releases in use say together, read once for as long as they are in use."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from app.config import Settings
from app.formats.pgx import PgxContent
from app.operations.pgx import ActivePgx
from app.operations.pgx_seed import SEED_NAME, embedded_content
from app.operations.pgx_templates import grade_rules, templates
from app.pgx.drugs import DrugIndex
from app.pgx.grades import graded
from app.pgx.layers import Layer, Merged, merged
from app.pgx.texts import Texts, with_templates
from app.store import pgx_releases
from app.store.pgx_releases import EMBEDDED, PgxRelease
from app.store.session import Database, Session


def in_use(session: Session) -> tuple[list[PgxRelease], bool]:
    """Return the active releases, newest first, and whether the embedded one counts without having been loaded.

    The embedded release is the oldest of all, whenever it was loaded. A store that has loaded it uses it while it is
    active; any other store uses it beneath whatever else is active.
    """
    known = pgx_releases.releases(session)
    active = [one for one in known if one.active]
    active.sort(key=lambda one: (one.facts.source != EMBEDDED, one.release_id), reverse=True)
    return active, all(one.facts.source != EMBEDDED for one in known)


def active_content(session: Session, *, known: Mapping[int, PgxContent] | None = None) -> Merged:
    """Return what the releases in use say together; ``known`` has contents that need not be read."""
    active, seeded = in_use(session)
    kept = known or {}
    layers = [
        Layer(one.name, kept[one.release_id] if one.release_id in kept else pgx_releases.content_of(session, one))
        for one in active
    ]
    if seeded:
        layers.append(Layer(SEED_NAME, embedded_content()))
    return merged(layers)


def assembled(found: Merged, settings: Settings) -> ActivePgx:
    """Return releases with the texts, grades and indexes that answers need."""
    content = graded(with_templates(found.content, templates()), grade_rules(settings.pgx_grade_rules))
    names = "+".join(found.releases)
    return ActivePgx(names, content, DrugIndex(content), Texts(content), found.gene_releases, found.advice_releases)


class ActivePgxReader:
    """Keeps what the releases in use say until others are in use; safe for several threads."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = Lock()
        self._version = ""
        self._releases: tuple[object, ...] | None = None
        self._contents: dict[int, PgxContent] = {}
        self._active: ActivePgx | None = None

    def current(self, version: str) -> ActivePgx:
        """Return what counts at a version of the store's data.

        A new version costs one look at the list of releases, and only other releases are read anew.
        """
        with self._lock:
            if self._active is None or version != self._version:
                with self._database.read() as session:
                    self._active = self._read(session)
                self._version = version
            return self._active

    def _read(self, session: Session) -> ActivePgx:
        active, seeded = in_use(session)
        releases = (seeded, *((one.release_id, one.name) for one in active))
        if self._active is not None and releases == self._releases:
            return self._active
        self._contents = {
            one.release_id: self._contents.get(one.release_id) or pgx_releases.content_of(session, one)
            for one in active
        }
        found = assembled(active_content(session, known=self._contents), self._settings)
        self._releases = releases
        return found
