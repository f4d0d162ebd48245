"""The regions of a study on its Procedure: lines of BED for each kind and sequence, which the profile has no place for.

Positions are zero-based, half-open, on the study's build; intervals are sorted and disjoint.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.errors import OperonError
from app.fhir.elements import Element, NotFhir, objects_of, text_of
from app.records import Build
from app.variants.accessions import accession, locate, sequence_length

REGIONS: Final = "urn:operon:fhir:regions"

_KIND: Final = re.compile(r"[a-z][a-z_-]{0,30}")
_Ints = NDArray[np.int64]
Intervals = Mapping[int, tuple[_Ints, _Ints]]
"""Contig to sorted, disjoint (starts, ends)"""


def regions_extensions(build: Build, regions: Mapping[str, Intervals]) -> list[dict[str, Any]]:
    """Return the regions of a study by kind as extensions; a kind without any interval is there all the same."""
    found = []
    for kind, intervals in sorted(regions.items()):
        found += [_extension(kind, accession(build, contig), *intervals[contig]) for contig in sorted(intervals)]
        if not intervals:
            found.append({"url": REGIONS, "extension": [{"url": "kind", "valueCode": kind}]})
    return found


def _extension(kind: str, ref_seq: str, starts: _Ints, ends: _Ints) -> dict[str, Any]:
    lines = "".join(f"{start}\t{end}\n" for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
    parts = [
        {"url": "kind", "valueCode": kind},
        {"url": "sequence", "valueString": ref_seq},
        {"url": "intervals", "valueBase64Binary": base64.b64encode(lines.encode()).decode()},
    ]
    return {"url": REGIONS, "extension": parts}


def read_regions(resource: Element) -> dict[str, dict[int, tuple[_Ints, _Ints]]]:
    """Return the regions that a Procedure carries, by kind.

    Raises:
        NotFhir: they are none that ``regions_extensions`` writes.
    """
    found: dict[str, dict[int, tuple[_Ints, _Ints]]] = {}
    for path, extension in objects_of(resource, "extension"):
        if extension.get("url") != REGIONS:
            continue
        parts = {text_of(part, "url", where): part for where, part in objects_of(extension, "extension", path)}
        kind = text_of(parts.get("kind", {}), "valueCode", path)
        if kind is None or _KIND.fullmatch(kind) is None:
            raise NotFhir(path, "it has no kind")
        of_kind = found.setdefault(kind, {})
        ref_seq = text_of(parts.get("sequence", {}), "valueString", path)
        if ref_seq is None:
            continue
        try:
            contig, _ = locate(ref_seq)
        except OperonError as error:
            raise NotFhir(path, error.diagnostics) from error
        if contig in of_kind:
            raise NotFhir(path, f"{ref_seq} has regions of this kind already")
        of_kind[contig] = _intervals(text_of(parts.get("intervals", {}), "valueBase64Binary", path), ref_seq, path)
    return found


def _intervals(packed: str | None, ref_seq: str, path: str) -> tuple[_Ints, _Ints]:
    try:
        lines = base64.b64decode(packed or "", validate=True).decode("ascii").splitlines()
        pairs = [(int(start), int(end)) for start, end in (line.split("\t") for line in lines)]
        flat = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise NotFhir(path, "the intervals are no lines of start and end") from error
    starts, ends = flat[:, 0], flat[:, 1]
    if not pairs or (starts >= ends).any() or (starts[1:] <= ends[:-1]).any():
        raise NotFhir(path, "the intervals are not sorted and apart from each other")
    if starts[0] < 0 or ends[-1] > sequence_length(ref_seq):
        raise NotFhir(path, f"an interval lies outside of {ref_seq}")
    return starts, ends
