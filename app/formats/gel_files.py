"""Which document of Genomics England a file holds, told by its structure: names of files and version labels vary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.errors import BadFile, quoted
from app.formats.gel_genome import ID_NAMES, model_of
from app.formats.gel_parts import as_whole, spelled
from app.formats.gel_values import case_number

_MEND = "Give JSON as the CIP-API answers it, or a document of report.avro 3.0 to 6.2"


class Kind(StrEnum):
    """What a file holds."""

    CASE = "case"
    """Detail of a case: ``GET interpretation-request/{id}/{version}/``"""
    OVERVIEW = "overview of cases"
    """Items of ``GET interpretation-request/``, which say what there is and hold nothing of it"""
    REQUEST = "interpretation request"
    """What a detail has in ``interpretation_request_data.json_request``, alone"""
    GENOME = "interpreted genome"
    REPORT = "clinical report"
    QUESTIONNAIRE = "exit questionnaire"
    REFERRAL = "referral"
    REFERRAL_TEST = "referral test"
    CONSENT = "econsent"
    """Consents of participants of one referral"""
    WORKFLOW = "workflow status"
    NOTHING = "empty list"


@dataclass(frozen=True, slots=True)
class Recognized:
    """What a file holds, and the objects of that kind as they came, in their wrappers if they had one."""

    kind: Kind
    items: tuple[Mapping[str, Any], ...]


_WRAPPERS = {
    "interpreted_genome_data": Kind.GENOME,
    "clinical_report_data": Kind.REPORT,
    "exit_questionnaire_data": Kind.QUESTIONNAIRE,
}
_INNER = {kind: name for name, kind in _WRAPPERS.items()}
_LISTS = ("results", "econsent", "participant_consent")
_REQUEST_NAMES = ("pedigree", "cancerParticipant", "tieredVariants", "TieredVariants", "interpretGenome")
_CONSENT_NAMES = ("primaryGenomicTestingConsent", "researchFindingConsent")
_VERSION_NAMES = ("interpretationRequestVersion", "InterpretationRequestVersion", "reportVersion")


def recognize(document: object, source: str = "the file") -> Recognized:
    """Return what a document is; a page of the API and a list stand for their items.

    Raises:
        BadFile: it is nothing that is known, or a list of several kinds.
    """
    for name in _LISTS:
        if isinstance(document, dict) and isinstance(document.get(name), list):
            return _recognize_all(document[name], source, name)
    if isinstance(document, list):
        return _recognize_all(document, source, "")
    if not isinstance(document, dict):
        raise BadFile(source, "it is no JSON object", mend=_MEND)
    return Recognized(_kind(document, source, None), (document,))


def _recognize_all(items: list[Any], source: str, field: str) -> Recognized:
    kinds = []
    for at, one in enumerate(items):
        place = f"{field}[{at}]"
        if not isinstance(one, dict):
            raise BadFile(source, "it is no object", field=place, mend=_MEND)
        kinds.append(_kind(one, source, place))
        if kinds[0] is not kinds[-1]:
            raise BadFile(source, f"a list of both {kinds[0]} and {kinds[-1]}", field=place, mend=_MEND)
    return Recognized(kinds[0] if kinds else Kind.NOTHING, tuple(items))


def _kind(record: Mapping[str, Any], source: str, field: str | None) -> Kind:
    found = _kind_of_api(record) or _kind_of_model(record)
    if found is None:
        keys = quoted(", ".join(sorted(str(one) for one in record)))
        raise BadFile(source, f"no known document has these keys: [{keys}]", field=field, mend=_MEND)
    return found


def _kind_of_api(record: Mapping[str, Any]) -> Kind | None:
    """Return the kind of an object that the API puts around documents of the models."""
    for name, kind in _WRAPPERS.items():
        if name in record:
            return kind
    if "referral_test_id" in record:
        return Kind.REFERRAL_TEST
    if "interpretation_request_id" in record:
        is_detail = _has_any(record, ("interpretation_request_data", "interpreted_genome", "clinical_report"))
        is_overview = _has_any(record, ("interpreted_genomes", "clinical_reports", "last_status", "last_modified"))
        return Kind.CASE if is_detail else Kind.OVERVIEW if is_overview else None
    if "referral_id" in record and _has_any(record, ("referral_data", "referral_uid", "referral_test")):
        return Kind.REFERRAL
    if "participant_id" in record and _has_any(record, _CONSENT_NAMES):
        return Kind.CONSENT
    if "status" in record and "user" in record and isinstance(record["status"], str):
        return Kind.WORKFLOW
    return None


def _kind_of_model(record: Mapping[str, Any]) -> Kind | None:
    """Return the kind of a document of the models that stands alone."""
    if _has_any(record, ("familyLevelQuestions", "caseLevelQuestions", "variantGroupLevelQuestions")):
        return Kind.QUESTIONNAIRE
    if "reportingDate" in record or "genomicInterpretation" in record:
        return Kind.REPORT
    if _has_any(record, _REQUEST_NAMES):
        return Kind.REQUEST
    if model_of(record) is not None:
        return Kind.GENOME
    # The workspace is asked for in every request, of whichever model.
    return Kind.REQUEST if "workspace" in record and _has_any(record, ID_NAMES) else None


def _has_any(record: Mapping[str, Any], names: Iterable[str]) -> bool:
    return any(name in record for name in names)


def document_of(kind: Kind, item: Mapping[str, Any]) -> Any:
    """Return the document inside an item of a kind, which is the item itself if it has no wrapper."""
    name = _INNER.get(kind)
    return item[name] if name is not None and name in item else item


def case_named(kind: Kind, item: Mapping[str, Any]) -> tuple[int, int | None] | None:
    """Return number and version (if said) of the case that a document of the models is about, or None.

    An exit questionnaire names none.
    """
    record = document_of(kind, item)
    if not isinstance(record, dict):
        return None
    value = record.get(spelled(record, *ID_NAMES))
    found = case_number(value) if isinstance(value, str | int) else None
    if found is None:
        return None
    version = as_whole(record.get(spelled(record, *_VERSION_NAMES)))
    return found[0], found[1] if version is None else version
