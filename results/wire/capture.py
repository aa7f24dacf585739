"""What a capture file is, whatever its format: its bytes, and where the frames lie in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.data import Data, Places

#: No capture program stores more of one packet (libpcap's MAXIMUM_SNAPLEN).
LONGEST_FRAME = 262_144

#: A frame's time, in nanoseconds since the epoch, has 63 bits in the packet table.
LATEST = 2**63 - 1


class CaptureError(Exception):
    """A capture that cannot be read: missing, empty, foreign or cut. Speaks to a person."""


class LinkType(IntEnum):
    """The link types that the packet table can read (tcpdump.org/linktypes.html)."""

    ETHERNET = 1
    #: A bare IP packet, as on the interfaces of tunnels; 12 is what some systems write for it.
    RAW_IP_OF_BSD = 12
    RAW_IP = 101
    #: What Linux makes of any link, for instance of the interface "any".
    LINUX_COOKED = 113
    RAW_IPV4 = 228
    RAW_IPV6 = 229
    LINUX_COOKED_V2 = 276

    @property
    def words(self) -> str:
        """The link type as people call it."""
        return _WORDS.get(self, "raw IP")


_WORDS = {
    LinkType.ETHERNET: "ethernet",
    LinkType.LINUX_COOKED: "Linux cooked",
    LinkType.LINUX_COOKED_V2: "Linux cooked v2",
}


class Interface(NamedTuple):
    """An interface that a file describes.

    ``number`` counts all that the file describes, from 0; ``name`` is None where it tells none.
    """

    number: int
    name: str | None
    link_type: LinkType


class Record(NamedTuple):
    """Where one frame lies in its file.

    ``time`` is in nanoseconds since the epoch; ``original`` is the frame's
    length on the wire, which is more than ``size`` when the capture snapped it;
    ``interface`` is the number of the one that saw it.
    """

    time: int
    start: int
    size: int
    original: int
    interface: int


@dataclass(frozen=True, eq=False)
class Records:
    """Many records, in columns."""

    time: NDArray[np.int64]
    start: Places
    size: Places
    original: Places
    interface: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, index: int) -> Record:
        return Record(*(int(getattr(self, name)[index]) for name in Record._fields))

    def __iter__(self) -> Iterator[Record]:
        return (self[index] for index in range(len(self)))

    def part(self, which: slice) -> "Records":
        """Some of them."""
        return Records(*(getattr(self, name)[which] for name in Record._fields))

    def by_interface(self) -> Iterator[tuple[int, NDArray[np.intp], "Records"]]:
        """Interface by interface: its number, and which of the records are its own."""
        order = np.argsort(self.interface, kind="stable")
        turns = np.flatnonzero(np.diff(self.interface[order])) + 1
        for which in np.split(order, turns) if len(order) else ():
            own = Records(*(getattr(self, name)[which] for name in Record._fields))
            yield int(own.interface[0]), which, own


def joined(parts: list[Records]) -> Records:
    """The records of all parts, one after the other."""
    none = np.empty(0, np.int64)
    columns = ([none, *(getattr(part, name) for part in parts)] for name in Record._fields)
    return Records(*map(np.concatenate, columns))


@dataclass(frozen=True, eq=False)
class Capture:
    """A capture file of one link type: its bytes and where the frames lie in them."""

    data: Data
    link_type: LinkType
    records: Records
    #: What was captured, in words (results.wire.captures.captured), where the file tells.
    interface: str | None = None


def link_type_of(path: Path, value: int, at: int) -> LinkType:
    """The link type with this number, found at byte ``at``; CaptureError when we cannot read it."""
    # The upper bits tell of a frame check sequence at the end of each frame, if any.
    number = value & 0xFFFF
    try:
        return LinkType(number)
    except ValueError:
        known = ", ".join(f"{item.value} ({item.words})" for item in LinkType)
        raise CaptureError(
            f"{path} has link type {number} at byte {at}; expected one of: {known}"
        ) from None


def cut(path: Path, frame: int, at: int, end: int, expected: str) -> CaptureError:
    """The error for a file that ends in the midst of something."""
    return CaptureError(
        f"{path} is truncated after frame {frame}: expected {expected} at byte {at}, "
        f"but the file ends at byte {end}"
    )
