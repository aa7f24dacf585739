"""Opening a capture file of either format, and finding its records part by part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from results.wire import pcap, pcapng
from results.wire.ahead import ahead
from results.wire.capture import Capture, CaptureError, LinkType, Records, joined
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
    interface: str | None

    @property
    def chain(self) -> Chain:
        """How the records follow each other."""

    @property
    def link_type(self) -> LinkType:
        """The link type, once records were read; CaptureError where the file tells none."""

    def begin(self) -> int:
        """Where the first record begins."""

    def records(self, walked: Walked, frame: int) -> Records:
        """The packets of a part that was walked, before which there are ``frame`` packets."""

    def resume(self, at: int, frame: int) -> int:
        """Where to go on after the chain stood at a place; else CaptureError, saying why."""


def open_capture(path: Path) -> CaptureFile:
    """Open a pcap or pcapng file.

    Raises CaptureError for a file that is missing, empty, of another format, or of
    another link type.
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
    """Find all records of a capture.

    A file with a header and no packets is a capture in which nothing happened.
    Raises CaptureError as open_capture does, and for a file that is damaged or cut off
    in the midst of a packet.
    """
    file = open_capture(path)
    records = joined(list(parts(file)))
    return Capture(file.data, file.link_type, records, file.interface)


def parts(file: CaptureFile) -> Iterator[Records]:
    """The records of a file, in order, part by part; CaptureError where it is damaged or cut."""
    at, frame, end = file.begin(), 0, len(file.data)
    while True:
        for walked in _walked(file.chain, at, end):
            records = file.records(walked, frame)
            yield records
            at, frame = walked.stop, frame + len(records)
        if at == end:
            break
        at = file.resume(at, frame)
    _ = file.link_type


def _walked(chain: Chain, begin: int, end: int) -> Iterator[Walked]:
    """The parts of a chain up to the end of the file, or to where it stands.

    Each part begins where a record is guessed; one that proves wrong is walked anew.
    """
    cutting = _Cutting(begin, end)

    def part(piece: range) -> tuple[range, Walked | None]:
        found = begin if piece.start == begin else chain.guess(piece.start, piece.stop)
        return piece, None if found is None else walk(chain, found, piece.stop)

    at = begin
    for piece, walked in ahead(part, cutting.pieces()):
        if at >= piece.stop:
            continue
        if walked is None or walked.begin != at:
            walked = walk(chain, at, piece.stop)
        yield walked
        at = walked.stop
        if at < piece.stop:
            return
        cutting.learn(walked)


class _Cutting:
    """Cuts a file into pieces that hold not too many records, as far as those before tell."""

    def __init__(self, begin: int, end: int) -> None:
        self._begin, self._end = begin, end
        self._size = min(_FIRST_PART, _PART)

    def learn(self, walked: Walked) -> None:
        """Cut what is left after the size of the records in a piece."""
        size = (walked.stop - walked.begin) * _RECORDS // max(len(walked.at), 1)
        self._size = max(min(size, _PART), min(_FIRST_PART, _PART))

    def pieces(self) -> Iterator[range]:
        """The pieces, from begin to end."""
        at = self._begin
        while at < self._end:
            piece = range(at, min(at + self._size, self._end))
            yield piece
            at = piece.stop


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
