"""Downloads of large public files: resumed where they stopped, checked, and never taken from another scheme.

What has come of a file is kept as ``NAME.part`` beside ``NAME.part.json``, which says from where it is and how the
server identified the version. A later request continues with ``Range`` and ``If-Range``
(https://www.rfc-editor.org/rfc/rfc9110#section-14); a server that has another version by then, or that ignores ranges,
sends the whole, and the download starts again. A connection that breaks is tried again with growing pauses by the rules
of urllib3's ``Retry``; whatever arrived since the last failure wins the attempts back.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError
from urllib3.util.retry import Retry

from app import __version__
from app.errors import BadFile, LimitExceeded, NotFound, Unavailable
from ingest.progress import Bar, Progress

_BLOCK = 1 << 20
_MOST_REDIRECTS = 5
_TIMEOUTS = (30.0, 120.0)
"""Seconds to connect, and between two arrivals of data"""
_RESERVE = 256 * 2**20
"""Bytes of a disk that are left free"""
_LARGEST_LIST = 2**20

RETRIES = Retry(
    total=6,
    backoff_factor=2,
    backoff_max=60,
    status_forcelist=(429, 500, 502, 503, 504),
    retry_after_max=300,
)


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a site says of a file: the name of the algorithm as in hashlib, and the digest."""

    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that has arrived in full."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is known of a partial file: where it is from, and the validators of its version."""

    url: str
    etag: str | None
    modified: str | None
    size: int | None

    @property
    def validator(self) -> str | None:
        """Return what ``If-Range`` takes; a weak tag says nothing about single bytes."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


class Downloader:
    """Downloads into one folder; ``schemes`` are the allowed ones, and a redirect must keep to that of the address."""

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        *,
        schemes: frozenset[str] = frozenset({"https"}),
        retries: Retry = RETRIES,
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._schemes = schemes
        self._retries = retries
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"operon/{__version__}"
        for scheme in ("https://", "http://"):
            # Failures are counted here, where those in the middle of a body are seen too.
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def partial(self, name: str) -> int:
        """Return how many bytes of a file have come so far."""
        path = self._folder / f"{name}.part"
        return path.stat().st_size if path.is_file() else 0

    def text(self, url: str) -> str:
        """Return a small text file.

        Raises:
            NotFound: the site has no such file.
            Unavailable: the site cannot be reached, or does not answer as it should.
            LimitExceeded: the file is not small.
        """
        retries = self._retries
        while True:
            try:
                with self._open(url, {}) as response:
                    body = response.raw.read(_LARGEST_LIST + 1, decode_content=True)
                if len(body) > _LARGEST_LIST:
                    raise LimitExceeded(_name(url), f"the list of checksums is larger than {_LARGEST_LIST:,} bytes")
                return str(body.decode("utf-8", "replace"))
            except (HTTPError, requests.RequestException) as error:
                retries = _again(retries, url, error)

    def fetch(self, url: str, name: str, *, max_bytes: int, checksum: Checksum | None) -> Fetched:
        """Download a file, or what is missing of it, and check it.

        Raises:
            NotFound: the site has no such file.
            Unavailable: the site cannot be reached, or does not answer as it should; what came is kept.
            LimitExceeded: the file is larger than ``max_bytes``.
            BadFile: the file is not the one that the checksum is of; nothing is kept.
            OSError: the disk is full.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        part, whole = self._folder / f"{name}.part", self._folder / name
        if whole.is_file():  # it arrived in full, but was not taken in: whoever asked was interrupted
            kept = _fetched(whole, checksum)
            if kept is not None:
                return kept
            whole.unlink()
        retries = self._retries
        while True:
            before = self.partial(name)
            try:
                self._continue(url, part, name, max_bytes)
                break
            except (HTTPError, requests.RequestException) as error:
                if self.partial(name) > before:
                    retries = self._retries
                retries = _again(retries, url, error)
        arrived = _fetched(part, checksum)
        if arrived is None:
            assert checksum is not None  # noqa: S101 - nothing else can be wrong
            self._forget(part)
            problem = f"its {checksum.algorithm.upper()} is not {checksum.digest}, which the site publishes"
            raise BadFile(name, problem, mend="Repeat the command; if it happens again, the site's copy is damaged")
        part.replace(whole)
        self._forget(part)
        return replace(arrived, path=whole)

    def _continue(self, url: str, part: Path, name: str, max_bytes: int) -> None:
        """Download what is missing of a file, from its beginning if the site has another version of it by now."""
        begun = _read_begun(part)
        at = self.partial(name)
        if begun is None or begun.url != url or not begun.validator:
            at = 0
        elif begun.size == at:
            return
        headers = {"Range": f"bytes={at}-", "If-Range": begun.validator or ""} if at and begun else {}
        with self._open(url, headers) as response:
            here = _identity(url, response, at)
            if response.status_code == 206 and begun is not None and _differs(begun, here):
                # The server ignored If-Range and went on with another version.
                self._forget(part)
                raise ProtocolError("the file changed while it was downloaded")
            if response.status_code == 416:
                self._forget(part)
                raise ProtocolError("the site has less of the file than has come")
            if response.status_code != 206:
                at = 0
            _refuse_size(name, here.size, max_bytes)
            self._refuse_full_disk((here.size or 0) - at)
            _write_begun(part, here)
            with part.open("ab" if at else "wb") as stream, self._progress.file(name, here.size or 0) as bar:
                _copy(response, stream.fileno(), at, bar, name=name, max_bytes=max_bytes)
                os.fsync(stream.fileno())
            if here.size is not None and part.stat().st_size != here.size:
                raise ProtocolError(f"{part.stat().st_size} of {here.size} bytes came")

    @contextmanager
    def _open(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Yield the answer to a request, redirects followed; those that must be tried again are raised."""
        scheme = urlsplit(url).scheme
        for _ in range(_MOST_REDIRECTS):
            if urlsplit(url).scheme not in self._schemes or urlsplit(url).scheme != scheme:
                raise Unavailable(f"{url}: only {' and '.join(sorted(self._schemes))} addresses are downloaded from")
            # Compressed files must come as they are, or a part of one would not be a part of its bytes.
            asked = {"Accept-Encoding": "identity", **headers}
            with self._session.get(
                url, headers=asked, stream=True, allow_redirects=False, timeout=_TIMEOUTS
            ) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["Location"])
                    continue
                if response.status_code in (404, 410):
                    raise NotFound(f"{url}: the site has no such file")
                if response.status_code in self._retries.status_forcelist:
                    raise _Refused(response)
                if response.status_code not in (200, 206, 416):
                    raise Unavailable(f"{url}: the site answered with status {response.status_code}")
                yield response
                return
        raise Unavailable(f"{url}: the site redirects more than {_MOST_REDIRECTS} times")

    def _refuse_full_disk(self, missing: int) -> None:
        if shutil.disk_usage(self._folder).free < missing + _RESERVE:
            text = f"{missing:,} bytes are missing of a download, and the disk has not that much left"
            raise OSError(errno.ENOSPC, text, str(self._folder))

    @staticmethod
    def _forget(part: Path) -> None:
        part.unlink(missing_ok=True)
        _begun_path(part).unlink(missing_ok=True)


class _Refused(HTTPError):
    """The site asks to come again later."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"the site answered with status {response.status_code}")
        self.response = response


def _again(retries: Retry, url: str, error: Exception) -> Retry:
    """Return what is left of the attempts after a pause; raises Unavailable when there are none."""
    try:
        left = retries.increment("GET", url, error=error)
    except MaxRetryError:
        raise Unavailable(f"{url}: {_reason(error)}. The same command goes on from there") from error
    left.sleep(error.response.raw if isinstance(error, _Refused) else None)
    return left


def _reason(error: Exception) -> str:
    """Return what failed in one line, without the address that requests puts into it."""
    inner = error
    while getattr(inner, "args", None) and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None)
    return str(reason if isinstance(reason, Exception) else inner).splitlines()[0]


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _identity(url: str, response: requests.Response, at: int) -> _Begun:
    headers = response.headers
    size: int | None = None
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        if match is None or int(match[1]) != at:
            raise ProtocolError("the site sent another part than was asked for")
        size = int(match[2]) if match[2] != "*" else None
    elif response.status_code == 200 and headers.get("Content-Length", "").isdecimal():
        size = int(headers["Content-Length"])
    return _Begun(url, headers.get("ETag"), headers.get("Last-Modified"), size)


