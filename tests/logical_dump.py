"""What a store says, whatever numbers its variants have and in which form it keeps their carriers."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.store import bitmaps, codec, genotype_index, structural_codec, structural_sites, variants
from app.store.session import Database, Session
from app.store.structural_sites import StructuralSite

Identity = tuple[str | None, str | None]
"""A variant: its SPDI on GRCh37 and on GRCh38"""


def logical_dump(database: Database) -> dict[str, Any]:
    """Return variants, calls, carriers and totals as values that two stores have in common if they say the same."""
    with database.read() as session:
        ids = [row[0] for row in session.run("select id from variant")]
        placed = variants.placements_of(session, ids)
        names: dict[int, Identity] = {
            id_: (str(one.spdi37) if one.spdi37 else None, str(one.spdi38) if one.spdi38 else None)
            for id_, one in placed.items()
        }
        sites = _sites(session)
        names |= {id_: (repr(site), None) for id_, site in sites.items()}
        codes = session.run("select id, system, code from genotype_name")
        names |= {genotype_index.carrier_id(id_): (f"{system}|{code}", None) for id_, system, code in codes}
        counters = dict(session.run("select name, value from counter where name in ('variants', 'calls', 'subjects')"))
        return {
            "variants": sorted((repr(names[id_]), one.status.name, one.justified) for id_, one in placed.items()),
            "call sets": sorted(session.run("select uid, calls, unplaced from call_set")),
            "calls": _calls(session, names),
            "structural sites": sorted(map(repr, sites.values())),
            "structural calls": _structural_calls(session, sites),
            "carriers": _carriers(session, names),
            "counters": counters,
            "stated": sorted(
                session.run(
                    "select i.uid, s.subject_id, st.test_id, i.kind, i.body, i.concepts, i.findings,"
                    " (select count(*) from stated_concept c where c.uid = i.uid),"
                    " (select count(*) from stated_owner o where o.uid = i.uid) from stated_implication i"
                    " join subject s on s.ordinal = i.subject_ordinal join study st on st.id = i.study_id"
                )
            ),
        }


def _calls(session: Session, names: dict[int, Identity]) -> dict[tuple[str, int, int, int], list[str]]:
    rows = session.run(
        "select cs.uid, c.contig, c.part, c.bin, c.data from call_chunk c join call_set cs on cs.id = c.call_set_id"
    )
    return {(uid, contig, part, bin_): sorted(map(repr, _chunk(data, names))) for uid, contig, part, bin_, data in rows}


def _sites(session: Session) -> dict[int, StructuralSite]:
    return structural_sites.fetch(session, [row[0] for row in session.run("select id from structural_site")])


def _structural_calls(session: Session, sites: dict[int, StructuralSite]) -> dict[tuple[str, int], list[str]]:
    rows = session.run(
        "select cs.uid, c.contig, c.data from structural_chunk c join call_set cs on cs.id = c.call_set_id"
    )
    found: dict[tuple[str, int], list[str]] = {}
    for uid, contig, data in rows:
        chunk = structural_codec.decode(data)
        ends = np.concatenate((chunk.native, chunk.other)).T.tolist()
        placed = zip(chunk.site.tolist(), ends, chunk.calls, strict=True)
        calls = [repr((sites[site], places, call)) for site, places, call in placed]
        found[uid, contig] = sorted([*found.get((uid, contig), []), *calls])
    return found


def _chunk(data: bytes, names: dict[int, Identity]) -> list[tuple[Any, ...]]:
    chunk = codec.decode(data)
    optional = [chunk.depth, chunk.ref_depth, chunk.alt_depth, chunk.allele_depths, chunk.frequency, chunk.phase_set]
    return [
        (
            int(chunk.start[row]),
            names[int(chunk.variant[row])],
            chunk.alleles[int(chunk.allele[row])],
            chunk.placements[int(chunk.placement[row])],
            chunk.genotypes[int(chunk.genotype[row])],
            [_stated(column, row) for column in optional],
            "PASS" if chunk.filter is None else chunk.filters[int(chunk.filter[row])],
        )
        for row in range(len(chunk))
    ]


def _stated(column: Any, row: int) -> float | None:
    """Return a value of a call, None where it is absent, with or without the column."""
    value = None if column is None else float(column[row])
    return None if value is None or np.isnan(value) or value == -1 else value


def _carriers(session: Session, names: dict[int, Identity]) -> dict[Identity, list[tuple[int, int]]]:
    found: dict[Identity, set[tuple[int, int]]] = {}
    for variant_id, shard, n, members, detail in session.run("select * from carrier"):
        kinds = bitmaps.unpack_detail(members, detail)
        everyone = {member for bits in kinds.values() for member in bits}
        assert (n, set(bitmaps.unpack(members))) == (len(everyone), everyone)
        entries = {((shard << 16) + member, kind) for kind, bits in kinds.items() for member in bits}
        found.setdefault(names[variant_id], set()).update(entries)
    for page, shard, data in session.run("select * from carrier_page"):
        columns = bitmaps.unpack_page(page, data)
        assert len(columns[0])
        for variant_id, kind, member in np.stack(columns, axis=1).tolist():
            found.setdefault(names[variant_id], set()).add(((shard << 16) + member, kind))
    return {name: sorted(entries) for name, entries in sorted(found.items(), key=repr)}
