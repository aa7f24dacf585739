"""The lines of a drawing: their corners, where their numbers stand, and words at refused ends."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from results.report import lines
from results.report.columns import Columns, Drawn
from results.report.shapes import BOLD, At, Box, Label, Line
from results.report.trips import Channel, Trip

#: How far the words of a refusal stand from its cross.
_BESIDE = 9


def courses(columns: Columns, taken: Iterable[Box]) -> Iterator[Line]:
    """Every line; numbers stand clear of words, of each other, and of what is ``taken``."""
    corners = [[columns.at(*p) for p in _corners(columns, n)] for n in range(len(columns.drawn))]
    words = [_words(columns, number, points) for number, points in enumerate(corners)]
    full = [*taken, *(said.box for said in words if said)]
    for points, said in zip(corners, words, strict=True):
        free = (at for at in lines.spots(points) if all(box.is_clear_of(at) for box in full))
        spot = next(free, points[0])
        full.append(Box(*spot, 0, 0))
        yield Line(lines.rounded(points), spot, points[-1], said)


def _corners(columns: Columns, number: int) -> list[At]:
    """The corners of a line, in u and v."""
    trip = columns.trips[number]
    levels = lines.levels(columns.stacks, columns.trips, number)
    points = [(columns.end_of(trip, "start"), levels[0])]
    for channel, (before, after) in zip(trip.channels, pairwise(levels), strict=True):
        lane = columns.lane(number, channel)
        if lane is not None:
            points += [(lane, before), (lane, after)]
    if _ends_in_channel(columns, trip):
        return points
    return [*points, (columns.end_of(trip, "end"), levels[-1])]


def _ends_in_channel(columns: Columns, trip: Trip) -> bool:
    """Whether a line ends at the wall before a site, which it meets within a channel."""
    return trip.end.site in columns.stacks.walls and bool(trip.channels)


def _words(columns: Columns, number: int, points: Sequence[At]) -> Label | None:
    """What stands at the end of a refused line."""
    said, trip = columns.drawn[number].words, columns.trips[number]
    if not said:
        return None
    if _ends_in_channel(columns, trip):
        return _words_at_wall(columns, said, points)
    return _wide(said, trip, points) if columns.measures.wide else _narrow(columns, number, points)


def _wide(said: str, trip: Trip, points: Sequence[At]) -> Label:
    """Words above the last part of a line; those of a short one go on where it ends."""
    (x, y), before = points[-1], points[-2]
    if (before[0] > x) == bool(trip.channels):
        return Label(x + _BESIDE, y - 5, said)
    return Label(x - _BESIDE, y - 5, said, "end")


def _narrow(columns: Columns, number: int, points: Sequence[At]) -> Label:
    """Words beside the last part of a line, below those that were there before."""
    said, (x, y), before = columns.drawn[number].words, points[-1], points[-2]
    down = before[1] > y
    earlier = sum(_is_beside(one, columns.drawn[number]) for one in columns.drawn[:number])
    off = columns.measures.line * earlier + _standoff(columns, columns.trips[number], down=down)
    level = y + off if down else y - off
    if x + _BESIDE + len(said) * BOLD < columns.stacks.length:
        return Label(x + _BESIDE, level, said)
    return Label(x - _BESIDE, level, said, "end")


def _words_at_wall(columns: Columns, said: str, points: Sequence[At]) -> Label:
    """Words on the side from which a line comes to the wall before a site."""
    (x, y), ahead = points[-1], points[-2] < points[-1]
    if columns.measures.wide:
        return Label(x + _BESIDE, y - 8 if ahead else y + 16, said)
    if ahead:
        return Label(x - _BESIDE, y - 5, said, "end")
    return Label(min(x + _BESIDE, columns.stacks.length - len(said) * BOLD), y - 5, said)


def _is_beside(one: Drawn, other: Drawn) -> bool:
    """Whether the words of two lines stand in the same place of a narrow drawing."""
    return bool(one.words) and _nook(one.trip) == _nook(other.trip)


def _nook(trip: Trip) -> tuple[object, ...]:
    """Where a refusal's words stand: at a host, or on one of the sides of the wall."""
    inside = trip.channels[-1:] == (Channel.CUSTOMER,)
    return bool(trip.end.gate), inside, trip.end.host, not trip.channels


def _standoff(columns: Columns, trip: Trip, *, down: bool) -> float:
    """How far words stand off so that they leave the lettering of walls free."""
    if not trip.channels:
        return 10
    if not trip.end.gate:
        return 4
    inner = columns.number_in_gate(trip.end)
    outer = len(columns.gate(trip.end.gate).devices) - 1 - inner
    return columns.pitch * (outer if down else inner) + (12 if down else 22)
