"""The way of media: the hosts on it, those outside a tunnel too, and the time it takes.

All taps share one clock, so the time from the first tap to the last is the delay
one way. What a tunnel itself adds is the time between its two ends, less what its
WireGuard packets take between the same two hosts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from results.packets import Kind
from results.tracing.paths import Path, Travels
from results.tracing.sightings import Sighting

_MILLISECOND = 1e6


@dataclass(frozen=True)
class Way:
    """How media went: the hosts, those that carried a tunnel too, and the delay in ms."""

    hosts: tuple[str, ...]
    #: Median from the first tap to the last.
    delay: float
    #: Of that, what WireGuard took at both ends of tunnels.
    wireguard: float

    @property
    def hops(self) -> int:
        """Links that were crossed."""
        return len(self.hosts) - 1


def way_of(paths: Sequence[Path], udp: Travels) -> Way:
    """The way of media packets that took the same path; ``udp`` has what carried tunnels."""
    times = [path.last.time - path.first.time for path in paths]
    hosts: list[str] = [paths[0].first.tap.host]
    added = 0.0
    for here, there in pairwise(paths[0].sightings):
        outside = _carriers(udp, here, there) if is_tunnel_hop(here, there) else []
        if outside:
            hosts += outside[0].hosts[1:-1]
            within = median(_times(paths, here, there))
            added += max(0.0, within - median(one.last.time - one.first.time for one in outside))
        if there.tap.host != here.tap.host:
            hosts.append(there.tap.host)
    return Way(tuple(hosts), median(times) / _MILLISECOND, added / _MILLISECOND)


def _times(paths: Sequence[Path], here: Sighting, there: Sighting) -> list[int]:
    """The time in ns that each of some packets took between the taps of two sightings."""
    first, last = (paths[0].sightings.index(seen) for seen in (here, there))
    return [path.sightings[last].time - path.sightings[first].time for path in paths]


def is_tunnel_hop(here: Sighting, there: Sighting) -> bool:
    """Whether a packet went through a tunnel between two sightings."""
    return here.tap.tunnel is not None and here.tap.tunnel == there.tap.tunnel


def _carriers(udp: Travels, here: Sighting, there: Sighting) -> list[Path]:
    """The WireGuard packets from one end of a tunnel to the other."""
    ends = here.tap.host, there.tap.host
    return [
        path
        for path in udp.paths
        if path.first.kind is Kind.WIREGUARD
        and path.complete
        and (path.origin, path.target) == ends
    ]
