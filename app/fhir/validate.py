"""Check of a resource against the FHIR models of fhir.resources, for tests and by hand; never on the way of an answer.

The package has no plain R4 models; R4B differs from 4.0.1 in nothing that this server emits. Its import takes a quarter
of a second, so it happens at the first check.

>>> problems({"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": ""}]}) != []
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def problems(resource: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a resource, in the words of the model; an empty list means valid."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - see above
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        model = get_fhir_model_class(str(resource.get("resourceType")))
    except ValueError:
        return [f"unknown resourceType {resource.get('resourceType')!r}"]
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
    except RecursionError:
        return ["it is nested too deep to be checked"]
    return []
