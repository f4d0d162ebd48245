"""From matched calls to the resources of an answer: ids, SPDIs on both builds, frequencies, states and phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from app.errors import TooCostly
from app.fhir.observation import CallSetFacts, VariantRows, render_phase, render_variants
from app.formats.genotype import Genotype
from app.operations.matching import Lookups, Segment
from app.operations.resource_ids import phase_id, study_id
from app.records import Build, LiftStatus, Sex, Zygosity
from app.store.codec import Allele, Placed
from app.variants.accessions import MT, X, Y, accession, is_par
from app.variants.hgvs_text import genomic_prefix, smallest_edit
from app.variants.spdi import reverse_complement

_SEX_CHROMOSOMES = (X, Y)
_COMPARED = frozenset({LiftStatus.OK, LiftStatus.REF_CHANGED})
"""Statuses of placements whose bases on the other build are known"""


Naming = Callable[[str], str]
"""Gives the components that name a variant by gene, transcript and protein, by its SPDI"""


def resources(
    segments: Sequence[Segment], lookups: Lookups, naming: Naming | None, *, phasing: bool, most_pairs: int
) -> list[str]:
    """Return the variants of an answer by position and id, and after them, if asked for, their phase relations.

    Without ``naming`` they bear no names of genes, transcripts and proteins.

    Raises:
        TooCostly: there are more phase relations than the limit.
    """
    rows = [variant_rows(segment, lookups, naming) for segment in segments]
    number_repeated(rows)
    rendered = [render_variants(facts_of(segment), row) for segment, row in zip(segments, rows, strict=True)]
    if _in_order(segments):
        out = [text for texts in rendered for text in texts]
    else:
        keys = [
            (start, id_, text)
            for segment, row, texts in zip(segments, rows, rendered, strict=True)
            for start, id_, text in zip(segment.starts.tolist(), row.ids, texts, strict=True)
        ]
        out = [text for _, _, text in sorted(keys)]
    if phasing:
        out = [*out, *_phases(segments, rows, most_pairs)]
    return out


def resources_in_turn(segments: Sequence[Segment], lookups: Lookups, naming: Naming | None) -> Iterator[str]:
    """Yield the variants of an answer, in the order of ``resources``, made as they are asked for."""
    for cluster in _clusters(segments):
        yield from resources(cluster, lookups, naming, phasing=False, most_pairs=0)


def _clusters(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield segments by position, together those whose calls come in between each other; equal ids are together."""
    spans = sorted((int(one.starts.min()), int(one.starts.max()), at) for at, one in enumerate(segments))
    cluster: list[int] = []
    reached = -1
    for first, last, at in spans:
        if cluster and first > reached:
            yield [segments[one] for one in sorted(cluster)]
            cluster = []
        cluster.append(at)
        reached = max(reached, last)
    if cluster:
        yield [segments[one] for one in sorted(cluster)]


def _in_order(segments: Sequence[Segment]) -> bool:
    """Return whether the segments already follow each other by position: a range of one call set on its own build."""
    starts = [segment.starts for segment in segments]
    if any(before[-1] >= after[0] for before, after in pairwise(starts)):
        return False
    return all(bool((np.diff(column) > 0).all()) for column in starts)


def facts_of(segment: Segment) -> CallSetFacts:
    """Return what the Observations of a segment share."""
    call_set = segment.call_set
    return CallSetFacts(
        call_set.subject_id,
        call_set.test_date,
        call_set.specimen_id,
        call_set.source_class,
        call_set.build,
        accession(call_set.build, segment.contig),
        study_id(call_set.subject_id, call_set.test_id),
    )


def variant_rows(segment: Segment, lookups: Lookups, naming: Naming | None) -> VariantRows:
    """Return what differs between the Observations of a segment."""
    chunk, rows, call_set, contig = segment.chunk, segment.rows, segment.call_set, segment.contig
    starts = chunk.start[rows].tolist()
    codes = chunk.allele[rows].tolist()
    alleles = {code: chunk.alleles[code] for code in set(codes)}
    changes = {code: f":{allele.deleted}:{allele.inserted}" for code, allele in alleles.items()}
    tags = {code: f"-{_tag(allele.ref, allele.alt)}" for code, allele in alleles.items()}
    refs = {code: allele.ref for code, allele in alleles.items()}
    alts = {code: allele.alt for code, allele in alleles.items()}
    anchors = {code: allele.anchor for code, allele in alleles.items()}
    prefix, here = f"dv-{call_set.uid}-{contig}-", f"{accession(call_set.build, contig)}:"
    placed = list(zip(starts, codes, strict=True))
    spdis = [f"{here}{start}{changes[code]}" for start, code in placed]
    others = _on_other_build(segment, lookups, placed, alleles, changes)
    return VariantRows(
        ids=[f"{prefix}{start}{tags[code]}" for start, code in placed],
        states=_states(segment, starts),
        spdis=spdis,
        other_spdis=others,
        hgvs=_genomic_hgvs(segment, placed, alleles),
        named=_named(segment, alleles, spdis, others, naming) if naming is not None else [""] * len(rows),
        frequencies=_frequencies(segment),
        alt_depths=chunk.alt_depth[rows].tolist() if chunk.alt_depth is not None else [-1] * len(rows),
        refs=[refs[code] for code in codes],
        alts=[alts[code] for code in codes],
        positions=[start + anchors[code] for start, code in placed],
    )


