"""SRTP as a capture shows it: RTP headers, and whether packets authenticate under given keys."""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import pylibsrtp

_RTP_HEADER = 12
_RTP_VERSION = 2

#: Packets that may be overtaken and still authenticate; libsrtp allows up to 2**15 - 1.
_REPLAY_WINDOW = 2**14


class SrtpError(ValueError):
    """Bytes that are not RTP, or keys that do not fit their profile. Speaks to a person."""


class Profile(IntEnum):
    """SRTP protection profiles (RFC 5764, section 4.1.2; RFC 7714, section 14.2)."""

    AES128_CM_HMAC_SHA1_80 = 0x0001
    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008

    @property
    def key_size(self) -> int:
        """Size of the master key in bytes."""
        return 32 if self is Profile.AEAD_AES_256_GCM else 16

    @property
    def salt_size(self) -> int:
        """Size of the master salt in bytes."""
        return 14 if self is Profile.AES128_CM_HMAC_SHA1_80 else 12


class RtpHeader(NamedTuple):
    """The fixed header of RTP (RFC 3550, section 5.1), which SRTP leaves readable."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int


def rtp_header(payload: bytes) -> RtpHeader:
    """Read the fixed header of an RTP or SRTP packet; SrtpError when it is not one."""
    if len(payload) < _RTP_HEADER:
        raise SrtpError(f"{len(payload)} bytes; an RTP header has {_RTP_HEADER}")
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", payload)
    if first >> 6 != _RTP_VERSION:
        raise SrtpError(f"RTP version {first >> 6}; expected {_RTP_VERSION}")
    return RtpHeader(second & 0x7F, sequence, timestamp, ssrc)


def authenticate(packets: Iterable[bytes], key_and_salt: bytes, profile: Profile) -> list[bool]:
    """Whether each packet of one direction is SRTP or SRTCP under the master key and salt.

    Packets must be in order of time, from the first one on, because the rollover
    counter is counted along (RFC 3711, section 3.3.1). A packet that comes again
    is judged by its bytes: True when an identical packet has passed before.
    Raises SrtpError when key and salt do not have the size that the profile wants.
    """
    size = profile.key_size + profile.salt_size
    if len(key_and_salt) != size:
        raise SrtpError(f"{len(key_and_salt)} bytes of key and salt; {profile.name} has {size}")
    session = pylibsrtp.Session(_inbound(key_and_salt, profile))
    passed: set[bytes] = set()
    return [_passes(session, packet, passed) for packet in packets]


def _inbound(key_and_salt: bytes, profile: Profile) -> pylibsrtp.Policy:
    policy = pylibsrtp.Policy(
        key=key_and_salt,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND,
        srtp_profile=_PROFILES[profile],
    )
    policy.window_size = _REPLAY_WINDOW
    return policy


_PROFILES = {
    Profile.AES128_CM_HMAC_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Profile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Profile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


def _passes(session: pylibsrtp.Session, packet: bytes, passed: set[bytes]) -> bool:
    if packet in passed:
        return True
    try:
        _unprotect(session, packet)
    except (pylibsrtp.Error, ValueError):
        # pylibsrtp refuses more than 1500 bytes by ValueError; no SRTP packet is that long.
        return False
    passed.add(packet)
    return True


def _unprotect(session: pylibsrtp.Session, packet: bytes) -> None:
    """Open as SRTCP or SRTP, told apart by payload type (RFC 5761, section 4)."""
    if len(packet) > 1 and 192 <= packet[1] <= 223:
        session.unprotect_rtcp(packet)
    else:
        session.unprotect(packet)
