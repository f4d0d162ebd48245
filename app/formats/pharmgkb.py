"""ClinPGx (PharmGKB): clinical annotations of genotypes, now called summary annotations, with drugs and genes.

https://www.clinpgx.org/downloads: ``clinical_annotations.tsv`` and ``clinical_ann_alleles.tsv``; besides, if given,
``drugs.tsv`` for RxNorm codes and ``genes.tsv`` for accessions. An annotation is used where it is about a genotype of
star alleles; what it says of one allele is not said of a genotype, and the files give no position for an rs number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_phrases import PHARMVAR, RXNORM
from app.formats.named_rows import NamedRow, NamedRows

NO_POSITION = "no position in the file"
ALLELE = "an allele, not a genotype"
SEVERAL_GENES = "not exactly one gene"
NO_ANNOTATION = "no such annotation in the file of annotations"
NO_DRUG = "no drug"
SAYS_NOTHING = "it says nothing"

PHARMGKB = "https://www.pharmgkb.org"
ANNOTATION = "https://www.pharmgkb.org/clinicalAnnotation"

_IDS = ("clinical annotation id", "summary annotation id")
_ANNOTATION_COLUMNS = ("variant/haplotypes", "gene", "level of evidence", "drug(s)")
_ALLELE_COLUMNS = ("genotype/allele", "annotation text")
_DRUG_COLUMNS = ("name", "rxnorm identifiers")
_GENE_COLUMNS = ("pharmgkb accession id", "symbol")
_RS = re.compile(r"rs[0-9]{1,12}")
_STARS = re.compile(r"\*[^\s/]+/\*[^\s/]+")
_SYMBOL = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")
_NUMBER = re.compile(r"[0-9]{1,8}")
_ACCESSION = re.compile(r"PA[0-9]{1,10}")

File = tuple[BinaryIO, str]


@dataclass(frozen=True, slots=True)
class PharmgkbFiles:
    """The tables, each with its name; only the first two are needed."""

    annotations: File
    alleles: File
    drugs: File | None = None
    genes: File | None = None


@dataclass(frozen=True, slots=True)
class _Annotation:
    variant: str
    gene: str
    level: str
    drugs: tuple[str, ...]
    phenotypes: tuple[str, ...]
    category: str


def read_pharmgkb(files: PharmgkbFiles, rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
    """Yield an item for each genotype of star alleles that an annotation is about.

    Raises:
        BadFile: a column is missing.
        LimitExceeded: a cap of the settings is exceeded.
    """
    codes, accessions = _codes(files.drugs, rejects, settings), _accessions(files.genes, rejects, settings)
    annotations = _annotations(files.annotations, rejects, settings)
    rows = _rows(files.alleles, rejects, settings, _ALLELE_COLUMNS)
    id_column = _id_column(rows, files.alleles[1])
    for row in rows:
        annotation = annotations.get(row.text(id_column))
        found = _read_allele(row, row.text(id_column), annotation, codes, accessions)
        if isinstance(found, KnowledgeItem):
            yield found
        else:
            rejects.add(files.alleles[1], row.line_1based, *found)


def _read_allele(
    row: NamedRow, number: str, annotation: _Annotation | None, codes: dict[str, str], accessions: dict[str, str]
) -> KnowledgeItem | tuple[str, str, str]:
    """Return the item of a row, or field, cause and detail of why there is none."""
    genotype, text = row.text("genotype/allele"), row.text("annotation text")
    if annotation is None:
        return "Clinical Annotation ID", NO_ANNOTATION, quoted(number)
    if _RS.fullmatch(annotation.variant):
        return "Genotype/Allele", NO_POSITION, quoted(annotation.variant)
    if not _SYMBOL.fullmatch(annotation.gene):
        return "Gene", SEVERAL_GENES, quoted(annotation.gene)
    if not _STARS.fullmatch(genotype):
        return "Genotype/Allele", ALLELE, quoted(genotype)
    if not annotation.drugs:
        return "Drug(s)", NO_DRUG, quoted(number)
    if not text:
        return "Annotation Text", SAYS_NOTHING, quoted(number)
    code = f"{annotation.gene} {genotype}"
    accession = accessions.get(annotation.gene)
    return KnowledgeItem(
        ItemKind.THERAPEUTIC,
        f"{number} {genotype}",
        genotypes=(Concept(PHARMVAR, code, code),),
        identifiers=(*(((PHARMGKB, accession),) if accession else ()), (ANNOTATION, number)),
        statement=Concept("", "", text),
        evidence=f"PharmGKB Level {annotation.level}" if annotation.level else "",
        conditions=tuple(Concept("", "", name) for name in annotation.phenotypes),
        medications=tuple(_medication(name, codes) for name in annotation.drugs),
        gene=annotation.gene,
        note=annotation.category,
    )


def _medication(name: str, codes: dict[str, str]) -> Concept:
    code = codes.get(name.lower(), "")
    return Concept(RXNORM if code else "", code, name)


def _annotations(file: File, rejects: Rejects, settings: Settings) -> dict[str, _Annotation]:
    rows = _rows(file, rejects, settings, _ANNOTATION_COLUMNS)
    id_column = _id_column(rows, file[1])
    return {
        row.text(id_column): _Annotation(
            row.text("variant/haplotypes"),
            row.text("gene"),
            row.text("level of evidence"),
            _listed(row.text("drug(s)")),
            _listed(row.text("phenotype(s)")),
            row.text("phenotype category"),
        )
        for row in rows
    }


def _id_column(rows: NamedRows, name: str) -> str:
    for column in _IDS:
        if column in rows.places:
            return column
    raise BadFile(
        name,
        "the column is missing",
        line_1based=rows.header_1based,
        field=_IDS[0],
        mend=f"The header needs {' or '.join(_IDS)}, separated by tabs",
    )


def _codes(file: File | None, rejects: Rejects, settings: Settings) -> dict[str, str]:
    """Return the RxNorm code of each drug that has one only, by its name in lower case."""
    if file is None:
        return {}
    found = {}
    for row in _rows(file, rejects, settings, _DRUG_COLUMNS):
        numbers = set(_NUMBER.findall(row.text("rxnorm identifiers")))
        if len(numbers) == 1:
            found[row.text("name").lower()] = numbers.pop()
    return found


def _accessions(file: File | None, rejects: Rejects, settings: Settings) -> dict[str, str]:
    if file is None:
        return {}
    return {
        row.text("symbol"): accession
        for row in _rows(file, rejects, settings, _GENE_COLUMNS)
        if _ACCESSION.fullmatch(accession := row.text("pharmgkb accession id"))
    }


def _rows(file: File, rejects: Rejects, settings: Settings, required: tuple[str, ...]) -> NamedRows:
    return NamedRows(*file, rejects, settings, required=required)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for member in text.split(";") if (part := member.strip()))
