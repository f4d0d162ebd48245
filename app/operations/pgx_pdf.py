"""The pharmacogenetic report as a PDF: the same as the JSON report says, on pages that can be printed and filed.

The same report gives the same bytes. Every page bears the sample, its number and that nothing here is validated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from app.operations.pgx_fonts import BOLD, REGULAR, register, writable
from app.operations.pgx_report import Cited, DrugAdvice, GeneAdvice, GeneResult, PgxReport
from app.pgx.grades import SEVERITY
from app.pgx.texts import ENGLISH, Texts

DISCLAIMER = "Nothing here is validated for clinical decisions."

MARGIN = 18 * mm
_HEAD = 12 * mm
_WIDTH = A4[0] - 2 * MARGIN
_INSIDE = _WIDTH - 12  # frames of ReportLab pad six points on either side
_COLOURS = {"D": "#a1121f", "C": "#9a4a00", "B": "#1d5f96", "A": "#2b6b34"}
_NO_COLOUR = "#55606b"
_LINE = HexColor("#c5ccd3")
_QUIET = HexColor("#52606d")
_BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9, leading=12.5, spaceAfter=3)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=10, textColor=_QUIET)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=BOLD, fontSize=17, leading=22, spaceAfter=6)
_HEADING = ParagraphStyle(
    "heading", parent=_BODY, fontName=BOLD, fontSize=12, leading=16, spaceBefore=9, keepWithNext=1
)
_DRUG = ParagraphStyle("drug", parent=_BODY, fontName=BOLD, fontSize=10, leading=13, spaceBefore=6, keepWithNext=1)
_CELL_HEAD = ParagraphStyle("cell-head", parent=_BODY, fontName=BOLD, fontSize=8, leading=10, spaceAfter=0)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=8, leading=10.5, spaceAfter=0)
_FLAG = ParagraphStyle("flag", parent=_CELL, fontName=BOLD, textColor=white, alignment=1)
_GRID = (
    ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
)


def render(report: PgxReport, texts: Texts) -> bytes:
    """Return the PDF of a report; labels are in its language."""
    register()
    words = _Words(texts, report.language)
    output = BytesIO()
    title = f"{words.label('title')} {report.sample_id}"
    document = SimpleDocTemplate(
        output, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN + _HEAD,
        bottomMargin=MARGIN + _HEAD, title=title, author="Operon", lang=report.language, invariant=1, pageCompression=1,
    )  # fmt: skip
    document.build(list(_story(report, words)), canvasmaker=_canvas_of(report, words))
    return output.getvalue()


@dataclass(frozen=True, slots=True)
class _Words:
    """Labels and sentences in the language of the report."""

    texts: Texts
    language: str

    def label(self, key: str) -> str:
        return self.texts.text(f"report.{key}", self.language).text

    def meaning(self, grade: str) -> str:
        return self.texts.text(f"grade.{grade}", self.language).text

    def disclaimer(self) -> str:
        own = self.texts.text("disclaimer", self.language)
        return DISCLAIMER if own.language == ENGLISH else f"{DISCLAIMER} {own.text}"


def _story(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    yield _text(words.label("title"), _TITLE)
    yield from _summary(report, words)
    yield from _drugs(report, words)
    yield from _results(report, words)
    yield from _recommendations(report, words)
    yield from _snps(report, words)
    yield Spacer(1, 6 * mm)
    yield _text(words.disclaimer(), _BODY)


def _summary(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    yield _text(words.label("summary"), _HEADING)
    severe = [f"{one.drug.name.text} ({one.grade})" for one in report.significant_drugs]
    sample = " / ".join(filter(None, (report.sample_id, report.cust_sample_id)))
    facts = (
        ("sample", sample),
        ("test-date", report.test_date),
        ("birthday", report.birthday),
        ("gender", report.gender),
        ("test-provider", report.test_provider),
        ("genes", str(len(report.results))),
        ("significant-drugs", ", ".join(severe) or words.label("none")),
        ("significant-genes", ", ".join(report.significant_genes) or words.label("none")),
        ("release", report.release),
    )
    rows = [[_text(words.label(key), _CELL_HEAD), _text(value, _CELL)] for key, value in facts if value]
    yield _table(rows, (0.3, 0.7))


def _drugs(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    yield _text(words.label("drugs"), _HEADING)
    order = sorted(report.drugs, key=lambda one: (SEVERITY.index(one.grade), one.drug.inn.casefold()))
    if not order:
        yield _text(words.label("none"), _BODY)
        return
    rows = [_heads(words, "flag", "drug", "meaning")]
    rows += [
        [_text(one.grade, _FLAG), _text(_names(one), _CELL), _text(words.meaning(one.grade), _CELL)] for one in order
    ]
    colours = [
        ("BACKGROUND", (0, row), (0, row), HexColor(_COLOURS.get(one.grade, _NO_COLOUR)))
        for row, one in enumerate(order, 1)
    ]
    yield _table(rows, (0.1, 0.3, 0.6), colours, repeated=1)


def _names(advice: DrugAdvice) -> str:
    inn, name = advice.drug.inn, advice.drug.name.text
    return name if name.casefold() == inn.casefold() else f"{name} ({inn})"


def _results(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    yield _text(words.label("results"), _HEADING)
    if not report.results:
        yield _text(words.label("none"), _BODY)
        return
    rows = [_heads(words, "gene", "genotype", "phenotype", "activity-score", "positions", "test-date")]
    for one in report.results:
        phenotype = f"{one.phenotype_code} {one.phenotype_name.text}"
        score = "" if one.activity_score is None else f"{one.activity_score:g}"
        positions = f"{one.analyzed}/{one.total}"
        genotype = one.genotype or words.label("no-genotype")
        cells = (one.gene, genotype, phenotype, score, positions, one.test_date or "")
        rows.append([_text(cell, _CELL) for cell in cells])
    yield _table(rows, (0.13, 0.25, 0.26, 0.12, 0.11, 0.13), repeated=1)
    for one in report.results:
        yield from _about_result(one, words)


def _about_result(one: GeneResult, words: _Words) -> Iterator[Flowable]:
    yield _text(one.gene, _DRUG)
    if one.description.text:
        yield _text(one.description.text, _BODY)
    for note in one.notes:
        yield _text(f"• {note}", _BODY)
    if one.missing:
        yield _text(f"{words.label('missing')}: {', '.join(one.missing)}", _BODY)
    origin = f"{words.label('method')}: {one.method} · {words.label('release')}: {one.release} · {one.test_id}"
    yield _text(origin, _SMALL)


def _recommendations(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    yield _text(words.label("recommendations"), _HEADING)
    order = sorted(report.drugs, key=lambda one: (SEVERITY.index(one.grade), one.drug.inn.casefold()))
    if not order:
        yield _text(words.label("none"), _BODY)
    for advice in order:
        yield _text(f"{_names(advice)} – {advice.grade}", _DRUG)
        for gene in advice.genes.values():
            yield from _advice(gene, words)


def _advice(one: GeneAdvice, words: _Words) -> Iterator[Flowable]:
    score = "" if one.activity_score is None else f", {words.label('activity-score')} {one.activity_score:g}"
    head = f"{one.gene}: {one.phenotype_code} {one.phenotype_name.text}{score} – {one.grade}"
    colour = _COLOURS.get(one.grade, _NO_COLOUR)
    yield Paragraph(f'<font name="{BOLD}" color="{colour}">{_marked(head)}</font>', _BODY)
    yield _text(one.text.text, _BODY)
    for source in one.sources:
        yield Paragraph(_cited(source, words), _SMALL)


def _cited(source: Cited, words: _Words) -> str:
    parts = filter(None, (source.name, source.classification, source.population, source.release))
    said = f"{_marked(words.label('source'))}: {_marked(' · '.join(parts))}"
    if not source.url:
        return said
    return f"{said} · <link href={quoteattr(source.url)}>{_marked(source.url)}</link>"


def _snps(report: PgxReport, words: _Words) -> Iterator[Flowable]:
    if not report.snps:
        return
    yield _text(words.label("snps"), _HEADING)
    rows = [[_text("rs", _CELL_HEAD), *_heads(words, "genotype", "assay", "gene")]]
    rows += [[_text(cell, _CELL) for cell in (one.rs, one.genotype, one.assay, one.gene)] for one in report.snps]
    yield _table(rows, (0.25, 0.25, 0.25, 0.25), repeated=1)


def _heads(words: _Words, *keys: str) -> list[Flowable]:
    return [_text(words.label(key), _CELL_HEAD) for key in keys]


def _table(
    rows: Sequence[Sequence[Flowable]], shares: Sequence[float], further: Sequence[Any] = (), *, repeated: int = 0
) -> Table:
    widths = [share * _INSIDE for share in shares]
    return Table(
        [list(row) for row in rows], colWidths=widths, repeatRows=repeated, splitInRow=1, hAlign="LEFT",
        style=TableStyle([*_GRID, *further]),
    )  # fmt: skip


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(_marked(text), style)


def _marked(text: str) -> str:
    """Return a text as a paragraph takes it."""
    return escape(writable(text)).replace("\n", "<br/>")


def _canvas_of(report: PgxReport, words: _Words) -> type[Canvas]:
    """Return a canvas that writes the head and the foot of each page once the number of pages is known."""

    class PagedCanvas(Canvas):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - the name is ReportLab's
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            pages = self._pages
            for number, page in enumerate(pages, 1):
                self.__dict__.update(page)
                _frame_page(self, report, words, f"{words.label('page')} {number}/{len(pages)}")
                super().showPage()
            super().save()

    return PagedCanvas


def _frame_page(canvas: Canvas, report: PgxReport, words: _Words, number: str) -> None:
    top, bottom, right = A4[1] - MARGIN, MARGIN, A4[0] - MARGIN
    canvas.setFillColor(_QUIET)
    canvas.setFont(REGULAR, 8)
    sample = f"{words.label('sample')}: {report.sample_id}"
    canvas.drawString(MARGIN, top - 8, _fitting(words.label("title"), _WIDTH * 0.45))
    canvas.drawRightString(right, top - 8, _fitting(sample, _WIDTH * 0.52))
    canvas.drawString(MARGIN, bottom + 2, _fitting(words.disclaimer(), _WIDTH * 0.84))
    canvas.drawRightString(right, bottom + 2, _fitting(number, _WIDTH * 0.14))
    canvas.setStrokeColor(_LINE)
    canvas.line(MARGIN, top - 13, right, top - 13)
    canvas.line(MARGIN, bottom + 12, right, bottom + 12)


def _fitting(text: str, width: float) -> str:
    """Return a text, shortened so that it fits on one line."""
    shown = writable(text)
    while stringWidth(shown, REGULAR, 8) > width:
        shown = shown.removesuffix("…")[:-1] + "…"
    return shown
