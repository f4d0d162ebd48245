r"""The inputs of an operation: from query string, form or Parameters resource to one typed value.

The definition of the operation says which inputs exist; this module knows how each is written. Rules of the
Genomics Reporting IG (https://build.fhir.org/ig/HL7/genomics-reporting/operations.html) and of FHIR search
(https://hl7.org/fhir/R4/search.html#escaping):

* commas separate alternatives, ``\,`` is a comma inside a value, blanks around a value do not count;
* an empty value is an absent value; an unknown parameter is ignored unless the client asks for strict handling;
* repeating a list parameter adds to the list, except where the operation gives repetition the meaning AND;
* a parameter that takes one value may be repeated only with the same value.

Every problem of a request is reported at once.

>>> from app.config import Settings
>>> from app.fhir.definitions import load_definitions
>>> definition = load_definitions()["find-population-specific-variants"]
>>> pairs = [("variants", "NC_000001.10:86852620:A:G, NM_002524.5:c.182A>C"), ("variants", "NC_000005.9:g.7A>T")]
>>> inputs = read_inputs(definition, pairs, None, Dialect.IG, path_subject=None, strict=False, settings=Settings())
>>> inputs.variants
(('NC_000001.10:86852620:A:G', 'NM_002524.5:c.182A>C'), ('NC_000005.9:g.7A>T',))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

from app.config import Settings
from app.errors import InvalidInput, InvalidValue, MissingParameter, OperonError, SeveralProblems, TooCostly, quoted
from app.fhir.body import pairs_from_body
from app.fhir.dates import DateBound, parse_bound
from app.fhir.definitions import Definition, Parameter
from app.fhir.tokens import Token, parse_token
from app.records import SourceClass
from app.variants.interval import Interval, parse_range

MAX_IDENTIFIERS = 1000
"""Most tests or specimens that one request may name; a database statement takes a bounded number of values."""

CONTROL_PARAMETERS = frozenset({"_format", "_pretty", "_summary", "_elements", "_dialect"})
"""Parameters that are about the answer's form and known to every operation."""

_MAX_PROBLEMS = 100

_SEPARATOR = re.compile(r"((?:[^\\,]|\\.|\\\Z)*),?", re.DOTALL)
_ESCAPED = re.compile(r"\\([,|$\\])")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_SUBJECT = re.compile(r"(?:(?:https?://[^\s|?#]+/)?Patient/)?([A-Za-z0-9.-]{1,64})", re.ASCII)
_SUBJECT_IDENTIFIER = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:[^\s|]*)?\|[^|]+")


class Dialect(StrEnum):
    """How answers are worded: as the Genomics Reporting IG has it, or as the HL7 reference implementation does."""

    IG = "ig"
    REF = "ref"


@dataclass(frozen=True, slots=True)
class RangeInput:
    """A range: the text as it was asked for, without blanks around it, and the interval it names."""

    text: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class OperationInputs:
    """What a caller asks an operation; an input that the operation does not define has its default."""

    subject: str | None = None
    """Logical id of a Patient, or ``system|value`` of one of its identifiers."""
    ranges: tuple[RangeInput, ...] = ()
    variants: tuple[tuple[str, ...], ...] = ()
    """Groups that all have to match, each a list of alternatives; one group unless repetition means AND."""
    genes: tuple[Token, ...] = ()
    haplotypes: tuple[tuple[Token, ...], ...] = ()
    """Groups as those of ``variants``."""
    treatments: tuple[Token, ...] = ()
    conditions: tuple[Token, ...] = ()
    feature_consequences: tuple[Token, ...] = ()
    test_identifiers: tuple[str, ...] = ()
    specimen_identifiers: tuple[str, ...] = ()
    test_dates: tuple[DateBound, ...] = ()
    """Conditions on the test date, all of which have to match."""
    source_class: SourceClass | None = None
    include_variants: bool = False
    include_phasing: bool = False
    include_patient_list: bool = False
    include_non_variants: bool = False
    include_descendants: bool = False
    dialect: Dialect = Dialect.IG


