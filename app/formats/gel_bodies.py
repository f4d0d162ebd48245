"""Documents that clients send, clinical reports, questionnaires and logs of model 6, checked as the server does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.formats.gel_parts import BLANK, NULL, REQUIRED, no_list
from app.formats.gel_shapes import WHOLE_BODY, WRONG_DATE, Problems, shape_problems
from app.formats.gel_values import case_number, is_day

_QUESTIONNAIRES = {"raredisease": "RareDiseaseExitQuestionnaire", "cancer": "CancerExitQuestionnaire"}


def clinical_report_problems(body: object, *, ir_id: int, version: int) -> Problems:
    """Return what is wrong in a clinical report (model 6) that is sent to a case; nothing if it can be stored."""
    problems = shape_problems(body, "ClinicalReport")
    if isinstance(body, dict):
        _check_date(body, "reportingDate", problems)
        _check_case(body, ir_id, version, problems)
    return problems


def exit_questionnaire_problems(body: object, *, sample_type: str) -> Problems:
    """Return what is wrong in an exit questionnaire; ``sample_type`` (raredisease, cancer) chooses its model."""
    problems = shape_problems(body, _QUESTIONNAIRES.get(sample_type, _QUESTIONNAIRES["raredisease"]))
    if isinstance(body, dict):
        _check_date(body, "eventDate", problems)
    return problems


def interpreted_genome_problems(body: object, *, ir_id: int, version: int) -> Problems:
    """Return what is wrong in an interpreted genome (model 6) that is sent to a case."""
    problems = shape_problems(body, "InterpretedGenome")
    if isinstance(body, dict):
        service = body.get("interpretationService")
        if isinstance(service, str) and not service.strip():
            _add(problems, "interpretationService", BLANK)
        _check_case(body, ir_id, version, problems)
    return problems


def variant_log_problems(body: object) -> Problems:
    """Return what is wrong in ``{"log_entry": [VariantInterpretationLog]}`` (model 6.2)."""
    if not isinstance(body, dict):
        return {WHOLE_BODY: [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]}
    if "log_entry" not in body:
        return {"log_entry": [REQUIRED]}
    entries = body["log_entry"]
    if not isinstance(entries, list):
        return {"log_entry": [NULL if entries is None else no_list(entries)]}
    problems: Problems = {}
    for at, one in enumerate(entries):
        path = f"log_entry[{at}]"
        problems.update(shape_problems(one, _log_model(one), path))
        if isinstance(one, dict):
            _check_date(one, "timestamp", problems, path)
    return problems


def _log_model(entry: object) -> str:
    """Return which log an entry is: of a small variant, unless it holds what another is about."""
    if not isinstance(entry, dict) or "variantCoordinates" in entry:
        return "VariantInterpretationLog"
    if "breakPoints" in entry:
        return "ChromosomalRearrangementInterpretationLog"
    variant = entry.get("variant")
    if not isinstance(variant, dict):
        return "VariantInterpretationLog"
    if "shortTandemRepeatCoordinates" in variant:
        return "ShortTandemRepeatInterpretationLog"
    if "origin" in variant:
        return "UniparentalDisomyInterpretationLog"
    return "StructuralVariantInterpretationLog"


def _check_date(body: Mapping[str, Any], name: str, problems: Problems, path: str = "") -> None:
    value = body.get(name)
    if isinstance(value, str) and not is_day(value):
        _add(problems, f"{path}.{name}" if path else name, WRONG_DATE)


def _check_case(body: Mapping[str, Any], ir_id: int, version: int, problems: Problems) -> None:
    """Note a number or version that is not that of the case in the URL."""
    value = body.get("interpretationRequestId")
    if isinstance(value, str):
        found = case_number(value)
        if found is None or found[0] != ir_id:
            _add(problems, "interpretationRequestId", f"Does not match the URL ({ir_id}).")
        elif found[1] not in (None, version):
            _add(problems, "interpretationRequestId", f"Does not match the URL ({ir_id}-{version}).")
    said = body.get("interpretationRequestVersion")
    if type(said) is int and said != version:
        _add(problems, "interpretationRequestVersion", f"Does not match the URL ({version}).")


def _add(problems: Problems, path: str, message: str) -> None:
    problems.setdefault(path, []).append(message)
