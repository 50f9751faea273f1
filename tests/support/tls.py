"""Create certificates, and run the mock server behind TLS on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mock_api.items import Item
from mock_api.serving import Server, serving

_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "connector tests")])
_USAGE = x509.KeyUsage(
    **dict.fromkeys(("digital_signature", "key_cert_sign"), True),
    **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False),
    **dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False),
)


def self_signed(folder: Path, host: str, *, valid_days: int = 1) -> Path:
    """Write a self-signed certificate for one host, and its key, to a file; return its path.

    It is trusted only if the file is configured as a CA certificate. With negative `valid_days`,
    it has expired. Python 3.13 and newer require the extensions.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(timezone.utc)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(_NAME, _NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=valid_days))
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{host}.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    return path


def serving_tls(
    certificate: Path, catalogs: Mapping[str, Sequence[Item]], token: str
) -> AbstractContextManager[Server]:
    """Run the mock server behind a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serving(catalogs, token=token, tls=context)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
