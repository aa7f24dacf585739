"""TURN over TCP and TLS: messages out of streams, joined with UDP by fingerprint."""

import itertools
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from results.packets import SYN, PacketTable
from results.protocols.keylog import read_keylog
from results.protocols.turn_streams import StreamMessage, turn_messages
from results.wire.kinds import Kind
from tests.results.story import (
    ALICE,
    ALICE_NAT,
    RELAY,
    Story,
    back,
    channel_data,
    ends,
    rtp,
    stun,
    tcp,
    xored,
)
from tests.results.tls_sessions import Session, capture, certificate, segments, session

THERE, BACK = ends(ALICE, RELAY), ends(RELAY, ALICE)
TAP = "alice-eth0"


def padded(message: bytes) -> bytes:
    return message + bytes(-len(message) % 4)


def send_indication(payload: bytes) -> bytes:
    return stun(0x0016, 5, (0x0012, xored(BACK[:2])), (0x0013, payload))


ALLOCATE = stun(0x0003, 1)
SAID = [ALLOCATE, channel_data(rtp(1, 33)), send_indication(rtp(2)), channel_data(rtp(3))]


def conversation(story: Story, cuts: list[int], stream: bytes) -> None:
    """A SYN, then a stream in segments that begin at ``cuts``."""
    story.cross(ALICE_NAT[0], tcp(THERE, 99, SYN))
    marks = [0, *sorted({cut % len(stream) for cut in cuts} - {0}), len(stream)]
    for begin, end in itertools.pairwise(marks):
        story.cross(ALICE_NAT[0], tcp(THERE, 100 + begin, 0x18, stream[begin:end]))


def messages(story: Story, folder: Path) -> list[StreamMessage]:
    table = story.table(folder)
    return list(turn_messages(table, index(table), {}))


def index(table: PacketTable) -> int:
    return next(i for i, tap in enumerate(table.taps) if tap.name == TAP)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 500), max_size=8))
def test_messages_are_found_however_the_stream_is_cut(folder: Path, cuts: list[int]) -> None:
    story = Story()
    conversation(story, cuts, b"".join(map(padded, SAID)))
    found = messages(story, folder)
    assert [one.message.payload for one in found] == SAID
    assert {(one.sender, one.receiver) for one in found} == {(THERE[:2], THERE[2:])}
    assert [one.message.innermost for one in found] == [ALLOCATE, rtp(1, 33), rtp(2), rtp(3)]
    kinds = [(one.message.kind, one.message.inner_kind) for one in found]
    assert kinds == [
        (Kind.STUN, Kind.STUN),
        (Kind.CHANNEL_DATA, Kind.RTP),
        (Kind.STUN, Kind.RTP),
        (Kind.CHANNEL_DATA, Kind.RTP),
    ]


def test_a_message_belongs_to_the_segment_that_completes_it(tmp_path: Path) -> None:
    story = Story()
    conversation(story, [10, 60], b"".join(map(padded, SAID)))
    table = story.table(tmp_path)
    (first, second, *_) = turn_messages(table, index(table), {})
    assert [int(table.frame[one.row]) for one in (first, second)] == [3, 4]


def test_the_fingerprint_is_that_of_the_packet_in_udp(tmp_path: Path) -> None:
    story = Story()
    conversation(story, [], padded(channel_data(rtp(1, 33))))
    story.send(back(ALICE_NAT), BACK, rtp(1, 33))
    table = story.table(tmp_path)
    (one,) = turn_messages(table, index(table), {})
    assert set(table.fingerprint.tolist()) - {0} == {one.message.fingerprint}


def test_answers_come_from_the_relay(tmp_path: Path) -> None:
    story = Story()
    conversation(story, [], ALLOCATE)
    story.cross(back(ALICE_NAT)[-1], tcp(BACK, 500, 0x12))
    story.cross(back(ALICE_NAT)[-1], tcp(BACK, 501, 0x18, stun(0x0103, 1)))
    found = messages(story, tmp_path)
    assert [one.sender for one in found] == [THERE[:2], BACK[:2]]


@pytest.mark.parametrize("stream", [b"GET / HTTP/1.1\r\n", b"\0\1\0\0 not a cookie ....", b"\x40"])
def test_what_is_not_turn_has_no_messages(tmp_path: Path, stream: bytes) -> None:
    story = Story()
    conversation(story, [], stream)
    assert messages(story, tmp_path) == []


def test_a_message_that_is_not_whole_is_none(tmp_path: Path) -> None:
    story = Story()
    conversation(story, [], padded(ALLOCATE) + padded(channel_data(rtp(1)))[:-5])
    assert [one.message.payload for one in messages(story, tmp_path)] == [ALLOCATE]


@pytest.fixture(scope="session")
def under_tls(folder: Path) -> Session:
    """The same messages, and the relay's answer, in a TLS session; one record holds two."""
    key = ec.generate_private_key(ec.SECP256R1())
    said = [*((True, padded(message)) for message in SAID[:2]), (False, stun(0x0103, 1))]
    said.append((True, b"".join(map(padded, SAID[2:]))))
    pem = certificate(folder / "relay.pem", key)
    return session(pem, folder / "keys", "ECDHE-ECDSA-AES256-GCM-SHA384", dialogue=said)


def test_turn_under_tls(tmp_path: Path, under_tls: Session) -> None:
    packets = [segment.packet() for segment in segments(under_tls.flights)]
    table = capture(tmp_path / "a.pcap", packets)
    found = list(turn_messages(table, 0, read_keylog(under_tls.keylog)))
    assert [one.message.payload for one in found] == [*SAID, stun(0x0103, 1)]
    assert found[1].message.innermost == rtp(1, 33)
    assert found[-1].sender == found[0].receiver


def test_without_its_keys_tls_shows_nothing(tmp_path: Path, under_tls: Session) -> None:
    packets = [segment.packet() for segment in segments(under_tls.flights)]
    assert list(turn_messages(capture(tmp_path / "a.pcap", packets), 0, {})) == []
