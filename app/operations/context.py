"""Everything that is open while questions are answered: the store, the sequences and chains, the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from app import __version__
from app.config import Settings
from app.errors import CannotNormalize, OperonError, Unavailable
from app.fhir.observation import named_components
from app.fhir.parameters import OperationInputs
from app.formats.snp_batch import Batch
from app.operations import cip_case_page, overview, pgx_issuing, snp_data, utilities
from app.operations.cds_log import CardLog
from app.operations.cip_case_page import CaseList, CasePage
from app.operations.consent import ConsentGate
from app.operations.interface import Check, Example, Handler, Pairs, Reader, Summary
from app.operations.pgx import ActivePgx
from app.operations.pgx_active import ActivePgxReader
from app.operations.pgx_desk import StoreDesk
from app.operations.pgx_passport import Attempt, OpenedReport, Passport
from app.records import Build
from app.store import migrate
from app.store.sealing import Sealer
from app.store.session import Database
from app.store.version import DataVersion
from app.variants.accessions import CONTIGS, accession
from app.variants.consequence import Predictor
from app.variants.hla_reduction import open_reductions
from app.variants.identify import NO_TRANSCRIPTS, Identifier
from app.variants.liftover import Liftover, load_liftover
from app.variants.naming import Namer
from app.variants.placement import Placement, Placer
from app.variants.reference import FastaReference, NoReference, ReferenceSequence
from app.variants.spdi import Spdi
from app.variants.transcript_files import TranscriptFiles
from app.variants.transcripts import Transcripts

_REMEMBERED_VARIANTS = 65_536
_REMEMBERED_NAMES = 16_384
_BRIEF_BASES = 200_000
_BRIEF_VARIANTS = 10


class Genome:
    """The loaded sequences, chains and transcripts, and what places variants by them."""

    def __init__(
        self,
        references: Mapping[Build, ReferenceSequence],
        liftover: Liftover,
        transcripts: Transcripts = NO_TRANSCRIPTS,
        *,
        described: Mapping[Build, str] | None = None,
    ) -> None:
        self.references = references
        self.liftover = liftover
        self.transcripts = transcripts
        self.described = described or dict.fromkeys(Build, "not loaded")
        self.placer = Placer(references, liftover)

    def identifier(self, settings: Settings) -> Identifier:
        """Return what identifies the variants that users write."""
        fallback = settings.transcript_version_fallback
        return Identifier(self.placer, self.transcripts, size=_REMEMBERED_VARIANTS, version_fallback=fallback)

    def namer(self) -> Namer:
        """Return what names variants by genes, transcripts and proteins."""
        return Namer(self.transcripts, self.references)

    def predictor(self) -> Predictor | None:
        """Return what computes consequences of variants; None without transcripts."""
        return None if self.transcripts.is_empty else Predictor(self.transcripts, self.references)

    def consequence_version(self) -> str:
        """Return a text that changes with what consequences are computed by: program, transcripts and sequences."""
        loaded: list[object] = [[one.name, one.sha256] for one in self.transcripts.sources]
        for build in Build:
            reference = self.references.get(build, NoReference())
            loaded.append([one.sha256 for one in getattr(reference, "sources", ())])
            loaded.append([list(map(list, reference.stretches(accession(build, contig)))) for contig in CONTIGS])
        digest = blake2b(orjson.dumps(loaded), digest_size=8).hexdigest()
        return f"{__version__}+{digest}"

    def naming(self) -> Callable[[str], str] | None:
        """Return what gives the components that name a variant, by its SPDI; None without transcripts."""
        if self.transcripts.is_empty:
            return None
        namer = self.namer()

        # What follows from a variant is remembered as text: answers repeat the variants that many people have.
        @lru_cache(maxsize=_REMEMBERED_NAMES)
        def named(spdi: str) -> str:
            ref_seq, position, deleted, inserted = spdi.split(":")
            return named_components(namer.names(Spdi(ref_seq, int(position), deleted, inserted)))

        return named


def open_genome(directory: Path) -> Genome:
    """Open the sequences, chains and transcripts below a folder; what is not there is simply not loaded."""
    references = {build: FastaReference(directory / build.value) for build in Build}
    described = {build: _described(reference) for build, reference in references.items()}
    return Genome(references, load_liftover(directory), TranscriptFiles(directory), described=described)


def _described(reference: FastaReference) -> str:
    if not reference.sources:
        return "not loaded"
    bases = sum(source.new_bases for source in reference.sources)
    return f"{bases:,} bases from {', '.join(source.name for source in reference.sources)}"


class OperationContext:
    """The context of the operations; safe for several threads."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        genome: Genome,
        handlers: Mapping[str, Handler],
        readers: Sequence[Reader] = (),
    ) -> None:
        self._settings = settings
        self._handlers = handlers
        self._readers = readers
        self.database = database
        self.cards = CardLog(database)
        self.genome = genome
        self.liftover = genome.liftover
        self._version = DataVersion(database)
        self.consent = ConsentGate(database, settings.cip_consent, self._version)
        self._pgx = ActivePgxReader(database, settings)
        self._desk = StoreDesk(self, settings)
        self._identifier = genome.identifier(settings)
        self.naming = genome.naming()
        self.predictor = genome.predictor()
        self.consequence_version = genome.consequence_version()
        self.reductions, self._reducing = open_reductions(settings.pyard_data)

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self._settings

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Return what answers each operation, by its name without ``$``."""
        return self._handlers

    @property
    def readers(self) -> Sequence[Reader]:
        """Return what reads resources by their ids."""
        return self._readers

    def answer(self, name: str, inputs: OperationInputs) -> bytes:
        """Answer one operation, however large the answer is."""
        found = self._handlers[name](self, inputs)
        return found if isinstance(found, bytes) else b"".join(found)

    def is_brief(self, operation: str, inputs: OperationInputs) -> bool:
        """Return whether an answer takes so little time that handing it to another thread would cost more.

        Reading an embedded store never waits for a lock or a network.
        """
        if operation.endswith(("-implications", "-consequences")):  # a condition leads to any number of variants
            return False
        if not self.database.is_sqlite or inputs.include_patient_list or inputs.include_phasing:
            return False
        # The regions of a chromosome can be many.
        if inputs.include_non_variants or (operation == "find-study-metadata" and inputs.ranges):
            return False
        bases = sum(asked.interval.end - asked.interval.start for asked in inputs.ranges)
        return bases <= _BRIEF_BASES and sum(map(len, inputs.variants)) <= _BRIEF_VARIANTS

    def identify(self, text: str) -> Placement:
        """Return the identity of a variant that a user wrote; remembered, since clients repeat themselves.

        Raises:
            CannotNormalize: the text states a change of a transcript, and the genome has the changed bases. Whoever
                swapped the two must not hear that the variant is absent.
        """
        identified = self._identifier.identify(text)
        spdi = identified.placement.canonical
        if identified.note is not None and spdi.deleted == spdi.inserted and "=" not in text:
            raise CannotNormalize(text, identified.note)
        return identified.placement

    def feature_coordinates(self, pairs: Pairs) -> Any:
        """Return, as JSON, where a chromosome, gene, transcript or protein lies."""
        return utilities.feature_coordinates(pairs, self.genome.transcripts)

    def find_the_gene(self, pairs: Pairs) -> Any:
        """Return, as JSON, the genes of a range."""
        return utilities.find_the_gene(pairs, self.genome.transcripts)

    def normalize_variant(self, pairs: Pairs) -> Any:
        """Return, as JSON, the names of a variant on both builds."""
        return utilities.normalize_variant(pairs, self.identify)

    def normalize_hla(self, pairs: Pairs) -> Any:
        """Return, as JSON, the reductions of an HLA name."""
        return utilities.normalize_hla(pairs, self.reductions, self._reducing)

    def translate_terminology(self, pairs: Pairs) -> Any:
        """Return, as JSON, the counterparts of a code in other systems."""
        with self.database.read() as session:
            return utilities.translate_terminology(pairs, session)

    def pgx_passport(self, patient: str) -> Passport:
        """Return the pharmacogenetic passport of the person with an id or identifier. Raises SubjectNotFound."""
        return pgx_issuing.passport(self, self._settings, patient)

    def knows_pgx_report(self, token: str) -> bool:
        """Return whether an address may still open a report."""
        return pgx_issuing.knows_report(self, token)

    def open_pgx_report(self, token: str, pin: str, request_id: str) -> OpenedReport:
        """Open the report at an address with a PIN; the attempt is recorded when this returns."""
        return pgx_issuing.open_report(self, self._settings, self._desk, token, Attempt(pin, request_id))

    def cip_cases(self, search: str, page: int) -> CaseList:
        """Return a page of the cases that a text is found in."""
        return cip_case_page.listed(self.database, search, page)

    def cip_case(self, ir_id: int, version: int) -> CasePage | None:
        """Return a case of a CIP-API for its page; None if there is none."""
        return cip_case_page.shown(self.database, self.consent, ir_id, version)

    def queue_snp_data(self, batch: Batch) -> Batch:
        """Put SNP data into the inbox, and return the batch as it was accepted."""
        return snp_data.queue(self.database, batch, self.pgx().content, self._settings.snp_import_system)

    @property
    def hla_reductions(self) -> str:
        """Return in words by what HLA names are reduced, or why they are not."""
        return self._reducing

    @property
    def knowledge(self) -> str:
        """Return in words which releases of knowledge answers use, or that this is not known."""
        try:
            return overview.active_knowledge(self.database)
        except (OperonError, *self.database.errors):  # the server describes itself without its store, too
            return "not known while the store is not available"

    def data_version(self) -> str:
        """Return a text that changes with every change of what the store answers."""
        version, mode = self._version.current(), self._settings.cip_consent
        return version if mode == "enforce" else f"{version}-{mode}"

    @property
    def pgx_desk(self) -> StoreDesk:
        """Return what answers the pharmacogenetic API for laboratories' clients."""
        return self._desk

    @property
    def sealer(self) -> Sealer:
        """Return what encrypts and digests by the secret of the installation."""
        return self._desk.sealer

    def pgx(self) -> ActivePgx:
        """Return what the pharmacogenetic releases in use say; read once for as long as they are in use."""
        return self._pgx.current(self.data_version())

    def prepare(self) -> None:
        """Read what the first answers would wait for; what is wrong with the store is told by ``readiness``."""
        with suppress(OperonError, *self.database.errors):
            self.consent.now()
            self.pgx()

    def readiness(self) -> list[Check]:
        """Return every condition that has to hold before requests should come; what is optional always holds."""
        checks = []
        try:
            current, head = migrate.current(self.database), migrate.head(self.database)
            detail = f"schema revision {current or 'none'}"
            if current != head:
                detail += f", this program needs {head}: run 'operon db upgrade'"
            checks.append(Check("database", current == head, detail))
        except (OperonError, *self.database.errors) as error:
            reason = error.diagnostics if isinstance(error, Unavailable) else type(error).__name__
            checks.append(Check("database", ok=False, detail=reason))
        checks.append(Check("HLA reductions", ok=True, detail=self._reducing))
        return checks

    def summary(self) -> Summary:
        """Return what is loaded."""
        return overview.summary(self.database, self.genome.described, self.liftover)

    def examples(self) -> list[Example]:
        """Return questions that the loaded data can answer."""
        return overview.examples(self.database)

    def close(self) -> None:
        """Release what is open."""
        self.cards.close()
        self._version.close()
        self.database.close()
