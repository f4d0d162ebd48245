"""What a change of a coding region does to the protein, as predicted by translation, in HGVS ``p.``.

Rules: https://hgvs-nomenclature.org; the result is in parentheses, since nobody saw the protein. Positions on the
coding region are zero-based from the first base of the start codon, ranges half-open; residues count from 1 in the
texts only.

>>> Protein("ATGGCTTGGTAA", 12).change(4, 5, "G")
'p.(Ala2Gly)'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from bioutils.sequences import TranslationTable, aa1_to_aa3_lut, translate_cds

from app.variants.consequence_terms import (
    CODING_SEQUENCE,
    FRAMESHIFT,
    INFRAME_DELETION,
    INFRAME_INSERTION,
    MISSENSE,
    PROTEIN_ALTERING,
    START_LOST,
    STOP_GAINED,
    STOP_LOST,
    STOP_RETAINED,
    SYNONYMOUS,
)
from app.variants.normalize import common_prefix, common_suffix

UNKNOWN: Final = "p.?"
"""The effect cannot be told from the sequence: the change is not within the coding region, or of unknown bases."""

NO_START: Final = "p.(Met1?)"
"""The start codon changed, and nobody can tell where translation begins instead."""

_STOP = "*"
_UNREADABLE = "X"
_CHUNK = 300
"""Bases that are translated at a time on the search for a stop codon; a multiple of three."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of a protein: the ``p.`` text, None where bases that it needs are not known, and the terms."""

    text: str | None
    terms: tuple[str, ...]


NOT_TOLD: Final = Effect(UNKNOWN, ())
"""The effect of what does not touch the coding region"""


def substitution(bases: str, altered: str, residue: int, *, mitochondrial: bool = False) -> Effect | None:
    """Return what becomes of whole codons that are replaced by as many, the first of which is a zero-based residue.

    None if a stop codon is among them, so that what stands behind decides.
    """
    before, after = translated(bases, mitochondrial), translated(altered, mitochondrial)
    if _STOP in before:
        return None
    if _UNREADABLE in before + after:
        return Effect(UNKNOWN, (CODING_SEQUENCE,))
    term = SYNONYMOUS if before == after else STOP_GAINED if _STOP in after else MISSENSE
    return Effect(f"p.({_substituted(before, after, residue)})", (term,))


def length_term(deleted: int, inserted: int) -> str | None:
    """Return the term for what a change does to the length of a coding region, None if it leaves it as it is."""
    if deleted == inserted:
        return None
    if (inserted - deleted) % 3:
        return FRAMESHIFT
    if not deleted:
        return INFRAME_INSERTION
    return PROTEIN_ALTERING if inserted else INFRAME_DELETION


def _substituted(before: str, after: str, residue: int) -> str:
    if before == after:
        return f"{_range(before, residue)}="
    cut = after.find(_STOP)
    if cut >= 0:
        after = after[: cut + 1]
    shared = common_prefix(before, after)
    residue, before, after = residue + shared, before[shared:], after[shared:]
    if after == _STOP:
        return f"{_name(before[0], residue)}Ter"
    if cut < 0:
        ending = common_suffix(before, after)
        before, after = before[: len(before) - ending], after[: len(after) - ending]
    return _exchanged(before, after, residue)


