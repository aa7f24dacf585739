"""Which packets bear the same payload: by fingerprint, then by all of their bytes.

A fingerprint looks at a part of a payload only (results.wire.fingerprint). Here whole
payloads are compared, so that two which share a fingerprint by chance, or by somebody's
design, are told apart.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from results.packets import PacketTable
from results.wire.ahead import ahead
from results.wire.data import Flags

#: Bytes that are compared at once; shorter payloads in smaller pieces.
_WIDTHS = (256, 16, 1)

#: Pairs of payloads that are compared at once: their bytes fit the cache of a processor.
_CHUNK = 1 << 12

Rows = NDArray[np.intp]


def identities(table: PacketTable, rows: Rows) -> NDArray[np.int64]:
    """A number for each row, equal where the innermost payloads are the same bytes.

    It is the place in ``rows`` of the first row with that payload.
    """
    first = _first_alike(table.fingerprint[rows])
    others = np.flatnonzero(first != np.arange(len(rows)))
    same = _same_payloads(table, rows[others], rows[first[others]])
    for place in others[~same].tolist():
        first[place] = place
    _tell_apart(table, rows, first, others[~same])
    return first


def _first_alike(fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each fingerprint, the place of the first one that is equal to it."""
    if not len(fingerprints):
        return np.empty(0, np.int64)
    order = np.argsort(fingerprints)
    ordered = fingerprints[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(begins, len(order)))
    first = np.empty(len(order), np.int64)
    first[order] = np.repeat(np.minimum.reduceat(order, begins), sizes)
    return first


def _tell_apart(
    table: PacketTable, rows: Rows, first: NDArray[np.int64], strays: NDArray[np.intp]
) -> None:
    """Number those that share a fingerprint with another payload, one by one."""
    known: dict[bytes, int] = {}
    for place in strays.tolist():
        first[place] = known.setdefault(table.innermost(int(rows[place])), place)


def _same_payloads(table: PacketTable, some: Rows, others: Rows) -> Flags:
    """Which pairs of rows have the same innermost payload, to the last byte."""

    def compared(at: int) -> Flags:
        part = slice(at, at + _CHUNK)
        return _same(table, some[part], others[part])

    same = np.empty(len(some), np.bool_)
    chunks = range(0, len(some), _CHUNK)
    for at, part in zip(chunks, ahead(compared, chunks), strict=True):
        same[at : at + _CHUNK] = part
    return same


def _same(table: PacketTable, some: Rows, others: Rows) -> Flags:
    sizes = table.inner_size[some]
    same: Flags = sizes == table.inner_size[others]
    most = np.iinfo(np.int64).max
    for width in _WIDTHS:
        now = np.flatnonzero(same & (sizes >= width) & (sizes < most))
        same[now] = _same_in_steps(table, some[now], others[now], width)
        most = width
    return same


def _same_in_steps(table: PacketTable, some: Rows, others: Rows, width: int) -> Flags:
    """Compare payloads that are at least ``width`` bytes long, so many at a time."""
    same = np.ones(len(some), np.bool_)
    sizes = table.inner_size[some]
    for step in _steps(sizes, width):
        now = np.flatnonzero(sizes > step)
        # The last piece begins earlier, so that it ends where the payload does.
        offset = np.minimum(step, sizes[now] - width)
        one, other = (_pieces(table, rows[now], offset, width) for rows in (some, others))
        if not np.array_equal(one, other):
            same[now] &= (one == other).all(axis=1)
    return same


def _steps(sizes: NDArray[np.int64], width: int) -> Iterator[int]:
    yield from range(0, int(sizes.max(initial=0)), width)


def _pieces(
    table: PacketTable, rows: Rows, offset: NDArray[np.int64], width: int
) -> NDArray[np.unsignedinteger]:
    found = table.octets(rows, table.inner_start[rows] + offset, width)
    # Eight bytes at a time are compared faster.
    return found.view(np.uint64) if width % 8 == 0 else found
