r"""Who a client is by its TLS certificate, which this server or a proxy before it has verified.

``direct``: the server's TLS demands a certificate of the listed authorities, and the protocol hands its subject on as
the TLS extension of ASGI (https://asgi.readthedocs.io/en/latest/specs/tls.html). ``proxy``: headers of a trusted proxy.

>>> common_name("CN=Example Lab\\\\, Ltd,O=Lab,C=FI")
'Example Lab, Ltd'
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from functools import cached_property

from starlette.types import Scope

from app.api.scope import PEER, read_headers
from app.config import Settings
from app.errors import Misconfigured, NotAllowed, NotAuthenticated

_PART = re.compile(r'\s*([A-Za-z0-9.]+)\s*=((?:[^,+"\\]|\\.)*)(?:[,+]|$)', re.DOTALL)
_ESCAPED = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.", re.DOTALL)


def check(settings: Settings) -> None:
    """Raise Misconfigured if the settings about certificates contradict each other or let everybody in."""
    mode = settings.abomics_client_cert
    if mode == "off":
        return
    if not names_of(settings):
        raise Misconfigured(f"OPERON_ABOMICS_CLIENT_CERT={mode} lets nobody in without OPERON_ABOMICS_CLIENTS")
    if mode == "proxy" and not proxies_of(settings):
        raise Misconfigured("OPERON_ABOMICS_CLIENT_CERT=proxy needs OPERON_TRUSTED_PROXIES")
    files = {
        "OPERON_TLS_CERT_FILE": settings.tls_cert_file,
        "OPERON_TLS_KEY_FILE": settings.tls_key_file,
        "OPERON_TLS_CLIENT_CA_FILE": settings.tls_client_ca_file,
    }
    for name, path in files.items():
        if mode == "direct" and (path is None or not path.is_file()):
            raise Misconfigured(f"OPERON_ABOMICS_CLIENT_CERT=direct needs a file named by {name}")


def names_of(settings: Settings) -> frozenset[str]:
    """Return the common names that are let in."""
    return frozenset(name.strip() for name in settings.abomics_clients.split(",") if name.strip())


def proxies_of(settings: Settings) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks of trusted proxies. Raises Misconfigured for what is no address."""
    try:
        given = [text.strip() for text in settings.trusted_proxies.split(",") if text.strip()]
        return [ipaddress.ip_network(text) for text in given]
    except ValueError as error:
        raise Misconfigured(f"OPERON_TRUSTED_PROXIES: {error}") from error


class ClientCertificates:
    """Tells who calls, and refuses whoever does not prove it or is not listed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _names(self) -> frozenset[str]:
        return names_of(self.settings)

    @cached_property
    def _proxies(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return proxies_of(self.settings)

    def guards_everything(self) -> bool:
        """Return whether every path needs a certificate, since the server is open to the network."""
        return self.settings.abomics_client_cert == "direct"

    def common_name(self, scope: Scope) -> str | None:
        """Return the common name that is proven; None where none is asked for or none is proven."""
        match self.settings.abomics_client_cert:
            case "direct":
                tls = (scope.get("extensions") or {}).get("tls") or {}
                return common_name(tls.get("client_cert_name") or "")
            case "proxy" if self._is_proxy(scope):
                headers = read_headers(scope)
                if headers.get(b"x-ssl-client-verify") == b"SUCCESS":
                    return common_name(headers.get(b"x-ssl-client-s-dn", b"").decode("utf-8", "replace"))
        return None

    def admit(self, name: str | None) -> None:
        """Let a client in.

        Raises:
            NotAuthenticated: no name is proven.
            NotAllowed: the name is not listed.
        """
        if self.settings.abomics_client_cert == "off":
            return
        if name is None:
            raise NotAuthenticated("A valid client certificate is required")
        given = name.encode()
        if not any(hmac.compare_digest(given, listed.encode()) for listed in self._names):
            raise NotAllowed("This client certificate is not allowed here")

    def _is_proxy(self, scope: Scope) -> bool:
        peer = scope.get(PEER) or scope.get("client")
        try:
            address = ipaddress.ip_address(peer[0]) if peer else None
        except ValueError:
            return False
        return address is not None and any(address in network for network in self._proxies)


def common_name(subject: str) -> str | None:
    """Return the common name of a subject (RFC 4514); None unless there is just one.

    A quoted value, as older notations have it, is not read: its commas would look like the ends of names.
    """
    names, at = [], 0
    while at < len(subject):
        part = _PART.match(subject, at)
        if part is None:
            return None
        if part[1].upper() in ("CN", "2.5.4.3"):
            names.append(_ESCAPED.sub(_unescaped, part[2]).strip())
        at = part.end()
    return names[0] if len(names) == 1 and names[0] else None


def _unescaped(match: re.Match[str]) -> str:
    escaped = match[0]
    if len(escaped) == 2:
        return escaped[1]
    return bytes.fromhex(escaped.replace("\\", "")).decode("utf-8", "replace")
