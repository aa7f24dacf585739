"""Damaged packets and files: read as a second, plain reader reads them, or refused as it does.

A sample runs always, a hundred thousand with ``callpath test --long``.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from results.handover import blocks
from results.packets import Kind, PacketTable, read_table
from results.wire import captures, walk
from results.wire.capture import CaptureError, joined
from results.wire.captures import open_capture, parts, read_capture
from scenarios.reading.mix import Packet, packets, write_pcap, write_pcapng
from tests.results.wire import scalar
from topologies.spec import Tap

TAP = Tap(name="tap", host="host", interface="eth0", link=None, mac=None)

#: What of a frame is mutated: headers, and the begin of what they carry.
_HEADERS = 110
#: EtherTypes that the plain reader does not know.
_UNKNOWN = (0x8100, 0x88A8, 0x9100, 0x86DD)

_AT_ONCE = 500

SAMPLE = 2_000
LONG = 100_000


def mutated(frame: bytes, source: random.Random) -> bytes:
    """A frame with a few bytes changed, cut, or put in."""
    data = bytearray(frame)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(min(len(data), _HEADERS))
        match source.randrange(5):
            case 0:
                data[at] = source.randrange(256)
            case 1:
                data[at] ^= 1 << source.randrange(8)
            case 2:
                data[at] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 3:
                del data[at : at + source.randint(1, 20)]
            case _:
                data[at:at] = source.randbytes(source.randint(1, 20))
        if not data:
            return bytes(1)
    return bytes(data[: source.randrange(len(data))] if source.random() < 0.1 else data)


def check(path: Path, frames: list[bytes]) -> None:
    """Compare what both readers say of some frames."""
    timed = zip(packets(len(frames)), frames, strict=True)
    write_pcap(path, (packet._replace(frame=frame) for packet, frame in timed))
    table = read_table({TAP: path}, tunnels=())
    assert len(table) == len(frames)
    for row, frame in enumerate(frames):
        if int.from_bytes(frame[12:14]) not in _UNKNOWN:
            assert ours(table, row) == scalar.frame(frame, len(frame)), frame.hex()


def ours(table: PacketTable, row: int) -> scalar.Seen:
    inner = Kind(int(table.inner_kind[row]))
    return scalar.Seen(
        Kind(int(table.kind[row])),
        Kind.TCP if table.kind[row] == Kind.TCP else inner,
        table.payload(row),
        table.innermost(row),
        (int(table.src[row]), int(table.sport[row]), int(table.dst[row]), int(table.dport[row])),
        int(table.protocol[row]),
    )


def mutated_packets(count: int) -> Iterator[list[bytes]]:
    source = random.Random(5)  # noqa: S311 (not for secrets)
    seeds = [packet.frame for packet in packets(_AT_ONCE)]
    for _ in range(count // _AT_ONCE):
        yield [mutated(frame, source) for frame in seeds]


def test_the_packets_as_they_were(tmp_path: Path) -> None:
    check(tmp_path / "a.pcap", [packet.frame for packet in packets(_AT_ONCE)])


def test_mutated_packets(tmp_path: Path) -> None:
    for frames in mutated_packets(SAMPLE):
        check(tmp_path / "a.pcap", frames)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_mutated_packets(tmp_path: Path) -> None:
    for frames in mutated_packets(LONG):
        check(tmp_path / "a.pcap", frames)


def test_a_misreading_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.wire.batches.DNS_PORT", 54)
    with pytest.raises(AssertionError):
        check(tmp_path / "a.pcap", [packet.frame for packet in packets(_AT_ONCE)])


def whole_files(folder: Path) -> list[bytes]:
    """Small captures of both formats, one of them of two interfaces in two sections."""
    some = [packet._replace(frame=packet.frame[:120]) for packet in packets(40)]
    write_pcap(folder / "a.pcap", some)
    write_pcapng(folder / "a.pcapng", some)
    nano, plain = (folder / "a.pcap").read_bytes(), (folder / "a.pcapng").read_bytes()
    return [nano, b"\xd4\xc3\xb2\xa1" + nano[4:], plain, several(some) + plain]


def several(some: list[Packet]) -> bytes:
    """A section with the packets at two interfaces by turns, one of them without Ethernet."""
    head = blocks.section("", "")
    head += blocks.interface("a", "", blocks.ETHERNET) + blocks.interface("b", "", blocks.RAW_IP)
    turns = enumerate(some)
    return head + b"".join(blocks.packet(at % 2, one.time, one.frame, ()) for at, one in turns)


def mutated_file(data: bytes, source: random.Random) -> bytes:
    """A file with numbers in its record headers changed, a part cut out, repeated, or its end."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 3)):
        # The magic number stays: without it there is no more to be seen.
        at = source.randrange(4, max(len(changed), 5))
        match source.randrange(5):
            case 0:
                changed[at] = source.randrange(256)
            case 1:
                changed[at : at + 4] = source.choice((bytes(4), b"\xff" * 4, b"\x10\0\0\0"))
            case 2:
                del changed[at : at + source.choice((1, 4, 16, 100))]
            case 3:
                changed[at:at] = changed[at : at + source.choice((1, 4, 16, 100))]
            case _:
                del changed[at:]
    return bytes(changed)


