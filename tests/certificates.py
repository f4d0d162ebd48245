"""Certificates of a certificate authority that lives as long as a test."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Pair = tuple[Path, Path]
"""Certificate and key"""


class Authority:
    """Signs certificates of servers and clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self._name_text = name
        certificate = self._begin(self._name, self._key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(self) -> Pair:
        """Return the certificate of a server on this machine."""
        local = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return self._issue("server", _named("server"), local)

    def client(self, name: str) -> Pair:
        """Return the certificate of a client."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(f"client-{abs(hash(name))}", _named(name), usage)

    def _issue(self, file: str, subject: x509.Name, extension: x509.ExtensionType) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self._begin(subject, key).add_extension(extension, critical=False).sign(self._key, hashes.SHA256())
        certificate_file = self.folder / f"{self._name_text}-{file}.pem"
        key_file = certificate_file.with_suffix(".key")
        certificate_file.write_bytes(signed.public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate_file, key_file

    def _begin(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )


def _named(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Operon"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
