"""SRTP: what pylibsrtp protected authenticates, and nothing else does."""

import random

import pylibsrtp
import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from results.protocols.srtp import Profile, RtpHeader, SrtpError, authenticate, rtp_header

PROTECTION = {
    Profile.AES128_CM_HMAC_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Profile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Profile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
RTCP = bytes.fromhex("80c80006") + bytes(range(24))
GCM = Profile.AEAD_AES_256_GCM


def key(profile: Profile) -> bytes:
    return bytes(range(profile.key_size + profile.salt_size))


def sender(profile: Profile) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=key(profile),
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=PROTECTION[profile],
    )
    return pylibsrtp.Session(policy)


def rtp(sequence: int, ssrc: int = 0x5EED, payload: bytes = b"tone" * 30) -> bytes:
    packet = RtpPacket(96, 0, sequence % 65536, sequence * 960, ssrc, payload)
    return packet.serialize()


def protected(profile: Profile, first: int = 0, count: int = 20) -> list[bytes]:
    session = sender(profile)
    return [session.protect(rtp(sequence)) for sequence in range(first, first + count)]


@pytest.mark.parametrize("profile", list(Profile))
def test_media_authenticates_under_its_keys(profile: Profile) -> None:
    assert authenticate(protected(profile), key(profile), profile) == [True] * 20


@pytest.mark.parametrize("profile", list(Profile))
def test_media_does_not_authenticate_under_other_keys(profile: Profile) -> None:
    wrong = key(profile)[::-1]
    assert authenticate(protected(profile), wrong, profile) == [False] * 20


@pytest.mark.parametrize("profile", list(Profile))
def test_rtcp_authenticates_too(profile: Profile) -> None:
    session = sender(profile)
    packets = [session.protect_rtcp(RTCP), session.protect(rtp(0)), session.protect_rtcp(RTCP)]
    assert authenticate(packets, key(profile), profile) == [True, True, True]
    altered = packets[2][:-1] + bytes([packets[2][-1] ^ 1])
    assert authenticate([altered], key(profile), profile) == [False]


def test_several_sources_under_one_key() -> None:
    session = sender(GCM)
    packets = [session.protect(rtp(index, ssrc=index % 2)) for index in range(6)]
    assert authenticate(packets, key(GCM), GCM) == [True] * 6


@pytest.mark.parametrize("profile", list(Profile))
def test_an_altered_packet_does_not_spoil_the_others(profile: Profile) -> None:
    packets = protected(profile)
    packets[5] = packets[5][:30] + bytes([packets[5][30] ^ 1]) + packets[5][31:]
    packets[9] = packets[9][:-1]
    expected = [index not in (5, 9) for index in range(20)]
    assert authenticate(packets, key(profile), profile) == expected


def test_a_repeated_packet_is_judged_by_its_bytes() -> None:
    packets = protected(GCM, count=2)
    forged = packets[0][:-1] + bytes([packets[0][-1] ^ 1])
    sent = [packets[0], packets[0], forged, packets[1], packets[0]]
    assert authenticate(sent, key(GCM), GCM) == [True, True, False, True, True]


def test_the_sequence_number_rolls_over() -> None:
    packets = protected(GCM, first=65_530)
    assert authenticate(packets, key(GCM), GCM) == [True] * 20
    assert authenticate(packets[10:], key(GCM), GCM) == [False] * 10


@given(st.randoms(use_true_random=False))
def test_order_does_not_matter_within_the_window(chance: random.Random) -> None:
    first, *rest = protected(GCM)
    chance.shuffle(rest)
    assert all(authenticate([first, *rest], key(GCM), GCM))


@given(st.lists(st.binary(max_size=80) | st.binary(max_size=80).map(lambda data: b"\x80" + data)))
def test_arbitrary_bytes_do_not_authenticate(packets: list[bytes]) -> None:
    assert not any(authenticate(packets, key(GCM), GCM))


def test_what_is_too_long_does_not_authenticate() -> None:
    assert authenticate([b"\x80" + bytes(1500)], key(GCM), GCM) == [False]


def test_keys_must_fit_their_profile() -> None:
    with pytest.raises(SrtpError) as caught:
        authenticate([], bytes(30), GCM)
    assert str(caught.value) == "30 bytes of key and salt; AEAD_AES_256_GCM has 44"


@given(st.integers(0, 127), st.integers(0, 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1))
def test_headers(payload_type: int, marker: int, sequence: int, ssrc: int) -> None:
    packet = RtpPacket(payload_type, marker, sequence, 960, ssrc, b"tone").serialize()
    assert rtp_header(packet) == RtpHeader(payload_type, sequence, 960, ssrc)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (bytes(11), "11 bytes; an RTP header has 12"),
        (b"\x40" + bytes(11), "RTP version 1; expected 2"),
    ],
)
def test_what_is_not_rtp(payload: bytes, text: str) -> None:
    with pytest.raises(SrtpError) as caught:
        rtp_header(payload)
    assert str(caught.value) == text
