"""The knowledge sources that can be loaded: what each is called, under which licence, and which of its files are read.

A file is recognized by what it begins with, never by its name, because names change from release to release.

>>> SOURCES["civic"].licence
'CC0 1.0'
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from app.config import Settings
from app.errors import BadFile
from app.formats.civic import read_civic_vcf, read_evidence
from app.formats.clingen_dosage import read_dosage
from app.formats.clinvar_tables import Places, read_submission_summary, read_variant_summary
from app.formats.clinvar_vcf import read_clinvar_vcf
from app.formats.cpic import CpicFiles, read_cpic
from app.formats.knowledge import ItemKind, Items, Rejects
from app.formats.knowledge_tables import read_table
from app.formats.pharmgkb import PharmgkbFiles, read_pharmgkb

_HEAD = 1 << 16
_HEAD_TEXT = 1 << 18
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open at its first byte, plain or gzip; the name is for messages only."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of file of a source, recognized by the columns that one of its first lines names, or by a text."""

    name: str
    columns: frozenset[str] = frozenset()
    text: str = ""
    many: bool = False
    """Whether several of them may be given"""

    def fits(self, head: str) -> bool:
        """Return whether a text that begins like this is such a file."""
        if self.text:
            return self.text in head
        return any(self.columns <= names for names in _named(head))


Given = dict[str, list[OpenFile]]
"""Role → files"""


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """A source of knowledge, and how its files are read."""

    label: str
    licence: str
    homepage: str
    roles: tuple[Role, ...]
    assemble: Callable[[Given, Rejects, Settings], Items]

    def read(self, files: Sequence[OpenFile], rejects: Rejects, settings: Settings) -> Items:
        """Return the items of files that are given in any order.

        Raises:
            BadFile: a file is none of this source, or one is missing; or later, what its reader raises.
            LimitExceeded: a cap of the settings is exceeded.
        """
        given: Given = {role.name: [] for role in self.roles}
        for file in files:
            role, opened = self._recognize(file)
            if given[role.name] and not role.many:
                first = given[role.name][0].name
                raise BadFile(file.name, f"it is a file of {role.name}, as {first} is", mend="Give one of them")
            given[role.name].append(opened)
        return self.assemble(given, rejects, settings)

    def _recognize(self, file: OpenFile) -> tuple[Role, OpenFile]:
        head = file.stream.read(_HEAD)
        text = _text(head)
        for role in self.roles:
            # Where there is only one kind of file, its reader tells better what is wrong with another one.
            if role.fits(text) or len(self.roles) == 1:
                return role, OpenFile(file.name, _rejoined(head, file.stream))
        known = ", ".join(role.name for role in self.roles)
        raise BadFile(
            file.name, f"it is no file of {self.label} that is read", mend=f"Give a file of one of these kinds: {known}"
        )


class _Rejoined(io.RawIOBase):
    """What was read already, followed by what is still to come."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _rejoined(head: bytes, rest: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Rejoined(head, rest)))


def _text(head: bytes) -> str:
    """Return the text that a file begins with; what cannot be inflated is nothing's beginning."""
    return (_inflated(head) if head.startswith(_GZIP) else head).decode("utf-8", "replace").removeprefix("\ufeff")


def _inflated(head: bytes) -> bytes:
    """Return what the first members of a gzip file hold: those of BGZF may be small."""
    text = b""
    while head.startswith(_GZIP) and len(text) < _HEAD_TEXT:
        inflater = zlib.decompressobj(wbits=31)
        try:
            text += inflater.decompress(head, _HEAD_TEXT)
        except zlib.error:
            return text
        head = inflater.unused_data
    return text


def _named(head: str) -> Iterator[set[str]]:
    """Yield what each line names when it is taken for a line of columns."""
    for line in head.split("\n"):
        text = line.removeprefix("#").strip().lower()
        for mark in ("\t", ","):
            yield {cell.strip().strip('"') for cell in text.split(mark)}


def _columns(name: str, *columns: str, many: bool = False) -> Role:
    return Role(name, frozenset(columns), many=many)


# --- sources ----------------------------------------------------------------------------------------------------------


def _only(given: Given, role: str) -> tuple[BinaryIO, str]:
    """Return the file of a role that cannot be missing, with its name."""
    files = given[role]
    if not files:
        present = next((file.name for others in given.values() for file in others), "no file")
        raise BadFile(present, f"the file of {role} is missing", mend="Give both together")
    return files[0].stream, files[0].name


def _maybe(given: Given, role: str) -> tuple[BinaryIO, str] | None:
    return (given[role][0].stream, given[role][0].name) if given[role] else None


def _read_clinvar(given: Given, rejects: Rejects, settings: Settings) -> Items:
    _refuse_mixture(given)
    if given["VCF"]:
        return _read_clinvar_vcfs(given["VCF"], rejects, settings)
    summary = _only(given, "variant summary")
    if given["submission summary"]:
        return _read_submissions(_only(given, "submission summary"), summary, rejects, settings)
    return read_variant_summary(*summary, rejects, settings)


