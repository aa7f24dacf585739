"""Where a packet ended that did not arrive, and by which rule.

The place is where the packet was seen last. What a firewall does to it is told by
the policy that the run stored, what a router does by its routes and its own ICMP
errors, what a relay does by the permissions that it gave. Where nothing explains
the loss, the evidence has a gap.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from controllers.flowtable import FlowTable, flow_table
from controllers.lookup import PacketError, PacketQuery
from controllers.policy import Policy
from results.outages import Outage
from results.packets import Kind
from results.schema import Outcome
from results.setup.turn import Allocation, Turn
from results.shapers import BECAUSE, Shapers
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Sighting, Way
from results.tracing.unreachable import Unreachable
from topologies.addresses import address_of
from topologies.spec import Address, Firewall, Host, Network, Role

#: Rules of a NAT router by the comments in its packet filter (topologies/nat.py) -> why.
NAT_RULES = {
    "unsolicited_to_router": "nothing inside had sent to that peer from that port before "
    "(RFC 4787, section 5), and the router itself takes nothing new from outside",
    "unsolicited": "the router forwards nothing new from outside",
}

_SECOND = 1e9

#: Whether a packet begins a connection, or answers on one that a firewall remembers.
State = Literal["new", "established"]


@dataclass(frozen=True)
class Fate:
    """What became of a packet; ``row`` is the frame that shows it.

    ``by`` is the device, ``rule`` the name under which it counts. A ``gap`` is a loss
    that nothing explains; ``because`` then says only where, as a predicate.
    """

    outcome: Outcome
    because: str
    row: int
    by: str | None = None
    rule: str | None = None
    gap: bool = False
    #: Lost on a cable, or in a tunnel over one, that is to lose some packets.
    by_chance: bool = False


class Fates:
    """What the devices of a network do to packets that do not arrive."""

    def __init__(
        self,
        network: Network,
        policies: Mapping[str, Policy],
        turn: Turn,
        errors: Iterable[Unreachable],
        places: Places,
        counted: Collection[str],
        shapers: Shapers | None = None,
        outages: Iterable[Outage] = (),
    ) -> None:
        """``counted`` are the devices of whose rules there are counters."""
        self._counted = counted
        self._shapers = shapers
        self._killed = [(one.host, int(one.killed * _SECOND)) for one in outages]
        self._places = places
        self._turn = turn
        self._errors = list(errors)
        self._outside = {perimeter.host: perimeter.outside for perimeter in network.perimeters}
        #: Link -> the firewall there and what it does.
        self._firewalls: dict[str, tuple[Firewall, FlowTable]] = {
            firewall.link: (firewall, flow_table(policies[firewall.name]))
            for firewall in network.firewalls
            if firewall.name in policies
        }

    def of(self, path: Path, state: State = "new") -> Fate:
        """What became of a packet that did not arrive; ``state`` is that of its connection."""
        last = path.last
        if last.way is Way.OUT:
            return (
                self._at_tunnel(last)
                or self._at_firewall(last, state)
                or self._on_line(last)
                or _gap(last)
            )
        return (
            self._at_shaper(last)
            or self._at_the_dead(path)
            or self._answered(last)
            or self._at_nat(last)
            or self._at_relay(last)
            or self._without_route(last)
            or _gap(last)
        )

    def is_by_chance(self, path: Path) -> bool:
        """Whether a packet was lost on the way to a tap, where some are lost on purpose."""
        return not path.complete and self.of(path).by_chance

    def is_explained(self, path: Path) -> bool:
        """Whether a packet was lost by chance, dropped by a shaper, or lost with a dead relay."""
        if path.complete:
            return False
        fate = self.of(path)
        dead = self._at_the_dead(path) is not None
        return dead or fate.by_chance or fate.rule in BECAUSE

    def _at_tunnel(self, last: Sighting) -> Fate | None:
        """What cryptokey routing does (WireGuard whitepaper, section 2), at either end.

        A sender has no peer for a destination outside the AllowedIPs, and a receiver
        drops what bears a source outside of them.
        """
        if last.tap.tunnel is None:
            return None
        tunnel = self._places.tunnels[last.tap.tunnel]
        host, gateway = last.tap.host, tunnel.vpn.gateway
        src, dst = address_of(last.ends.src), address_of(last.ends.dst)
        client = tunnel.client_at(last.ends.dst)
        if host != gateway and not tunnel.reaches(last.ends.dst):
            by, because = host, f"{dst} is not in the AllowedIPs of {host}"
        elif host != gateway and tunnel.client_at(last.ends.src) != host:
            by, because = gateway, f"{src} is not the address that {host} has in the tunnel"
        elif host == gateway and client and not tunnel.reaches(last.ends.src):
            by, because = client, f"{src} is not in the AllowedIPs of {client}"
        else:
            return None
        return Fate(Outcome.REFUSED, f"{because} (cryptokey routing)", last.row, by, "AllowedIPs")

    def _at_the_dead(self, path: Path) -> Fate | None:
        """What becomes of packets for an allocation that a relay had before it died."""
        last = path.last
        for host, killed in self._killed:
            if host == last.tap.host and last.time >= killed:
                owner = self._owner(path)
                if owner and owner.time < killed:
                    because = f"{host} died, and with it the allocation of {owner.user}"
                    return Fate(Outcome.REFUSED, because, last.row, host, "no allocation")
        return None

    def _owner(self, path: Path) -> Allocation | None:
        """Whose allocation a packet is for that ended at a relay: its sender's, or its peer's."""
        first, last = path.first.ends, path.last
        if last.wrapped:
            return self._turn.allocation(path.origin, (first.src, first.sport), last.time)
        return self._turn.owner(last.tap.host, (last.ends.dst, last.ends.dport), last.time)

    def _at_firewall(self, last: Sighting, state: State) -> Fate | None:
        """What the firewall on the link does, if it enforces a policy."""
        if last.tap.link not in self._firewalls:
            return None
        firewall, table = self._firewalls[last.tap.link]
        query = PacketQuery(
            protocol="tcp" if last.kind is Kind.TCP else "udp",
            src=address_of(last.ends.src),
            sport=last.ends.sport,
            dst=address_of(last.ends.dst),
            dport=last.ends.dport,
            side=firewall.side_of(last.tap.host),
            state=state,
        )
        try:
            decision = table.lookup(query)
        except PacketError as error:
            return _gap(last, f", and {firewall.name} cannot tell why: {error}")
        if decision.passes:
            return _gap(last, f", although {firewall.name} lets it pass by rule {decision.rule}")
        because = table.policy.because_of(decision.rule)
        return self._by_rule(firewall.name, decision.rule, because, last)

    def _on_line(self, last: Sighting) -> Fate | None:
        """Whether the way to the next tap loses packets on purpose."""
        loss = self._places.line(last.tap, last.far).loss
        if not loss:
            return None
        where = last.tap.link or last.tap.tunnel
        because = f"{where} loses {loss * 100:g} % of what {last.tap.host} sends, this by chance"
        return Fate(Outcome.UNKNOWN, because, last.row, by_chance=True)

    def _answered(self, last: Sighting) -> Fate | None:
        """What the host where it ended said of it."""
        error = next((error for error in self._errors if error.answers(last)), None)
        if error is None:
            return None
        outcome = Outcome.NO_ROUTE if error.no_route else Outcome.REFUSED
        because = f"{error.host} answered for {_address(last)}: {error.words} (ICMP)"
        return Fate(outcome, because, error.row, error.host)

    def _at_shaper(self, last: Sighting) -> Fate | None:
        """Which rule of a packet shaper drops what it has no room for."""
        rule = self._shapers.rule(last) if self._shapers else None
        return self._by_rule(last.tap.host, rule, BECAUSE[rule], last) if rule else None

    def _at_nat(self, last: Sighting) -> Fate | None:
        """Which rule of a NAT router stops what comes from outside."""
        host = last.tap.host
        if self._places.role(host) is not Role.NAT or last.tap.link != self._outside.get(host):
            return None
        to_router = self._places.owner(last.ends.dst) == host
        rule = "unsolicited_to_router" if to_router else "unsolicited"
        return self._by_rule(host, rule, NAT_RULES[rule], last)

    def _by_rule(self, device: str, rule: str, because: str, last: Sighting) -> Fate:
        """A refusal by a rule that counts; without its counters nothing confirms it."""
        if device in self._counted:
            return Fate(Outcome.REFUSED, because, last.row, device, rule)
        doubt = f"ending.json has no counters that confirm rule {rule} of {device}: {because}"
        return Fate(Outcome.UNKNOWN, doubt, last.row, device, rule)

    def _at_relay(self, last: Sighting) -> Fate | None:
        """Whether a relay had no permission for a packet that came to a relayed address."""
        relay, ends = last.tap.host, last.ends
        if self._places.role(relay) is not Role.RELAY or last.wrapped:
            return None
        owner = self._turn.owner(relay, (ends.dst, ends.dport), last.time)
        if owner is None or self._turn.permits(owner, ends.src, last.time):
            return None
        peer = address_of(ends.src)
        because = f"{owner.user} had not yet asked it to let {peer} through (RFC 8656, section 9)"
        return Fate(Outcome.REFUSED, because, last.row, relay, "no permission")

    def _without_route(self, last: Sighting) -> Fate | None:
        host = self._places.hosts[last.tap.host]
        if _has_route(host, address_of(last.ends.dst)):
            return None
        because = f"{host.name} has no route to {_address(last)}"
        return Fate(Outcome.NO_ROUTE, because, last.row, host.name)


def _gap(last: Sighting, more: str = "") -> Fate:
    """A loss that nothing explains."""
    if last.way is Way.OUT and last.far:
        where = f"left {last.tap.name} and was not seen to arrive at {last.far.name}"
    else:
        where = f"reached {last.tap.name} and was not seen to go on"
    return Fate(Outcome.UNKNOWN, where + more, last.row, gap=True)


def _has_route(host: Host, address: Address) -> bool:
    prefixes = [address.network for leg in host.interfaces for address in leg.addresses]
    prefixes += [route.to for route in host.routes]
    return any(address in prefix for prefix in prefixes)


def _address(last: Sighting) -> str:
    return str(address_of(last.ends.dst))
