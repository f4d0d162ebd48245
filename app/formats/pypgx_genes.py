"""Genes as PyPGx's tables of variants and alleles define them, on both builds.

An allele has a cell at each of its core variants on GRCh38 and says nothing elsewhere; the reference allele is the one
without core variants and has every cell. Records of one place are put together under the longest REF, as a VCF spells
a site of several alleles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.errors import quoted
from app.formats.pgx import NamedAllele, Position
from app.formats.pypgx_rows import Change, CsvRow
from app.variants.accessions import display

VARIANT_COLUMNS = (
    "Gene",
    "GRCh37Name",
    "GRCh38Name",
    "rsID",
    "GRCh37Position",
    "GRCh38Position",
    "GRCh37Allele",
    "GRCh37Synonym",
    "GRCh38Synonym",
)
ALLELE_COLUMNS = ("Gene", "StarAllele", "ActivityScore", "Function", "GRCh38Core", "SV")

# Deletions that PyPGx spells further right than a VCF does: how far to shift them, and REF and ALT then. The bases
# around them are the same on both builds.
_FURTHER_LEFT = {
    "10-94942210-GAAAGAAATGG-G": (-5, "CAATGGAAAGA", "C"),
    "X-154532057-CTTC-C": (-2, "CTCT", "C"),
    "X-154533014-TGGGGTCGTCCAGGTACCCTTTGGT-T": (-2, "CGTGGGGTCGTCCAGGTACCCTTTG", "C"),
    "X-154534075-CAGTGCC-C": (-1, "TCAGTGC", "T"),
    "X-154534116-ATGTTGT-ATGT": (0, "ATGT", "A"),
    "X-154534418-GGAG-G": (-4, "GGGA", "G"),
    "X-154535369-TTCT-T": (-2, "GCTT", "G"),
    "X-154546046-ATGATGATGA-ATGATGA": (-1, "CATG", "C"),
}
_MERGED = {"rs34983651": "rs3064744"}
"""rsIDs that dbSNP has merged into another one"""

_WORDS = {
    "Malignant Hyperthermia Associated": "Malignant Hyperthermia associated",
    **{
        f"{word} Function": f"{word} function"
        for word in ("Normal", "Increased", "Decreased", "No", "Uncertain", "Unknown", "Severely Decreased")
    },
}


@dataclass(frozen=True, slots=True)
class _Variant:
    """A variant on GRCh38, and where it is on GRCh37."""

    change: Change
    start37: int
    ref37: str
    rsid: str


Variants = Mapping[str, Sequence[_Variant]]
"""By the name on GRCh38; one that other spellings make up has several"""


def read_variants(rows: Iterable[CsvRow]) -> dict[str, dict[str, tuple[_Variant, ...]]]:
    """Return the variants of each gene."""
    found: dict[str, dict[str, tuple[_Variant, ...]]] = defaultdict(dict)
    for row in rows:
        if row["GRCh38Name"]:
            found[row["Gene"]][row["GRCh38Name"]] = _read_variant(row)
    return found


def _read_variant(row: CsvRow) -> tuple[_Variant, ...]:
    change = row.change("GRCh38Name", row["GRCh38Name"])
    if row["GRCh38Synonym"]:
        return tuple(_read_synonyms(row, change))
    start37 = row["GRCh37Position"]
    if not start37.isdecimal():
        row.fail("GRCh37Position", f"{quoted(start37)} is no position")
    variant = _Variant(change, int(start37) - 1, row["GRCh37Allele"], _rsid(row))
    if variant.ref37 not in (change.ref, change.alt):
        row.fail("GRCh37Allele", f"{quoted(variant.ref37)} is neither REF nor ALT of GRCh38")
    if row["GRCh38Name"] in _FURTHER_LEFT:
        shift, ref, alt = _FURTHER_LEFT[row["GRCh38Name"]]
        moved = replace(change, start=change.start + shift, ref=ref, alt=alt)
        return (replace(variant, change=moved, start37=variant.start37 + shift, ref37=ref),)
    return (variant,)


def _rsid(row: CsvRow) -> str:
    return _MERGED.get(row["rsID"], row["rsID"])


def _read_synonyms(row: CsvRow, change: Change) -> Iterator[_Variant]:
    """Yield the variants that another spelling has; the rsID stays with what is at the same place."""
    spelled38, spelled37 = row.changes("GRCh38Synonym"), row.changes("GRCh37Synonym")
    if len(spelled38) != len(spelled37):
        row.fail("GRCh37Synonym", "it does not match GRCh38Synonym")
    for on38, on37 in zip(spelled38, spelled37, strict=True):
        is_same_place = len(spelled38) == 1 and on38.start == change.start
        yield _Variant(on38, on37.start, on37.ref, _rsid(row) if is_same_place else "")


def define(
    variants: Variants, rows: Sequence[CsvRow], reference: str, *, scored: bool
) -> tuple[tuple[Position, ...], tuple[NamedAllele, ...]]:
    """Return the positions and alleles of a gene.

    Args:
        variants: Those of the gene.
        rows: The gene's rows of the table of alleles.
        reference: Name of the allele that GRCh38 has.
        scored: Whether alleles have activity values.

    Raises:
        BadFile: an allele has a variant that is not there, or the reference allele has one.
    """
    cores = {row["StarAllele"]: _core(variants, row) for row in rows}
    for row in rows:
        if row["StarAllele"] == reference and cores[reference]:
            row.fail("GRCh38Core", "the allele that GRCh38 has differs from GRCh38")
    sites: dict[tuple[int, int], list[_Variant]] = defaultdict(list)
    for core in cores.values():
        for variant in core:
            place = (variant.change.contig, variant.change.start)
            if variant not in sites[place]:
                sites[place].append(variant)
    positions = {place: _position(found) for place, found in sorted(sites.items())}
    alleles = tuple(_allele(row, cores[row["StarAllele"]], positions, reference, scored) for row in rows)
    return tuple(positions.values()), alleles


def _core(variants: Variants, row: CsvRow) -> tuple[_Variant, ...]:
    found: list[_Variant] = []
    for name in filter(None, (part.strip() for part in row["GRCh38Core"].split(","))):
        if name not in variants:
            row.fail("GRCh38Core", f"{quoted(name)} is not in the table of variants")
        found.extend(variants[name])
    return tuple(found)


def _position(found: Sequence[_Variant]) -> Position:
    ref = max((variant.change.ref for variant in found), key=len)
    alts = sorted({variant.change.alt + ref[len(variant.change.ref) :] for variant in found})
    first = found[0]
    name = next((variant.rsid for variant in found if variant.rsid), "")
    alleles = (ref, *alts)
    ref37 = first.ref37 + ref[len(first.change.ref) :]
    return Position(
        name or f"{display(first.change.contig)}-{first.change.start + 1}-{ref}",
        first.change.contig,
        first.change.start,
        alleles,
        first.start37,
        alleles,
        ref37,
    )


def _allele(
    row: CsvRow, core: Sequence[_Variant], positions: Mapping[tuple[int, int], Position], reference: str, scored: bool
) -> NamedAllele:
    own = {
        (variant.change.contig, variant.change.start): (
            variant.change.alt + positions[variant.change.contig, variant.change.start].ref38[len(variant.change.ref) :]
        )
        for variant in core
    }
    is_reference = row["StarAllele"] == reference
    cells = tuple(own.get(place, position.ref38 if is_reference else "") for place, position in positions.items())
    function = row["Function"]
    return NamedAllele(
        row["StarAllele"],
        cells,
        is_reference,
        row["SV"] == "TRUE",
        _WORDS.get(function, function),
        _activity(row) if scored else "",
    )


def _activity(row: CsvRow) -> str:
    text = row["ActivityScore"]
    if not text:
        return "n/a"
    try:
        return str(float(text))
    except ValueError:
        row.fail("ActivityScore", f"{quoted(text)} is no number")
