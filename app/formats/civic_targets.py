"""What CIViC's variants and molecular profiles are about: exact bases, or a category whose meaning is exact.

https://civic.readthedocs.io/en/latest/model/variants.html. A profile of several variants is never reduced to one of
them. Positions are one-based in the files; an insertion stands between ``start`` and ``stop``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import BinaryIO

from app.config import Settings
from app.formats.knowledge import Rejects, Rule
from app.formats.named_rows import Layout, NamedRow, NamedRows
from app.records import Build
from app.variants.accessions import contig_named, length
from app.variants.identify import GenomicChange

NO_PROFILE = "no such molecular profile in the file of profiles"
NO_VARIANT = "no such variant in the file of variants"
SEVERAL_VARIANTS = "a profile of several variants"
NEGATED = "a profile with NOT"
NO_GENE_VARIANT = "a fusion, region or factor"
OTHER_ASSEMBLY = "another assembly than GRCh37 and GRCh38"
MISFIT = "coordinates that do not fit the bases"
VAGUE = "a category without an exact meaning"

_VARIANT_COLUMNS = (
    "variant_id",
    "variant",
    "chromosome",
    "start",
    "stop",
    "reference_bases",
    "variant_bases",
    "reference_build",
)
_PROFILE_COLUMNS = ("name", "molecular_profile_id", "variant_ids")
_BUILDS = {build.value: build for build in Build}
_BASES = re.compile(r"[ACGT]*")
_DIGITS = re.compile(r"[0-9]{1,10}")
_NOT = re.compile(r"\bNOT\b")

_GAIN = Rule(changes=("DUP", "CNV"), copies_at_least=3)
_LOSS = Rule(changes=("DEL", "CNV"), copies_at_most=1)
_FRAMESHIFT = Rule(terms=("SO:0001589",))
_TRUNCATION = Rule(terms=("SO:0001587", "SO:0001589"))
"""Gained stop or frameshift"""
_CATEGORIES = {
    "amplification": _GAIN,
    "deletion": _LOSS,
    "frameshift truncation": _FRAMESHIFT,
    "frameshift mutation": _FRAMESHIFT,
    "truncating mutation": _TRUNCATION,
    "truncating mutations": _TRUNCATION,
}
_LOST_COPIES = {"transcript ablation", "feature ablation", "copy number loss", "deletion"}
_ALTERED_PROTEIN = {"missense variant", "protein altering variant", "stop gained"}
_VAGUE_WORDS = re.compile(
    r"\b(mutations?|mutant|alterations?|expression|over-?expression|under-?expression|loss|gain|amplification|deletion|"
    r"copy number|cnv|duplication|fusions?|rearrangements?|translocation|exons?|domain|methylation|phosphorylation|"
    r"truncating|truncation|frameshift|wild-?type|wild type|itd|activat\w+|inactivat\w+|function|promoter|"
    r"nuclear|serum|levels?|cleavage|and|or)\b|[/+]",
    re.IGNORECASE,
)
_RESIDUE = re.compile(r"[ACDEFGHIKLMNPQRSTVWY]([1-9][0-9]{1,4})")
"""Two digits at least, so that splice variants called V7 are not taken for residues"""
_SUBSTITUTION = re.compile(r"([ACDEFGHIKLMNPQRSTVWY])([1-9][0-9]{0,4})([ACDEFGHIKLMNPQRSTVWY*])")
_AMINO_ACIDS = {
    "A": "Ala", "C": "Cys", "D": "Asp", "E": "Glu", "F": "Phe", "G": "Gly", "H": "His", "I": "Ile", "K": "Lys",
    "L": "Leu", "M": "Met", "N": "Asn", "P": "Pro", "Q": "Gln", "R": "Arg", "S": "Ser", "T": "Thr", "V": "Val",
    "W": "Trp", "Y": "Tyr", "*": "Ter",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What a statement about one variant is about: either ``change`` or ``rule`` is given."""

    variant_id: str
    gene: str
    change: GenomicChange | None
    rule: Rule | None


def target_of(variant_id: str, gene: str, name: str, types: set[str], change: GenomicChange | None) -> Target | str:
    """Return what a variant of CIViC is about, or why that cannot be said exactly.

    A category is one even where bases are given, which are an example then. ``types`` are its terms of the Sequence
    Ontology in lower case.

    >>> target_of("17", "BRAF", "V600", {"protein altering variant"}, None).rule.protein_at
    (600, 600)
    """
    rule = _rule_of(name, types)
    if rule is None and change is not None and _is_one_variant(name):
        return Target(variant_id, gene, change, None)
    if rule is None and change is None:
        rule = _substitution(name, types)
    if rule is None or not gene:
        return VAGUE
    return Target(variant_id, gene, None, replace(rule, gene=gene))


