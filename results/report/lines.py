"""The course of every line: lanes in channels, corners, where its number and its end stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from results.report.stacks import Stacks, Touch
from results.report.trips import Channel, Trip

#: How far apart two lines in one lane end, in pixels.
_APART = 8.0
#: A change of level that is none.
_STRAIGHT = 0.5


@dataclass(frozen=True)
class Turn:
    """A line's way along a channel; ``left`` is the level on the customer's side of it."""

    trip: int
    channel: Channel
    left: float
    right: float

    @property
    def span(self) -> tuple[float, float]:
        """From the lower level to the higher."""
        return min(self.left, self.right), max(self.left, self.right)


def levels(stacks: Stacks, trips: Sequence[Trip], number: int) -> list[float]:
    """The levels that a line keeps, one more than the channels that it turns in."""
    trip = trips[number]
    start = _level(stacks, trip, number, "start")
    if not trip.channels:
        return [start]
    lane = stacks.lanes.get((number, "gate"))
    end = _level(stacks, trip, number, "end")
    if len(trip.channels) == 1:
        return [start, end]
    return [start, lane if lane is not None else start, end]


def _level(stacks: Stacks, trip: Trip, number: int, end: str) -> float:
    point = trip.start if end == "start" else trip.end
    touch: Touch = (number, end)
    if touch in stacks.ports:
        return stacks.ports[touch]
    if point.gate:
        return stacks.lanes.get(touch, stacks.lanes.get((number, "gate"), 0.0))
    return stacks.walls.get(point.site, 0.0)


def turns(stacks: Stacks, trips: Sequence[Trip]) -> list[Turn]:
    """Every change of level, with the channel where it takes place."""
    found = []
    for number, trip in enumerate(trips):
        for channel, (before, after) in zip(
            trip.channels, pairwise(levels(stacks, trips, number)), strict=True
        ):
            if abs(before - after) > _STRAIGHT:
                ahead = trip.channels[0] <= trip.channels[-1]
                left, right = (before, after) if ahead else (after, before)
                found.append(Turn(number, channel, left, right))
    return found


def lanes(found: Sequence[Turn], channel: Channel) -> dict[int, int]:
    """Trip -> the number of its lane in a channel, so that no two lines meet in one.

    A line that begins lower and leads upward turns further on, so that it does not
    cross its neighbours.
    """
    taken: list[list[tuple[float, float]]] = []
    lane_of: dict[int, int] = {}
    here = [turn for turn in found if turn.channel is channel]
    for turn in sorted(here, key=lambda turn: turn.left if turn.right < turn.left else -turn.left):
        free = (at for at, spans in enumerate(taken) if all(_clear(turn.span, s) for s in spans))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append(turn.span)
        lane_of[turn.trip] = lane
    return lane_of


def _clear(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] + _APART < other[0] or other[1] + _APART < one[0]


def rounded(points: Sequence[tuple[float, float]], radius: float = 7) -> str:
    """An SVG path through points, with round corners (SVG 2, section 9.3)."""
    parts = [f"M{_pair(points[0])}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(f"L{_pair(_toward(at, before, radius))}")
        parts.append(f"Q{_pair(at)} {_pair(_toward(at, after, radius))}")
    parts.append(f"L{_pair(points[-1])}")
    return "".join(parts)


def _toward(
    at: tuple[float, float], other: tuple[float, float], radius: float
) -> tuple[float, float]:
    """A point on the way to another, at most half of it away."""
    length = _length(at, other)
    part = min(radius, length / 2) / length if length else 0
    return at[0] + (other[0] - at[0]) * part, at[1] + (other[1] - at[1]) * part


def _pair(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def spots(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Where a line's number may stand: on its straight parts, the longest first."""
    parts = sorted(pairwise(points), key=lambda part: -_length(*part))
    for a, b in parts:
        for share in (0.5, 0.38, 0.62, 0.26, 0.74, 0.14, 0.86):
            yield a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _length(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Of a straight part, which is level or plumb."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1])
