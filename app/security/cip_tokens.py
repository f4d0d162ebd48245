"""Tokens of the CIP-API-compatible interface: JSON Web Tokens (HS256) with the claims that its clients read.

Each user's tokens are signed by a key of their own, which another password changes: a user who is removed, or gets
another password, has no tokens any more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import jwt

PURPOSE: Final = "tokens of the CIP-API-compatible interface"
_ALGORITHM: Final = "HS256"
_LONGEST: Final = 8192


class Verdict(Enum):
    """What is to be thought of a token."""

    GOOD = "good"
    EXPIRED = "expired"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token is for."""

    username: str
    user_id: int
    email: str


def user_key(key: bytes, username: str, password_digest: str) -> bytes:
    """Return the key that the tokens of a user are signed by."""
    return hmac.new(key, f"{username}\0{password_digest}".encode(), hashlib.sha256).digest()


def issue(key: bytes, holder: Holder, *, now: int, seconds: int) -> str:
    """Return a token that is good from now on."""
    claims = {
        "user_id": holder.user_id,
        "username": holder.username,
        "email": holder.email,
        "orig_iat": now,
        "exp": now + seconds,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def claimed_username(token: str) -> str | None:
    """Return the user whom a token names, whose key has to show whether that is true; None if it names nobody."""
    if len(token) > _LONGEST:
        return None
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    name = claims.get("username")
    return name if isinstance(name, str) else None


def judge(key: bytes, token: str, *, now: int) -> Verdict:
    """Return whether a token was signed by a key, and is still good."""
    options: Mapping[str, Any] = {"require": ["exp", "orig_iat"], "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options=dict(options))  # type: ignore[arg-type]
    except jwt.PyJWTError:
        return Verdict.BAD
    expires = claims["exp"]
    if not isinstance(expires, int):
        return Verdict.BAD
    return Verdict.GOOD if now < expires else Verdict.EXPIRED
