"""Captures of runs that took place, inspected without their keys and their description."""

import json
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.inspection.inspector import inspect
from results.inspection.records import CallSeen, Inspection
from results.inspection.schema import STORED, inspection_schema
from results.judge import judge
from results.protocols.stun import parse
from tests.results.recorded import frames, unpack
from tests.results.story import Frame, pcap

RELAY = "203.0.113.9:3478"


@pytest.fixture(scope="module")
def relayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "external_relayed")


@pytest.fixture(scope="module")
def intranet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"))


def capture(run: Path, tap: str) -> Path:
    return run / "captures" / f"{tap}.pcapng"


def inspected(run: Path, *taps: str) -> Inspection:
    return inspect([capture(run, tap) for tap in taps])


def the_call(found: Inspection) -> CallSeen:
    (call,) = found.calls
    return call


def shifted(run: Path, tap: str, by: int, folder: Path) -> Path:
    """The capture as a machine would have made it whose clock is ahead by so many ns."""
    path = folder / f"{tap}.pcap"
    path.write_bytes(pcap([Frame(frame.time + by, frame.data) for frame in frames(run, tap)]))
    return path


def test_what_the_caller_alone_can_tell_is_what_the_verdict_says(relayed: Path) -> None:
    call = the_call(inspected(relayed, "alice-eth0"))
    (judged,) = judge(relayed).calls
    pair = judged.selected["alice"]
    assert call.selected
    assert call.selected.local == f"{pair.local.address}:{pair.local.port}"
    assert call.selected.remote == f"{pair.remote.address}:{pair.remote.port}"
    assert (call.relayed, call.relayed_by, call.transport) == (True, (RELAY,), "udp")
    assert [stream.side for stream in call.streams] == ["A", "B"]
    for path, stream in zip(judged.media, call.streams, strict=True):
        assert (stream.packets, stream.lost) == (path.packets, 0)
    assert path.quality
    assert stream.jitter_ms == path.quality.jitter_ms


def test_an_address_on_a_relays_host_may_be_relayed_but_that_is_unknown(relayed: Path) -> None:
    """Eve's file has the relay that she asked herself, not alice's allocation there."""
    call = the_call(inspected(relayed, "eve-eth0"))
    assert (call.relayed, call.relayed_by) == (None, ())
    assert call.unknown == (
        "whether a relay carries it: 203.0.113.9:56315 is on a relay's host, but its allocation "
        "is not in the files",
    )
    assert the_call(inspected(relayed, "eve-eth0", "alice-eth0")).relayed


def test_a_capture_of_no_use_to_the_call_has_none(relayed: Path) -> None:
    found = inspected(relayed, "telemetry-eth0")
    assert found.calls == ()
    assert found.files[0].busiest[0].endswith("packets (TCP)")


def test_calls_of_one_file_are_told_apart_and_go_straight(intranet: Path) -> None:
    found = inspected(intranet, "alice-eth0", "bob-eth0", "bea-eth0")
    assert [call.relayed for call in found.calls] == [False, False]
    assert len({call.ufrags for call in found.calls}) == 2


def test_from_the_router_between_it_is_unknown_whether_a_call_is_direct(intranet: Path) -> None:
    (call,) = inspected(intranet, "core-eth0").calls
    assert call.relayed is None


PATH = ("alice-eth0", "office_nat-eth1", "relay-eth0", "relay-eth0", "eve_nat-eth1", "eve-eth0")


def test_the_files_of_one_event_are_put_in_the_order_of_the_way(relayed: Path) -> None:
    shuffled = ("eve_nat-eth1", "relay-eth0", "alice-eth0", "eve-eth0", "office_nat-eth1")
    call = the_call(inspected(relayed, *shuffled))
    there, back = call.paths
    assert taps_of(there.places) == PATH
    assert taps_of(back.places) == PATH[::-1]
    assert there.order_known
    assert back.order_known
    (judged,) = judge(relayed).calls
    assert {hop.lost for hop in there.hops} == {0}
    assert sum(hop.delay_ms or 0 for hop in there.hops) == pytest.approx(
        judged.media[0].hops and sum(hop.delay_ms for hop in judged.media[0].hops), abs=0.2
    )


def taps_of(places: Sequence[str]) -> tuple[str, ...]:
    return tuple(Path(place.split(" ")[0]).stem for place in places)


#: A machine's clock may be wrong by days.
WRONG = st.integers(-(3 * 24 * 3600 * 10**9), 3 * 24 * 3600 * 10**9)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(clocks=st.tuples(WRONG, WRONG, WRONG))
def test_whatever_the_clocks_say_the_truth_is_within_the_bounds(
    relayed: Path, tmp_path: Path, clocks: tuple[int, int, int]
) -> None:
    ahead = dict(zip(("alice-eth0", "relay-eth0", "eve-eth0"), clocks, strict=True))
    found = inspect([shifted(relayed, tap, by, tmp_path) for tap, by in ahead.items()])
    for clock in found.clocks:
        truth = (ahead[Path(clock.file).stem] - ahead[Path(clock.ahead_of).stem]) / 1e6
        assert clock.low_ms is not None
        assert clock.high_ms is not None
        assert clock.low_ms <= truth <= clock.high_ms
        assert clock.high_ms - clock.low_ms < 1
    assert [taps_of(path.places) for path in the_call(found).paths] == [
        ("alice-eth0", "relay-eth0", "relay-eth0", "eve-eth0"),
        ("eve-eth0", "relay-eth0", "relay-eth0", "alice-eth0"),
    ]


def test_files_without_a_packet_in_common_are_tied_by_one_between(intranet: Path) -> None:
    """Bob's call and bea's have nothing in common but alice, who is in both."""
    clocks = inspected(intranet, "bob-eth0", "alice-eth0", "bea-eth0").clocks
    (tied,) = (one for one in clocks if "bea" in one.file and "bob" in one.ahead_of)
    assert tied.low_ms is not None
    assert tied.high_ms is not None
    assert tied.low_ms <= 0 <= tied.high_ms
    alone = inspected(intranet, "bob-eth0", "bea-eth0").clocks[0]
    assert (alone.low_ms, alone.high_ms) == (None, None)


def test_with_the_nomination_cut_the_selection_is_unknown(relayed: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap([one for one in frames(relayed, "eve-eth0") if not nominates(one.data)]))
    call = the_call(inspect([path]))
    assert call.selected is None
    assert any(text.startswith("which pair was selected") for text in call.unknown)
    assert call.streams


def nominates(frame: bytes) -> bool:
    """Whether an Ethernet frame is a check with USE-CANDIDATE."""
    payload = frame[42:]
    is_stun = frame[23:24] == b"\x11" and payload[4:8] == b"\x21\x12\xa4\x42"
    return is_stun and parse(payload).use_candidate


def test_media_in_a_tunnel_is_read_from_its_interface(tmp_path: Path) -> None:
    run = unpack(tmp_path, "vpn_media_in_tunnel")
    outside = inspected(run, "vic-eth0")
    assert all(not call.streams for call in outside.calls)
    (call,) = inspected(run, "vic-wg0").calls
    assert [stream.packets for stream in call.streams] == [103, 104]


def test_the_stored_schema_is_current_and_holds(relayed: Path) -> None:
    assert STORED.read_text(encoding="utf-8") == inspection_schema(), (
        "inspection.schema.json is stale: run python -m results.inspection.schema"
    )
    found = inspected(relayed, "alice-eth0", "relay-eth0")
    jsonschema.validate(json.loads(found.to_json()), json.loads(inspection_schema()))
    assert Inspection.model_validate_json(found.to_json()) == found
