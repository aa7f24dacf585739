"""The path of every packet: from where it was first seen to where it ended, or was lost.

A path is a chain of sightings in the order of the topology: out of an interface,
into the one at the other end of the link, out of another of that host. It is
what a "tap list" in the result means. Where a chain starts in the middle of the
network, a tap has missed a packet: that is a hole in the evidence.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from results.packets import Kind, PacketTable
from results.tracing.identity import identities
from results.tracing.places import Places
from results.tracing.sightings import (
    Sighting,
    Way,
    grouped,
    hops,
    line_after,
    may_follow,
    sightings,
)
from topologies.spec import Role, Tap


@dataclass(frozen=True)
class Path:
    """One packet's way through the network.

    ``lost_at`` names the link, tunnel or host where it was last seen when it did not
    arrive; ``relays`` are the hosts that took it out of one wrapping, or put it
    into one, on its way. Where taps have missed the packet, the path leads past
    them; a path that is not ``rooted`` starts where nobody can have sent it.
    """

    sightings: tuple[Sighting, ...]
    lost_at: str | None
    relays: tuple[str, ...]
    rooted: bool

    @property
    def complete(self) -> bool:
        """Whether the packet reached a host that it was meant for."""
        return self.lost_at is None

    @property
    def first(self) -> Sighting:
        """Where the packet was seen first."""
        return self.sightings[0]

    @property
    def last(self) -> Sighting:
        """Where the packet was seen last."""
        return self.sightings[-1]

    @property
    def origin(self) -> str:
        """The host that sent it; by its MAC address where its own tap has missed the packet."""
        return self.first.sender

    @property
    def target(self) -> str:
        """The host where it ended."""
        return self.last.tap.host

    @property
    def relayed_by(self) -> str | None:
        """The relays on the way, or None."""
        return ", ".join(self.relays) or None

    @cached_property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps passed, in order."""
        return tuple(sighting.tap.name for sighting in self.sightings)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Names of the hosts passed, in order."""
        names = [sighting.tap.host for sighting in self.sightings]
        return tuple(name for i, name in enumerate(names) if i == 0 or names[i - 1] != name)


@dataclass(frozen=True)
class Hole:
    """A packet that a later tap has and an earlier one should have had.

    ``missed`` is the tap without it, or None where only the host is known;
    ``seen`` is where it turned up.
    """

    missed: Tap | None
    host: str
    seen: Sighting


@dataclass(frozen=True)
class Travels:
    """All paths of a set of packets; those of one payload are grouped, in time order."""

    groups: tuple[tuple[Path, ...], ...]
    holes: tuple[Hole, ...]

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """All paths, those of one payload side by side."""
        return tuple(path for group in self.groups for path in group)

    def alike(self, row: int) -> tuple[Path, ...]:
        """The paths of all packets with the payload of a row; none when it was overheard."""
        return self._groups_by_row.get(row, ())

    @cached_property
    def _groups_by_row(self) -> dict[int, tuple[Path, ...]]:
        return {
            sighting.row: group
            for group in self.groups
            for path in group
            for sighting in path.sightings
        }


def follow(
    table: PacketTable,
    places: Places,
    rows: NDArray[np.intp],
    identities: NDArray[np.integer],
) -> Travels:
    """Join the sightings of ``rows`` to paths; rows of one identity have one payload."""
    groups: list[tuple[Path, ...]] = []
    holes: list[Hole] = []
    for copies in grouped(sightings(table, places, rows), identities):
        chains = sorted(_chains(places, copies), key=lambda chain: chain[0].time)
        torn = list(_holes(places, chains))
        whole = _mended(places, chains, {hole.seen.row for hole in torn})
        groups.append(tuple(_path(places, chain) for chain in whole))
        holes += torn
        holes += _holes_in_relays(places, table.taps, whole)
    return Travels(tuple(groups), tuple(holes))


def follow_udp(table: PacketTable, places: Places) -> Travels:
    """The paths of all UDP packets, by their innermost payload."""
    rows = np.flatnonzero((table.fingerprint != 0) & (table.version != 0))
    return follow(table, places, rows, identities(table, rows))


_Chain = tuple[Sighting, ...]


def _chains(places: Places, copies: Sequence[Sighting]) -> Iterator[_Chain]:
    following = hops(places, copies)
    reached = {sighting.row for sighting in following.values()}
    for start in copies:
        if start.row not in reached:
            yield tuple(_chain(start, following))


def _chain(start: Sighting, following: dict[int, Sighting]) -> Iterator[Sighting]:
    at: Sighting | None = start
    while at is not None:
        yield at
        # Taken out, so that sightings with inverted times cannot make a ring.
        at = following.pop(at.row, None)


def _mended(places: Places, chains: Sequence[_Chain], torn: Collection[int]) -> list[_Chain]:
    """Chains with those put together between which taps have missed the packet.

    ``torn`` has the rows with which chains start that are the rest of others.
    """
    mended: list[_Chain] = []
    for chain in chains:
        lost = [at for at, other in enumerate(mended) if _lost_at(places, other[-1])]
        before = [at for at in lost if _may_go_on(places, mended[at][-1], chain[0])]
        if chain[0].row in torn and before:
            mended[before[-1]] += chain
        else:
            mended.append(chain)
    return mended


def _may_go_on(places: Places, last: Sighting, first: Sighting) -> bool:
    return may_follow(line_after(places, last), last, first)


def _path(places: Places, chain: _Chain) -> Path:
    inner = [sighting.tap.host for sighting in chain[1:-1] if _relays(places, sighting)]
    ends = {chain[0].tap.host, chain[-1].tap.host}
    relays = tuple(dict.fromkeys(host for host in inner if host not in ends))
    return Path(chain, _lost_at(places, chain[-1]), relays, _may_start(places, chain[0]))


def _relays(places: Places, sighting: Sighting) -> bool:
    return places.role(sighting.tap.host) is Role.RELAY


def _lost_at(places: Places, last: Sighting) -> str | None:
    """The link or tunnel on which, or the host in which a packet vanished; None if it arrived."""
    if last.way is Way.OUT:
        return last.tap.link or last.tap.tunnel
    return None if last.way is Way.IN and _is_for(places, last) else last.tap.host


def _is_for(places: Places, last: Sighting) -> bool:
    """Whether the host that a packet reached is the one it was meant for.

    A NAT's address stands for the hosts behind it, a relay is the end of STUN that is
    its own only, and a proxy passes on all that it is sent in a tunnel.
    """
    host, role = last.tap.host, places.role(last.tap.host)
    if places.owner(last.ends.dst) != host or role is Role.NAT:
        return False
    if role is Role.PROXY:
        return not last.wrapped and last.kind not in (*_PASSED_ON, Kind.STUN)
    if role is not Role.RELAY:
        return True
    return not last.wrapped and last.kind not in _PASSED_ON


_PASSED_ON = (Kind.RTP, Kind.RTCP, Kind.DTLS)


def _holes(places: Places, chains: Sequence[_Chain]) -> Iterator[Hole]:
    """Where chains of one payload start that the host there cannot have started."""
    for chain in chains:
        start = chain[0]
        if start.way is Way.IN:
            yield Hole(start.far, start.sender, start)
        elif not _may_start(places, start) or _goes_on(places, chains, start):
            yield Hole(_missed_tap(chains, start), start.sender, start)


def _holes_in_relays(
    places: Places, taps: Sequence[Tap], chains: Iterable[_Chain]
) -> Iterator[Hole]:
    """Where a relay took a packet from one client and gave it to another, unseen between.

    It goes from relayed address to relayed address then, over the loopback of the relay.
    """
    for chain in chains:
        for into, out in pairwise(chain):
            if _relays(places, out) and into.wrapped and out.wrapped and into.way is Way.IN:
                yield Hole(_loopback(taps, out.tap.host), out.tap.host, out)


def _loopback(taps: Iterable[Tap], host: str) -> Tap | None:
    return next((tap for tap in taps if tap.host == host and tap.is_loopback), None)


def _goes_on(places: Places, chains: Sequence[_Chain], start: Sighting) -> bool:
    """Whether a start under a host's own address is the rest of a path that was lost.

    NATs, relays and proxies send on under their own addresses what others sent them.
    """
    if start.sender == chains[0][0].sender:
        return False
    if places.role(start.sender) in (Role.NAT, Role.RELAY, Role.PROXY):
        return any(_lost_at(places, chain[-1]) for chain in chains)
    return _missed_tap(chains, start) is not None


def _may_start(places: Places, start: Sighting) -> bool:
    """Whether the host where a path starts sends packets of its own from this address."""
    return start.way is Way.LOOP or places.owner(start.ends.src) == start.sender


def _missed_tap(chains: Sequence[_Chain], start: Sighting) -> Tap | None:
    """The tap of the host where the packet should have been seen just before, if known."""
    ways_in = (chain[-1].far for chain in chains if chain[-1].way is Way.OUT)
    return next((tap for tap in ways_in if tap and tap.host == start.tap.host), None)


def summarise_holes(holes: Iterable[Hole]) -> list[tuple[Hole, int]]:
    """The first hole of each kind, and how many there are of it."""
    summary: dict[tuple[Tap | None, str, Tap], list[Hole]] = {}
    for hole in holes:
        summary.setdefault((hole.missed, hole.host, hole.seen.tap), []).append(hole)
    return [(alike[0], len(alike)) for alike in summary.values()]
