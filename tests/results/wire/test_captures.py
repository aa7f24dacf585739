"""Files of every kind that is no capture, and what pcapng may hold besides packets."""

import struct
from pathlib import Path

import pytest

from results.wire.capture import CaptureError
from results.wire.captures import read_capture
from tests.results.wire.test_pcap import pcap
from tests.results.wire.test_pcapng import TIME, block, interface, packet, section


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tap.pcap"


def problem(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(CaptureError) as caught:
        read_capture(path)
    return str(caught.value).replace(str(path), "it")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x1f\x8b\x08\0", "is not a capture but compressed by gzip"),
        (b"\xfd7zXZ\0", "is not a capture but compressed by xz"),
        (b"\x28\xb5\x2f\xfd", "is not a capture but compressed by zstd"),
        (b"PK\x03\x04", "is not a capture but a zip archive"),
        (b"snoop\0\0\0", "is not a capture but a capture of Solaris snoop"),
        (b'{"run": 1}', "is not a capture but JSON"),
        (b"hello", "is not a capture"),
        (b"\xd4\xc3", "is not a capture"),
    ],
)
def test_what_is_no_capture_is_named(path: Path, data: bytes, words: str) -> None:
    begins = f"it begins with {data[:4].hex(' ')} at byte 0"
    expected = "expected the magic number of a pcap or pcapng file"
    assert problem(path, data) == f"it {words}: {begins}; {expected}"


def test_another_version(path: Path) -> None:
    data = bytearray(pcap([]))
    data[4] = 3
    assert problem(path, bytes(data)) == "it is pcap of version 3.4 at byte 4; expected 2.4"


def test_sections_of_both_byte_orders(path: Path) -> None:
    parts = [
        section(order) + interface(order) + packet(frame, order=order)
        for order, frame in (("<", b"one"), (">", b"two"), ("<", b"three"))
    ]
    path.write_bytes(b"".join(parts))
    capture = read_capture(path)
    frames = [capture.data[r.start : r.start + r.size] for r in capture.records]
    assert frames == [b"one", b"two", b"three"]


def test_interfaces_of_a_section_are_forgotten_in_the_next(path: Path) -> None:
    data = section() + interface() + packet(b"one") + section() + packet(b"two")
    at = len(data) - len(packet(b"two"))
    assert problem(path, data) == (
        "it is damaged after frame 1: found a packet of interface 0, which is not described "
        f"at byte {at}"
    )


def test_an_interface_counts_from_where_it_is_described(path: Path) -> None:
    late = packet(b"two", which=1)
    path.write_bytes(section() + interface() + packet(b"one") + interface() + late)
    assert len(read_capture(path).records) == 2
    before = section() + interface() + late
    assert "a packet of interface 1, which is not described" in problem(path, before + interface())


def test_each_interface_has_its_own_unit_of_time(path: Path) -> None:
    data = section() + interface(resolution=9) + interface(resolution=6)
    path.write_bytes(data + packet(b"a") + packet(b"b", TIME // 1000, which=1))
    assert read_capture(path).records.time.tolist() == [TIME, TIME // 1000 * 1000]


@pytest.mark.parametrize("resolution", [12, 15, 0x80 | 40])
def test_units_finer_than_nanoseconds(path: Path, resolution: int) -> None:
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    ticks = 1_234 * units + units // 2
    path.write_bytes(section() + interface(resolution=resolution) + packet(b"a", ticks))
    assert read_capture(path).records.time.tolist() == [1_234_500_000_000]


@pytest.mark.parametrize("offset", [3600, -3600])
def test_an_offset_of_time(path: Path, offset: int) -> None:
    options = struct.pack("<HHB3xHHqHH", 9, 1, 9, 14, 8, offset, 0, 0)
    described = block(1, struct.pack("<HHI", 1, 0, 0) + options)
    path.write_bytes(section() + described + packet(b"a"))
    assert read_capture(path).records.time.tolist() == [TIME + offset * 10**9]


@pytest.mark.parametrize(("resolution", "units"), [(9, 2**63), (0, 2**40), (6, 2**64 - 1)])
def test_times_that_no_table_can_tell(path: Path, resolution: int, units: int) -> None:
    data = section() + interface(resolution=resolution) + packet(b"a", 0) + packet(b"b", units)
    assert problem(path, data) == "it is damaged: frame 2 has a time after the year 2262"


def test_the_obsolete_packet_block(path: Path) -> None:
    head = struct.pack("<HHIIII", 0, 7, TIME >> 32, TIME & 0xFFFFFFFF, 3, 9)
    path.write_bytes(section() + interface() + block(2, head + b"abc"))
    (record,) = read_capture(path).records
    assert (record.time, record.size, record.original) == (TIME, 3, 9)


def test_a_packet_without_a_time_is_refused(path: Path) -> None:
    data = section() + interface() + packet(b"one")
    assert problem(path, data + block(3, struct.pack("<I", 3) + b"two")) == (
        "it is damaged after frame 1: found a packet without a time (Simple Packet Block) "
        f"at byte {len(data)}"
    )
