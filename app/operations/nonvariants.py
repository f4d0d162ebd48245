"""Absent and No call: what the tests of a subject say of places where they found nothing. Never inferred from silence.

A test says *Absent* of a variant or a range where its studied regions, or complete calls of other alleles at the very
place, cover all of it and no call stands against it; *No call* where a place is uncallable, covered in part, or has a
call that is incomplete or of another extent, or where a structural variant leaves open what a reference call means; and
nothing where nothing is known. The calls of all sources of a test are looked at, whatever source class was asked for,
so that one test says one thing. Positions are zero-based, half-open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import orjson

from app.errors import CannotNormalize, LiftoverFailed, TooCostly
from app.fhir.codes import DNA_CHANGE_TYPE
from app.fhir.nonvariant import NonVariant, nonvariant_resource, render_nonvariant
from app.fhir.parameters import OperationInputs
from app.operations import structural_doubt
from app.operations.context import OperationContext
from app.operations.matching import RangeMatcher, Segment
from app.operations.metadata import place_on
from app.operations.query import chosen_studies
from app.operations.resource_ids import study_id
from app.operations.structural_doubt import Doubt
from app.records import Build, LiftStatus
from app.store import calls, coverage, variants
from app.store.calls import CallSet
from app.store.coverage import Coverage, Study
from app.store.session import Session
from app.variants.accessions import CONTIGS, accession, locate, sequence_length
from app.variants.hgvs_text import genomic_hgvs, smallest_edit
from app.variants.interval import Interval
from app.variants.placement import Placement
from app.variants.regions import NOTHING, Stretches, clip, covers, joined, stretches, touches, without

_LONGEST_ID: Final = 64
_REASONS: Final = 5
"""So many structural variants are named in a note"""
_PASSING: Final = ("PASS", ".")
_LABEL_OF: Final = {coding.code.lower(): label.lower() for label, coding in DNA_CHANGE_TYPE.items()}
_LABELS: Final = {
    "sub": ("snv",),
    "del": ("del", "delins"),
    "ins": ("ins", "delins"),
    "dup": ("dup", "ins", "delins"),
    "inv": ("inv", "mnv", "delins"),
    "delins": ("delins",),
}
"""Words of which one says that a test can detect an edit; ``delins`` stands for short ones of any kind"""


@dataclass(frozen=True, slots=True)
class _Tested:
    """A test, and all its call sets."""

    study: Study
    call_sets: Sequence[CallSet]
    structural: Sequence[CallSet]
    """Call sets of the subject, of other tests too, whose structural variants count here"""

    @property
    def key(self) -> str:
        """Return what stands for the test in ids: its first call set, or its number if it has none."""
        return self.call_sets[0].uid if self.call_sets else f"s{self.study.study_id}"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place on the build of one test: of a variant with its stored ids, or of a range."""

    tested: _Tested
    interval: Interval
    placement: Placement | None = None
    known: frozenset[int] = frozenset()


def of_variants(
    context: OperationContext,
    session: Session,
    inputs: OperationInputs,
    asked: Sequence[Placement],
    texts: Sequence[str],
) -> list[list[str]]:
    """Return, for each variant, what the chosen tests say of its absence as the texts of parts."""
    tested = _chosen(session, inputs)
    _refuse_too_many(context, len(tested) * len(asked))
    stored = variants.find(session, asked)
    places = [
        [
            _Place(one, _around(spdi.ref_seq, spdi.position, spdi.end), placement, frozenset(known))
            for one in tested
            if (spdi := placement.on(one.study.build)) is not None and _is_sure(placement, one.study.build, text)
        ]
        for placement, text, known in zip(asked, texts, stored, strict=True)
    ]
    return _rendered(context, session, places)


def of_ranges(
    context: OperationContext, session: Session, inputs: OperationInputs, asked: Sequence[Interval]
) -> list[list[str]]:
    """Return, for each range, what the chosen tests say of it as the texts of parts; a test may lack the place."""
    tested = _chosen(session, inputs)
    _refuse_too_many(context, len(tested) * len(asked))
    places: list[list[_Place]] = []
    for interval in asked:
        places.append([])
        for one in tested:
            try:
                there = place_on(context.liftover, one.study.build, interval, context.settings.lift_widen_max).interval
            except LiftoverFailed:
                continue
            there = Interval(there.ref_seq, there.start, max(there.end, there.start + 1))
            places[-1].append(_Place(one, there))
    return _rendered(context, session, places)


