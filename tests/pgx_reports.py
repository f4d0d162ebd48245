"""Reports with everything that a report can have, in any language."""

from __future__ import annotations

from app.formats.pgx import PgxContent
from app.operations.pgx_report import (
    Cited,
    DrugAdvice,
    GeneAdvice,
    GeneResult,
    NamedDrug,
    PgxReport,
    SnpResult,
)
from app.operations.pgx_templates import templates
from app.pgx.texts import Delivered, Texts, with_templates

TEXTS = Texts(with_templates(PgxContent(), templates()))

LETTERS = {
    "fi": "Työhön pääsyä hidastava ääni, Åbo",
    "en": "Plain words – nothing special",
    "de": "Größe, Übermaß, Ärger, öfter",
    "sv": "Långsam metaboliserare, ärende, över",
    "et": "Õhtul jõudis põhjatäht öösse, žanr, šokk, ülevaade",
    "fr": "Où ça ? Métaboliseur très lent, cœur, naïf, août",
    "ro": "Evitați medicamentul și țineți seama: ăâîșț ĂÂÎȘȚ",
    "nl": "Geneesmiddel, coördinatie, één, reële",
}
LONG = "Avoid use if possible. " * 200
UNBROKEN = "c." + "1234567890" * 30


def texts_of(language: str) -> Delivered:
    return Delivered(LETTERS[language], language)


def advice(gene: str, grade: str, text: str, *sources: Cited, language: str = "en") -> GeneAdvice:
    name = TEXTS.phenotype_name("Poor Metabolizer", language)
    return GeneAdvice(gene, "PM", name, 0.0 if gene == "CYP2D6" else None, grade, Delivered(text, "en"), sources)


def drug(inn: str, grade: str, *genes: GeneAdvice, name: str = "") -> DrugAdvice:
    return DrugAdvice(NamedDrug(inn, Delivered(name or inn, "en")), grade, {one.gene: one for one in genes})


def result(gene: str, genotype: str, language: str = "en", notes: tuple[str, ...] = ()) -> GeneResult:
    return GeneResult(
        gene=gene,
        genotype=genotype,
        phenotype_code="PM",
        phenotype_name=TEXTS.phenotype_name("Poor Metabolizer", language),
        activity_score=0.5 if gene == "CYP2D6" else None,
        description=texts_of(language),
        notes=notes,
        analyzed=3,
        total=4,
        method="matcher",
        release="embedded",
        test_id="T1",
        test_date="2024-01-01",
        missing=("rs3758581", "rs17884712"),
    )


def report(language: str = "en", *, sample: str = "12345_A", snps: int = 2, long: bool = False) -> PgxReport:
    cpic = Cited("CPIC", "embedded", "https://cpicpgx.org/guidelines/x?a=1&b=2", "Strong", "PCI")
    return PgxReport(
        subject_id="P1",
        sample_id=sample,
        language=language,
        release="embedded+cpic-1",
        test_date="2024-01-01",
        cust_sample_id="1322087",
        test_provider="Example Lab <&>",
        birthday="1982-09-11",
        gender="F",
        significant_genes=("CYP2C19", "CYP2D6"),
        results=(
            result("CYP2C19", UNBROKEN if long else "*2/*2", language, ("rs3758581 is missing", "Low coverage")),
            result("CYP2D6", "", language, ("copy number was not assessed",)),
        ),
        drugs=(
            drug("Codeine", "C", advice("CYP2D6", "C", LONG if long else "Reduce the dose & watch.", cpic)),
            drug("Clopidogrel", "D", advice("CYP2C19", "D", "Avoid; use <another> drug.", cpic), name="Plavix"),
            drug("Ibuprofen", "A", advice("CYP2C9", "A", "Standard dosing.")),
            drug("Warfarin", "NA", advice("VKORC1", "NA", "VKORC1 has not been tested.")),
            drug("Atazanavir", "B", advice("UGT1A1", "B", "Label dosing stands.")),
        ),
        snps=tuple(SnpResult(f"rs{1000 + at}", "A/G", "ABC1234", "CYP2D6") for at in range(snps)),
    )
