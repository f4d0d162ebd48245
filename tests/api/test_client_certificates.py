"""Clients that prove who they are to this server: real connections, real certificates."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.api.client_certificates import common_name
from app.config import Settings
from app.errors import Misconfigured
from app.main import create_app, refuse_exposure
from ingest.serving import options_of
from tests.api.conftest import FakeContext
from tests.certificates import Authority, Pair

DRUG = "/abomics/v2/classification/en/inn/codeine"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def settings(authority: Authority) -> Settings:
    certificate, key = authority.server()
    return Settings(
        port=0,
        abomics_client_cert="direct",
        abomics_clients="Example Lab; Ltd, Müller",
        tls_cert_file=certificate,
        tls_key_file=key,
        tls_client_ca_file=authority.file,
    )


Serving = Callable[[Settings], AbstractContextManager[tuple[int, FakeContext]]]


@pytest.fixture
def serving(allow_loopback: Callable[[int], None]) -> Serving:
    """Return what serves as the command does, in a thread, and yields the port and the context."""

    @contextmanager
    def serve(settings: Settings) -> Iterator[tuple[int, FakeContext]]:
        context = FakeContext(settings)
        server = uvicorn.Server(uvicorn.Config(create_app(settings, context), **options_of(settings)))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
                assert thread.is_alive()
            port = server.servers[0].sockets[0].getsockname()[1]
            allow_loopback(port)
            yield port, context
        finally:
            server.should_exit = True
            thread.join(10)

    return serve


def ask(port: int, authority: Authority, pair: Pair | None, path: str = DRUG, **headers: str) -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(authority.file))
    if pair is not None:
        context.load_cert_chain(*pair)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_listed_certificates_are_let_in(serving: Serving, settings: Settings, authority: Authority) -> None:
    with serving(settings) as (port, context):
        for name in ("Example Lab; Ltd", "Müller"):
            assert ask(port, authority, authority.client(name))[0] == 200
        assert [row.certificate for row in context.pgx_desk.recorded] == ["Example Lab; Ltd", "Müller"]


def test_other_certificates_of_the_authority_are_not(
    serving: Serving, settings: Settings, authority: Authority
) -> None:
    with serving(settings) as (port, context):
        stranger = authority.client("Stranger,CN=Müller")
        assert ask(port, authority, stranger) == (
            403,
            {"errors": [{"data": "This client certificate is not allowed here"}]},
        )
        assert context.pgx_desk.recorded[0].certificate == "Stranger,CN=Müller"


def test_everything_else_needs_a_listed_certificate_too(
    serving: Serving, settings: Settings, authority: Authority
) -> None:
    with serving(settings) as (port, _):
        stranger, client = authority.client("Stranger"), authority.client("Müller")
        status, body = ask(port, authority, stranger, "/fhir/metadata")
        assert (status, body["resourceType"]) == (403, "OperationOutcome")
        assert ask(port, authority, client, "/livez")[0] == 200


def test_headers_of_a_proxy_prove_nothing_to_a_server_that_asks_itself(
    serving: Serving, settings: Settings, authority: Authority
) -> None:
    with serving(settings) as (port, _):
        stranger = authority.client("Stranger")
        headers = {"X_SSL_Client_Verify": "SUCCESS", "X_SSL_Client_S_DN": "CN=Müller"}
        assert ask(port, authority, stranger, **headers)[0] == 403


def test_without_a_certificate_of_the_authority_there_is_no_connection(
    serving: Serving, settings: Settings, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    with serving(settings) as (port, context):
        for pair in (None, other.client("Müller")):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                ask(port, authority, pair)
        assert context.pgx_desk.recorded == []


def test_a_trusted_proxy_is_known_by_its_connection_not_by_what_it_forwards(serving: Serving) -> None:
    settings = Settings(port=0, abomics_client_cert="proxy", abomics_clients="Example Lab", trusted_proxies="127.0.0.1")
    proven = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=Example Lab"}
    with serving(settings) as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", DRUG, headers={**proven, "X-Forwarded-For": "203.0.113.9"})
        assert connection.getresponse().status == 200
        connection.close()
    untrusting = settings.model_copy(update={"trusted_proxies": "203.0.113.9"})
    with serving(untrusting) as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", DRUG, headers={**proven, "X-Forwarded-For": "203.0.113.9"})
        assert connection.getresponse().status == 401
        connection.close()


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("CN=Example Lab", "Example Lab"),
        ("O=Lab, CN=Example Lab", "Example Lab"),
        ("cn=a+OU=b,O=c", "a"),
        ("2.5.4.3=a", "a"),
        (r"CN=a\,b\\c", r"a,b\c"),
        (r"CN=M\C3\BCller", "Müller"),
        ("CN=a,CN=b", None),
        ("O=Lab", None),
        ("CN=", None),
        ("", None),
        ("nonsense", None),
        ("/O=x/CN=a", None),
        ('O="x,CN=a,L=y"', None),
        ('O="x,CN=a,L=y",CN=b', None),
    ],
)
def test_common_name_of_a_subject(subject: str, name: str | None) -> None:
    assert common_name(subject) == name


def test_direct_certificates_let_a_server_listen_beyond_this_machine(settings: Settings) -> None:
    refuse_exposure(settings.model_copy(update={"host": "0.0.0.0"}))
    for mode in ("off", "proxy"):
        exposed = settings.model_copy(
            update={"host": "0.0.0.0", "abomics_client_cert": mode, "trusted_proxies": "10.0.0.1"}
        )
        with pytest.raises(Misconfigured, match="reachable from other machines"):
            refuse_exposure(exposed)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"abomics_clients": " , "}, "lets nobody in without OPERON_ABOMICS_CLIENTS"),
        ({"tls_cert_file": None}, "OPERON_TLS_CERT_FILE"),
        ({"tls_key_file": Path("/nowhere")}, "OPERON_TLS_KEY_FILE"),
        ({"tls_client_ca_file": None}, "OPERON_TLS_CLIENT_CA_FILE"),
        ({"abomics_client_cert": "proxy"}, "needs OPERON_TRUSTED_PROXIES"),
        ({"abomics_client_cert": "proxy", "trusted_proxies": "everybody"}, "OPERON_TRUSTED_PROXIES: "),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    settings: Settings, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Misconfigured, match=problem):
        create_app(settings.model_copy(update=changes))
