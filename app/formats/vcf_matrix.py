"""Find the cells of a wide VCF line that carry an ALT, on the bytes of the line and without splitting it.

A cohort file has thousands of cells a line, nearly all ``0|0``. Where every cell is one genotype of three characters
the columns stand four bytes apart, and a cell is one 32-bit number; elsewhere the tabs are located first and the start
of each cell is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TAB, _NEWLINE, _COLON, _ZERO, _DOT, _SLASH, _BAR = b"\t\n:0./|"
_PADDING = b"\n\n\n"
_REFERENCE = tuple(int.from_bytes(cell, "little") for cell in (b"0|0\t", b"0/0\t"))


@dataclass(frozen=True, slots=True)
class Codes:
    """The cells of the chosen samples that are not plainly the reference, each as the number of its four bytes.

    ``texts`` are the distinct genotypes, ``which`` says for each of ``samples`` (places among the chosen samples) which
    of them it has, and ``firsts`` where in ``samples`` each text is first. ``references`` counts the cells left out.
    """

    texts: list[str]
    firsts: NDArray[np.intp]
    which: NDArray[np.intp]
    samples: NDArray[np.int32]
    references: int


def read_codes(cells: bytes, columns: int, chosen: NDArray[np.intp] | None) -> Codes | None:
    """Read the cells after FORMAT as genotypes of three characters each; None when they are not.

    ``chosen`` holds the places of the chosen columns, None for all of them in order.
    """
    if len(cells) != 4 * columns - 1:
        return None
    codes = np.frombuffer(cells + b"\t", "<u4")
    if (codes >> 24 != _TAB).any():
        return None
    if chosen is not None:
        codes = codes[chosen]
    others = np.flatnonzero((codes != _REFERENCE[0]) & (codes != _REFERENCE[1]))
    distinct, firsts, which = np.unique(codes[others], return_index=True, return_inverse=True)
    texts = [code.tobytes()[:3].decode("latin-1") for code in distinct]
    return Codes(texts, firsts, which, others.astype(np.int32), len(codes) - len(others))


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells worth reading: places among the chosen samples, and [start, end) of each in the line."""

    samples: list[int]
    starts: list[int]
    ends: list[int]
    references: int
    missing: int


def locate_cells(line: bytes, fixed: int, chosen: NDArray[np.intp] | None, *, genotype_first: bool) -> Cells:
    """Locate the cells that are neither wholly reference nor wholly missing; all of them where GT is not first.

    ``fixed`` is the number of columns before the samples.
    """
    letters = np.frombuffer(line + _PADDING, np.uint8)
    tabs = np.flatnonzero(letters == _TAB)
    starts = tabs[fixed - 1 :] + 1
    ends = np.append(tabs[fixed:], len(line))
    if chosen is not None:
        starts, ends = starts[chosen], ends[chosen]
    if not genotype_first:
        return Cells(list(range(len(starts))), starts.tolist(), ends.tolist(), 0, 0)
    first, second, third = letters[starts], letters[starts + 1], letters[starts + 2]
    haploid = _ends_cell(second)
    # Only where the third letter belongs to the cell is the fourth sure to be inside the padded line.
    diploid = ((second == _SLASH) | (second == _BAR)) & (third == first)
    diploid[diploid] = _ends_cell(letters[starts[diploid] + 3])
    short = haploid | diploid
    reference, missing = short & (first == _ZERO), short & (first == _DOT)
    others = np.flatnonzero(~(reference | missing))
    return Cells(
        others.tolist(),
        starts[others].tolist(),
        ends[others].tolist(),
        int(np.count_nonzero(reference)),
        int(np.count_nonzero(missing)),
    )


def _ends_cell(letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    ends: NDArray[np.bool_] = (letters == _COLON) | (letters == _TAB) | (letters == _NEWLINE)
    return ends
