"""What is stored of one test beside its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.records import Build, SourceClass
from app.store.session import Session
from app.store.studies import Regions, StudyFacts, regions_by_kind


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One test: whose it is, its facts, the source classes of its call sets, its regions by kind."""

    subject_id: str
    facts: StudyFacts
    source_classes: tuple[SourceClass, ...]
    regions: Mapping[str, Regions]
    """``studied`` and ``uncallable``, where a region file said so; on the build of the test"""


def study_named(session: Session, uid: str) -> StudyRecord | None:
    """Return the test with a uid; None if there is none."""
    rows = session.run(
        "select st.id, st.shard, s.subject_id, st.test_id, st.build, st.test_date, st.specimen_id, st.study_type,"
        " st.change_types from study st join subject s on s.ordinal = st.subject_ordinal where st.uid = :uid",
        {"uid": uid},
    )
    if not rows:
        return None
    study, shard, subject_id, test_id, build, *known = rows[0]
    classes = session.run(
        "select distinct source_class from call_set where study_id = :study order by source_class", {"study": study}
    )
    regions = session.run(
        "select kind, contig, data from study_region where shard = :shard and study_id = :study"
        " and kind in ('studied', 'uncallable') order by kind, contig",
        {"shard": shard, "study": study},
    )
    facts = StudyFacts(test_id, Build(build) if build else None, *known)
    found = tuple(SourceClass(number) for (number,) in classes)
    return StudyRecord(subject_id, facts, found, regions_by_kind(regions))
