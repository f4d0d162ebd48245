"""Changes that are written along a transcript, as changes of the chromosome on every build that it has a place on.

These are ``c.``, ``n.`` (https://hgvs-nomenclature.org) and SPDI on a transcript. Positions are mapped by the ``hgvs``
package (``AlignmentMapper``), fed from the transcripts that are loaded. What a change deletes is taken from the
chromosome; the bases that it states must be those of at least one build. Positions before and after the transcript
continue along the chromosome, as ClinVar writes promoters.
Unless a name says otherwise, positions are zero-based and ranges half-open, on the transcript as on the chromosome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.errors import CannotNormalize, UnknownRefSeq, quoted
from app.records import Build
from app.variants.accessions import X, Y, locate
from app.variants.hgvs_alignment import Projected, Projecting
from app.variants.hgvs_syntax import Description, Position
from app.variants.reference import ReferenceSequence
from app.variants.spdi import Spdi, SpdiWithLength
from app.variants.transcripts import Transcript, Transcripts, split_version

_REMEMBERED_MAPPERS = 1024


@dataclass(frozen=True, slots=True)
class Projection:
    """A change on each build that it could be brought to, with a remark on how, if there is one."""

    changes: Mapping[Build, Spdi]
    note: str | None


def description_of_spdi(text: str, change: Spdi | SpdiWithLength) -> Description:
    """Return what an SPDI on a transcript says, in the terms of ``n.``."""
    counted = isinstance(change, SpdiWithLength)
    size = change.length if isinstance(change, SpdiWithLength) else len(change.deleted)
    stated = str(size) if counted else change.deleted if isinstance(change, Spdi) else ""
    operation, first, last = "delins", change.position + 1, change.position + size
    if not size:
        operation, first, last = "ins", change.position, change.position + 1
    start, end = (Position(base, 0, "start") for base in (first, last))
    return Description(text, change.ref_seq, None, "n", start, end, operation, stated, change.inserted)


class Projector:
    """Brings changes of transcripts to the chromosome; several threads may share it.

    With ``version_fallback`` another known version stands in for one that is not, and the projection says so.
    """

    def __init__(
        self,
        transcripts: Transcripts,
        references: Mapping[Build, ReferenceSequence],
        *,
        version_fallback: bool = False,
    ) -> None:
        self._transcripts = transcripts
        self._references = references
        self._version_fallback = version_fallback
        self._mapper = lru_cache(maxsize=_REMEMBERED_MAPPERS)(self._new_mapper)
        self._provider: Any = None

    def project(self, said: Description) -> Projection:
        """Return what a description states on each build.

        Raises CannotNormalize if the transcript is not known, has no such position, or has other bases there than
        those stated, and if the sequence that decides on the change is not loaded for any build.
        """
        if said.kind not in ("c", "n"):
            raise CannotNormalize(said.text, f"{said.kind}. positions count along a chromosome")
        transcript, notes = self._transcript(said)
        found: dict[Build, Projected] = {}
        problems: list[CannotNormalize] = []
        for build in self._builds(said, transcript):
            try:
                found[build] = self._on(build, transcript, said)
            except CannotNormalize as problem:
                problems.append(problem)
        if not found:
            raise problems[0]
        believed = {build: item for build, item in found.items() if item.denial is None}
        if len(believed) < len(found) and not any(item.confirmed for item in found.values()):
            believed = _unchanged(said, found)
            notes.append("the reference has the inserted bases there already, so this is no change of it")
        if any(item.beyond for item in believed.values()):
            notes.append(f"the position is not within {transcript.accession}; it was counted on along the chromosome")
        changes = _on_one_chromosome({build: item.change for build, item in believed.items()})
        return Projection(changes, "; ".join(notes) or None)

    def _transcript(self, said: Description) -> tuple[Transcript, list[str]]:
        """Return the transcript, and what has to be said about it."""
        accession = said.accession
        transcript = self._transcripts.get(accession)
        if transcript is not None:
            return transcript, []
        try:
            locate(accession)
        except UnknownRefSeq:
            pass
        else:
            raise CannotNormalize(said.text, f"{said.kind}. positions count along a transcript, not a chromosome")
        base, version = split_version(accession)
        known = self._transcripts.versions(base)
        if known and self._version_fallback:
            stand_in = self._transcripts.get(known[-1])
            if stand_in is not None:
                return stand_in, [f"transcript {quoted(accession)} is not loaded; {stand_in.accession} was used"]
        listed = f"known versions: {', '.join(known) or 'none'}"
        if version is None and known:
            raise CannotNormalize(said.text, f"transcript {quoted(accession)} needs its version; {listed}")
        raise CannotNormalize(said.text, f"transcript {quoted(accession)} is not loaded; {listed}")

    def _builds(self, said: Description, transcript: Transcript) -> list[Build]:
        builds = sorted(transcript.alignments, reverse=True)
        if said.within is None:
            return builds
        locate(said.within, parameter="variants")
        named = [build for build in builds if transcript.alignments[build].ref_seq == said.within]
        if not named:
            reason = f"transcript {transcript.accession} has no known place on {quoted(said.within)}"
            raise CannotNormalize(said.text, reason)
        return named

    def _on(self, build: Build, transcript: Transcript, said: Description) -> Projected:
        from hgvs.exceptions import HGVSError  # noqa: PLC0415 - as in _new_mapper

        alignment = transcript.alignments[build]
        try:
            mapper = self._mapper(transcript.accession, build)
            return Projecting(said, transcript, alignment, mapper, self._references).result()
        except (HGVSError, ValueError) as error:
            reason = f"its positions cannot be mapped to {alignment.ref_seq}: {quoted(error)}"
            raise CannotNormalize(said.text, reason) from error

    def _new_mapper(self, accession: str, build: Build) -> Any:
        # Imported here: whoever never reads a transcript shall not wait for it.
        from hgvs.alignmentmapper import AlignmentMapper  # noqa: PLC0415

        from app.variants.hgvs_provider import ALIGNED, LocalProvider  # noqa: PLC0415

        if self._provider is None:
            self._provider = LocalProvider(self._transcripts, self._references)
        transcript = self._transcripts.get(accession)
        assert transcript is not None  # noqa: S101 - it was found just now
        return AlignmentMapper(self._provider, accession, transcript.alignments[build].ref_seq, ALIGNED)


def _unchanged(said: Description, found: Mapping[Build, Projected]) -> dict[Build, Projected]:
    """Return the builds that have the inserted bases already: there the transcript differs, as ClinVar knows many do.

    Raises CannotNormalize if a build has neither the deleted bases nor the inserted ones.
    """
    denied = {build: item for build, item in found.items() if item.denial is not None}
    for item in denied.values():
        if said.operation not in ("sub", "delins") or item.change.deleted != item.change.inserted:
            raise CannotNormalize(said.text, item.denial or "")
    return denied


def _on_one_chromosome(changes: dict[Build, Spdi]) -> dict[Build, Spdi]:
    """Leave out what lies on another chromosome: the Y copy of a pseudoautosomal region, or else that of GRCh37."""
    contigs = {build: locate(change.ref_seq)[0] for build, change in changes.items()}
    kept = X if set(contigs.values()) == {X, Y} else contigs[max(contigs)]
    return {build: change for build, change in changes.items() if contigs[build] == kept}
