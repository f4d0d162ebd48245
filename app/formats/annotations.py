"""What annotation tools wrote into the INFO of a VCF: consequences for each ALT, by VEP, SnpEff and bcftools csq.

- VEP: https://www.ensembl.org/info/docs/tools/vep/vep_formats.html#vcfout, usually in ``CSQ``, at times in ``ANN``; the
  header names the columns.
- SnpEff: ``ANN``, https://pcingola.github.io/SnpEff/adds/VCFannotationformat_v1.0.pdf.
- bcftools csq: ``BCSQ``, https://samtools.github.io/bcftools/howtos/csq-calling.html; it speaks of haplotypes, so only
  what it says of one variant alone is read.

What cannot be read without a guess is left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import unquote

from app.variants.consequence_terms import (
    HIGH,
    IMPACTS,
    LOW,
    MODERATE,
    MODIFIER,
    TERMS,
    impact_of,
    most_severe_first,
)
from app.variants.normalize import trim
from app.variants.transcripts import MANE_PLUS_CLINICAL, MANE_SELECT

_INFO = re.compile(r'##INFO=<(?:[^"]*,)?ID=([^,>]+),.*?Description="((?:[^"\\]|\\.)*)"')
_FORMAT = re.compile(r"Format: *([^\"']+)")
_VERSIONS: Final = MappingProxyType(
    {
        "VEP": re.compile(r'##VEP="?(v?[0-9][^" ]*)'),
        "SnpEff": re.compile(r'##SnpEffVersion="?([0-9][^" ]*)'),
        "bcftools csq": re.compile(r"##bcftools/csqVersion=([0-9][^ ]*)"),
    }
)
_ANN_COLUMNS: Final = (
    "Allele",
    "Annotation",
    "Annotation_Impact",
    "Gene_Name",
    "Gene_ID",
    "Feature_Type",
    "Feature_ID",
    "Transcript_BioType",
    "Rank",
    "HGVS.c",
    "HGVS.p",
)
_BCSQ_TERMS: Final = MappingProxyType(
    {
        "synonymous": "synonymous_variant",
        "missense": "missense_variant",
        "stop_lost": "stop_lost",
        "stop_gained": "stop_gained",
        "stop_retained": "stop_retained_variant",
        "start_lost": "start_lost",
        "start_retained": "start_retained_variant",
        "inframe_deletion": "inframe_deletion",
        "inframe_insertion": "inframe_insertion",
        "frameshift": "frameshift_variant",
        "splice_acceptor": "splice_acceptor_variant",
        "splice_donor": "splice_donor_variant",
        "splice_region": "splice_region_variant",
        "5_prime_utr": "5_prime_UTR_variant",
        "3_prime_utr": "3_prime_UTR_variant",
        "non_coding": "non_coding_transcript_variant",
        "intron": "intron_variant",
        "intergenic": "intergenic_variant",
        "coding_sequence": "coding_sequence_variant",
        "feature_elongation": "feature_elongation",
    }
)
"""Not ``inframe_altering``, which no term of the ontology is said to stand for"""
_MOST_TEXTS: Final = 10_000
_BCSQ_CHANGE = re.compile(r"[0-9]+([^>]+)>([^>]+|<.*>)")

AT_A_DISTANCE: Final = frozenset(
    {
        "intron_variant",
        "upstream_gene_variant",
        "downstream_gene_variant",
        "intergenic_variant",
        "intergenic_region",
        "conserved_intergenic_variant",
        "conserved_intron_variant",
        "intragenic_variant",
    }
)
"""Terms that nearly every variant of a genome has for some transcript"""
_OF_TRANSCRIPTS: Final = frozenset({"non_coding_transcript_variant", "NMD_transcript_variant"})
"""Terms that say of which kind a transcript is"""
_GRAVER: Final = (HIGH, MODERATE, LOW)

BACKGROUND: Final = "intergenic, upstream, downstream or intron, and nothing else of the variant"
UNKNOWN_TERM: Final = "a term that is not known"
NO_TERM: Final = "no known term is left"
SHORT: Final = "too few columns"
NO_ALLELE: Final = "the allele is none of ALT"
AMBIGUOUS: Final = "the allele may be more than one of ALT"
COMPARED: Final = "compared with another allele than REF"
ELSEWHERE: Final = "stated at another record"
COMPOUND: Final = "of several variants together"
BEHIND_STOP: Final = "behind a stop codon of the same haplotype"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a tool says of one ALT and one transcript; what it does not say is None.

    ``terms`` are names of the Sequence Ontology, the most severe first; ``coding`` has the transcript's accession where
    the tool gives one, ``protein`` is the ``p.`` text alone.
    """

    tool: str
    terms: tuple[str, ...]
    impact: str | None
    gene: str | None
    hgnc: str | None
    transcript: str | None
    mane: str | None
    coding: str | None
    protein_accession: str | None
    protein: str | None


