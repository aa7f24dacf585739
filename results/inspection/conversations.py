"""Conversations: the lanes of all files that carry the same packets.

NAT rewrites the ends and TURN wraps, but the innermost payload stays the same
everywhere: packets are the same where its bytes are. One conversation is one candidate pair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from results.inspection.lanes import Ends, Lane, Rows
from results.inspection.streams import Stream
from results.packets import Kind


@dataclass(frozen=True)
class Way:
    """A lane of a conversation; ``forward`` there is direction 0 here, unless it is turned."""

    lane: Lane
    turned: bool

    def sent(self, direction: int) -> Rows:
        """The packets of a direction of the conversation, in the order of time."""
        return self.lane.sent(forward=self.forward(direction))

    def forward(self, direction: int) -> bool:
        """Whether packets of a direction go forward in the lane."""
        return (direction == 0) is not self.turned

    def ends(self, direction: int) -> Ends:
        """The ends that packets of a direction have."""
        return self.lane.directed(forward=self.forward(direction))


@dataclass(frozen=True)
class Conversation:
    """One candidate pair, in all files."""

    ways: tuple[Way, ...]
    streams: tuple[Stream, ...]

    def way_of(self, lane: Lane) -> Way:
        """How a lane of the conversation lies in it."""
        return next(way for way in self.ways if way.lane is lane)

    def direction(self, stream: Stream) -> int:
        """The direction that a stream takes."""
        return int(stream.forward is self.way_of(stream.lane).turned)

    def streams_in(self, direction: int) -> list[Stream]:
        """The streams of one direction."""
        return [stream for stream in self.streams if self.direction(stream) == direction]


def conversations_of(lanes: Sequence[Lane], streams: Sequence[Stream]) -> list[Conversation]:
    """Join lanes that have packets in common, in the order of their first packets."""
    edges = _edges(lanes, streams)
    neighbours: dict[int, list[tuple[int, bool]]] = {}
    for (here, there), turned in edges.items():
        neighbours.setdefault(here, []).append((there, turned))
        neighbours.setdefault(there, []).append((here, turned))
    seen: set[int] = set()
    found = []
    for index in range(len(lanes)):
        if index not in seen:
            reached = _spread(index, neighbours)
            seen |= reached.keys()
            ways = tuple(Way(lanes[other], reached[other]) for other in sorted(reached))
            own = {id(way.lane) for way in ways}
            found.append(Conversation(ways, tuple(one for one in streams if id(one.lane) in own)))
    return found


def _spread(start: int, neighbours: dict[int, list[tuple[int, bool]]]) -> dict[int, bool]:
    """Lane -> whether it is turned against the first, for all that hang together."""
    turned = {start: False}
    waiting = [start]
    for here in waiting:
        for there, against in neighbours.get(here, ()):
            if there not in turned:
                turned[there] = turned[here] is not against
                waiting.append(there)
    return turned


def _edges(lanes: Sequence[Lane], streams: Sequence[Stream]) -> dict[tuple[int, int], bool]:
    """Pairs of lanes with packets in common -> whether they run against each other."""
    parts = list(_telling(lanes, streams))
    if not parts:
        return {}
    identity = np.concatenate([part[0] for part in parts])
    lane = np.concatenate([part[1] for part in parts])
    forward = np.concatenate([part[2] for part in parts])
    order = np.lexsort((lane, identity))
    identity, lane, forward = identity[order], lane[order], forward[order]
    same = (identity[1:] == identity[:-1]) & (lane[1:] != lane[:-1])
    against = forward[1:] != forward[:-1]
    pairs = np.stack([lane[:-1][same], lane[1:][same], against[same]], axis=1)
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    edges: dict[tuple[int, int], bool] = {}
    for at in np.argsort(counts):
        here, there, is_against = distinct[at].tolist()
        edges[here, there] = bool(is_against)
    return edges


def _telling(
    lanes: Sequence[Lane], streams: Sequence[Stream]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Identity, lane and direction of the packets by which lanes can be joined."""
    index = {id(lane): number for number, lane in enumerate(lanes)}
    for number, lane in enumerate(lanes):
        told = np.isin(lane.table.inner_kind[lane.rows], (Kind.STUN, Kind.DTLS, Kind.RTCP))
        yield _part(lane, number, lane.rows[told], lane.forward[told])
    for stream in streams:
        forward = np.full(len(stream.rows), stream.forward)
        yield _part(stream.lane, index[id(stream.lane)], stream.rows, forward)


def _part(
    lane: Lane, number: int, rows: Rows, forward: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return lane.identity[rows], np.full(len(rows), number), forward
