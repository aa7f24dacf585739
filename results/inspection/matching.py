"""The same packets at two places, and how the clocks there differ."""

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from results.inspection.clocks import SAME, Bounds, Times, bounds, direction_by_delays
from results.inspection.conversations import Conversation, Way
from results.inspection.lanes import Rows
from results.inspection.order import before
from results.inspection.turn import Turn
from results.packets import Kind

#: Copies of a payload that are further apart, in ns, are no copies: STUN and DTLS repeat
#: what was lost, not before 100 ms (RFC 8445, section 14.3; RFC 6347, section 4.2.4.1).
_ONE_PACKET = 100_000_000

_KINDS = (Kind.STUN, Kind.DTLS, Kind.RTP, Kind.RTCP)

#: A pair of files, by index -> the second clock's time less the first's.
Offsets = dict[tuple[int, int], Bounds]


def shared(first: Way, second: Way, direction: int) -> tuple[Rows, Rows]:
    """The rows of the packets that both lanes have, in the order of the first."""
    here, there = _once(first, direction), _once(second, direction)
    identity = first.lane.identity
    _, at_here, at_there = np.intersect1d(identity[here], identity[there], return_indices=True)
    order = np.argsort(here[at_here])
    return here[at_here][order], there[at_there][order]


def _once(way: Way, direction: int) -> Rows:
    """The first rows of payloads of which a lane has no repetition."""
    table = way.lane.table
    rows = way.sent(direction)
    rows = rows[np.isin(table.inner_kind[rows], _KINDS)]
    payloads, first, label = np.unique(
        way.lane.identity[rows], return_index=True, return_inverse=True
    )
    latest = np.zeros(len(payloads), np.int64)
    np.maximum.at(latest, label.ravel(), table.time[rows])
    found: Rows = rows[first[latest - table.time[rows[first]] <= _ONE_PACKET]]
    return found


def differences(first: Way, second: Way, direction: int) -> Times:
    """The second file's times less the first's, of the packets that both have; ns."""
    here, there = shared(first, second, direction)
    time: NDArray[np.int64] = first.lane.table.time
    return time[there] - time[here]


def goes_there(first: Way, second: Way, turn: Turn) -> tuple[bool | None, bool | None]:
    """Whether direction 0 passes the first lane first, and direction 1 the second.

    What one direction shows holds for the other, unless that one shows otherwise.
    Where neither shows anything the delays of both may.
    """
    one, other = before(first, second, 0, turn), before(second, first, 1, turn)
    if one is None and other is None:
        one = direction_by_delays(differences(first, second, 0), differences(first, second, 1))
    return (other if one is None else one), (one if other is None else other)


def offsets(conversations: Iterable[Conversation], files: int, turn: Turn) -> Offsets:
    """The bounds of every pair of files, by what they share and by way of third files."""
    there: dict[tuple[int, int], list[Times]] = {}
    back: dict[tuple[int, int], list[Times]] = {}
    for conversation in conversations:
        for first, second in combinations(conversation.ways, 2):
            if first.lane.file != second.lane.file:
                _collect(_by_file(first, second), turn, there, back)
    found = {
        (first, second): bounds(
            _joined(there.get((first, second), ())), _joined(back.get((first, second), ()))
        )
        for first, second in combinations(range(files), 2)
    }
    found |= {(second, first): given.turned() for (first, second), given in found.items()}
    found |= {(file, file): SAME for file in range(files)}
    return _by_way_of_others(found, files)


def _by_file(first: Way, second: Way) -> tuple[Way, Way]:
    return (first, second) if first.lane.file < second.lane.file else (second, first)


def _collect(
    pair: tuple[Way, Way],
    turn: Turn,
    there: dict[tuple[int, int], list[Times]],
    back: dict[tuple[int, int], list[Times]],
) -> None:
    first, second = pair
    key = first.lane.file, second.lane.file
    for direction, goes in enumerate(goes_there(first, second, turn)):
        if goes is not None:
            # What goes there in direction 0 comes back in direction 1.
            into = there if goes is (direction == 0) else back
            into.setdefault(key, []).append(differences(first, second, direction))


def _joined(parts: Sequence[Times]) -> Times:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _by_way_of_others(found: Offsets, files: int) -> Offsets:
    """Offsets add up, so bounds by way of a third file hold as well; the narrower counts."""
    for middle in range(files):
        for first, second in permutations(range(files), 2):
            one, other = found[first, middle], found[middle, second]
            found[first, second] = _narrower(found[first, second], _sum(one, other))
    return found


def _sum(one: Bounds, other: Bounds) -> Bounds:
    low = None if one.low is None or other.low is None else one.low + other.low
    high = None if one.high is None or other.high is None else one.high + other.high
    return Bounds(low, high)


def _narrower(one: Bounds, other: Bounds) -> Bounds:
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return Bounds(max(lows, default=None), min(highs, default=None))
