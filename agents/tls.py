"""TLS as the service asks for it, and the run's own certificate authority.

TLS 1.2 with ECDHE and AES-256 in GCM mode (call-flow-topologies, "Media
encryption"); every connection's secrets go to the agent's key log.
"""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: The one suite, by OpenSSL's name.
CIPHERS = "ECDHE-ECDSA-AES256-GCM-SHA384"

_VALIDITY = datetime.timedelta(days=2)


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for one run."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def write(self, path: Path) -> None:
        """Store the certificate (never the key) as PEM."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, domain: str, path: Path, *more: str) -> None:
        """Make a server certificate for a domain name, and ``more`` names of the same server.

        Key and certificate are one PEM file.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(domain, self.certificate.subject, key.public_key()).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in (domain, *more)]),
            critical=False,
        )
        certificate = builder.sign(self.key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.touch(mode=0o600)
        path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))


def new_authority(called: str = "Callpath run CA") -> Authority:
    """Make a certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, called)])
    builder = _certificate(called, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Authority(key, builder.sign(key, hashes.SHA256()))


class _Session(ssl.SSLObject):
    """A session whose client says why it ends a handshake, as clients do (RFC 5246, 7.2.2).

    asyncio gives up at once, and drops the alert that is ready to be sent. So it is told to
    wait for more, and sends it first.
    """

    _refused: ssl.SSLCertVerificationError | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        if self._refused:
            raise self._refused
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            self._refused = error
            assert isinstance(self.context, ClientContext)
            self.context.refusal = error.verify_message
            raise ssl.SSLWantReadError from error


class ClientContext(ssl.SSLContext):
    """What a client trusts, and why it last refused a certificate."""

    sslobject_class = _Session
    refusal: str | None = None


def client_context(authority: Path, key_log: Path) -> ClientContext:
    """A context that trusts only the authorities of a file."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    _hardened(context, key_log)
    return context


def server_context(certificate: Path, key_log: Path) -> ssl.SSLContext:
    """A context that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return _hardened(context, key_log)


def _hardened(context: ssl.SSLContext, key_log: Path) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # A resumed session would hide its secrets from a key log that began later.
    context.options |= ssl.OP_NO_TICKET
    context.keylog_filename = str(key_log)
    return context


def _certificate(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALIDITY)
        .not_valid_after(now + _VALIDITY)
    )