def read_inputs(
    definition: Definition,
    pairs: Sequence[tuple[str, str]],
    body: object,
    dialect: Dialect,
    *,
    path_subject: str | None,
    strict: bool,
    settings: Settings,
) -> OperationInputs:
    """Return the inputs of one call.

    ``pairs`` are the decoded names and values of a query string or form, ``body`` a parsed Parameters resource or None,
    ``path_subject`` the id of the Patient on which the operation was called. Raises the problem, or SeveralProblems.
    """
    if body is not None:
        pairs = [*pairs, *pairs_from_body(body, definition.parameters)]
    reading = _Reading(settings)
    occurrences = _occurrences(definition, pairs, reading, strict=strict)
    if path_subject is not None:
        occurrences.setdefault("subject", []).insert(0, f"Patient/{path_subject}")
    values: dict[str, Any] = {}
    for name, parameter in definition.parameters.items():
        texts = occurrences.get(name)
        field, read = _READERS[name]
        value = read(reading, parameter, texts) if texts else None
        if value is not None:
            values[field] = value
        elif parameter.minimum and not reading.complained(name):
            reading.problems.append(MissingParameter(name))
    reading.raise_problems()
    _apply_defaults(values, definition, dialect)
    return OperationInputs(dialect=dialect, **values)


class _Reading:
    """The problems found while the inputs of one call are read."""

    __slots__ = ("problems", "settings")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problems: list[OperonError] = []

    def complained(self, name: str) -> bool:
        """Return whether a problem with this parameter was found."""
        return any(problem.parameter == name for problem in self.problems)

    def raise_problems(self) -> None:
        """Raise what was found, if anything was: missing parameters first."""
        if not self.problems:
            return
        ordered = sorted(self.problems, key=lambda problem: not isinstance(problem, MissingParameter))
        raise ordered[0] if len(ordered) == 1 else SeveralProblems(ordered[:_MAX_PROBLEMS])

    def is_clean(self, parameter: Parameter, text: str) -> bool:
        """Return whether a value is free of control characters, and report it if it is not."""
        if _CONTROL_CHARACTER.search(text) is None:
            return True
        message = f"{parameter.name} contains a control character"
        self.problems.append(InvalidValue(message, parameter=parameter.name))
        return False


def _occurrences(
    definition: Definition, pairs: Sequence[tuple[str, str]], reading: _Reading, *, strict: bool
) -> dict[str, list[str]]:
    occurrences: dict[str, list[str]] = {}
    known = definition.parameters
    for name, text in pairs:
        if name in known:
            if text and not text.isspace():
                occurrences.setdefault(name, []).append(text)
        elif strict and name not in CONTROL_PARAMETERS and len(reading.problems) < _MAX_PROBLEMS:
            reading.problems.append(InvalidInput(f"Unknown query parameter '{quoted(name)}'", parameter=name))
    return occurrences


def _apply_defaults(values: dict[str, Any], definition: Definition, dialect: Dialect) -> None:
    if "includeVariants" in definition.parameters:
        # The reference implementation returns variants unless told not to, and its clients count on it.
        values.setdefault("include_variants", dialect is Dialect.REF)
    if values.get("include_phasing"):
        values["include_variants"] = True


def split_list(text: str) -> list[str]:
    """Return the values of a comma-separated list, without escapes, blanks around them and empty ones."""
    if "\\" not in text:
        return [piece for piece in map(str.strip, text.split(",")) if piece]
    pieces = (_ESCAPED.sub(r"\1", match[1]) for match in _SEPARATOR.finditer(text))
    return [piece for piece in map(str.strip, pieces) if piece]


def split_tokens(text: str) -> list[Token]:
    """Return the tokens of a comma-separated list, without empty ones."""
    pieces = (match[1] for match in _SEPARATOR.finditer(text)) if "\\" in text else text.split(",")
    tokens = (parse_token(piece) for piece in pieces if piece and not piece.isspace())
    return [token for token in tokens if token.code]


def _unescaped(text: str) -> str:
    return (_ESCAPED.sub(r"\1", text) if "\\" in text else text).strip()


