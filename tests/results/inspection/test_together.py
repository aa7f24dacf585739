"""Captures made by hand at several points: one path, and the clocks that they were taken by."""

from pathlib import Path

import pytest

from results.inspection.inspector import inspect
from tests.results.inspection.crafted import (
    A_OUTSIDE,
    HUNDRED,
    OTHER,
    RELAYED,
    SERVER,
    A,
    B,
    Capture,
    a_call,
    call_in,
    inspected,
    talk,
    through_relay,
)


def test_client_firewall_relay_and_peer_are_one_path(tmp_path: Path) -> None:
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
    found = inspected(tmp_path, client, firewall, relay, peer)
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


def test_a_loss_between_two_files_stands_there(tmp_path: Path) -> None:
    first, second = Capture(), Capture()
    talk(first, A, B, HUNDRED)
    for numbers in (range(5, 40), range(43, 90)):
        talk(second, A, B, numbers, ttl=63)
    call = call_in(tmp_path, first, second)
    (hop,) = call.paths[0].hops
    # Files begin and end at different times: 5 to 89 is what both have.
    assert (hop.packets, hop.lost) == (85, 3)
    assert [(one.lost, one.longest_burst) for one in call.streams] == [(0, 0), (3, 3)]


def test_one_direction_only_bounds_one_side(tmp_path: Path) -> None:
    first, second = Capture(), Capture(ahead=5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED, ttl=63, late=0.004)
    found = inspected(tmp_path, first, second)
    (clock,), (hop,) = found.clocks, found.calls[0].paths[0].hops
    assert (clock.offset_ms, clock.low_ms) == (None, None)
    assert clock.high_ms == pytest.approx(5004, abs=0.01)
    assert clock.because == "by packets in one direction only: there is a bound on one side"
    assert hop.delay_ms is None
    assert hop.delay_low_ms == pytest.approx(0, abs=0.01)
    assert hop.delay_high_ms is None


def test_one_direction_without_a_router_between_bounds_nothing(tmp_path: Path) -> None:
    first, second = Capture(), Capture(ahead=5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED)
    found = inspected(tmp_path, first, second)
    (clock,), (path,) = found.clocks, found.calls[0].paths
    assert (clock.low_ms, clock.high_ms) == (None, None)
    assert clock.because == "unknown: the files share no packets whose direction shows"
    assert not path.order_known
    assert any(
        text.startswith("in which order media of A passes") for text in found.calls[0].unknown
    )


def test_without_a_router_between_both_directions_tell_the_order_all_the_same(
    tmp_path: Path,
) -> None:
    first, second = Capture(), Capture(ahead=-5)
    talk(first, A, B, HUNDRED)
    talk(second, A, B, HUNDRED, late=0.004)
    talk(second, B, A, HUNDRED, ssrc=OTHER)
    talk(first, B, A, HUNDRED, ssrc=OTHER, late=0.006)
    found = inspected(tmp_path, second, first)
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


def test_a_clock_that_was_set_in_the_midst_is_said_so(tmp_path: Path) -> None:
    first, second = Capture(), Capture()
    for capture, ttl in ((first, 64), (second, 63)):
        talk(capture, A, B, range(50), ttl=ttl)
        talk(capture, B, A, range(50), ssrc=OTHER, ttl=127 - ttl)
    second.ahead = 2
    talk(first, A, B, range(50, 100))
    talk(second, A, B, range(50, 100), ttl=63)
    talk(first, B, A, range(50, 100), ssrc=OTHER, ttl=63)
    talk(second, B, A, range(50, 100), ssrc=OTHER)
    found = inspected(tmp_path, first, second)
    assert found.clocks[0].offset_ms is None
    assert found.clocks[0].because == (
        "no constant offset fits: a clock drifted, or was set, meanwhile"
    )
    assert found.calls[0].paths[0].hops[0].delay_low_ms is None


def test_files_of_one_name_are_told_by_their_folders(tmp_path: Path) -> None:
    for folder in ("client", "relay"):
        (tmp_path / folder).mkdir()
    one = a_call().store(tmp_path / "client" / "a.pcap")
    other = a_call().store(tmp_path / "relay" / "a.pcap")
    assert [file.file for file in inspect([one, other]).files] == [str(one), str(other)]
    assert [file.file for file in inspect([one]).files] == ["a.pcap"]
