"""The result of a gene as the JSON text that the store keeps of it.

>>> from app.pgx.calls import CallStatus
>>> text = encode(GeneCall("CYP2C19", CallStatus.CALLED, diplotypes=(Diplotype("*1", "*2", 4),)))
>>> text
'{"gene":"CYP2C19","status":"called","diplotypes":[["*1","*2",4]]}'
>>> decode(text).genotype
'*1/*2'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, Final

import orjson

from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall, Warned

_DEFAULTS: Final = {one.name: one.default for one in fields(GeneCall)}


def encode(call: GeneCall) -> str:
    """Return a call as text; what has its default value is left out."""
    said = {name: getattr(call, name) for name, default in _DEFAULTS.items()}
    kept = {name: value for name, value in said.items() if _DEFAULTS[name] is MISSING or value != _DEFAULTS[name]}
    return orjson.dumps(kept, default=_listed, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def decode(text: str) -> GeneCall:
    """Read a call back."""
    said: Mapping[str, Any] = orjson.loads(text)
    return GeneCall(**{name: _READ.get(name, _as_is)(value) for name, value in said.items() if name in _DEFAULTS})


def _listed(value: object) -> list[Any]:
    if isinstance(value, Diplotype):
        return [value.first, value.second, value.score]
    if isinstance(value, Warned):
        return [value.code, value.text]
    raise TypeError(type(value).__name__)


def _as_is(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _diplotypes(rows: Sequence[Sequence[Any]]) -> tuple[Diplotype, ...]:
    return tuple(Diplotype(*row) for row in rows)


def _warnings(rows: Sequence[Sequence[str]]) -> tuple[Warned, ...]:
    return tuple(Warned(*row) for row in rows)


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "status": CallStatus,
    "method": CallMethod,
    "diplotypes": _diplotypes,
    "alternatives": _diplotypes,
    "warnings": _warnings,
}