def is_background(one: Annotation) -> bool:
    """Return whether an annotation says only that the variant lies in an intron, beside a gene or between genes."""
    return one.impact == MODIFIER and _is_at_a_distance(one.terms)


def _is_at_a_distance(terms: Iterable[str]) -> bool:
    names = set(terms)
    return bool(names & AT_A_DISTANCE) and names <= AT_A_DISTANCE | _OF_TRANSCRIPTS


class _Reader(Protocol):
    """Reads one INFO field; ``consequence_at`` is the column of its terms."""

    tool: str
    consequence_at: int

    def read(self, rows: Sequence[str], alts: Sequence[str], ref: str, found: list[list[Annotation]]) -> None:
        """Add what the rows of one record say to the list of each ALT."""


class Annotations:
    """Reads the annotations of the records of one VCF; ``left_out`` counts what it could not use, by cause."""

    def __init__(
        self,
        readers: Mapping[str, _Reader],
        left_out: Counter[str],
        tools: Sequence[str],
        versions: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._readers = readers
        self._distant: dict[str, bool] = {}
        self.left_out = left_out
        self.versions = versions
        """Tool to version, where the header tells it"""
        self.tools = tuple(tools)
        """What wrote them, with the version where the header tells it, such as ``VEP v110``"""

    @classmethod
    def from_header(cls, header_lines: Iterable[str | bytes]) -> Annotations | None:
        """Return what reads the annotations that a header declares, or None if it declares none."""
        left_out: Counter[str] = Counter()
        readers: dict[str, _Reader] = {}
        versions: dict[str, str] = {}
        for line in header_lines:
            text = line if isinstance(line, str) else line.decode("utf-8", errors="replace")
            for tool, pattern in _VERSIONS.items():
                if match := pattern.match(text):
                    versions.setdefault(tool, match[1])
            match = _INFO.match(text)
            reader = _reader(match[1], match[2], left_out) if match else None
            if match and reader is not None:
                readers.setdefault(match[1], reader)
        if not readers:
            return None
        tools = [reader.tool for reader in readers.values()]
        named = [f"{tool} {versions[tool]}" if tool in versions else tool for tool in tools]
        return cls(readers, left_out, named, versions)

    def worth(self, info: str, alts: Sequence[str], ref: str) -> list[list[Annotation]]:
        """Return the annotations of each ALT that has more than those in introns, beside genes and between them.

        These stand for nearly every variant of a genome; the text of most records is not taken apart for them. An ALT
        that has anything else keeps all that is said of it.
        """
        if not any(self._may_be_worth(info, field, reader) for field, reader in self._readers.items()):
            self.left_out[BACKGROUND] += 1
            return []
        found = self.read(info, alts, ref)
        for said in found:
            if said and all(map(is_background, said)):
                self.left_out[BACKGROUND] += 1
                said.clear()
        return found

    def _may_be_worth(self, info: str, field: str, reader: _Reader) -> bool:
        rows = _rows(info, field)
        for row in rows:
            cells = row.split("|", reader.consequence_at + 1)
            text = cells[reader.consequence_at] if len(cells) > reader.consequence_at else ""
            distant = self._distant.get(text)
            if distant is None:
                if len(self._distant) > _MOST_TEXTS:
                    self._distant.clear()
                names = [_BCSQ_TERMS.get(name, name) for name in text.split("&")]
                distant = self._distant[text] = _is_at_a_distance(names)
            if not distant:
                return True
        return any(impact in row for row in rows for impact in _GRAVER)

    def read(self, info: str | Mapping[str, Any], alts: Sequence[str], ref: str) -> list[list[Annotation]]:
        """Return the annotations of each ALT, given INFO as text or as a mapping of its fields."""
        found: list[list[Annotation]] = [[] for _ in alts]
        for field, reader in self._readers.items():
            rows = _rows(info, field)
            if rows:
                reader.read(rows, alts, ref, found)
        return found


def _reader(field: str, description: str, left_out: Counter[str]) -> _Reader | None:
    columns = _FORMAT.search(description)
    if field == "BCSQ":
        return _Bcsq(left_out)
    if columns is not None and field in ("CSQ", "ANN"):
        names = [name.strip() for name in columns[1].split("|")]
        if "Allele" in names and "Consequence" in names:
            return _Csq(names, left_out)
    if field == "ANN" and "Allele | Annotation" in description:
        return _Ann(left_out)
    return None


def _rows(info: str | Mapping[str, Any], field: str) -> Sequence[str]:
    if not isinstance(info, str):
        value = info.get(field)
        if value is None or value in (".", ""):
            return ()
        return value.split(",") if isinstance(value, str) else [str(row) for row in value]
    key = f"{field}="
    start = 0 if info.startswith(key) else info.find(f";{key}") + 1
    if not start and not info.startswith(key):
        return ()
    end = info.find(";", start)
    value = info[start + len(key) :] if end < 0 else info[start + len(key) : end]
    return () if value in (".", "") else value.split(",")


class _Terms:
    """Known terms in a column of them; each column's text is taken apart once."""

    def __init__(self, left_out: Counter[str], names: Mapping[str, str] | None = None) -> None:
        self._left_out = left_out
        self._names = names
        self._known: dict[str, tuple[tuple[str, ...], int]] = {}

    def of(self, text: str) -> tuple[str, ...]:
        """Return the known terms of a column, the most severe first; those that are not known are counted."""
        found = self._known.get(text)
        if found is None:
            stated = [name.strip() for name in text.split("&") if name.strip()]
            names = stated if self._names is None else [self._names.get(name, "") for name in stated]
            known = [name for name in names if name in TERMS]
            found = self._known[text] = most_severe_first(known), len(stated) - len(known)
        terms, unknown = found
        if unknown:
            self._left_out[UNKNOWN_TERM] += unknown
        if not terms:
            self._left_out[NO_TERM] += 1
        return terms


class _Csq:
    """Columns as the header of VEP names them."""

    tool = "VEP"

    def __init__(self, columns: Sequence[str], left_out: Counter[str]) -> None:
        self._left_out = left_out
        self._terms = _Terms(left_out)
        self._at = {name: at for at, name in reversed(list(enumerate(columns)))}
        self._least = max(self._at["Allele"], self._at["Consequence"]) + 1
        self.consequence_at = self._at["Consequence"]

    def read(self, rows: Sequence[str], alts: Sequence[str], ref: str, found: list[list[Annotation]]) -> None:
        """Add what the rows of one record say to the list of each ALT."""
        cut = []
        for row in rows:
            cells = row.split("|")
            if len(cells) < self._least:
                self._left_out[SHORT] += 1
            else:
                cut.append(cells)
        allele = self._at["Allele"]
        places = None if "ALLELE_NUM" in self._at else _vep_alleles({cells[allele] for cells in cut}, alts, ref)
        for cells in cut:
            at = self._numbered(cells, len(alts)) if places is None else places.get(cells[allele])
            if at is None:
                ambiguous = places is not None and cells[allele] in places
                self._left_out[AMBIGUOUS if ambiguous else NO_ALLELE] += 1
                continue
            terms = self._terms.of(cells[self._at["Consequence"]])
            if terms:
                found[at].append(self._annotation(cells, terms))

    def _numbered(self, cells: list[str], alts: int) -> int | None:
        number = self._cell(cells, "ALLELE_NUM") or ""
        return int(number) - 1 if number.isdecimal() and 1 <= int(number) <= alts else None

    def _annotation(self, cells: list[str], terms: tuple[str, ...]) -> Annotation:
        impact, hgnc = self._cell(cells, "IMPACT"), self._cell(cells, "HGNC_ID")
        accession, _, protein = (self._cell(cells, "HGVSp") or "").rpartition(":")
        kind = self._cell(cells, "Feature_type")
        return Annotation(
            tool=self.tool,
            terms=terms,
            impact=impact if impact in IMPACTS else impact_of(terms),
            gene=self._cell(cells, "SYMBOL"),
            hgnc=f"HGNC:{hgnc}" if hgnc and hgnc.isdecimal() else hgnc,
            transcript=self._cell(cells, "Feature") if kind in (None, "Transcript") else None,
            mane=self._mane(cells),
            coding=self._cell(cells, "HGVSc"),
            protein_accession=accession or self._cell(cells, "ENSP"),
            protein=protein or None,
        )

    def _mane(self, cells: list[str]) -> str | None:
        tag = self._cell(cells, "MANE")
        if self._cell(cells, "MANE_SELECT") or tag == "MANE_Select":
            return MANE_SELECT
        return MANE_PLUS_CLINICAL if self._cell(cells, "MANE_PLUS_CLINICAL") or tag == "MANE_Plus_Clinical" else None

    def _cell(self, cells: list[str], name: str) -> str | None:
        at = self._at.get(name)
        return _text(cells[at]) if at is not None and at < len(cells) else None


def _vep_alleles(stated: set[str], alts: Sequence[str], ref: str) -> dict[str, int | None]:
    """Return which ALT each stated allele is, None where it may be more than one.

    VEP writes an allele without the first base if that is common to REF and every ALT of a record that has an insertion
    or deletion, with ``--minimal`` without all that it shares with REF; nothing left is a hyphen. The first of the ways
    that explains all of a record counts if every ALT is spoken of; else an allele must be the same ALT in every way.
    """
    ways = []
    for spelled in (_common_first_base_off(alts, ref), list(alts), [_trimmed(ref, alt) for alt in alts]):
        places: dict[str, int | None] = {}
        for at, text in enumerate(spelled):
            places[text] = None if text in places else at
        if stated == places.keys() or stated == places.keys() - {"*"}:
            return places
        ways.append(places)
    found: dict[str, int | None] = {}
    for text in stated:
        meant = {places[text] for places in ways if text in places}
        if meant:
            found[text] = meant.pop() if len(meant) == 1 else None
    return found


def _common_first_base_off(alts: Sequence[str], ref: str) -> list[str]:
    bases = [alt for alt in alts if "*" not in alt]
    if all(len(alt) == len(ref) for alt in bases) or any(alt[:1] != ref[:1] for alt in bases):
        return list(alts)
    return [alt if "*" in alt else alt[1:] or "-" for alt in alts]


def _trimmed(ref: str, alt: str) -> str:
    return trim(0, ref, alt)[2] or "-"


class _Ann:
    """The columns of SnpEff's specification 1.0, which are the same in every file."""

    tool = "SnpEff"
    consequence_at = 1

    def __init__(self, left_out: Counter[str]) -> None:
        self._left_out = left_out
        self._terms = _Terms(left_out)

    def read(self, rows: Sequence[str], alts: Sequence[str], ref: str, found: list[list[Annotation]]) -> None:
        """Add what the rows of one record say to the list of each ALT."""
        for row in rows:
            cells = row.split("|")
            if len(cells) < len(_ANN_COLUMNS):
                self._left_out[SHORT] += 1
                continue
            allele, effect, impact, gene, _, kind, feature, _, _, coding, protein = cells[: len(_ANN_COLUMNS)]
            if allele not in alts:
                self._left_out[COMPARED if "-" in allele else NO_ALLELE] += 1
                continue
            terms = self._terms.of(effect)
            if not terms:
                continue
            transcript = _text(feature) if kind == "transcript" else None
            found[alts.index(allele)].append(
                Annotation(
                    tool=self.tool,
                    terms=terms,
                    impact=impact if impact in IMPACTS else impact_of(terms),
                    gene=_text(gene),
                    hgnc=None,
                    transcript=transcript,
                    mane=None,
                    coding=f"{transcript}:{_text(coding)}" if transcript and _text(coding) else None,
                    protein_accession=None,
                    protein=_text(protein) if transcript else None,
                )
            )


class _Bcsq:
    """consequence|gene|transcript|biotype|strand|amino acids|DNA, cut short where the rest is empty."""

    tool = "bcftools csq"
    consequence_at = 0

    def __init__(self, left_out: Counter[str]) -> None:
        self._left_out = left_out
        self._terms = _Terms(left_out, _BCSQ_TERMS)

    def read(self, rows: Sequence[str], alts: Sequence[str], ref: str, found: list[list[Annotation]]) -> None:
        """Add what the rows of one record say to the list of each ALT."""
        for row in rows:
            if row.startswith("@"):
                self._left_out[ELSEWHERE] += 1
                continue
            cells = row.split("|")
            if cells[0].startswith("*"):
                self._left_out[BEHIND_STOP] += 1
                continue
            change = cells[6] if len(cells) > 6 else ""
            at = self._allele(change, alts, ref)
            terms = self._terms.of(cells[0]) if at is not None else ()
            if at is None or not terms:
                continue
            gene, transcript = (_text(cells[n]) if len(cells) > n else None for n in (1, 2))
            found[at].append(
                Annotation(
                    tool=self.tool,
                    terms=terms,
                    impact=impact_of(terms),
                    gene=gene,
                    hgnc=None,
                    transcript=transcript,
                    mane=None,
                    coding=None,
                    protein_accession=None,
                    protein=None,
                )
            )

    def _allele(self, change: str, alts: Sequence[str], ref: str) -> int | None:
        """Return which ALT a row is about: what its change of DNA names, or the only one there is."""
        if not change:
            real = [at for at, alt in enumerate(alts) if alt != "*"]
            if len(real) == 1:
                return real[0]
            self._left_out[AMBIGUOUS] += 1
            return None
        if "+" in change:
            self._left_out[COMPOUND] += 1
            return None
        match = _BCSQ_CHANGE.fullmatch(change)
        if match is None or match[1] != ref or match[2] not in alts:
            self._left_out[NO_ALLELE] += 1
            return None
        return alts.index(match[2])


def _text(cell: str) -> str | None:
    """Return what a cell says, None for an empty one; the escapes of VCF 4.3 are undone."""
    if cell in ("", "."):
        return None
    return unquote(cell) if "%" in cell else cell
