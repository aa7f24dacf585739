"""A large capture, read in pieces by several processes.

A record tells only where the next one begins, so that a process that starts in the midst
of a file must guess where a record does. What proves the guess is the piece before: its last
record must end there. Where it does not, or a piece holds anything but packets of interfaces
that are known, the pieces from there on do not count, and the file is read on by itself.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from results.wire.capture import CaptureError, Interface, Records, joined
from results.wire.captures import CaptureFile, Place
from results.wire.columns import Columns
from results.wire.processes import LostError, by_processes, processors
from results.wire.walk import walk

#: Bytes that must be left of a file: fewer are read before a process has begun.
_WORTH = 1 << 25

#: Records of a piece, more or less.
_RECORDS = 60_000


class Batch(NamedTuple):
    """Some packets that one interface saw."""

    interface: Interface
    columns: Columns


class _Found(NamedTuple):
    """A piece: where its records begin and where the next ones do, and how many there are."""

    begin: int
    end: int
    frames: int


#: Reads records, of which the first has this number of frame.
Read = Callable[[Records, int], Iterator[Batch]]


def read_pieces(place: Place, read: Read) -> Iterator[Batch]:
    """The batches of what is left of a file, as far as pieces can tell; moves ``place`` on.

    Raises CaptureError where a process is lost.
    """
    count, begin = processors(), place.at
    if place.stands or place.left < _WORTH or count < 2:
        return

    def work(piece: range) -> Iterator[_Found | Batch]:
        at = begin if piece.start == begin else place.file.chain.guess(piece.start, piece.stop)
        found, records = _walked(place.file, at, piece.stop)
        yield found
        yield from read(records, 0)

    first = 0
    try:
        for found in by_processes(work, _pieces(place), count):
            if isinstance(found, Batch):
                found.columns.frame += first
                yield found
            elif found.begin != place.at:
                return
            else:
                first = place.frames + 1
                place.advance(found.end, found.frames)
    except BlockingIOError:
        # No more processes are allowed.
        return
    except LostError as error:
        raise CaptureError(
            f"{place.file.path} could not be read: a process that read it from byte {place.at} "
            f"on {error}"
        ) from None


def _pieces(place: Place) -> list[range]:
    size, end = place.span(_RECORDS), place.at + place.left
    return [range(at, min(at + size, end)) for at in range(place.at, end, size)]


def _walked(file: CaptureFile, begin: int | None, bound: int) -> tuple[_Found, Records]:
    """The records of a piece, if there is nothing else in it."""
    nothing = _Found(-1, -1, 0), joined([])
    if begin is None:
        return nothing
    walked, known = walk(file.chain, begin, bound), len(file.interfaces)
    try:
        records = file.records(walked, 0)
    except CaptureError:
        return nothing
    if walked.stop < bound or len(file.interfaces) > known:
        return nothing
    return _Found(begin, walked.stop, len(records)), records