def _genomic_hgvs(
    segment: Segment, placed: Sequence[tuple[int, int]], alleles: Mapping[int, Allele]
) -> list[str | None]:
    """Return the genomic HGVS of each call; None where the sequence that decides on its place is not known."""
    prefix = genomic_prefix(accession(segment.call_set.build, segment.contig))
    edits = {
        code: smallest_edit(allele.deleted, allele.inserted) for code, allele in alleles.items() if allele.justified
    }
    firsts = {code: edit.named_bases[0] + 1 for code, edit in edits.items()}
    lasts = {code: edit.named_bases[1] + 1 for code, edit in edits.items()}
    tails = {code: edit.tail for code, edit in edits.items()}
    if firsts == lasts and len(edits) == len(alleles):  # single bases only, as almost everywhere
        return [f"{prefix}{start + firsts[code]}{tails[code]}" for start, code in placed]
    texts: list[str | None] = []
    for start, code in placed:
        if code not in edits or start + firsts[code] < 1:
            texts.append(None)
        elif firsts[code] == lasts[code]:
            texts.append(f"{prefix}{start + firsts[code]}{tails[code]}")
        else:
            texts.append(f"{prefix}{start + firsts[code]}_{start + lasts[code]}{tails[code]}")
    return texts


def _named(
    segment: Segment,
    alleles: Mapping[int, Allele],
    spdis: Sequence[str],
    others: Sequence[str | None],
    naming: Naming,
) -> list[str]:
    """Return the names of each call, by its place on GRCh38 where that is sure, and none where its own place is not."""
    chunk, rows = segment.chunk, segment.rows
    sure = {code for code, allele in alleles.items() if allele.justified}
    compared = {code for code, way in enumerate(chunk.placements) if way.status in _COMPARED}
    by_other = segment.call_set.build is Build.GRCH37
    return [
        "" if allele not in sure else naming(other if by_other and other is not None and way in compared else own)
        for allele, way, own, other in zip(
            chunk.allele[rows].tolist(), chunk.placement[rows].tolist(), spdis, others, strict=True
        )
    ]


def _on_other_build(
    segment: Segment,
    lookups: Lookups,
    placed: Sequence[tuple[int, int]],
    alleles: Mapping[int, Allele],
    changes: Mapping[int, str],
) -> list[str | None]:
    """Return the contextual SPDIs on the other build; None where there is none, or the sequence is the same one."""
    chunk, call_set, contig = segment.chunk, segment.call_set, segment.contig
    if contig == MT:
        return [None] * len(placed)
    there = f"{accession(call_set.build.other, contig)}:"
    codes = chunk.placement[segment.rows].tolist()
    ways = {code: chunk.placements[code] for code in set(codes)}
    if all(way.placed is Placed.FORWARD for way in ways.values()):
        offsets = {code: way.offset for code, way in ways.items()}
        return [
            f"{there}{start + offsets[code]}{changes[allele]}"
            for (start, allele), code in zip(placed, codes, strict=True)
        ]
    found: list[str | None] = []
    for (start, allele_code), code, row in zip(placed, codes, segment.rows.tolist(), strict=True):
        way, allele = ways[code], alleles[allele_code]
        if way.placed is Placed.FORWARD:
            found.append(f"{there}{start + way.offset}{changes[allele_code]}")
        elif way.placed is Placed.NOWHERE:
            found.append(None)
        elif way.placed is Placed.REVERSE:
            at = way.offset - start - allele.span
            found.append(f"{there}{at}:{reverse_complement(allele.deleted)}:{reverse_complement(allele.inserted)}")
        else:
            spdi = lookups[int(chunk.variant[row])].on(call_set.build.other)
            found.append(None if spdi is None else str(spdi))
    return found


@lru_cache(maxsize=65_536)
def _tag(ref: str, alt: str) -> str:
    """Return what tells alleles at one start apart in a resource id."""
    if len(ref) == len(alt) == 1:
        return f"{ref}{alt}"
    return blake2b(f"{ref}>{alt}".encode(), digest_size=5).hexdigest()


