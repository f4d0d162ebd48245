"""Large answers go out while they are made: the same bytes, tags and errors, and little memory."""

from __future__ import annotations

import gzip
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import OperonError, Unavailable
from app.operations import subject_genotype
from app.records import Build
from app.variants.accessions import length
from tests.answers import Asking, asking
from tests.api.client import Client
from tests.api.conftest import FakeContext
from tests.command_line import CommandLine, free_port
from tests.small_store import SmallStore, migrated
from tests.vcf_files import header

MANY = 60_000
ALLOWED_GROWTH = 64 * 2**20
WHOLE = f"NC_000001.11:0-{length(Build.GRCH38, 1)}"
URL = f"/fhir/$find-subject-variants?subject=P1&ranges={WHOLE}&includeVariants=true"


def calls(n: int) -> str:
    """Return a VCF of n calls along chromosome 1, with depths."""
    step = 240_000_000 // n
    lines = [
        f"chr1\t{10_000 + step * at}\t.\tA\tG\t50\tPASS\t.\tGT:AD:DP\t0/1:{at % 30},{at % 20}:50" for at in range(n)
    ]
    return header("S1") + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home folder whose store has many calls of one subject."""
    folder = tmp_path_factory.mktemp("home")
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        SmallStore(database, folder).ingest(calls(MANY), "P1")
    return folder


@pytest.fixture
def asked(home: Path) -> Iterator[Asking]:
    with asking(home) as opened:
        yield opened


def test_a_stream_has_the_bytes_and_the_tag_of_an_answer_made_at_once(
    asked: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed = asked.client.get(URL)
    posted = asked.client.form("/fhir/$find-subject-variants", URL.partition("?")[2])
    monkeypatch.setattr(subject_genotype, "_STREAMED_FROM", 10**9)
    whole = asked.client.get(URL)

    assert streamed.body == posted.body == whole.body
    assert streamed.body.count(b'"Observation"') == MANY
    assert "content-length" not in streamed.headers
    assert streamed.headers["etag"] == whole.headers["etag"]
    assert asked.client.get(URL, if_none_match=whole.headers["etag"]).status == 304
    for name in ("content-type", "vary", "cache-control", "x-content-type-options"):
        assert streamed.headers[name] == whole.headers[name]


def test_a_stream_is_compressed_for_who_wants_it(asked: Asking) -> None:
    plain, packed = asked.client.get(URL), asked.client.get(URL, accept_encoding="gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) * 4 < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body


def test_head_makes_nothing_of_it(asked: Asking) -> None:
    get, head = asked.client.get(URL), asked.client.head(URL)

    assert (head.status, head.body, head.headers["etag"]) == (200, b"", get.headers["etag"])
    assert asked.client.head(URL, accept_encoding="gzip").status == 200


def test_pretty_answers_are_whole(asked: Asking) -> None:
    near = URL.replace(WHOLE, "NC_000001.11:0-20000000")

    pretty, plain = asked.client.get(f"{near}&_pretty=true"), asked.client.get(near)

    assert "content-length" in pretty.headers
    assert "content-length" not in plain.headers
    assert pretty.json() == plain.json()


def test_more_than_the_limit_is_refused_before_the_first_byte(home: Path) -> None:
    with asking(home, max_answers=MANY - 1) as limited:
        answer = limited.client.get(URL)

    assert (answer.status, [issue["code"] for issue in answer.issues]) == (413, ["too-costly"])


def portions(*given: bytes | OperonError | ValueError) -> Iterator[bytes]:
    for portion in given:
        if isinstance(portion, Exception):
            raise portion
        yield portion


def streaming(context: FakeContext, *given: Any) -> None:
    context.body = portions(*given)  # type: ignore[assignment]


def test_what_fails_before_the_first_byte_is_an_outcome(client: Client, context: FakeContext) -> None:
    streaming(context, Unavailable("the database is away"), b"{}")

    answer = client.get("/fhir/$find-subject-variants?subject=P1&ranges=NC_000001.10:1-2")

    assert (answer.status, answer.diagnostics) == (503, ["the database is away"])


def test_what_fails_later_breaks_the_stream_off(client: Client, context: FakeContext) -> None:
    streaming(context, b"{", ValueError("later"))

    with pytest.raises(RuntimeError, match="while the response was being sent"):
        client.get("/fhir/$find-subject-variants?subject=P1&ranges=NC_000001.10:1-2")


def test_a_whole_chromosome_takes_little_memory(home: Path, allow_loopback: Callable[[int], None]) -> None:
    port = free_port()
    allow_loopback(port)
    operon = CommandLine(home)
    server = operon.start("serve", "--port", str(port), log_level="error")
    assert server.stdout is not None
    assert server.stderr is not None
    base = f"http://127.0.0.1:{port}"
    with server.stdout, server.stderr:
        try:
            await_ready(base)
            read(f"{base}{URL.replace(WHOLE, 'NC_000001.11:0-20000000')}")  # what is loaded once is not the answer's
            before = peak(server.pid)
            size = read(f"{base}{URL}")
            grown = peak(server.pid) - before
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)

    assert size > 1.5 * ALLOWED_GROWTH
    assert grown < ALLOWED_GROWTH


def await_ready(base: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=5) as answer:
                assert json.load(answer)["status"] == "ok"
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


def read(url: str) -> int:
    """Read an answer to its end, which must be one, and return how many bytes it has."""
    size, tail = 0, b""
    with urllib.request.urlopen(url, timeout=120) as answer:
        while portion := answer.read(2**20):
            size += len(portion)
            tail = (tail + portion)[-4:]
    assert tail == b"}]}]}"[-4:]
    return size


def peak(pid: int) -> int:
    """Return the most memory that a process and its children have had, in bytes."""
    pids = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    found = 0
    for one in pids:
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        found += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return found
