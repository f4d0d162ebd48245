"""Interpreted genomes of every model, recognized by their structure and not by the version they give themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from app.errors import quoted
from app.formats.gel import TIERING, InterpretedGenome, Scope
from app.formats.gel_calls import Setting
from app.formats.gel_findings import read_findings
from app.formats.gel_parts import (
    NO_OBJECT,
    NO_WHOLE,
    REQUIRED,
    Notes,
    Record,
    Unreadable,
    as_whole,
    join,
    need_items,
    need_text,
    shown,
    spelled,
)
from app.formats.gel_small import read_all
from app.formats.gel_structural import read_all_structural, read_rearrangements, read_repeats
from app.formats.gel_values import case_number

"""``123``, ``123-1`` or ``GEL-123-1``: number and version of a case"""
_MODEL_6_LISTS = (
    "structuralVariants",
    "shortTandemRepeats",
    "chromosomalRearrangements",
    "uniparentalDisomies",
    "karyotypes",
)
ID_NAMES = ("interpretationRequestId", "InterpretationRequestID", "interpretationRequestID", "reportRequestId")


class Model(IntEnum):
    """Version of ``report.avro`` that a document is written in."""

    V3 = 3
    V4 = 4
    V5 = 5
    V6 = 6


def model_of(record: Record) -> Model | None:
    """Return the model of an interpreted genome; None if it is none of them."""
    if "InterpretationRequestID" in record or "reportURI" in record:
        return Model.V3
    if "reportedVariants" in record or "companyName" in record or "reportRequestId" in record:
        return Model.V4
    if any(name in record for name in _MODEL_6_LISTS):
        return Model.V6
    if "variants" in record:
        return _model_of_variants(record)
    # A model with nothing in it, which its other names tell.
    return _labelled(record) if "interpretationService" in record else None


def _model_of_variants(record: Record) -> Model:
    for one in record["variants"] if isinstance(record["variants"], list) else ():
        if not isinstance(one, dict):
            continue
        if "alleleOrigins" in one or "dbSnpId" in one:
            return Model.V5
        for event in one.get("reportEvents") or () if isinstance(one.get("reportEvents"), list) else ():
            if not isinstance(event, dict):
                continue
            if isinstance(event.get("phenotypes"), dict) or "segregationPattern" in event or "domain" in event:
                return Model.V6
            if isinstance(event.get("phenotypes"), list) or "modeOfInheritance" not in event:
                return Model.V5
    return _labelled(record)


def _labelled(record: Record) -> Model:
    """Return the model that a document says it has; only where nothing else tells."""
    control = record.get("versionControl")
    if isinstance(control, dict):
        label = control.get("gitVersionControl") or control.get("GitVersionControl")
        if isinstance(label, str) and label[:1] == "5":
            return Model.V5
    return Model.V6


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What stands beside a genome and not in it."""

    cip_version: int
    created_at: str
    cip: str


def read_genome(
    record: Any, path: str, setting: Setting, *, cip_version: int, created_at: str, ir_id: int | None, cip: str = ""
) -> InterpretedGenome | None:
    """Return an interpreted genome; None with a problem in the notes if the whole of it is refused.

    ``cip`` is the case's, for models that do not say whose genome it is.
    """
    try:
        return _genome(record, path, setting, _Stamp(cip_version, created_at, cip), ir_id)
    except Unreadable as problem:
        setting.notes.refuse(problem, Scope.DOCUMENT)
        return None


