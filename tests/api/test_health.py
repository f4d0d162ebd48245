"""Liveness, readiness, and the life of the application."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from app.config import Settings
from app.errors import Misconfigured, Unavailable
from app.fhir.parameters import OperationInputs
from app.main import create_app, from_environment, refuse_exposure
from app.operations.interface import Check
from tests.api.client import Client
from tests.api.conftest import FakeContext


def test_liveness_asks_nothing_of_the_store(client: Client, context: FakeContext):
    context.failure = Unavailable("away")
    assert client.get("/livez").json()["status"] == "ok"


def test_ready_when_every_check_holds(client: Client):
    answer = client.get("/readyz")
    assert answer.status == 200
    assert answer.json()["checks"] == [
        {"name": "store", "ok": True, "detail": "open"},
        {"name": "reference", "ok": True, "detail": "GRCh38"},
    ]


def test_not_ready_when_one_check_fails(client: Client, context: FakeContext):
    context.checks = [Check("store", True, "open"), Check("disk", False, "2 % free")]
    answer = client.get("/readyz")
    assert answer.status == 503
    assert answer.json()["status"] == "unavailable"


def test_not_ready_when_checking_fails(client: Client, context: FakeContext):
    context.failure = Unavailable("away")
    assert client.get("/readyz").status == 503


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_is_safe(host: str):
    refuse_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "genomics.example", "", "localhost.example"])
def test_reachable_server_without_authorization_refuses_to_start(host: str):
    with pytest.raises(Misconfigured, match="OPERON_ENV=dev"):
        create_app(Settings(host=host))
    create_app(Settings(host=host, env="dev"), FakeContext(Settings()))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPERON_HOST", "0.0.0.0")
    with pytest.raises(Misconfigured):
        from_environment()


def test_context_is_closed_with_the_application():
    context = FakeContext(Settings())
    app = create_app(Settings(), context)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert not context.closed

    asyncio.run(live())
    assert context.closed
    client = Client(app)
    assert client.get("/fhir/metadata").status == 503
    client.close()


def test_context_is_opened_with_the_application(monkeypatch: pytest.MonkeyPatch):
    settings = Settings()
    context = FakeContext(settings)
    monkeypatch.setattr("app.main.open_context", lambda given: context if given is settings else None)
    app = create_app(settings)
    client = Client(app)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            answer = await client.send("GET", "/fhir/metadata")
            assert answer.status == 200
            assert context.prepared

    client.loop.run_until_complete(live())
    assert context.closed
    client.close()


class WaitingContext(FakeContext):
    """A context whose answers wait until four of them are being made."""

    meeting = threading.Barrier(4, timeout=10)

    @property
    def handlers(self):
        def wait(context: Any, inputs: OperationInputs) -> bytes:
            self.meeting.wait()
            return self.body

        return {"find-population-specific-variants": wait}


def test_requests_are_answered_at_the_same_time():
    client = Client(create_app(Settings(), WaitingContext(Settings())))

    async def together() -> None:
        url = "/fhir/$find-population-specific-variants?variants=a"
        answers = await asyncio.gather(*(client.send("GET", url) for _ in range(4)))
        assert [answer.status for answer in answers] == [200] * 4

    client.loop.run_until_complete(together())
    client.close()