class Protein:
    """A protein with the bases that encode it and those behind them, up to the end of the transcript.

    Raises ValueError unless the first ``coding`` bases are one frame whose only stop codon is the last, which leaves
    out selenoproteins and transcripts that are not complete.
    """

    def __init__(self, bases: str, coding: int, *, mitochondrial: bool = False) -> None:
        self._mitochondrial = mitochondrial
        self._bases = bases
        self._coding = coding
        self._residues = translated(bases[:coding], mitochondrial)
        if (
            not 0 < coding <= len(bases)
            or self._residues.find(_STOP) != coding // 3 - 1
            or _UNREADABLE in self._residues
        ):
            raise ValueError("the coding region is not one frame that ends with its only stop codon")

    def change(self, start: int, end: int, inserted: str) -> str:
        """Return the text for what becomes of the protein when [start, end) is replaced."""
        return self.effect(start, end, inserted).text or UNKNOWN

    def effect(self, start: int, end: int, inserted: str) -> Effect:
        """Return what becomes of the protein when [start, end) is replaced."""
        if end <= 0 or start >= self._coding:
            return NOT_TOLD
        altered = self._bases[: max(0, start)] + inserted + self._bases[end:]
        if start < 0 or altered[:3] != self._bases[:3]:
            return Effect(NO_START, (START_LOST,))
        same, growth = start // 3, len(inserted) - (end - start)
        touched = -(-end // 3)
        in_frame = growth % 3 == 0 and end <= self._coding
        cut = False
        kept = in_frame and touched < len(self._residues)
        if kept:
            # Behind the touched codons nothing changes.
            after = translated(altered[3 * same : 3 * touched + growth], self._mitochondrial)
            cut = _STOP in after
            after = after[: after.index(_STOP) + 1] if cut else after + self._residues[touched:]
        else:
            after = self._to_stop(altered, 3 * same)
        if _UNREADABLE in after:
            return Effect(UNKNOWN, (CODING_SEQUENCE,))
        text = self._described(same, touched, after, cut=cut, kept=kept, in_frame=in_frame, shorter=growth < 0)
        terms = self._terms(start, end, inserted, after, kept=kept, cut=cut)
        return Effect(f"p.({text})" if text is not None else UNKNOWN, terms)

    def _terms(self, start: int, end: int, inserted: str, after: str, *, kept: bool, cut: bool) -> tuple[str, ...]:
        """Return the terms for residues that changed into ``after``, from the first touched codon on.

        ``kept`` says that the stop codon is not touched and still in the frame, ``cut`` that one comes before it.
        """
        before = self._residues[start // 3 :]
        stop, last = after.find(_STOP), len(before) - 1
        first_of_stop = self._coding - 3
        to_stop = end > first_of_stop
        if before == after:
            silent = (SYNONYMOUS,) if start < first_of_stop else ()
            return (STOP_RETAINED, *silent) if to_stop or not silent else silent
        found = []
        if kept:
            found += [STOP_GAINED] if cut and start < first_of_stop else []
        elif (to_stop and not 0 <= stop <= last) or (stop != last and after.startswith(before[:-1])):
            found.append(STOP_LOST)
        elif to_stop and stop == last:
            found.append(STOP_RETAINED)
        elif self._is_early(before, after, len(inserted) - (end - start)):
            found.append(STOP_GAINED)
        size = length_term(end - start, len(inserted))
        if end > self._coding:
            size = None if STOP_LOST in found else PROTEIN_ALTERING
        if size is not None:
            found.append(size)
        elif found in ([], [STOP_RETAINED]):
            found.append(MISSENSE)
        return tuple(found)

    def _is_early(self, before: str, after: str, growth: int) -> bool:
        """Return whether a stop codon came in with the changed bases, rather than behind a shift of the frame."""
        if growth % 3 == 0:
            return 0 <= after.find(_STOP) < len(before) - 1 + growth // 3
        return after[common_prefix(before, after) :] == _STOP

    def _described(
        self, same: int, touched: int, after: str, *, cut: bool, kept: bool, in_frame: bool, shorter: bool
    ) -> str | None:
        before = self._residues[same:]
        shared = common_prefix(before, after)
        if shared == len(before) == len(after):
            return f"{_range(self._residues[same : max(same + 1, touched)], same)}="
        first, before, after = same + shared, before[shared:], after[shared:]
        if before and not after:
            return None  # nothing is known behind the change
        if before.startswith(_STOP) and not kept:
            return f"{_name(_STOP, first)}{_spelled(after[:1])}ext{_ending(after, 0)}"
        if after.startswith(_STOP) and not (in_frame and shorter and not cut):
            return f"{_name(before[0], first)}Ter"
        if not in_frame:
            return f"{_name(before[0], first)}{_spelled(after[:1])}fs{_ending(after, 1)}"
        if _STOP not in after:
            return None  # the stop codon went with residues before it, and where the protein ends is unknown
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
            found += translated(bases[at : at + _CHUNK], self._mitochondrial)
            if _STOP in found:
                return found[: found.index(_STOP) + 1]
        return found


def translated(bases: str, mitochondrial: bool) -> str:
    """Return the residues of the whole codons that bases begin with, X for one that holds an unknown base."""
    residue = _table(mitochondrial).get
    return "".join([residue(bases[at : at + 3], _UNREADABLE) for at in range(0, len(bases) - 2, 3)])


@cache
def _table(mitochondrial: bool) -> dict[str, str]:
    # Looked up here, since a call of bioutils for each codon would be most of the time of a prediction.
    table = TranslationTable.vertebrate_mitochondrial if mitochondrial else TranslationTable.standard
    codons = ["".join(codon) for codon in product("ACGT", repeat=3)]
    return {codon: translate_cds(codon, translation_table=table) for codon in codons}


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