def _is_one_variant(name: str) -> bool:
    return "(c." in name or not (_VAGUE_WORDS.search(name) or _RESIDUE.fullmatch(name))


def _rule_of(name: str, types: set[str]) -> Rule | None:
    category = name.lower()
    if category == "loss":
        # It may as well be the loss of the protein in a stain.
        return _LOSS if types & _LOST_COPIES else None
    residue = _RESIDUE.fullmatch(name)
    if residue is not None and types & _ALTERED_PROTEIN:
        return Rule(protein_at=(int(residue[1]), int(residue[1])))
    return _CATEGORIES.get(category)


def _substitution(name: str, types: set[str]) -> Rule | None:
    match = _SUBSTITUTION.fullmatch(name)
    if match is None or not types & _ALTERED_PROTEIN:
        return None
    return Rule(protein=f"p.{_AMINO_ACIDS[match[1]]}{match[2]}{_AMINO_ACIDS[match[3]]}")


def types_of(text: str, mark: str) -> set[str]:
    """Return the terms in a list in lower case, with blanks in them."""
    return {part.strip().lower().replace("_", " ") for part in text.split(mark)}


class Targets:
    """The targets of all molecular profiles, of which CIViC has some thousands."""

    def __init__(
        self,
        variants: tuple[BinaryIO, str],
        profiles: tuple[BinaryIO, str],
        rejects: Rejects,
        settings: Settings,
    ) -> None:
        """Read ``VariantSummaries.tsv`` and ``MolecularProfileSummaries.tsv``; raises BadFile and LimitExceeded."""
        self._variants: dict[str, Target | str] = {}
        self._profiles: dict[str, str | tuple[str, ...]] = {}
        for row in _rows(*variants, rejects, settings, _VARIANT_COLUMNS):
            self._variants[row.text("variant_id")] = _read_variant(row)
        for row in _rows(*profiles, rejects, settings, _PROFILE_COLUMNS):
            members = tuple(part for text in row.text("variant_ids").split(",") if (part := text.strip()))
            negated = _NOT.search(row.text("name")) is not None
            self._profiles[row.text("molecular_profile_id")] = NEGATED if negated else members

    def of(self, profile: str) -> Target | str:
        """Return what a profile is about, or why that cannot be said exactly."""
        members = self._profiles.get(profile, NO_PROFILE)
        if isinstance(members, str):
            return members
        if len(members) != 1:
            return SEVERAL_VARIANTS if members else NO_VARIANT
        return self._variants.get(members[0], NO_VARIANT)


def _rows(stream: BinaryIO, name: str, rejects: Rejects, settings: Settings, required: tuple[str, ...]) -> NamedRows:
    return NamedRows(stream, name, rejects, settings, required=required, layout=Layout.QUOTED_TABS)


def _read_variant(row: NamedRow) -> Target | str:
    if row.text("feature_type") not in ("", "Gene"):
        return NO_GENE_VARIANT
    change = _read_change(row)
    if isinstance(change, str):
        return change
    gene = row.text("gene") or row.text("feature_name")
    types = types_of(row.text("variant_types"), ",")
    return target_of(row.text("variant_id"), gene, row.text("variant"), types, change)


def _read_change(row: NamedRow) -> GenomicChange | str | None:
    """Return the change, None where no bases are given, or why they cannot be used."""
    deleted, inserted = (row.text(column).upper().strip("-") for column in ("reference_bases", "variant_bases"))
    if not deleted and not inserted:
        return None
    if not _BASES.fullmatch(deleted) or not _BASES.fullmatch(inserted):
        return VAGUE
    build = _BUILDS.get(row.text("reference_build"))
    if build is None:
        return OTHER_ASSEMBLY
    contig = contig_named(row.text("chromosome"), build)
    start, stop = (int(text) if _DIGITS.fullmatch(text := row.text(column)) else 0 for column in ("start", "stop"))
    if contig is None or deleted == inserted or not 1 <= start <= stop <= length(build, contig):
        return MISFIT
    if stop - start + 1 != (len(deleted) or 2):
        return MISFIT
    return GenomicChange(build, contig, start - 1 if deleted else start, deleted, inserted)
