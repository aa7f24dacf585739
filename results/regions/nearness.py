"""Whether users are served by the nearest edge (call-flow-topologies, "Call flow principles").

A front end is chosen by the connections that carry a call's signalling, a relay by the
allocation that a user offers. Neither may be further than another region's, by the round
trips that were measured at the user's own tap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.regions.round_trips import RoundTrips
from results.schema import FAR_EDGE, Citation, Nearness, Run
from results.setup.calls import Call
from results.setup.turn import Turn
from results.tracing.openings import Connections, Query
from results.tracing.places import Places
from results.tunnelling.vpn import Findings, Remark
from topologies.spec import Role

_ROLES: Mapping[Role, Literal["front end", "relay"]] = {
    Role.FRONT_END: "front end",
    Role.RELAY: "relay",
}


@dataclass(frozen=True)
class Edges:
    """All that tells who was served by whom, and how far that was."""

    table: PacketTable
    run: Run
    places: Places
    tcp: Connections
    turn: Turn
    queries: Sequence[Query]
    trips: RoundTrips

    def nearness(self, call: Call) -> tuple[Nearness, ...]:
        """The servers of both participants; none where the service has one region."""
        chosen = (
            (user, server)
            for user in call.participants
            for server in dict.fromkeys((*self._front_ends(call, user), *self._relays(call, user)))
            if server in self.places.regions
        )
        return tuple(self._nearness(user, server) for user, server in chosen)

    def _front_ends(self, call: Call, user: str) -> Iterator[str]:
        """The servers to which a user's connections went that carried the call."""
        said = (call.invite, call.notified, call.answered, call.told)
        for message in said:
            if message and message.user == user and message.carrier.syn_row in self.tcp.by_syn:
                yield self.tcp.by_syn[message.carrier.syn_row].path.target

    def _relays(self, call: Call, user: str) -> Iterator[str]:
        """The relays whose relayed addresses a user offered."""
        offered = {one.end for one in call.described[user].candidates if one.type == "relay"}
        for one in self.turn.allocations:
            if one.user == user and one.relayed in offered:
                yield one.relay

    def _nearness(self, user: str, server: str) -> Nearness:
        role = self.places.role(server)
        query = self._told(user, server)
        return Nearness(
            user=user,
            role=_ROLES[role],
            server=server,
            region=self.places.regions[server],
            round_trip_ms={
                other: round(self.trips[user, other].ms, 3)
                for other in self.servers(role)
                if (user, other) in self.trips
            },
            asked=query.asked if query else None,
            through=query.opening.path.first.tap.tunnel if query else None,
        )

    def servers(self, role: Role) -> list[str]:
        """The servers of all regions that do the same."""
        return [name for name in self.places.regions if self.places.role(name) is role]

    def _told(self, user: str, server: str) -> Query | None:
        """A user's last question that was answered with a server's address."""
        own = {*self.places.hosts[server].addresses}
        asked = (query for query in self.queries if query.asked_by == user)
        found = [query for query in asked if own.intersection(query.addresses)]
        return found[-1] if found else None


def nearness_findings(edges: Edges, found: Iterable[Nearness]) -> Findings:
    """What is to be said of the servers of all calls, each user's once."""
    remarks: list[Remark] = []
    problems: list[Problem] = []
    unique = list({(one.user, one.server): one for one in found}.values())
    for one in unique:
        missing = [s for s in edges.servers(_role(one)) if s not in one.round_trip_ms]
        if missing:
            problems.append(_unmeasured(one, missing[0]))
        elif one.asked is None:
            problems.append(_untold(one))
        elif one.is_nearest or _is_expected(edges, one):
            remarks.append(Remark(_words(one), _shown(edges, one)))
        else:
            problems.append(Problem(Ground.FLOWS, _words(one), _shown(edges, one)))
    problems += _without_trap(edges, unique)
    return Findings(tuple(remarks), tuple(problems))


def _role(one: Nearness) -> Role:
    return Role(one.role)


def _is_trap(one: Nearness) -> bool:
    """Whether a far relay comes of a question that went through a tunnel.

    A front end is no such case: what goes to it goes through the tunnel, as the question did.
    """
    return one.role == "relay" and not one.is_nearest and one.through is not None


def _is_expected(edges: Edges, one: Nearness) -> bool:
    return _is_trap(one) and one.user in edges.run.expect.far_edge


def _without_trap(edges: Edges, found: Sequence[Nearness]) -> Iterator[Problem]:
    """Users who were to be served from afar, and were not."""
    far = {one.user for one in found if _is_trap(one)}
    for user in sorted(edges.run.expect.far_edge - far):
        yield Problem(Ground.FLOWS, f"expected for {user} ({FAR_EDGE}), but it was not seen")


def _unmeasured(one: Nearness, server: str) -> Problem:
    text = (
        f"no round trip of {one.user} to {server} was seen, so that it cannot be told whether "
        f"{one.server} is the nearest {one.role}"
    )
    return Problem(Ground.UNMEASURED, text)


def _untold(one: Nearness) -> Problem:
    text = f"no DNS answer with the address of {one.server}, which served {one.user}, was seen"
    return Problem(Ground.UNMEASURED, text)


def _words(one: Nearness) -> str:
    trips = one.round_trip_ms
    others = ", ".join(
        f"{server} {trips[server]:.2f}"
        for server in sorted(trips, key=lambda server: trips[server])
        if server != one.server
    )
    by = f"{one.server} ({trips[one.server]:.2f} ms; {others})"
    if one.is_nearest:
        return f"nearest {one.role} of {one.user}: {by}"
    far = f"the {one.role} of {one.user} is {by}, though {one.nearest} is nearer"
    if _is_trap(one):
        return f"{FAR_EDGE}: {far}: {one.asked} was asked, through the tunnel of {one.through}"
    return f"{far}: {one.asked} was asked"


def _shown(edges: Edges, one: Nearness) -> tuple[Citation, ...]:
    """The answers that ended the round trips to the chosen server and the nearest one."""
    servers = dict.fromkeys((one.server, one.nearest))
    return tuple(
        cite(edges.table, edges.trips[one.user, server].row, f"{server} answers {one.user}")
        for server in servers
    )
