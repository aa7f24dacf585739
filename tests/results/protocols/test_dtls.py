"""DTLS handshakes: real ones between two endpoints in memory, repackaged, mixed and damaged."""

import random
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTPProtectionProfile,
)
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from results.protocols.dtls import Datagram, DtlsError, Handshake, handshakes, srtp_keys
from results.protocols.srtp import Profile

ALICE, BOB = ("10.10.0.11", 40000), ("10.10.0.12", 50000)
EXPORTER = b"EXTRACTOR-dtls_srtp"


class Recorded(NamedTuple):
    """A real handshake: who sent what, the log of its keys, and what the endpoints say of it."""

    sent: list[tuple[bool, bytes]]
    keylog: dict[bytes, bytes]
    client_fingerprint: str
    server_fingerprint: str
    client_keys: bytes
    server_keys: bytes


def record(
    profile: SRTPProtectionProfile = SRTP_AEAD_AES_256_GCM,
    ciphers: str = "ECDHE-ECDSA-AES256-GCM-SHA384",
    mtu: int = 1200,
) -> Recorded:
    """Shake hands in memory."""
    keylog: dict[bytes, bytes] = {}
    certificates = [RTCCertificate.generateCertificate() for _ in range(2)]
    client, server = (
        _connection(certificate, profile, ciphers, mtu, keylog) for certificate in certificates
    )
    client.set_connect_state()
    server.set_accept_state()
    sent = _shake_hands(client, server)
    exported = client.export_keying_material(
        EXPORTER, 2 * (profile.key_length + profile.salt_length)
    )
    return Recorded(
        sent,
        keylog,
        _sha256(certificates[0]),
        _sha256(certificates[1]),
        profile.get_key_and_salt(exported, 0),
        profile.get_key_and_salt(exported, 1),
    )


def _connection(
    certificate: RTCCertificate,
    profile: SRTPProtectionProfile,
    ciphers: str,
    mtu: int,
    keylog: dict[bytes, bytes],
) -> SSL.Connection:
    context = certificate._create_ssl_context([profile])
    context.set_cipher_list(ciphers.encode())
    context.set_keylog_callback(lambda _, line: _log(keylog, line))
    context.set_options(SSL.OP_NO_QUERY_MTU)
    connection = SSL.Connection(context)
    connection.set_ciphertext_mtu(mtu)
    return connection


def _log(keylog: dict[bytes, bytes], line: bytes) -> None:
    _, client_random, master = line.decode().split()
    keylog[bytes.fromhex(client_random)] = bytes.fromhex(master)


def _sha256(certificate: RTCCertificate) -> str:
    return next(item.value for item in certificate.getFingerprints() if item.algorithm == "sha-256")


def _shake_hands(client: SSL.Connection, server: SSL.Connection) -> list[tuple[bool, bytes]]:
    sent: list[tuple[bool, bytes]] = []
    waiting = [client, server]
    while waiting:
        for end, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                end.do_handshake()
                waiting = [item for item in waiting if item is not end]
            with suppress(SSL.WantReadError):
                data = end.bio_read(65_535)
                sent.append((end is client, data))
                other.bio_write(data)
    return sent


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    return record()


def datagrams(sent: list[tuple[bool, bytes]], first_row: int = 0) -> list[Datagram]:
    return [
        Datagram(row, *((ALICE, BOB) if from_client else (BOB, ALICE)), payload)
        for row, (from_client, payload) in enumerate(sent, start=first_row)
    ]


def records(sent: list[tuple[bool, bytes]]) -> list[tuple[bool, bytes]]:
    """The same, one record a datagram."""
    single = []
    for from_client, payload in sent:
        while payload:
            size = 13 + int.from_bytes(payload[11:13])
            single.append((from_client, payload[:size]))
            payload = payload[size:]
    return single


def only(sent: list[tuple[bool, bytes]]) -> Handshake:
    (handshake,) = handshakes(datagrams(sent))
    return handshake


def certified(handshake: Handshake) -> tuple[str | None, str | None]:
    ends = (handshake.client_certificate, handshake.server_certificate)
    client, server = (end and end.fingerprint for end in ends)
    return client, server


