"""The server asks listed sites and nobody else, whatever addresses callers and name servers come up with."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.errors import Misconfigured
from app.security.fetching import Fetcher, NotFetched, read_site


class Site(BaseHTTPRequestHandler):
    """Answers by path, and remembers what it was asked."""

    asked: list[tuple[str, dict[str, str]]]
    wait: threading.Event

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        match self.path:
            case "/fhir/Patient/p1":
                self._send(200, b'{"resourceType":"Patient","id":"p1"}')
            case "/fhir/moved":
                self.send_response(302)
                self.send_header("Location", "/fhir/Patient/p1")
                self.end_headers()
            case "/fhir/large":
                self._send(200, b"[" + b"1," * 10_000 + b"1]")
            case "/fhir/text":
                self._send(200, b"<html>")
            case "/fhir/slow":
                self.wait.wait(5)
            case _:
                self._send(404, b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(allow_loopback: Callable[[int], None]) -> Iterator[ThreadingHTTPServer]:
    handler: type[Site] = type("Asked", (Site,), {"asked": [], "wait": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    allow_loopback(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    handler.wait.set()
    server.shutdown()
    thread.join()
    server.server_close()


def base_of(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/fhir"


def fetcher(*sites: str, seconds: float = 2, **options: Any) -> Fetcher:
    return Fetcher([read_site(text, "OPERON_CDS_FHIR_SERVERS") for text in sites], seconds=seconds, **options)


def asked(server: ThreadingHTTPServer) -> list[tuple[str, dict[str, str]]]:
    return server.RequestHandlerClass.asked  # type: ignore[attr-defined]


def test_a_document_of_a_listed_site_is_fetched_with_the_token(site: ThreadingHTTPServer):
    base = base_of(site)
    assert fetcher(base).json(f"{base}/Patient/p1", token="t0ken", accept="application/fhir+json")["id"] == "p1"
    [(path, headers)] = asked(site)
    assert (path, headers["Authorization"], headers["Accept"]) == (
        "/fhir/Patient/p1", "Bearer t0ken", "application/fhir+json",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["moved", "large", "text", "nothing"])
def test_redirects_large_answers_and_what_is_no_json_are_refused(site: ThreadingHTTPServer, path: str):
    base = base_of(site)
    with pytest.raises(NotFetched):
        fetcher(base, most_bytes=10_000).json(f"{base}/{path}")
    assert len(asked(site)) == 1


def test_a_slow_site_is_not_waited_for(site: ThreadingHTTPServer):
    base = base_of(site)
    with pytest.raises(NotFetched, match="in time"):
        fetcher(base, seconds=0.05).json(f"{base}/slow")


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}/other/Patient/p1",
        "http://{host}/fhirx/Patient/p1",
        "http://{host}/fhir/../other",
        "http://{host}/fhir/%2e%2e/other",
        "http://{host}/fhir//evil.example/x",
        "http://{host}/fhir/Patient/p1?x=1",
        "http://{host}/fhir/Patient/p1#x",
        "http://{host}@evil.example/fhir/p1",
        "http://evil.example\\@{host}/fhir/p1",
        "http://user:pw@{host}/fhir/p1",
        "http://{host}/fhir/p1\r\nX-Other: 1",
        "http://{host}/fhir/p 1",
        "https://{host}/fhir/Patient/p1",
        "http://127.1:{port}/fhir/Patient/p1",
        "http://2130706433:{port}/fhir/Patient/p1",
        "http://0x7f.0.0.1:{port}/fhir/Patient/p1",
        "http://0177.0.0.1:{port}/fhir/Patient/p1",
        "http://[::1]:{port}/fhir/Patient/p1",
        "http://[::ffff:127.0.0.1]:{port}/fhir/Patient/p1",
        "http://localhost:{port}/fhir/Patient/p1",
        "http://127.0.0.1/fhir/Patient/p1",
        "http://127.0.0.1:99999/fhir/Patient/p1",
        "http://169.254.169.254/latest/meta-data",
        "ftp://{host}/fhir/p1",
        "file:///etc/passwd",
        "s3://bucket/fhir/p1",
        "gs://bucket/fhir/p1",
        "data:application/json,{{}}",
        "//{host}/fhir/p1",
        "/fhir/Patient/p1",
        "",
        None,
        {"a": 1},
    ],
)
def test_no_other_address_is_asked(site: ThreadingHTTPServer, url: Any):
    host = f"127.0.0.1:{site.server_address[1]}"
    given = url.format(host=host, port=site.server_address[1]) if isinstance(url, str) else url
    one = fetcher(base_of(site))
    with pytest.raises(NotFetched):
        one.json(given)
    assert asked(site) == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_followed(address: str):
    one = fetcher("https://ehr.example/fhir", resolve=lambda host, port: ["93.184.215.14", address])
    with pytest.raises(NotFetched, match="address that is not allowed"):
        one.json("https://ehr.example/fhir/Patient/p1")


def test_an_inner_network_is_allowed_where_it_is_listed(site: ThreadingHTTPServer):
    port = site.server_address[1]
    listed = read_site("https://ehr.example/fhir 127.0.0.0/8", "OPERON_CDS_FHIR_SERVERS")
    plain = listed.__class__(listed.base._replace(scheme="http", port=port), listed.networks)  # TLS needs a certificate
    one = Fetcher([plain], seconds=2, resolve=lambda host, port: ["127.0.0.1"])
    assert one.json(f"http://ehr.example:{port}/fhir/Patient/p1")["id"] == "p1"
    assert asked(site)[0][1]["Host"] == f"ehr.example:{port}"


def test_the_name_is_asked_for_once_and_the_checked_address_is_the_one_that_is_reached(site: ThreadingHTTPServer):
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    port = site.server_address[1]
    one = fetcher(f"http://localhost:{port}/fhir", resolve=lambda host, port: next(answers))
    assert one.json(f"http://localhost:{port}/fhir/Patient/p1")["id"] == "p1"
    with pytest.raises(NotFetched, match="not allowed"):
        one.json(f"http://localhost:{port}/fhir/Patient/p1")


@pytest.mark.parametrize("token", ["a\r\nX: 1", "a b", "", "é"])
def test_a_token_with_other_characters_is_not_sent(site: ThreadingHTTPServer, token: str):
    base = base_of(site)
    with pytest.raises(NotFetched):
        fetcher(base).json(f"{base}/Patient/p1", token=token)
    assert asked(site) == []


def test_a_site_that_is_away_is_not_fetched(allow_loopback: Callable[[int], None]):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    allow_loopback(port)
    with pytest.raises(NotFetched, match="cannot be asked"):
        fetcher(f"http://127.0.0.1:{port}").json(f"http://127.0.0.1:{port}/x")


@pytest.mark.parametrize("text", ["http://ehr.example/fhir", "ehr.example", "https://a b/", "https://x 10.0.0.1/8", ""])
def test_a_site_that_is_not_safe_to_ask_is_misconfigured(text: str):
    with pytest.raises(Misconfigured, match="OPERON_CDS_FHIR_SERVERS"):
        read_site(text, "OPERON_CDS_FHIR_SERVERS")
