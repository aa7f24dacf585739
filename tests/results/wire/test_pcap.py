"""Capture files: every format of classic pcap is read, everything else is named."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from results.wire.capture import LONGEST_FRAME, CaptureError
from results.wire.captures import read_capture

FRAMES = [b"first frame", b"second", b""]
SECONDS, FRACTION = 1_700_000_000, 123_456


def pcap(frames: list[bytes], order: str = "<", magic: int = 0xA1B23C4D, link: int = 1) -> bytes:
    header = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, LONGEST_FRAME, link)
    records = (
        struct.pack(order + "IIII", SECONDS, FRACTION + index, len(frame), len(frame)) + frame
        for index, frame in enumerate(frames)
    )
    return header + b"".join(records)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures") / "alice-eth0.pcap"


def problem(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(CaptureError) as caught:
        read_capture(path)
    return str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_either_byte_order_and_either_unit(path: Path, order: str, magic: int, unit: int) -> None:
    path.write_bytes(pcap(FRAMES, order, magic))
    capture = read_capture(path)
    frames = [capture.data[record.start :][: record.size] for record in capture.records]
    assert frames == FRAMES
    assert [record.time for record in capture.records] == [
        SECONDS * 10**9 + (FRACTION + index) * unit for index in range(3)
    ]


def test_what_another_program_wrote(path: Path) -> None:
    frame = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02", type=0x88B5) / b"canary"
    frame.time = 1_700_000_000.5
    wrpcap(str(path), [frame], nano=True)
    capture = read_capture(path)
    (record,) = capture.records
    assert capture.data[record.start :][: record.size] == bytes(frame)
    assert record.time == 1_700_000_000_500_000_000


def test_a_snapped_frame_keeps_its_length_on_the_wire(path: Path) -> None:
    path.write_bytes(pcap([]) + struct.pack("<IIII", 1, 2, 3, 1500) + b"abc")
    (record,) = read_capture(path).records
    assert (record.size, record.original) == (3, 1500)


def test_a_capture_without_frames_is_a_capture(path: Path) -> None:
    path.write_bytes(pcap([]))
    assert len(read_capture(path).records) == 0


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read_capture(tmp_path / "none.pcap")
    assert str(caught.value) == (
        f"{tmp_path}/none.pcap does not exist; expected the capture of this tap"
    )


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read_capture(tmp_path)
    assert str(caught.value) == f"{tmp_path} cannot be read: Is a directory"


def test_empty(path: Path) -> None:
    assert problem(path, b"") == f"{path} is empty; expected a pcap or pcapng file"


def test_foreign(path: Path) -> None:
    assert problem(path, b"\x7fELF and more") == (
        f"{path} is not a capture but a program: it begins with 7f 45 4c 46 at byte 0; "
        "expected the magic number of a pcap or pcapng file"
    )


def test_another_link_type(path: Path) -> None:
    assert problem(path, pcap(FRAMES, link=147)) == (
        f"{path} has link type 147 at byte 20; "
        "expected one of: 1 (ethernet), 12 (raw IP), 101 (raw IP), 113 (Linux cooked), "
        "228 (raw IP), 229 (raw IP), 276 (Linux cooked v2)"
    )


def test_cut_within_the_file_header(path: Path) -> None:
    assert problem(path, pcap(FRAMES)[:20]) == (
        f"{path} is truncated at byte 20, within the file header of 24 bytes"
    )


def test_cut_within_a_frame(path: Path) -> None:
    assert problem(path, pcap(FRAMES[:2])[:-1]) == (
        f"{path} is truncated after frame 1: expected a frame of 6 bytes at byte 51, "
        "but the file ends at byte 72"
    )


def test_cut_within_a_frame_header(path: Path) -> None:
    assert problem(path, pcap(FRAMES[:1]) + bytes(15)) == (
        f"{path} is truncated after frame 1: expected the header of the next frame at byte 51, "
        "but the file ends at byte 66"
    )


def test_a_length_that_cannot_be(path: Path) -> None:
    data = pcap(FRAMES[:1]) + struct.pack("<IIII", 1, 2, LONGEST_FRAME + 1, LONGEST_FRAME + 1)
    assert problem(path, data) == (
        f"{path} is damaged after frame 1: the header at byte 51 claims 262145 bytes; "
        "expected at most 262144"
    )


@given(st.lists(st.binary(max_size=40), max_size=5), st.data())
def test_a_cut_is_found_wherever_it_is(
    path: Path, frames: list[bytes], data: st.DataObject
) -> None:
    whole = pcap(frames)
    cut = data.draw(st.integers(1, len(whole)))
    path.write_bytes(whole[:cut])
    boundaries = [len(pcap(frames[:count])) for count in range(len(frames) + 1)]
    if cut in boundaries:
        assert len(read_capture(path).records) == boundaries.index(cut)
    else:
        assert str(path) in problem(path, whole[:cut])


@given(st.binary() | st.binary().map(lambda rest: pcap([]) + rest))
def test_arbitrary_bytes_are_read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        capture = read_capture(path)
    except CaptureError:
        return
    assert all(record.start + record.size <= len(data) for record in capture.records)
