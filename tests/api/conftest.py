"""The application around a context that answers nothing of its own but records what it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from app.config import Settings
from app.errors import SubjectNotFound
from app.fhir.parameters import OperationInputs
from app.formats.snp_batch import Batch
from app.main import create_app
from app.operations.cip_case_page import CaseList, CasePage
from app.operations.interface import Check, Example, Handler, Pairs, Reader, Summary
from app.operations.pgx import ActivePgx
from app.operations.pgx_passport import OpenedReport, Passport
from app.operations.registry import READERS
from tests.api.client import Client
from tests.pgx_desk import HandmadeDesk

OPERATIONS = (
    "find-population-specific-variants",
    "find-population-structural-intersecting-variants",
    "find-population-structural-subsuming-variants",
    "find-study-metadata",
    "find-subject-specific-variants",
    "find-subject-structural-intersecting-variants",
    "find-subject-structural-subsuming-variants",
    "find-subject-variants",
)


class FakeContext:
    """A context whose handlers remember their inputs and answer a constant."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls: list[tuple[str, OperationInputs]] = []
        self.version = "1"
        self.brief = False
        self.failure: Exception | None = None
        self.body = b'{"resourceType":"Parameters"}'
        self.checks = [Check("store", True, "open"), Check("reference", True, "GRCh38")]
        self.names: tuple[str, ...] = OPERATIONS
        self.closed = False
        self.prepared = False
        self.pgx_desk = HandmadeDesk()

    def prepare(self) -> None:
        self.prepared = True

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {name: self._handler(name) for name in self.names}

    def _handler(self, name: str) -> Handler:
        def handle(context: Any, inputs: OperationInputs) -> bytes:
            assert context is self
            self.calls.append((name, inputs))
            if self.failure is not None:
                raise self.failure
            return self.body

        return handle

    @property
    def inputs(self) -> OperationInputs:
        """Return the inputs of the last call."""
        return self.calls[-1][1]

    @property
    def readers(self) -> Sequence[Reader]:
        """Return the readers of the real context, with resources that are nothing but an id."""
        return [
            replace(
                reader,
                read=partial(_bare_resource, reader.resource_type),
                search=reader.search and replace(reader.search, find=lambda context, pairs: []),
            )
            for reader in READERS
        ]

    def is_brief(self, operation: str, inputs: OperationInputs) -> bool:
        return self.brief

    def feature_coordinates(self, pairs: Pairs) -> Any:
        return self._utility("get-feature-coordinates", pairs)

    def find_the_gene(self, pairs: Pairs) -> Any:
        return self._utility("find-the-gene", pairs)

    def normalize_variant(self, pairs: Pairs) -> Any:
        return self._utility("normalize-variant", pairs)

    def normalize_hla(self, pairs: Pairs) -> Any:
        return self._utility("normalize-hla", pairs)

    def translate_terminology(self, pairs: Pairs) -> Any:
        return self._utility("translate-terminology", pairs)

    def queue_snp_data(self, batch: Batch) -> Batch:
        if self.failure is not None:
            raise self.failure
        return batch

    @property
    def knowledge(self) -> str:
        return "ClinVar 2026-01 (clinvar-2026-01, public domain)"

    @property
    def hla_reductions(self) -> str:
        return "not used (a test)"

    def _utility(self, name: str, pairs: Pairs) -> Any:
        if self.failure is not None:
            raise self.failure
        return {"utility": name, "pairs": pairs}

    def data_version(self) -> str:
        return self.version

    def pgx(self) -> ActivePgx:
        raise NotImplementedError

    def pgx_passport(self, patient: str) -> Passport:
        raise SubjectNotFound(patient)

    def knows_pgx_report(self, token: str) -> bool:
        return False

    def open_pgx_report(self, token: str, pin: str, request_id: str) -> OpenedReport:
        return OpenedReport(is_closed=True)

    def cip_cases(self, search: str, page: int) -> CaseList:
        return CaseList(0, 1, 1, search, ())

    def cip_case(self, ir_id: int, version: int) -> CasePage | None:
        return None

    def readiness(self) -> list[Check]:
        if self.failure is not None:
            raise self.failure
        return self.checks

    def summary(self) -> Summary:
        if self.failure is not None:
            raise self.failure
        return Summary(3, 4, 5, 123456, 789, {"GRCh38": "full"}, {"GRCh37 to GRCh38": "ensembl.chain.gz"})

    def examples(self) -> list[Example]:
        path = "/fhir/$find-subject-variants?subject=HG00403&ranges=NC_000019.10:11089431-11133820&includeVariants=true"
        return [Example("Variants <of> LDLR", path), Example("Second", "/fhir/metadata"), Example("Third", "/livez")]

    def close(self) -> None:
        self.closed = True


def _bare_resource(resource_type: str, context: Any, match: re.Match[str]) -> bytes:
    return orjson.dumps({"resourceType": resource_type, "id": match[0]})


def parameters(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(entries)}


def big_answer(entries: int) -> bytes:
    part = [
        {"name": "rangeItem", "valueString": f"NC_000019.10:{position}-{position + 1}"} for position in range(entries)
    ]
    return orjson.dumps({"resourceType": "Parameters", "parameter": part})


@pytest.fixture
def build() -> Iterator[Callable[..., tuple[Client, FakeContext]]]:
    """Build an application with other settings than the defaults."""
    clients: list[Client] = []

    def start(**values: Any) -> tuple[Client, FakeContext]:
        settings = Settings(**values)
        context = FakeContext(settings)
        clients.append(Client(create_app(settings, context)))
        return clients[-1], context

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def started(build: Callable[..., tuple[Client, FakeContext]]) -> tuple[Client, FakeContext]:
    return build()


@pytest.fixture
def client(started: tuple[Client, FakeContext]) -> Client:
    return started[0]


@pytest.fixture
def context(started: tuple[Client, FakeContext]) -> FakeContext:
    return started[1]
