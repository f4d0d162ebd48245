"""The pages for people: complete, escaped, and without anything from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.operations.interface import Example, Summary
from tests.api.client import Client
from tests.api.conftest import FakeContext

VENDOR = Path("app/web/static/vendor/swagger-ui")


class Page(HTMLParser):
    """Collects what a page links to, and checks that its elements are closed in order."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self.links += [value for name in ("href", "src", "data-document") if (value := attributes.get(name))]
        if attributes.get("id"):
            self.ids.append(str(attributes["id"]))
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(client: Client, url: str) -> tuple[str, Page]:
    answer = client.get(url)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = answer.body.decode()
    return text, Page(text)


@pytest.mark.parametrize("url", ["/", "/docs", "/pgx", "/cip/cases"])
def test_everything_on_a_page_comes_from_this_server(client: Client, url: str):
    _, parsed = page(client, url)
    assert parsed.links
    for link in parsed.links:
        assert link.startswith(("/", "#")), link
        if link.startswith("/"):
            assert client.get(link).status == 200, link
        else:
            assert link[1:] in parsed.ids


def test_home_shows_what_is_loaded_and_how_to_ask(client: Client):
    text, parsed = page(client, "/")
    for shown in ("123\u202f456", "789", "GRCh38", "full", "GRCh37 to GRCh38", "ensembl.chain.gz", "Release"):
        assert shown in text
    commands = [html.unescape(one) for one in re.findall(r"<code>(curl .*?)</code>", text)]
    assert len(commands) == 3
    assert commands[0] == (
        "curl 'http://testserver/fhir/$find-subject-variants?subject=HG00403"
        "&ranges=NC_000019.10:11089431-11133820&includeVariants=true'"
    )
    assert parsed.tags.count("h1") == 1
    assert {"/docs", "/fhir/metadata?_pretty=true", "/readyz", "/metrics"} <= set(parsed.links)
    assert 'lang="en"' in text


def test_examples_on_the_home_page_are_answered(client: Client, context: FakeContext):
    for example in context.examples():
        assert client.get(example.path).status == 200


def test_home_escapes_what_it_shows(client: Client, context: FakeContext, monkeypatch: pytest.MonkeyPatch):
    evil = "<script>alert(1)</script>\"'"
    monkeypatch.setattr(context, "summary", lambda: Summary(1, 1, 1, 1, 1, {evil: evil}, {evil: evil}))
    monkeypatch.setattr(context, "examples", lambda: [Example(evil, "/livez?x=" + evil)])
    text, parsed = page(client, "/")
    assert "<script" not in text
    assert "script" not in parsed.tags
    assert "curl 'http://testserver/livez?x=<script>" in html.unescape(text)


def test_home_of_an_empty_server_tells_how_to_begin(
    client: Client, context: FakeContext, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(context, "summary", lambda: Summary(0, 0, 0, 0, 0, {}, {}))
    monkeypatch.setattr(context, "examples", list)
    text, _ = page(client, "/")
    assert "operon ingest vcf" in text
    assert "operon reference add" in text


def test_pages_below_a_path_link_below_it(client: Client):
    for url in ("/operon/", "/operon/docs"):
        parsed = Page(client.request("GET", url, root_path="/operon").body.decode())
        assert all(link.startswith(("/operon/", "#")) for link in parsed.links)


def test_policies_allow_only_what_pages_need(client: Client):
    home = client.get("/").headers["content-security-policy"]
    docs = client.get("/docs").headers["content-security-policy"]
    assert "unsafe" not in home
    assert "script-src 'self';" in docs
    assert "unsafe-eval" not in docs
    assert "http" not in home + docs


def test_docs_may_call_the_configured_address(build):
    client, _ = build(base_url="https://genomics.example/operon")
    assert "connect-src 'self' https://genomics.example;" in client.get("/docs").headers["content-security-policy"]


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_vendored_file_travels_packed_where_that_is_allowed(client: Client, name: str):
    url = f"/static/vendor/swagger-ui/{name}"
    plain, packed = client.get(url), client.get(url, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert client.get(url, if_none_match=plain.headers["etag"]).status == 304


def test_vendored_files_are_those_of_the_record(root: Path):
    folder = root / VENDOR
    rows = re.findall(
        r"^\| `([^`]+)` \| (\d+) \| `([0-9a-f]{64})` \| `([^`]+)` \|$", (folder / "VENDOR.md").read_text(), re.M
    )
    assert {stored for *_, stored in rows} | {"VENDOR.md"} == {path.name for path in folder.iterdir()}
    for _, size, digest, stored in rows:
        data = (folder / stored).read_bytes()
        assert len(data) <= 1_500_000
        content = gzip.decompress(data) if stored.endswith(".gz") else data
        assert (len(content), hashlib.sha256(content).hexdigest()) == (int(size), digest)


@pytest.mark.parametrize(
    "path",
    ["nothing.css", "../pages.py", "..%2fpages.py", "vendor/swagger-ui/VENDOR.md", "", "/etc/passwd", "site.css/"],
)
def test_nothing_but_static_files_is_served(client: Client, path: str):
    assert client.get(f"/static/{path}").status == (200 if path == "site.css/" else 404)


def test_own_files_mention_no_other_host(root: Path):
    own = [path for path in (root / "app/web").rglob("*") if path.suffix in {".html", ".css", ".js"}]
    assert own
    assert [path.name for path in own if re.search(r"https?://|//cdn", path.read_text())] == []
