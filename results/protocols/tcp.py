"""TCP connections put together from the segments that one tap saw (RFC 9293)."""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from results.packets import ACK, SYN, Kind, PacketTable

#: An address of either family and a port, both as numbers.
End = tuple[int, int]


class TcpStream:
    """One direction of a TCP connection, put together from segments as they were captured.

    Of bytes that were sent twice the first delivery counts (RFC 9293, section
    3.10.7.4). A byte belongs to the row with which it and all bytes before it
    had arrived: only then could an application read it.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self._first: int | None = None
        self._early: list[tuple[int, bytes]] = []
        self._ends: list[int] = []
        self._rows: list[int] = []

    def begin(self, isn: int) -> None:
        """Set the initial sequence number, that of the SYN; segments before it do not count."""
        if self._first is None:
            self._first = isn + 1

    def add(self, seq: int, payload: bytes, row: int) -> None:
        """Take one segment; sequence numbers wrap at 2**32."""
        if self._first is None or not payload:
            return
        known = len(self.data)
        offset = known + _signed(seq - self._first - known)
        if offset + len(payload) > known:
            self._early.append((offset, payload))
        while self._extend():
            pass
        if len(self.data) > known:
            self._ends.append(len(self.data))
            self._rows.append(row)

    def row(self, end: int) -> int:
        """The row in which ``data[:end]`` was complete, for 0 < end <= len(data)."""
        return self._rows[bisect_left(self._ends, end)]

    def after(self, begin: int) -> "TcpStream":
        """What follows the first ``begin`` bytes, as a stream of its own."""
        rest = TcpStream()
        rest.data = self.data[begin:]
        kept = [(end - begin, row) for end, row in zip(self._ends, self._rows, strict=True)]
        rest._ends = [end for end, _ in kept if end > 0]
        rest._rows = [row for end, row in kept if end > 0]
        return rest

    def _extend(self) -> bool:
        """Append one segment that touches the end; False when none does."""
        known = len(self.data)
        for index, (offset, payload) in enumerate(self._early):
            if offset <= known:
                self.data += payload[known - offset :]
                del self._early[index]
                return True
        return False


class TcpConnection:
    """A connection as one tap saw it: who opened it with which SYN, and what each end sent."""

    def __init__(self, client: End, server: End, isn: int, syn_row: int) -> None:
        self.client, self.server = client, server
        self.isn, self.syn_row = isn, syn_row
        self.from_client, self.from_server = TcpStream(), TcpStream()

    def add(self, table: PacketTable, row: int, source: End) -> None:
        """Take in the segment of a row, which came from ``source``."""
        header = table.tcp(row)
        stream = self.from_client if source == self.client else self.from_server
        is_syn = bool(header.flags & SYN)
        if is_syn:
            stream.begin(header.seq)
        stream.add(header.seq + is_syn, table.payload(row), row)


def tcp_connections(table: PacketTable, tap_index: int) -> list[TcpConnection]:
    """Every TCP connection whose SYN the tap saw, in the order of the SYNs.

    A retransmitted SYN belongs to its connection; one with another sequence
    number between the same ends opens a new one.
    """
    opened: list[TcpConnection] = []
    current: dict[frozenset[End], TcpConnection] = {}
    for row in _segments(table, tap_index).tolist():
        ends = _ends(table, row)
        header = table.tcp(row)
        latest = current.get(frozenset(ends))
        if header.flags & (SYN | ACK) == SYN and (latest is None or latest.isn != header.seq):
            latest = current[frozenset(ends)] = TcpConnection(*ends, header.seq, row)
            opened.append(latest)
        if latest is not None:
            latest.add(table, row, ends[0])
    return opened


def _segments(table: PacketTable, tap_index: int) -> NDArray[np.intp]:
    here = (table.tap == tap_index) & (table.version != 0)
    return np.flatnonzero(here & (table.kind == Kind.TCP))


def _ends(table: PacketTable, row: int) -> tuple[End, End]:
    src, dst = table.addresses_of(row)
    return (src, int(table.sport[row])), (dst, int(table.dport[row]))


def _signed(difference: int) -> int:
    """A difference of sequence numbers, which are compared modulo 2**32 (RFC 9293, 3.4)."""
    return (difference + 2**31) % 2**32 - 2**31
