"""What impaired cables do to packets, hop by hop, by the network's description.

A hop is from one tap to the next: over one cable, or through a tunnel, which suffers
what all cables do on the way of the packets that carry it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from results.tracing.routes import way_around
from topologies.spec import Impairment, Network

_MILLISECOND = 1e6

#: The names of the taps between which a packet goes.
Hop = tuple[str, str]


@dataclass(frozen=True)
class Line:
    """What a hop adds: delay one way and how far it varies, in ns; the fraction lost."""

    delay: int = 0
    jitter: int = 0
    loss: float = 0.0

    @property
    def longest(self) -> int:
        """The most that it delays, in ns."""
        return self.delay + self.jitter


#: A hop over a cable, or through a tunnel, that adds nothing.
PLAIN = Line()


def lines_of(network: Network) -> dict[Hop, Line]:
    """The hops that add something."""
    cables = {
        (link.name, one.sender): _line(one) for link in network.links for one in link.impairments
    }
    return {**dict(_over_cables(network, cables)), **dict(_through_tunnels(network, cables))}


#: What cables add, by link and sender.
_Cables = Mapping[tuple[str, str], Line]


def _line(given: Impairment) -> Line:
    delay, jitter = (round(ms * _MILLISECOND) for ms in (given.delay_ms, given.jitter_ms))
    return Line(delay, jitter, given.loss)


def _over_cables(network: Network, cables: _Cables) -> Iterator[tuple[Hop, Line]]:
    for (link, sender), line in cables.items():
        ends = {host.name: host.interface_name(at) for host, at in network.attached(link)}
        (other,) = ends.keys() - {sender}
        yield (ends[sender], ends[other]), line


def _through_tunnels(network: Network, cables: _Cables) -> Iterator[tuple[Hop, Line]]:
    for vpn in network.vpns:
        for client in vpn.clients:
            for ends in ((client.host, vpn.gateway), (vpn.gateway, client.host)):
                way = pairwise(way_around(network, *ends))
                lines = [cables.get((_between(network, *hop), hop[0]), PLAIN) for hop in way]
                sender, receiver = (vpn.interface_of(host) for host in ends)
                yield (sender, receiver), _together(lines)


def _between(network: Network, host: str, neighbour: str) -> str:
    """The first link that connects two neighbours."""
    legs = {leg.link for leg in network.host(neighbour).interfaces}
    return next(leg.link for leg in network.host(host).interfaces if leg.link in legs)


def _together(lines: Sequence[Line]) -> Line:
    """What several lines do, one after the other."""
    return Line(
        sum(line.delay for line in lines),
        sum(line.jitter for line in lines),
        1 - prod(1 - line.loss for line in lines),
    )
