"""ClinVar's VCF of one build (``clinvar.vcf.gz``): an item for each record, with its aggregate germline classification.

https://www.ncbi.nlm.nih.gov/clinvar/docs/ftp_primer/ and the header of the file itself. A record is one allele; its ID
is the variation, ``|`` separates conditions and blanks are written as underscores. Somatic classifications (``SCI…``:
clinical impact, ``ONC…``: oncogenicity) are other statements with other scales: they are left out, and a record that
has nothing else is rejected. ``…INCL`` is about a haplotype of which the allele is a part, so it is never said of the
allele itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.clinvar_conditions import ABSENT, CLINVAR, paired
from app.formats.knowledge import ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_phrases import significance
from app.formats.named_rows import NamedRow, NamedRows
from app.records import Build
from app.variants.accessions import contig_named, length
from app.variants.identify import GenomicChange

NO_CONTIG = "no primary chromosome"
NO_ALLELE = "no exact allele"
NO_POSITION = "no position on its chromosome"
NO_ID = "no variation id"
SOMATIC = "somatic classification only"
INCLUDED = "classified only as a part of a haplotype or genotype"
UNCLASSIFIED = "no classification"

BASES = re.compile(r"[ACGT]+")
DIGITS = re.compile(r"[0-9]{1,10}")
_COLUMNS = ("chrom", "pos", "id", "ref", "alt", "info")
_REFERENCE = re.compile(r"##reference=(?P<build>GRCh3[78])(?:\.p[0-9]+)?\s*")
_NOTHING = ("no classification", "no interpretation")
"""How ClinVar says that only a haplotype is classified, or that all submissions are flagged"""
_SOMATIC = ("ONC", "ONCINCL", "SCI", "SCIINCL")


def read_clinvar_vcf(
    stream: BinaryIO, name: str, build: Build | None, rejects: Rejects, settings: Settings
) -> Iterator[KnowledgeItem]:
    """Yield an item for each classified record; the build is the header's, and has to be ``build`` if that is given.

    Raises:
        BadFile: it is no VCF, does not name its build, or names another one.
        LimitExceeded: a cap of the settings is exceeded.
    """
    rows = NamedRows(stream, name, rejects, settings, required=_COLUMNS, headers=("chrom",))
    stated = _stated_build(rows, name)
    if build not in (None, stated):
        raise BadFile(name, f"it is on {stated}, not on {build}", field="##reference", mend=f"Give the file of {build}")
    for row in rows:
        item = _read_record(row, name, stated, rejects)
        if item is not None:
            yield item


def _stated_build(rows: NamedRows, name: str) -> Build:
    if not rows.comments or not rows.comments[0].startswith("##fileformat=VCF"):
        raise BadFile(name, "this is no VCF", line_1based=1, mend="The first line must be ##fileformat=VCFv4.1")
    found = {match["build"] for comment in rows.comments if (match := _REFERENCE.fullmatch(comment))}
    if len(found) != 1:
        raise BadFile(
            name,
            "the header does not say which build it is on",
            line_1based=rows.header_1based,
            field="##reference",
            mend="ClinVar's files have ##reference=GRCh37 or ##reference=GRCh38; download the file again",
        )
    return Build(found.pop())


def _read_record(row: NamedRow, name: str, build: Build, rejects: Rejects) -> KnowledgeItem | None:
    variation = row.text("id")
    change = read_change(row, name, build, rejects, columns=("CHROM", "POS", "REF", "ALT"))
    if change is None:
        return None
    if not DIGITS.fullmatch(variation):
        rejects.add(name, row.line_1based, "ID", NO_ID, quoted(variation))
        return None
    info = dict(pair.partition("=")[::2] for pair in row.text("info").split(";"))
    phrase = _plain(info.get("CLNSIG", "")).replace("|", "; ")
    if not is_classification(phrase):
        rejects.add(name, row.line_1based, "INFO/CLNSIG", _why_unclassified(info))
        return None
    return KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        variation,
        (change,),
        identifiers=((CLINVAR, variation),),
        statement=significance(phrase),
        evidence=_plain(info.get("CLNREVSTAT", "")),
        conditions=paired(unquote(info.get("CLNDISDB", "")).replace("_", " "), _plain(info.get("CLNDN", "")), inner=""),
        gene=_gene(info.get("GENEINFO", "")),
        note=_conflict(info.get("CLNSIGCONF", "")),
    )


def read_change(
    row: NamedRow, name: str, build: Build, rejects: Rejects, *, columns: tuple[str, str, str, str]
) -> GenomicChange | None:
    """Return the change of a row in the way of a VCF, or None after it was noted why there is none.

    ``columns`` are those of chromosome, one-based position, reference and alternate allele.
    """
    chromosome, position, deleted, inserted = (row.text(column.lower()) for column in columns)
    contig = contig_named(chromosome, build)
    if contig is None:
        rejects.add(name, row.line_1based, columns[0], NO_CONTIG, quoted(chromosome))
        return None
    deleted, inserted = deleted.upper(), inserted.upper()
    for column, allele in ((columns[2], deleted), (columns[3], inserted)):
        if not BASES.fullmatch(allele):
            rejects.add(name, row.line_1based, column, NO_ALLELE, quoted(allele))
            return None
    if deleted == inserted:
        rejects.add(name, row.line_1based, columns[3], NO_ALLELE, "it is the reference")
        return None
    position_1based = int(position) if DIGITS.fullmatch(position) else 0
    if not 1 <= position_1based <= length(build, contig) - len(deleted) + 1:
        rejects.add(name, row.line_1based, columns[1], NO_POSITION, quoted(position))
        return None
    return GenomicChange(build, contig, position_1based - 1, deleted, inserted)


def is_classification(phrase: str) -> bool:
    """Return whether a phrase classifies the variant, and does not say that nothing does."""
    return phrase not in ABSENT and not phrase.lower().startswith(_NOTHING)


def _why_unclassified(info: dict[str, str]) -> str:
    if any(info.get(key) for key in _SOMATIC):
        return SOMATIC
    return INCLUDED if info.get("CLNSIGINCL") else UNCLASSIFIED


def _plain(text: str) -> str:
    """Return a text of INFO as ClinVar prints it elsewhere."""
    return unquote(text).replace("_", " ").strip()


def _gene(text: str) -> str:
    """Return the symbol where there is one gene only: which of several is meant, the file does not say."""
    return "" if "|" in text else text.partition(":")[0]


def _conflict(text: str) -> str:
    """Return what submitters say who do not agree, ``Benign (2), Uncertain significance (1)``."""
    if not text:
        return ""
    parts = (part.replace("(", " (").replace("  (", " (").strip() for part in _plain(text).split("|"))
    return f"Submitted as {', '.join(parts)}"