@pytest.mark.parametrize("mtu", [300, 1200])
@pytest.mark.parametrize(
    ("profile", "known"),
    [
        (SRTP_AEAD_AES_256_GCM, Profile.AEAD_AES_256_GCM),
        (SRTP_AEAD_AES_128_GCM, Profile.AEAD_AES_128_GCM),
        (SRTP_AES128_CM_SHA1_80, Profile.AES128_CM_HMAC_SHA1_80),
    ],
)
@pytest.mark.parametrize(
    ("ciphers", "suite"),
    [
        ("ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B),
        ("ECDHE-ECDSA-AES256-SHA", 0xC00A),
    ],
)
def test_a_real_handshake(
    profile: SRTPProtectionProfile, known: Profile, ciphers: str, suite: int, mtu: int
) -> None:
    made = record(profile, ciphers, mtu)
    handshake = only(made.sent)
    assert (handshake.client, handshake.server) == (ALICE, BOB)
    assert [handshake.client_random] == list(made.keylog)
    assert (handshake.suite, handshake.srtp_profile) == (suite, known)
    assert certified(handshake) == (made.client_fingerprint, made.server_fingerprint)
    assert srtp_keys(handshake, made.keylog) == (known, made.client_keys, made.server_keys)


def test_a_small_mtu_does_fragment() -> None:
    made = record(mtu=300)
    offsets = [payload[19:22] for _, payload in records(made.sent) if payload[0] == 22]
    assert any(int.from_bytes(offset) for offset in offsets)


def test_each_message_is_cited_by_the_datagram_that_completed_it() -> None:
    made = record(mtu=300)
    sent = records(made.sent)
    whole = only(sent)
    rows = {
        "client_random": whole.client_hello_row,
        "server_random": whole.server_hello_row,
        "client_certificate": whole.client_certificate and whole.client_certificate.row,
        "server_certificate": whole.server_certificate and whole.server_certificate.row,
    }
    for name, row in rows.items():
        assert row is not None
        assert getattr(only(sent[: row + 1]), name) == getattr(whole, name)
        before = handshakes(datagrams(sent[:row]))
        assert [getattr(item, name) for item in before] in ([], [None])


@given(st.randoms(use_true_random=False), st.integers(0, 10))
def test_order_and_repetition_do_not_matter(
    recorded: Recorded, chance: random.Random, repeated: int
) -> None:
    hello, *rest = records(recorded.sent)
    mixed = rest + chance.choices(rest, k=repeated)
    chance.shuffle(mixed)
    handshake = only([hello, *mixed])
    assert certified(handshake) == (recorded.client_fingerprint, recorded.server_fingerprint)
    assert srtp_keys(handshake, recorded.keylog)[1:] == recorded[-2:]


@given(st.data())
def test_fragments_may_be_cut_and_overlap_as_they_like(
    recorded: Recorded, data: st.DataObject
) -> None:
    hello, server_flight = recorded.sent[0], recorded.sent[1][1]
    size = int.from_bytes(server_flight[11:13])
    header, body = server_flight[13:22], server_flight[25 : 13 + size]
    cuts = st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))
    pieces = [
        *data.draw(st.lists(cuts, max_size=6)),
        (0, len(body) // 2),
        (len(body) // 2, len(body)),
    ]
    flight = b""
    for start, size in data.draw(st.permutations(pieces)):
        part = body[start : start + size]
        content = header[:6] + start.to_bytes(3) + len(part).to_bytes(3) + part
        flight += server_flight[:11] + len(content).to_bytes(2) + content
    handshake = only([hello, (False, flight)])
    assert (handshake.server_random, handshake.suite) == (body[2:34], 0xC02C)


def test_a_second_handshake_between_the_same_ends(recorded: Recorded) -> None:
    again = record()
    first, second = handshakes(datagrams([*recorded.sent, recorded.sent[0], *again.sent]))
    assert certified(first) == (recorded.client_fingerprint, recorded.server_fingerprint)
    assert certified(second) == (again.client_fingerprint, again.server_fingerprint)
    keylog = recorded.keylog | again.keylog
    assert srtp_keys(first, keylog).client == recorded.client_keys
    assert srtp_keys(second, keylog).client == again.client_keys


def test_associations_between_other_ends_do_not_mix(recorded: Recorded) -> None:
    other = record()
    elsewhere = [
        item._replace(source=(item.source, "relayed"), destination=(item.destination, "relayed"))
        for item in datagrams(other.sent)
    ]
    both = [item for pair in zip(datagrams(recorded.sent), elsewhere, strict=True) for item in pair]
    found = [certified(item) for item in handshakes(both)]
    assert found == [
        (made.client_fingerprint, made.server_fingerprint) for made in (recorded, other)
    ]


def test_an_altered_certificate_has_another_fingerprint(recorded: Recorded) -> None:
    server = only(recorded.sent).server_certificate
    assert server is not None
    altered = server.der[:-1] + bytes([server.der[-1] ^ 1])
    changed = [(end, payload.replace(server.der, altered)) for end, payload in recorded.sent]
    client_fingerprint, server_fingerprint = certified(only(changed))
    assert client_fingerprint == recorded.client_fingerprint
    assert server_fingerprint not in (None, recorded.server_fingerprint)


def test_a_cut_flight_leaves_out_what_is_missing(recorded: Recorded) -> None:
    handshake = only(recorded.sent[:1])
    assert (handshake.server_random, handshake.suite, handshake.srtp_profile) == (None,) * 3
    assert certified(handshake) == (None, None)
    (_, client_hello), (_, server_flight), *_ = recorded.sent
    assert handshakes(datagrams([(True, client_hello[:-1])])) == []
    assert handshakes(datagrams([(False, server_flight)])) == []


ASSOCIATION = f"DTLS association of {ALICE} with {BOB}"


def refusal(handshake: Handshake, keylog: dict[bytes, bytes]) -> str:
    with pytest.raises(DtlsError) as caught:
        srtp_keys(handshake, keylog)
    return str(caught.value)


def test_keys_that_cannot_be_derived(recorded: Recorded) -> None:
    handshake, keylog = only(recorded.sent), recorded.keylog
    assert refusal(handshake, {bytes(32): bytes(48)}) == (
        f"{ASSOCIATION}: none of the 1 logged sessions has its client random "
        f"{handshake.client_random.hex()}"
    )
    assert refusal(only(recorded.sent[:1]), keylog) == (
        f"{ASSOCIATION}: no ServerHello was captured"
    )
    assert refusal(replace(handshake, srtp_profile=None), keylog) == (
        f"{ASSOCIATION}: the server chose no SRTP protection profile"
    )
    assert refusal(replace(handshake, srtp_profile=2), keylog) == (
        f"{ASSOCIATION}: SRTP protection profile 0x0002; expected one of "
        "0x0001 (AES128_CM_HMAC_SHA1_80), 0x0007 (AEAD_AES_128_GCM), 0x0008 (AEAD_AES_256_GCM)"
    )


def test_a_wrong_master_secret_gives_other_keys(recorded: Recorded) -> None:
    wrong = dict.fromkeys(recorded.keylog, bytes(48))
    keys = srtp_keys(only(recorded.sent), wrong)
    assert keys.client != recorded.client_keys
    assert keys.server != recorded.server_keys


def test_a_fragment_beyond_its_message_is_passed_over(recorded: Recorded) -> None:
    from_client, hello = recorded.sent[0]
    shifted = hello[:19] + (1).to_bytes(3) + hello[22:]
    assert handshakes(datagrams([(from_client, shifted)])) == []


@given(st.lists(st.binary(max_size=60)))
def test_arbitrary_bytes_are_passed_over(payloads: list[bytes]) -> None:
    assert handshakes(datagrams([(True, payload) for payload in payloads])) == []


@given(st.data())
def test_a_damaged_handshake_never_fails(recorded: Recorded, data: st.DataObject) -> None:
    sent = list(recorded.sent)
    index = data.draw(st.integers(0, len(sent) - 1))
    from_client, payload = sent[index]
    at = data.draw(st.integers(0, len(payload) - 1))
    damage = data.draw(st.binary(max_size=8))
    sent[index] = from_client, payload[:at] + damage + payload[at + len(damage) :]
    for handshake in handshakes(datagrams(sent)):
        with suppress(DtlsError):
            srtp_keys(handshake, recorded.keylog)
