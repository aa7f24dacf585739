"""The packet table: every packet of a run, one row each, in columns.

Evidence selects rows by their columns and looks at the bytes of the few that
matter. The bytes stay in the files; the table knows, for each row, where frame,
payload and innermost payload lie in that of its tap. How the columns are filled
is a matter of results.wire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.protocols import stun
from results.tunnelling.tunnels import Tunnel, mark_tunnels
from results.wire.batches import read_batches
from results.wire.capture import CaptureError, Interface
from results.wire.captures import CaptureFile, captured, only_link_type, open_capture
from results.wire.columns import Columns
from results.wire.continued import mark_continued
from results.wire.data import Data, Octets, Places
from results.wire.growing import Growing
from results.wire.kinds import HEAD, Kind, demultiplexed
from results.wire.transport import IP_ICMP, IP_ICMPV6, IP_TCP, IP_UDP
from results.wire.turn import INDICATIONS
from topologies.spec import Tap

__all__ = [
    "ACK",
    "FIN",
    "IP_ICMP",
    "IP_ICMPV6",
    "IP_TCP",
    "IP_UDP",
    "RST",
    "SYN",
    "Kind",
    "PacketTable",
    "TcpHeader",
    "demultiplex",
    "read_interfaces",
    "read_table",
]

#: TCP flags (RFC 9293, section 3.1).
FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10

_ACKNOWLEDGMENT = 8

#: Numbers of taps have 15 bits.
_LAST_TAP = 2**15 - 1


class TcpHeader(NamedTuple):
    """The fields of a TCP header that order a stream (RFC 9293, section 3.1)."""

    seq: int
    ack: int
    flags: int


@dataclass(eq=False)
class PacketTable(Columns):
    """All packets of all taps, sorted by time; packets of one time keep the order of the taps."""

    taps: tuple[Tap, ...]
    #: Index into ``taps``.
    tap: NDArray[np.int16]
    #: The bytes of the captures, in the order of the taps; read them by the methods below.
    files: tuple[Data, ...]
    #: What each capture says that it is of, in the order of the taps: the interface's name,
    #: or several in words.
    interfaces: tuple[str | None, ...] = ()

    @cached_property
    def from_stream(self) -> NDArray[np.bool_]:
        """Which rows are no frames but messages out of TCP (results.tracing.streams)."""
        own = np.isin(self.kind, (Kind.OTHER, Kind.TCP))
        carried: NDArray[np.bool_] = (self.protocol == IP_TCP) & ~own
        return carried

    def ethernet(self, row: int) -> bytes:
        """The whole captured frame, padding included."""
        return self._bytes(row, self.frame_start[row], self.frame_size[row])

    def payload(self, row: int) -> bytes:
        """What UDP or TCP carries; of ICMP its message, of ARP and canary frames all but Ethernet.

        Empty for kind OTHER: a packet that could not be read to its payload.
        """
        return self._bytes(row, self.payload_start[row], self.payload_size[row])

    def innermost(self, row: int) -> bytes:
        """The payload after unwrapping ChannelData and Send and Data indications."""
        return self._bytes(row, self.inner_start[row], self.inner_size[row])

    def transport(self, row: int) -> bytes:
        """What an IP packet carries, with the header of UDP or TCP; of a fragment its part."""
        return self._bytes(row, self.transport_start[row], self.transport_size[row])

    def peer(self, row: int) -> tuple[int, int] | None:
        """XOR-PEER-ADDRESS of a Send or Data indication as numbers: address, port."""
        if self.stun_type[row] not in INDICATIONS:
            return None
        try:
            peer = stun.parse(self.payload(row)).xor_peer_address
        except stun.StunError:
            return None
        return (int(peer.ip), peer.port) if peer else None

    def channel(self, row: int) -> int | None:
        """The channel number of a ChannelData message (RFC 8656, section 12.4)."""
        if self.kind[row] != Kind.CHANNEL_DATA:
            return None
        return int.from_bytes(self.payload(row)[:2])

    def tcp(self, row: int) -> TcpHeader:
        """The TCP header; ValueError when the packet is not TCP."""
        if self.kind[row] != Kind.TCP:
            raise ValueError(f"frame {self.frame[row]} of {self.tap_name(row)} is not TCP")
        ack = self._bytes(row, self.transport_start[row] + _ACKNOWLEDGMENT, np.int64(4))
        return TcpHeader(int(self.tcp_seq[row]), int.from_bytes(ack), int(self.tcp_flags[row]))

    def tap_name(self, row: int) -> str:
        """Name of the tap that captured the packet."""
        return self.taps[int(self.tap[row])].name

    def octets(self, rows: NDArray[np.intp], at: Places, width: int) -> Octets:
        """So many bytes of each row's file from a place on; zeros beyond the file's end."""
        found = np.zeros((len(rows), width), np.uint8)
        taps = self.tap[rows]
        for index in np.flatnonzero(np.bincount(taps)).tolist():
            here = np.flatnonzero(taps == index)
            found[here] = self.files[index].octets(at[here], width)
        return found

    def find(self, wanted: bytes) -> int | None:
        """The first row of the first tap whose frame holds these bytes; None where none does."""
        for index, file in enumerate(self.files):
            at = file.find(wanted)
            while at >= 0:
                row = self._row_of(index, at, len(wanted))
                if row is not None:
                    return row
                at = file.find(wanted, at + 1)
        return None

    def _row_of(self, tap: int, at: int, size: int) -> int | None:
        """The row whose frame holds some bytes of a tap's file."""
        end = self.frame_start + self.frame_size
        holds = (self.tap == tap) & (self.frame_start <= at) & (at + size <= end)
        rows = np.flatnonzero(holds)
        return int(rows[0]) if len(rows) else None

    def _bytes(self, row: int, start: np.int64, size: np.int64) -> bytes:
        return self.files[int(self.tap[row])][int(start) : int(start + size)]