def read_nonvariant(context: OperationContext, match: re.Match[str]) -> bytes | None:
    """Return the Observation with an id that an earlier answer gave; None if the tests no longer say so.

    The id of a change of many bases holds a digest, which leads back to a change that some subject has.
    """
    with context.database.read() as session:
        study = coverage.study_with(session, match["uid"], int(match["study"] or -1))
        if study is None or study.stated_build is None:
            return None
        tested = _with_call_sets(session, study.subject_id, [study])[0]
        contig, start = int(match["contig"]), int(match["start"])
        if contig not in CONTIGS:
            return None
        ref_seq = accession(study.build, contig)
        if match["end"] is not None:
            place: _Place | None = _Place(tested, Interval(ref_seq, start, int(match["end"])))
        else:
            place = _variant_place(context, session, tested, Interval(ref_seq, start, start), match)
        if place is None:
            return None
        [[told]] = _told(context, session, [[place]])
    return orjson.dumps(nonvariant_resource(told)) if told is not None and told.id == match[0] else None


def _variant_place(
    context: OperationContext, session: Session, tested: _Tested, at: Interval, match: re.Match[str]
) -> _Place | None:
    build = tested.study.build
    if match["digest"] is not None:
        contig, _ = locate(at.ref_seq)
        found = variants.at(session, build, contig, at.start)
        spdis = [spdi for placement in found if (spdi := placement.on(build)) is not None]
        texts = [str(spdi) for spdi in spdis if _digest(spdi.deleted, spdi.inserted) == match["digest"]]
    else:
        texts = [f"{at.ref_seq}:{at.start}:{match['deleted']}:{match['inserted']}"]
    if not texts:
        return None
    try:
        placement = context.identify(texts[0])
    except CannotNormalize:
        return None
    spdi = placement.on(build)
    if spdi is None or not _is_sure(placement, build, texts[0]):
        return None
    [known] = variants.find(session, [placement])
    return _Place(tested, _around(spdi.ref_seq, spdi.position, spdi.end), placement, frozenset(known))


def _chosen(session: Session, inputs: OperationInputs) -> list[_Tested]:
    studies = [study for study in chosen_studies(session, inputs) if study.stated_build is not None]
    if not studies:
        return []
    tested = _with_call_sets(session, studies[0].subject_id, studies)
    if inputs.source_class is None:
        return tested
    return [one for one in tested if any(found.source_class is inputs.source_class for found in one.call_sets)]


def _with_call_sets(session: Session, subject_id: str, studies: Sequence[Study]) -> list[_Tested]:
    found = sorted(calls.call_sets_of(session, subject_id), key=lambda call_set: call_set.call_set_id)
    return [
        _Tested(
            study,
            [call_set for call_set in found if call_set.study_id == study.study_id],
            structural_doubt.that_count(study, found),
        )
        for study in studies
    ]


def _refuse_too_many(context: OperationContext, statements: int) -> None:
    most = context.settings.max_answers
    if statements > most:
        raise TooCostly(
            f"the answer can have {statements} statements on places without a variant, the limit (OPERON_MAX_ANSWERS)"
            f" is {most}; ask in portions",
            parameter="includeNonVariants",
        )


def _around(ref_seq: str, start: int, end: int) -> Interval:
    """Return the bases that have to be known: those that are changed, or both beside an insertion."""
    if start < end:
        return Interval(ref_seq, start, end)
    return Interval(ref_seq, max(0, start - 1), min(start + 1, sequence_length(ref_seq)))


def _is_sure(placement: Placement, build: Build, text: str) -> bool:
    """Return whether the reference call of a place would say that the variant is absent.

    It says the contrary where the change is none on the test's build, and nothing while the bases there, or all the
    spellings of the change, are not known.
    """
    if not placement.justified:
        return False
    spdi = placement.on(build)
    if any(one is not None and one.deleted == one.inserted for one in (placement.spdi37, placement.spdi38)):
        return spdi is not None and spdi.deleted != spdi.inserted and placement.status is LiftStatus.REF_CHANGED
    if placement.status is not LiftStatus.UNVERIFIED:
        return True
    return spdi is not None and text.upper().startswith(f"{spdi.ref_seq}:")


def _rendered(context: OperationContext, session: Session, places: Sequence[Sequence[_Place]]) -> list[list[str]]:
    return [
        [render_nonvariant(told) for told in found if told is not None] for found in _told(context, session, places)
    ]


