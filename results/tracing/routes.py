"""The way between two hosts, by the network's description."""

from collections import deque

from topologies.spec import Network, Role

#: What passes on packets that are not its own.
_FORWARDING = (Role.ROUTER, Role.NAT)


def way_around(network: Network, origin: str, target: str) -> tuple[str, ...]:
    """The shortest way between two hosts outside of all tunnels; empty when there is none."""
    gateways = {vpn.gateway for vpn in network.vpns}
    ways: deque[tuple[str, ...]] = deque([(origin,)])
    reached = {origin}
    while ways:
        way = ways.popleft()
        if way[-1] == target:
            return way
        host = network.host(way[-1])
        if host.name != origin and (host.role not in _FORWARDING or host.name in gateways):
            continue
        for leg in host.interfaces:
            for neighbour, _ in network.attached(leg.link):
                if neighbour.name not in reached:
                    reached.add(neighbour.name)
                    ways.append((*way, neighbour.name))
    return ()
