"""Captures made by hand: what is in them is told, and what is not is unknown."""

from pathlib import Path

import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

from tests.results.inspection.crafted import (
    HUNDRED,
    OTHER,
    RELAYED,
    SERVER,
    A,
    B,
    Capture,
    a_call,
    answer,
    call_in,
    check,
    inspected,
    media,
    talk,
    through_relay,
)
from tests.results.protocols.test_dtls import record
from tests.results.story import stun

UNSELECTED = "which pair was selected: no answered nomination (USE-CANDIDATE) is in the files"
FAR_SIDE = (
    "whether the other side uses a relay: from here its relayed address would look like any other"
)


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path


def test_a_call_with_its_checks_selection_and_media(at: Path) -> None:
    call = call_in(at, a_call())
    assert call.ufrags == ("aaaa", "bbbb")
    assert call.ends == {"A": (A,), "B": (B,)}
    assert [(one.side, one.checks, one.answered, one.nominated) for one in call.checked] == [
        ("A", 2, 2, True),
        ("B", 1, 1, False),
    ]
    assert call.selected
    assert (call.selected.side, call.selected.local, call.selected.remote) == ("A", A, B)
    assert call.selected.frame == 6
    assert [(one.side, one.ssrc, one.packets, one.lost) for one in call.streams] == [
        ("A", "0x11111111", 100, 0),
        ("B", "0x22222222", 100, 0),
    ]
    assert [stream.jitter_ms for stream in call.streams] == [0, 0]
    assert call.silences == ()


def test_from_one_side_it_is_unknown_whether_the_other_has_a_relay(at: Path) -> None:
    call = call_in(at, a_call())
    assert call.relayed is None
    assert FAR_SIDE in call.unknown


def test_with_the_links_of_both_senders_a_plain_call_is_direct(at: Path) -> None:
    theirs = Capture()
    talk(theirs, A, B, HUNDRED, ttl=60)
    talk(theirs, B, A, HUNDRED, ssrc=OTHER)
    call = call_in(at, a_call(), theirs)
    assert call.relayed is False
    assert call.unknown == ()


def test_without_a_nomination_the_selection_is_unknown_and_not_guessed(at: Path) -> None:
    call = call_in(at, a_call(nominated=False))
    assert call.selected is None
    assert UNSELECTED in call.unknown
    assert len(call.streams) == 2


def test_a_nomination_without_an_answer_selects_nothing(at: Path) -> None:
    capture = a_call(nominated=False)
    capture.see(0.06, A, B, check(7, "bbbb:aaaa", nominates=True))
    call = call_in(at, capture)
    assert call.selected is None
    assert [one.nominated for one in call.checked] == [True, False]


def test_an_answer_from_the_wrong_side_is_none(at: Path) -> None:
    """A response that goes the same way as the request answers nothing."""
    capture = Capture()
    capture.see(0.0, A, B, check(7, "bbbb:aaaa", nominates=True))
    capture.see(0.1, A, B, answer(7, A))
    call = call_in(at, capture)
    assert call.checked[0].answered == 0
    assert call.selected is None


def test_a_controlled_agent_cannot_nominate(at: Path) -> None:
    capture = Capture()
    capture.see(0.0, A, B, check(7, "bbbb:aaaa", nominates=True, controlling=False))
    capture.see(0.1, B, A, answer(7, A))
    call = call_in(at, capture)
    assert call.selected is None
    assert call.ufrags == ("bbbb", "aaaa")


def test_media_alone_is_a_call_of_which_checks_are_unknown(at: Path) -> None:
    capture = Capture()
    talk(capture, A, B, HUNDRED)
    talk(capture, B, A, HUNDRED, ssrc=OTHER)
    call = call_in(at, capture)
    assert (call.ufrags, call.checked, call.selected) == ((), (), None)
    assert "which pairs were checked: no ICE check is in the files" in call.unknown


def test_an_ice_restart_stays_one_call(at: Path) -> None:
    capture = a_call()
    capture.see(4.0, A, B, check(11, "bbb2:aaa2", nominates=True))
    capture.see(4.1, B, A, answer(11, A), ttl=60)
    call = call_in(at, capture)
    assert call.ufrags == ("aaa2", "bbb2")


def test_two_calls_are_told_apart_by_their_ufrags(at: Path) -> None:
    capture = a_call()
    capture.see(0.0, "10.0.0.6:1000", B, check(21, "dddd:cccc"))
    found = inspected(at, capture)
    assert [call.ufrags for call in found.calls] == [("aaaa", "bbbb"), ("cccc", "dddd")]


def test_a_relayed_call_and_its_allocation(at: Path) -> None:
    capture = Capture()
    through_relay(capture, A)
    found = inspected(at, capture)
    (call,), (given,) = found.calls, found.allocations
    assert (given.client, given.server, given.relayed, given.frame) == (A, SERVER, RELAYED, 1)
    assert (call.relayed, call.relayed_by) == (True, (SERVER,))
    assert call.ends == {"A": (RELAYED,), "B": (B,)}
    assert {stream.wrapped for stream in call.streams} == {True}