def read_table(
    captures: Mapping[Tap, Path], tunnels: Sequence[Tunnel] | None = None
) -> PacketTable:
    """Read the captures of all taps into one table; ``tunnels`` are those of the network.

    Where nothing is known of tunnels, what looks like WireGuard counts as that. Raises
    CaptureError when one of the files cannot be read, or has several link types.
    """
    taps = tuple(captures)
    files = [open_capture(path) for path in captures.values()]
    with Growing() as growing:
        for index, (tap, file) in enumerate(zip(taps, files, strict=True)):
            own = None if tap.mac is None else int(tap.mac.replace(":", ""), 16)
            for batch in read_batches(file, own):
                growing.add(batch.columns, index)
            only_link_type(file)
        columns: dict[str, Any] = growing.finish()
    table = PacketTable(
        taps=taps,
        files=tuple(file.data for file in files),
        interfaces=tuple(map(captured, files)),
        **columns,
    )
    mark_continued(table, table.tap)
    if tunnels is not None:
        mark_tunnels(table, tunnels)
    return table


def read_interfaces(
    paths: Sequence[Path], taps_of: Callable[[Path, Sequence[Interface]], Sequence[Tap]]
) -> PacketTable:
    """Read captures into one table, with a tap for each interface of each file.

    ``taps_of`` names the taps of a file. Raises CaptureError when one of the files cannot
    be read, or there are more interfaces than a table can tell apart.
    """
    files = [open_capture(path) for path in paths]
    taps: list[Tap] = []
    data: list[Data] = []
    with Growing() as growing:
        for file in files:
            for batch in read_batches(file):
                growing.add(batch.columns, _tap_number(file, len(taps) + batch.interface.number))
            taps += taps_of(file.path, file.interfaces)
            data += [file.data] * len(file.interfaces)
        columns: dict[str, Any] = growing.finish()
    table = PacketTable(taps=tuple(taps), files=tuple(data), **columns)
    mark_continued(table, table.tap)
    return table


def _tap_number(file: CaptureFile, number: int) -> int:
    if number > _LAST_TAP:
        raise CaptureError(f"{file.path} has too many interfaces; at most {_LAST_TAP + 1:,} fit")
    return number


def demultiplex(payload: bytes) -> Kind:
    """The kind of a UDP payload by its first byte (RFC 7983, section 7; RFC 5761, section 4)."""
    heads = np.frombuffer(payload[: HEAD.itemsize].ljust(HEAD.itemsize, b"\0"), HEAD)
    return Kind(int(demultiplexed(heads, np.array([len(payload)]))[0]))
