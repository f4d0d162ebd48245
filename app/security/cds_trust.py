"""Whether a token of a CDS client can be believed (https://cds-hooks.hl7.org/2.0/#trusting-cds-clients).

Who calls is known by the issuer, and each issuer has one set of keys: a client cannot sign in another one's name.
Nothing in a token leads anywhere: ``jku`` has to be the address that the settings give for the issuer.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import jwt
import orjson

from app.config import Settings
from app.errors import Misconfigured, quoted
from app.security.fetching import Fetcher, NotFetched, Site, read_site

_ALGORITHMS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
}
"""Signatures with public keys: type of key, curve"""
_SKEW = 30
_LONGEST_LIFE = 24 * 3600
_REFRESH = 300
"""Seconds between two looks at a key set, even if a token names an unknown key"""
_KEPT = 3600
"""Seconds that a key set is used before it is read again"""
_LONGEST_TOKEN = 8192
_LONGEST_ID = 512
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Token:
    """What counts of a token that is believed; ``digest`` stands for issuer and jti."""

    issuer: str
    digest: str
    expires: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call goes on, as whom, and if not for which reason (for the operator, never for the caller)."""

    allowed: bool
    token: Token | None = None
    reason: str = ""


@dataclass(slots=True)
class _KeySet:
    """The keys of one client, and when they were looked at."""

    keys: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    read_at: float = -math.inf
    tried_at: float = -math.inf
    lock: Lock = field(default_factory=Lock)
    """A site that is slow holds up nobody but its own clients"""


@dataclass(frozen=True, slots=True)
class Client:
    """A CDS client that is trusted: its issuer, and where its keys are."""

    issuer: str
    keys: str
    """Address or file"""
    jku: str
    """The one address that a token may name; empty: none"""
    site: Site | None
    """None: a file"""
    held: _KeySet = field(default_factory=_KeySet, compare=False)


class Refused(Exception):
    """A token is not believed; the text is one of a few words."""


