"""The arrows of the drawing: flows that were seen, and attempts that were refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from results.judge import Judged
from results.schema import MediaPath, Outcome, PairOutcome
from results.shown import Shown
from results.tracing.legs import NamedFlow
from topologies.spec import Network, Segment


class Kind(StrEnum):
    """What an arrow stands for."""

    SIGNALLING = "signalling"
    MEDIA = "media"
    REFUSED = "refused"


@dataclass(frozen=True)
class Way:
    """One way that a flow took: the hosts, from the one that opened it."""

    hosts: tuple[str, ...]
    #: What opened it, and the frame that shows that.
    what: str
    tap: str
    frame: int

    @property
    def origin(self) -> str:
        """The host that opened it."""
        return self.hosts[0]

    @property
    def target(self) -> str:
        """The host where it led."""
        return self.hosts[-1]


@dataclass(frozen=True)
class FlowArrow:
    """A flow of signalling or media, with every way that it took."""

    kind: Kind
    flow: NamedFlow
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Refusal:
    """Attempts of a user that one device refused; ``relay`` sent them for the user, if any did."""

    user: str
    relay: str | None
    by: str
    rules: tuple[str, ...]
    pairs: tuple[PairOutcome, ...]

    @property
    def origin(self) -> str:
        """The host from which they came to the device."""
        return self.relay or self.user


def _speaking(shown: Iterable[Shown]) -> list[Shown]:
    """What shows flows, without handshakes that only measure, unless a flow has no other."""
    found = sorted(shown, key=lambda item: item.measures)
    said = {item.flow for item in found if not item.measures}
    return [item for item in found if not item.measures or item.flow not in said]


def flow_arrows(judged: Judged) -> tuple[FlowArrow, ...]:
    """One arrow for each flow of the result, signalling first."""
    evidence, result = judged.evidence, judged.result
    both = (
        (Kind.SIGNALLING, result.signalling_flows, _speaking(evidence.signalling)),
        (Kind.MEDIA, result.media_flows, evidence.media),
    )
    return tuple(
        FlowArrow(kind, flow, tuple(_ways(one for one in shown if one.flow == flow)))
        for kind, flows, shown in both
        for flow in flows
    )


def _ways(shown: Iterable[Shown]) -> Iterator[Way]:
    """Where a flow went, each pair of ends once."""
    once: dict[tuple[str, str], Shown] = {}
    for one in shown:
        if one.hosts:
            once.setdefault((one.hosts[0], one.hosts[-1]), one)
    for one in once.values():
        yield Way(one.hosts, one.what, one.citation.tap, one.citation.frame)


def refusals(judged: Judged) -> tuple[Refusal, ...]:
    """What was refused, by user and device; a pair through a relay comes from the relay."""
    network = judged.run.network
    refused = [
        pair
        for call in judged.result.calls
        for pair in call.pairs
        if pair.outcome is Outcome.REFUSED and pair.by
    ]
    keyed = sorted(refused, key=lambda pair: _key(network, pair))
    return tuple(
        _refusal(key, list(pairs)) for key, pairs in groupby(keyed, lambda p: _key(network, p))
    )


def _key(network: Network, pair: PairOutcome) -> tuple[str, str, str]:
    relay = _owner(network, pair.local.address) if pair.local.type == "relay" else ""
    return pair.from_, relay if relay != pair.by else "", pair.by or ""


def _owner(network: Network, address: str) -> str:
    return next(
        (
            host.name
            for host in network.hosts
            for leg in host.interfaces
            if address in {str(own.ip) for own in leg.addresses}
        ),
        "",
    )


def _refusal(key: tuple[str, str, str], pairs: list[PairOutcome]) -> Refusal:
    user, relay, by = key
    rules = tuple(dict.fromkeys(pair.rule or "refused" for pair in pairs))
    return Refusal(user, relay or None, by, rules, tuple(pairs))


def tails(network: Network, paths: Iterable[MediaPath]) -> tuple[tuple[str, ...], ...]:
    """What media went within the customer network beyond a VPN gateway: it has no number."""
    hosts = {tap.name: tap.host for tap in network.taps()}
    ways = [tuple(dict.fromkeys(hosts[tap] for tap in path.taps)) for path in paths]
    return tuple(dict.fromkeys(tail for way in ways for tail in _tail(network, way)))


def _tail(network: Network, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for vpn in network.vpns:
        inside = network.host(way[-1]).segment is Segment.CUSTOMER and way[-1] != vpn.gateway
        if way[0] in vpn.ends() and vpn.gateway in way and inside:
            yield way[way.index(vpn.gateway) :]