def _genome(record: Any, path: str, setting: Setting, stamp: _Stamp, ir_id: int | None) -> InterpretedGenome:
    if not isinstance(record, dict):
        raise Unreadable(path, NO_OBJECT)
    model = model_of(record)
    if model is None:
        raise Unreadable(path, f"Unrecognised interpreted genome: keys [{quoted(', '.join(sorted(record)))}]")
    service = _service(record, path, model, stamp.cip)
    if ir_id is not None:
        check_belongs(record, path, ir_id, setting.notes)
    is_old = model < Model.V6
    small = "variants" if model >= Model.V5 else "reportedVariants"
    large = "structuralVariants" if model >= Model.V5 else "reportedStructuralVariants"
    lists = {
        name: need_items(record, name, path)
        for name in (small, large, "chromosomalRearrangements", "shortTandemRepeats")
    }
    return InterpretedGenome(
        path=path,
        service=service,
        cip_version=stamp.cip_version,
        created_at=stamp.created_at,
        variants=read_all(lists[small], join(path, small), setting, is_old=is_old),
        structural=(
            *read_all_structural(lists[large], join(path, large), setting),
            *read_rearrangements(lists["chromosomalRearrangements"], join(path, "chromosomalRearrangements"), setting),
        ),
        repeats=read_repeats(lists["shortTandemRepeats"], join(path, "shortTandemRepeats"), setting),
        findings=read_findings(record, path, setting.notes),
        software=_software(record, path, setting.notes),
    )


def _service(record: Record, path: str, model: Model, cip: str) -> str:
    name = "interpretationService" if model >= Model.V5 else spelled(record, "companyName", "interpretationService")
    if model < Model.V5 and record.get(name) is None and cip:
        return cip.lower()
    return need_text(record, name, path).lower()


def check_belongs(record: Record, path: str, ir_id: int, notes: Notes) -> None:
    """Check that a document says it is about the case that it lies in.

    Raises:
        Unreadable: it names another one.
    """
    name = spelled(record, *ID_NAMES)
    value = record.get(name)
    if value is None:
        return
    found = case_number(shown(value))
    if found is None:
        notes.warn(join(path, name), f'"{shown(value)}" is not the number of a case.')
    elif found[0] != ir_id:
        raise Unreadable(join(path, name), f"Does not match the case ({ir_id}).")


def _software(record: Record, path: str, notes: Notes) -> Mapping[str, str]:
    found = notes.record(record, "softwareVersions", path)
    return {name: value for name, value in found.items() if isinstance(value, str)}


def read_tiered(request: Record, path: str, setting: Setting, *, created_at: str) -> InterpretedGenome | None:
    """Return the variants that requests of models before 5 carry as the genome that tiering made; else None."""
    small = spelled(request, "tieredVariants", "TieredVariants")
    if request.get(small) is None:
        return None
    try:
        variants = need_items(request, small, path)
        structural = need_items(request, "structuralTieredVariants", path)
    except Unreadable as problem:
        setting.notes.refuse(problem, Scope.DOCUMENT)
        return None
    version = setting.notes.text(request, spelled(request, "tieringVersion", "TieringVersion"), path)
    return InterpretedGenome(
        path=path,
        service=TIERING,
        cip_version=0,
        created_at=created_at,
        variants=read_all(variants, join(path, small), setting, is_old=True),
        structural=read_all_structural(structural, join(path, "structuralTieredVariants"), setting),
        software={"tiering": version} if version else {},
    )


def read_wrapped(found: Any, path: str, setting: Setting, *, ir_id: int | None, cip: str) -> InterpretedGenome | None:
    """Return the genome in ``{"interpreted_genome_data": …, "cip_version": 1, "created_at": …}``, or None."""
    notes = setting.notes
    if not isinstance(found, dict):
        notes.refuse(Unreadable(path, NO_OBJECT), Scope.DOCUMENT)
        return None
    data = found.get("interpreted_genome_data", found)
    version = as_whole(found.get("cip_version"))
    if version is None:
        notes.warn(join(path, "cip_version"), REQUIRED if found.get("cip_version") is None else NO_WHOLE)
    return read_genome(
        data,
        path,
        setting,
        cip_version=1 if version is None else version,
        created_at=notes.text(found, "created_at", path),
        ir_id=ir_id,
        cip=cip,
    )