def _told(
    context: OperationContext, session: Session, places: Sequence[Sequence[_Place]]
) -> list[list[NonVariant | None]]:
    """Return what is said of each place: a statement for all regions, one a build for all calls, two for structural."""
    every = [place for found in places for place in found]
    studies = list({place.tested.study.study_id: place.tested.study for place in every}.values())
    covered = coverage.coverage_of(session, studies, {locate(place.interval.ref_seq)[0] for place in every})
    segments: dict[tuple[int, Interval], list[Segment]] = {}
    for build in Build:
        here = [place for place in every if place.tested.study.build is build]
        call_sets = {one.call_set_id: one for place in here for one in place.tested.call_sets}
        intervals = list(dict.fromkeys(place.interval for place in here))
        matcher = RangeMatcher(session, context.liftover, widen_max=context.settings.lift_widen_max)
        for interval, found in zip(intervals, matcher.find(list(call_sets.values()), intervals)[0], strict=True):
            for segment in found:
                segments.setdefault((segment.call_set.study_id, interval), []).append(segment)
    doubts = dict(zip(map(_key, every), _doubts(context, session, every), strict=True))
    return [
        [
            _said(place, covered[place.tested.study.study_id], segments.get(_key(place), ()), doubts[_key(place)])
            for place in found
        ]
        for found in places
    ]


def _doubts(context: OperationContext, session: Session, places: Sequence[_Place]) -> list[list[Doubt]]:
    asked = [(place.tested.structural, place.interval) for place in places]
    widen_max = context.settings.lift_widen_max
    return structural_doubt.doubts(session, context.liftover, asked, widen_max=widen_max)


def _key(place: _Place) -> tuple[int, Interval]:
    return place.tested.study.study_id, place.interval


@dataclass(frozen=True, slots=True)
class _Call:
    """A call at a place: its contextual interval, its variant, and whether its record is wholly known."""

    start: int
    end: int
    variant: int
    complete: bool


def _calls(segments: Iterable[Segment]) -> list[_Call]:
    found = []
    for segment in segments:
        chunk = segment.chunk
        ends = chunk.end()[segment.rows].tolist()
        rows = segment.rows.tolist()
        # The alleles that are stored of each record: one that the genotype names beside them could be any.
        records: dict[tuple[int, str], set[str]] = {}
        keys = []
        for row in rows:
            allele, genotype = chunk.alleles[int(chunk.allele[row])], chunk.genotypes[int(chunk.genotype[row])]
            key = int(chunk.start[row]) + allele.anchor, genotype.text
            records.setdefault(key, {"0"}).add(str(genotype.allele))
            keys.append(key)
        for row, end, key in zip(rows, ends, keys, strict=True):
            named = set(re.split(r"[/|]", key[1].lstrip("/|")))
            passed = chunk.filter is None or chunk.filters[int(chunk.filter[row])] in _PASSING
            complete = passed and named <= records[key]
            found.append(_Call(int(chunk.start[row]), end, int(chunk.variant[row]), complete))
    return found


def _said(place: _Place, covered: Coverage, segments: Iterable[Segment], doubts: Sequence[Doubt]) -> NonVariant | None:
    found = _calls(segments)
    of_kind = _of_range if place.placement is None else _of_variant
    return of_kind(place, covered, found, doubts)


def _of_variant(place: _Place, covered: Coverage, found: Sequence[_Call], doubts: Sequence[Doubt]) -> NonVariant | None:
    placement, study = place.placement, place.tested.study
    spdi = placement.on(study.build) if placement is not None else None
    if placement is None or spdi is None or not _detects(study, spdi.deleted, spdi.inserted):
        return None
    if any(call.variant in place.known for call in found):
        return None
    low, high = place.interval.start, place.interval.end
    # An insertion beside a base does not change it.
    near = [call for call in found if not (call.complete and call.start == call.end and spdi.deleted)]
    doubtful = [call for call in near if not call.complete or (call.start, call.end) != (spdi.position, spdi.end)]
    studied, missing = _regions(place, covered)
    inside = joined([studied, stretches((low, high) for call in near if call not in doubtful)])
    if doubtful or touches(missing, low, high):
        is_absent = False
    elif covers(inside, low, high):
        is_absent = True
    elif touches(inside, low, high):
        is_absent = False
    else:
        return None
    spdis = [str(one) for build in (study.build, study.build.other) if (one := placement.on(build)) is not None]
    # Of an insertion that could be written in several places, the outermost ones count, too.
    inserts = 0 < len(spdi.deleted) < len(spdi.inserted)
    against = [doubt for doubt in doubts if is_absent and doubt.is_about(low, high, inserts=inserts)]
    contig, _ = locate(spdi.ref_seq)
    stem = f"dv-{place.tested.key}-{contig}-{spdi.position}-n"
    id_ = f"{stem}{spdi.deleted}.{spdi.inserted}"
    if len(id_) > _LONGEST_ID:
        id_ = f"{stem}x{_digest(spdi.deleted, spdi.inserted)}"
    return NonVariant(
        id_,
        study.subject_id,
        study_id(study.subject_id, study.test_id),
        study.test_date,
        study.specimen_id,
        study.build,
        spdi.ref_seq,
        is_absent and not against,
        spdi.position,
        spdi.end,
        list(dict.fromkeys(spdis)),
        genomic_hgvs(spdi),
        _notes(against),
    )


