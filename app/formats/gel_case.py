"""Reading the detail of a case, whichever model its documents were written in.

Paths of problems are those of the detail, without the names of the wrappers' own members that hold the documents:
``interpreted_genome[0].variants[3]`` and not ``interpreted_genome[0].interpreted_genome_data.variants[3]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from app.formats.gel import (
    Classification,
    GelCase,
    InterpretedGenome,
    Panel,
    Problem,
    ReferralFacts,
    Scope,
    Term,
)
from app.formats.gel_calls import Setting, setting_of
from app.formats.gel_events import read_panel
from app.formats.gel_genome import read_genome, read_tiered, read_wrapped
from app.formats.gel_members import read_consent, read_members
from app.formats.gel_parts import NO_OBJECT, NO_WHOLE, REQUIRED, Notes, Record, Unreadable, as_whole, join, shown
from app.formats.gel_reports import genome_classifications, report_classifications
from app.formats.gel_values import case_number
from app.formats.gel_words import read_build
from app.records import Build

_REQUEST = "interpretation_request_data.json_request"
NOT_A_BUILD = "Neither GRCh37 nor GRCh38."
STRANGER = "A call is about a participant whom the case does not name."


def read_case(detail: Mapping[str, Any]) -> tuple[GelCase | None, list[Problem]]:
    """Return a case with everything that is wrong in it; no case where not even its number can be read.

    What a problem costs (``Scope``) is left out of the case already.
    """
    notes = Notes()
    if not isinstance(detail, dict):
        return None, [Problem("", NO_OBJECT, Scope.DOCUMENT)]
    try:
        ir_id, version = read_number(detail)
    except Unreadable as problem:
        notes.refuse(problem, Scope.DOCUMENT)
        return None, notes.problems
    request = _request(detail, notes)
    members = read_members(request, _REQUEST, notes)
    sample_type = _sample_type(detail, request)
    build = _build(detail, request, notes)
    setting = setting_of(notes, build, members, is_cancer=sample_type == "cancer")
    genomes = _genomes(detail, request, setting, ir_id)
    classifications = _classifications(detail, genomes, setting, ir_id)
    case = GelCase(
        ir_id=ir_id,
        version=version,
        build=build,
        sample_type=sample_type,
        last_status=notes.text(detail, "last_status", ""),
        members=members,
        genomes=genomes,
        classifications=classifications,
        panels=_panels(request, notes),
        referral=_referral(detail, internal_identifiers(request), notes),
        raw=detail,
    )
    return case, notes.problems


def read_number(detail: Mapping[str, Any]) -> tuple[int, int]:
    """Return number and version of a case: 40101 and "1", or ``GEL-40101-1`` in the first of the two.

    Raises:
        Unreadable: they are not there.
    """
    value, version = detail.get("interpretation_request_id"), as_whole(detail.get("version"))
    if value is None:
        raise Unreadable("interpretation_request_id", REQUIRED)
    found = case_number(value if isinstance(value, str) else as_whole(value))
    if found is None:
        raise Unreadable("interpretation_request_id", NO_WHOLE)
    if version is None:
        version = found[1]
    if version is None or version < 0:
        raise Unreadable("version", REQUIRED if detail.get("version") is None else NO_WHOLE)
    return found[0], version


def _request(detail: Mapping[str, Any], notes: Notes) -> Record:
    data = notes.record(detail, "interpretation_request_data", "")
    if "json_request" in data:
        return notes.record(data, "json_request", "interpretation_request_data")
    return data if "pedigree" in data or "cancerParticipant" in data else {}


def _sample_type(detail: Mapping[str, Any], request: Record) -> str:
    said = detail.get("sample_type") or detail.get("program")
    if isinstance(said, str) and said.strip().lower() in ("raredisease", "rare_disease", "cancer"):
        return "cancer" if said.strip().lower() == "cancer" else "raredisease"
    return "cancer" if request.get("cancerParticipant") is not None else "raredisease"


def _build(detail: Mapping[str, Any], request: Record, notes: Notes) -> Build | None:
    """Return the build of the case: its own word, else its request's, else that on which all coordinates agree."""
    asked = request.get("genomeAssembly") or request.get("genomeAssemblyVersion")
    if (own := detail.get("assembly")) is None:
        if asked is None:
            return _agreed_build(detail)
        own, path = asked, f"{_REQUEST}.genomeAssembly"
    else:
        path = "assembly"
    build = read_build(own)
    if build is None:
        notes.refuse(Unreadable(path, NOT_A_BUILD), Scope.DOCUMENT)
    elif asked is not None and read_build(asked) is not build:
        said = f"Says {shown(asked)}, but the case is on {build}, which is used."
        notes.warn(f"{_REQUEST}.genomeAssembly", said)
    return build


def _agreed_build(detail: Mapping[str, Any]) -> Build | None:
    """Return the one build that the coordinates of all interpreted genomes name."""
    probe = Setting(Notes())
    found = detail.get("interpreted_genome")
    builds: set[Build | None] = set()
    for at, one in enumerate(found if isinstance(found, list) else ()):
        genome = read_wrapped(one, f"interpreted_genome[{at}]", probe, ir_id=None, cip="")
        if genome is not None:
            builds.update(each.build for each in genome.variants)
            builds.update(each.region.build for each in genome.structural)
            builds.update(each.region.build for each in genome.repeats)
    return builds.pop() if len(builds) == 1 else None


