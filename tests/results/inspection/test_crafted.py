"""Captures made by hand: what is in them is told, and what is not is unknown."""

from pathlib import Path

import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q
from scapy.packet import Raw

from results.inspection.inspector import inspect
from results.inspection.records import CallSeen, Inspection
from tests.results.home_story import ALLOCATE_SUCCESS, CHANNEL_BIND, CHANNEL_NUMBER, PEER
from tests.results.home_story import RELAYED as RELAYED_ADDRESS
from tests.results.inspection.crafted import (
    A_OUTSIDE,
    RELAYED,
    SERVER,
    START,
    A,
    B,
    Capture,
    answer,
    check,
    ice,
    media,
    talk,
)
from tests.results.protocols.test_dtls import record
from tests.results.story import end, stun, xored

HUNDRED = range(100)
OTHER = 0x22222222

UNSELECTED = "which pair was selected: no answered nomination (USE-CANDIDATE) is in the files"
FAR_SIDE = (
    "whether the other side uses a relay: from here its relayed address would look like any other"
)


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path


def call_in(folder: Path, *captures: Capture, silence: float = 2.0) -> CallSeen:
    (call,) = inspected(folder, *captures, silence=silence).calls
    return call


def inspected(folder: Path, *captures: Capture, silence: float = 2.0) -> Inspection:
    files = [one.store(folder / f"{number}.pcapng") for number, one in enumerate(captures)]
    return inspect(files, silence)


def a_call(*, nominated: bool = True) -> Capture:
    """What A's own machine sees of a call with media both ways."""
    capture = Capture()
    ice(capture, nominated=nominated)
    talk(capture, A, B, HUNDRED)
    talk(capture, B, A, HUNDRED, ssrc=OTHER, ttl=60)
    return capture


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


def through_relay(capture: Capture, client: str, *, allocated: bool = True) -> None:
    """A's side of a call through her relay: allocation, channel, media in it."""
    if allocated:
        granted = stun(ALLOCATE_SUCCESS, 31, (RELAYED_ADDRESS, xored(end(RELAYED))))
        capture.see(0.0, SERVER, client, granted, ttl=50)
        bind = stun(CHANNEL_BIND, 32, (PEER, xored(end(B))), (CHANNEL_NUMBER, b"\x40\x00\x00\x00"))
        capture.see(0.1, client, SERVER, bind)
    talk(capture, client, SERVER, HUNDRED, channel=0x4000)
    talk(capture, SERVER, client, HUNDRED, channel=0x4000, ssrc=OTHER, ttl=50)


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


def test_client_firewall_relay_and_peer_are_one_path(at: Path) -> None:
    client, firewall, relay, peer = Capture(), Capture(ahead=3), Capture(ahead=-40), Capture(7200)
    through_relay(client, A)
    talk(firewall, A_OUTSIDE, SERVER, HUNDRED, channel=0x4000, ttl=63, late=0.002)
    talk(firewall, SERVER, A_OUTSIDE, HUNDRED, channel=0x4000, ssrc=OTHER, ttl=51, late=-0.002)
    talk(relay, A_OUTSIDE, SERVER, HUNDRED, channel=0x4000, ttl=55, late=0.010)
    talk(relay, RELAYED, B, HUNDRED, late=0.011)
    talk(relay, B, RELAYED, HUNDRED, ssrc=OTHER, ttl=60, late=-0.011)
    talk(relay, SERVER, A_OUTSIDE, HUNDRED, channel=0x4000, ssrc=OTHER, late=-0.010)
    talk(peer, RELAYED, B, HUNDRED, ttl=60, late=0.031)
    talk(peer, B, RELAYED, HUNDRED, ssrc=OTHER, late=-0.031)
    found = inspected(at, client, firewall, relay, peer)
    (call,) = found.calls
    there, back = call.paths
    assert list(there.places) == [
        f"0.pcapng ({A} > {SERVER})",
        f"1.pcapng ({A_OUTSIDE} > {SERVER})",
        f"2.pcapng ({A_OUTSIDE} > {SERVER})",
        f"2.pcapng ({RELAYED} > {B})",
        f"3.pcapng ({RELAYED} > {B})",
    ]
    assert there.order_known
    assert [place.split(" ")[0] for place in back.places] == [
        place.split(" ")[0] for place in reversed(there.places)
    ]
    # What goes one way takes as long as what comes back, so the estimates are right.
    for hop, delay in zip(there.hops, (2, 8, 1, 20), strict=True):
        assert hop.delay_ms == pytest.approx(delay, abs=0.01)
        assert hop.delay_low_ms is not None
        assert hop.delay_high_ms is not None
        assert hop.delay_low_ms <= delay <= hop.delay_high_ms
    offsets = {(clock.ahead_of, clock.file): clock.offset_ms for clock in found.clocks}
    assert offsets["0.pcapng", "1.pcapng"] == pytest.approx(3_000, abs=0.01)
    assert offsets["0.pcapng", "3.pcapng"] == pytest.approx(7_200_000, abs=0.01)
    assert offsets["1.pcapng", "2.pcapng"] == pytest.approx(-43_000, abs=0.01)


def test_a_loss_between_two_files_stands_there(at: Path) -> None:
    first, second = Capture(), Capture()
    talk(first, A, B, HUNDRED)
    for numbers in (range(5, 40), range(43, 90)):
        talk(second, A, B, numbers, ttl=63)
    call = call_in(at, first, second)
    (hop,) = call.paths[0].hops
    # Files begin and end at different times: 5 to 89 is what both have.
    assert (hop.packets, hop.lost) == (85, 3)
    assert [(one.lost, one.longest_burst) for one in call.streams] == [(0, 0), (3, 3)]


