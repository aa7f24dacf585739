"""Segments of TCP that continue what an earlier one began: their own bytes do not tell."""

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import Columns
from results.wire.kinds import Kind

_PROTOCOLS = (Kind.TLS, Kind.HTTP)


def mark_continued(columns: Columns, tap: NDArray[np.int16]) -> None:
    """Call segments TLS, or HTTP, that follow one of those in their direction of a connection.

    ``columns`` are in order of time; of taps each sees connections of its own.
    """
    rows = np.flatnonzero((columns.kind == Kind.TCP) & (columns.payload_size > 0))
    direction = _directions(columns, rows, tap)
    for kind in _PROTOCOLS:
        begun = np.flatnonzero(columns.inner_kind[rows] == kind)
        first = np.full(int(direction.max(initial=-1)) + 1, len(rows))
        np.minimum.at(first, direction[begun], begun)
        later = np.arange(len(rows)) > first[direction]
        unnamed = columns.inner_kind[rows] == Kind.TCP
        columns.inner_kind[rows[later & unnamed]] = kind


def _directions(
    columns: Columns, rows: NDArray[np.intp], tap: NDArray[np.int16]
) -> NDArray[np.intp]:
    """A number for each direction of a connection at a tap."""
    number = np.zeros(len(rows), np.int64)
    for column in (
        *(tap, columns.src, columns.dst, columns.sport, columns.dport),
        *(columns.src6[:, 0], columns.src6[:, 1], columns.dst6[:, 0], columns.dst6[:, 1]),
    ):
        values, which = np.unique(column[rows], return_inverse=True)
        if len(values) > 1:
            _, number = np.unique(number * len(values) + which, return_inverse=True)
    return number
