"""What the HTTP layer needs of the layer that answers operations: values, and the shape of the context.

``app/operations/context.py`` implements the context; tests of the HTTP layer bring their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from app.config import Settings
from app.fhir.parameters import OperationInputs
from app.formats.snp_batch import Batch
from app.operations.cip_case_page import CaseList, CasePage
from app.operations.pgx import ActivePgx, PgxProfile
from app.operations.pgx_passport import OpenedReport, Passport
from app.operations.pgx_report import SnpResult

Answer: TypeAlias = bytes | Iterator[bytes]
"""A serialized resource; a large one in pieces that are made when they are asked for, without the store"""

Handler: TypeAlias = Callable[[Any, OperationInputs], Answer]
"""Answers one operation: takes the context and the inputs, returns a serialized Parameters resource.

The context is Any here so that a handler may ask for the concrete one, which has more than the HTTP layer sees.
"""

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values of a query, in their order."""


@dataclass(frozen=True, slots=True)
class Search:
    """How resources of one type are searched: parameters by name with their FHIR type, and what finds (id, resource).

    What it is given are the pairs of these parameters alone; the context is Any as for a handler.
    """

    parameters: Mapping[str, str]
    find: Callable[[Any, Pairs], list[tuple[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Reader:
    """How resources of one kind are read: the form of their ids, and what returns one; None if there is none."""

    resource_type: str
    pattern: re.Pattern[str]
    read: Callable[[Any, re.Match[str]], bytes | None]
    profiles: Sequence[str] = ()
    """Profiles of the resources"""
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of readiness; ``detail`` is shown to whoever asks and holds no secrets."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What is loaded."""

    subjects: int
    studies: int
    call_sets: int
    calls: int
    variants: int
    references: Mapping[str, str]
    """Reference sequence by build, in words."""
    chains: Mapping[str, str]
    """Chain file by direction, in words."""
    knowledge: Mapping[str, str] = field(default_factory=dict)
    """Active release of knowledge by its name, in words."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question that the loaded data can answer: ``path`` is a path with query string, as it is sent."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class PgxRequest:
    """A request to the pharmacogenetic API as it is recorded; who is asked about is kept only as a keyed digest."""

    at: str
    request_id: str
    method: str
    path: str
    """Template of the path; ``-`` for one that is not served"""
    user_id: str | None
    organization_id: str | None
    client: str | None
    client_version: str | None
    certificate: str | None
    """Common name of the client's certificate"""
    patient: str | None
    status: int
    error_type: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ReportLogin:
    """The address of a report, as a token, and the PIN that opens it."""

    token: str
    pin: str


class PgxDesk(Protocol):
    """What the pharmacogenetic API for laboratories' clients needs of the store."""

    def active(self) -> ActivePgx:
        """Return the releases in use. Raises Unavailable if there are none."""
        ...

    def profile(self, patient: str) -> PgxProfile:
        """Return the results of the person with an id or identifier. Raises SubjectNotFound."""
        ...

    def snps(self, profile: PgxProfile) -> Sequence[SnpResult]:
        """Return what single places of a person's genes were found to be, as laboratories submitted it."""
        ...

    def login(self, profile: PgxProfile, recipient: str, language: str) -> ReportLogin:
        """Return where the report of a person can be read: the same as before while that still opens."""
        ...

    def record(self, request: PgxRequest) -> None:
        """Record a request; it is stored when this returns."""
        ...


class Context(Protocol):
    """Everything that is open while the server runs. All methods may block and may be called from any thread."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Return what answers each operation, by its name without ``$``."""
        ...

    @property
    def readers(self) -> Sequence[Reader]:
        """Return what reads resources; no id is of the form of two readers of one type."""
        ...

    def is_brief(self, operation: str, inputs: OperationInputs) -> bool:
        """Return whether the answer is so quick that handing it to a thread would take longer.

        A brief answer is given on the event loop, where nothing may wait: no network, no lock, no long computation.
        ``False`` is always right.
        """
        ...

    def feature_coordinates(self, pairs: Pairs) -> Any:
        """Return, as JSON, where a chromosome, gene, transcript or protein lies."""
        ...

    def find_the_gene(self, pairs: Pairs) -> Any:
        """Return, as JSON, the genes of a range."""
        ...

    def normalize_variant(self, pairs: Pairs) -> Any:
        """Return, as JSON, the names of a variant on both builds."""
        ...

    def normalize_hla(self, pairs: Pairs) -> Any:
        """Return, as JSON, the reductions of an HLA name."""
        ...

    def translate_terminology(self, pairs: Pairs) -> Any:
        """Return, as JSON, the counterparts of a code in other systems."""
        ...

    def pgx_passport(self, patient: str) -> Passport:
        """Return the pharmacogenetic passport of the person with an id or identifier. Raises SubjectNotFound."""
        ...

    def knows_pgx_report(self, token: str) -> bool:
        """Return whether an address may still open a report."""
        ...

    def open_pgx_report(self, token: str, pin: str, request_id: str) -> OpenedReport:
        """Open the report at an address with a PIN; the attempt is recorded when this returns."""
        ...

    def cip_cases(self, search: str, page: int) -> CaseList:
        """Return a page of the cases that a text is found in, counted from one; one past the end is the last."""
        ...

    def cip_case(self, ir_id: int, version: int) -> CasePage | None:
        """Return a case of a CIP-API for its page; None if there is none."""
        ...

    def queue_snp_data(self, batch: Batch) -> Batch:
        """Put SNP data into the inbox, and return the batch as it was accepted; it is stored when this returns."""
        ...

    @property
    def pgx_desk(self) -> PgxDesk:
        """Return what answers the pharmacogenetic API for laboratories' clients."""
        ...

    @property
    def hla_reductions(self) -> str:
        """Return in words by what HLA names are reduced, or why they are not."""
        ...

    @property
    def knowledge(self) -> str:
        """Return in words which releases of knowledge answers use."""
        ...

    def data_version(self) -> str:
        """Return a text that is another one whenever an answer could differ."""
        ...

    def pgx(self) -> ActivePgx:
        """Return what the pharmacogenetic releases in use say."""
        ...

    def readiness(self) -> list[Check]:
        """Return every condition that has to hold before requests should come."""
        ...

    def summary(self) -> Summary:
        """Return what is loaded."""
        ...

    def examples(self) -> list[Example]:
        """Return questions that the loaded data can answer."""
        ...

    def close(self) -> None:
        """Release what is open."""
        ...
