"""The variants that releases, and annotations of files, state consequences of: none are computed beside them."""

from __future__ import annotations

from collections.abc import Mapping

from pyroaring import BitMap64

from app.store.session import Session


def of_release(session: Session, release_id: int) -> BitMap64:
    """Return the variants that one release states consequences of."""
    rows = session.run("select variants from knowledge_stated where release_id = :id", {"id": release_id})
    return BitMap64.deserialize(rows[0][0]) if rows else BitMap64()


def active(session: Session) -> BitMap64:
    """Return the variants that any active release states consequences of."""
    rows = session.run(
        "select s.variants from knowledge_stated s join knowledge_release r on r.id = s.release_id where r.active = 1"
    )
    found = BitMap64()
    for (data,) in rows:
        found |= BitMap64.deserialize(data)
    return found


def put(session: Session, release_id: int, variants: BitMap64) -> None:
    """Note which variants a release states consequences of."""
    session.run("delete from knowledge_stated where release_id = :id returning 1", {"id": release_id})
    if variants:
        session.insert_rows("knowledge_stated", ("release_id", "variants"), [(release_id, variants.serialize())])


def move(session: Session, leading: Mapping[int, set[int]]) -> None:
    """Let the items of releases that state consequences of some variants state them of others instead."""
    gone = BitMap64(leading)
    for (release_id,) in session.run("select id from knowledge_release where items > 0 order by id"):
        noted = of_release(session, release_id)
        moved = noted & gone
        if moved:
            put(session, release_id, (noted - gone) | BitMap64({id_ for former in moved for id_ in leading[former]}))
