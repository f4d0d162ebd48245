"""A Parameters resource in a request, read as if it had been a query string.

Every value[x] that an input accepts is turned into the text that a query would carry, so that one grammar and one set
of checks (``app/fhir/parameters.py``) serve GET, form and JSON. Only the structure is checked here:
https://hl7.org/fhir/R4/parameters.html.

>>> body = {"resourceType": "Parameters", "parameter": [{"name": "includeVariants", "valueBoolean": True}]}
>>> pairs_from_body(body, known={"includeVariants"})
[('includeVariants', 'true')]
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from app.errors import InvalidBody, OperonError, SeveralProblems, quoted
from app.fhir.codes import SOURCE_CLASS

_MAX_PROBLEMS = 100

Converter = Callable[[Any], tuple[str, ...] | None]
"""Turns one value into query texts, or into None if the value has another structure."""


def pairs_from_body(body: object, known: Container[str]) -> list[tuple[str, str]]:
    """Return names and values of a Parameters resource in the grammar of a query string.

    Names that are not ``known`` are passed on with an empty value, so that the caller can refuse or ignore them.
    Raises InvalidBody or SeveralProblems.
    """
    pairs: list[tuple[str, str]] = []
    problems: list[OperonError] = []
    for position, entry in enumerate(_entries(body)):
        try:
            pairs += _read_entry(entry, position, known)
        except InvalidBody as problem:
            problems.append(problem)
            if len(problems) == _MAX_PROBLEMS:
                break
    if len(problems) > 1:
        raise SeveralProblems(problems)
    if problems:
        raise problems[0]
    return pairs


def _entries(body: object) -> list[object]:
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise InvalidBody("The request body is not a Parameters resource")
    entries = body.get("parameter", [])
    if not isinstance(entries, list):
        raise InvalidBody("Parameters.parameter is not an array")
    return entries


def _read_entry(entry: object, position: int, known: Container[str]) -> Iterator[tuple[str, str]]:
    where = f"Parameters.parameter[{position}]"
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InvalidBody(f"{where} has no name")
    name: str = entry["name"]
    if name not in known:
        return iter(((name, ""),))
    converters = _ACCEPTED[name]
    keys = [key for key in entry if isinstance(key, str) and key.startswith("value")]
    if len(keys) != 1 or "part" in entry or "resource" in entry:
        raise InvalidBody(f"{where} ({name}) needs exactly one value", parameter=name)
    key = keys[0]
    convert = converters.get(key)
    if convert is None:
        expected = ", ".join(converters)
        raise InvalidBody(f"{where} ({name}) has {quoted(key)}; accepted: {expected}", parameter=name)
    texts = convert(entry[key])
    if texts is None:
        raise InvalidBody(f"{where} ({name}): the content of {key} cannot be read", parameter=name)
    return ((name, text) for text in texts)


def _text(value: Any) -> tuple[str, ...] | None:
    return (value,) if isinstance(value, str) else None


def _boolean(value: Any) -> tuple[str, ...] | None:
    return ("true" if value else "false",) if isinstance(value, bool) else None


def _literal(text: str) -> str:
    """Return a value with the characters escaped that separate values in a query."""
    return text.replace("\\", "\\\\").replace(",", "\\,")


def _identifier_value(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        return None
    return (_literal(value["value"]),)


def _specimen(value: Any) -> tuple[str, ...] | None:
    """Return the identifier of a Reference, else the logical id at the end of its URL."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("reference"), str):
        return (_literal(value["reference"].rsplit("/", 1)[-1]),)
    return _identifier_value(value.get("identifier"))


def _subject_identifier(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        return None
    system = value.get("system", "")
    return (f"{system}|{_literal(value['value'])}",) if isinstance(system, str) else None


def _subject_reference(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("reference"), str):
        return (value["reference"],)
    return _subject_identifier(value.get("identifier"))


def _period(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, dict):
        return None
    ends = [(prefix, value[key]) for prefix, key in (("ge", "start"), ("le", "end")) if key in value]
    if not ends or not all(isinstance(text, str) and text for _, text in ends):
        return None
    return tuple(prefix + text for prefix, text in ends)


def _day(value: Any) -> tuple[str, ...] | None:
    return ("eq" + value,) if isinstance(value, str) and value else None


_SOURCE_CLASS_WORD = {coding.code: source_class.word for source_class, coding in SOURCE_CLASS.items()}


def _source_class(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        return None
    code: str = value["code"]
    return (_SOURCE_CLASS_WORD.get(code, code),)


def _word(text: str) -> str:
    """Return a word as a query carries it, so that no character of it separates anything."""
    return _literal(text).replace("|", "\\|")


def _code(value: Any) -> tuple[str, ...] | None:
    return (_word(value),) if isinstance(value, str) and value else None


def _coding(value: Any) -> tuple[str, ...] | None:
    """Return ``system|code``, else the code or the display as a word."""
    if not isinstance(value, dict):
        return None
    system, code, display = (value.get(name, "") for name in ("system", "code", "display"))
    if not all(isinstance(text, str) for text in (system, code, display)) or not (code or display):
        return None
    return (f"{_word(system)}|{_literal(code)}",) if system and code else (_word(code or display),)


def _concept(value: Any) -> tuple[str, ...] | None:
    """Return the codings as alternatives, else the text as a word."""
    if not isinstance(value, dict):
        return None
    codings, text = value.get("coding", []), value.get("text", "")
    if not isinstance(codings, list) or not isinstance(text, str):
        return None
    if not codings:
        return (_word(text),) if text else None
    found = [_coding(coding) for coding in codings]
    return (",".join(one[0] for one in found if one is not None),) if all(found) else None


_STRING: Mapping[str, Converter] = {"valueString": _text}
_TOKEN: Mapping[str, Converter] = {
    "valueString": _text,
    "valueCoding": _coding,
    "valueCodeableConcept": _concept,
    "valueCode": _code,
}
_FLAG: Mapping[str, Converter] = {"valueBoolean": _boolean, "valueString": _text}

_ACCEPTED: Mapping[str, Mapping[str, Converter]] = {
    "subject": {
        "valueString": _text,
        "valueReference": _subject_reference,
        "valueUri": _text,
        "valueId": _text,
        "valueIdentifier": _subject_identifier,
    },
    "ranges": _STRING,
    "variants": _STRING,
    "genes": _TOKEN,
    "haplotypes": _TOKEN,
    "treatments": _TOKEN,
    "conditions": _TOKEN,
    "featureConsequences": _TOKEN,
    "testIdentifiers": {"valueString": _text, "valueIdentifier": _identifier_value},
    "specimenIdentifiers": {
        "valueString": _text,
        "valueIdentifier": _identifier_value,
        "valueReference": _specimen,
    },
    "testDateRange": {"valuePeriod": _period, "valueString": _text, "valueDate": _day, "valueDateTime": _day},
    "genomicSourceClass": {"valueCode": _text, "valueString": _text, "valueCoding": _source_class},
    "includeVariants": _FLAG,
    "includePhasing": _FLAG,
    "includePatientList": _FLAG,
    "includeNonVariants": _FLAG,
    "includeDescendants": _FLAG,
}
