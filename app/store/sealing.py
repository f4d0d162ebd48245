"""The secret of an installation: digests that only it can make, and texts that only it can read.

The secret is a file and no row, so that a copy of the database alone tells neither PINs nor whom an audit is about.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import Misconfigured

_SECRET_BYTES = 32
_NONCE_BYTES = 12
_DIGEST_CHARACTERS = 32


class Sealer:
    """Digests and encrypts by one secret; every purpose has a key of its own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, purpose: str, text: str) -> str:
        """Return a digest that nobody can compare with guesses who does not know the secret."""
        return hmac.new(self.key(purpose), text.encode(), hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]

    def seal(self, purpose: str, text: str) -> str:
        """Return a text encrypted."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + AESGCM(self.key(purpose)).encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, purpose: str, sealed: str) -> str | None:
        """Return what was encrypted; None if it was not by this secret."""
        data = urlsafe_b64decode(sealed)
        try:
            return AESGCM(self.key(purpose)).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None).decode()
        except InvalidTag:
            return None

    def key(self, purpose: str) -> bytes:
        """Return the key of a purpose, of 32 bytes."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()


def open_sealer(path: Path) -> Sealer:
    """Return the sealer of the secret in a file, which is made if there is none.

    Raises:
        Misconfigured: the file cannot be read or made, or holds no secret.
    """
    try:
        if not path.exists():
            _make(path)
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise Misconfigured(f"The secret {path} cannot be read or made: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"The secret {path} is not hexadecimal") from error
    if len(secret) < _SECRET_BYTES:
        raise Misconfigured(f"The secret {path} is shorter than {_SECRET_BYTES} bytes")
    return Sealer(secret)


def _make(path: Path) -> None:
    """Write a new secret; of several processes that do so at once, the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(_SECRET_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
