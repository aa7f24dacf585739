"""UDP datagrams that came in several fragments, put together (RFC 791, 3.2; RFC 8200, 4.5).

No row of the packet table has the payload of such a datagram: the fragments are rows of
kind OTHER. Each datagram has the row with which it was whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from results.packets import IP_UDP, PacketTable
from results.wire.loose import Loose, read_loose

#: The bits of ``fragment``: more follow, and the offset in units of 8 bytes.
_MORE, _OFFSET = 0x2000, 0x1FFF
_UDP_HEADER = 8

#: A host keeps fragments for so long, in ns (RFC 8200, section 4.5).
_LIFETIME = 60_000_000_000


class Datagram(NamedTuple):
    """A datagram that was whole with a row."""

    row: int
    sport: int
    dport: int
    payload: Loose


class _Piece(NamedTuple):
    """A fragment: where in the datagram's IP payload it belongs, and whether more follow."""

    row: int
    offset: int
    more: bool
    data: bytes


def datagrams(table: PacketTable, tap_index: int) -> list[Datagram]:
    """All datagrams that one tap saw in fragments, those whole that lack none."""
    found = [(row, body) for row, body in _whole(table, tap_index) if _is_whole(body)]
    loose = read_loose([body[_UDP_HEADER : int.from_bytes(body[4:6])] for _, body in found])
    return [
        Datagram(row, int.from_bytes(body[:2]), int.from_bytes(body[2:4]), payload)
        for (row, body), payload in zip(found, loose, strict=True)
    ]


def _is_whole(body: bytes) -> bool:
    return _UDP_HEADER <= int.from_bytes(body[4:6]) <= len(body)


def _whole(table: PacketTable, tap_index: int) -> Iterator[tuple[int, bytes]]:
    """The rows with which datagrams were whole, and those: UDP header and payload."""
    pieces: dict[tuple[int, ...], list[_Piece]] = {}
    here = (table.tap == tap_index) & (table.fragment != 0) & (table.protocol == IP_UDP)
    for row in np.flatnonzero(here).tolist():
        key = _key(table, row)
        waiting = pieces.setdefault(key, [])
        if waiting and table.time[row] - table.time[waiting[0].row] > _LIFETIME:
            waiting.clear()
        waiting.append(_piece(table, row))
        body = _together(waiting)
        if body is not None:
            del pieces[key]
            yield row, body


def _key(table: PacketTable, row: int) -> tuple[int, ...]:
    """What the fragments of one datagram have in common."""
    return (*table.addresses_of(row), int(table.fragment_id[row]))


def _piece(table: PacketTable, row: int) -> _Piece:
    bits = int(table.fragment[row])
    data = table.transport(row)
    return _Piece(row, (bits & _OFFSET) * 8, bool(bits & _MORE), data)


def _together(pieces: list[_Piece]) -> bytes | None:
    """The datagram, if no fragment is missing; overlaps are not put together (RFC 5722)."""
    body = b""
    for piece in sorted(pieces, key=lambda piece: piece.offset):
        if piece.offset != len(body):
            return None
        body += piece.data
        if not piece.more:
            return body
    return None
