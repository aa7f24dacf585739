"""Reading pcapng files (draft-ietf-opsawg-pcapng), as dumpcap writes them: with nanoseconds.

A file is a chain of blocks, each with its type, its length, a body, and its
length again. Sections carry the byte order, interface descriptions the unit of
time; packets refer to them. Blocks of other types are passed over.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.capture import (
    LATEST,
    LONGEST_FRAME,
    CaptureError,
    Interface,
    Records,
    cut,
    link_type_of,
)
from results.wire.data import Data, among
from results.wire.pcapng_blocks import (
    INTERFACE,
    OBSOLETE_PACKET,
    PACKET_TYPES,
    SIMPLE_PACKET,
    SMALLEST,
    SMALLEST_INTERFACE,
    SMALLEST_PACKET,
    BlockChain,
)
from results.wire.walk import Walked

MAGIC = bytes.fromhex("0a0d0d0a")

_BYTE_ORDERS = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
_PACKET_HEADER = 28
_OPTION_END, _OPTION_NAME, _OPTION_TIME_RESOLUTION, _OPTION_TIME_OFFSET = 0, 2, 9, 14
_NANOSECONDS = 1_000_000_000

#: Beyond this many units in a second, products do not fit 64 bits.
_FINEST = 2**34


class _Clock(NamedTuple):
    """How an interface counts time: units in a second, and what to add, in seconds."""

    units: int
    offset: int


class Pcapng:
    """An open pcapng file, whose interfaces may have different link types.

    Raises CaptureError for a file that is damaged, or cut off in the midst of a block.
    """

    def __init__(self, path: Path, data: Data) -> None:
        self.path, self.data = path, data
        self.interfaces: list[Interface] = []
        #: Of the interfaces of the section that is being read.
        self._clocks: list[_Clock] = []
        self.chain: BlockChain

    def begin(self) -> int:
        """Begin the first section."""
        return self.resume(0, 0)

    def resume(self, at: int, frame: int) -> int:
        """Begin a section (section 4.1) where the chain of blocks stands; else CaptureError."""
        if len(self.data) - at < SMALLEST:
            raise cut(self.path, frame, at, len(self.data), "the header of the next block")
        is_section = self.data[at : at + 4] == MAGIC
        if is_section:
            order = _BYTE_ORDERS.get(self.data[at + 8 : at + 12])
            if order is None:
                raise self._damaged(frame, at, "a section without a byte-order magic")
            self.chain = BlockChain(self.data, order, at)
            self._clocks = []
        self._check_block(at, frame)
        return at

    def records(self, walked: Walked, frame: int) -> Records:
        """The packets of a part of the file; takes in the interfaces that it describes."""
        heads = walked.heads
        is_packet = among(heads["type"], PACKET_TYPES)
        before = len(self._clocks)
        new = []
        for index in np.flatnonzero(~is_packet).tolist():
            begin, length = int(walked.at[index]), int(heads["length"][index])
            if heads["type"][index] == INTERFACE:
                self._add_interface(begin, length)
                new.append(begin)
            elif heads["type"][index] == SIMPLE_PACKET:
                frame += int(np.count_nonzero(is_packet[:index]))
                raise self._damaged(frame, begin, "a packet without a time (Simple Packet Block)")
        at, heads = walked.at[is_packet], heads[is_packet]
        interface = _interfaces(heads)
        known = before + np.searchsorted(np.array(new, np.int64), at)
        self._check_interfaces(np.flatnonzero(interface >= known), at, interface, frame)
        # A section numbers its own interfaces from 0.
        earlier = len(self.interfaces) - len(self._clocks)
        return Records(
            self._times(heads, interface, frame),
            at + _PACKET_HEADER,
            heads["size"].astype(np.int64),
            heads["original"].astype(np.int64),
            interface + earlier if earlier else interface,
        )

    def _check_interfaces(
        self, unknown: NDArray[np.intp], at: NDArray[np.int64], which: NDArray[np.int64], frame: int
    ) -> None:
        if len(unknown):
            first = int(unknown[0])
            found = f"a packet of interface {which[first]}, which is not described"
            raise self._damaged(frame + first, int(at[first]), found)

    def _check_block(self, at: int, frame: int) -> None:
        """CaptureError for what makes a chain stand: a block that is cut or damaged."""
        end = len(self.data)
        kind, length = self.chain.head(at)
        if length < SMALLEST or length % 4:
            raise self._damaged(frame, at, f"a block of {length} bytes")
        if length > end - at:
            raise cut(self.path, frame, at, end, f"a block of {length} bytes")
        again = self.chain.number(at + length - 4)
        if again != length:
            found = f"a block whose lengths are {length} and {again} bytes"
            raise self._damaged(frame, at, found)
        if kind == INTERFACE and length < SMALLEST_INTERFACE:
            raise self._damaged(frame, at, f"an interface description of {length} bytes")
        if kind in PACKET_TYPES and length < SMALLEST_PACKET:
            raise self._damaged(frame, at, f"a packet block of {length} bytes")
        size = self.chain.number(at + 20) if kind in PACKET_TYPES else 0
        if size > min(length - SMALLEST_PACKET, LONGEST_FRAME) and kind in PACKET_TYPES:
            found = f"a packet of {size} bytes in a block of {length} bytes"
            raise self._damaged(frame, at, found)

    def _add_interface(self, at: int, length: int) -> None:
        """Interface Description Block (section 4.2)."""
        order = self.chain.order
        (number,) = struct.unpack(order + "H", self.data[at + 8 : at + 10])
        link_type = link_type_of(self.path, number, at + 8)
        options = dict(_options(order, self.data[at + 16 : at + length - 4]))
        offset = options.get(_OPTION_TIME_OFFSET, b"")
        self._clocks.append(
            _Clock(
                _time_units(options.get(_OPTION_TIME_RESOLUTION, b"")),
                struct.unpack(order + "q", offset)[0] if len(offset) == 8 else 0,
            )
        )
        name = options.get(_OPTION_NAME, b"").decode("utf-8", "backslashreplace")
        self.interfaces.append(Interface(len(self.interfaces), name or None, link_type))

    def _times(
        self, heads: NDArray[np.void], interface: NDArray[np.int64], frame: int
    ) -> NDArray[np.int64]:
        """Nanoseconds since the epoch; CaptureError where they do not fit 63 bits."""
        ticks = heads["high"].astype(np.uint64) << np.uint64(32) | heads["low"]
        times = np.zeros(len(ticks), np.int64)
        for number in np.flatnonzero(np.bincount(interface)).tolist():
            here = np.flatnonzero(interface == number)
            clock = self._clocks[number]
            late = _late(ticks[here], clock)
            if late.any():
                first = frame + 1 + int(here[np.argmax(late)])
                raise CaptureError(
                    f"{self.path} is damaged: frame {first} has a time after the year 2262"
                )
            times[here] = _nanoseconds(ticks[here], clock)
        return times

    def _damaged(self, frame: int, at: int, found: str) -> CaptureError:
        return CaptureError(
            f"{self.path} is damaged after frame {frame}: found {found} at byte {at}"
        )


def _interfaces(heads: NDArray[np.void]) -> NDArray[np.int64]:
    """The interface that each packet refers to; the obsolete block has 16 bits for it."""
    whole = heads["interface"].astype(np.int64)
    return np.where(heads["type"] == OBSOLETE_PACKET, heads["short_interface"], whole)


def _options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The options of a block (section 3.5), as far as they are whole."""
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == _OPTION_END or at + 4 + size > len(data):
            return
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _time_units(resolution: bytes) -> int:
    """Units in a second after the option if_tsresol; microseconds without it."""
    if len(resolution) != 1:
        return 1_000_000
    base = 2 if resolution[0] & 0x80 else 10
    return int(base ** (resolution[0] & 0x7F))


def _late(ticks: NDArray[np.uint64], clock: _Clock) -> NDArray[np.bool_]:
    """Which times lie outside what the packet table can tell."""
    latest = (LATEST - max(clock.offset, 0) * _NANOSECONDS) * clock.units // _NANOSECONDS
    earliest = -min(clock.offset, 0) * clock.units
    if latest < 0 or earliest >= 2**64:
        return np.ones(len(ticks), np.bool_)
    return (ticks > np.uint64(min(latest, 2**64 - 1))) | (ticks < np.uint64(earliest))


def _nanoseconds(ticks: NDArray[np.uint64], clock: _Clock) -> NDArray[np.int64]:
    if clock.units > _FINEST:
        exact = [tick * _NANOSECONDS // clock.units for tick in ticks.tolist()]
        times = np.array(exact, np.int64)
    elif clock.units == _NANOSECONDS:
        times = ticks.astype(np.int64)
    else:
        seconds, rest = np.divmod(ticks, np.uint64(clock.units))
        fraction = rest * np.uint64(_NANOSECONDS) // np.uint64(clock.units)
        times = (seconds * np.uint64(_NANOSECONDS) + fraction).astype(np.int64)
    return times + clock.offset * _NANOSECONDS
