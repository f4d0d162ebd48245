"""What files of terminology say, as their readers pass it on: maps between codes, is-a relations and names.

A reader takes open files and yields statements, one by one. A file of another form is refused with line and field; what
is well formed but of no use here (a code system that no question is asked in) is counted in ``Notes.left_out``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, NoReturn

from app.config import Settings
from app.errors import BadFile, LimitExceeded, quoted
from app.formats.bounded_text import BoundedText
from app.formats.code_systems import Coded

MOST_ROWS = 10_000_000
"""Most statements of one release, and most that a reader holds in memory"""

MOST_CODES = 1000
"""Most codes of one term of an ontology"""

LONGEST_CODE = 100
LONGEST_NAME = 3000
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+")


class Equivalence(StrEnum):
    """How the target of a map relates to its source, strongest first.

    All but INGREDIENT are FHIR's (http://hl7.org/fhir/R4/valueset-concept-map-equivalence.html); its ``unmatched`` and
    ``disjoint`` say that there is no map, and are not kept.
    """

    EQUAL = "equal"
    EQUIVALENT = "equivalent"
    NARROWER = "narrower"
    SPECIALIZES = "specializes"
    INGREDIENT = "ingredient"
    """The target is an ingredient of the product"""
    WIDER = "wider"
    SUBSUMES = "subsumes"
    INEXACT = "inexact"
    RELATED = "relatedto"

    @property
    def is_within(self) -> bool:
        """Return whether what is known of the target holds of what was asked.

        A wider target does not count: what is known of cancer is not known of every cancer.
        """
        return self in _WITHIN

    @property
    def reversed(self) -> Equivalence | None:
        """Return the relation of source to target; None where it is of no use."""
        return _REVERSED.get(self, self)


_WITHIN = (Equivalence.EQUAL, Equivalence.EQUIVALENT, Equivalence.NARROWER, Equivalence.SPECIALIZES)
_REVERSED: Mapping[Equivalence, Equivalence | None] = {
    Equivalence.NARROWER: Equivalence.WIDER,
    Equivalence.WIDER: Equivalence.NARROWER,
    Equivalence.SPECIALIZES: Equivalence.SUBSUMES,
    Equivalence.SUBSUMES: Equivalence.SPECIALIZES,
    Equivalence.INGREDIENT: None,
}


@dataclass(frozen=True, slots=True)
class CodeMap:
    """A code has a counterpart in a system, mostly another one."""

    source: Coded
    target: Coded
    equivalence: Equivalence
    display: str = ""
    """Name of the target; empty where the file has none"""


@dataclass(frozen=True, slots=True)
class IsA:
    """Everything that is the child is the parent too."""

    system: str
    child: str
    parent: str


@dataclass(frozen=True, slots=True)
class Named:
    """The name of a code."""

    system: str
    code: str
    display: str


Statement = CodeMap | IsA | Named


@dataclass(slots=True)
class Notes:
    """What a reader learns about its files besides the statements."""

    version: str = ""
    """Version as the files give it; empty where they give none"""
    left_out: Counter[str] = field(default_factory=Counter)
    """What was not used, counted by cause"""


class TermText:
    """One open file as numbered lines; ``at`` is told how many stored bytes were taken."""

    def __init__(
        self, stream: BinaryIO, name: str, settings: Settings, at: Callable[[int], None] = lambda _done: None
    ) -> None:
        self.name = name
        self.settings = settings
        self._text = BoundedText(stream, name, settings)
        self._at = at
        self._first: bytes | None = None

    def first_line(self) -> str:
        """Return the first line; ``lines`` begins with it nevertheless."""
        if self._first is None:
            self._first = self._text.next_lines(0)
        return self._decoded(self._first.partition(b"\n")[0], 1)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the text of each line, once.

        Raises:
            BadFile: the file is damaged or not UTF-8.
            LimitExceeded: a cap of the settings is exceeded.
        """
        done = 0
        block = self._text.next_lines(0) if self._first is None else self._first
        while block:
            for raw in block.removesuffix(b"\n").split(b"\n"):
                done += 1
                yield done, self._decoded(raw, done)
            self._at(self._text.bytes_read)
            block = self._text.next_lines(done)

    def whole(self, longest: int, setting: str) -> bytes:
        """Return all of the text; raises LimitExceeded above a cap."""
        parts, size, done = [], 0, 0
        while block := self._text.next_lines(done):
            parts.append(block)
            size += len(block)
            done += block.count(b"\n")
            if size > longest:
                raise LimitExceeded(
                    self.name, f"the text is larger than {longest:,} bytes", mend=f"Raise {setting} if it is meant"
                )
            self._at(self._text.bytes_read)
        return b"".join(parts)

    def _decoded(self, raw: bytes, line_1based: int) -> str:
        try:
            return raw.removesuffix(b"\r").decode("utf-8-sig" if line_1based == 1 else "utf-8")
        except UnicodeDecodeError:
            self.refuse("it is not UTF-8 text", line_1based, mend="Save it in UTF-8")

    def refuse(
        self, problem: str, line_1based: int | None = None, field: str | None = None, mend: str = ""
    ) -> NoReturn:
        """Raise BadFile."""
        raise BadFile(self.name, problem, line_1based=line_1based, field=field, mend=mend)

    def refuse_kind(self, what: str) -> NoReturn:
        """Raise BadFile for a file of another kind."""
        self.refuse(f"it is no {what}", 1, mend="Check the kind (operon terminology load KIND FILE) and the file")

    def cells(self, line: str, line_1based: int, separator: str, width: int) -> list[str]:
        """Return the cells of a row; raises BadFile where there are more or fewer than ``width``."""
        found = line.split(separator)
        if len(found) != width:
            self.refuse(
                f"the row has {len(found)} columns, {width} are needed", line_1based, "columns", "Copy the file again"
            )
        return found

    def code(self, text: object, line_1based: int | None, field: str) -> str:
        """Return a code; raises BadFile for what cannot be one."""
        code = text.strip() if isinstance(text, str) else ""
        if not code or len(code) > LONGEST_CODE or not code.isprintable():
            problem = f"{quoted(text)} is no code" if text else "it is empty"
            self.refuse(problem, line_1based, field, f"Give 1 to {LONGEST_CODE} printable characters")
        return code

    def system(self, text: object, line_1based: int | None, field: str) -> str:
        """Return the URI of a code system; raises BadFile for what cannot be one."""
        system = text.strip() if isinstance(text, str) else ""
        if not _SYSTEM.fullmatch(system) or len(system) > 500:
            problem = f"{quoted(text)} is no URI" if text else "it is empty"
            self.refuse(problem, line_1based, field, "Give the URI of the code system")
        return system

    def display(self, text: object, line_1based: int | None, field: str) -> str:
        """Return a name without what cannot be printed, empty where there is none; raises BadFile for a huge one."""
        if text is None:
            return ""
        if not isinstance(text, str) or len(text) > LONGEST_NAME:
            self.refuse(f"{quoted(text)} is no name", line_1based, field, f"Give at most {LONGEST_NAME:,} characters")
        name = " ".join(text.split())
        # Public names have soft hyphens and the like; one of them must not cost a release.
        return name if name.isprintable() else "".join(filter(str.isprintable, name))

    def check_held(self, held: int) -> None:
        """Raise LimitExceeded where a reader would hold more than it may."""
        if held > MOST_ROWS:
            raise LimitExceeded(self.name, f"there are more than {MOST_ROWS:,} rows to hold", mend="Load less of it")

    def check_codes(self, codes: Sequence[Coded], line_1based: int) -> None:
        """Raise LimitExceeded where one term has more codes than it may."""
        if len(codes) > MOST_CODES:
            problem = f"one term has more than {MOST_CODES:,} codes"
            raise LimitExceeded(self.name, problem, line_1based=line_1based, mend="Check that the file is meant")


