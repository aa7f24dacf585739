"""A capture as dumpcap writes it (pcapng, nanoseconds), taken apart and put together again.

What stands before and after its packets stays as it was, so that nothing but the
packets tells a changed capture from another.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from results.wire.captures import read_capture

#: Enhanced Packet Block: type and length; interface, time, sizes; the length again.
_BEFORE, _AFTER = 28, 4
_ENHANCED_PACKET = 6


class Frame(NamedTuple):
    """One frame of a capture; time in ns."""

    time: int
    data: bytes


class Pieces(NamedTuple):
    """A capture: its frames, and the blocks before and after them."""

    head: bytes
    frames: tuple[Frame, ...]
    tail: bytes


def take_apart(path: Path) -> Pieces:
    """The pieces of a capture of one interface."""
    capture = read_capture(path)
    data, records = capture.data, capture.records
    frames = tuple(Frame(one.time, data[one.start : one.start + one.size]) for one in records)
    if not records:
        return Pieces(data[:], frames, b"")
    begin, last = records[0].start - _BEFORE, records[-1]
    end = last.start + last.size + -last.size % 4 + _AFTER
    return Pieces(data[:begin], frames, data[end:])


def put_together(pieces: Pieces, frames: Iterable[Frame]) -> bytes:
    """A capture with other frames, in the order of their times."""
    ordered = sorted(frames, key=lambda frame: frame.time)
    return pieces.head + b"".join(map(_block, ordered)) + pieces.tail


def _block(frame: Frame) -> bytes:
    size = len(frame.data)
    length = _BEFORE + size + -size % 4 + _AFTER
    high, low = divmod(frame.time, 2**32)
    head = struct.pack("<IIIIIII", _ENHANCED_PACKET, length, 0, high, low, size, size)
    return head + frame.data + bytes(-size % 4) + length.to_bytes(4, "little")
