"""Reading classic pcap files (draft-ietf-opsawg-pcap).

A 24-byte header, then for each packet a 16-byte header and the captured bytes.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.capture import (
    LONGEST_FRAME,
    CaptureError,
    Interface,
    Records,
    cut,
    link_type_of,
)
from results.wire.data import Data, Places
from results.wire.walk import Walked

_FILE_HEADER = 24
_RECORD_HEADER = 16
#: Where a record's header tells how many bytes were captured.
_SIZE = 8
_SECOND = 1_000_000_000

#: First four bytes -> byte order, nanoseconds in one unit of the fraction.
MAGIC = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}

#: The only version there ever was of this format, in all but museums.
_VERSION = (2, 4)

#: How often a guess may be wrong before a slice goes without one.
_GUESSES = 64


class Pcap:
    """An open classic pcap file, in either byte order, with micro- or nanoseconds.

    Raises CaptureError for another link type or version.
    """

    def __init__(self, path: Path, data: Data) -> None:
        order, unit = MAGIC[data[:4]]
        if len(data) < _FILE_HEADER:
            raise CaptureError(
                f"{path} is truncated at byte {len(data)}, within the file header of "
                f"{_FILE_HEADER} bytes"
            )
        version = struct.unpack_from(order + "HH", data[4:8])
        if version != _VERSION:
            raise CaptureError(
                f"{path} is pcap of version {version[0]}.{version[1]} at byte 4; expected 2.4"
            )
        (link_type,) = struct.unpack_from(order + "I", data[20:24])
        self.path, self.data = path, data
        # The format does not tell its name.
        self.interfaces = [Interface(0, None, link_type_of(path, link_type, 20))]
        self.chain = PcapChain(data, order, unit)

    def begin(self) -> int:
        """Where the first record begins."""
        return _FILE_HEADER

    def records(self, walked: Walked, _frame: int) -> Records:
        """The records of a part of the file."""
        head = walked.heads
        seconds = head["seconds"].astype(np.int64)
        if len(seconds):
            self.chain.now = int(seconds[-1])
        return Records(
            seconds * _SECOND + head["fraction"].astype(np.int64) * self.chain.unit,
            walked.at + _RECORD_HEADER,
            walked.ends - walked.at - _RECORD_HEADER,
            head["original"].astype(np.int64),
            np.zeros(len(head), np.int64),
        )

    def resume(self, at: int, frame: int) -> int:
        """Nothing follows damage: CaptureError, which says what is there."""
        end = len(self.data)
        if end - at < _RECORD_HEADER:
            raise cut(self.path, frame, at, end, "the header of the next frame")
        size = self.chain.head(at).size
        if size > LONGEST_FRAME:
            raise CaptureError(
                f"{self.path} is damaged after frame {frame}: the header at byte {at} claims "
                f"{size} bytes; expected at most {LONGEST_FRAME}"
            )
        raise cut(self.path, frame, at, end, f"a frame of {size} bytes")


class _Head(NamedTuple):
    """The header of one record."""

    seconds: int
    fraction: int
    size: int
    original: int


class PcapChain:
    """How records of classic pcap follow each other (results.wire.walk.Chain)."""

    def __init__(self, data: Data, order: str, unit: int) -> None:
        self.unit = unit
        #: The latest time that is known, in seconds: guesses look for times like it.
        self.now = 0
        self._data, self._order = data, order
        self._struct, self._size = struct.Struct(order + "IIII"), struct.Struct(order + "I")
        self._kind = np.dtype([(name, order + "u4") for name in _Head._fields])
        self.last = len(data) - _RECORD_HEADER
        self._sizes = data.view(self._kind)["size"]
        if self.last >= _FILE_HEADER:
            self.now = self.head(_FILE_HEADER).seconds

    def head(self, at: int) -> _Head:
        """The header of one record, which must lie within the file."""
        return _Head(*self._struct.unpack_from(self._data.raw, at))

    def heads(self, at: Places) -> NDArray[np.void]:
        """The headers of records."""
        return self._data.gather(at, self._kind)

    def follow(self, at: Places) -> Places:
        """Where the next records begin, if these are whole."""
        sizes: NDArray[np.uint32] = self._sizes[at]
        return at + sizes + _RECORD_HEADER

    def end(self, at: int) -> int:
        """Where a record ends, or -1 where there is none."""
        if at > self.last:
            return -1
        (size,) = self._size.unpack_from(self._data.raw, at + _SIZE)
        end: int = at + _RECORD_HEADER + size
        return end if end <= len(self._data) else -1

    def ends(self, at: Places, heads: NDArray[np.void]) -> Places:
        """Where records end; -1 for those that are cut or damaged."""
        size = heads["size"].astype(np.int64)
        ends = at + size + _RECORD_HEADER
        return np.where((size > LONGEST_FRAME) | (ends > len(self._data)), -1, ends)

    def guess(self, start: int, stop: int) -> int | None:
        """The first place that looks like two records of about this time, one after the other."""
        for high in (self.now >> 16, (self.now >> 16) + 1):
            found = self._guess(start, stop, struct.pack(self._order + "H", high & 0xFFFF))
            if found is not None:
                return found
        return None

    def _guess(self, start: int, stop: int, high: bytes) -> int | None:
        offset = 2 if self._order == "<" else 0
        at = start
        for _ in range(_GUESSES):
            at = self._data.find(high, at + offset, stop + offset) - offset
            if at < start:
                return None
            following = self._after_likely(at)
            if following >= 0 and self._after_likely(following) >= 0:
                return at
            at += 1
        return None

    def guesses(self, starts: Places, width: int) -> Places:
        """Guesses of this hour only: others are for those who look closer."""
        octets = self._data.octets(starts, width + 4)
        offset = 2 if self._order == "<" else 0
        one, other = struct.pack(self._order + "H", self.now >> 16 & 0xFFFF)
        is_high = octets[:, offset : offset + width] == one
        is_high &= octets[:, offset + 1 : offset + 1 + width] == other
        at = starts + is_high.argmax(axis=1)
        following = self._all_after_likely(self._all_after_likely(at))
        return np.where(following >= 0, at, -1)

    def _all_after_likely(self, at: Places) -> Places:
        is_within = (at >= 0) & (at <= self.last)
        head = self.heads(np.where(is_within, at, 0))
        size = head["size"].astype(np.int64)
        is_time = (head["seconds"] >> 16) - np.int64(self.now >> 16)
        is_likely = is_within & (is_time >= 0) & (is_time <= 1)
        is_likely &= head["fraction"] < _SECOND // self.unit
        is_likely &= (size <= head["original"]) & (size <= LONGEST_FRAME)
        end = np.where(is_likely, at + _RECORD_HEADER + size, -1)
        return np.where(at == len(self._data), at, end)

    def _after_likely(self, at: int) -> int:
        """Where a record ends that is likely to be one, or the file; else -1."""
        if at > self.last:
            return at if at == len(self._data) else -1
        seconds, fraction, size, original = self._struct.unpack_from(self._data.raw, at)
        is_time = 0 <= (seconds >> 16) - (self.now >> 16) <= 1
        is_likely = is_time and fraction * self.unit < _SECOND
        is_likely = is_likely and size <= original and size <= LONGEST_FRAME
        return at + _RECORD_HEADER + size if is_likely else -1
