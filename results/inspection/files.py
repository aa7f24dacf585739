"""The files by themselves: what is in each, and how their clocks stand."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import ceil, floor
from pathlib import Path

import numpy as np

from results.inspection.clocks import Bounds
from results.inspection.lanes import end_labels, ends_of, labels
from results.inspection.matching import Offsets
from results.inspection.records import AllocationSeen, Clock, FileSeen
from results.inspection.silence import moment
from results.inspection.turn import Turn
from results.packets import Kind, PacketTable, read_table
from results.wire.capture import CaptureError
from topologies.spec import Tap

_MICROSECOND = 1000
_SECOND = 1e9
_DIGITS = 3


def read_files(files: Sequence[Path]) -> PacketTable:
    """All files as one table, each with a tap of its own; CaptureError where that cannot be."""
    for path in files:
        if files.count(path) > 1:
            raise CaptureError(f"{path} is given twice; each file counts once")
    taps = [
        Tap(name=name, host="capture", interface="", link=None, mac=None) for name in _names(files)
    ]
    return read_table(dict(zip(taps, files, strict=True)))


def _names(files: Sequence[Path]) -> list[str]:
    """The files without their folders, where that tells them apart."""
    short = [path.name for path in files]
    return short if len(set(short)) == len(short) else [str(path) for path in files]


def file_seen(table: PacketTable, index: int, *, with_busiest: bool) -> FileSeen:
    """What is in one file; where no call is, also who speaks most."""
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


def clocks_seen(table: PacketTable, apart: Offsets) -> Iterator[Clock]:
    """How the clocks of each two files stand."""
    for first, second in combinations(range(len(table.taps)), 2):
        found = apart[first, second]
        yield Clock(
            file=table.taps[second].name,
            ahead_of=table.taps[first].name,
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
