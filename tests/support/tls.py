"""Create certificates, and run servers behind TLS on loopback."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mock_api.items import Item
from mock_api.serving import Server, serving

_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "connector tests")])
_CA_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of connector tests")])
_USAGE = x509.KeyUsage(
    **dict.fromkeys(("digital_signature", "key_cert_sign"), True),
    **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False),
    **dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False),
)
_PEM = serialization.Encoding.PEM


def self_signed(folder: Path, host: str, *, valid_days: int = 1) -> Path:
    """Write a self-signed certificate for one host, and its key, to a file; return its path.

    It is trusted only if the file is configured as a CA certificate. With negative `valid_days`,
    it has expired. Python 3.13 and newer require the extensions.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(_NAME, _NAME, key, valid_days)
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return _written(folder / f"{host}.pem", certificate, key)


def signed_by_an_old_ca(folder: Path, host: str) -> tuple[Path, Path]:
    """Write a certificate for one host, and that of its CA; return their paths.

    The certificate has no Authority Key Identifier, so Python 3.13 and newer refuse it.
    """
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = (
        _builder(_CA_NAME, _CA_NAME, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        _builder(_NAME, _CA_NAME, key)
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return _written(folder / f"{host}.pem", certificate, key), _written(
        folder / "ca.pem", ca, ca_key
    )


def serving_tls(
    certificate: Path, catalogs: Mapping[str, Sequence[Item]], token: str
) -> AbstractContextManager[Server]:
    """Run the mock server behind a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serving(catalogs, token=token, tls=context)


class _DemandingCertificates(socketserver.BaseRequestHandler):
    """Fail the handshake with an alert, which asyncio's server would not send."""

    context: ssl.SSLContext

    def handle(self) -> None:
        connection = self.context.wrap_socket(
            self.request, server_side=True, do_handshake_on_connect=False
        )
        try:
            connection.do_handshake()
        except ssl.SSLError:
            # Closed with unread data, the connection would be reset before the alert is read.
            with socket.socket(fileno=connection.detach()) as raw:
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(65536):
                    pass


@contextmanager
def demanding_certificates(certificate: Path) -> Iterator[str]:
    """Run a server that demands a client certificate; yield its base_url."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    handler = type("Handler", (_DemandingCertificates,), {"context": context})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid_days: int = 1,
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=valid_days))
    )


def _written(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
    private = key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(_PEM) + private)
    return path


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
