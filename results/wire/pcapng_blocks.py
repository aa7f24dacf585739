"""How the blocks of a pcapng section follow each other (draft-ietf-opsawg-pcapng, section 3.1)."""

import struct

import numpy as np
from numpy.typing import NDArray

from results.wire.capture import LONGEST_FRAME
from results.wire.data import Data, Places

SECTION = 0x0A0D0D0A
INTERFACE, OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 1, 2, 3, 6
PACKET_TYPES = (ENHANCED_PACKET, OBSOLETE_PACKET)

# Lengths in bytes that blocks have at least.
SMALLEST = 12
SMALLEST_INTERFACE = 20
SMALLEST_PACKET = 32

#: How often a guess may be wrong before a slice goes without one.
_GUESSES = 64


class BlockChain:
    """The blocks of one section, in its byte order (results.wire.walk.Chain)."""

    def __init__(self, data: Data, order: str, begin: int) -> None:
        self.order = order
        self._data, self._begin = data, begin
        self._struct = struct.Struct(order + "II")
        self._number = struct.Struct(order + "I")
        self._packet = struct.Struct(order + "IIIIII")
        word = np.dtype(order + "u4")
        self._word = np.dtype([("value", word)])
        self._kind = np.dtype(
            {
                "names": (
                    *("type", "length", "interface", "short_interface"),
                    *("high", "low", "size", "original"),
                ),
                "formats": (word, word, word, order + "u2", word, word, word, word),
                "offsets": (0, 4, 8, 8, 12, 16, 20, 24),
                "itemsize": 28,
            }
        )
        self.last = len(data) - SMALLEST
        self._lengths = data.view(np.dtype([("type", word), ("length", word)]))["length"]

    def head(self, at: int) -> tuple[int, int]:
        """Type and length of the block at a place, which must lie within the file."""
        kind, length = self._struct.unpack_from(self._data.raw, at)
        return kind, length

    def number(self, at: int) -> int:
        """The 32-bit number at a place."""
        value: int = self._number.unpack_from(self._data.raw, at)[0]
        return value

    def heads(self, at: Places) -> NDArray[np.void]:
        """The first fields of blocks, as packets have them."""
        return self._data.gather(at, self._kind)

    def _words(self, at: Places) -> NDArray[np.uint32]:
        words: NDArray[np.uint32] = self._data.gather(at, self._word)["value"]
        return words

    def follow(self, at: Places) -> Places:
        """Where the next blocks begin, if these are whole."""
        lengths: NDArray[np.uint32] = self._lengths[at]
        return at + np.maximum(lengths, np.uint32(SMALLEST))

    def end(self, at: int) -> int:
        """Where a block ends, or -1 where there is none."""
        length = self.head(at)[1] if at <= self.last else 0
        end = at + length
        return end if length >= SMALLEST and end <= len(self._data) else -1

    def ends(self, at: Places, heads: NDArray[np.void]) -> Places:
        """Where blocks end; -1 for those that are cut, damaged, or begin another section."""
        kind, length = heads["type"], heads["length"].astype(np.int64)
        ends = at + length
        wrong = (length < SMALLEST) | (length & 3 != 0) | (ends > len(self._data))
        wrong |= (kind == SECTION) & (at != self._begin)
        wrong |= (kind == INTERFACE) & (length < SMALLEST_INTERFACE)
        most = np.minimum(length - SMALLEST_PACKET, LONGEST_FRAME)
        wrong |= ((kind == ENHANCED_PACKET) | (kind == OBSOLETE_PACKET)) & (heads["size"] > most)
        wrong |= self._words(np.where(wrong, at, ends - 4)) != length
        return np.where(wrong, -1, ends)

    def guess(self, start: int, stop: int) -> int | None:
        """The first place that looks like a packet's block."""
        wanted = self._number.pack(ENHANCED_PACKET)
        at = start
        for _ in range(_GUESSES):
            at = self._data.find(wanted, at, stop + 3)
            if at < 0:
                return None
            if self._is_likely(at):
                return at
            at += 1
        return None

    def guesses(self, starts: Places, width: int) -> Places:
        """Guesses at places where blocks may begin, as ``starts`` do."""
        octets = self._data.octets(starts, width - width % 4)
        types = octets.view(np.dtype(self.order + "u4"))
        at = starts + 4 * (types == ENHANCED_PACKET).argmax(axis=1)
        at = np.minimum(at, self.last)
        ends = self.ends(at, self.heads(at))
        is_likely = (self._words(at) == ENHANCED_PACKET) & ((at - self._begin) & 3 == 0)
        return np.where(is_likely & (ends >= 0), at, -1)

    def _is_likely(self, at: int) -> bool:
        if (at - self._begin) % 4 or at + SMALLEST_PACKET > len(self._data):
            return False
        fields: tuple[int, ...] = self._packet.unpack_from(self._data.raw, at)
        length, size = fields[1], fields[5]
        end = at + length
        is_sized = length % 4 == 0 and size <= length - SMALLEST_PACKET
        return is_sized and end <= len(self._data) and self.number(end - 4) == length
