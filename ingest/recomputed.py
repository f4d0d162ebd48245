"""Calls that follow for the other build where its reference base is another one.

A genotype counts copies of alleles, and which of them is "the reference" depends on the build: where GRCh37 has T and
GRCh38 has C, the GRCh37 call ``T>C 0/1`` says that one copy is T, which on GRCh38 is the variant C>T. So beside the
call as it was reported a second one is stored, of the base that the genotype counts as its reference. On its own build
that one is no change (T:T), and questions about ranges of that build leave it out; on the other build it is a variant.

Only what a file states is used: exactly one ALT and at least one copy of REF, with no allele missing. Nothing follows
from a record that is not there, from ``0/0`` (which is not stored), from places where another call of the same block
touches the base (its copies of REF may be something else), and from calls that are not germline: a somatic genotype
says what a tumour has beside the germline, not what it has instead.

Positions are zero-based, half-open.

>>> turned(Genotype("0|1", 1, Zygosity.HETEROZYGOUS, phased=True), is_other_reference=True).text
'1|0'
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.formats.genotype import Genotype
from app.formats.vcf_block import ABSENT, RecordBlock
from app.records import Build, LiftStatus, Zygosity
from app.variants.placed_batch import CONTRADICTS, PlacedBatch
from app.variants.placement import Placer

_ALLELE = re.compile(r"[0-9]+")


def turned(genotype: Genotype, *, is_other_reference: bool) -> Genotype | None:
    """Return what a genotype says of its REF as an ALT of the other build; None where it does not say.

    ``is_other_reference`` tells whether the genotype's ALT is the reference base of the other build.
    """
    called = set(_ALLELE.findall(genotype.text))
    if genotype.zygosity is not Zygosity.HETEROZYGOUS or called != {"0", str(genotype.allele)}:
        return None
    other = "0" if is_other_reference else "2"
    text = _ALLELE.sub(lambda match: "1" if match[0] == "0" else other, genotype.text)
    return Genotype(text, 1, Zygosity.HETEROZYGOUS, genotype.phased)


@dataclass(frozen=True, slots=True)
class _Following:
    """A call that follows from the call with number ``call``, whose ALT may be the other build's reference."""

    row: int
    call: int
    genotype: Genotype
    is_other_reference: bool


def with_recomputed(
    placer: Placer,
    build: Build,
    block: RecordBlock,
    batch: PlacedBatch,
    genotypes: Sequence[Genotype],
    *,
    germline: NDArray[np.bool_],
) -> tuple[RecordBlock, PlacedBatch, Sequence[Genotype]]:
    """Return a block, where it lies, and its genotypes with the calls that follow for the other build at the end.

    ``germline`` tells of each sample whether its calls are germline.
    """
    following = _following(block, batch, genotypes, germline)
    if not following:
        return block, batch, genotypes
    # One row for each place, unless the records of several samples there were filtered differently.
    filters = block.filters or [""] * len(block.refs)
    rows: dict[tuple[int, str], int] = {}
    for entry in following:
        rows.setdefault((int(block.positions[entry.row]), filters[entry.row]), entry.row)
    origins = list(rows.values())
    bases = [block.refs[row] for row in origins]
    number = {key: len(block.refs) + at for at, key in enumerate(rows)}
    placed = placer.place_batch(build, block.contig, block.positions[origins], bases, bases)
    fresh = list(dict.fromkeys(entry.genotype for entry in following))
    code = {genotype: len(genotypes) + at for at, genotype in enumerate(fresh)}
    calls = np.array([entry.call for entry in following], dtype=np.intp)
    swapped = np.array([entry.is_other_reference for entry in following])
    nothing = np.full(len(calls), ABSENT, dtype=np.int32)
    added: dict[str, NDArray[Any]] = {
        "row": np.array([number[int(block.positions[e.row]), filters[e.row]] for e in following], dtype=np.int32),
        "sample": block.sample[calls],
        "genotype": np.array([code[entry.genotype] for entry in following], dtype=np.int32),
        "depth": block.depth[calls],
        "ref_depth": np.where(swapped, block.alt_depth[calls], nothing),
        "alt_depth": block.ref_depth[calls],
        "allele_depths": block.allele_depths[calls],
        # Where more alleles than two may have been seen, the share of this one is not what the other one leaves.
        "frequency": np.where(swapped, 1 - block.frequency[calls], np.nan),
        "phase_set": block.phase_set[calls],
    }
    columns: dict[str, Any] = {name: np.concatenate([getattr(block, name), column]) for name, column in added.items()}
    whole = replace(
        block,
        positions=np.concatenate([block.positions, block.positions[origins]]),
        refs=[*block.refs, *bases],
        alts=[*block.alts, *bases],
        lines_1based=[*block.lines_1based, *(block.lines_1based[row] for row in origins)],
        filters=block.filters and [*block.filters, *(block.filters[row] for row in origins)],
        **columns,
    )
    return whole, _joined(batch, placed), [*genotypes, *fresh]


def _following(
    block: RecordBlock, batch: PlacedBatch, genotypes: Sequence[Genotype], germline: NDArray[np.bool_]
) -> list[_Following]:
    changed = np.flatnonzero(batch.status == LiftStatus.REF_CHANGED).tolist()
    single = {row for row in changed if len(block.refs[row]) == len(block.alts[row]) == 1}
    if not single:
        return []
    sound = batch.ref_check != CONTRADICTS
    places: dict[int, list[int]] = defaultdict(list)  # by row, the places that a call of it touches
    for place in sorted({int(block.positions[row]) for row in single}):
        for row in np.flatnonzero(sound & (batch.start <= place) & (batch.end > place)).tolist():
            places[row].append(place)
    touching: dict[tuple[int, int], list[int]] = defaultdict(list)
    calls = np.flatnonzero(np.isin(block.row, list(places)))
    for call, row, sample in zip(calls.tolist(), block.row[calls].tolist(), block.sample[calls].tolist(), strict=True):
        for place in places[row]:
            touching[place, sample].append(call)
    found = []
    for (_, sample), at_place in sorted(touching.items()):
        call, row = at_place[0], int(block.row[at_place[0]])
        if len(at_place) > 1 or row not in single or not germline[sample]:
            continue
        is_other_reference = batch.other_deleted[row] == batch.other_inserted[row]
        genotype = turned(genotypes[block.genotype[call]], is_other_reference=is_other_reference)
        if genotype is not None:
            found.append(_Following(row, call, genotype, is_other_reference))
    return found


def _joined(first: PlacedBatch, second: PlacedBatch) -> PlacedBatch:
    return PlacedBatch(
        ref_check=np.concatenate([first.ref_check, second.ref_check]),
        start=np.concatenate([first.start, second.start]),
        end=np.concatenate([first.end, second.end]),
        deleted=[*first.deleted, *second.deleted],
        inserted=[*first.inserted, *second.inserted],
        left=np.concatenate([first.left, second.left]),
        right=np.concatenate([first.right, second.right]),
        justified=np.concatenate([first.justified, second.justified]),
        status=np.concatenate([first.status, second.status]),
        other_start=np.concatenate([first.other_start, second.other_start]),
        other_end=np.concatenate([first.other_end, second.other_end]),
        other_deleted=[*first.other_deleted, *second.other_deleted],
        other_inserted=[*first.other_inserted, *second.other_inserted],
    )
