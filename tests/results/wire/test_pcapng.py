"""pcapng files: what dumpcap and others write is read, everything else is named."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter

from results.wire.capture import CaptureError
from results.wire.captures import read_capture

TIME = 1_700_000_000_123_456_789
FRAMES = [b"first frame", b"second", b""]


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    padded = body + bytes(-len(body) % 4)
    length = len(padded) + 12
    return struct.pack(order + "II", kind, length) + padded + struct.pack(order + "I", length)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str = "<", resolution: int | None = 9, link: int = 1) -> bytes:
    options = b""
    if resolution is not None:
        options = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)


def packet(frame: bytes, units: int = TIME, order: str = "<", which: int = 0) -> bytes:
    size = len(frame)
    header = struct.pack(order + "IIIII", which, units >> 32, units & 0xFFFFFFFF, size, size)
    return block(6, header + frame, order)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures") / "alice-eth0.pcapng"


def problem(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(CaptureError) as caught:
        read_capture(path)
    return str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "units", "time"),
    [
        (9, TIME, TIME),
        (6, TIME // 1000, TIME // 1000 * 1000),
        (None, TIME // 1000, TIME // 1000 * 1000),
        (0x80 | 10, 1_700_000_000 << 10, 1_700_000_000 * 10**9),
    ],
)
def test_either_byte_order_and_any_unit_of_time(
    path: Path, order: str, resolution: int | None, units: int, time: int
) -> None:
    frames = b"".join(packet(frame, units, order) for frame in FRAMES)
    path.write_bytes(section(order) + interface(order, resolution) + frames)
    capture = read_capture(path)
    assert [capture.data[r.start :][: r.size] for r in capture.records] == FRAMES
    assert {record.time for record in capture.records} == {time}


def test_what_another_program_wrote(path: Path) -> None:
    frame = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02", type=0x88B5) / b"canary"
    with PcapNgWriter(str(path)) as writer:
        writer.write(frame)
    (record,) = read_capture(path).records
    assert path.read_bytes()[record.start :][: record.size] == bytes(frame)


def test_blocks_of_other_types_are_passed_over(path: Path) -> None:
    path.write_bytes(section() + block(5, bytes(12)) + interface() + packet(b"x") + block(5, b""))
    assert len(read_capture(path).records) == 1


def test_the_name_of_the_interface(path: Path) -> None:
    name = b"alice-eth0"
    options = struct.pack("<HH", 2, len(name)) + name + bytes(2) + bytes(4)
    described = block(1, struct.pack("<HHI", 1, 0, 0) + options)
    path.write_bytes(section() + described)
    assert read_capture(path).interface == "alice-eth0"
    path.write_bytes(section() + interface())
    assert read_capture(path).interface is None


def test_a_capture_without_frames_is_a_capture(path: Path) -> None:
    path.write_bytes(section() + interface())
    assert len(read_capture(path).records) == 0


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (section(), "describes no interface; expected one before its packets"),
        (
            section() + packet(b"x"),
            "is damaged after frame 0: found a packet of interface 0, which is not described "
            "at byte 28",
        ),
        (
            section() + interface(link=147),
            "has link type 147 at byte 36; "
            "expected one of: 1 (ethernet), 12 (raw IP), 101 (raw IP), 113 (Linux cooked), "
            "228 (raw IP), 229 (raw IP), 276 (Linux cooked v2)",
        ),
        (
            section() + interface() + packet(b"x")[:-4] + bytes(4),
            "is damaged after frame 0: found a block whose lengths are 36 and 0 bytes at byte 60",
        ),
        (
            section() + interface() + struct.pack("<III", 6, 10, 10),
            "is damaged after frame 0: found a block of 10 bytes at byte 60",
        ),
        (
            section() + interface() + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99)),
            "is damaged after frame 0: found a packet of 99 bytes in a block of 32 bytes "
            "at byte 60",
        ),
        (
            block(0x0A0D0D0A, bytes(16)),
            "is damaged after frame 0: found a section without a byte-order magic at byte 0",
        ),
    ],
)
def test_damage_is_named_with_its_place(path: Path, data: bytes, complaint: str) -> None:
    assert problem(path, data) == f"{path} {complaint}"


def test_a_cut_is_found_wherever_it_is(path: Path) -> None:
    start = section() + interface() + packet(b"one")
    whole = start + packet(b"a frame that is cut")
    for end in range(len(start) + 1, len(whole)):
        assert f"{path} is truncated after frame 1: expected " in problem(path, whole[:end])


@given(st.binary(max_size=200))
def test_arbitrary_blocks_are_read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(section() + interface() + data)
    with contextlib.suppress(CaptureError):
        read_capture(path)
