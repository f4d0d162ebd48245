"""The PDF of a report: complete, readable in every language, within its margins, and the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

import pypdfium2
import pytest

from app.operations.pgx_fonts import UNKNOWN, writable
from app.operations.pgx_issuing import LABELS
from app.operations.pgx_pdf import DISCLAIMER, MARGIN, render
from app.operations.pgx_report import PgxReport
from app.operations.pgx_templates import templates
from app.pgx.texts import LANGUAGES
from tests.pgx_reports import LETTERS, LONG, TEXTS, UNBROKEN, report

WHITE = 255


def squeezed(text: str) -> str:
    """Return a text without blanks, and without the places where lines break."""
    return re.sub(r"[\s\ufffe\u00ad]+", "", text)


def pages_of(report: PgxReport) -> list[str]:
    document = pypdfium2.PdfDocument(render(report, TEXTS))
    return [document[at].get_textpage().get_text_range() for at in range(len(document))]


def text_of(report: PgxReport) -> str:
    return squeezed("".join(pages_of(report)))


def sentences(report: PgxReport) -> list[str]:
    found = [report.sample_id, report.birthday or "", report.test_provider or "", report.release, DISCLAIMER]
    for one in report.results:
        found += [
            one.gene,
            one.genotype,
            one.phenotype_name.text,
            one.description.text,
            *one.notes,
            *one.missing,
            one.release,
        ]
        found.append(f"{one.analyzed}/{one.total}")
    for advice in report.drugs:
        found += [advice.drug.inn, advice.drug.name.text, TEXTS.text(f"grade.{advice.grade}", report.language).text]
        for gene in advice.genes.values():
            found += [gene.text.text, gene.phenotype_name.text]
            found += [part for source in gene.sources for part in (source.name, source.classification, source.url)]
    return found + [part for one in report.snps for part in (one.rs, one.genotype, one.assay)]


def test_it_is_a_pdf():
    data = render(report(), TEXTS)
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_in_it_in_every_language(language: str):
    made = report(language)
    text = text_of(made)
    assert [one for one in sentences(made) if squeezed(one) not in text] == []
    assert squeezed(LETTERS[language]) in text
    assert UNKNOWN not in writable(LETTERS[language]).replace(" ?", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_in_the_language_and_all_there(language: str):
    text = text_of(report(language))
    for key in ("title", "summary", "drugs", "results", "recommendations", "snps", "source", "release", "page"):
        assert squeezed(TEXTS.text(f"report.{key}", language).text) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_of_report_or_passport_lacks_a_language(language: str):
    keys = {text.key for text in templates() if text.key.startswith("report.")}
    assert {f"report.{key}" for key in LABELS} <= keys
    assert [key for key in sorted(keys) if TEXTS.text(key, language).language != language] == []


def test_grades_are_told_in_words_beside_their_letter():
    text = text_of(report())
    for grade, name in (("D", "Plavix"), ("C", "Codeine"), ("B", "Atazanavir"), ("A", "Ibuprofen"), ("NA", "Warfarin")):
        assert f"{grade}{name}" in text
        assert squeezed(TEXTS.text(f"grade.{grade}", "en").text) in text


def test_long_texts_wrap_over_pages_and_nothing_is_lost():
    made = report(long=True, snps=150)
    text = text_of(made)
    # A head and a foot may stand between two words.
    assert text.count("possible.") == LONG.count("possible.")
    assert squeezed(UNBROKEN) in text
    assert all(one.rs in text for one in made.snps)


def test_each_page_names_the_sample_its_number_and_the_disclaimer():
    pages = pages_of(report(long=True, snps=150))
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert "12345_A" in page
        assert f"Page {number}/{len(pages)}" in page
        assert DISCLAIMER in page


def test_the_same_report_gives_the_same_bytes():
    assert render(report("ro"), TEXTS) == render(report("ro"), TEXTS)
    assert render(report("ro"), TEXTS) != render(replace(report("ro"), birthday=None), TEXTS)


@pytest.mark.parametrize("made", [report(), report("ro", long=True, snps=150), report(sample="x" * 200)])
def test_pages_are_not_blank_and_nothing_is_outside_their_margins(made: PgxReport):
    document = pypdfium2.PdfDocument(render(made, TEXTS))
    for at in range(len(document)):
        page = document[at]
        _, height = page.get_size()
        image = page.render(scale=1, grayscale=True).to_numpy().reshape(round(height), -1)
        assert (image < WHITE).sum() > 500
        edge = int(MARGIN) - 2
        assert (image[:edge] == WHITE).all()
        assert (image[-edge:] == WHITE).all()
        assert (image[:, :edge] == WHITE).all()
        assert (image[:, -edge:] == WHITE).all()


def test_what_a_person_wrote_is_no_markup():
    made = replace(report(), sample_id="<b>&</b>", test_provider="<font color='red'>")
    assert squeezed("<b>&</b>") in text_of(made)


def test_a_report_without_results_says_so():
    made = replace(report(), results=(), drugs=(), snps=(), significant_genes=(), birthday=None, test_date=None)
    text = text_of(made)
    assert "None" in text
    assert squeezed(DISCLAIMER) in text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ăâîșț ĂÂÎȘȚ", "ăâîșț ĂÂÎȘȚ"),
        ("ţŢ", "țȚ"),
        ("\u03b1→\u03b2", "alpha->beta"),
        ("漢", "?"),
        ("≥3.0 – “x”", "≥3.0 – “x”"),
    ],
)
def test_characters_without_a_glyph_are_written_by_the_documented_mapping(written: str, shown: str):
    assert writable(written) == shown


def test_letters_that_the_font_lacks_are_drawn_and_not_left_blank():
    page, plain, marked = (inked(letters) for letters in (".", "aAsStT" * 5, "ăĂșȘțȚ" * 5))
    assert marked - page > 1.05 * (plain - page)


def inked(letters: str) -> int:
    made = replace(report(), sample_id="x", results=(), drugs=(), snps=(), test_provider=letters)
    page = pypdfium2.PdfDocument(render(made, TEXTS))[0]
    return int((WHITE - page.render(scale=2, grayscale=True).to_numpy().astype(int)).sum())
