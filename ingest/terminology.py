"""Load terminology files of the deployer's into the store, a release all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from app.errors import BadFile, InvalidInput, LimitExceeded, quoted
from app.fhir.tokens import canonical_system
from app.formats.code_systems import Coded, canonical_code
from app.formats.terminology import MOST_ROWS, CodeMap, IsA, Named, Notes, Statement, TermText
from app.formats.terminology_fhir import read_code_system, read_concept_map
from app.formats.terminology_icd import read_icd_10_cm
from app.formats.terminology_medgen import read_medgen
from app.formats.terminology_obo import read_obo
from app.formats.terminology_rxnorm import read_rxnorm
from app.formats.terminology_snomed import read_snomed
from app.formats.terminology_sssom import read_sssom
from app.formats.terminology_table import read_map
from app.store import terminology as store
from ingest.progress import Bar, Progress
from ingest.source import Source, open_source
from ingest.workspace import Workspace

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of release: what reads its files, and whose terms their use is under."""

    read: Callable[[Sequence[TermText], Notes], Iterator[Statement]]
    licence: str
    is_one_source: bool = True
    """Whether there is one publisher, so that a newer release takes the place of the one before"""


def _one(read: Callable[[TermText, Notes], Iterator[Statement]]) -> Callable[..., Iterator[Statement]]:
    """Return a reader of several files, each read by itself."""

    def read_each(texts: Sequence[TermText], notes: Notes) -> Iterator[Statement]:
        for text in texts:
            yield from read(text, notes)

    return read_each


_AS_STATED = "as its publisher states"
KINDS = {
    "obo": Kind(_one(read_obo), "Disease Ontology: CC0; MONDO: CC BY 4.0; HPO: HPO licence", is_one_source=False),
    "sssom": Kind(_one(read_sssom), "MONDO: CC BY 4.0; others as their publisher states", is_one_source=False),
    "medgen": Kind(read_medgen, "NCBI, public domain; content of UMLS sources under the UMLS licence"),
    "snomed": Kind(read_snomed, "SNOMED CT affiliate licence of the deployer"),
    "icd-10-cm": Kind(_one(read_icd_10_cm), "ICD-10-CM: NCHS and CMS, public domain in the US; ICD-10: WHO"),
    "rxnorm": Kind(read_rxnorm, "NLM, UMLS licence of the deployer"),
    "conceptmap": Kind(_one(read_concept_map), _AS_STATED, is_one_source=False),
    "codesystem": Kind(_one(read_code_system), _AS_STATED, is_one_source=False),
    "map": Kind(_one(read_map), "the deployer's own", is_one_source=False),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load stored, and what of the files it had no use for."""

    name: str
    version: str
    rows: int
    left_out: dict[str, int]

    def lines(self) -> Iterator[str]:
        """Yield the report line by line."""
        version = f" {self.version}" if self.version else ""
        yield f"{self.name}{version}: {self.rows:,} rows loaded"
        for cause, count in sorted(self.left_out.items()):
            yield f"  left out: {count:,} {cause}"


def load(
    workspace: Workspace,
    kind: str,
    paths: Sequence[Path | Literal["-"]],
    progress: Progress,
    *,
    name: str | None = None,
    version: str | None = None,
) -> Loaded:
    """Store the files of one release in place of the release that had its name.

    Raises:
        InvalidInput: there is no such kind, or the name cannot be one.
        NotFound: there is no such file.
        BadFile: a file cannot be used; nothing is changed.
    """
    if kind not in KINDS:
        raise InvalidInput(f"{quoted(kind)} is no kind; there are {', '.join(KINDS)}")
    settings, database = workspace.settings, workspace.database
    notes = Notes()
    with ExitStack() as stack:
        sources = [stack.enter_context(open_source(path, settings)) for path in paths]
        called = _name(kind, sources, name)
        bar = stack.enter_context(progress.file(called, sum(source.size for source in sources)))
        streams = [stack.enter_context(source.open()) for source in sources]
        texts = [
            TermText(stream, source.name, settings, at)
            for stream, source, at in zip(streams, sources, _together(bar, len(sources)), strict=True)
        ]
        stack.enter_context(database.sole_writer())
        session = stack.enter_context(database.write())
        release = store.NewRelease(
            called,
            kind,
            tuple((source.name, source.sha256) for source in sources),
            KINDS[kind].licence,
        )
        statements = _canonical(KINDS[kind].read(texts, notes), sources[0].name)
        rows = store.replace_release(session, release, statements)
        if not rows:
            mend = "Check that these are the right files"
            raise BadFile(sources[0].name, "nothing in it is of use here", mend=mend)
        found = version if version is not None else notes.version
        if found:
            store.set_version(session, called, found)
        for source in sources:
            source.check_unchanged()
    return Loaded(called, found, rows, dict(notes.left_out))


def _together(bar: Bar, files: int) -> list[Callable[[int], None]]:
    """Return what is told how far each of some files is, which move one bar together."""
    done = [0] * files

    def at(which: int, bytes_done: int) -> None:
        done[which] = bytes_done
        bar.at(sum(done))

    return [partial(at, which) for which in range(files)]


def _name(kind: str, sources: Sequence[Source], name: str | None) -> str:
    if name is None:
        return kind if KINDS[kind].is_one_source else sources[0].name.removesuffix(".gz")
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidInput(f"{quoted(name)} is no name: use 1 to {_LONGEST_NAME} printable characters")
    return name


def _canonical(statements: Iterator[Statement], source: str) -> Iterator[Statement]:
    """Yield statements in the one spelling of systems and codes, without what says nothing."""
    for count, one in enumerate(statements):
        if count >= MOST_ROWS:
            raise LimitExceeded(source, f"there are more than {MOST_ROWS:,} rows", mend="Load less of it")
        match one:
            case CodeMap():
                spelled = replace(one, source=_spelled(one.source), target=_spelled(one.target))
                if spelled.source != spelled.target:
                    yield spelled
            case IsA():
                system, child = _spelled((one.system, one.child))
                parent = _spelled((one.system, one.parent))[1]
                if child != parent:
                    yield IsA(system, child, parent)
            case Named():
                yield Named(*_spelled((one.system, one.code)), one.display)


def _spelled(coded: Coded) -> Coded:
    system = canonical_system(coded[0])
    return system, canonical_code(system, coded[1])


def described(release: store.Release) -> dict[str, Any]:
    """Return a release as JSON values."""
    return {
        "name": release.name,
        "kind": release.kind,
        "version": release.version,
        "files": [{"name": name, "sha256": sha256} for name, sha256 in release.files],
        "licence": release.licence,
        "rows": release.rows,
        "loaded": release.loaded,
    }
