"""Candidates of both ends: what each gathered, what became of checks on it, what was selected."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from results.schema import Endpoint, Outcome, PairOutcome
from results.setup.selection import text_of
from results.shown import CallEvidence
from topologies.addresses import with_port
from topologies.spec import Network


@dataclass(frozen=True)
class CandidateRow:
    """A candidate of a user; ``place`` is who has its address."""

    type: str
    end: str
    place: str
    #: In the user's offer or answer; else the checks have shown it.
    gathered: bool
    #: Outcome -> pairs with checks from it, and pairs with checks of the peer to it.
    sent: tuple[tuple[str, int], ...]
    received: tuple[tuple[str, int], ...]
    selected: bool


def candidates(network: Network, call: CallEvidence, user: str) -> Iterator[CandidateRow]:
    """The candidates of a user in the order of the description, then those found by checks."""
    pairs = call.result.pairs
    own = [pair for pair in pairs if pair.from_ == user]
    others = [pair for pair in pairs if pair.to == user]
    chosen = call.result.selected.get(user)
    described = call.call.described[user].candidates
    gathered = {text_of(one.end): str(one.type) for one in described}
    found = [chosen.local] if chosen else []
    found += [pair.local for pair in own] + [pair.remote for pair in others]
    known = gathered | {_end(one): one.type for one in found if _end(one) not in gathered}
    for end, kind in known.items():
        yield CandidateRow(
            type=kind,
            end=end,
            place=_place(network, end.rpartition(":")[0].strip("[]")),
            gathered=end in gathered,
            sent=_outcomes(pair for pair in own if _end(pair.local) == end),
            received=_outcomes(pair for pair in others if _end(pair.remote) == end),
            selected=bool(chosen) and _end(chosen.local) == end if chosen else False,
        )


def _end(endpoint: Endpoint) -> str:
    return with_port(endpoint.address, endpoint.port)


def _outcomes(pairs: Iterable[PairOutcome]) -> tuple[tuple[str, int], ...]:
    """The outcomes of pairs and how many there are of each, as the schema orders them."""
    counts = Counter(pair.outcome for pair in pairs)
    return tuple((outcome.value, counts[outcome]) for outcome in Outcome if counts[outcome])


def _place(network: Network, address: str) -> str:
    """Who has an address: a host on a link, or an end of a tunnel."""
    ip = ip_address(address)
    for vpn in network.vpns:
        for name, end in vpn.ends().items():
            if end == ip:
                return f"{name}, in the tunnel of VPN {vpn.name}"
    for host in network.hosts:
        for leg in host.interfaces:
            if any(own.ip == ip for own in leg.addresses):
                return f"{host.name} on {leg.link}"
    return ""
