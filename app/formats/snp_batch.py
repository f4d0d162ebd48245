"""Batches of SNP and copy number results as laboratories submit them: what is refused, what is told, what is kept.

A batch that cannot be read as a whole is refused; a sample whose values are wrong is left out and named, and the others
are kept. Nothing is corrected or guessed.

>>> read_date("2017-01-20T10:10:00+0200")
'2017-01-20T10:10:00+02:00'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.errors import quoted

REQUIRED = "this field is required"
NO_CALL = frozenset({".", "?", "N", "NA", "UND", "UNKNOWN", "FAIL"})
"""What laboratories write for an allele that was not called, in capital letters"""

_BATCH_ID = "batch.id"  # so the contract writes it, with a dot
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RS = re.compile(r"rs[1-9]\d{0,15}", re.ASCII)
_GENOTYPE = re.compile(r"[A-Za-z.?\-]{1,60}([/|][A-Za-z.?\-]{1,60})?", re.ASCII)
_GENDERS = ("F", "M", "O")
_LONGEST = 200
_LONGEST_COMMENT = 10_000
_MOST_COPIES = 99
_COMPLEMENTARY = (frozenset("AT"), frozenset("CG"))


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A field of a body that is refused; ``name`` is its dotted path."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Snp:
    """One genotype, as it was written."""

    rs: str
    genotype: str
    assay: str = ""
    gene: str = ""


@dataclass(frozen=True, slots=True)
class Copies:
    """The number of copies of a whole gene."""

    gene: str
    copies: int


@dataclass(frozen=True, slots=True)
class SampleData:
    """The results of one sample, and of the batch what concerns it."""

    batch_id: str
    date: str
    """ISO date and time with offset"""
    sample_id: str
    birthday: str | None = None
    gender: str | None = None
    """F, M or O"""
    snps: tuple[Snp, ...] = ()
    copies: tuple[Copies, ...] = ()
    comment: str = ""
    test_id: float | int | None = None
    """Number that the laboratory gives the test"""

    @property
    def test_date(self) -> str:
        """Return the day of the test, where it was made."""
        return self.date[:10]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form that waits in the store."""
        return {
            "batch_id": self.batch_id,
            "date": self.date,
            "sample_id": self.sample_id,
            "birthday": self.birthday,
            "gender": self.gender,
            "snps": [[one.rs, one.genotype, one.assay, one.gene] for one in self.snps],
            "copies": [[one.gene, one.copies] for one in self.copies],
            "comment": self.comment,
            "test_id": self.test_id,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> SampleData:
        """Read the JSON form back."""
        return SampleData(
            data["batch_id"],
            data["date"],
            data["sample_id"],
            data["birthday"],
            data["gender"],
            tuple(Snp(*entry) for entry in data["snps"]),
            tuple(Copies(*entry) for entry in data["copies"]),
            data["comment"],
            data["test_id"],
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that can be used, with what its sender has to be told."""

    batch_id: str
    samples: tuple[SampleData, ...] = ()
    errors: tuple[str, ...] = ()
    """One sentence for each sample that is left out"""
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Told:
    """What is found wrong while a batch is read."""

    refused: list[FieldProblem] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, name: str, message: str) -> None:
        self.refused.append(FieldProblem(name, message))


def read_batch(body: object) -> Batch | tuple[FieldProblem, ...]:
    """Return a batch, or the fields because of which it is refused as a whole."""
    told = _Told()
    if not isinstance(body, Mapping):
        return (FieldProblem("body", "this has to be a JSON object"),)
    batch_id = _required_text(body, "batch_id", _BATCH_ID, told)
    day = _required_text(body, "date", "date", told)
    moment = read_date(day) if day is not None else None
    if day is not None and moment is None:
        told.refuse("date", "this is no date and time with offset, such as 2017-01-20T10:10:00+0200")
    comment, test_id = _comment(body, told), _number(body, told)
    entries = _entries(body, told)
    named = [(at, entry, _sample_id(entry, at, told)) for at, entry in enumerate(entries)]
    if told.refused:
        return tuple(told.refused)
    assert batch_id is not None  # noqa: S101 - else it was refused above
    assert moment is not None  # noqa: S101 - as above
    found: dict[str, SampleData] = {}
    failed: set[str] = set()
    for at, entry, sample_id in named:
        facts = {"batch_id": batch_id, "date": moment, "comment": comment, "test_id": test_id}
        sample, problems = _sample(entry, at, sample_id, facts)
        if sample is None:
            failed.add(sample_id)
        elif (before := found.setdefault(sample_id, sample)) is not sample:
            told.warnings.append(_DUPLICATES)
            if before != sample:  # which of the two holds, nobody here can know
                failed.add(sample_id)
                problems.append("the batch has two different entries of the sample")
        elif _repeats(sample):
            told.warnings.append(_DUPLICATES)
        told.warnings += [f"BatchSample '{quoted(sample_id)}': {problem}" for problem in problems]
    told.errors += [f"BatchSample '{quoted(sample_id)}' failed schema validation" for sample_id in sorted(failed)]
    kept = tuple(sample for sample_id, sample in found.items() if sample_id not in failed)
    return Batch(batch_id, kept, tuple(told.errors), tuple(dict.fromkeys(told.warnings)))


_DUPLICATES = "BatchSample may contain duplicate values"


def read_date(text: str) -> str | None:
    """Return a date and time with a colon in its offset; None for anything else."""
    if _DATE_TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def is_complementary(alleles: Iterable[str]) -> bool:
    """Return whether two of the alleles are each other's complement, so that the strand does not show in them."""
    letters = set(alleles)
    return any(pair <= letters for pair in _COMPLEMENTARY)


def alleles_of(genotype: str) -> tuple[str, ...]:
    """Return the alleles of a genotype in capital letters.

    >>> alleles_of("a/G")
    ('A', 'G')
    """
    return tuple(re.split(r"[/|]", genotype.upper()))


def copies_of(data: SampleData) -> dict[str, int]:
    """Return the number of copies by gene; a gene that is given several different numbers has none."""
    given: dict[str, set[int]] = {}
    for one in data.copies:
        given.setdefault(one.gene, set()).add(one.copies)
    return {gene: next(iter(numbers)) for gene, numbers in given.items() if len(numbers) == 1}


def _required_text(body: Mapping[Any, Any], key: str, name: str, told: _Told) -> str | None:
    value = body.get(key)
    if value is None or value == "":
        told.refuse(name, REQUIRED)
    elif not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        told.refuse(name, f"this has to be a text of at most {_LONGEST} printable characters")
    else:
        return value
    return None


def _comment(body: Mapping[Any, Any], told: _Told) -> str:
    value = body.get("comment")
    if value is None or (isinstance(value, str) and len(value) <= _LONGEST_COMMENT):
        return value or ""
    told.refuse("comment", f"this has to be a text of at most {_LONGEST_COMMENT} characters")
    return ""


def _number(body: Mapping[Any, Any], told: _Told) -> float | int | None:
    value = body.get("test_id")
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    told.refuse("test_id", "this has to be a number")
    return None


def _entries(body: Mapping[Any, Any], told: _Told) -> Sequence[Any]:
    data = body.get("data")
    if data is None:
        told.refuse("data", REQUIRED)
    elif not isinstance(data, list):
        told.refuse("data", "this has to be a list")
    elif not data:
        told.refuse("data", "this has to have at least one sample")
    else:
        return data
    return ()


def _sample_id(entry: object, at: int, told: _Told) -> str:
    """Return the id of a sample; without one nobody could be told which sample fails."""
    if not isinstance(entry, Mapping):
        told.refuse(f"data.{at}", "this has to be an object")
        return ""
    return _required_text(entry, "sample_id", f"data.{at}.sample_id", told) or ""


def _sample(
    entry: Mapping[Any, Any], at: int, sample_id: str, facts: Mapping[str, Any]
) -> tuple[SampleData | None, list[str]]:
    """Return the data of a sample, or None and what is wrong with them."""
    problems: list[str] = []
    birthday, gender = entry.get("birthday"), entry.get("gender")
    if birthday is not None and not (isinstance(birthday, str) and _is_date(birthday)):
        problems.append(f"data.{at}.birthday: this is no date, such as 1982-09-11")
    if gender is not None and gender not in _GENDERS:
        problems.append(f"data.{at}.gender: this has to be F, M or O")
    snps = _list(entry, "snp", at, _snp, problems)
    copies = _list(entry, "cnv", at, _copies, problems)
    if not problems and not snps and not copies:
        problems.append(f"data.{at}: there is neither snp nor cnv")
    if problems:
        return None, problems
    return SampleData(
        facts["batch_id"],
        facts["date"],
        sample_id,
        birthday,
        gender,
        tuple(snps),
        tuple(copies),
        facts["comment"],
        facts["test_id"],
    ), problems


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _list(entry: Mapping[Any, Any], key: str, at: int, read: Any, problems: list[str]) -> list[Any]:
    """Return what a list of a sample holds; every problem is noted with its path."""
    value = entry.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        problems.append(f"data.{at}.{key}: this has to be a list")
        return []
    found = []
    for number, item in enumerate(value):
        one = read(item) if isinstance(item, Mapping) else "this has to be an object"
        if isinstance(one, str):
            problems.append(f"data.{at}.{key}.{number}: {one}")
        else:
            found.append(one)
    return found


def _snp(item: Mapping[Any, Any]) -> Snp | str:
    rs, genotype = item.get("rs"), item.get("genotype")
    assay, gene = item.get("assay"), item.get("gene")
    if not isinstance(rs, str) or _RS.fullmatch(rs.lower()) is None:
        return "rs has to be an rsID, such as rs16947"
    if not isinstance(genotype, str) or _GENOTYPE.fullmatch(genotype) is None:
        return "genotype has to be one or two alleles, such as A/G"
    for name, value in (("assay", assay), ("gene", gene)):
        if value is not None and not (isinstance(value, str) and len(value) <= _LONGEST):
            return f"{name} has to be a text of at most {_LONGEST} characters"
    return Snp(rs.lower(), genotype, assay or "", gene or "")


def _copies(item: Mapping[Any, Any]) -> Copies | str:
    gene, copies = item.get("gene"), item.get("cnv")
    if not isinstance(gene, str) or not gene or len(gene) > _LONGEST:
        return "gene has to be the symbol of a gene"
    if not isinstance(copies, int) or isinstance(copies, bool) or not 0 <= copies <= _MOST_COPIES:
        return f"cnv has to be the number of copies of the gene, from 0 to {_MOST_COPIES}"
    return Copies(gene, copies)


def _repeats(sample: SampleData) -> bool:
    places, genes = [one.rs for one in sample.snps], [one.gene for one in sample.copies]
    return len(set(places)) < len(places) or len(set(genes)) < len(genes)