def _genomes(detail: Mapping[str, Any], request: Record, setting: Setting, ir_id: int) -> tuple[InterpretedGenome, ...]:
    """Return all interpreted genomes, the oldest version first."""
    notes = setting.notes
    cip = notes.text(detail, "cip", "")
    found = [
        genome
        for at, one in enumerate(_documents(detail, "interpreted_genome", notes))
        if (genome := read_wrapped(one, f"interpreted_genome[{at}]", setting, ir_id=ir_id, cip=cip)) is not None
    ]
    tiered = read_tiered(request, _REQUEST, setting, created_at=notes.text(detail, "created_at", ""))
    if tiered is not None:
        found.append(tiered)
    for one in found:
        _warn_of_strangers(one, setting)
    return tuple(sorted(found, key=lambda one: one.cip_version))


def _documents(detail: Mapping[str, Any], name: str, notes: Notes) -> list[Any]:
    value = detail.get(name)
    if isinstance(value, list):
        return value
    if value is not None:
        notes.refuse(
            Unreadable(name, f'Expected a list of items but got type "{type(value).__name__}".'), Scope.DOCUMENT
        )
    return []


def _warn_of_strangers(genome: InterpretedGenome, setting: Setting) -> None:
    """Note once for a genome that it has calls of somebody who is not among the case's members."""
    known = {one.participant_id for one in setting.members}
    calls = chain(
        (call for one in genome.variants for call in one.calls),
        (call for one in genome.structural for call in one.calls),
        (call for one in genome.repeats for call in one.calls),
    )
    stranger = next((one for one in calls if one.participant_id not in known), None)
    if stranger is not None:
        setting.notes.warn(join(stranger.path, "participantId"), STRANGER)


def _classifications(
    detail: Mapping[str, Any], genomes: tuple[InterpretedGenome, ...], setting: Setting, ir_id: int
) -> tuple[Classification, ...]:
    """Return everything that is said of variants; each outranks those before it."""
    current: dict[str, InterpretedGenome] = {one.service: one for one in genomes}
    reports = _documents(detail, "clinical_report", setting.notes)
    found = [
        *genome_classifications(current.values(), setting),
        *report_classifications(reports, setting, ir_id),
    ]
    return tuple(sorted(found, key=lambda one: (one.rank, one.version)))


def _panels(request: Record, notes: Notes) -> tuple[Panel, ...]:
    pedigree = request.get("pedigree")
    if not isinstance(pedigree, dict):
        return ()
    path = f"{_REQUEST}.pedigree"
    found = (read_panel(one, at, notes) for one, at in notes.records(pedigree, "analysisPanels", path))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _referral(detail: Mapping[str, Any], internal: Mapping[str, str], notes: Notes) -> ReferralFacts | None:
    referral = notes.record(detail, "referral", "")
    return read_referral(referral, "referral", notes, internal) if referral else None


def read_referral(record: Record, path: str, notes: Notes, internal: Mapping[str, str] | None = None) -> ReferralFacts:
    """Return what is needed of a referral; ``internal`` are the participants of internal identifiers, if known."""
    consent = notes.record(record, "econsent", path)
    return ReferralFacts(
        referral_id=notes.text(record, "referral_id", path),
        referral_uid=notes.text(record, "referral_uid", path),
        indication=Term(
            notes.text(record, "clinical_indication_code", path),
            notes.text(record, "clinical_indication_full_name", path),
        ),
        consents=read_consents(consent, "participant_consent", join(path, "econsent"), notes, internal or {}),
    )


def internal_identifiers(request: Record) -> Mapping[str, str]:
    """Return participantUid → participantId: consents may name people by what only the service knows them by."""
    pedigree, participant = request.get("pedigree"), request.get("cancerParticipant")
    members = pedigree.get("members") if isinstance(pedigree, dict) else [participant]
    found = {}
    for one in members if isinstance(members, list) else ():
        if isinstance(one, dict):
            uid, name = one.get("participantUid"), one.get("participantId")
            if isinstance(uid, str) and isinstance(name, str) and uid.strip() and name.strip():
                found[uid.strip()] = name.strip()
    return found


def read_consents(
    record: Record, name: str, path: str, notes: Notes, internal: Mapping[str, str]
) -> Mapping[str, Mapping[str, str]]:
    """Return participant → field of econsent → yes, no or undefined, of a list of consents."""
    found: dict[str, Mapping[str, str]] = {}
    for one, place in notes.records(record, name, path):
        participant = notes.text(one, "participant_id", place)
        if participant:
            found[internal.get(participant, participant)] = read_consent(one, place, notes)
        else:
            notes.warn(join(place, "participant_id"), REQUIRED)
    return found


def read_bare_genome(document: object) -> tuple[InterpretedGenome | None, list[Problem]]:
    """Return an interpreted genome that stands alone in a file, with paths that start in it."""
    notes = Notes()
    if not isinstance(document, dict):
        return None, [Problem("", NO_OBJECT, Scope.DOCUMENT)]
    setting = Setting(notes, is_cancer="reportRequestId" in document)
    genome = read_genome(document, "", setting, cip_version=1, created_at="", ir_id=None)
    return genome, notes.problems
