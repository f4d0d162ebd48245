"""What a variant text means, as one JSON object."""

from __future__ import annotations

from typing import Any

from app.errors import OperonError
from app.records import LiftStatus
from app.variants.identify import Identifier


def describe(text: str, identifier: Identifier) -> dict[str, Any]:
    """Return the identity of a variant on both builds, or why it has none; never raises for a bad text."""
    out: dict[str, Any] = {"input": text, "GRCh37": None, "GRCh38": None, "canonical": None, "hgvs": {}, "error": None}
    try:
        identified = identifier.identify(text.strip())
    except OperonError as error:
        out["error"] = error.diagnostics
        return out
    placement = identified.placement
    out["GRCh37"] = str(placement.spdi37) if placement.spdi37 else None
    out["GRCh38"] = str(placement.spdi38) if placement.spdi38 else None
    out["canonical"] = str(placement.canonical)
    if placement.status is not LiftStatus.OK:
        out["liftover"] = placement.status.name.lower().replace("_", "-")
    if not placement.justified:
        out["justified"] = False
    if identified.note:
        out["note"] = identified.note
    return out