def test_a_relay_whose_allocation_was_missed_is_known_by_its_port(at: Path) -> None:
    capture = Capture()
    through_relay(capture, A, allocated=False)
    call = call_in(at, capture)
    assert (call.relayed, call.relayed_by) == (True, (SERVER,))
    assert call.ends == {"A": (), "B": ()}


def test_which_end_is_the_relay_is_unknown_where_nothing_says_so(at: Path) -> None:
    capture = Capture()
    talk(capture, A, B, HUNDRED, channel=0x4000)
    call = call_in(at, capture)
    assert (call.relayed, call.relayed_by) == (True, ())
    assert (
        "which of the two ends is the relay: neither said so, nor has a relay's port"
        in call.unknown
    )


def test_packets_that_a_capture_has_twice_are_media_all_the_same(at: Path) -> None:
    capture = Capture()
    talk(capture, A, B, HUNDRED)
    talk(capture, A, B, HUNDRED, ttl=63, late=0.0001)
    (stream,) = call_in(at, capture).streams
    assert (stream.packets, stream.duplicated, stream.lost, stream.reordered) == (200, 100, 0, 0)


#: The extension by which a server chooses AEAD_AES_256_GCM for SRTP (RFC 5764, section 4.1.1).
USE_SRTP = bytes.fromhex("000e00050002000800")


@pytest.mark.parametrize(("extension", "calls"), [(USE_SRTP, 1), (b"\x7f" + USE_SRTP[1:], 0)])
def test_dtls_alone_is_a_call_only_where_it_agrees_on_srtp(
    at: Path, extension: bytes, calls: int
) -> None:
    capture = Capture()
    for number, (from_client, payload) in enumerate(record().sent):
        ends = (A, B) if from_client else (B, A)
        capture.see(number * 0.01, *ends, payload.replace(USE_SRTP, extension))
    assert len(inspected(at, capture).calls) == calls


def test_dns_that_looks_like_rtp_is_no_media(at: Path) -> None:
    capture = Capture()
    for number in range(200):
        query = bytes(DNS(id=0x8000 + number % 64, rd=1, qd=DNSQR(qname=f"h{number}.example")))
        capture.see(number * 0.02, A, "192.0.2.53:5300", query)
    found = inspected(at, capture)
    assert found.files[0].kinds == {"RTP": 200}
    assert found.calls == ()


def test_random_packets_that_look_like_rtp_are_no_media(at: Path) -> None:
    capture = Capture()
    for number in range(200):
        mixed = bytes([0x80, 96]) + (number * 7919 % 65_536).to_bytes(2) + media(number)[4:]
        capture.see(number * 0.02, A, B, mixed)
    assert inspected(at, capture).calls == ()


def test_four_packets_prove_no_media(at: Path) -> None:
    capture = Capture()
    talk(capture, A, B, range(4))
    assert inspected(at, capture).calls == ()


def test_where_no_call_is_it_is_said_what_is_there(at: Path) -> None:
    capture = Capture()
    for number in range(3):
        packet = IP(src="10.0.0.5", dst="192.0.2.1") / TCP(sport=1000, dport=443, seq=number)
        capture.add(number, packet)
    found = inspected(at, capture)
    assert found.calls == ()
    assert found.files[0].busiest == ("10.0.0.5:1000 > 192.0.2.1:443: 3 packets (TCP)",)
    assert found.unknown == (
        "what 3 packets of TCP carry: media within TLS would look like any other",
    )


def test_turn_over_tcp_is_named_as_not_read(at: Path) -> None:
    capture = a_call()
    segment = IP(src="10.0.0.5", dst="203.0.113.9") / TCP(sport=1000, dport=443, flags="PA")
    capture.add(0, segment / Raw(stun(0x0003, 1)))
    assert (
        "what TURN over TCP with 203.0.113.9:443 carries: that is not read"
        in inspected(at, capture).unknown
    )


def test_jitter_without_a_clock_rate_is_unknown(at: Path) -> None:
    """A timestamp that runs at no usual rate: jitter would be made up."""
    capture = Capture()
    for number in range(100):
        packet = media(number)
        packet = packet[:4] + (number * 700).to_bytes(4) + packet[8:]
        capture.see(number * 0.02, A, B, packet)
    call = call_in(at, capture)
    assert call.streams[0].jitter_ms is None
    assert any(text.startswith("jitter of 0x11111111 in ") for text in call.unknown)


def test_a_call_over_ipv6_with_vlan_tags(at: Path) -> None:
    capture = Capture()
    one, other = ("2001:db8::5", 50_000), ("2001:db8:1::9", 50_001)
    for number, (source, target) in enumerate(((one, other), (other, one)) * 50):
        payload = media(number // 2, 1 + number % 2)
        packet = IPv6(src=source[0], dst=target[0], hlim=64 - 3 * (number % 2))
        datagram = packet / UDP(sport=source[1], dport=target[1]) / Raw(payload)
        capture.add(number // 2 * 0.02, Dot1Q(vlan=7) / datagram)
    call = call_in(at, capture)
    assert call.ends == {"A": ("[2001:db8::5]:50000",), "B": ("[2001:db8:1::9]:50001",)}
    assert [stream.packets for stream in call.streams] == [50, 50]
    assert call.relayed is None
