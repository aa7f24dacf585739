"""DTLS-SRTP as the service asks for it, with its secrets logged.

aiortc offers no AES-256-GCM cipher suite by default and has no key log; both
hang on the OpenSSL context that its certificate object makes.
"""

import json
from pathlib import Path
from typing import Self

from aiortc import RTCCertificate, RTCPeerConnection
from aiortc.rtcdtlstransport import RTCDtlsTransport, SRTPProtectionProfile
from OpenSSL import SSL

_CIPHERS = b"ECDHE-ECDSA-AES256-GCM-SHA384"

#: RFC 5764 section 4.2.
_EXPORTER = b"EXTRACTOR-dtls_srtp"


class LoggedCertificate(RTCCertificate):
    """A certificate whose connections write their secrets to an NSS key log."""

    key_log: Path

    @classmethod
    def logging_to(cls, key_log: Path) -> Self:
        """Make a new key and certificate."""
        certificate = cls.generateCertificate()
        certificate.key_log = key_log
        return certificate

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        context.set_keylog_callback(self._log)
        return context

    def _log(self, _connection: SSL.Connection, line: bytes) -> None:
        with self.key_log.open("ab") as file:
            file.write(line + b"\n")


def use_certificate(peer: RTCPeerConnection, certificate: RTCCertificate) -> None:
    """Have a new peer connection use this certificate (aiortc offers no parameter for that)."""
    peer._RTCPeerConnection__certificates = [certificate]  # type: ignore[attr-defined]


def log_srtp_keys(transport: RTCDtlsTransport, call: str, key_log: Path) -> None:
    """Append the SRTP keys of a connected transport as one JSON object a line, in hex."""
    connection = transport._ssl
    assert connection is not None
    name = connection.get_selected_srtp_profile()
    profile = next(p for p in transport._srtp_profiles if p.openssl_profile == name)
    exported = connection.export_keying_material(
        _EXPORTER, 2 * (profile.key_length + profile.salt_length)
    )
    entry = {
        "call": call,
        "profile": name.decode(),
        "client": profile.get_key_and_salt(exported, 0).hex(),
        "server": profile.get_key_and_salt(exported, 1).hex(),
    }
    with key_log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
