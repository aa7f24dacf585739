"""Which lane of a conversation a packet passes first, without trusting any clock.

What tells: every router takes one from the time to live (RFC 791, section 3.2); what is
wrapped toward a relay has not passed it yet, what comes wrapped from one has.
"""

from collections.abc import Sequence

import numpy as np

from results.inspection.conversations import Way
from results.inspection.turn import Turn, server_of


def before(first: Way, second: Way, direction: int, turn: Turn) -> bool | None:
    """Whether packets of a direction pass the first lane before the second; None: unknown."""
    side_first, side_second = (_side(way, direction, turn) for way in (first, second))
    if side_first == side_second:
        return _by_ttl(first, second, direction)
    if None in (side_first, side_second):
        return None
    return _ORDER.index(side_first) < _ORDER.index(side_second)


#: Where a lane lies by what TURN says: wrapped toward a relay, plain, wrapped from one.
_ORDER: tuple[str | None, ...] = ("toward", "plain", "from")


def _side(way: Way, direction: int, turn: Turn) -> str | None:
    """None where it cannot be told which end of a wrapped lane is the relay."""
    lane = way.lane
    if not lane.wrapped:
        return "plain"
    server = server_of(lane, turn)
    if server is None:
        return None
    return "toward" if way.ends(direction).dst == server else "from"


def _by_ttl(first: Way, second: Way, direction: int) -> bool | None:
    """What has more time to live has passed fewer routers."""
    here, there = (_time_to_live(way, direction) for way in (first, second))
    if here is None or there is None or here == there:
        return None
    return here > there


def _time_to_live(way: Way, direction: int) -> int | None:
    rows = way.sent(direction)
    if not len(rows):
        return None
    return int(np.median(way.lane.table.ttl[rows]))


def in_order(ways: Sequence[Way], known: Sequence[Sequence[bool | None]]) -> list[Way]:
    """Lanes as packets pass them; ``known[i][j]`` says whether lane i comes before lane j.

    Those of which nothing is known keep their order.
    """
    passed = [sum(row[j] is True for row in known) for j in range(len(ways))]
    return [ways[at] for at in np.argsort(passed, kind="stable").tolist()]
