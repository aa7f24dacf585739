"""Stories of three regions: ways by the hosts on them, and what asks how far servers are."""

from collections.abc import Sequence
from itertools import pairwise

from results.packets import ACK, SYN
from tests.results.story import Hop, Story, back, dns_answer, dns_query, ends, stun, tcp
from topologies.regions import three_regions
from topologies.spec import Network

EVE = "192.168.1.11:40000"
EVE_OUTSIDE = "198.51.100.10:40000"
FRONT_EAST, FRONT_WEST = "203.0.113.133:443", "203.0.113.5:443"
RELAY_EAST = "203.0.113.137:3478"

INSIDE = ("eve", "eve_nat")
TO_EAST = ("eve_nat", "inet_east", "east_rtr", "front_east")
TO_RELAY = ("eve_nat", "inet_east", "east_rtr", "relay_east")
TO_WEST = ("eve_nat", "inet_east", "inet_west", "west_rtr", "front_west")

REQUEST, SUCCESS = 0x0001, 0x0101
USERNAME = 0x0006


def story() -> Story:
    """The three regions, where nothing has happened yet."""
    return Story(network=three_regions())


def way(network: Network, *hosts: str) -> tuple[Hop, ...]:
    """The hops from host to host, each to the next by the link that both are on."""
    return tuple(_hop(network, one, other) for one, other in pairwise(hosts))


def _hop(network: Network, one: str, other: str) -> Hop:
    legs = {leg.link: at for at, leg in enumerate(network.host(one).interfaces)}
    at, link = next(
        (at, leg.link) for at, leg in enumerate(network.host(other).interfaces) if leg.link in legs
    )
    return Hop(f"{one}-eth{legs[link]}", f"{other}-eth{at}")


def handshake(told: Story, outside: Sequence[str], server: str, isn: int, seconds: float) -> None:
    """Eve connects; the answer takes so long."""
    inner, outer = ends(EVE, server), ends(EVE_OUTSIDE, server)
    inside, there = way(told.network, *INSIDE), way(told.network, *outside)
    told.syn(inside, inner, isn)
    told.syn(there, outer, isn)
    told.wait(seconds)
    for hops_, own in ((back(there), outer), (back(inside), inner)):
        for hop in hops_:
            told.cross(hop, tcp(own.reversed(), 1000, SYN | ACK, ack=isn + 1))


def ask(told: Story, name: str, address: str) -> None:
    """Eve asks the public resolver, and is told an address."""
    inner = ends(f"{EVE.partition(':')[0]}:5000", "198.51.100.53:53")
    outer = ends("198.51.100.10:5000", "198.51.100.53:53")
    inside = way(told.network, *INSIDE)
    there = way(told.network, "eve_nat", "inet_east", "inet_west", "resolver")
    told.send(inside, inner, dns_query(name))
    told.send(there, outer, dns_query(name))
    told.send(back(there), outer.reversed(), dns_answer(name, address=address))
    told.send(back(inside), inner.reversed(), dns_answer(name, address=address))


def binding(told: Story, transaction: int, seconds: float, *attributes: tuple[int, bytes]) -> None:
    """Eve asks the relay in the east for her address."""
    inner, outer = ends(EVE, RELAY_EAST), ends(EVE_OUTSIDE, RELAY_EAST)
    inside, there = way(told.network, *INSIDE), way(told.network, *TO_RELAY)
    told.send(inside, inner, stun(REQUEST, transaction, *attributes))
    told.send(there, outer, stun(REQUEST, transaction, *attributes))
    told.wait(seconds)
    told.send(back(there), outer.reversed(), stun(SUCCESS, transaction))
    told.send(back(inside), inner.reversed(), stun(SUCCESS, transaction))
