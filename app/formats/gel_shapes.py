"""Documents that clients send, held against the models of ``report.avro`` in the words of the API's framework."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from app.formats.gel_models import ReportModel, Shape, report_models
from app.formats.gel_parts import LARGEST, NO_NUMBER, NO_STRING, NO_WHOLE, NULL, REQUIRED, join, no_choice, no_list
from app.formats.gel_small import NO_BASES, PLACEHOLDER

Problems = dict[str, list[str]]
"""Dotted path → what is wrong there, in the words of the API"""

NO_BOOLEAN = "Must be a valid boolean."
WRONG_DATE = "Date has wrong format. Use YYYY-MM-DD."
DUPLICATE_EVENT = "Duplicate reportEventId in this report."
BELOW_ONE = "Ensure this value is greater than or equal to 1."
BEFORE_START = "Ensure this value is not less than start."
WHOLE_BODY = "non_field_errors"
"""Where a problem of the body as a whole stands"""

_BASES = re.compile("[ACGTNacgtn]+")


def shape_problems(body: object, record: str, path: str = "") -> Problems:
    """Return what is wrong in a document: by the model, and by the rules that go beyond it.

    It has to fit one version of model 6; of one that fits none it is said what model 6.2 asks for.
    """
    first: Problems | None = None
    for model in report_models():
        if record not in model.records:
            continue
        check = _Check(model)
        check.record(body, record, path)
        if not check.problems:
            return check.rules
        if first is None:
            first = _merged(check.problems, check.rules)
    return first or {}


def _merged(one: Problems, other: Problems) -> Problems:
    return {path: [*one.get(path, ()), *other.get(path, ())] for path in (*one, *other)}


class _Check:
    """One walk through a document; ``problems`` are the model's, ``rules`` those of the rules beyond it."""

    __slots__ = ("events", "model", "problems", "rules")

    def __init__(self, model: ReportModel) -> None:
        self.model = model
        self.problems: Problems = {}
        self.rules: Problems = {}
        self.events: set[str] = set()

    def add(self, path: str, message: str) -> None:
        self.problems.setdefault(path or WHOLE_BODY, []).append(message)

    def rule(self, path: str, message: str) -> None:
        self.rules.setdefault(path, []).append(message)

    def record(self, value: object, name: str, path: str) -> None:
        if not isinstance(value, dict):
            self.add(path, f"Invalid data. Expected a dictionary, but got {type(value).__name__}.")
            return
        for member, shape in self.model.records[name].items():
            if member not in value:
                if not shape.may_be_absent:
                    self.add(join(path, member), REQUIRED)
            else:
                self.value(value[member], shape, join(path, member))
        rule = _RULES.get(name)
        if rule is not None:
            rule(self, value, path)

    def value(self, value: object, shape: Shape, path: str) -> None:
        if value is None:
            if not shape.may_be_null:
                self.add(path, NULL)
        elif shape.kind == "record":
            self.record(value, shape.name, path)
        elif shape.kind == "list" and shape.inner is not None:
            if not isinstance(value, list):
                self.add(path, no_list(value))
                return
            for at, one in enumerate(value):
                self.value(one, shape.inner, f"{path}[{at}]")
        elif shape.kind == "map" and shape.inner is not None:
            if not isinstance(value, dict):
                self.add(path, f'Expected a dictionary of items but got type "{type(value).__name__}".')
                return
            for key, one in value.items():
                self.value(one, shape.inner, join(path, key))
        elif shape.kind == "choice":
            if not isinstance(value, str) or value not in self.model.words[shape.name]:
                self.add(path, no_choice(value))
        elif (message := _scalar_problem(value, shape.kind)) is not None:
            self.add(path, message)


def _scalar_problem(value: object, kind: str) -> str | None:
    if kind == "str":
        return None if isinstance(value, str) else NO_STRING
    if kind == "bool":
        return None if isinstance(value, bool) else NO_BOOLEAN
    if kind == "int":
        fits = type(value) is int and -LARGEST - 1 <= value <= LARGEST
        return None if fits else NO_WHOLE
    fits = type(value) in (int, float) and isinstance(value, int | float) and math.isfinite(_as_float(value))
    return None if fits else NO_NUMBER


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _small_place(check: _Check, record: Mapping[str, Any], path: str) -> None:
    position = record.get("position")
    if type(position) is int and position < 1:
        check.rule(join(path, "position"), BELOW_ONE)
    for name in ("reference", "alternate"):
        allele = record.get(name)
        if not isinstance(allele, str):
            continue
        if allele.strip() in ("", ".", "-"):
            check.rule(join(path, name), PLACEHOLDER)
        elif not _BASES.fullmatch(allele):
            check.rule(join(path, name), NO_BASES)


def _large_place(check: _Check, record: Mapping[str, Any], path: str) -> None:
    start, end = record.get("start"), record.get("end")
    if type(start) is int and start < 1:
        check.rule(join(path, "start"), BELOW_ONE)
    if type(start) is int and type(end) is int and end < start:
        check.rule(join(path, "end"), BEFORE_START)


def _event(check: _Check, record: Mapping[str, Any], path: str) -> None:
    name = record.get("reportEventId")
    if not isinstance(name, str):
        return
    if name in check.events:
        check.rule(join(path, "reportEventId"), DUPLICATE_EVENT)
    check.events.add(name)


_RULES: Mapping[str, Callable[[_Check, Mapping[str, Any], str], None]] = {
    "VariantCoordinates": _small_place,
    "Coordinates": _large_place,
    "ReportEvent": _event,
}
