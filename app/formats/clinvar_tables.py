"""ClinVar's tables: ``variant_summary.txt.gz`` (one row for each allele and build) and ``submission_summary.txt.gz``.

https://ftp.ncbi.nlm.nih.gov/pub/clinvar/tab_delimited/README. A submission names its variation by number; ``Places``
holds what millions of these numbers mean. Columns are found by name, so that layouts with and without the somatic
columns read alike. Somatic classifications are left out, as in ``app/formats/clinvar_vcf.py``.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.config import Settings
from app.errors import quoted
from app.formats.clinvar_conditions import ABSENT, CLINVAR, SCV, paired, reported
from app.formats.clinvar_vcf import DIGITS, NO_ALLELE, NO_ID, SOMATIC, UNCLASSIFIED, is_classification, read_change
from app.formats.knowledge import ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_phrases import significance
from app.formats.named_rows import NamedRow, NamedRows
from app.records import Build
from app.variants.accessions import X, Y
from app.variants.identify import GenomicChange

OTHER_ASSEMBLY = "another assembly than GRCh37 and GRCh38"
SEVERAL_PLACES = "several changes on one build"
NO_SCV = "no submission accession"

_ALLELE_COLUMNS = (
    "alleleid",
    "clinicalsignificance",
    "reviewstatus",
    "phenotypeids",
    "phenotypelist",
    "assembly",
    "chromosome",
    "variationid",
    "positionvcf",
    "referenceallelevcf",
    "alternateallelevcf",
)
_SUBMISSION_COLUMNS = ("variationid", "clinicalsignificance", "reportedphenotypeinfo", "reviewstatus", "scv")
_PLACE = ("Chromosome", "PositionVCF", "ReferenceAlleleVCF", "AlternateAlleleVCF")
_SOMATIC = ("somaticclinicalimpact", "oncogenicity")
_BUILDS = {build.value: build for build in Build}
_ACCESSION = re.compile(r"SCV[0-9]{9}\.[0-9]{1,5}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


def read_variant_summary(stream: BinaryIO, name: str, rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
    """Yield an item for each variation, from the rows of its builds, which stand together.

    Raises:
        BadFile: a column is missing.
        LimitExceeded: a cap of the settings is exceeded.
    """
    placed = _placed_rows(stream, name, rejects, settings)
    for variation, group in groupby(placed, key=lambda pair: pair[0].text("variationid")):
        rows = list(group)
        changes = _one_a_build(change for _, change in rows)
        row = rows[0][0]
        if changes is None:
            rejects.add(name, row.line_1based, "VariationID", SEVERAL_PLACES, variation)
        elif not is_classification(row.text("clinicalsignificance")):
            rejects.add(name, row.line_1based, "ClinicalSignificance", _why_unclassified(row))
        else:
            yield _aggregate(row, variation, changes)


def _aggregate(row: NamedRow, variation: str, changes: tuple[GenomicChange, ...]) -> KnowledgeItem:
    gene = row.text("genesymbol")
    return KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        variation,
        changes,
        identifiers=((CLINVAR, variation),),
        statement=significance(row.text("clinicalsignificance")),
        evidence=row.text("reviewstatus"),
        conditions=paired(row.text("phenotypeids"), row.text("phenotypelist")),
        gene=gene if _SYMBOL.fullmatch(gene) else "",
    )


def _placed_rows(
    stream: BinaryIO, name: str, rejects: Rejects, settings: Settings
) -> Iterator[tuple[NamedRow, GenomicChange]]:
    """Yield the rows that say exactly what changes on GRCh37 or GRCh38."""
    for row in NamedRows(stream, name, rejects, settings, required=_ALLELE_COLUMNS[1:], headers=("alleleid",)):
        build = _BUILDS.get(row.text("assembly"))
        if build is None:
            rejects.add(name, row.line_1based, "Assembly", OTHER_ASSEMBLY, quoted(row.text("assembly")))
        elif not _is_variation(row.text("variationid")):
            rejects.add(name, row.line_1based, "VariationID", NO_ID, quoted(row.text("variationid")))
        elif row.text("positionvcf") in ("-1", "na", ""):
            rejects.add(name, row.line_1based, "PositionVCF", NO_ALLELE)
        else:
            change = read_change(row, name, build, rejects, columns=_PLACE)
            if change is not None:
                yield row, change


def _is_variation(text: str) -> bool:
    return DIGITS.fullmatch(text) is not None and int(text) < 1 << 32


def _one_a_build(changes: Iterator[GenomicChange]) -> tuple[GenomicChange, ...] | None:
    """Return the change of each build, or None where a build has several.

    What lies in a pseudoautosomal region has a row for X and one for Y; the place on X is that of the reference in use.
    """
    found: dict[Build, GenomicChange] = {}
    for change in dict.fromkeys(changes):
        known = found.setdefault(change.build, change)
        if known is not change:
            if {known.contig, change.contig} != {X, Y} or _alleles(known) != _alleles(change):
                return None
            found[change.build] = min(known, change, key=lambda either: either.contig)
    return tuple(found[build] for build in Build if build in found)


def _alleles(change: GenomicChange) -> tuple[str, str]:
    return change.deleted, change.inserted


def _why_unclassified(row: NamedRow) -> str:
    return SOMATIC if any(row.text(column) not in ABSENT for column in _SOMATIC) else UNCLASSIFIED


# --- submissions ------------------------------------------------------------------------------------------------------


class Places:
    """What each variation changes on each build, held in arrays: about 30 bytes for a row of ``variant_summary``."""

    def __init__(self, stream: BinaryIO, name: str, rejects: Rejects, settings: Settings) -> None:
        """Read a whole ``variant_summary``; raises as ``read_variant_summary`` does."""
        variations, contigs, positions = array("I"), array("B"), array("I")
        starts, alleles = array("Q"), bytearray()
        for row, change in _placed_rows(stream, name, rejects, settings):
            variations.append(int(row.text("variationid")))
            contigs.append(change.contig + (100 if change.build is Build.GRCH38 else 0))
            positions.append(change.position)
            starts.append(len(alleles))
            alleles += f"{change.deleted}>{change.inserted}\n".encode("ascii")
        order = np.argsort(np.frombuffer(variations, np.uint32), kind="stable")
        self._variations = _sorted(variations, np.uint32, order)
        self._contigs = _sorted(contigs, np.uint8, order)
        self._positions = _sorted(positions, np.uint32, order)
        self._starts = _sorted(starts, np.uint64, order)
        self._alleles = alleles

    def of(self, variation: int) -> tuple[GenomicChange, ...] | None:
        """Return the change on each build, empty where none is known exactly, None where a build has several."""
        wanted = np.uint32(variation)  # of the array's own kind, or the whole array is converted each time
        first = int(np.searchsorted(self._variations, wanted))
        last = int(np.searchsorted(self._variations, wanted, side="right"))
        return _one_a_build(self._change(place) for place in range(first, last))

    def _change(self, place: int) -> GenomicChange:
        build, contig = divmod(int(self._contigs[place]), 100)
        start = int(self._starts[place])
        deleted, _, inserted = self._alleles[start : self._alleles.index(b"\n", start)].decode("ascii").partition(">")
        return GenomicChange(
            Build.GRCH38 if build else Build.GRCH37, contig, int(self._positions[place]), deleted, inserted
        )


def _sorted(values: array[int], kind: type[np.unsignedinteger], order: NDArray[np.intp]) -> NDArray[np.unsignedinteger]:
    return np.frombuffer(values, kind)[order]


def read_submission_summary(
    stream: BinaryIO, name: str, places: Places, rejects: Rejects, settings: Settings
) -> Iterator[KnowledgeItem]:
    """Yield an item for each germline submission (SCV) about a variation whose exact change is known.

    Raises:
        BadFile: a column is missing.
        LimitExceeded: a cap of the settings is exceeded.
    """
    known: tuple[str, tuple[GenomicChange, ...] | None] = ("", ())
    for row in NamedRows(stream, name, rejects, settings, required=_SUBMISSION_COLUMNS, headers=("variationid",)):
        variation, accession = row.text("variationid"), row.text("scv")
        if not _is_variation(variation):
            rejects.add(name, row.line_1based, "VariationID", NO_ID, quoted(variation))
            continue
        if known[0] != variation:
            # The submissions of a variation stand together.
            known = variation, places.of(int(variation))
        changes = known[1]
        if not _ACCESSION.fullmatch(accession):
            rejects.add(name, row.line_1based, "SCV", NO_SCV, quoted(accession))
        elif changes is None:
            rejects.add(name, row.line_1based, "VariationID", SEVERAL_PLACES, variation)
        elif not changes:
            rejects.add(name, row.line_1based, "VariationID", NO_ALLELE, variation)
        elif not is_classification(row.text("clinicalsignificance")):
            rejects.add(name, row.line_1based, "ClinicalSignificance", _why_unclassified(row))
        else:
            yield _submission(row, variation, accession, changes)


def _submission(row: NamedRow, variation: str, accession: str, changes: tuple[GenomicChange, ...]) -> KnowledgeItem:
    gene = row.text("submittedgenesymbol")
    return KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        accession,
        changes,
        identifiers=((CLINVAR, variation), (SCV, accession)),
        statement=significance(row.text("clinicalsignificance")),
        evidence=row.text("reviewstatus"),
        conditions=reported(row.text("reportedphenotypeinfo")),
        gene=gene if _SYMBOL.fullmatch(gene) else "",
        note=_note(row),
    )


def _note(row: NamedRow) -> str:
    parts = []
    evaluated = row.text("datelastevaluated")
    if evaluated not in ABSENT:
        parts.append(f"Last evaluated {evaluated}")
    if row.text("contributestoaggregateclassification").lower() == "no":
        parts.append("Does not contribute to ClinVar's aggregate classification")
    return "; ".join(parts)