def both_ways(one: Coded, other: Coded, equivalence: Equivalence, names: Mapping[Coded, str]) -> Iterator[CodeMap]:
    """Yield a map and the one that leads back."""
    yield CodeMap(one, other, equivalence, names.get(other, ""))
    back = equivalence.reversed
    if back is not None:
        yield CodeMap(other, one, back, names.get(one, ""))


def maps_of_terms(
    same: Mapping[Coded, Sequence[Coded]], names: Mapping[Coded, str], *, are_curated: bool
) -> Iterator[CodeMap]:
    """Yield the maps, both ways, that follow from the codes that terms of an ontology are said to be the same as.

    A code that several terms claim cannot be the same as each of them, so it is only related to them. Where the claims
    are bare cross-references, not ``are_curated`` equivalents, this holds as well for several codes of one system on
    one term. Codes that one curated term is the same as are the same as each other.
    """
    claims = Counter(code for codes in same.values() for code in set(codes))
    for term, listed in same.items():
        codes = list(dict.fromkeys(listed))
        systems = Counter(system for system, _ in codes)
        sure = [code for code in codes if claims[code] == 1 and (are_curated or systems[code[0]] == 1)]
        for code in codes:
            yield from both_ways(term, code, Equivalence.EQUIVALENT if code in sure else Equivalence.RELATED, names)
        if are_curated:
            for at, one in enumerate(sure):
                for other in sure[at + 1 :]:
                    if one[0] != other[0]:
                        yield from both_ways(one, other, Equivalence.EQUIVALENT, names)
