"""A variant as one short text in the way of a VCF: chromosome, one-based position, REF and ALT, joined by hyphens.

The text is what gnomAD shows; the assembly stands before it or is known from elsewhere.

>>> spdi_of("17-43057062-T-TG", Build.GRCH38)
'NC_000017.11:43057061:T:TG'
>>> spdi_of("GRCh37:chr17-41246374-G-A", None)
'NC_000017.10:41246373:G:A'
"""

from __future__ import annotations

import re

from app.errors import CannotNormalize, UnknownRefSeq
from app.records import Build
from app.variants.accessions import accession, contig_named

_TEXT = re.compile(
    r"(?:(?P<assembly>GRCh3[78])[:-])?(?P<contig>[A-Za-z0-9]{1,10})-(?P<position_1based>[0-9]{1,10})"
    r"-(?P<ref>[ACGTN]+)-(?P<alt>[ACGTN]+)",
    re.IGNORECASE,
)
_BUILDS = {build.value.lower(): build for build in Build}


def spdi_of(text: str, assembly: Build | None) -> str | None:
    """Return the SPDI that a text stands for, or None for a text of another form.

    Raises CannotNormalize without an assembly or with two different ones, and UnknownRefSeq for another sequence than
    a chromosome.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    stated = _BUILDS[match["assembly"].lower()] if match["assembly"] else None
    build = stated or assembly
    if build is None:
        raise CannotNormalize(text, "it does not say which assembly its position is on: GRCh37 or GRCh38")
    if assembly not in (None, build):
        raise CannotNormalize(text, f"its position is on {build}, not on {assembly}")
    contig = contig_named(match["contig"], build)
    if contig is None:
        raise UnknownRefSeq(match["contig"])
    position_1based = int(match["position_1based"])
    if not position_1based:
        raise CannotNormalize(text, "positions count from 1")
    return f"{accession(build, contig)}:{position_1based - 1}:{match['ref']}:{match['alt']}".upper()
