"""Texts are given in the language that is asked for where they exist, and say which language they are in."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

import pytest

from app.errors import BadFile
from app.formats.pgx import PgxContent, Recommendation, Text
from app.pgx.phenotypes import CODES, code_of, is_usual, rank_of, without_symbol
from app.pgx.texts import LANGUAGES, Delivered, Texts, read_texts, with_templates
from tests.pgx_content import CYP2C19, DATA, DPYD, content

TEMPLATES = read_texts((DATA / "texts.tsv").read_bytes())
TEXTS = Texts(content())


@pytest.mark.parametrize(
    ("phenotype", "code"),
    [
        ("Poor Metabolizer", "PM"),
        ("CYP2C19 Poor Metabolizer", "PM"),
        ("CYP2C19 Likely Poor Metabolizer", "LPM"),
        ("Likely Intermediate Metabolizer", "LIM"),
        ("Possible Intermediate Metabolizer", "PIM"),
        ("intermediate metaboliser", "IM"),
        ("Normal Metabolizer", "NM"),
        ("Extensive metabolizer", "NM"),
        ("CYP2C19 Rapid Metabolizer", "RM"),
        ("Ultrarapid Metabolizer", "UM"),
        ("Ultra-rapid metabolizer", "UM"),
        ("NAT2 Slow Acetylator", "PM"),
        ("Normal Function", "NF"),
        ("SLCO1B1 Increased Function", "IF"),
        ("Decreased Function", "DF"),
        ("Possible Decreased Function", "PDF"),
        ("Poor Function", "PF"),
        ("HLA-B*57:01 positive", "POS"),
        ("*15:02 negative", "NEG"),
        ("*15:02 negative; *57:01 positive; *58:01 negative", "POS"),
        ("*15:02 negative; *58:01 negative", "NEG"),
        ("G6PD Normal", "NOR"),
        ("Deficient", "DEF"),
        ("G6PD Deficient with CNSHA", "CNSHA"),
        ("Variable", "VAR"),
        ("Malignant Hyperthermia Susceptibility", "MHS"),
        ("RYR1 Uncertain Susceptibility", "US"),
        ("normal risk of aminoglycoside-induced hearing loss", "NR"),
        ("Uncertain Risk of Aminoglycoside-Induced Hearing Loss", "UR"),
        ("increased risk of aminoglycoside-induced hearing loss", "IR"),
        ("ivacaftor responsive in CF patients", "RES"),
        ("ivacaftor non-responsive in CF patients", "NRES"),
        ("Favorable Response", "RES"),
        ("Unfavorable Response", "NRES"),
        ("Indeterminate", "NA"),
        ("G6PD Indeterminate", "NA"),
        ("No Result", "NA"),
        ("n/a", "NA"),
        ("", "NA"),
        ("-1639 AG", "NA"),
        ("1.5", "NA"),
        ("PM", "PM"),
    ],
)
def test_a_phenotype_has_a_code_however_a_source_words_it(phenotype: str, code: str) -> None:
    assert code_of(phenotype) == code


def test_codes_are_listed_from_poor_to_unknown() -> None:
    assert sorted(["NA", "UM", "NM", "PM", "IM"], key=rank_of) == ["PM", "IM", "NM", "UM", "NA"]
    assert rank_of("something") == rank_of("NA")


def test_what_most_people_have_is_usual() -> None:
    assert is_usual("Normal Metabolizer")
    assert is_usual("*57:01 negative")
    assert not is_usual("Rapid Metabolizer")
    assert not is_usual("Indeterminate")


def test_a_phenotype_is_named_without_its_gene() -> None:
    assert without_symbol("SLCO1B1 Decreased Function") == "Decreased Function"
    assert without_symbol("Malignant Hyperthermia Susceptibility") == "Malignant Hyperthermia Susceptibility"


@pytest.mark.parametrize(
    ("phenotype", "language", "name"),
    [
        pytest.param("CYP2C19 Poor Metabolizer", "en", Delivered("Poor Metabolizer", "en"), id="English"),
        pytest.param("CYP2C19 Poor Metabolizer", "fi", Delivered("Hidas metaboloija", "fi"), id="Finnish"),
        pytest.param("PM", "en", Delivered("Poor Metabolizer", "en"), id="code"),
        pytest.param("*57:01 positive", "de", Delivered("*57:01 positiv", "de"), id="allele status"),
        pytest.param(
            "*15:02 negative; *57:01 positive",
            "fi",
            Delivered("*15:02 negatiivinen; *57:01 positiivinen", "fi"),
            id="several allele statuses",
        ),
        pytest.param("Indeterminate", "en", Delivered("Unknown Metabolizer", "en"), id="unknown"),
        pytest.param("", "ro", Delivered("Metabolizator necunoscut", "ro"), id="nothing, in Romanian"),
        pytest.param("-1639 AG", "fi", Delivered("-1639 AG", "en"), id="genotype"),
        pytest.param("Poor Metabolizer", "pl", Delivered("Poor Metabolizer", "en"), id="no such language"),
    ],
)
def test_a_phenotype_has_a_name_for_people(phenotype: str, language: str, name: Delivered) -> None:
    assert TEXTS.phenotype_name(phenotype, language) == name


def test_a_phenotype_without_any_template_is_its_own_name() -> None:
    assert Texts(PgxContent()).phenotype_name("Poor Metabolizer", "fi") == Delivered("Poor Metabolizer", "en")
    assert Texts(PgxContent()).phenotype_name("", "fi") == Delivered("Unknown", "en")


def test_every_template_exists_in_every_language() -> None:
    languages = defaultdict(set)
    for text in TEMPLATES:
        languages[text.key].add(text.language)
    assert all(each == set(LANGUAGES) for each in languages.values())
    assert {f"phenotype.{code}" for code in CODES} <= set(languages)
    assert len(TEMPLATES) == len(languages) * len(LANGUAGES)


def test_translations_have_the_same_gaps() -> None:
    gaps = defaultdict(set)
    for text in TEMPLATES:
        gaps[text.key].add((tuple(sorted(re.findall(r"\{\w+\}", text.text))), text.text.count("\n")))
    assert all(len(each) == 1 for each in gaps.values())


def test_gaps_of_a_text_are_filled() -> None:
    text = TEXTS.text("summary", "en", url="https://my.example/1", pin="1234").text
    assert text == (
        "Detailed drug-specific recommendations shall be read from https://my.example/1\n"
        "PIN code to open the report: 1234."
    )
    assert TEXTS.text("not-tested", "xx").text == "{gene} has not been tested."


def test_a_value_is_not_read_as_a_text_with_gaps() -> None:
    assert TEXTS.text("not-tested", "en", gene="{url}", url="x").text == "{url} has not been tested."


def test_a_text_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        TEXTS.text("no such key", "fi")


def test_a_text_of_the_site_wins_over_a_template() -> None:
    own = PgxContent(texts=(Text("grade.A", "fi", "Oma", "local"), Text("grade.A", "sv", "Egen", "cpic")))
    texts = Texts(with_templates(own, TEMPLATES))
    assert [texts.text("grade.A", language).text for language in ("fi", "sv")] == ["Oma", "Egen"]
    assert texts.text("grade.A", "en").text == "No action because of the genotype."


def test_what_a_guideline_says_is_never_translated_by_a_template() -> None:
    first, second, *_ = content().recommendations
    assert TEXTS.recommendation(first, "fi").language == "fi"
    assert TEXTS.recommendation(second, "fi") == Delivered(second.text, "en")
    assert TEXTS.recommendation(Recommendation("x", "d", "CPIC", {}, "Words."), "sv") == Delivered("Words.", "en")


def test_a_gene_is_described_where_the_release_does() -> None:
    assert TEXTS.gene(CYP2C19, "fi") == Delivered(CYP2C19.description, "en")
    assert TEXTS.gene(DPYD, "fi").text == ""
    own = Texts(replace(content(), texts=(Text("gene.DPYD", "fi", "Kuvaus", "local"),)))
    assert own.gene(DPYD, "fi") == Delivered("Kuvaus", "fi")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param("a\ten\t\ttemplate", "line 2, text: the cell is empty", id="empty"),
        pytest.param("a\txx\tb\ttemplate", "the language is unknown", id="language"),
        pytest.param("a\ten\tb", "3 cells", id="cells"),
    ],
)
def test_a_file_of_texts_that_is_not_right_is_refused(row: str, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        read_texts(f"key\tlanguage\ttext\torigin\n{row}\n".encode())
