"""What a change of a coding region does to the protein, as predicted by translation, in HGVS ``p.``.

Rules: https://hgvs-nomenclature.org; the result is in parentheses, since nobody saw the protein. Positions on the
coding region are zero-based from the first base of the start codon, ranges half-open; residues count from 1 in the
texts only.

>>> Protein("ATGGCTTGGTAA", 12).change(4, 5, "G")
'p.(Ala2Gly)'
"""

from __future__ import annotations

from typing import Final

from bioutils.sequences import TranslationTable, aa1_to_aa3_lut, translate_cds

from app.variants.normalize import common_prefix, common_suffix

UNKNOWN: Final = "p.?"
"""The effect cannot be told from the sequence: the change is not within the coding region, or of unknown bases."""

START_LOST: Final = "p.(Met1?)"
"""The start codon changed, and nobody can tell where translation begins instead."""

_STOP = "*"
_UNREADABLE = "X"
_CHUNK = 300
"""Bases that are translated at a time on the search for a stop codon; a multiple of three."""


def substitution(bases: str, altered: str, residue: int, *, mitochondrial: bool = False) -> str | None:
    """Return what becomes of whole codons that are replaced by as many, the first of which is a zero-based residue.

    None if a stop codon is among them, so that what stands behind decides.
    """
    before, after = _translated(bases, mitochondrial), _translated(altered, mitochondrial)
    if _STOP in before:
        return None
    if _UNREADABLE in before + after:
        return UNKNOWN
    if before == after:
        return f"p.({_range(before, residue)}=)"
    cut = after.find(_STOP)
    if cut >= 0:
        after = after[: cut + 1]
    shared = common_prefix(before, after)
    residue, before, after = residue + shared, before[shared:], after[shared:]
    if after == _STOP:
        return f"p.({_name(before[0], residue)}Ter)"
    if cut < 0:
        ending = common_suffix(before, after)
        before, after = before[: len(before) - ending], after[: len(after) - ending]
    return f"p.({_exchanged(before, after, residue)})"


class Protein:
    """A protein with the bases that encode it and those behind them, up to the end of the transcript.

    Raises ValueError unless the first ``coding`` bases are one frame whose only stop codon is the last, which leaves
    out selenoproteins and transcripts that are not complete.
    """

    def __init__(self, bases: str, coding: int, *, mitochondrial: bool = False) -> None:
        self._mitochondrial = mitochondrial
        self._bases = bases
        self._coding = coding
        self._residues = _translated(bases[:coding], mitochondrial)
        if (
            not 0 < coding <= len(bases)
            or self._residues.find(_STOP) != coding // 3 - 1
            or _UNREADABLE in self._residues
        ):
            raise ValueError("the coding region is not one frame that ends with its only stop codon")

    def change(self, start: int, end: int, inserted: str) -> str:
        """Return what becomes of the protein when [start, end) is replaced."""
        if end <= 0 or start >= self._coding:
            return UNKNOWN
        altered = self._bases[: max(0, start)] + inserted + self._bases[end:]
        if start < 0 or altered[:3] != self._bases[:3]:
            return START_LOST
        same, growth = start // 3, len(inserted) - (end - start)
        touched = -(-end // 3)
        in_frame = growth % 3 == 0 and end <= self._coding
        cut = False
        if in_frame and touched < len(self._residues):
            # Behind the touched codons nothing changes.
            after = _translated(altered[3 * same : 3 * touched + growth], self._mitochondrial)
            cut = _STOP in after
            after = after[: after.index(_STOP) + 1] if cut else after + self._residues[touched:]
        else:
            after = self._to_stop(altered, 3 * same)
        text = self._described(same, touched, after, cut=cut, in_frame=in_frame) if _UNREADABLE not in after else None
        return f"p.({text})" if text is not None else UNKNOWN

    def _described(self, same: int, touched: int, after: str, *, cut: bool, in_frame: bool) -> str | None:
        before = self._residues[same:]
        shared = common_prefix(before, after)
        if shared == len(before) == len(after):
            return f"{_range(self._residues[same : max(same + 1, touched)], same)}="
        first, before, after = same + shared, before[shared:], after[shared:]
        if before and not after:
            return None  # nothing is known behind the change
        if before.startswith(_STOP):
            return f"{_name(_STOP, first)}{_spelled(after[:1])}ext{_ending(after, 0)}"
        if after.startswith(_STOP):
            return f"{_name(before[0], first)}Ter"
        if not in_frame:
            return f"{_name(before[0], first)}{_spelled(after[:1])}fs{_ending(after, 1)}"
        if _STOP not in after:
            return (
                None  # the stop codon is gone together with residues before it, and where the protein ends is unknown
            )
        if cut:
            # A stop codon came in: what leads to it stands for the residues whose codons were changed.
            before = self._residues[first : max(first, touched)]
        else:
            ending = common_suffix(before, after)
            before, after = before[: len(before) - ending], after[: len(after) - ending]
        if before:
            return _exchanged(before, after, first)
        copied = self._residues[first - len(after) : first]
        if copied == after:
            return f"{_range(copied, first - len(after))}dup"
        return f"{_range(self._residues[first - 1 : first + 1], first - 1)}ins{_spelled(after)}"

    def _to_stop(self, bases: str, start: int) -> str:
        """Return the residues from a codon on, up to the first stop codon or else the end of what is known."""
        found = ""
        for at in range(start, len(bases), _CHUNK):
            found += _translated(bases[at : at + _CHUNK], self._mitochondrial)
            if _STOP in found:
                return found[: found.index(_STOP) + 1]
        return found


def _translated(bases: str, mitochondrial: bool) -> str:
    table = TranslationTable.vertebrate_mitochondrial if mitochondrial else TranslationTable.standard
    residues: str = translate_cds(bases[: len(bases) - len(bases) % 3], translation_table=table)
    return residues


def _exchanged(before: str, after: str, residue: int) -> str:
    """Return a deletion, a substitution of one residue or an exchange of several."""
    if not after:
        return f"{_range(before, residue)}del"
    one = len(before) == len(after) == 1
    return f"{_range(before, residue)}{'' if one else 'delins'}{_spelled(after)}"


def _range(residues: str, first: int) -> str:
    if len(residues) == 1:
        return _name(residues, first)
    return f"{_name(residues[0], first)}_{_name(residues[-1], first + len(residues) - 1)}"


def _name(residue: str, at: int) -> str:
    return f"{aa1_to_aa3_lut[residue]}{at + 1}"


def _spelled(residues: str) -> str:
    return "".join(aa1_to_aa3_lut[residue] for residue in residues)


def _ending(residues: str, counted_from: int) -> str:
    """Return after how many residues a changed protein ends, or that no stop codon is known."""
    return f"Ter{residues.index(_STOP) + counted_from}" if _STOP in residues else "Ter?"