def number_repeated(rows: Sequence[VariantRows]) -> None:
    """Add a number to the ids of calls that repeat an allele at its place; any question meets them in one order."""
    ids = [id_ for row in rows for id_ in row.ids]
    if len(set(ids)) == len(ids):
        return
    seen: Counter[str] = Counter()
    for row in rows:
        for at, id_ in enumerate(row.ids):
            seen[id_] += 1
            if seen[id_] > 1:
                row.ids[at] = f"{id_}.{seen[id_]}"


def _states(segment: Segment, starts: Sequence[int]) -> list[Zygosity]:
    chunk, call_set, contig = segment.chunk, segment.call_set, segment.contig
    states = [chunk.genotypes[code].zygosity for code in chunk.genotype[segment.rows].tolist()]
    if contig not in _SEX_CHROMOSOMES or call_set.sex is not Sex.MALE:
        return states
    # A male has one copy outside the pseudoautosomal regions, however the caller wrote it.
    return [
        Zygosity.HEMIZYGOUS
        if state is Zygosity.HOMOZYGOUS and not is_par(call_set.build, contig, start, start + 1)
        else state
        for state, start in zip(states, starts, strict=True)
    ]


def _frequencies(segment: Segment) -> list[float | None]:
    """Return the allele frequency that the source states, else that of its allele depths, else of the depth."""
    chunk, rows = segment.chunk, segment.rows
    shares: list[float | None] = [None] * len(rows)
    if chunk.alt_depth is not None:
        alts = chunk.alt_depth[rows].tolist()
        for total in (chunk.allele_depths, chunk.depth):
            if total is not None and None in shares:
                pairs = list(zip(alts, total[rows].tolist(), strict=True))
                known = {
                    (alt, whole): round(alt / whole, 4) if whole and 0 <= alt <= whole else None
                    for alt, whole in set(pairs)
                }
                shares = [known[pair] if share is None else share for share, pair in zip(shares, pairs, strict=True)]
    if chunk.frequency is not None:
        stated = chunk.frequency[rows].tolist()
        shares = [
            share if frequency != frequency else round(frequency, 4)  # noqa: PLR0124 - nan is absent
            for share, frequency in zip(shares, stated, strict=True)
        ]
    return shares


class _Phased(NamedTuple):
    """A heterozygous call of a phase set: its start on the build that was asked and on its own, and its copy."""

    start: int
    id: str
    native: int
    copy: int


def _phases(segments: Sequence[Segment], rows: Sequence[VariantRows], most: int) -> list[str]:
    """Return the relation of every pair of heterozygous calls that share a phase set, by position."""
    blocks: dict[tuple[int, int], list[_Phased]] = {}
    subject_id = ""
    for segment, row in zip(segments, rows, strict=True):
        chunk, call_set = segment.chunk, segment.call_set
        subject_id = call_set.subject_id
        copies = [copy_of(genotype) for genotype in chunk.genotypes]
        codes = chunk.genotype[segment.rows].tolist()
        sets = chunk.phase_set[segment.rows].tolist() if chunk.phase_set is not None else [-1] * len(codes)
        for code, phase_set, start, native, id_ in zip(
            codes, sets, segment.starts.tolist(), chunk.start[segment.rows].tolist(), row.ids, strict=True
        ):
            copy = copies[code]
            if copy is not None and (phase_set >= 0 or call_set.phased_contigs):
                blocks.setdefault((call_set.call_set_id, phase_set), []).append(_Phased(start, id_, native, copy))
    pairs = sum(len(block) * (len(block) - 1) // 2 for block in blocks.values())
    if pairs > most:
        raise TooCostly(
            f"the answer has {pairs} phase relations, the limit (OPERON_MAX_PHASE_PAIRS) is {most};"
            " ask for a smaller range",
            parameter="includePhasing",
        )
    found = []
    for block in blocks.values():
        for one, other in combinations(sorted(block), 2):
            # Whatever build was asked: where the builds run against each other, the order there is the other one.
            first, second = sorted((one, other), key=lambda phased: (phased.native, phased.id))
            id_ = phase_id(first.id, second.id)
            text = render_phase(id_, subject_id, first.id, second.id, cis=one.copy == other.copy)
            found.append((one.start, other.start, one.id, other.id, text))
    return [text for *_, text in sorted(found)]


def copy_of(genotype: Genotype) -> int | None:
    """Return on which of two phased copies the allele lies; None where that is not known."""
    if not genotype.phased or genotype.zygosity is not Zygosity.HETEROZYGOUS:
        return None
    copies = genotype.text.lstrip("/|").split("|")
    return copies.index(str(genotype.allele)) if len(copies) == 2 and copies.count(str(genotype.allele)) == 1 else None