def _of_range(place: _Place, covered: Coverage, found: Sequence[_Call], doubts: Sequence[Doubt]) -> NonVariant | None:
    study, low, high = place.tested.study, place.interval.start, place.interval.end
    if not _detects_simple(study):
        return None
    studied, missing = _regions(place, covered)
    doubtful = stretches((call.start, max(call.end, call.start + 1)) for call in found if not call.complete)
    missing = joined([missing, doubtful])
    if not touches(studied, low, high) and not touches(missing, low, high):
        return None
    called = stretches((call.start, call.end) for call in found if call.complete)
    inside = joined([studied, called])
    # What a test never looked at is not left open by a structural variant, nor is a call that the answer lists.
    reference = without(clip(studied, low, high), called)
    against = [doubt for doubt in doubts if touches(reference, *_bases(doubt))]
    missing = joined([missing, without(reference, without(reference, stretches(map(_bases, against))))])
    gaps = without(stretches([(low, high)]), without(inside, missing))
    if not covered.tells_studied or not covered.is_told:
        # Single records tell of their own places: the others are not known to be anything.
        is_whole, gaps = not len(gaps[0]), clip(missing, low, high)
        if not is_whole and not len(gaps[0]):
            return None
    if not len(gaps[0]) and found:
        return None
    start, end = (int(gaps[0][0]), int(gaps[1][-1])) if len(gaps[0]) else (low, high)
    contig, _ = locate(place.interval.ref_seq)
    return NonVariant(
        f"dv-{place.tested.key}-{contig}-{low}-nr{high}",
        study.subject_id,
        study_id(study.subject_id, study.test_id),
        study.test_date,
        study.specimen_id,
        study.build,
        place.interval.ref_seq,
        not len(gaps[0]),
        start,
        end,
        notes=_notes(against),
    )


def _bases(doubt: Doubt) -> tuple[int, int]:
    """Return what is open of a range: a point is met by the base after it."""
    return doubt.start, max(doubt.end, doubt.start + 1)


def _notes(doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """Return why a reference call is not taken for absence."""
    reasons = list(dict.fromkeys(doubt.reason for doubt in doubts))
    if not reasons:
        return ()
    more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return (f"Reference calls do not show absence within structural variants: {'; '.join(reasons[:_REASONS])}{more}",)


def _regions(place: _Place, covered: Coverage) -> tuple[Stretches, Stretches]:
    """Return what was studied and what was not called; nothing was where missing calls are not kept."""
    contig, _ = locate(place.interval.ref_seq)
    return covered.studied(contig) if covered.is_told else NOTHING, covered.missing(contig)


def _words(study: Study) -> set[str]:
    return {_LABEL_OF.get(word, word) for text in study.change_types if (word := text.strip().lower())}


def _detects(study: Study, deleted: str, inserted: str) -> bool:
    """Return whether a test can detect a change, as far as it says what it can detect."""
    words = _words(study)
    if not words:
        return True
    if len(deleted) == len(inserted) > 1:
        return bool(words & {"mnv", "delins"})
    return bool(words & set(_LABELS.get(smallest_edit(deleted, inserted).operation, ())))


def _detects_simple(study: Study) -> bool:
    """Return whether a test detects simple variants: a single base, at the least."""
    words = _words(study)
    return not words or "snv" in words


def _digest(deleted: str, inserted: str) -> str:
    return blake2b(f"{deleted}>{inserted}".encode(), digest_size=8).hexdigest()
