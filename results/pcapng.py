"""Reading pcapng files (draft-ietf-opsawg-pcapng), as dumpcap writes them: with nanoseconds.

A file is a chain of blocks, each with its type, its length, a body, and its
length again. Sections carry the byte order, interface descriptions the unit of
time; packets refer to them. Blocks of other types are passed over.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from results.capture import (
    LONGEST_FRAME,
    Capture,
    CaptureError,
    LinkType,
    Record,
    cut,
    link_type_of,
)

MAGIC = bytes.fromhex("0a0d0d0a")

_INTERFACE, _ENHANCED_PACKET = 1, 6
_BYTE_ORDERS = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
_SMALLEST_BLOCK = 12
_OPTION_END, _OPTION_NAME, _OPTION_TIME_RESOLUTION = 0, 2, 9
_NANOSECONDS = 1_000_000_000


@dataclass
class _Reading:
    """What is known so far while the blocks are walked."""

    path: Path
    data: bytes
    order: str = "<"
    link_type: LinkType | None = None
    interface: str | None = None
    #: Units of time in a second, for each interface of the section.
    units: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


def read(path: Path, data: bytes) -> Capture:
    """Read a pcapng file whose interfaces all have one link type.

    Raises CaptureError for a file that is damaged, has several link types, or is
    cut off in the midst of a block.
    """
    reading = _Reading(path, data)
    at = 0
    while at < len(data):
        at = _read_block(reading, at)
    if reading.link_type is None:
        raise CaptureError(f"{path} describes no interface; expected one before its packets")
    return Capture(data, reading.link_type, tuple(reading.records), reading.interface)


def _read_block(reading: _Reading, at: int) -> int:
    """Take in the block at this byte; where the next one begins."""
    frame, end = len(reading.records), len(reading.data)
    if end - at < _SMALLEST_BLOCK:
        raise cut(reading.path, frame, at, end, "the header of the next block")
    if reading.data[at : at + 4] == MAGIC:
        _begin_section(reading, at)
    kind: int
    length: int
    kind, length = struct.unpack_from(reading.order + "II", reading.data, at)
    if length < _SMALLEST_BLOCK or length % 4:
        raise _damaged(reading, at, f"a block of {length} bytes")
    if length > end - at:
        raise cut(reading.path, frame, at, end, f"a block of {length} bytes")
    (again,) = struct.unpack_from(reading.order + "I", reading.data, at + length - 4)
    if again != length:
        raise _damaged(reading, at, f"a block whose lengths are {length} and {again} bytes")
    if kind == _INTERFACE:
        _add_interface(reading, at, length)
    elif kind == _ENHANCED_PACKET:
        _add_packet(reading, at, length)
    return at + length


def _begin_section(reading: _Reading, at: int) -> None:
    """Section Header Block (section 4.1): the byte order; interfaces count anew."""
    order = _BYTE_ORDERS.get(reading.data[at + 8 : at + 12])
    if order is None:
        raise _damaged(reading, at, "a section without a byte-order magic")
    reading.order = order
    reading.units = []


def _add_interface(reading: _Reading, at: int, length: int) -> None:
    """Interface Description Block (section 4.2)."""
    if length < 20:
        raise _damaged(reading, at, f"an interface description of {length} bytes")
    (number,) = struct.unpack_from(reading.order + "H", reading.data, at + 8)
    link_type = link_type_of(reading.path, number, at + 8)
    if reading.link_type not in (None, link_type):
        raise CaptureError(f"{reading.path} has interfaces of several link types; expected one")
    reading.link_type = link_type
    options = dict(_options(reading, at + 16, at + length - 4))
    reading.units.append(_time_units(options.get(_OPTION_TIME_RESOLUTION, b"")))
    if _OPTION_NAME in options:
        reading.interface = options[_OPTION_NAME].decode("utf-8", "backslashreplace")


def _options(reading: _Reading, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The options of a block (section 3.5), as far as they are whole."""
    while at + 4 <= end:
        code, size = struct.unpack_from(reading.order + "HH", reading.data, at)
        if code == _OPTION_END or at + 4 + size > end:
            return
        yield code, reading.data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _time_units(resolution: bytes) -> int:
    """Units in a second after the option if_tsresol; microseconds without it."""
    if len(resolution) != 1:
        return 1_000_000
    base = 2 if resolution[0] & 0x80 else 10
    return int(base ** (resolution[0] & 0x7F))


def _add_packet(reading: _Reading, at: int, length: int) -> None:
    """Enhanced Packet Block (section 4.3)."""
    if length < 32:
        raise _damaged(reading, at, f"a packet block of {length} bytes")
    interface, high, low, size, original = struct.unpack_from(
        reading.order + "IIIII", reading.data, at + 8
    )
    if interface >= len(reading.units):
        raise _damaged(reading, at, f"a packet of interface {interface}, which is not described")
    if size > min(length - 32, LONGEST_FRAME):
        raise _damaged(reading, at, f"a packet of {size} bytes in a block of {length} bytes")
    time = ((high << 32) | low) * _NANOSECONDS // reading.units[interface]
    reading.records.append(Record(time, at + 28, size, original))


def _damaged(reading: _Reading, at: int, found: str) -> CaptureError:
    return CaptureError(
        f"{reading.path} is damaged after frame {len(reading.records)}: found {found} at byte {at}"
    )
