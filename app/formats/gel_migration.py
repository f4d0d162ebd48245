"""Documents of report models 3 to 5 rewritten in model 6, if everything that they say has a place there.

Genomics England's own migration drops structural variants and copy numbers of model 4; here a document that has
anything without a place stays in the model that it was written in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.formats.gel_genome import Model, model_of
from app.formats.gel_old_variants import Lossy, OldRecord, as_list, gene_panel, small_variants, structural_variants
from app.formats.gel_parts import Unreadable, as_whole
from app.formats.gel_shapes import shape_problems
from app.formats.gel_small import read_details
from app.formats.gel_words import read_build
from app.records import Build

_VERSION = {"gitVersionControl": "6.2.0"}
# What names the run of a program and says nothing of the patient.
_ADMINISTRATION = ("versionControl", "analysisId", "reportUri", "reportURI", "interpretationRequestAnalysisVersion")


def migrated_detail(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the detail of a case with its inner documents in model 6 where nothing is lost by it, else as they are."""
    data = detail.get("interpretation_request_data")
    request = data.get("json_request") if isinstance(data, dict) else None
    asked = request.get("genomeAssembly") or request.get("genomeAssemblyVersion") if isinstance(request, dict) else None
    build = read_build(detail.get("assembly") or asked)
    version = as_whole(detail.get("version"))
    if build is None or version is None:
        return detail
    changed = dict(detail)
    for name, migrate in (("interpreted_genome", _genome_wrapper), ("clinical_report", _report_wrapper)):
        found = detail.get(name)
        if isinstance(found, list):
            changed[name] = [migrate(one, build, version) for one in found]
    return changed


def _genome_wrapper(wrapper: Any, build: Build, version: int) -> Any:
    if not isinstance(wrapper, dict) or not isinstance(wrapper.get("interpreted_genome_data"), dict):
        return wrapper
    return wrapper | {"interpreted_genome_data": migrate_genome(wrapper["interpreted_genome_data"], build, version)}


def _report_wrapper(wrapper: Any, build: Build, version: int) -> Any:
    if not isinstance(wrapper, dict):
        return wrapper
    changed = dict(wrapper)
    if isinstance(wrapper.get("clinical_report_data"), dict):
        changed["clinical_report_data"] = migrate_report(wrapper["clinical_report_data"], build, version)
    answers = wrapper.get("exit_questionnaire")
    if isinstance(answers, dict) and isinstance(answers.get("exit_questionnaire_data"), dict):
        data = migrate_questionnaire(answers["exit_questionnaire_data"], build)
        changed["exit_questionnaire"] = answers | {"exit_questionnaire_data": data}
    return changed


def migrate_genome(data: Mapping[str, Any], build: Build, version: int) -> Mapping[str, Any]:
    """Return an interpreted genome in model 6, or as it is."""
    model = model_of(data)
    if model is None or model is Model.V6 or "reportRequestId" in data:
        return data
    try:
        new = _genome(data, build, version)
    except Lossy:
        return data
    return data if shape_problems(new, "InterpretedGenome") else new


def migrate_report(data: Mapping[str, Any], build: Build, version: int) -> Mapping[str, Any]:
    """Return a clinical report in model 6, or as it is."""
    if not shape_problems(data, "ClinicalReport"):
        return data
    try:
        new = _report(data, build, version)
    except Lossy:
        return data
    return data if shape_problems(new, "ClinicalReport") else new


def migrate_questionnaire(data: Mapping[str, Any], build: Build) -> Mapping[str, Any]:
    """Return an exit questionnaire in model 6, or as it is."""
    name = "CancerExitQuestionnaire" if "caseLevelQuestions" in data else "RareDiseaseExitQuestionnaire"
    if not shape_problems(data, name):
        return data
    try:
        new = _with_coordinates(data, build)
    except (Lossy, RecursionError):  # lists in lists in lists, in a member that nobody knows
        return data
    return data if not isinstance(new, dict) or shape_problems(new, name) else new


def _genome(data: Mapping[str, Any], build: Build, version: int) -> dict[str, Any]:
    old = OldRecord(data)
    old.take(*_ADMINISTRATION)
    said = old.take("interpretationRequestVersion")
    new = {
        "versionControl": _VERSION,
        "interpretationRequestId": old.take("interpretationRequestId", "InterpretationRequestID"),
        "interpretationRequestVersion": version if said is None else said,
        "interpretationService": old.take("interpretationService", "companyName"),
        "reportUrl": old.take("reportUrl", "reportURL"),
        "variants": small_variants(old.take("variants", "reportedVariants"), build),
        "structuralVariants": structural_variants(old.take("reportedStructuralVariants"), build),
        "chromosomalRearrangements": None,
        "shortTandemRepeats": None,
        "uniparentalDisomies": None,
        "karyotypes": None,
        **old.take_all(("referenceDatabasesVersions", "softwareVersions", "comments")),
    }
    old.close()
    return new


def _report(data: Mapping[str, Any], build: Build, version: int) -> dict[str, Any]:
    old = OldRecord(data)
    old.take(*_ADMINISTRATION)
    said = old.take("interpretationRequestVersion", "InterpretationRequestVersion")
    variants = old.take("variants", "candidateVariants")
    panels = old.take("additionalAnalysisPanels")
    new = {
        "interpretationRequestId": old.take("interpretationRequestId", "interpretationRequestID"),
        "interpretationRequestVersion": version if said is None else as_whole(said),
        **old.take_all(("reportingDate", "user")),
        "variants": None if variants is None else small_variants(variants, build),
        "structuralVariants": structural_variants(old.take("candidateStructuralVariants"), build),
        "chromosomalRearrangements": None,
        "shortTandemRepeats": None,
        "uniparentalDisomies": None,
        "karyotypes": None,
        "genomicInterpretation": old.take("genomicInterpretation"),
        "additionalAnalysisPanels": None if panels is None else [_added_panel(one) for one in as_list(panels)],
        "references": old.take("references", "supportingEvidence"),
        **old.take_all(("referenceDatabasesVersions", "softwareVersions")),
    }
    old.close()
    return new


def _added_panel(found: Any) -> dict[str, Any]:
    old = OldRecord(found)
    new = {"specificDisease": old.take("specificDisease"), "panel": gene_panel(old)}
    old.close()
    return new


_RENAMED: Mapping[str, str] = {"variant_group": "variantGroup"}


def _with_coordinates(value: Any, build: Build) -> Any:
    """Return a questionnaire in which coordinates stand for every ``chr:pos:ref:alt``."""
    if isinstance(value, list):
        return [_with_coordinates(one, build) for one in value]
    if not isinstance(value, dict):
        return value
    new: dict[str, Any] = {}
    name: str
    for name, one in value.items():
        if name in ("variantDetails", "variant_details"):
            new["variantCoordinates"] = _coordinates(one, build)
        else:
            new[_RENAMED.get(name, name)] = _with_coordinates(one, build)
    return new


def _coordinates(details: Any, build: Build) -> dict[str, Any]:
    if not isinstance(details, str):
        raise Lossy
    try:
        chromosome, position, reference, alternate, is_repaired = read_details(details, "")
    except Unreadable:
        raise Lossy from None
    if is_repaired:
        raise Lossy
    return {
        "chromosome": chromosome,
        "position": position,
        "reference": reference,
        "alternate": alternate,
        "assembly": str(build),
    }