class CdsTrust:
    """Believes tokens of the clients in the settings; safe for several threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        fetch: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the settings.

        Raises:
            Misconfigured: a client or an algorithm is not written as it has to be.
        """
        self.mode = mode_of(settings)
        self._clients = {client.issuer: client for client in read_clients(settings.cds_clients)}
        self._algorithms = _read_algorithms(settings.cds_algorithms)
        sites = [client.site for client in self._clients.values() if client.site is not None]
        self._fetcher = Fetcher(sites, seconds=2)
        self._fetch = fetch or self._fetcher.json
        self._clock = clock
        self._bases = public_bases(settings)

    def judge(self, authorization: str, path: str) -> Verdict:
        """Return whether a call of a path below the public base goes on."""
        if self.mode == "off" or (self.mode == "optional" and not authorization):
            return Verdict(allowed=True)
        try:
            return Verdict(True, self._believe(authorization, {base + path for base in self._bases}))
        except Refused as refused:
            return Verdict(False, reason=str(refused))

    def close(self) -> None:
        """Release what is open."""
        self._fetcher.close()

    def _believe(self, authorization: str, addresses: Iterable[str]) -> Token:
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text or len(text) > _LONGEST_TOKEN:
            raise Refused("no token")
        try:
            header = jwt.get_unverified_header(text)
            claims = jwt.decode(text, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused("unreadable") from None
        algorithm, kid = self._check_header(header)
        client = self._clients.get(_text(claims.get("iss")))
        if client is None:
            raise Refused("issuer")
        if "jku" in header and header["jku"] != client.jku:
            raise Refused("jku")
        self._check_signature(text, algorithm, self._key(client, kid, algorithm))
        return self._check_claims(claims, client.issuer, addresses)

    def _check_header(self, header: Mapping[str, Any]) -> tuple[str, str]:
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise Refused("algorithm")
        if str(header.get("typ", "")).upper() != "JWT" or "crit" in header or "b64" in header:
            raise Refused("type")
        if not _text(kid):
            raise Refused("key id")
        return algorithm, _text(kid)

    def _key(self, client: Client, kid: str, algorithm: str) -> jwt.PyJWK:
        keys = self._keys(client, kid).get(kid, [])
        kind, curve = _ALGORITHMS[algorithm]
        fitting = [key for key in keys if key.get("kty") == kind and (curve is None or key.get("crv") == curve)]
        if len(keys) != 1 or len(fitting) != 1:
            raise Refused("key")
        try:
            made = jwt.PyJWK(fitting[0], algorithm=algorithm)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Refused("key") from None
        if kind == "RSA" and made.key.key_size < _LEAST_RSA_BITS:
            raise Refused("key")
        return made

    def _check_signature(self, text: str, algorithm: str, key: jwt.PyJWK) -> None:
        try:
            # The claims are checked here, with the clock that tests set and the rules of CDS Hooks.
            options: Any = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
            jwt.decode(text, key=key, algorithms=[algorithm], options=options)
        except (jwt.PyJWTError, ValueError):
            raise Refused("signature") from None

    def _check_claims(self, claims: Mapping[str, Any], issuer: str, addresses: Iterable[str]) -> Token:
        now = self._clock()
        expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
        if expires <= now - _SKEW:
            raise Refused("expired")
        if issued > now + _SKEW or ("nbf" in claims and _moment(claims["nbf"]) > now + _SKEW):
            raise Refused("not yet valid")
        if not 0 < expires - issued <= _LONGEST_LIFE:
            raise Refused("lifetime")
        audience = claims.get("aud")
        named = [audience] if isinstance(audience, str) else audience
        if not isinstance(named, list) or not {_text(one).rstrip("/") for one in named} & set(addresses):
            raise Refused("audience")
        jti = _text(claims.get("jti"))
        if not jti:
            raise Refused("jti")
        digest = hashlib.sha256(orjson.dumps([issuer, jti])).hexdigest()
        return Token(issuer, digest, math.ceil(expires) + _SKEW)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def _keys(self, client: Client, kid: str) -> Mapping[str, list[dict[str, Any]]]:
        """Return the keys of a client by their ids; looked at again for an unknown one, though not all the time."""
        held = client.held
        with held.lock:
            now = self._clock()
            is_known = kid in held.keys and now - held.read_at < _KEPT
            if not is_known and now - held.tried_at >= _REFRESH:
                held.tried_at = now
                read = self._read(client)
                if read is not None:
                    held.keys, held.read_at = read, now
            if now - held.read_at > _LONGEST_LIFE:  # a site that is away for so long vouches for nothing
                held.keys = {}
            return held.keys

    def _read(self, client: Client) -> Mapping[str, list[dict[str, Any]]] | None:
        try:
            document = (
                self._fetch(client.keys) if client.site is not None else orjson.loads(Path(client.keys).read_bytes())
            )
        except (NotFetched, OSError, orjson.JSONDecodeError):
            return None
        keys = document.get("keys") if isinstance(document, dict) else None
        found: dict[str, list[dict[str, Any]]] = {}
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, dict) and _text(key.get("kid")) and key.get("use", "sig") == "sig":
                found.setdefault(key["kid"], []).append(key)
        return found


# --- settings ---------------------------------------------------------------------------------------------------------


def mode_of(settings: Settings) -> Literal["off", "optional", "required"]:
    """Return whether tokens are asked for."""
    if settings.cds_auth is not None:
        return settings.cds_auth
    return "off" if settings.is_local else "required"


def read_clients(text: str) -> list[Client]:
    """Read the clients of the setting.

    Raises:
        Misconfigured: an entry is not ``ISSUER KEYS``, or an issuer is there twice.
    """
    clients: list[Client] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        issuer, _, rest = (piece.strip() for piece in entry.partition(" "))
        keys, _, more = (piece.strip() for piece in rest.partition(" "))
        if not issuer or not keys or issuer in {client.issuer for client in clients}:
            raise Misconfigured(f"OPERON_CDS_CLIENTS: '{quoted(entry)}' is not ISSUER KEYS, or its issuer is repeated")
        is_site = "://" in keys
        site = read_site(rest, "OPERON_CDS_CLIENTS") if is_site else None
        clients.append(Client(issuer, keys, keys if is_site else more, site))
    return clients


def _read_algorithms(text: str) -> frozenset[str]:
    named = frozenset(filter(None, map(str.strip, text.split(","))))
    if unknown := sorted(named - set(_ALGORITHMS)):
        raise Misconfigured(f"OPERON_CDS_ALGORITHMS: {quoted(unknown[0])} is none of {', '.join(_ALGORITHMS)}")
    return named


def public_bases(settings: Settings) -> tuple[str, ...]:
    """Return the addresses under which services are called; never what a request says of itself."""
    if settings.base_url:
        return (settings.base_url.rstrip("/"),)
    hosts = dict.fromkeys((settings.host, *(("localhost", "127.0.0.1") if settings.is_local else ())))
    return tuple(f"http://{host}:{settings.port}" for host in hosts)


# --- claims -----------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_ID else ""


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("times")
    return float(value)
