"""The CIP-API server that cases are fetched from: its name, its address, and who asks.

The name is always given, never guessed from an address, as two of the public servers are easily taken for one another.
Secrets come from variables of the environment or from files that such variables name, from nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.config import Settings, is_loopback
from app.errors import InvalidInput, Misconfigured, quoted

HOSTS = {
    "SIT": "cipapi-beta.genomicsengland.co.uk",
    "UAT": "cipapi-gms-beta.genomicsengland.nhs.uk",
    "PROD": "cipapi.genomicsengland.nhs.uk",
}
"""Public names of Genomics England's servers"""

_API = "/api/2"
_RESERVED = frozenset({"file", "server"})
"""Origins of cases that come from no other server"""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client that a directory knows; the secret is in no representation."""

    tenant: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user of the server itself; the password is in no representation."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """A server with its name; ``base_url`` ends with ``/api/2``, ``login_url`` has no slash at its end."""

    name: str
    base_url: str
    login_url: str
    credentials: ClientCredentials | UserCredentials

    def __str__(self) -> str:
        return f"{self.name} ({self.base_url})"


def read_environment(name: str, settings: Settings, variables: Mapping[str, str]) -> Environment:
    """Return the environment of a name, as ``CIPAPI_…`` variables describe it.

    Raises:
        InvalidInput: the name cannot be one.
        Misconfigured: something is missing, contradicts the name, or would be sent without encryption.
    """
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()) or len(name) > 32:
        raise InvalidInput(f"{quoted(name)} is no name of an environment, such as {', '.join(HOSTS)}")
    if name.lower() in _RESERVED:
        raise InvalidInput(f"{quoted(name)} cannot be the name of an environment")
    name = name.upper() if name.upper() in HOSTS else name
    base = _base_url(name, _text(variables, "CIPAPI_BASE_URL"))
    login = _checked(settings.cip_login_url, "OPERON_CIP_LOGIN_URL")
    return Environment(name, base, login, _credentials(variables))


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address; raises ValueError where it is none."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _base_url(name: str, given: str | None) -> str:
    if given is None:
        if name not in HOSTS:
            raise Misconfigured(f"CIPAPI_BASE_URL is needed: only the addresses of {', '.join(HOSTS)} are known")
        return f"https://{HOSTS[name]}{_API}"
    base = _checked(given, "CIPAPI_BASE_URL").removesuffix(_API) + _API
    for other, host in HOSTS.items():
        if other != name and origin_of(base)[1] == host:
            raise Misconfigured(f"CIPAPI_BASE_URL is the address of {other}, not of {name}")
    return base


def _checked(url: str, variable: str) -> str:
    """Return an address without the slash at its end; http is for this machine alone."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = origin_of(url)
    except ValueError as error:
        raise Misconfigured(f"{variable} is no address") from error
    # What stands in a user part would be a secret on the screen.
    if not host or parts.username is not None or parts.query or parts.fragment or not url.isascii() or " " in url:
        raise Misconfigured(f"{variable} is no address like https://HOST/api/2")
    if scheme != "https" and not (scheme == "http" and is_loopback(host)):
        raise Misconfigured(f"{variable} is not https")
    return url.rstrip("/")


def _credentials(variables: Mapping[str, str]) -> ClientCredentials | UserCredentials:
    client = {name: _text(variables, name) for name in ("CIPAPI_TENANT_ID", "CIPAPI_CLIENT_ID", "CIPAPI_CLIENT_SECRET")}
    user = {name: _text(variables, name) for name in ("CIPAPI_USERNAME", "CIPAPI_PASSWORD")}
    if any(client.values()) and any(user.values()):
        raise Misconfigured("CIPAPI_CLIENT_ID and CIPAPI_USERNAME exclude each other: say who asks in one way")
    if not any(user.values()):
        tenant, client_id, secret = _all_of(client)
        if "/" in tenant or "?" in tenant or "#" in tenant:
            raise Misconfigured("CIPAPI_TENANT_ID is no identifier of a tenant")
        return ClientCredentials(tenant, client_id, secret)
    return UserCredentials(*_all_of(user))


def _all_of(values: Mapping[str, str | None]) -> list[str]:
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise Misconfigured(f"{' and '.join(missing)} must be given, or a file of it as {missing[0]}_FILE")
    return [value for value in values.values() if value]


def _text(variables: Mapping[str, str], name: str) -> str | None:
    """Return what a variable says, or the file that ``…_FILE`` names."""
    value, file = variables.get(name, "").strip(), variables.get(f"{name}_FILE", "").strip()
    if value and file:
        raise Misconfigured(f"{name} and {name}_FILE exclude each other")
    if not file:
        return value or None
    try:
        text = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}_FILE: the file cannot be read") from error
    if not text or "\n" in text:
        raise Misconfigured(f"{name}_FILE: the file must have one line")
    return text
