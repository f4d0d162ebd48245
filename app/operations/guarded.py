"""What answers about single subjects, behind the gate of consent: of whoever refused the test nothing is told."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from re import Match

from app.fhir.parameters import OperationInputs
from app.operations.context import OperationContext
from app.operations.interface import Answer, Handler, Reader


def guarded(handler: Handler) -> Handler:
    """Return a handler that raises ConsentWithheld for a subject who refused the test."""

    @wraps(handler)
    def answer(context: OperationContext, inputs: OperationInputs) -> Answer:
        context.consent.require_testing_of(inputs)
        return handler(context, inputs)

    return answer


def guarded_reader(reader: Reader) -> Reader:
    """Return a reader that does the same for what is read by its id; who somebody is, is no finding."""
    if reader.resource_type == "Patient":
        return reader

    def read(context: OperationContext, match: Match[str]) -> bytes | None:
        found = reader.read(context, match)
        if found is not None:
            context.consent.require_testing_in(found)
        return found

    return replace(reader, read=read)
