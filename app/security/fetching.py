"""Fetching small JSON documents from sites that the settings name, and from nowhere else.

Addresses come from callers (``fhirServer``) or from the settings (JWK Sets). What is asked must lie below a listed base
URL; a name is resolved once, every address of it is checked, and the connection goes to that very address, so that a
name server cannot answer differently in between. No redirect is followed, no proxy is used, time and size are limited.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson

from app import __version__
from app.config import is_loopback
from app.errors import Misconfigured, quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:-]+)*/?", re.ASCII)
"""No user, query, fragment, escape or empty step: nothing that two readers could understand differently"""
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_THREADS = 4


class NotFetched(Exception):
    """A document was not fetched; the text names no address."""


class Place(NamedTuple):
    """The parts of a URL; the path has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Site:
    """A base URL that documents may be fetched below, and addresses beside the public ones that it may have."""

    base: Place
    networks: tuple[Network, ...] = ()

    def holds(self, place: Place) -> bool:
        """Return whether a place is the base or lies below it."""
        below = place.path == self.base.path or place.path.startswith(self.base.path + "/")
        return below and place[:3] == self.base[:3]

    def may_have(self, address: Address) -> bool:
        """Return whether the site may be reached at an address."""
        inner = _embedded(address)
        return any(inner in network for network in self.networks) or (inner.is_global and not inner.is_multicast)


def read_site(text: str, setting: str) -> Site:
    """Read ``URL`` or ``URL NETWORK``.

    Raises:
        Misconfigured: the URL cannot be used, or it is http and not loopback.
    """
    url, _, network = (piece.strip() for piece in text.strip().partition(" "))
    try:
        base = _split(url)
        networks: tuple[Network, ...] = (ipaddress.ip_network(network),) if network else ()
    except ValueError as error:
        raise Misconfigured(f"{setting}: '{quoted(text)}' is no URL, or URL NETWORK, that can be used") from error
    if base.scheme == "http" and not is_loopback(base.host):
        raise Misconfigured(f"{setting}: '{quoted(text)}' is not https")
    return Site(base, networks + _own_networks(base.host))


class Fetcher:
    """Fetches JSON below the given sites; ``resolve`` stands in for the name service in tests."""

    def __init__(
        self,
        sites: Iterable[Site],
        *,
        seconds: float,
        most_bytes: int = 2**20,
        resolve: Resolve | None = None,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._sites = tuple(sites)
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._resolve = resolve or _resolve
        self._trust = trust
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="operon-fetch")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust()

    def json(self, url: str, *, token: str | None = None, accept: str = "application/json") -> Any:
        """Return the document at an address.

        Raises:
            NotFetched: it is not allowed, does not come in time, is too large, or is not JSON.
        """
        site, place = self._site(url)
        headers = {"Accept": accept, "User-Agent": f"operon/{__version__}", "Connection": "close"}
        if token is not None:
            if not _TOKEN.fullmatch(token):
                raise NotFetched("the token has characters that no token has")
            headers["Authorization"] = f"Bearer {token}"
        opened: list[_Pinned] = []
        body: Future[bytes] = self._pool.submit(self._get, opened, site, place, headers)
        try:
            return orjson.loads(body.result(timeout=self._seconds))
        except TooLate:
            body.cancel()
            for connection in opened:  # whoever waits for it is woken up
                connection.abort()
            raise NotFetched("no answer in time") from None
        except orjson.JSONDecodeError:
            raise NotFetched("the answer is not JSON") from None
        except (OSError, http.client.HTTPException) as error:
            raise NotFetched(f"the site cannot be asked: {type(error).__name__}") from None

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _site(self, url: object) -> tuple[Site, Place]:
        try:
            place = _split(url)
        except ValueError:
            raise NotFetched("the address cannot be read") from None
        for site in self._sites:
            if site.holds(place):
                return site, place
        raise NotFetched("the address is not allowed")

    def _get(self, opened: list[_Pinned], site: Site, place: Place, headers: Mapping[str, str]) -> bytes:
        found = [ipaddress.ip_address(text) for text in self._resolve(place.host, place.port)]
        if not found or not all(map(site.may_have, found)):
            raise NotFetched("the site has an address that is not allowed")
        tls = self._tls if place.scheme == "https" else None
        connection = _Pinned(place, str(found[0]), tls, self._seconds)
        opened.append(connection)
        try:
            connection.request("GET", place.path or "/", headers=headers)
            with connection.getresponse() as response:
                if response.status != 200:
                    raise NotFetched(f"the site answered with status {response.status}")
                body = response.read(self._most_bytes + 1)
        finally:
            connection.close()
        if len(body) > self._most_bytes:
            raise NotFetched("the answer is too large")
        return body


class _Pinned(http.client.HTTPConnection):
    """A connection to a site at one checked address."""

    def __init__(self, place: Place, address: str, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(place.host, place.port, timeout=seconds)
        self.default_port = _PORTS["https" if tls else "http"]
        self._address = address
        self._tls = tls
        self._opened: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the address, and have the site prove its name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain
        self._opened = self.sock  # a response takes it over from the connection

    def abort(self) -> None:
        """Stop what waits on the connection in another thread."""
        if self._opened is not None:
            try:
                self._opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _split(url: object) -> Place:
    """Return the parts of a URL; raises ValueError for what could be understood in two ways."""
    if not isinstance(url, str) or len(url) > 2048 or not _URL.fullmatch(url):
        raise ValueError("not a plain URL")
    parts: SplitResult = urlsplit(url)
    steps = parts.path.rstrip("/").split("/")
    if parts.hostname is None or "." in steps or ".." in steps:
        raise ValueError("not a plain URL")
    port = parts.port
    return Place(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port, "/".join(steps))


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]).partition("%")[0] for *_, address in found]


def _own_networks(host: str) -> tuple[Network, ...]:
    """Return the addresses that a listed host names itself."""
    if host == "localhost":
        return _LOOPBACK
    try:
        return (ipaddress.ip_network(host),)
    except ValueError:
        return ()


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