def _read_list(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[str, ...] | None:
    values = list(chain.from_iterable(map(split_list, texts)))
    dirty = [value for value in values if not reading.is_clean(parameter, value)]
    return None if dirty else tuple(values) or None


def _read_identifiers(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[str, ...] | None:
    values = _read_list(reading, parameter, texts)
    if values is not None:
        _limit(len(values), MAX_IDENTIFIERS, parameter)
    return values


def _read_ranges(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[RangeInput, ...] | None:
    values = _read_list(reading, parameter, texts)
    if values is None:
        return None
    _limit(len(values), reading.settings.max_ranges, parameter)
    ranges: list[RangeInput] = []
    for text in values:
        try:
            ranges.append(RangeInput(text, parse_range(text)))
        except InvalidInput as problem:
            reading.problems.append(problem)
    return tuple(ranges) or None


def _read_variants(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[tuple[str, ...], ...] | None:
    groups = [_read_list(reading, parameter, (text,)) for text in texts]
    found = [group for group in groups if group is not None]
    _limit(sum(map(len, found)), reading.settings.max_variants, parameter)
    if not found:
        return None
    return tuple(found) if parameter.conjunctive else (tuple(chain.from_iterable(found)),)


def _read_tokens(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[tuple[Token, ...], ...] | None:
    """Return groups of tokens; one group unless repetition means AND."""
    groups = [tuple(split_tokens(text)) for text in texts]
    found = [group for group in groups if group]
    _limit(sum(map(len, found)), reading.settings.max_tokens, parameter)
    dirty = [token for group in found for token in group if not reading.is_clean(parameter, token.text)]
    if dirty or not found:
        return None
    return tuple(found) if parameter.conjunctive else (tuple(chain.from_iterable(found)),)


def _read_alternatives(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[Token, ...] | None:
    groups = _read_tokens(reading, parameter, texts)
    return tuple(chain.from_iterable(groups)) if groups else None


def _read_dates(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> tuple[DateBound, ...] | None:
    bounds: list[DateBound] = []
    for text in texts:
        try:
            bounds.append(parse_bound(text))
        except InvalidInput as problem:
            reading.problems.append(problem)
    return tuple(bounds) or None


def _limit(count: int, most: int, parameter: Parameter) -> None:
    if count > most:
        message = f"{count} {parameter.name} in one request; at most {most} are answered, so ask in portions"
        raise TooCostly(message, parameter=parameter.name)


def _single(parse: Callable[[Parameter, str], Any]) -> Callable[[_Reading, Parameter, Sequence[str]], Any]:
    """Return a reader of a parameter that takes one value, which may be repeated but not contradicted."""

    def read(reading: _Reading, parameter: Parameter, texts: Sequence[str]) -> Any:
        values: list[Any] = []
        for text in texts:
            value = _unescaped(text)
            if not value or not reading.is_clean(parameter, value):
                continue
            try:
                values.append(parse(parameter, value))
            except InvalidInput as problem:
                reading.problems.append(problem)
        if any(value != values[0] for value in values):
            message = f"{parameter.name} takes one value, but different ones were given"
            reading.problems.append(InvalidValue(message, parameter=parameter.name))
        return values[0] if values else None

    return read


def _parse_subject(parameter: Parameter, text: str) -> str:
    match = _SUBJECT.fullmatch(text)
    if match is not None:
        return match[1]
    if _SUBJECT_IDENTIFIER.fullmatch(text):
        return text
    message = f"'{quoted(text)}' does not match id, Patient/id, URL of a Patient or system|value"
    raise InvalidValue(message, parameter=parameter.name)


def _parse_source_class(parameter: Parameter, text: str) -> SourceClass:
    match text.lower():
        case "germline":
            return SourceClass.GERMLINE
        case "somatic":
            return SourceClass.SOMATIC
        case _:
            message = f"Genomic Source Class must be either 'germline' or 'somatic', not '{quoted(text)}'"
            raise InvalidValue(message, parameter=parameter.name)


def _parse_boolean(parameter: Parameter, text: str) -> bool:
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            message = f"{parameter.name} must be true or false, not '{quoted(text)}'"
            raise InvalidValue(message, parameter=parameter.name)


_READERS: Mapping[str, tuple[str, Callable[[_Reading, Parameter, Sequence[str]], Any]]] = {
    "subject": ("subject", _single(_parse_subject)),
    "ranges": ("ranges", _read_ranges),
    "variants": ("variants", _read_variants),
    "genes": ("genes", _read_alternatives),
    "haplotypes": ("haplotypes", _read_tokens),
    "treatments": ("treatments", _read_alternatives),
    "conditions": ("conditions", _read_alternatives),
    "featureConsequences": ("feature_consequences", _read_alternatives),
    "testIdentifiers": ("test_identifiers", _read_identifiers),
    "testDateRange": ("test_dates", _read_dates),
    "specimenIdentifiers": ("specimen_identifiers", _read_identifiers),
    "genomicSourceClass": ("source_class", _single(_parse_source_class)),
    "includeVariants": ("include_variants", _single(_parse_boolean)),
    "includePhasing": ("include_phasing", _single(_parse_boolean)),
    "includeNonVariants": ("include_non_variants", _single(_parse_boolean)),
    "includePatientList": ("include_patient_list", _single(_parse_boolean)),
    "includeDescendants": ("include_descendants", _single(_parse_boolean)),
}
"""Field and reader of every input that an operation may declare."""
