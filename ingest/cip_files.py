"""Files of Genomics England into the documents of cases: each is recognized by its structure.

A case is put as it came. A request, genome, report or questionnaire that stands alone goes into its case, as if it had
come through the interface. A file that cannot be read or used is refused and costs no other file anything.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from app.errors import BadFile, Busy, InvalidInput, LimitExceeded, OperonError, Unavailable, quoted
from app.formats import gel_overview
from app.formats.gel import Scope
from app.formats.gel_case import read_bare_genome, read_case
from app.formats.gel_files import Kind, case_named, document_of, recognize
from app.formats.gel_values import versioned_case
from app.operations import cip_documents
from app.store import cip_cases, cip_notes, cip_referrals
from app.store.cip_notes import NoteKind
from app.store.session import Session
from ingest.collector import uncollected
from ingest.progress import Progress
from ingest.source import Source, open_source
from ingest.workspace import Workspace

ORIGIN: Final = "file"
_WHERE: Final = re.compile(r"line (\d+) column (\d+)")


@dataclass(slots=True)
class FilesReport:
    """What became of the files: how many documents of each kind, which cases changed, and what was refused."""

    read: Counter[str] = field(default_factory=Counter)
    changed: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    quarantined: list[dict[str, str]] = field(default_factory=list)
    """Documents that no case was given, with the path of what is wrong and why"""

    def to_json(self) -> dict[str, Any]:
        """Return the report for a file."""
        return {
            "read": dict(self.read),
            "changed": sorted(self.changed),
            "refused": self.refused,
            "quarantined": self.quarantined,
        }


@dataclass(frozen=True, slots=True)
class _Document:
    source: str
    kind: Kind
    item: Mapping[str, Any]


def read_files(
    workspace: Workspace, paths: Sequence[Path], progress: Progress, *, case: str | None = None, dry_run: bool = False
) -> FilesReport:
    """Put the documents of files into their cases; those of ``dry_run`` are only read.

    Details of cases are put with what other files add to them. ``case`` (``40101-1``) says of which case documents are
    that do not name it.

    Raises:
        InvalidInput: ``case`` is no number and version of a case.
    """
    report = FilesReport()
    number = None if case is None else _number(case)
    storing = _Storing(workspace, report, number, dry_run=dry_run)
    deferred: dict[Path, None] = {}
    with progress.file("files", len(paths)) as bar:
        for at, path in enumerate(paths):
            with _refusing(report, path.name), uncollected():
                documents = list(_documents(workspace, path))
                storing.keep(documents)
                for one in documents:
                    if one.kind is Kind.CASE and not storing.put_new(one):
                        deferred[path] = None
            bar.at(at + 1)
    # Only now it is known what goes into which case; keeping all of them would take too much memory.
    for path in deferred:
        with _refusing(report, path.name), uncollected():
            for one in _documents(workspace, path):
                with _refusing(report, path.name):
                    storing.put_case(one)
    storing.put_rest()
    return report


@contextmanager
def _refusing(report: FilesReport, source: str) -> Iterator[None]:
    """Note an error as a refusal of what is being read, and go on."""
    try:
        yield
    except (Busy, Unavailable):
        raise
    except OperonError as error:
        said = error.diagnostics
        report.refused.append(said if isinstance(error, BadFile) else f"{source}: {said}")


def _number(text: str) -> tuple[int, int]:
    number = versioned_case(text)
    if number is None:
        raise InvalidInput(f"{quoted(text)} is no case; write number and version as 40101-1")
    return number


def _documents(workspace: Workspace, path: Path) -> Iterator[_Document]:
    with open_source(path, workspace.settings) as source:
        content = _content(source, workspace.settings.vcf_max_bytes)
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            match = _WHERE.search(str(error))
            raise BadFile(
                source.name,
                f"it is no JSON: {error.msg}",
                line_1based=int(match[1]) if match else error.lineno,
                field=f"column {match[2]}" if match else None,
                mend="Fetch or write it again; it may be cut short",
            ) from None
        recognized = recognize(document, source.name)
        for item in recognized.items:
            yield _Document(source.name, recognized.kind, item)


def _content(source: Source, most: int) -> bytes:
    with source.open() as stream:
        if not source.compressed:
            return stream.read()
        try:
            with gzip.open(stream) as opened:
                content = opened.read(most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise BadFile(source.name, f"it cannot be unpacked ({error})", mend="Compress it again") from None
    if len(content) > most:
        raise LimitExceeded(
            source.name, f"it is larger than {most:,} bytes", mend="Raise OPERON_VCF_MAX_BYTES if it is meant"
        )
    return content


class _Storing:
    """Puts documents into the store: what belongs to cases is kept until their details come."""

    def __init__(
        self, workspace: Workspace, report: FilesReport, number: tuple[int, int] | None, *, dry_run: bool
    ) -> None:
        self._database = workspace.database
        self._report = report
        self._number = number
        self._dry_run = dry_run
        self._known: dict[int, int] = {}
        self._parts: dict[tuple[int, int], list[_Document]] = {}
        self._unplaced: list[_Document] = []

    def keep(self, documents: Sequence[_Document]) -> None:
        """Take the documents of a file but the details of cases."""
        for one in documents:
            self._report.read[one.kind.value] += 1
            if one.kind is Kind.CASE:
                ir_id, version = gel_overview.number_of(one.item)
                self._known[ir_id] = max(self._known.get(ir_id, 0), version)
            elif one.kind is Kind.GENOME and not self._is_sound(one):
                continue
            elif one.kind in _ATTACH or one.kind is Kind.WORKFLOW:
                self._unplaced.append(one)
            elif not self._dry_run:
                self._store_other(one)

    def _is_sound(self, one: _Document) -> bool:
        """Return whether an interpreted genome can be read at all; else it is quarantined."""
        genome, problems = read_bare_genome(document_of(one.kind, one.item))
        if genome is not None:
            return True
        fatal = [problem for problem in problems if problem.scope is Scope.DOCUMENT]
        self._report.quarantined += [
            {"file": one.source, "path": problem.path, "message": problem.message} for problem in fatal
        ]
        return False

    def put_new(self, one: _Document) -> bool:
        """Store the detail of a case that is new; return whether nothing more is to be done with it.

        One that is stored otherwise may be so because of what other files add to it, so these have to be known first.
        """
        if self._dry_run:
            return False
        with _refusing(self._report, one.source), self._database.write() as session:
            stored = cip_cases.find(session, *gel_overview.number_of(one.item))
            if stored is not None and stored.state is not cip_cases.State.LISTED:
                return stored.sha256 == cip_cases.canonical_sha256(one.item)
            self._put(session, one.item, ORIGIN)
        return True

    def put_case(self, one: _Document) -> None:
        """Store the detail of a case with what other files add to it."""
        if one.kind is not Kind.CASE:
            return
        self._place()
        number = gel_overview.number_of(one.item)
        if self._dry_run:
            case, problems = read_case(one.item)
            if case is None:
                raise _refusal(one, problems[0].message, problems[0].path)
            return
        with self._database.write() as session:
            stored = cip_cases.find(session, *number)
            detail = dict(one.item)
            parts = self._parts.pop(number, [])
            if stored is not None and parts:
                before = orjson.loads(cip_cases.detail_of(session, stored.row) or b"{}")
                parts = [_as_before(part, before) for part in parts]
            detail, notes = self._with_parts(detail, parts)
            self._put(session, detail, ORIGIN)
            self._note(session, number, notes)

    def put_rest(self) -> None:
        """Store what belongs to cases that came earlier."""
        self._place()
        for number, parts in sorted(self._parts.items()):
            if self._dry_run:
                continue
            with _refusing(self._report, parts[0].source), self._database.write() as session:
                stored = cip_cases.find(session, *number)
                raw = None if stored is None else cip_cases.detail_of(session, stored.row)
                if stored is None or raw is None:
                    name = f"{number[0]}-{number[1]}"
                    mend = "Ingest the detail of the case first"
                    raise _refusal(parts[0], f"its case {name} is not here", mend=mend)
                before = orjson.loads(raw)
                detail, notes = self._with_parts(before, parts)
                if detail != before:
                    self._put(session, detail, stored.origin)
                self._note(session, number, notes)
        self._parts.clear()

    def _with_parts(self, detail: dict[str, Any], parts: Sequence[_Document]) -> tuple[dict[str, Any], list[_Document]]:
        """Return a detail with its parts, the request first, and the notes among them."""
        at = datetime.now(UTC)
        for part in sorted(parts, key=lambda part: _ORDER.index(part.kind)):
            if part.kind in _ATTACH:
                with _refusing(self._report, part.source):
                    detail = _ATTACH[part.kind](detail, part.item, at)
        return detail, [part for part in parts if part.kind is Kind.WORKFLOW]

    def _put(self, session: Session, detail: Mapping[str, Any], origin: str) -> None:
        number = gel_overview.number_of(detail)
        stored = cip_cases.find(session, *number)
        if stored is not None and stored.sha256 == cip_cases.canonical_sha256(detail):
            return
        stored, is_other = cip_cases.put(session, detail, orjson.dumps(detail), origin=origin)
        if is_other:
            self._report.changed.add(stored.name)

    def _store_other(self, one: _Document) -> None:
        with _refusing(self._report, one.source), self._database.write() as session:
            if one.kind is Kind.OVERVIEW:
                cip_cases.put_listed(session, one.item, origin=ORIGIN)
            elif one.kind is Kind.REFERRAL:
                cip_referrals.put(session, one.item)
            elif one.kind is Kind.REFERRAL_TEST:
                cip_referrals.put_test(session, one.item)
            elif one.kind is Kind.CONSENT:
                cip_referrals.put_econsent(session, {"econsent": [one.item]})

    def _note(self, session: Session, number: tuple[int, int], notes: Sequence[_Document]) -> None:
        stored = cip_cases.find(session, *number)
        for one in notes if stored is not None else ():
            assert stored is not None  # noqa: S101 - the loop is empty without it
            _, known = cip_notes.page(session, stored.row, NoteKind.WORKFLOW)
            if dict(one.item) not in known:
                created, user = str(one.item.get("created_at") or ""), str(one.item.get("user") or "")
                cip_notes.add(session, stored.row, NoteKind.WORKFLOW, one.item, created_at=created, username=user)

    def _place(self) -> None:
        """Find the case of each document that has none yet."""
        waiting, self._unplaced = self._unplaced, []
        for one in waiting:
            with _refusing(self._report, one.source):
                self._parts.setdefault(self._case_of(one), []).append(one)

    def _case_of(self, one: _Document) -> tuple[int, int]:
        named = case_named(one.kind, one.item) if one.kind in _ATTACH else None
        if named is None:
            if self._number is None:
                raise _refusal(one, "it does not say of which case it is", mend="Name the case: --case 40101-1")
            return self._number
        ir_id, version = named
        if version is not None:
            return ir_id, version
        if self._number is not None and self._number[0] == ir_id:
            return self._number
        with self._database.read() as session:
            newest = cip_cases.newest_versions(session, [ir_id])
        found = max(newest.get(ir_id, -1), self._known.get(ir_id, -1))
        if found < 0:
            raise _refusal(one, f"its case {ir_id} is not here", mend="Ingest the detail of the case first")
        return ir_id, found


def _as_before(part: _Document, detail: Mapping[str, Any]) -> _Document:
    """Return a part in the wrapper that it has in a case already, so that the same files make the same case again."""
    listed, inner = _LISTS.get(part.kind, ("", ""))
    for wrapper in detail.get(listed) or ():
        if isinstance(wrapper, Mapping) and inner not in part.item and wrapper.get(inner) == part.item:
            return replace(part, item={**wrapper, "exit_questionnaire": None} if "report" in inner else wrapper)
        asked = wrapper.get("exit_questionnaire") if isinstance(wrapper, Mapping) else None
        if part.kind is Kind.QUESTIONNAIRE and isinstance(asked, Mapping) and asked.get(inner) == part.item:
            return replace(part, item=asked)
    return part


def _refusal(one: _Document, problem: str, path: str = "", mend: str = "Correct it") -> BadFile:
    return BadFile(one.source, problem, field=path or None, mend=mend)


def _with_request(detail: Mapping[str, Any], item: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    data = detail.get("interpretation_request_data")
    if isinstance(data, Mapping) and data.get("json_request") == item:
        return dict(detail)
    patch = {"interpretation_request_data": {"json_request": item}}
    return cip_documents.merge_patch(detail, patch, user="", at=at)


_LISTS: Final = {
    Kind.GENOME: ("interpreted_genome", "interpreted_genome_data"),
    Kind.REPORT: ("clinical_report", "clinical_report_data"),
    Kind.QUESTIONNAIRE: ("clinical_report", "exit_questionnaire_data"),
}
_ORDER: Final = (Kind.REQUEST, Kind.GENOME, Kind.REPORT, Kind.QUESTIONNAIRE, Kind.WORKFLOW)
_Attaching = Callable[[Mapping[str, Any], Mapping[str, Any], datetime], dict[str, Any]]
_ATTACH: Final[Mapping[Kind, _Attaching]] = {
    Kind.REQUEST: _with_request,
    Kind.GENOME: lambda detail, item, at: dict(cip_documents.attach_interpreted_genome(detail, item, at=at)),
    Kind.REPORT: lambda detail, item, at: dict(cip_documents.attach_clinical_report(detail, item, at=at)),
    Kind.QUESTIONNAIRE: lambda detail, item, at: dict(cip_documents.attach_exit_questionnaire(detail, item, at=at)),
}
