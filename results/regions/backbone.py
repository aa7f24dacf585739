"""That what regions of the service say to each other stays on their backbone.

Connections between their front ends and media between their relays may cross links of the
service only.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from results.packets import Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.tracing.openings import Opening
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Sighting
from results.tunnelling.vpn import Findings, Remark
from results.words import listed, packets_in_words
from topologies.spec import Segment

_Part = tuple[Sighting, ...]


def backbone_findings(
    table: PacketTable,
    places: Places,
    openings: Iterable[Opening],
    paths: Iterable[Path],
) -> Findings:
    """What regions said to each other, and by which links."""
    if not places.regions:
        return Findings()
    spoken = [one.path.sightings for one in openings if _is_between(places, one.path)]
    relayed = [part for path in paths if path.relays for part in _relay_to_relay(places, path)]
    return Findings(
        remarks=tuple(_remarks(table, spoken, relayed)),
        problems=tuple(_outside(table, places, (*spoken, *relayed))),
    )


def _is_between(places: Places, path: Path) -> bool:
    return path.complete and places.between_regions(path.origin, path.target)


def _relay_to_relay(places: Places, path: Path) -> Iterator[_Part]:
    """The part of a packet's way from the relay of one region to that of another."""
    for one, other in pairwise(path.relays):
        if places.between_regions(one, other):
            seen = path.sightings
            begin = max(at for at, here in enumerate(seen) if here.tap.host == one)
            end = min(at for at, here in enumerate(seen) if here.tap.host == other)
            yield seen[begin : end + 1]


def _outside(table: PacketTable, places: Places, parts: Iterable[_Part]) -> Iterator[Problem]:
    """The first packet of each two hosts that was seen on a link of somebody else's."""
    found: dict[tuple[str, str], Problem] = {}
    for part in parts:
        ends = part[0].sender, part[-1].tap.host
        away = [seen for seen in part if places.of_tap(seen.tap) is not Segment.SERVICE]
        if away and ends not in found:
            frame = cite(table, away[0].row, "leaves the service's backbone")
            text = (
                f"what {ends[0]} says to {ends[1]} leaves the service's backbone by "
                f"{away[0].tap.link} (frame {frame.frame} of {frame.tap})"
            )
            found[ends] = Problem(Ground.FLOWS, text, (frame,))
    yield from found.values()


def _remarks(
    table: PacketTable, spoken: Sequence[_Part], relayed: Sequence[_Part]
) -> Iterator[Remark]:
    if spoken:
        pairs = dict.fromkeys(f"{part[0].sender} to {part[-1].tap.host}" for part in spoken)
        frame = cite(table, spoken[0][0].row, "one front end connects to another")
        text = f"front ends spoke over the backbone only: {listed(list(pairs))}"
        yield Remark(text, (frame,))
    media = [part for part in relayed if part[0].kind in (Kind.RTP, Kind.RTCP)]
    if media:
        ends = (sorted((part[0].sender, part[-1].tap.host)) for part in media)
        pairs = dict.fromkeys(" and ".join(both) for both in ends)
        frame = cite(table, media[0][0].row, "one relay sends to another")
        text = f"{packets_in_words(len(media))} of media between {listed(list(pairs))}"
        yield Remark(f"{text} over the backbone", (frame,))
