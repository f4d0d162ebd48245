"""Passwords of users of the CIP-API-compatible interface: scrypt (RFC 7914) with a salt for each."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

_COST: Final = (2**14, 8, 1)
_NOBODY: Final = "scrypt$16384$8$1$" + "00" * 16 + "$" + "00" * 32
"""Digest that no password has: whoever is unknown takes as long as whoever is known"""


def digest_of(password: str) -> str:
    """Return what is stored in place of a password."""
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, *_COST)
    return "$".join(("scrypt", *map(str, _COST), salt.hex(), made.hex()))


def is_password(given: str, digest: str) -> bool:
    """Return whether a password is the one of a digest; an empty digest has none, and takes no less time."""
    _, n, r, p, salt, wanted = (digest or _NOBODY).split("$")
    made = _scrypt(given, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, bytes.fromhex(wanted)) and bool(digest)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, dklen=32)
