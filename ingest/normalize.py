"""What a variant text means, as one JSON object."""

from __future__ import annotations

from typing import Any

from app.errors import CannotNormalize, OperonError
from app.formats.vcf_text import spdi_of
from app.records import Build, LiftStatus
from app.variants.hgvs_text import genomic_hgvs
from app.variants.identify import Identified, Identifier
from app.variants.naming import Namer
from app.variants.placement import Placement
from app.variants.spdi import Spdi


def describe(text: str, identifier: Identifier, namer: Namer, assembly: Build | None = None) -> dict[str, Any]:
    """Return the identity and the names of a variant, or why it has none; never raises for a bad text.

    ``assembly`` is what a text in the way of a VCF is on that does not say so itself.
    """
    out: dict[str, Any] = {"input": text, "GRCh37": None, "GRCh38": None, "canonical": None, "hgvs": {}, "error": None}
    try:
        identified = _identified(text.strip(), identifier, assembly)
    except OperonError as error:
        out["error"] = error.diagnostics
        return out
    placement = identified.placement
    out["GRCh37"] = str(placement.spdi37) if placement.spdi37 else None
    out["GRCh38"] = str(placement.spdi38) if placement.spdi38 else None
    out["canonical"] = str(placement.canonical)
    if placement.justified:
        _name(out, placement, namer)
    if placement.status is not LiftStatus.OK:
        out["liftover"] = placement.status.name.lower().replace("_", "-")
    if not placement.justified:
        out["justified"] = False
    if identified.note:
        out["note"] = identified.note
    return out


def _identified(text: str, identifier: Identifier, assembly: Build | None) -> Identified:
    spdi = spdi_of(text, assembly)
    try:
        return identifier.identify(spdi or text)
    except CannotNormalize as error:
        raise CannotNormalize(text, error.reason) from error


def _name(out: dict[str, Any], placement: Placement, namer: Namer) -> None:
    hgvs: dict[str, str] = out["hgvs"]
    for build in Build:
        change = placement.on(build)
        text = genomic_hgvs(change) if change is not None else None
        if text is not None:
            hgvs[build.value] = text
    surest = _surest(placement, namer)
    names = namer.names(surest) if surest is not None else None
    if names is None:
        return
    hgvs["coding" if ":c." in names.coding else "noncoding"] = names.coding
    if names.protein is not None and names.change is not None:
        hgvs["protein"] = f"{names.protein}:{names.change}"
    out["gene"] = {"symbol": names.gene, "hgnc": names.hgnc}


def _surest(placement: Placement, namer: Namer) -> Spdi | None:
    """Return the form that names are taken from: on GRCh38 if the sequence there is loaded, else on GRCh37.

    Without any sequence that is the canonical form of a substitution, whose place is no matter of the bases around it.
    """
    for build in (Build.GRCH38, Build.GRCH37):
        change = placement.on(build)
        if change is not None and namer.has_sequence(build, change):
            return change
    change = placement.canonical
    return change if len(change.deleted) == len(change.inserted) else None
