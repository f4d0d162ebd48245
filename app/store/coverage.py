"""The tests of a subject and what they say of places: studied, uncallable, called as the reference, not called.

Regions come from three sources. BED files (``studied``, ``uncallable``) and the reference blocks of a gVCF (``called``,
``uncalled``) tell of every place: one that they leave out was not studied. The records of any other VCF tell of their
own places only (``called-sites``, ``uncalled-sites``). A file that was read for several samples at once leaves
``untold``: which of its calls are missing is not kept.

For the positions that tell named alleles of genes apart (``app.operations.pgx_told``) more is kept, and of every file:
single bases whose record is the reference or not called in a file of several samples (``checked-sites``,
``missed-sites``; of one sample the kinds above say it), REF of insertions and deletions whose own record is the
reference (``checked-changes``), and what a user said: that no record means the reference (``absent-is-reference``).

Positions are zero-based, half-open, on the test's own build.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.errors import SubjectNotFound
from app.records import Build
from app.store.regions import unpack_intervals
from app.store.session import Session
from app.variants.regions import NOTHING, Stretches, joined

STUDIED: Final = "studied"
UNCALLABLE: Final = "uncallable"
CALLED: Final = "called"
UNCALLED: Final = "uncalled"
CALLED_SITES: Final = "called-sites"
UNCALLED_SITES: Final = "uncalled-sites"
UNTOLD: Final = "untold"
CHECKED_SITES: Final = "checked-sites"
MISSED_SITES: Final = "missed-sites"
CHECKED_CHANGES: Final = "checked-changes"
ABSENT_IS_REFERENCE: Final = "absent-is-reference"
"""At contig 0: everywhere"""


@dataclass(frozen=True, slots=True)
class Study:
    """One test of a subject."""

    study_id: int
    shard: int
    subject_id: str
    test_id: str
    test_date: str | None
    specimen_id: str | None
    stated_build: Build | None
    """None while all that is known of the test has no positions, as genotypes"""
    change_types: tuple[str, ...]

    @property
    def build(self) -> Build:
        """Return the build of a test that has positions."""
        assert self.stated_build is not None  # noqa: S101 - regions and calls are on a build
        return self.stated_build


_STUDIES = (
    "select st.id, st.shard, s.subject_id, st.test_id, st.test_date, st.specimen_id, st.build, st.change_types"
    " from subject s left join study st on st.subject_ordinal = s.ordinal where s.subject_id = :subject"
)


def studies_of(session: Session, subject_id: str) -> list[Study]:
    """Return every test of a subject by date and id, those without a date last; tests without calls as well.

    Raises:
        SubjectNotFound: there is no such subject.
    """
    rows = session.run(_STUDIES, {"subject": subject_id})
    if not rows:
        raise SubjectNotFound(subject_id)
    tests = [
        Study(
            row[0], row[1], row[2], row[3], row[4], row[5], Build(row[6]) if row[6] else None,
            tuple(filter(None, (row[7] or "").split(";"))),
        )
        for row in rows
        if row[0] is not None
    ]  # fmt: skip
    return sorted(tests, key=lambda test: (test.test_date is None, test.test_date or "", test.test_id))


def study_with(session: Session, uid: str | None, study_id: int) -> Study | None:
    """Return the study whose first call set has a uid; without uid the one of a number, if it has no call set."""
    rows = session.run(
        "select s.subject_id, st.id, (select uid from call_set where study_id = st.id order by id limit 1)"
        " from study st join subject s on s.ordinal = st.subject_ordinal"
        " where st.id = coalesce((select study_id from call_set where uid = :uid), :study)",
        {"uid": uid, "study": study_id},
    )
    if not rows or rows[0][2] != uid:
        return None
    subject_id, found, _ = rows[0]
    return next(study for study in studies_of(session, subject_id) if study.study_id == found)


@dataclass(slots=True)
class Coverage:
    """What is stored of the regions of one test, on some contigs."""

    found: dict[tuple[str, int], Stretches] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def studied(self, contig: int) -> Stretches:
        """Return what was studied: what a BED file says, else the places that the calls themselves tell of."""
        return self.of(contig, STUDIED) if STUDIED in self.kinds else self.of(contig, CALLED, CALLED_SITES)

    def uncallable(self, contig: int) -> Stretches:
        """Return what could not be called: what a BED file says, else the places that the calls tell of."""
        return self.of(contig, UNCALLABLE) if UNCALLABLE in self.kinds else self.missing(contig)

    def missing(self, contig: int) -> Stretches:
        """Return every place that any source says was not called."""
        return self.of(contig, UNCALLABLE, UNCALLED, UNCALLED_SITES)

    @property
    def tells_studied(self) -> bool:
        """Return whether a place outside ``studied`` was not studied."""
        return bool(self.kinds & {STUDIED, CALLED})

    @property
    def tells_uncallable(self) -> bool:
        """Return whether no place outside ``uncallable`` is known to be so."""
        return bool(self.kinds & {UNCALLABLE, UNCALLED})

    @property
    def is_told(self) -> bool:
        """Return whether the places at which calls are missing are kept."""
        return UNTOLD not in self.kinds

    def of(self, contig: int, *kinds: str) -> Stretches:
        """Return what is stored of some kinds together."""
        parts = [self.found[kind, contig] for kind in kinds if (kind, contig) in self.found]
        return parts[0] if len(parts) == 1 else joined(parts) if parts else NOTHING


def coverage_of(session: Session, tests: Sequence[Study], contigs: Collection[int]) -> Mapping[int, Coverage]:
    """Return what is stored of the regions of some tests of one subject on some contigs, by study, in one statement."""
    found = {test.study_id: Coverage() for test in tests}
    if not tests:
        return found
    # Without the data of other contigs: those of a genome can be megabytes.
    rows = session.run(
        f"select study_id, kind, contig, case when contig {session.in_ints('contigs')} then data end"
        f" from study_region where shard = :shard and study_id {session.in_ints('studies')}",
        {
            "shard": tests[0].shard,
            "studies": session.int_list([test.study_id for test in tests]),
            "contigs": session.int_list(sorted(contigs)),
        },
    )
    for study_id, kind, contig, data in rows:
        coverage = found[study_id]
        coverage.kinds.add(kind)
        if data is not None:
            coverage.found[kind, contig] = unpack_intervals(data)
    return found
