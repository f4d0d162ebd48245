"""Downloads end with the right bytes or with nothing, whatever the site does in between."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import BadFile, LimitExceeded, NotFound, OperonError, Unavailable
from ingest.download import RETRIES, Checksum, Downloader, Fetched
from ingest.progress import Progress
from tests import odd_server
from tests.odd_server import OddServer

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(250_000)
AT_ONCE = RETRIES.new(backoff_factor=0, total=3)


@pytest.fixture
def server(allow_loopback: Callable[[int], None]) -> Iterator[OddServer]:
    with odd_server.running() as server:
        allow_loopback(server.port)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def downloader(folder: Path) -> Iterator[Downloader]:
    client = Downloader(folder, Progress(quiet=True), schemes=frozenset({"http"}), retries=AT_ONCE)
    yield client
    client.close()


@pytest.fixture
def fetch(downloader: Downloader) -> Callable[..., Fetched]:
    def fetch(url: str, checksum: Checksum | None = None, max_bytes: int = 10**6) -> Fetched:
        return downloader.fetch(url, "file.gz", max_bytes=max_bytes, checksum=checksum)

    return fetch


def md5(content: bytes) -> Checksum:
    return Checksum("md5", hashlib.md5(content).hexdigest())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def test_a_file_arrives_with_its_checksum(server: OddServer, folder: Path, fetch: Callable[..., Fetched]) -> None:
    arrived = fetch(server.put("/a", CONTENT), md5(CONTENT))

    assert arrived.path.read_bytes() == CONTENT
    assert (arrived.size, arrived.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert files(folder) == {"file.gz"}


def test_a_cut_connection_goes_on_where_it_was_cut(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    arrived = fetch(server.put("/a", CONTENT, "cut 100000", "cut 50000"), md5(CONTENT))

    assert arrived.path.read_bytes() == CONTENT
    assert server.ranges("/a") == [None, "bytes=100000-", "bytes=150000-"]


def test_progress_wins_the_attempts_back(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    arrived = fetch(server.put("/a", CONTENT, *["cut 30000"] * 9))

    assert arrived.path.read_bytes() == CONTENT
    assert len(server.asked) == 10


def test_a_later_request_continues_what_an_earlier_one_left(
    server: OddServer, folder: Path, fetch: Callable[..., Fetched]
) -> None:
    url = server.put("/a", CONTENT, "cut 100000", *["status 503"] * 4)
    with pytest.raises(Unavailable, match="status 503"):
        fetch(url)
    assert files(folder) == {"file.gz.part", "file.gz.part.json"}

    arrived = fetch(url)

    assert arrived.path.read_bytes() == CONTENT
    assert server.ranges("/a")[-1] == "bytes=100000-"
    assert files(folder) == {"file.gz"}


def test_another_version_by_then_starts_again(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    url = server.put("/a", CONTENT, "cut 100000", *["status 503"] * 4)
    with pytest.raises(Unavailable):
        fetch(url)

    arrived = fetch(server.put("/a", OTHER, etag='"2"'), md5(OTHER))

    assert arrived.path.read_bytes() == OTHER


def test_a_site_that_mixes_versions_is_found_out_without_a_checksum(
    server: OddServer, fetch: Callable[..., Fetched]
) -> None:
    url = server.put("/a", CONTENT, "cut 100000", *["status 503"] * 4)
    with pytest.raises(Unavailable):
        fetch(url)

    arrived = fetch(server.put("/a", OTHER, "blind", etag='"2"'))

    assert arrived.path.read_bytes() == OTHER
    assert server.ranges("/a")[-2:] == ["bytes=100000-", None]


def test_a_site_that_ignores_ranges_sends_the_whole(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    arrived = fetch(server.put("/a", CONTENT, "cut 100000", "whole"))

    assert arrived.path.read_bytes() == CONTENT
    assert server.ranges("/a") == [None, "bytes=100000-"]


@pytest.mark.parametrize("etag", [None, 'W/"1"'], ids=["none", "weak"])
def test_without_a_strong_validator_nothing_is_continued(
    server: OddServer, fetch: Callable[..., Fetched], etag: str | None
) -> None:
    url = server.put("/a", CONTENT, "cut 100000", etag=etag)

    assert fetch(url).path.read_bytes() == CONTENT
    assert server.ranges("/a") == [None, None]


def test_a_site_with_less_than_has_come_starts_again(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    url = server.put("/a", CONTENT, "cut 100000")
    server.files["/a"].script += ["status 503"] * 4
    with pytest.raises(Unavailable):
        fetch(url)

    assert fetch(server.put("/a", OTHER[:70_000], "blind")).path.read_bytes() == OTHER[:70_000]


def test_a_length_that_is_not_told_is_no_obstacle(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    assert fetch(server.put("/a", CONTENT, "endless"), md5(CONTENT)).path.read_bytes() == CONTENT


def test_a_busy_site_is_asked_again(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    assert fetch(server.put("/a", CONTENT, "status 500", "status 503", "status 429")).path.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: OddServer, folder: Path, fetch: Callable[..., Fetched]) -> None:
    with pytest.raises(BadFile, match="MD5 is not"):
        fetch(server.put("/a", CONTENT), md5(OTHER))

    assert files(folder) == set()


def test_a_missing_file_is_not_asked_for_again(server: OddServer, folder: Path, fetch: Callable[..., Fetched]) -> None:
    with pytest.raises(NotFound, match="no such file"):
        fetch(server.url("/nowhere"))

    assert len(server.asked) == 1
    assert files(folder) == set()


@pytest.mark.parametrize("act", ["", "endless"])
def test_more_bytes_than_there_should_be_are_refused(
    server: OddServer, fetch: Callable[..., Fetched], act: str
) -> None:
    with pytest.raises(LimitExceeded, match="more than the 1,000"):
        fetch(server.put("/a", CONTENT, act), max_bytes=1000)


def test_redirects_are_followed_within_the_scheme(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    there = server.put("/b", CONTENT, "cut 1000")

    arrived = fetch(server.put("/a", b"", f"to {there}", "to /b"))

    assert arrived.path.read_bytes() == CONTENT
    assert server.ranges("/b") == [None, "bytes=1000-"]


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/b", "https://127.0.0.1/b", "file:///etc/passwd"])
def test_another_scheme_is_refused(server: OddServer, fetch: Callable[..., Fetched], place: str) -> None:
    with pytest.raises(Unavailable, match="only http addresses"):
        fetch(server.put("/a", b"", f"to {place}"))


def test_plain_http_is_refused_by_default(server: OddServer, folder: Path) -> None:
    client = Downloader(folder, Progress(quiet=True))
    with pytest.raises(Unavailable, match="only https addresses"):
        client.fetch(server.put("/a", CONTENT), "a", max_bytes=10**6, checksum=None)
    client.close()

    assert server.asked == []


def test_redirects_in_a_circle_end(server: OddServer, fetch: Callable[..., Fetched]) -> None:
    with pytest.raises(Unavailable, match="redirects more than"):
        fetch(server.put("/a", b"", *["to /a"] * 20))


def test_a_site_that_is_not_there_is_named(
    server: OddServer, fetch: Callable[..., Fetched], allow_loopback: Callable[[int], None]
) -> None:
    allow_loopback(9)
    with pytest.raises(Unavailable, match=r"http://127.0.0.1:9/a: .*refused"):
        fetch("http://127.0.0.1:9/a")


def test_a_full_disk_is_noticed_before_it_is_full(
    server: OddServer, fetch: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 200_000))

    with pytest.raises(OSError, match="300,000 bytes are missing"):
        fetch(server.put("/a", CONTENT))


def test_a_file_that_had_arrived_is_not_downloaded_again(
    server: OddServer, folder: Path, fetch: Callable[..., Fetched]
) -> None:
    url = server.put("/a", CONTENT)
    fetch(url)

    assert fetch(url, md5(CONTENT)).path.read_bytes() == CONTENT
    assert len(server.asked) == 1

    (folder / "file.gz").write_bytes(OTHER)
    assert fetch(url, md5(CONTENT)).path.read_bytes() == CONTENT


def test_a_list_of_checksums_is_read_whole_and_must_be_small(server: OddServer, downloader: Downloader) -> None:
    assert downloader.text(server.put("/a", b"0123  ./x\n", "status 500", "cut 3")) == "0123  ./x\n"
    with pytest.raises(OperonError, match="larger than"):
        downloader.text(server.put("/b", b"0" * 2_000_000))
