"""A file with several interfaces is inspected as so many files would be, on one clock."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from results.handover import blocks
from results.handover.evidence_pcapng import write_evidence
from results.inspection.inspector import inspect
from results.inspection.records import CallSeen, Inspection, PathSeen
from results.schema import EVIDENCE, RunFolder
from tests.results.inspection.crafted import OTHER, START, A, B, Capture, ice, talk
from tests.results.recorded import unpack
from tests.tshark import fields, needs_tshark, run

SECOND = 10**9
ETHERNET_HEADER = 14

RUNS = ("external_relayed", "vpn_internal_relayed", "vpn_media_in_tunnel")


def a_call(ttl: int = 64, late: float = 0.0) -> Capture:
    """A call at one place: how far A's packets have come, and by how much later they are there."""
    capture = Capture()
    ice(capture)
    return media_of_both(capture, ttl, late)


def media_of_both(capture: Capture, ttl: int, late: float) -> Capture:
    """Media of A and of B at one place."""
    talk(capture, A, B, range(100), ttl=ttl, late=late)
    talk(capture, B, A, range(100), ttl=124 - ttl, late=-late, ssrc=OTHER)
    return capture


def store(path: Path, **captures: Capture) -> Path:
    """All captures as interfaces of one file; of those called "tun…" the bare IP packets."""
    links = [blocks.RAW_IP if name[:3] == "tun" else blocks.ETHERNET for name in captures]
    head = [blocks.interface(name, "", link) for name, link in zip(captures, links, strict=True)]
    held = [
        (int((float(packet.time) - START) * SECOND), number, bytes(packet))
        for number, capture in enumerate(captures.values())
        for packet in capture.packets
    ]
    path.write_bytes(blocks.section("", "") + b"".join(head) + b"".join(_blocks(held, links)))
    return path


def _blocks(held: list[tuple[int, int, bytes]], links: list[int]) -> Iterable[bytes]:
    for at, number, frame in sorted(held):
        start = ETHERNET_HEADER if links[number] == blocks.RAW_IP else 0
        yield blocks.packet(number, int(START) * SECOND + at, frame[start:], ())


def the_call(found: Inspection) -> CallSeen:
    (call,) = found.calls
    return call


def test_each_interface_is_a_capturing_point(tmp_path: Path) -> None:
    file = store(tmp_path / "a.pcapng", eth0=a_call(), tun0=a_call(63, 0.002))
    found = inspect([file])
    assert [(one.file, one.packets) for one in found.files] == [
        ("a.pcapng:eth0", 206),
        ("a.pcapng:tun0", 206),
    ]
    assert found.clocks == ()
    call = the_call(found)
    assert {(one.packets, one.lost, one.duplicated) for one in call.streams} == {(100, 0, 0)}
    there, back = call.paths
    assert points(there) == ["a.pcapng:eth0", "a.pcapng:tun0"]
    assert points(back) == ["a.pcapng:tun0", "a.pcapng:eth0"]
    (hop,) = there.hops
    assert (hop.packets, hop.lost) == (100, 0)
    delays = (hop.delay_ms, hop.delay_low_ms, hop.delay_high_ms)
    assert delays == pytest.approx((2, 2, 2), abs=0.01)


def points(path: PathSeen) -> list[str]:
    return [place.split(" ")[0] for place in path.places]


def test_a_packet_that_one_interface_lacks_is_lost_on_the_way_there(tmp_path: Path) -> None:
    here, there = a_call(), a_call(63, 0.002)
    # The tenth packet of A's media, after six of ICE.
    del there.packets[15]
    call = the_call(inspect([store(tmp_path / "a.pcapng", eth0=here, tun0=there)]))
    assert [(hop.to.split(" ")[0], hop.lost) for hop in call.paths[0].hops] == [
        ("a.pcapng:tun0", 1)
    ]
    assert [hop.lost for hop in call.paths[1].hops] == [0]
    assert {(one.side, one.file): one.lost for one in call.streams} == {
        ("A", "a.pcapng:eth0"): 0,
        ("A", "a.pcapng:tun0"): 1,
        ("B", "a.pcapng:eth0"): 0,
        ("B", "a.pcapng:tun0"): 0,
    }


def test_a_file_of_one_interface_keeps_its_own_name(tmp_path: Path) -> None:
    found = inspect([store(tmp_path / "a.pcapng", eth0=a_call())])
    assert [one.file for one in found.files] == ["a.pcapng"]


