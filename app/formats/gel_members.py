"""Who a case is about: the members of a pedigree, or the participant of a cancer case, in every model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from app.formats.gel import Member, Phenotype, Sample, Term
from app.formats.gel_parts import NO_STRING, Notes, Record, join, spelled
from app.formats.gel_words import CONSENT_SPELLINGS

_SEXES = {"male": "male", "m": "male", "female": "female", "f": "female"}
_CHOICES = {"yes": "yes", "no": "no", "undefined": "undefined", "not_applicable": "undefined"}
_PRESENCE = {True: "yes", False: "no", "yes": "yes", "no": "no", "unknown": "unknown"}


def read_members(request: Record, path: str, notes: Notes) -> tuple[Member, ...]:
    """Return everybody that an interpretation request names; nobody where it has neither pedigree nor participant."""
    if request.get("pedigree") is not None:
        pedigree, place = notes.record(request, "pedigree", path), join(path, "pedigree")
        name = spelled(pedigree, "members", "participants")
        members = [_member(one, at, notes) for one, at in notes.records(pedigree, name, place)]
        return tuple(_with_relations(members))
    if request.get("cancerParticipant") is not None:
        place = join(path, "cancerParticipant")
        return (_cancer_participant(notes.record(request, "cancerParticipant", path), place, notes),)
    return ()


def _member(record: Record, path: str, notes: Notes) -> Member:
    details = notes.record(record, "additionalInformation", path)
    relation = details.get("relation_to_proband")
    return Member(
        participant_id=notes.text(record, spelled(record, "participantId", "gelId"), path) or None,
        is_proband=record.get("isProband") is True,
        sex=_sex(record, path, notes),
        samples=tuple(_germline(record, "samples", path, notes)),
        pedigree_id=notes.whole(record, "pedigreeId", path),
        father_id=notes.whole(record, "fatherId", path),
        mother_id=notes.whole(record, "motherId", path),
        relation=relation.strip() if isinstance(relation, str) else "",
        affected=_affected(record, path, notes),
        year_of_birth=notes.whole(record, "yearOfBirth", path),
        life_status=notes.text(record, "lifeStatus", path).upper(),
        karyotypic_sex=notes.text(record, spelled(record, "personKaryotypicSex", "personKaryotipicSex"), path),
        phenotypes=tuple(_phenotypes(record, path, notes)),
        disorders=tuple(_disorders(record, path, notes)),
        consent=_consent(record, path, notes),
    )


def _sex(record: Record, path: str, notes: Notes) -> str:
    return _SEXES.get(notes.text(record, "sex", path).lower(), "unknown")


def _affected(record: Record, path: str, notes: Notes) -> str:
    word = notes.text(record, "affectionStatus", path).upper()
    return "UNCERTAIN" if word == "UNKNOWN" else word


def _germline(record: Record, name: str, path: str, notes: Notes, kind: str = "germline") -> Iterator[Sample]:
    """Yield samples; in model 3 they are names alone."""
    place = join(path, name)
    for at, one in enumerate(notes.items(record, name, path)):
        if isinstance(one, str):
            sample, source = one.strip(), ""
        elif isinstance(one, dict):
            sample, source = notes.text(one, "sampleId", f"{place}[{at}]"), notes.text(one, "source", f"{place}[{at}]")
        else:
            notes.warn(f"{place}[{at}]", NO_STRING)
            continue
        if sample:
            yield Sample(sample, kind, source)


def _phenotypes(record: Record, path: str, notes: Notes) -> Iterator[Phenotype]:
    for one, place in notes.records(record, "hpoTermList", path):
        term = notes.text(one, "term", place)
        presence = one.get("termPresence")
        if not term:
            continue
        # A term whose presence nobody states is not known to be present.
        known = _PRESENCE.get(presence) if isinstance(presence, bool | str) else None
        if presence is not None and known is None:
            notes.warn(join(place, "termPresence"), f'"{presence}" is not a valid choice.')
        yield Phenotype(Term(term), known or "unknown")


def _disorders(record: Record, path: str, notes: Notes) -> Iterator[str]:
    for one, place in notes.records(record, "disorderList", path):
        names = (notes.text(one, name, place) for name in ("specificDisease", "diseaseSubGroup", "diseaseGroup"))
        if name := next((name for name in names if name), ""):
            yield name


def _consent(record: Record, path: str, notes: Notes) -> Mapping[str, str]:
    """Return what a participant agreed to.

    The truth values of older models (``consentStatus``) are not read: false stands there also if nobody was asked.
    """
    name = "testConsentStatus"
    return read_consent(notes.record(record, name, path), join(path, name), notes)


def read_consent(record: Record, path: str, notes: Notes) -> Mapping[str, str]:
    """Return the fields of econsent among the members of an object, each yes, no or undefined."""
    found: dict[str, str] = {}
    for name, field in CONSENT_SPELLINGS.items():
        value = record.get(name)
        if value is None:
            continue
        if isinstance(value, str) and value.strip().lower() in _CHOICES:
            found[field] = _CHOICES[value.strip().lower()]
        else:
            notes.warn(join(path, name), f'"{str(value)[:40]}" is not a valid choice.')
            found[field] = "undefined"
    return found


def _with_relations(members: list[Member]) -> Iterator[Member]:
    """Yield the members; the proband and the parents get their relation from the pedigree if it is not said."""
    proband = next((one for one in members if one.is_proband), None)
    for one in members:
        if one.relation or proband is None:
            yield one
        elif one.is_proband:
            yield replace(one, relation="Proband")
        elif one.pedigree_id is not None and one.pedigree_id == proband.father_id:
            yield replace(one, relation="Father")
        elif one.pedigree_id is not None and one.pedigree_id == proband.mother_id:
            yield replace(one, relation="Mother")
        else:
            yield one


def _cancer_participant(record: Record, path: str, notes: Notes) -> Member:
    if "cancerDemographics" in record:
        return _old_cancer_participant(record, path, notes)
    return Member(
        participant_id=notes.text(record, spelled(record, "participantId", "individualId"), path) or None,
        is_proband=True,
        sex=_sex(record, path, notes),
        samples=(
            *_germline(record, "germlineSamples", path, notes),
            *_germline(record, "tumourSamples", path, notes, "tumour"),
        ),
        relation="Proband",
        affected="AFFECTED",
        year_of_birth=notes.whole(record, "yearOfBirth", path),
        disorders=tuple(_cancer_diseases(record, path, notes)),
        consent=_consent(record, path, notes),
    )


def _cancer_diseases(record: Record, path: str, notes: Notes) -> Iterator[str]:
    names = dict.fromkeys(
        notes.text(one, spelled(one, "diseaseType", "tumourType"), place)
        for one, place in notes.records(record, "tumourSamples", path)
    )
    yield from (name for name in names if name)


def _old_cancer_participant(record: Record, path: str, notes: Notes) -> Member:
    """Return the participant of model 3."""
    person, place = notes.record(record, "cancerDemographics", path), f"{path}.cancerDemographics"
    samples = [
        Sample(name, "tumour" if one.get("sampleType") == "tumor" else "germline")
        for one, at in notes.records(record, "cancerSamples", path)
        if (name := notes.text(one, "sampleId", at))
    ]
    return Member(
        participant_id=notes.text(person, "gelId", place) or None,
        is_proband=True,
        sex=_sex(person, place, notes),
        samples=tuple(samples),
        relation="Proband",
        affected="AFFECTED",
        consent=_consent(person, place, notes),
    )
