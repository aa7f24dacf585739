"""Reading classic pcap files (draft-ietf-opsawg-pcap).

A 24-byte header, then for each packet a 16-byte header and the captured bytes.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from results.capture import LONGEST_FRAME, Capture, CaptureError, Record, cut, link_type_of

_FILE_HEADER = 24
_RECORD_HEADER = 16

#: First four bytes -> byte order for struct, nanoseconds in one unit of the fraction.
MAGIC = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}


def read(path: Path, data: bytes) -> Capture:
    """Read a classic pcap file in either byte order, with micro- or nanoseconds.

    Raises CaptureError for another link type, and for a file cut off in the midst
    of a packet.
    """
    order, unit = MAGIC[data[:4]]
    if len(data) < _FILE_HEADER:
        raise CaptureError(
            f"{path} is truncated at byte {len(data)}, within the file header of "
            f"{_FILE_HEADER} bytes"
        )
    (link_type,) = struct.unpack_from(order + "I", data, 20)
    records = tuple(_records(path, data, order, unit))
    return Capture(data, link_type_of(path, link_type, 20), records)


def _records(path: Path, data: bytes, order: str, unit: int) -> Iterator[Record]:
    header = struct.Struct(order + "IIII")
    at, frame = _FILE_HEADER, 0
    while at < len(data):
        if len(data) - at < _RECORD_HEADER:
            raise cut(path, frame, at, len(data), "the header of the next frame")
        seconds, fraction, size, original = header.unpack_from(data, at)
        start = at + _RECORD_HEADER
        if size > LONGEST_FRAME:
            raise CaptureError(
                f"{path} is damaged after frame {frame}: the header at byte {at} claims "
                f"{size} bytes; expected at most {LONGEST_FRAME}"
            )
        if size > len(data) - start:
            raise cut(path, frame, at, len(data), f"a frame of {size} bytes")
        yield Record(seconds * 1_000_000_000 + fraction * unit, start, size, original)
        at, frame = start + size, frame + 1
