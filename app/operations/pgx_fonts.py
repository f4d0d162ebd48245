"""The fonts of reports: Bitstream Vera as ReportLab brings it, with the letters of Romanian that it lacks.

Vera has every letter of the other languages. What it lacks is put together from its own glyphs: ă from a and the breve,
ș and ț from the letter and a small comma. The licence of Vera asks that a changed font has another name. Any other
character without a glyph is written as ``FALLBACK`` says, else as ``?``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, TTFontFile, TTFontMaker

REGULAR = "OperonReports"
BOLD = "OperonReports-Bold"
FALLBACK: Mapping[str, str] = {
    "\u03b1": "alpha",
    "\u03b2": "beta",
    "\u03b3": "gamma",
    "\u03b4": "delta",
    "→": "->",
    "ţ": "ț",
    "Ţ": "Ț",
    "\u2010": "-",
    "\u2011": "-",
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
}
UNKNOWN = "?"

_FILES = {REGULAR: "Vera.ttf", BOLD: "VeraBd.ttf"}
_RENAMED = (("Bitstream Vera Sans", "Operon Reports Sans"), ("BitstreamVeraSans", "OperonReportsSans"))
_ARGUMENTS_ARE_WORDS, _ARGUMENTS_ARE_OFFSETS, _ROUND, _HAS_SCALE, _MORE, _USE_METRICS = 1, 2, 4, 8, 0x20, 0x200
_COMMA_SCALE = 0.65
_COMMA_TOP = -100
_LOWER_HEIGHT = 1147
"""Top of the small letters for which Vera draws its breve"""


class _Made(NamedTuple):
    letter: str
    base: str
    mark: str


_MADE = (
    _Made("ă", "a", "˘"),
    _Made("Ă", "A", "˘"),
    _Made("ș", "s", ","),
    _Made("Ș", "S", ","),
    _Made("ț", "t", ","),
    _Made("Ț", "T", ","),
)


def register() -> None:
    """Make the fonts known to ReportLab; a second time does nothing."""
    known = pdfmetrics.getRegisteredFontNames()
    for name, file in _FILES.items():
        if name not in known:
            pdfmetrics.registerFont(_font(name, file))


def writable(text: str) -> str:
    """Return a text in the characters that the fonts have."""
    return "".join(_written(character) for character in text)


@cache
def _written(character: str) -> str:
    register()
    glyphs = pdfmetrics.getFont(REGULAR).face.charToGlyph
    replaced = FALLBACK.get(character, character)
    return "".join(one if ord(one) in glyphs or one == "\n" else UNKNOWN for one in replaced)


def _font(name: str, file: str) -> TTFont:
    data = (Path(reportlab.__file__).parent / "fonts" / file).read_bytes()
    original = TTFontFile(BytesIO(data))
    font = TTFont(name, BytesIO(_extended(original)))
    for number, made in enumerate(_MADE, len(original.hmetrics)):
        code, base = ord(made.letter), ord(made.base)
        font.face.charToGlyph[code] = number
        font.face.charWidths[code] = font.face.charWidths[base]
    return font


def _extended(original: Any) -> bytes:
    """Return the font with one more glyph for each made letter."""
    glyphs, positions, metrics = original.get_table("glyf"), list(original.glyphPos), list(original.hmetrics)
    for made in _MADE:
        glyphs += _composite(original, made)
        positions.append(len(glyphs))
        metrics.append(original.hmetrics[original.charToGlyph[ord(made.base)]])
    tables = {tag: original.get_table(tag) for tag in original.table if tag != "hdmx"}
    tables["glyf"] = glyphs
    tables["loca"] = struct.pack(f">{len(positions)}L", *positions)
    tables["hmtx"] = b"".join(struct.pack(">Hh", int(advance), _signed(int(bearing))) for advance, bearing in metrics)
    tables["maxp"] = _set_short(tables["maxp"], 4, len(metrics))
    tables["hhea"] = _set_short(tables["hhea"], 34, len(metrics))
    tables["head"] = _set_short(tables["head"], 50, 1)  # long offsets
    for before, after in _RENAMED:
        for encoding in ("latin-1", "utf-16-be"):
            tables["name"] = tables["name"].replace(before.encode(encoding), after.encode(encoding))
    maker = TTFontMaker()
    for tag, content in tables.items():
        maker.add(tag, content)
    return bytes(maker.makeStream())


def _composite(original: Any, made: _Made) -> bytes:
    base, mark = original.charToGlyph[ord(made.base)], original.charToGlyph[ord(made.mark)]
    left, bottom, right, top = _box(original, base)
    mark_left, mark_bottom, mark_right, mark_top = _box(original, mark)
    scale = _COMMA_SCALE if made.mark == "," else 1.0
    across = round((left + right) / 2 - scale * (mark_left + mark_right) / 2)
    up = round(_COMMA_TOP - scale * mark_top) if made.mark == "," else max(0, top - _LOWER_HEIGHT)
    box = (
        min(left, across + round(scale * mark_left)),
        min(bottom, up + round(scale * mark_bottom)),
        max(right, across + round(scale * mark_right)),
        max(top, up + round(scale * mark_top)),
    )
    shared = _ARGUMENTS_ARE_WORDS | _ARGUMENTS_ARE_OFFSETS | _ROUND
    return (
        struct.pack(">5h", -1, *box)
        + struct.pack(">HHhh", shared | _MORE | _USE_METRICS, base, 0, 0)
        + struct.pack(">HHhhh", shared | _HAS_SCALE, mark, across, up, round(scale * 0x4000))
        + b"\0\0"
    )


def _box(original: Any, glyph: int) -> tuple[int, int, int, int]:
    start = original.get_table_pos("glyf")[0] + original.glyphPos[glyph]
    original.seek(start + 2)
    left, bottom, right, top = (original.read_short() for _ in range(4))
    return left, bottom, right, top


def _set_short(table: bytes, at: int, value: int) -> bytes:
    return table[:at] + struct.pack(">H", value) + table[at + 2 :]


def _signed(value: int) -> int:
    return value - 0x10000 if value >= 0x8000 else value