@pytest.mark.parametrize("names", [("eth0", "eth0"), ("", "eth0"), ("eth0", "\x1b[2J")])
def test_names_that_do_not_tell_interfaces_apart_give_way_to_numbers(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    file = tmp_path / "a.pcapng"
    described = [blocks.interface(name, "", blocks.ETHERNET) for name in names]
    file.write_bytes(blocks.section("", "") + b"".join(described))
    assert [one.file for one in inspect([file]).files] == ["a.pcapng:0", "a.pcapng:1"]


def test_a_files_interfaces_have_one_clock_beside_other_files(tmp_path: Path) -> None:
    """Each point of the first file bounds the one clock of the second."""
    near, far, beyond = Capture(), Capture(), Capture(ahead=7)
    for capture, ttl, late in ((near, 64, 0.0), (far, 63, 0.002), (beyond, 62, 0.003)):
        media_of_both(capture, ttl, late)
    one = store(tmp_path / "a.pcapng", eth0=near, tun0=far)
    found = inspect([one, beyond.store(tmp_path / "b.pcapng")])
    (clock,) = found.clocks
    assert (clock.file, clock.ahead_of) == ("b.pcapng", "a.pcapng")
    # By what the nearer point shares: 1 ms there, and 1 ms back.
    assert clock.low_ms == pytest.approx(6999, abs=0.01)
    assert clock.high_ms == pytest.approx(7001, abs=0.01)
    (there,) = (path for path in the_call(found).paths if points(path)[0] == "a.pcapng:eth0")
    assert points(there) == ["a.pcapng:eth0", "a.pcapng:tun0", "b.pcapng"]
    assert [hop.delay_ms for hop in there.hops] == [
        pytest.approx(2, abs=0.01),
        pytest.approx(1, abs=0.01),
    ]


@pytest.fixture(scope="module", params=RUNS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that took place, with its evidence."""
    folder = unpack(tmp_path_factory.mktemp("evidence"), request.param)
    write_evidence(folder)
    return folder


def test_the_evidence_of_a_run_says_what_its_taps_say(recorded: Path) -> None:
    folder = RunFolder(recorded)
    taps = [folder.capture(tap.name) for tap in folder.read_run().network.taps()]
    one, many = inspect([recorded / EVIDENCE]), inspect(taps)
    assert [file.packets for file in one.files] == [file.packets for file in many.files]
    assert one.clocks == ()
    assert len(one.calls) == len(many.calls) > 0
    for told, by_taps in zip(one.calls, many.calls, strict=True):
        assert (told.ends, told.relayed_by) == (by_taps.ends, by_taps.relayed_by)
        assert media(told) == media(by_taps) != []
        assert {(lost, twice) for *_, lost, twice in media(told)} == {(0, 0)}
        assert ways(told) == ways(by_taps) != []
        assert {hop.lost for path in told.paths for hop in path.hops} == {0}


def media(call: CallSeen) -> list[tuple[str, str, str, str, int, int, int]]:
    """What each point has of each stream."""
    return sorted(
        (one.side, plain(one.file), one.from_, one.to, one.packets, one.lost, one.duplicated)
        for one in call.streams
    )


def ways(call: CallSeen) -> list[tuple[str, list[str]]]:
    return [(path.side, [plain(place) for place in path.places]) for path in call.paths]


def plain(name: str) -> str:
    """A point's name, whether it is that of a tap's file or of an interface of the evidence."""
    return name.removeprefix(f"{EVIDENCE}:").replace(".pcapng", "")


@needs_tshark
def test_files_that_mergecap_merged_say_what_they_said_apart(tmp_path: Path) -> None:
    """Ethernet and the inside of a tunnel: of the latter tshark's own tool keeps the link type."""
    folder = RunFolder(unpack(tmp_path, "vpn_media_in_tunnel"))
    taps = [folder.capture(name) for name in ("vic-eth0", "vic-wg0", "alice-eth0")]
    merged = tmp_path / EVIDENCE
    run("mergecap", "-w", str(merged), *map(str, taps))
    one, many = the_call(inspect([merged])), the_call(inspect(taps))
    assert media(one) == media(many) != []
    assert ways(one) == ways(many)


@needs_tshark
def test_frames_are_those_that_tshark_shows_at_that_interface(recorded: Path) -> None:
    call = inspect([recorded / EVIDENCE]).calls[0]
    told = [(shake.frame, plain(shake.file)) for shake in call.dtls]
    told += [(call.selected.frame, plain(call.selected.file))] if call.selected else []
    assert len(told) > 1
    for frame, point in told:
        ((name, protocols),) = fields(
            recorded / EVIDENCE,
            f"frame.number == {frame}",
            "frame.interface_name",
            "frame.protocols",
        )
        assert name == point
        assert "stun" in protocols or "dtls" in protocols
