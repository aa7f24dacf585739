"""What the captures show of VPNs: what tunnels carried, what went around them, what did not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from results.absence import Canaries
from results.media import Stream
from results.outages import Outage
from results.packets import PacketTable
from results.problems import Problem
from results.schema import CallResult, Citation, Run
from results.setup.turn import Turn
from results.tracing.legs import Conversations
from results.tracing.openings import Opening
from results.tracing.paths import Path, Travels
from results.tracing.places import Places
from results.tunnelling.tunnels import Tunnel
from results.tunnelling.wireguard import carried


@dataclass(frozen=True)
class Remark:
    """Something that a PASS tells beyond its figures, and frames that show it."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What was found of the VPNs of a run, or of other things that befell it."""

    remarks: tuple[Remark, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Scenery:
    """All that such findings are read from."""

    table: PacketTable
    places: Places
    run: Run
    udp: Travels
    canaries: Canaries
    conversations: Conversations
    openings: Sequence[Opening]
    streams: Sequence[Stream]
    #: Call -> what the captures show of it.
    calls: Mapping[str, CallResult]
    #: Device -> rule -> packets.
    counted: Mapping[str, Mapping[str, int]]
    outages: Sequence[Outage] = ()
    turn: Turn = field(default_factory=Turn)

    def members(self, call: CallResult) -> Iterator[tuple[Tunnel, str]]:
        """The participants of a call that are clients of a VPN, with its tunnel."""
        for tunnel in self.places.tunnels.values():
            for client in tunnel.clients.values():
                if client in call.participants:
                    yield tunnel, client

    def paths_of(self, call: str) -> Iterator[Path]:
        """Every path that a media packet of a call took, whether it arrived or not."""
        for stream in self.streams:
            if stream.key.call == call:
                yield from (path for packet in stream.packets for path in packet.paths)


def tied_to_outside(scenery: Scenery) -> Findings:
    """That what was in the tunnels is consistent with the WireGuard packets outside."""
    table = scenery.table
    found = carried(table, scenery.places, scenery.canaries)
    users = {user for call in scenery.calls.values() for user in call.participants}
    return Findings(
        remarks=tuple(
            Remark(one.words, one.citations(table)) for one in found if one.client in users
        ),
        problems=tuple(problem for one in found for problem in one.problems(table)),
    )


def together(findings: Iterable[Findings]) -> Findings:
    """Several findings as one."""
    remarks: list[Remark] = []
    problems: list[Problem] = []
    for found in findings:
        remarks += found.remarks
        problems += found.problems
    return Findings(tuple(remarks), tuple(problems))


def taps_within(scenery: Scenery, tunnel: Tunnel, client: str) -> tuple[str, ...]:
    """The taps that a client's media in the tunnel must pass: its two ends, the inner leg."""
    vpn = tunnel.vpn
    legs = scenery.run.network.host(vpn.gateway)
    inner = (
        legs.interface_name(index)
        for index, leg in enumerate(legs.interfaces)
        if leg.link == vpn.inside
    )
    return vpn.interface_of(client), vpn.interface_of(vpn.gateway), *inner
