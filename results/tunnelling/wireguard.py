"""Inner packets tied to the WireGuard packets that carried them.

Nobody can look into a WireGuard packet, so inner and outer ones are tied by size and
nearness in time: that is consistent with each other, and no proof (DESIGN.md, "What
counts as proof", 2).
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.absence import Canaries
from results.packets import IP_TCP, Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.schema import Citation
from results.tracing.places import Places
from results.tracing.sightings import INVERSION, LONGEST_HOP
from results.tunnelling.tunnels import DATA_OVERHEAD, PADDING, TRANSPORT_DATA, Tunnel
from topologies.spec import Tap


class _Inner(NamedTuple):
    """A packet on its way through the tunnel; ``size`` is that of the packet inside, bytes."""

    row: int
    time: int
    size: int


@dataclass(frozen=True)
class Carried:
    """The inner packets of a client, and which of them no outer packet is consistent with.

    ``strays`` are rows of outer packets that the client sent and that fit no inner one.
    """

    client: str
    tap: Tap
    outer: str
    count: int
    untied: tuple[int, ...]
    strays: tuple[int, ...]
    #: The first inner packet and the outer one that it is tied to.
    example: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """What is tied, in numbers."""
        return (
            f"{self.count - len(self.untied):,} of {self.count:,} packets in the tunnel at "
            f"{self.tap.name} are consistent with WireGuard packets of {self.outer}"
        )

    def citations(self, table: PacketTable) -> tuple[Citation, ...]:
        """The first inner packet, and the outer one that is consistent with it."""
        if self.example is None:
            return ()
        inner, outer = self.example
        return (
            cite(table, inner, f"the first packet in the tunnel of {self.client}"),
            cite(table, outer, "a WireGuard packet that is consistent with it, by size and time"),
        )

    def problems(self, table: PacketTable) -> Iterator[Problem]:
        """Inner packets without an outer one, and the other way round."""
        if self.untied:
            frame = cite(table, self.untied[0], "no WireGuard packet is consistent with it")
            text = (
                f"only {self.words}, by size and time (first without: frame {frame.frame} of "
                f"{frame.tap})"
            )
            yield Problem(Ground.HOLE, text, (frame,))
        if self.strays:
            frame = cite(table, self.strays[0], "consistent with nothing in the tunnel")
            many = len(self.strays)
            packets = "a WireGuard packet" if many == 1 else f"{many:,} WireGuard packets"
            text = (
                f"{self.client} sent {packets} that fit nothing in the tunnel at {self.tap.name} "
                f"(first: frame {frame.frame} of {frame.tap})"
            )
            yield Problem(Ground.HOLE, text, (frame,))


def carried(table: PacketTable, places: Places, canaries: Canaries) -> tuple[Carried, ...]:
    """What the tunnel of each client carried, from canary to canary."""
    return tuple(
        _carried(table, tunnel, client, places, canaries)
        for tunnel in places.tunnels.values()
        for client in tunnel.clients.values()
        if places.tunnel_taps[tunnel.vpn.name, client] in table.taps
    )


def _carried(
    table: PacketTable, tunnel: Tunnel, client: str, places: Places, canaries: Canaries
) -> Carried:
    tap = places.tunnel_taps[tunnel.vpn.name, client]
    outside = [i for i, one in enumerate(table.taps) if one.host == client and one.mac]
    # Captures end one after the other: the outer packets of the last inner ones may be missing.
    begin, end = canaries.before.get(tap.name, 0), canaries.end
    ties = [
        _tie(
            table,
            _inner(table, tunnel, table.taps.index(tap), outgoing=outgoing),
            _outer(table, outside, outgoing=outgoing),
            tunnel.vpn.mtu,
            sign=1 if outgoing else -1,
        )
        for outgoing in (True, False)
    ]
    tied = [pair for tie in ties for pair in tie.pairs if begin <= table.time[pair[0]] <= end]
    untied = [row for tie in ties for row in tie.untied if begin <= table.time[row] <= end]
    strays = [row for row in ties[0].strays if begin <= table.time[row] <= end]
    rows = {row for row, _ in tied} | set(untied)
    return Carried(
        client=client,
        tap=tap,
        outer=", ".join(table.taps[i].name for i in outside),
        count=len(rows),
        untied=tuple(sorted(set(untied))),
        strays=tuple(strays),
        example=min(tied, default=None),
    )


def _inner(table: PacketTable, tunnel: Tunnel, tap: int, *, outgoing: bool) -> Iterator[_Inner]:
    """What passed a client's end one way; not what no peer may have (cryptokey routing)."""
    there = (table.tap == tap) & (table.outgoing == outgoing) & (table.version == 4)
    for row in np.flatnonzero(there).tolist():
        if not outgoing or tunnel.reaches(int(table.dst[row])):
            time = int(table.time[row])
            yield from (_Inner(row, time, size) for size in _sizes(table, row, tunnel.vpn.mtu))


def _sizes(table: PacketTable, row: int, mtu: int) -> list[int]:
    """The sizes of the packets that a captured one goes in: one, but for TCP offload.

    What is larger than the tunnel's MTU is a segment that offload has not yet cut, or
    has put together again.
    """
    size = int(table.frame_size[row])
    if size <= mtu or table.protocol[row] != IP_TCP:
        return [size]
    # Within a tunnel there is no link layer: the frame is the packet.
    head = int(table.payload_start[row] - table.frame_start[row])
    whole, rest = divmod(size - head, mtu - head)
    return [mtu] * whole + ([head + rest] if rest else [])


def _outer(table: PacketTable, taps: list[int], *, outgoing: bool) -> NDArray[np.intp]:
    """Rows of WireGuard packets with something in them; keepalives are empty."""
    there = np.isin(table.tap, taps) & (table.kind == Kind.WIREGUARD)
    rows = np.flatnonzero(
        there & (table.outgoing == outgoing) & (table.payload_size > DATA_OVERHEAD)
    )
    types = table.octets(rows, table.payload_start[rows], 1)[:, 0]
    return np.compress(types == TRANSPORT_DATA, rows)


class _Tie(NamedTuple):
    """Rows of inner and outer packets that fit each other, and of those that fit none."""

    pairs: list[tuple[int, int]]
    untied: list[int]
    strays: list[int]


def _tie(
    table: PacketTable,
    inners: Iterable[_Inner],
    outers: NDArray[np.intp],
    mtu: int,
    *,
    sign: int,
) -> _Tie:
    """Give each inner packet the first outer one of its size that is near enough in time.

    ``sign`` is 1 where outer packets follow inner ones, -1 where they come first.
    """
    waiting: dict[int, deque[tuple[int, int]]] = defaultdict(deque)
    for row in outers.tolist():
        waiting[int(table.payload_size[row])].append((int(table.time[row]), row))
    before, after = (INVERSION, LONGEST_HOP)[::sign]
    tie = _Tie([], [], [])
    for inner in inners:
        queue = waiting[outer_size(inner.size, mtu)]
        while queue and queue[0][0] < inner.time - before:
            tie.strays.append(queue.popleft()[1])
        if queue and queue[0][0] <= inner.time + after:
            tie.pairs.append((inner.row, queue.popleft()[1]))
        else:
            tie.untied.append(inner.row)
    tie.strays.extend(row for queue in waiting.values() for _, row in queue)
    return tie


def outer_size(inner: int, mtu: int) -> int:
    """UDP payload of the WireGuard packet with an inner packet of this size, in bytes.

    Padding does not exceed the tunnel's MTU.
    """
    return DATA_OVERHEAD + max(inner, min(inner + -inner % PADDING, mtu))
