"""What a capture file is, whatever its format: its bytes, and where the frames lie in them."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

#: No capture program stores more of one packet (libpcap's MAXIMUM_SNAPLEN).
LONGEST_FRAME = 262_144


class CaptureError(Exception):
    """A capture that cannot be read: missing, empty, foreign or cut. Speaks to a person."""


class LinkType(IntEnum):
    """The link types that the packet table can read (tcpdump.org/linktypes.html)."""

    ETHERNET = 1
    #: A bare IP packet, as on the interfaces of tunnels; 12 is what some systems write for it.
    RAW_IP_OF_BSD = 12
    RAW_IP = 101
    RAW_IPV4 = 228

    @property
    def words(self) -> str:
        """The link type as people call it."""
        return "ethernet" if self is LinkType.ETHERNET else "raw IP"


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
    #: The interface that was captured, where the file tells.
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
