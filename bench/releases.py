"""A synthetic release of diagnostic knowledge, of ClinVar's size and skew; fixed seeds, no downloads.

ClinVar has some 3 million statements on 2.5 million variants, 20,000 conditions of which most have few variants, and a
third of its statements says 'not provided' in place of a condition. Positions are zero-based.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.records import Build
from app.variants.accessions import accession
from bench.generate import changes
from bench.genomes import CONTIG, SyntheticGenome

SYSTEM = "https://www.ncbi.nlm.nih.gov/medgen"
_NOT_PROVIDED = 0.33
"""Share of the statements that name no condition; 'not specified' has a quarter of it"""
_ROWS_A_VARIANT = 1.2
_SIGNIFICANCES = (
    ("LA6668-3", "Pathogenic"), ("LA26332-9", "Likely pathogenic"), ("LA26333-7", "Uncertain significance"),
    ("LA26334-5", "Likely benign"), ("LA6675-8", "Benign"),
)  # fmt: skip
_EVIDENCE = ("criteria provided, single submitter", "no assertion criteria provided", "reviewed by expert panel")
_HEADER = (
    "row_id", "b37_spdi", "clinvar_variation_id", "clinvar_scv", "significance_system", "significance_code",
    "significance_display", "phenotypes.system", "phenotypes.code", "phenotypes.display", "evidence_level",
)  # fmt: skip
_ROWS_A_PIECE = 100_000

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SyntheticRelease:
    """A table of ``operon knowledge load diagnostic``, and what it is about."""

    path: Path
    rows: int
    contig: Ints
    """Of each variant"""
    position: Ints
    refs: list[str]
    alts: list[str]
    targets: Ints
    """Distinct variants of each condition, by the condition's number"""

    def condition_with(self, targets: int) -> int:
        """Return the condition whose number of variants is closest to a number."""
        return int(np.argmin(np.abs(self.targets - targets)))


def code_of(condition: int) -> str:
    """Return the code of a condition."""
    return f"C{condition:07d}"


def display_of(condition: int) -> str:
    """Return the name of a condition; each has a word that no other one has."""
    if condition < 2:
        return ("not provided", "not specified")[condition]
    return f"Hereditary disorder of metabolism, type {condition:05d}x, autosomal"


def synthetic_release(
    path: Path,
    rows: int,
    genome: SyntheticGenome,
    *,
    conditions: int,
    contigs: Sequence[int] = (CONTIG,),
    seed: int = 3,
) -> SyntheticRelease:
    """Write a release: submissions in the order in which they were made, not in that of their places."""
    random = np.random.default_rng((seed, rows))
    start, bases = genome.sequence(Build.GRCH37)
    count = round(rows / _ROWS_A_VARIANT)
    contig = np.array(contigs, dtype=np.int64)[random.integers(0, len(contigs), count)]
    position = start + random.integers(0, len(bases) - 100, count)
    refs, alts = changes(position, start, bases, random)
    texts = _spdis(contig, position, refs, alts)
    variant = np.concatenate([random.permutation(count), random.integers(0, count, rows - count)])
    named, extra = _conditions(rows, conditions, random)
    own = random.integers(0, len(_SIGNIFICANCES), rows).tolist()
    evidence = random.integers(0, len(_EVIDENCE), rows).tolist()
    codes, displays = (list(map(text, range(conditions))) for text in (code_of, display_of))
    with path.open("w", encoding="utf-8") as stream:
        stream.write("\t".join(_HEADER) + "\n")
        for low in range(0, rows, _ROWS_A_PIECE):
            lines = []
            high = min(rows, low + _ROWS_A_PIECE)
            for row, which, first, others in zip(
                range(low, high), variant[low:high].tolist(), named[low:high].tolist(), extra[low:high], strict=True
            ):
                every = [first, *others]
                code, phrase = _SIGNIFICANCES[own[row]]
                lines.append(
                    f"SCV{row:09d}.1\t{texts[which]}\t{which}\tSCV{row:09d}.1\thttp://loinc.org\t{code}\t{phrase}"
                    f"\t{' ; '.join([SYSTEM] * len(every))}\t{' ; '.join([codes[one] for one in every])}"
                    f"\t{' ; '.join([displays[one] for one in every])}\t{_EVIDENCE[evidence[row]]}\n"
                )
            stream.write("".join(lines))
    return SyntheticRelease(path, rows, contig, position, refs, alts, _targets(variant, named, extra, conditions))


def _spdis(contig: Ints, position: Ints, refs: list[str], alts: list[str]) -> list[str]:
    names = {one: accession(Build.GRCH37, one) for one in np.unique(contig).tolist()}
    return [
        f"{names[one]}:{at}:{ref}:{alt}"
        for one, at, ref, alt in zip(contig.tolist(), position.tolist(), refs, alts, strict=True)
    ]


def _conditions(rows: int, conditions: int, random: np.random.Generator) -> tuple[Ints, list[list[int]]]:
    """Return the first condition of each row, and the others: one row in seven has some."""
    weights = 1 / np.arange(1, conditions - 1)
    share = np.array([_NOT_PROVIDED, _NOT_PROVIDED / 4])
    share = np.concatenate([share, weights / weights.sum() * (1 - share.sum())])
    named = random.choice(conditions, rows, p=share)
    extra: list[list[int]] = [[]] * rows
    several = np.flatnonzero(random.random(rows) < 0.15)
    further = random.choice(conditions, (len(several), 2), p=share)
    both = random.random(len(several)) < 0.2
    for row, pair, is_both in zip(several.tolist(), further.tolist(), both.tolist(), strict=True):
        extra[row] = pair if is_both else pair[:1]
    return named, extra


def _targets(variant: Ints, named: Ints, extra: list[list[int]], conditions: int) -> Ints:
    sizes = np.fromiter(map(len, extra), dtype=np.int64, count=len(extra))
    flat = np.fromiter((one for some in extra for one in some), dtype=np.int64, count=int(sizes.sum()))
    joint = np.concatenate([named, flat]) * (int(variant.max()) + 1) + np.concatenate(
        [variant, np.repeat(variant, sizes)]
    )
    return np.bincount(np.unique(joint) // (int(variant.max()) + 1), minlength=conditions)
