"""Certificates of an authority that exists for a moment: it signs, and its key is forgotten."""

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

A_SLOW_CLOCK = timedelta(days=1)


class Authority:
    """Signs certificates with a key that is never written anywhere."""

    def __init__(self, name: str, lifetime: timedelta) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._lifetime = lifetime
        own = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = self._signed(self._name, self._key, own)

    def client(self, name: str) -> tuple[bytes, bytes]:
        """Return a client's certificate and key, both PEM."""
        return self._issue(name, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))

    def server(self, name: str, address: str) -> tuple[bytes, bytes]:
        """Return the certificate and key, both PEM, of a server at an IP address."""
        return self._issue(
            name,
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
        )

    def _issue(self, name: str, *extensions: x509.ExtensionType) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        plain = x509.BasicConstraints(ca=False, path_length=None)
        certificate = self._signed(_name(name), key, plain, *extensions)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return certificate, secret

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - A_SLOW_CLOCK)
            .not_valid_after(now + self._lifetime)
        )
        for each in extensions:
            builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
