"""What the tests of a subject were, and where they looked: ``$find-study-metadata``.

Ranges are merged first, lifted to each test's own build and compared with the regions there. A test whose build has no
place for a range is answered with "unknown" and a note; only if that holds for every test does the question fail.
Positions are zero-based, half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.errors import LiftoverFailed
from app.fhir.observation import parameters
from app.fhir.parameters import OperationInputs
from app.fhir.study import StudyDescription, StudyRegions, render_study
from app.operations.context import OperationContext
from app.operations.query import chosen_studies
from app.records import Build
from app.store import coverage
from app.store.coverage import Coverage, Study
from app.variants.accessions import locate
from app.variants.interval import Interval
from app.variants.liftover import LiftedRange, Liftover
from app.variants.regions import Stretches, clip, joined, merge


def find_study_metadata(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-study-metadata``.

    Raises:
        LiftoverFailed: a range has no place on the build of any of the tests.
    """
    asked = merge(asked.interval for asked in inputs.ranges)
    with context.database.read() as session:
        tests = chosen_studies(session, inputs)
        places = _places(context.liftover, tests, asked, context.settings.lift_widen_max)
        contigs = {locate(interval.ref_seq)[0] for interval in asked}
        covered = coverage.coverage_of(session, tests, contigs) if asked else {}
    entries = []
    for test in tests:
        facts = StudyDescription(test.test_id, test.test_date, test.specimen_id, test.stated_build, test.change_types)
        regions = None
        if asked and test.stated_build is None:
            regions = StudyRegions(None, None)
        elif asked:
            regions = _regions(covered[test.study_id], places[test.build])
        entries.append(render_study(facts, regions, inputs.dialect))
    return parameters(entries)


def _places(
    liftover: Liftover, tests: Sequence[Study], asked: Sequence[Interval], widen_max: int
) -> dict[Build, list[LiftedRange] | LiftoverFailed]:
    """Return the asked ranges on the build of each test, or why they have no place there; raise if all have none."""
    places: dict[Build, list[LiftedRange] | LiftoverFailed] = {}
    for build in sorted({test.build for test in tests if test.stated_build is not None}):
        try:
            places[build] = [place_on(liftover, build, interval, widen_max) for interval in asked]
        except LiftoverFailed as error:
            places[build] = error
    failures = [place for place in places.values() if isinstance(place, LiftoverFailed)]
    if failures and len(failures) == len(places):
        raise failures[0]
    return places


def place_on(liftover: Liftover, build: Build, interval: Interval, widen_max: int) -> LiftedRange:
    """Return where a range lies on a build; raises LiftoverFailed."""
    _, builds = locate(interval.ref_seq)
    return LiftedRange(interval, 0) if build in builds else liftover.lift_range(build.other, interval, widen_max)


def _regions(covered: Coverage, places: Sequence[LiftedRange] | LiftoverFailed) -> StudyRegions:
    if isinstance(places, LiftoverFailed):
        return StudyRegions(None, None, f"{places.diagnostics}: there is no such place on the build of this test")
    # Ranges of both builds can meet once they are on one.
    merged = merge(place.interval for place in places)
    studied = _inside(covered.studied, merged)
    uncallable = _inside(covered.uncallable, merged)
    return StudyRegions(
        # Single records tell of their places and of no others.
        studied if studied or covered.tells_studied else None,
        uncallable if uncallable or covered.tells_uncallable else None,
        _widened(places),
    )


def _inside(of_contig: Callable[[int], Stretches], places: Sequence[Interval]) -> list[Interval]:
    """Return the parts of regions that lie inside ranges, chromosome by chromosome."""
    found: dict[tuple[int, str], list[Stretches]] = {}
    for place in places:
        contig, _ = locate(place.ref_seq)
        found.setdefault((contig, place.ref_seq), []).append(clip(of_contig(contig), place.start, place.end))
    return [
        Interval(ref_seq, start, end)
        for (_, ref_seq), parts in sorted(found.items())
        for start, end in zip(*(column.tolist() for column in joined(parts)), strict=True)
    ]


def _widened(places: Sequence[LiftedRange]) -> str | None:
    widened = [place for place in places if place.widened]
    if not widened:
        return None
    ranges = ", ".join(str(place.interval) for place in widened)
    most = max(place.widened for place in widened)
    return f"Compared with {ranges}: an end has no place on this build and was moved outwards, by up to {most} bases"
