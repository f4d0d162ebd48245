"""A CDS client: its keys, its tokens and its calls, as the sandbox of CDS Hooks makes them."""

from __future__ import annotations

import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://sandbox.cds-hooks.org"
JKU = "https://sandbox.cds-hooks.org/.well-known/jwks.json"
KID = "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f"
NOW = 1_795_500_000

_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@cache
def private_key(algorithm: str = "ES384", number: int = 0) -> Any:
    """Return a key of its own for each algorithm and number."""
    if algorithm.startswith("ES"):
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, 2048 if number < 9 else 1024)


def public_jwk(algorithm: str = "ES384", kid: str = KID, number: int = 0) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    maker = jwt.get_algorithm_by_name(algorithm)
    jwk: dict[str, Any] = json.loads(maker.to_jwk(private_key(algorithm, number).public_key()))
    return jwk | {"kid": kid, "use": "sig"}


def key_set(*keys: dict[str, Any]) -> dict[str, Any]:
    """Return a JWK Set."""
    return {"keys": list(keys or (public_jwk(),))}


def write_keys(path: Path, *keys: dict[str, Any]) -> Path:
    """Write a JWK Set."""
    path.write_text(json.dumps(key_set(*keys)))
    return path


def claims(aud: Any, now: float = NOW, **changes: Any) -> dict[str, Any]:
    """Return the claims of the sandbox, some of them changed; None leaves one out."""
    made = {"iss": ISSUER, "aud": aud, "exp": int(now) + 300, "iat": int(now), "jti": str(uuid.uuid4())} | changes
    return {name: value for name, value in made.items() if value is not None}


def token(
    aud: Any, *, now: float = NOW, algorithm: str = "ES384", header: Any = None, number: int = 0, **changes: Any
) -> str:
    """Return a signed token of the sandbox."""
    head = {"typ": "JWT", "kid": KID, "jku": JKU} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(claims(aud, now, **changes), private_key(algorithm, number), algorithm=algorithm, headers=head)