def _differs(begun: _Begun, here: _Begun) -> bool:
    pairs = ((begun.etag, here.etag), (begun.modified, here.modified), (begun.size, here.size))
    return any(before is not None and now is not None and before != now for before, now in pairs)


def _refuse_size(name: str, size: int | None, max_bytes: int) -> None:
    if size is not None and size > max_bytes:
        raise LimitExceeded(name, f"the site offers {size:,} bytes, more than the {max_bytes:,} that it should have")


def _copy(response: requests.Response, file: int, at: int, bar: Bar, *, name: str, max_bytes: int) -> None:
    for block in response.raw.stream(_BLOCK, decode_content=False):
        at += len(block)
        _refuse_size(name, at, max_bytes)
        view = memoryview(block)
        while view:
            view = view[os.write(file, view) :]
        bar.at(at)


def _begun_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_begun(part: Path) -> _Begun | None:
    try:
        return _Begun(**json.loads(_begun_path(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write_begun(part: Path, begun: _Begun) -> None:
    _begun_path(part).write_text(json.dumps(asdict(begun)) + "\n", "utf-8")


def _fetched(path: Path, checksum: Checksum | None) -> Fetched | None:
    """Return what a file is, or None if it is not what the checksum is of."""
    names = {"sha256", *([checksum.algorithm] if checksum else [])}
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            for digest in digests.values():
                digest.update(block)
    if checksum is not None and digests[checksum.algorithm].hexdigest() != checksum.digest.lower():
        return None
    return Fetched(path, digests["sha256"].hexdigest(), path.stat().st_size)
