"""Packet shapers: what they dropped, by which of their rules, and how long they held the rest.

A shaper is found by what it does to media: packets that it drops, or holds for longer than
a router takes. One that lets everything pass is no case of its own, whatever its description.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from results.media import Stream, lost_paths
from results.packets import PacketTable
from results.problems import cite
from results.schema import PACKET_SHAPER
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Ends, Sighting, Way
from results.tunnelling.vpn import Remark
from results.unsupported import Case
from results.words import listed, packets_in_words
from topologies.shaping import POLICED, QUEUE_FULL
from topologies.spec import Network, Perimeter

#: A router holds no packet for so long (median, ms), not even on a busy machine.
HELD_MS = 5.0

_MILLISECOND = 1e6

#: Why each rule drops.
BECAUSE = {
    POLICED: "more came in than its rate lets pass (policing)",
    QUEUE_FULL: "more is to go out than its rate lets pass, and its queue is full",
}


class Shapers:
    """The packet shapers of a network, and which connections have been opened through them."""

    def __init__(self, places: Places, network: Network, paths: Iterable[Path]) -> None:
        self.perimeters = {one.host: one for one in network.perimeters if one.shaper}
        #: Every device and rule that may drop.
        self.rules = frozenset(_rules(self.perimeters.values()))
        self._places = places
        self._opened: dict[tuple[str, Ends], int] = {}
        for path in paths if self.perimeters else ():
            for seen in path.sightings:
                if seen.way is Way.OUT and seen.tap.host in self.perimeters:
                    there = seen.tap.name, seen.ends
                    self._opened[there] = min(seen.time, self._opened.get(there, seen.time))

    def rule(self, last: Sighting) -> str | None:
        """The rule that drops a UDP packet which was seen last where it came in, if one may."""
        perimeter = self.perimeters.get(last.tap.host)
        if perimeter is None or last.way is not Way.IN:
            return None
        rule = self._rule_at(perimeter, last)
        return rule if rule and (perimeter.host, rule) in self.rules else None

    def _rule_at(self, perimeter: Perimeter, last: Sighting) -> str | None:
        if last.tap.link == perimeter.outside:
            opened = self._opened.get((last.tap.name, last.ends.reversed()))
            return POLICED if opened is not None and opened < last.time else None
        own = self._places.owner(last.ends.dst) == perimeter.host
        return None if own or last.tap.link != perimeter.inside else QUEUE_FULL


def _rules(perimeters: Iterable[Perimeter]) -> Iterator[tuple[str, str]]:
    for one in perimeters:
        if one.shaper and one.shaper.police_packets:
            yield one.host, POLICED
        if one.shaper and one.shaper.queue_kbit:
            yield one.host, QUEUE_FULL


@dataclass
class Shaped:
    """What a shaper did to the media of one direction."""

    host: str
    sender: str
    receiver: str
    #: In ms, and where the packet was that was held longest.
    held: list[tuple[float, int]] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=dict)

    @property
    def held_ms(self) -> float:
        """The median; 0 of nothing."""
        return median(ms for ms, _ in self.held) if self.held else 0.0

    @property
    def does_shape(self) -> bool:
        """Whether it did anything that a router does not."""
        return bool(self.dropped) or self.held_ms >= HELD_MS

    @property
    def words(self) -> str:
        """What it did."""
        lost = {rule: len(rows) for rule, rows in self.dropped.items()}
        count = packets_in_words(len(self.held) + sum(lost.values()))
        said = [f"dropped {number:,} ({rule})" for rule, number in lost.items()]
        if self.held_ms >= HELD_MS:
            said.insert(0, f"held packets for {self.held_ms:.1f} ms (median)")
        did = listed(said) or "let all pass"
        return f"{self.host} {did}, of {count} from {self.sender} to {self.receiver}"

    def case(self, table: PacketTable) -> Case:
        """It as a case that is not supported."""
        rows = [row for rows in self.dropped.values() for row in rows]
        row = min(rows) if rows else max(self.held)[1]
        return Case(PACKET_SHAPER, self.words, cite(table, row, f"packet shaper: {self.words}"))


def shaped(shapers: Shapers, streams: Iterable[Stream]) -> Iterator[Shaped]:
    """What each shaper did to each direction of media that came to it."""
    for stream in streams:
        found: dict[str, Shaped] = {}
        for path in stream.arrived:
            for here, there in pairwise(path.sightings):
                if here.tap.host == there.tap.host and here.tap.host in shapers.perimeters:
                    ms = (there.time - here.time) / _MILLISECOND
                    _of(found, stream, here).held.append((ms, there.row))
        for path in lost_paths(stream):
            rule = shapers.rule(path.last)
            if rule:
                rows = _of(found, stream, path.last).dropped
                rows.setdefault(rule, []).append(path.last.row)
        yield from found.values()


def _of(found: dict[str, Shaped], stream: Stream, seen: Sighting) -> Shaped:
    host = seen.tap.host
    return found.setdefault(host, Shaped(host, stream.key.sender, stream.key.receiver))


def counted_remarks(shapers: Shapers, counted: Mapping[str, Mapping[str, int]]) -> Iterator[Remark]:
    """What the kernel counted that shapers dropped, of media and of all other UDP."""
    for host, rule in sorted(shapers.rules):
        count = counted.get(host, {}).get(rule, 0)
        if count:
            yield Remark(f"rule {rule} of {host} counted {packets_in_words(count)}")