def test_one_direction_only_bounds_one_side(at: Path) -> None:
    first, second = Capture(), Capture(ahead=5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED, ttl=63, late=0.004)
    found = inspected(at, first, second)
    (clock,), (hop,) = found.clocks, found.calls[0].paths[0].hops
    assert (clock.offset_ms, clock.low_ms) == (None, None)
    assert clock.high_ms == pytest.approx(5004, abs=0.01)
    assert clock.because == "by packets in one direction only: there is a bound on one side"
    assert hop.delay_ms is None
    assert hop.delay_low_ms == pytest.approx(0, abs=0.01)
    assert hop.delay_high_ms is None


def test_one_direction_without_a_router_between_bounds_nothing(at: Path) -> None:
    first, second = Capture(), Capture(ahead=5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED)
    found = inspected(at, first, second)
    (clock,), (path,) = found.clocks, found.calls[0].paths
    assert (clock.low_ms, clock.high_ms) == (None, None)
    assert clock.because == "unknown: the files share no packets whose direction shows"
    assert not path.order_known
    assert any(
        text.startswith("in which order media of A passes") for text in found.calls[0].unknown
    )


def test_without_a_router_between_both_directions_tell_the_order_all_the_same(at: Path) -> None:
    first, second = Capture(), Capture(ahead=-5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED, late=0.004)
    talk(second, B, A, HUNDRED, ssrc=OTHER)
    talk(first, B, A, HUNDRED, ssrc=OTHER, late=0.006)
    found = inspected(at, second, first)
    (clock,) = found.clocks
    assert clock.low_ms is not None
    assert clock.high_ms is not None
    assert clock.low_ms <= 5000 <= clock.high_ms
    assert clock.high_ms - clock.low_ms == pytest.approx(10, abs=0.01)
    paths = found.calls[0].paths
    assert all(path.order_known for path in paths)
    assert {path.places[0] for path in paths} == {
        f"0.pcapng ({B} > {A})",
        f"1.pcapng ({A} > {B})",
    }


def test_a_clock_that_was_set_in_the_midst_is_said_so(at: Path) -> None:
    first, second = Capture(), Capture()
    for capture, ttl in ((first, 64), (second, 63)):
        talk(capture, A, B, range(50), ttl=ttl)
        talk(capture, B, A, range(50), ssrc=OTHER, ttl=127 - ttl)
    second.ahead = 2
    talk(first, A, B, range(50, 100))
    talk(second, A, B, range(50, 100), ttl=63)
    talk(first, B, A, range(50, 100), ssrc=OTHER, ttl=63)
    talk(second, B, A, range(50, 100), ssrc=OTHER)
    found = inspected(at, first, second)
    assert found.clocks[0].offset_ms is None
    assert found.clocks[0].because == (
        "no constant offset fits: a clock drifted, or was set, meanwhile"
    )
    assert found.calls[0].paths[0].hops[0].delay_low_ms is None


def test_a_side_that_never_sent(at: Path) -> None:
    capture = Capture()
    ice(capture)
    talk(capture, A, B, HUNDRED)
    (silence,) = call_in(at, capture).silences
    assert (silence.side, silence.begin) == ("B", None)
    assert silence.said == "no media of B at all"


@pytest.mark.parametrize(("silence", "told"), [(3.0, 1), (4.0, 0)])
def test_a_side_that_stopped_while_the_other_went_on(at: Path, silence: float, told: int) -> None:
    capture = Capture()
    talk(capture, A, B, range(300))
    talk(capture, B, A, range(120), ssrc=OTHER)
    found = call_in(at, capture, silence=silence).silences
    assert len(found) == told
    for one in found:
        assert one.side == "B"
        assert one.said == "B sent no more media, while the other side went on for 3.6 s"
        assert one.begin
        assert one.begin.timestamp() == pytest.approx(START + 1 + 119 * 0.02, abs=1e-5)


def test_a_gap_and_a_late_beginning(at: Path) -> None:
    capture = Capture()
    talk(capture, A, B, range(200, 600))
    for numbers in (range(200), range(400, 600)):
        talk(capture, B, A, numbers, ssrc=OTHER)
    said = [(one.side, one.said) for one in call_in(at, capture).silences]
    # Without checks A is who sends first.
    assert said == [
        ("A", "no media of A for 4.0 s"),
        ("B", "media of B began 4.0 s after the other side's"),
    ]


def stopped_between(at: Path, later: range) -> list[str]:
    """What is said where media reaches a second file only at first, which goes on for so long."""
    first, second = Capture(), Capture()
    talk(first, A, B, range(300))
    talk(second, A, B, range(100), ttl=63)
    talk(second, "10.0.0.7:7", "10.0.0.8:7", later, ssrc=OTHER)
    calls = inspected(at, first, second).calls
    return [one.said for call in calls for one in call.silences if one.begin]


def test_media_that_no_more_comes_from_one_file_to_the_next(at: Path) -> None:
    assert stopped_between(at, range(400)) == [
        "media of A no more comes from 0.pcapng to 1.pcapng, for 4.0 s"
    ]


def test_a_capture_that_ended_is_no_silence(at: Path) -> None:
    assert stopped_between(at, range(100)) == []


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


def test_files_of_one_name_are_told_by_their_folders(at: Path) -> None:
    for folder in ("client", "relay"):
        (at / folder).mkdir()
    one = a_call().store(at / "client" / "a.pcap")
    other = a_call().store(at / "relay" / "a.pcap")
    assert [file.file for file in inspect([one, other]).files] == [str(one), str(other)]
    assert [file.file for file in inspect([one]).files] == ["a.pcap"]
