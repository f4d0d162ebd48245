"""Requests to a CIP-API server and its login: tried again where that can help, to no other host, and of bounded size.

A request is tried five times at most, after pauses that double (0.8 s, 1.6 s, …) plus a random part, or as long as the
server asks for (``Retry-After``). Nothing of the machine's surroundings counts: no proxy variables, and no ``.netrc``,
which would take the place of the token.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util.retry import Retry

from app import __version__
from app.config import Settings
from app.errors import LimitExceeded, Unavailable
from ingest.cip_environment import origin_of

TRIES = 5
_AGAIN = frozenset({429, 500, 502, 503, 504})
_FIRST_PAUSE = 0.8
_LONGEST_PAUSE = 300.0
_MOST_REDIRECTS = 3
_BLOCK = 1 << 18
_READS_AN_ANSWER = 10
"""A server that sends a byte now and then is not waited for forever"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came in full: its status, its bytes, and the JSON in them (None where there is none)."""

    status: int
    body: bytes
    json: Any


@dataclass(frozen=True, slots=True)
class Waits:
    """How time passes; tests hand in their own."""

    pause: Callable[[float], object] | None = None
    """None: the time passes, unless the sender is closed meanwhile"""
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


class Sender:
    """Sends requests to one server; may be used by several threads."""

    def __init__(self, base_url: str, settings: Settings, waits: Waits) -> None:
        self._home = origin_of(base_url)
        self._settings = settings
        self._waits = waits
        self._own = threading.local()
        self._opened: list[requests.Session] = []
        self._closed = threading.Event()

    def close(self) -> None:
        """Close the connections; whoever waits to try again gives up."""
        self._closed.set()
        for session in self._opened:
            session.close()

    def address(self, url: str, base: str) -> str:
        """Return an address that the server named, relative to another one, if it is one of the server.

        A server behind a proxy may call itself http; it is asked by https all the same.

        Raises:
            Unavailable: it is the address of another server, which the token must not reach.
        """
        try:
            parts = urlsplit(urljoin(base, url))
            if parts.scheme == "http" and self._home[0] == "https" and parts.port is None:
                parts = parts._replace(scheme="https")
            named = urlunsplit(parts)
            is_own = origin_of(named) == self._home and parts.username is None
        except ValueError:
            is_own = False
        if not is_own:
            raise Unavailable("the server leads to another host, which was not followed")
        return named

    def send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        headers: Mapping[str, str],
        data: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request, whatever its status, unless it should be tried again.

        Args:
            method: GET, or POST where a repetition does no harm.
            url: Address without secrets.
            what: What is asked for, for people.
            headers: Headers beside the usual ones.
            data: Form to send.

        Raises:
            Unavailable: it was tried as often as allowed, or leads elsewhere.
            LimitExceeded: the answer is too large.
        """
        for attempt in range(TRIES):
            wait = 0.0
            try:
                return self._once(method, url, headers, data)
            except _Later as later:
                reason, wait = str(later), later.seconds
            except requests.exceptions.SSLError as error:  # it is no better a second later
                raise Unavailable(f"{what}: the server cannot prove who it is") from error
            except (requests.RequestException, HTTPError) as error:
                reason = _reason(error)
            if attempt + 1 < TRIES:
                steps = _FIRST_PAUSE * 2**attempt + _FIRST_PAUSE * self._waits.jitter()
                (self._waits.pause or self._closed.wait)(min(max(steps, wait), _LONGEST_PAUSE))
                if self._closed.is_set():
                    raise Unavailable(f"{what}: {reason}")
        raise Unavailable(f"{what}: {reason}, {TRIES} times")

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: Mapping[str, str] | None,
    ) -> Answer:
        settings = self._settings
        for _ in range(_MOST_REDIRECTS):
            with self._session().request(
                method,
                url,
                headers=dict(headers),
                data=data,
                timeout=(settings.cip_connect_seconds, settings.cip_read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.is_redirect and method == "GET":
                    url = self.address(response.headers["Location"], url)
                    continue
                if response.status_code in _AGAIN:
                    raise _Later(f"status {response.status_code}", _asked_pause(response))
                return self._whole(response)
        raise Unavailable(f"the server redirects more than {_MOST_REDIRECTS} times")

    def _whole(self, response: requests.Response) -> Answer:
        """Return an answer in full; JSON that breaks off is as good as none."""
        until = self._waits.monotonic() + _READS_AN_ANSWER * self._settings.cip_read_seconds
        largest, body = self._settings.cip_answer_max_bytes, bytearray()
        while block := response.raw.read1(_BLOCK, decode_content=True):
            body += block
            if len(body) > largest:
                name = urlsplit(response.url).path
                raise LimitExceeded(name, f"it has more than {largest:,} bytes (OPERON_CIP_ANSWER_MAX_BYTES)")
            if self._waits.monotonic() > until:
                raise _Later("the answer takes too long", 0)
        try:
            return Answer(response.status_code, bytes(body), orjson.loads(body))
        except orjson.JSONDecodeError:
            if response.ok:
                raise _Later("the answer is no JSON, or not all of it", 0) from None
            return Answer(response.status_code, bytes(body), None)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            self._opened.append(session)
            session.trust_env = False
            session.headers.update({"User-Agent": f"operon/{__version__}", "Accept": "application/json"})
            if self._settings.cip_proxy:
                session.proxies = {"http": self._settings.cip_proxy, "https": self._settings.cip_proxy}
            if self._settings.cip_ca_file:
                session.verify = str(self._settings.cip_ca_file)
            for scheme in ("https://", "http://"):
                # Failures are counted here, where those in the middle of a body are seen too.
                session.mount(scheme, HTTPAdapter(max_retries=0))
        return session


class _Later(HTTPError):
    """The request is to be repeated, after ``seconds`` at least."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


def _asked_pause(response: requests.Response) -> float:
    value = response.headers.get("Retry-After")
    if value is None:
        return 0.0
    try:
        return float(Retry().parse_retry_after(value))
    except (InvalidHeader, ValueError, OverflowError):
        return 0.0


def _reason(error: Exception) -> str:
    """Return what failed in a few words; the texts of libraries have addresses and more in them."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached"
    inner: BaseException | None = error
    while inner is not None:
        if "Timeout" in type(inner).__name__ or "timed out" in str(inner):
            return "no answer in time"
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return "the answer broke off"
