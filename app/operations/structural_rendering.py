"""From structural calls to the resources of an answer, and from a resource's id back to the call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from app.fhir.observation import CallSetFacts
from app.fhir.structural_observation import StructuralFacts, render_structural, variant_part
from app.operations.resource_ids import study_id
from app.operations.structural_matching import StructuralHits
from app.records import Sex, StructuralKind, Zygosity
from app.store import calls, structural_calls, structural_sites
from app.store.calls import CallSet
from app.store.session import Session
from app.store.structural_codec import StructuralCall
from app.store.structural_sites import StructuralSite
from app.variants.accessions import X, Y, accession, is_par

_PASSING = frozenset({"PASS", "."})

Sites = Mapping[int, StructuralSite]


@dataclass(frozen=True, slots=True)
class Shown:
    """One call, its Observation, and where it starts on the build that was asked for."""

    start: int
    id: str
    observation: dict[str, Any]
    site: StructuralSite
    call: StructuralCall


def resources(found: Sequence[StructuralHits], sites: Sites) -> list[str]:
    """Return the variants of one item by position and id."""
    shown = sorted(observations(found, sites), key=lambda one: (one.start, one.id))
    return [variant_part(one.observation) for one in shown]


def observation_with_id(session: Session, match: re.Match[str]) -> dict[str, Any] | None:
    """Return the Observation that has an id (``resource_ids.STRUCTURAL``), None if no structural variant has it."""
    call_set = calls.call_set_named(session, match[1])
    if call_set is None:
        return None
    shown = all_on(session, call_set, int(match[2]))
    return next((one.observation for one in shown if one.id == match[0]), None)


def all_on(session: Session, call_set: CallSet, contig: int) -> list[Shown]:
    """Return every structural call of a call set on one chromosome by start; equal ones in the order of the store."""
    chunks = structural_calls.read_chunks(session, [(call_set.shard, call_set.call_set_id, contig)])
    found = [
        StructuralHits(call_set, contig, chunk, np.arange(len(chunk)), chunk.native[0])
        for chunk in chunks.get((call_set.call_set_id, contig), ())
    ]
    sites = structural_sites.fetch(session, sorted({site for hits in found for site in hits.chunk.site.tolist()}))
    return sorted(observations(found, sites), key=lambda one: one.start)


def observations(found: Sequence[StructuralHits], sites: Sites) -> list[Shown]:
    """Return every call as an Observation."""
    seen: Counter[str] = Counter()
    out = []
    for hits in found:
        call_set, chunk = hits.call_set, hits.chunk
        about = CallSetFacts(
            call_set.subject_id, call_set.test_date, call_set.specimen_id, call_set.source_class, call_set.build,
            accession(call_set.build, hits.contig), study_id(call_set.subject_id, call_set.test_id),
        )  # fmt: skip
        for row, start in zip(hits.rows.tolist(), hits.starts.tolist(), strict=True):
            site, call = sites[int(chunk.site[row])], chunk.calls[row]
            id_ = f"dv-{call_set.uid}-{hits.contig}-{site.native.start}-s{_tag(site)}"
            seen[id_] += 1
            # A site that a file has several times is met in one order, whatever the question.
            id_ = id_ if seen[id_] == 1 else f"{id_}.{seen[id_]}"
            facts = StructuralFacts(
                id_, site.kind, site.native, site.ref, site.alt, _state(call_set, site, call), call.copy_number,
                _notes(site, call),
            )  # fmt: skip
            out.append(Shown(start, id_, render_structural(about, facts), site, call))
    return out


def _tag(site: StructuralSite) -> str:
    """Return what tells sites at one start apart in a resource id."""
    return blake2b(site.digest.to_bytes(8, "big"), digest_size=5).hexdigest()


def _state(call_set: CallSet, site: StructuralSite, call: StructuralCall) -> Zygosity:
    state = call.genotype.zygosity
    if state is not Zygosity.HOMOZYGOUS or site.contig not in (X, Y) or call_set.sex is not Sex.MALE:
        return state
    # A male has one copy outside the pseudoautosomal regions; what lies across their border is neither.
    first, last = site.native.start, max(site.native.start, site.native.end - 1)
    inside = {is_par(call_set.build, site.contig, base, base + 1) for base in (first, last)}
    if len(inside) > 1:
        return Zygosity.UNKNOWN
    return state if inside == {True} else Zygosity.HEMIZYGOUS


def _notes(site: StructuralSite, call: StructuralCall) -> list[str]:
    """Return in words what an Observation has no element for."""
    notes = []
    if site.kind is StructuralKind.BND:
        parts = [f"Breakend {site.alt}"]
        named = (("ID", call.name), ("MATEID", call.mate), ("EVENT", call.event))
        parts += [f"{what} {name}" for what, name in named if name]
        notes.append(", ".join(parts))
    elif site.kind is StructuralKind.INS and site.length >= 0 and not site.alt.isalpha():
        notes.append(f"Inserted bases: {site.length}")
    if site.imprecise:
        notes.append("Reported as imprecise")
    if call.filters not in _PASSING:
        notes.append(f"Filters not passed: {call.filters}")
    return notes
