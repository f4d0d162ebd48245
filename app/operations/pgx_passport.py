"""The pharmacogenetic passport of a person: the report, and beside it how far each result may be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.operations.pgx_report import DrugAdvice, GeneResult, PgxReport


@dataclass(frozen=True, slots=True)
class PassportGene:
    """The result of one gene and what it rests on."""

    result: GeneResult
    alternatives: tuple[str, ...]
    """Other genotypes that fit and lead to another phenotype, with that phenotype"""


@dataclass(frozen=True, slots=True)
class Passport:
    """Everything that the passport of a person says."""

    subject_id: str
    is_ready: bool
    """False: data of the person wait, and nothing below may be shown"""
    report: PgxReport
    genes: tuple[PassportGene, ...]
    acting: tuple[DrugAdvice, ...]
    """Drugs of grade D, then C"""
    untested: tuple[str, ...]
    """Genes of the definitions in use of which there is no test"""
    labels: Mapping[str, str]
    meanings: Mapping[str, str]
    """By grade"""
    disclaimer: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to open a report."""

    pin: str
    request_id: str


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """What became of an attempt to open a report; there is a passport when it opened."""

    is_closed: bool
    """Too many wrong PINs, too old, or never there"""
    passport: Passport | None = None
    is_withheld: bool = False
    """The PIN was right, but the person has not agreed to pharmacogenomic findings"""