def check_file(path: Path, data: bytes) -> bool:
    """Compare what both readers make of a file; whether they could read it."""
    path.write_bytes(data)
    try:
        expected = list(scalar.records(data))
    except scalar.DamagedError:
        with pytest.raises(CaptureError):
            list(parts(open_capture(path)))
        return False
    try:
        found = joined(list(parts(open_capture(path))))
    except CaptureError as error:
        # The plain reader does not look at link types.
        assert "link type" in str(error) or "no interface" in str(error)  # noqa: PT017
        return False
    assert [tuple(record) for record in found] == [tuple(record) for record in expected]
    return True


def mutate_files(folder: Path, count: int) -> None:
    source = random.Random(6)  # noqa: S311 (not for secrets)
    wholes = whole_files(folder)
    readable = sum(
        check_file(folder / "mutant", mutated_file(source.choice(wholes), source))
        for _ in range(count)
    )
    assert count // 20 < readable < count


@pytest.fixture(params=["as they are", "in small slices"])
def sliced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files, too, are walked in slices that begin with a guess."""
    if request.param == "in small slices":
        monkeypatch.setattr(walk, "_SLICE", 300)
        monkeypatch.setattr(walk, "_IN_SLICE", 2)
        monkeypatch.setattr(walk, "_FEW", 2)
        monkeypatch.setattr(captures, "_PART", 1500)


@pytest.mark.usefixtures("sliced")
def test_mutated_files(tmp_path: Path) -> None:
    mutate_files(tmp_path, SAMPLE // 4)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("sliced")
def test_many_mutated_files(tmp_path: Path) -> None:
    mutate_files(tmp_path, LONG // 10)


@pytest.mark.usefixtures("sliced")
def test_payloads_that_look_like_records(tmp_path: Path) -> None:
    """A capture in a capture: every guess may find a record that is none."""
    some = [packet._replace(frame=packet.frame[:200]) for packet in packets(300)]
    write_pcap(tmp_path / "inner.pcap", some)
    inner = (tmp_path / "inner.pcap").read_bytes()[24:]
    pieces = [inner[at : at + 3000] for at in range(0, len(inner), 3000)]
    outer = [p._replace(frame=piece) for p, piece in zip(packets(len(pieces)), pieces, strict=True)]
    for name, write in (("a.pcap", write_pcap), ("a.pcapng", write_pcapng)):
        write(tmp_path / name, outer)
        capture = read_capture(tmp_path / name)
        assert capture.records.size.tolist() == [len(piece) for piece in pieces]
        assert np.all(np.diff(capture.records.time) > 0)
