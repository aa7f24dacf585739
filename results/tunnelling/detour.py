"""Media through a tunnel: its hosts and its delay, beside the way around."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from results.media import Stream
from results.problems import cite
from results.tracing.paths import Path
from results.tracing.routes import way_around
from results.tracing.ways import is_tunnel_hop, way_of
from results.tunnelling.vpn import Findings, Remark, Scenery


def in_tunnels(scenery: Scenery) -> Findings:
    """For each direction of media through a tunnel: its way, beside the way around."""
    return Findings(remarks=tuple(_detours(scenery)))


def _detours(scenery: Scenery) -> Iterator[Remark]:
    for stream in scenery.streams:
        tunnelled = [path for path in stream.arrived if _is_tunnelled(path)]
        if tunnelled:
            frame = cite(scenery.table, tunnelled[0].first.row, "media in the tunnel")
            yield Remark(_words(scenery, stream, tunnelled), (frame,))


def _words(scenery: Scenery, stream: Stream, paths: Sequence[Path]) -> str:
    way = way_of(paths, scenery.udp)
    sender, receiver = stream.key.sender, stream.key.receiver
    around = way_around(scenery.run.network, sender, receiver)
    text = (
        f"{len(paths)} media packets of {sender} to {receiver} in the tunnel, by "
        f"{', '.join(way.hosts)}: {way.hops} hops, {way.delay:.2f} ms one way"
    )
    if not around:
        return text
    return (
        f"{text}; around it, by {', '.join(around)}, {len(around) - 1} hops: the tunnel adds "
        f"{way.hops - len(around) + 1} hops, WireGuard {way.wireguard:.2f} ms"
    )


def _is_tunnelled(path: Path) -> bool:
    return any(is_tunnel_hop(here, there) for here, there in pairwise(path.sightings))
