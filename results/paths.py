"""The path of every packet: from where it was first seen to where it ended, or was lost.

A path is a chain of sightings in the order of the topology: out of an interface,
into the one at the other end of the link, out of another of that host. It is
what a "tap list" in the result means. Where a chain starts in the middle of the
network, a tap has missed a packet: that is a hole in the evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from results.packets import Kind, PacketTable
from results.places import Places
from results.sightings import Sighting, Way, grouped, hops, sightings
from topologies.spec import Role, Tap


@dataclass(frozen=True)
class Path:
    """One packet's way through the network.

    ``lost_at`` names the link or the host where it was last seen when it did not
    arrive; ``relays`` are the hosts that took it out of one wrapping, or put it
    into one, on its way.
    """

    sightings: tuple[Sighting, ...]
    lost_at: str | None
    relays: tuple[str, ...]

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
        """The host that sent it."""
        return self.first.tap.host

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
        alike = tuple(_path(places, chain) for chain in chains)
        groups.append(alike)
        holes += _holes(places, alike)
    return Travels(tuple(groups), tuple(holes))


def follow_udp(table: PacketTable, places: Places) -> Travels:
    """The paths of all UDP packets, by their innermost payload."""
    rows = np.flatnonzero(table.fingerprint)
    return follow(table, places, rows, table.fingerprint[rows])


def _chains(places: Places, copies: Sequence[Sighting]) -> Iterator[tuple[Sighting, ...]]:
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


def _path(places: Places, chain: tuple[Sighting, ...]) -> Path:
    inner = [sighting.tap.host for sighting in chain[1:-1] if _relays(places, sighting)]
    ends = {chain[0].tap.host, chain[-1].tap.host}
    relays = tuple(dict.fromkeys(host for host in inner if host not in ends))
    return Path(chain, _lost_at(places, chain[-1]), relays)


def _relays(places: Places, sighting: Sighting) -> bool:
    return places.role(sighting.tap.host) is Role.RELAY


def _lost_at(places: Places, last: Sighting) -> str | None:
    """The link on which, or the host in which a packet vanished; None if it arrived."""
    if last.way is Way.OUT:
        return last.tap.link
    return None if last.way is Way.IN and _is_for(places, last) else last.tap.host


def _is_for(places: Places, last: Sighting) -> bool:
    """Whether the host that a packet reached is the one it was meant for.

    A NAT's address stands for the hosts behind it, and a relay is the end of
    STUN that is its own only.
    """
    host = last.tap.host
    if places.owner(last.ends.dst) != host or places.role(host) is Role.NAT:
        return False
    if places.role(host) is not Role.RELAY:
        return True
    return not last.wrapped and last.kind not in _PASSED_ON


_PASSED_ON = (Kind.RTP, Kind.RTCP, Kind.DTLS)


def _holes(places: Places, paths: Sequence[Path]) -> Iterator[Hole]:
    """Where paths of one payload start that the host there cannot have started."""
    lost = any(not path.complete for path in paths)
    for path in paths:
        start = path.first
        if start.way is Way.IN:
            yield Hole(start.far, start.far.host if start.far else start.tap.host, start)
        elif not _may_start(places, start) or (lost and path.origin != paths[0].origin):
            yield Hole(_missed_tap(paths, start), start.tap.host, start)


def _may_start(places: Places, start: Sighting) -> bool:
    """Whether the host where a path starts sends packets of its own from this address."""
    return start.way is Way.LOOP or places.owner(start.ends.src) == start.tap.host


def _missed_tap(paths: Sequence[Path], start: Sighting) -> Tap | None:
    """The tap of the host where the packet should have been seen just before, if known."""
    ways_in = (path.last.far for path in paths if path.last.way is Way.OUT)
    return next((tap for tap in ways_in if tap and tap.host == start.tap.host), None)


def summarise_holes(holes: Iterable[Hole]) -> dict[tuple[str, str], list[Hole]]:
    """Holes by what was missed (tap or host) and where the packets turned up."""
    summary: dict[tuple[str, str], list[Hole]] = {}
    for hole in holes:
        missed = hole.missed.name if hole.missed else f"any tap of {hole.host}"
        summary.setdefault((missed, hole.seen.tap.name), []).append(hole)
    return summary
