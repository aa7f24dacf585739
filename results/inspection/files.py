"""The files by themselves: their capturing points, what is in each, and how the clocks stand.

A file with one interface is one capturing point; of several each is one of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from results.inspection.clocks import Bounds
from results.inspection.lanes import end_labels, ends_of, labels
from results.inspection.matching import Offsets
from results.inspection.records import AllocationSeen, Clock, FileSeen
from results.inspection.silence import moment
from results.inspection.turn import Turn
from results.packets import Kind, PacketTable, read_interfaces
from results.wire.capture import CaptureError, Interface
from topologies.spec import Tap

_MICROSECOND = 1000
_SECOND = 1e9
_DIGITS = 3


class Files(NamedTuple):
    """All files, read."""

    names: tuple[str, ...]
    #: With a tap for each capturing point.
    table: PacketTable
    #: For each tap the number of its file, whose clock it has.
    clocks: tuple[int, ...]


def read_files(files: Sequence[Path]) -> Files:
    """All files as one table, interface by interface; CaptureError where that cannot be."""
    for path in files:
        if files.count(path) > 1:
            raise CaptureError(f"{path} is given twice; each file counts once")
    names = dict(zip(files, _names(files), strict=True))
    clocks: list[int] = []

    def taps_of(path: Path, interfaces: Sequence[Interface]) -> list[Tap]:
        clocks.extend([files.index(path)] * len(interfaces))
        return [_tap(point) for point in _points(names[path], interfaces)]

    table = read_interfaces(files, taps_of)
    return Files(tuple(names.values()), table, tuple(clocks))


def _tap(name: str) -> Tap:
    return Tap(name=name, host="capture", interface="", link=None, mac=None)


def _points(file: str, interfaces: Sequence[Interface]) -> list[str]:
    """The names of a file's capturing points: by interface where there are several.

    Where the interfaces' names do not tell them apart, or would spoil a terminal, their
    numbers do, from 0 as Wireshark counts them in a section.
    """
    if len(interfaces) == 1:
        return [file]
    named = [one.name for one in interfaces if one.name and one.name.isprintable()]
    if len(set(named)) == len(interfaces):
        return [f"{file}:{name}" for name in named]
    return [f"{file}:{one.number}" for one in interfaces]


def _names(files: Sequence[Path]) -> list[str]:
    """The files without their folders, where that tells them apart."""
    short = [path.name for path in files]
    return short if len(set(short)) == len(short) else [str(path) for path in files]


def file_seen(table: PacketTable, index: int, *, with_busiest: bool) -> FileSeen:
    """What a capturing point has; where no call is, also who speaks most there."""
    rows = np.flatnonzero(table.tap == index)
    kinds, counts = np.unique(table.inner_kind[rows], return_counts=True)
    times = table.time[rows]
    return FileSeen(
        file=table.taps[index].name,
        packets=len(rows),
        begin=moment(times[0]) if len(rows) else None,
        seconds=round((times[-1] - times[0]) / _SECOND, _DIGITS) if len(rows) else 0.0,
        kinds={Kind(kind).name: int(n) for kind, n in zip(kinds.tolist(), counts, strict=True)},
        busiest=tuple(_busiest(table, rows)) if with_busiest else (),
    )


def _busiest(table: PacketTable, rows: np.ndarray, most: int = 3) -> Iterator[str]:
    """The pairs of ends with most packets."""
    rows = rows[table.protocol[rows] != 0]
    src, dst = end_labels(table, rows)
    _, first, counts = np.unique(labels(src, dst), return_index=True, return_counts=True)
    for at in np.argsort(-counts, kind="stable")[:most].tolist():
        row = int(rows[first[at]])
        found = ends_of(table, row)
        kind = Kind(int(table.inner_kind[row])).name
        yield f"{found.src} > {found.dst}: {counts[at]:,} packets ({kind})"


def clocks_seen(files: Files, apart: Offsets) -> Iterator[Clock]:
    """How the clocks of each two files stand."""
    for first, second in combinations(range(len(files.names)), 2):
        found = apart[files.clocks.index(first), files.clocks.index(second)]
        yield Clock(
            file=files.names[second],
            ahead_of=files.names[first],
            offset_ms=_ms(found.middle, round),
            low_ms=_ms(found.low, floor),
            high_ms=_ms(found.high, ceil),
            because=_why(found),
        )


def _ms(time: int | None, to_whole: Callable[[float], int]) -> float | None:
    """Nanoseconds as milliseconds of whole µs: bounds may become wider, never narrower."""
    return None if time is None else to_whole(time / _MICROSECOND) / _MICROSECOND


def _why(found: Bounds) -> str:
    """How an offset is known, or why it is not."""
    if not found.possible:
        return "no constant offset fits: a clock drifted, or was set, meanwhile"
    if found.closed:
        return "by packets in both directions"
    if found.low is None and found.high is None:
        return "unknown: the files share no packets whose direction shows"
    return "by packets in one direction only: there is a bound on one side"


def allocations_seen(table: PacketTable, turn: Turn) -> Iterator[AllocationSeen]:
    """What relays allocated."""
    for one in turn.allocations:
        yield AllocationSeen(
            client=str(one.client),
            server=str(one.server),
            relayed=str(one.relayed),
            file=table.tap_name(one.row),
            frame=int(table.frame[one.row]),
        )
