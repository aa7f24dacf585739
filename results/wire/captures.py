"""Opening a capture file of either format, and finding its records part by part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from results.wire import pcap, pcapng
from results.wire.capture import Capture, CaptureError, Interface, LinkType, Records, joined
from results.wire.data import Data
from results.wire.walk import Chain, Walked, walk

#: Bytes of a file whose records are found at once: at most, and of the first part.
_PART, _FIRST_PART = 1 << 25, 1 << 21

#: Records that are found at once, more or less: they take memory, however small they are.
_RECORDS = 1 << 18


class CaptureFile(Protocol):
    """An open capture file; ``chain`` is that of the section at hand."""

    path: Path
    data: Data
    #: Those that were described so far.
    interfaces: list[Interface]

    @property
    def chain(self) -> Chain:
        """How the records follow each other."""

    def begin(self) -> int:
        """Where the first record begins."""

    def records(self, walked: Walked, frame: int) -> Records:
        """The packets of a part that was walked, before which there are ``frame`` packets."""

    def resume(self, at: int, frame: int) -> int:
        """Where to go on after the chain stood at a place; else CaptureError, saying why."""


def open_capture(path: Path) -> CaptureFile:
    """Open a pcap or pcapng file.

    Raises CaptureError for a file that is missing, empty, of another format, or of
    a link type that cannot be read.
    """
    data = _data_of(path)
    magic = data[:4]
    if magic == pcapng.MAGIC:
        return pcapng.Pcapng(path, data)
    if magic in pcap.MAGIC:
        return pcap.Pcap(path, data)
    raise CaptureError(
        f"{path} {foreign(data)}; expected the magic number of a pcap or pcapng file"
    )


def read_capture(path: Path) -> Capture:
    """Find all records of a capture of one link type.

    A file with a header and no packets is a capture in which nothing happened.
    Raises CaptureError as open_capture does, for a file that is damaged or cut off
    in the midst of a packet, and for several link types.
    """
    file = open_capture(path)
    records = joined(list(parts(file)))
    return Capture(file.data, only_link_type(file), records, captured(file))


def only_link_type(file: CaptureFile) -> LinkType:
    """The link type of a file that was read; CaptureError where its interfaces have several."""
    found = {interface.link_type for interface in file.interfaces}
    if len(found) > 1:
        raise CaptureError(f"{file.path} has interfaces of several link types; expected one")
    return file.interfaces[0].link_type


def captured(file: CaptureFile) -> str | None:
    """The names of the interfaces of a file that was read; None for one without a name."""
    names = list(dict.fromkeys(interface.name for interface in file.interfaces))
    if names == [None]:
        count = len(file.interfaces)
        return None if count == 1 else f"{count} interfaces without a name"
    return " and ".join(name or "one without a name" for name in names)


class Place:
    """How far a file has been read: what follows is read from here, part by part."""

    def __init__(self, file: CaptureFile) -> None:
        self.file = file
        self.at = self._begin = file.begin()
        #: Frames before this place.
        self.frames = 0
        #: Whether the chain does not go on: a section begins here, or something is wrong.
        self.stands = False

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return len(self.file.data) - self.at

    def part(self) -> Records:
        """The records of the next part; CaptureError where it is damaged or cut."""
        if self.stands:
            self.at = self.file.resume(self.at, self.frames)
        bound = self.at + min(self.span(_RECORDS), self.left)
        walked = walk(self.file.chain, self.at, bound)
        records = self.file.records(walked, self.frames)
        self.advance(walked.stop, len(records))
        self.stands = walked.stop < bound
        if not self.left and not self.file.interfaces:
            raise CaptureError(
                f"{self.file.path} describes no interface; expected one before its packets"
            )
        return records

    def advance(self, at: int, frames: int) -> None:
        """Go to where the next record begins, after so many frames."""
        self.at, self.frames = at, self.frames + frames

    def span(self, records: int) -> int:
        """Bytes that hold about so many records, as far as those before tell."""
        size = (self.at - self._begin) * records // max(self.frames, 1)
        return max(min(size, _PART), min(_FIRST_PART, _PART))


def parts(file: CaptureFile) -> Iterator[Records]:
    """The records of a file, in order, part by part; CaptureError where it is damaged or cut."""
    place = Place(file)
    while place.left:
        yield place.part()


#: First bytes of files that are taken for captures -> what they are.
_FOREIGN = {
    b"\x1f\x8b": "compressed by gzip",
    b"\xfd7zXZ\0": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"PK\x03\x04": "a zip archive",
    b"snoop\0\0\0": "a capture of Solaris snoop",
    b"GMBU": "a capture of Microsoft Network Monitor",
    b"RTSS": "a capture of Microsoft Network Monitor",
    b"\xa1\xb2\xcd\x34": "pcap with the changes of Kuznetzov",
    b"\x34\xcd\xb2\xa1": "pcap with the changes of Kuznetzov",
    b"\x7fELF": "a program",
    b"{": "JSON",
    b"#!": "a script",
    b"<": "XML or HTML",
}


def foreign(data: Data) -> str:
    """What a file is that is no capture, by its first bytes."""
    begins = f"it begins with {data[:4].hex(' ')} at byte 0"
    for magic, words in _FOREIGN.items():
        if data[: len(magic)] == magic:
            return f"is not a capture but {words}: {begins}"
    return f"is not a capture: {begins}"


def _data_of(path: Path) -> Data:
    try:
        data = Data.of(path)
    except FileNotFoundError:
        raise CaptureError(f"{path} does not exist; expected the capture of this tap") from None
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None
    if not len(data):
        raise CaptureError(f"{path} is empty; expected a pcap or pcapng file")
    return data
