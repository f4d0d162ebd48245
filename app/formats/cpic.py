"""CPIC's tables as its interface gives them in CSV: which drugs a gene matters for, and what each diplotype means.

https://api.cpicpgx.org/v1/ with ``Accept: text/csv``: ``diplotype`` (``genesymbol``, ``diplotype``, ``generesult``,
``lookupkey``) and ``pair_view``; besides, if given, ``drug`` for codes, ``gene`` for accessions and ``recommendation``
or ``recommendation_view`` for what the guideline advises. One item is what one result of a gene means for one drug,
with all the diplotypes that have this result. A recommendation for a combination of genes is never said of one of them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from app.config import Settings
from app.errors import quoted
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_phrases import PHARMVAR, RXNORM, implication
from app.formats.named_rows import Layout, NamedRow, NamedRows

NO_GUIDELINE = "no guideline"
NOT_USED = "not used for a recommendation"
NO_DRUG = "no drug"
NO_PHENOTYPE = "no phenotype"
NO_DIPLOTYPE = "no gene or diplotype"
COMBINATION = "a combination of genes"
BAD_KEY = "no readable lookup key"

CPIC = "https://cpicpgx.org"
PHARMGKB = "https://www.pharmgkb.org"

_DIPLOTYPE_COLUMNS = ("genesymbol", "diplotype", "generesult")
_PAIR_COLUMNS = ("genesymbol", "drugid", "drugname", "guidelinename", "cpiclevel")
_DRUG_COLUMNS = ("drugid", "rxnormid")
_GENE_COLUMNS = ("symbol",)
_RECOMMENDATION_COLUMNS = ("lookupkey", "drugrecommendation", "classification", "population")
_UNSAID = ("", "indeterminate", "n/a", "no result")
_STARS = re.compile(r"\*[^\s/]+/\*[^\s/]+")
_NUMBER = re.compile(r"[0-9]{1,8}")
_ACCESSION = re.compile(r"PA[0-9]{1,10}")

File = tuple[BinaryIO, str]


@dataclass(frozen=True, slots=True)
class CpicFiles:
    """The tables, each with its name; only the first two are needed."""

    diplotypes: File
    pairs: File
    drugs: File | None = None
    genes: File | None = None
    recommendations: File | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    pair_id: str
    drug_id: str
    drug: str
    level: str


@dataclass(slots=True)
class _Known:
    """What the smaller tables say."""

    pairs: defaultdict[str, list[_Pair]] = field(default_factory=lambda: defaultdict(list))
    """Symbol → pairs"""
    codes: dict[str, str] = field(default_factory=dict)
    """Id of a drug → RxNorm"""
    accessions: dict[str, str] = field(default_factory=dict)
    """Symbol → PharmGKB"""
    advice: defaultdict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """(id or name of a drug, symbol, lookup) → what is recommended"""


def read_cpic(files: CpicFiles, rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
    """Yield an item for each drug and each result of a gene that a guideline is about.

    Raises:
        BadFile: a column is missing.
        LimitExceeded: a cap of the settings is exceeded.
    """
    known = _Known()
    _read_pairs(files.pairs, known, rejects, settings)
    if files.drugs is not None:
        for row in _rows(files.drugs, rejects, settings, _DRUG_COLUMNS):
            if _NUMBER.fullmatch(row.text("rxnormid")):
                known.codes[row.text("drugid")] = row.text("rxnormid")
    if files.genes is not None:
        for row in _rows(files.genes, rejects, settings, _GENE_COLUMNS):
            accession = row.text("clinpgxid") or row.text("pharmgkbid")
            if _ACCESSION.fullmatch(accession):
                known.accessions[row.text("symbol")] = accession
    if files.recommendations is not None:
        _read_advice(files.recommendations, known, rejects, settings)
    for meaning, genotypes in _results(files.diplotypes, known, rejects, settings).items():
        of_all_pairs = tuple(genotypes)
        for pair in known.pairs[meaning[0]]:
            yield _item(meaning, of_all_pairs, pair, known)


def _rows(file: File, rejects: Rejects, settings: Settings, required: tuple[str, ...]) -> NamedRows:
    return NamedRows(*file, rejects, settings, required=required, layout=Layout.COMMAS)


def _read_pairs(file: File, known: _Known, rejects: Rejects, settings: Settings) -> None:
    for row in _rows(file, rejects, settings, _PAIR_COLUMNS):
        gene, drug = row.text("genesymbol"), row.text("drugname")
        if not gene or not drug:
            rejects.add(file[1], row.line_1based, "drugname", NO_DRUG)
        elif row.text("guidelinename") in ("", "null"):
            rejects.add(file[1], row.line_1based, "guidelinename", NO_GUIDELINE, f"{quoted(gene)}, {quoted(drug)}")
        elif row.text("usedforrecommendation").lower() not in ("", "yes"):
            rejects.add(file[1], row.line_1based, "usedforrecommendation", NOT_USED, f"{quoted(gene)}, {quoted(drug)}")
        else:
            pair = _Pair(row.text("pairid"), row.text("drugid"), drug, row.text("cpiclevel"))
            known.pairs[gene].append(pair)


def _read_advice(file: File, known: _Known, rejects: Rejects, settings: Settings) -> None:
    for row in _rows(file, rejects, settings, _RECOMMENDATION_COLUMNS):
        lookups = _lookups(row)
        if lookups is None:
            rejects.add(file[1], row.line_1based, "lookupkey", BAD_KEY, quoted(row.text("lookupkey")))
        elif len(lookups) != 1:
            rejects.add(file[1], row.line_1based, "lookupkey", COMBINATION, quoted(row.text("lookupkey")))
        else:
            [(gene, lookup)] = lookups.items()
            drug = row.text("drugid") or row.text("drugname")
            about = ", ".join(text for column in ("classification", "population") if (text := row.text(column)))
            known.advice[drug, gene, lookup].append(f"{row.text('drugrecommendation')} ({about})")


def _lookups(row: NamedRow) -> dict[str, str] | None:
    """Return gene → result of a lookup key, or None where it is no such thing."""
    try:
        key = json.loads(row.text("lookupkey") or "{}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(key, dict) or not all(isinstance(value, str | int | float) for value in key.values()):
        return None
    return {gene: str(value) for gene, value in key.items()}


def _results(
    file: File, known: _Known, rejects: Rejects, settings: Settings
) -> dict[tuple[str, str, str], list[Concept]]:
    """Return the diplotypes of each gene, result and lookup, of the genes that are in a pair."""
    found: defaultdict[tuple[str, str, str], list[Concept]] = defaultdict(list)
    for row in _rows(file, rejects, settings, _DIPLOTYPE_COLUMNS):
        gene, diplotype, result = (row.text(column) for column in _DIPLOTYPE_COLUMNS)
        lookups = _lookups(row)
        if not gene or not diplotype:
            rejects.add(file[1], row.line_1based, "diplotype", NO_DIPLOTYPE)
        elif result.lower() in _UNSAID:
            rejects.add(file[1], row.line_1based, "generesult", NO_PHENOTYPE, f"{quoted(gene)} {quoted(diplotype)}")
        elif lookups is None:
            rejects.add(file[1], row.line_1based, "lookupkey", BAD_KEY, quoted(row.text("lookupkey")))
        elif gene in known.pairs:
            code = f"{gene} {diplotype}"
            system = PHARMVAR if _STARS.fullmatch(diplotype) else ""
            found[gene, result, lookups.get(gene, "")].append(Concept(system, code, code))
    return found


def _item(meaning: tuple[str, str, str], genotypes: tuple[Concept, ...], pair: _Pair, known: _Known) -> KnowledgeItem:
    gene, result, lookup = meaning
    code = known.codes.get(pair.drug_id, "")
    if not code and pair.drug_id.startswith("RxNorm:"):
        code = pair.drug_id.removeprefix("RxNorm:")
    accession = known.accessions.get(gene)
    advice = known.advice.get((pair.drug_id, gene, lookup)) or known.advice.get((pair.drug, gene, lookup), [])
    identifiers = (
        *(((PHARMGKB, accession),) if accession else ()),
        *(((CPIC, pair.pair_id),) if pair.pair_id else ()),
    )
    return KnowledgeItem(
        ItemKind.THERAPEUTIC,
        " | ".join(part for part in (gene, pair.drug_id or pair.drug, result, lookup) if part),
        genotypes=genotypes,
        identifiers=identifiers,
        statement=implication(result if result.startswith(gene) else f"{gene} {result}"),
        evidence=f"CPIC Level {pair.level}" if pair.level else "",
        medications=(Concept(RXNORM if code else "", code, pair.drug),),
        gene=gene,
        note=" ".join(advice),
    )
