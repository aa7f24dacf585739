"""Reading one capture file: classic pcap, as ``dumpcap -P`` writes it.

The format is draft-ietf-opsawg-pcap: a 24-byte header, then for each packet a
16-byte header and the captured bytes. Only where the frames lie is read here;
what they say is for results/packets.py.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_FILE_HEADER = 24
_RECORD_HEADER = 16

#: No capture program stores more of one packet (libpcap's MAXIMUM_SNAPLEN).
LONGEST_FRAME = 262_144

#: First four bytes -> byte order for struct, nanoseconds in one unit of the fraction.
_MAGIC = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}
_PCAPNG_MAGIC = bytes.fromhex("0a0d0d0a")


class CaptureError(Exception):
    """A capture that cannot be read: missing, empty, foreign or cut. Speaks to a person."""


class LinkType(IntEnum):
    """The link types that the packet table can read (tcpdump.org/linktypes.html)."""

    ETHERNET = 1


class Record(NamedTuple):
    """Where one frame lies in its file.

    ``time`` is in nanoseconds since the epoch; ``original`` is the frame's
    length on the wire, which is more than ``size`` when the capture snapped it.
    """

    time: int
    start: int
    size: int
    original: int


@dataclass(frozen=True)
class Capture:
    """One capture file: its bytes and where the frames lie in them."""

    data: bytes
    link_type: LinkType
    records: tuple[Record, ...]


def read_capture(path: Path) -> Capture:
    """Read a classic pcap file in either byte order, with micro- or nanoseconds.

    A file with a header and no packets is a capture in which nothing happened.
    Raises CaptureError for a file that is missing, empty, of another format, of
    another link type, or cut off in the midst of a packet.
    """
    data = _bytes_of(path)
    order, unit = _format(path, data)
    (link_type,) = struct.unpack_from(order + "I", data, 20)
    return Capture(data, _link_type(path, link_type), tuple(_records(path, data, order, unit)))


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CaptureError(f"{path} does not exist; expected the capture of this tap") from None
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None
    if not data:
        raise CaptureError(f"{path} is empty; expected a pcap file header of {_FILE_HEADER} bytes")
    return data


def _format(path: Path, data: bytes) -> tuple[str, int]:
    magic = data[:4]
    if magic == _PCAPNG_MAGIC:
        raise CaptureError(f"{path} is a pcapng file; expected classic pcap (dumpcap -P)")
    if magic not in _MAGIC:
        raise CaptureError(
            f"{path} is not a capture: it begins with {magic.hex(' ')} at byte 0; "
            "expected the magic number of a classic pcap file (dumpcap -P)"
        )
    if len(data) < _FILE_HEADER:
        raise CaptureError(
            f"{path} is truncated at byte {len(data)}, within the file header of "
            f"{_FILE_HEADER} bytes"
        )
    return _MAGIC[magic]


def _link_type(path: Path, value: int) -> LinkType:
    # The upper bits tell of a frame check sequence at the end of each frame, if any.
    number = value & 0xFFFF
    try:
        return LinkType(number)
    except ValueError:
        known = ", ".join(f"{item.value} ({item.name.lower()})" for item in LinkType)
        raise CaptureError(
            f"{path} has link type {number} at byte 20; expected one of: {known}"
        ) from None


def _records(path: Path, data: bytes, order: str, unit: int) -> Iterator[Record]:
    header = struct.Struct(order + "IIII")
    at, frame = _FILE_HEADER, 0
    while at < len(data):
        if len(data) - at < _RECORD_HEADER:
            raise _cut(path, frame, at, len(data), "the header of the next frame")
        seconds, fraction, size, original = header.unpack_from(data, at)
        start = at + _RECORD_HEADER
        if size > LONGEST_FRAME:
            raise CaptureError(
                f"{path} is damaged after frame {frame}: the header at byte {at} claims "
                f"{size} bytes; expected at most {LONGEST_FRAME}"
            )
        if size > len(data) - start:
            raise _cut(path, frame, at, len(data), f"a frame of {size} bytes")
        yield Record(seconds * 1_000_000_000 + fraction * unit, start, size, original)
        at, frame = start + size, frame + 1


def _cut(path: Path, frame: int, at: int, end: int, expected: str) -> CaptureError:
    return CaptureError(
        f"{path} is truncated after frame {frame}: expected {expected} at byte {at}, "
        f"but the file ends at byte {end}"
    )