def _read_clinvar_vcfs(files: Sequence[OpenFile], rejects: Rejects, settings: Settings) -> Items:
    for file in files:
        yield from read_clinvar_vcf(file.stream, file.name, None, rejects, settings)


def _read_submissions(
    submissions: tuple[BinaryIO, str], summary: tuple[BinaryIO, str], rejects: Rejects, settings: Settings
) -> Items:
    places = Places(*summary, rejects, settings)
    yield from read_submission_summary(*submissions, places, rejects, settings)


def _refuse_mixture(given: Given) -> None:
    """Raise BadFile where a VCF comes with tables, which say the same in another way."""
    tables = [file for role, files in given.items() if role != "VCF" for file in files]
    if given["VCF"] and tables:
        raise BadFile(tables[0].name, "it says the same as the VCF", mend="Give either VCF or tables")


def _read_civic(given: Given, rejects: Rejects, settings: Settings) -> Items:
    _refuse_mixture(given)
    if given["VCF"]:
        return read_civic_vcf(*_only(given, "VCF"), rejects, settings)
    roles = ("evidence", "variants", "molecular profiles")
    evidence, variants, profiles = (_only(given, role) for role in roles)
    return read_evidence(evidence, variants, profiles, rejects, settings)


def _read_cpic(given: Given, rejects: Rejects, settings: Settings) -> Items:
    optional = (_maybe(given, role) for role in ("drugs", "genes", "recommendations"))
    return read_cpic(CpicFiles(_only(given, "diplotypes"), _only(given, "pairs"), *optional), rejects, settings)


def _read_pharmgkb(given: Given, rejects: Rejects, settings: Settings) -> Items:
    needed = _only(given, "annotations"), _only(given, "alleles of annotations")
    files = PharmgkbFiles(*needed, _maybe(given, "drugs"), _maybe(given, "genes"))
    return read_pharmgkb(files, rejects, settings)


def _read_clingen(given: Given, rejects: Rejects, settings: Settings) -> Items:
    return read_dosage([(file.stream, file.name) for file in given["dosage sensitivity"]], rejects, settings)


def _own(kind: ItemKind) -> KnowledgeSource:
    def read(given: Given, rejects: Rejects, settings: Settings) -> Items:
        for file in given["table"]:
            yield from read_table(kind, file.stream, file.name, rejects, settings)

    label = f"Operon's {kind.name.lower()} table"
    return KnowledgeSource(label, "As its author states", "", (_columns("table", "row_id", many=True),), read)


SOURCES: dict[str, KnowledgeSource] = {
    "clinvar": KnowledgeSource(
        "ClinVar",
        "Public domain; NCBI asks to be named as the source",
        "https://www.ncbi.nlm.nih.gov/clinvar/",
        (
            Role("VCF", text="##source=ClinVar", many=True),
            _columns("variant summary", "variationid", "positionvcf"),
            _columns("submission summary", "variationid", "scv"),
        ),
        _read_clinvar,
    ),
    "civic": KnowledgeSource(
        "CIViC",
        "CC0 1.0",
        "https://civicdb.org",
        (
            Role("VCF", text="Consequence annotations from CIViC"),
            _columns("evidence", "molecular_profile_id", "evidence_id", "evidence_status"),
            _columns("variants", "variant_id", "reference_bases", "variant_bases"),
            _columns("molecular profiles", "molecular_profile_id", "variant_ids"),
        ),
        _read_civic,
    ),
    "cpic": KnowledgeSource(
        "CPIC",
        "CC0 1.0",
        "https://cpicpgx.org",
        (
            _columns("diplotypes", "genesymbol", "diplotype", "generesult"),
            _columns("pairs", "genesymbol", "drugid", "cpiclevel"),
            _columns("drugs", "drugid", "rxnormid"),
            _columns("genes", "symbol", "hgncid"),
            _columns("recommendations", "lookupkey", "drugrecommendation"),
        ),
        _read_cpic,
    ),
    "pharmgkb": KnowledgeSource(
        "ClinPGx (PharmGKB)",
        "CC BY-SA 4.0",
        "https://www.clinpgx.org",
        (
            _columns("annotations", "variant/haplotypes", "level of evidence"),
            _columns("alleles of annotations", "genotype/allele", "annotation text"),
            _columns("drugs", "name", "rxnorm identifiers"),
            _columns("genes", "pharmgkb accession id", "symbol"),
        ),
        _read_pharmgkb,
    ),
    "clingen-dosage": KnowledgeSource(
        "ClinGen Dosage Sensitivity",
        "CC0 1.0",
        "https://clinicalgenome.org",
        (_columns("dosage sensitivity", "haploinsufficiency score", "triplosensitivity score", many=True),),
        _read_clingen,
    ),
    "diagnostic": _own(ItemKind.DIAGNOSTIC),
    "therapeutic": _own(ItemKind.THERAPEUTIC),
    "consequence": _own(ItemKind.CONSEQUENCE),
}
"""Kind → source"""
