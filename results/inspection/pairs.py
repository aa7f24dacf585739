"""Candidate pairs as packets show them: their ends, the relay, and the checks on them."""

from collections.abc import Iterator, Sequence

from results.inspection.calls import SIDES, Call, Part
from results.inspection.conversations import Way
from results.inspection.ends import pair_at
from results.inspection.ice import Check
from results.inspection.lanes import End
from results.inspection.paths import ordered
from results.inspection.records import Checked, SelectedPair, Side
from results.inspection.turn import Turn

#: What systems start a packet's time to live with: nothing has routed it yet.
_FIRST_TTLS = (64, 128, 255)


def on_relays(part: Part, turn: Turn) -> list[End]:
    """Ends on a relay's host whose allocation was not seen: they may be relayed addresses."""
    plain = (way.lane for way in part.conversation.ways if not way.lane.wrapped)
    hosts = {server.ip for server in turn.servers}
    ends = (end for lane in plain for end in lane.ends if end.ip in hosts)
    return [end for end in dict.fromkeys(ends) if not turn.relay_at(end)]


def relays_of(part: Part, turn: Turn) -> list[End]:
    """The relays of a conversation, as far as any file shows them."""
    found = (pair_at(way, 0, turn).relay for way in part.conversation.ways)
    return list(dict.fromkeys(relay for relay in found if relay))


def is_wrapped(part: Part) -> bool:
    """Whether TURN carries a conversation at any place, by whichever relay."""
    return any(way.lane.wrapped for way in part.conversation.ways)


def goes_straight(part: Part, turn: Turn) -> bool:
    """Whether the links of both senders were captured, and nothing is relayed there.

    A packet whose time to live is as systems set it has passed no router: there is its
    sender's own link.
    """
    if is_wrapped(part) or relays_of(part, turn) or on_relays(part, turn):
        return False
    return all(
        any(_unrouted(way, direction) for way in part.conversation.ways) for direction in (0, 1)
    )


def _unrouted(way: Way, direction: int) -> bool:
    rows = way.sent(direction)
    return len(rows) > 0 and int(way.lane.table.ttl[rows].max()) in _FIRST_TTLS


def first_way(part: Part, direction: int, turn: Turn) -> Way:
    """The lane that is nearest to who sends in a direction."""
    ways = [way for way in part.conversation.ways if len(way.sent(direction))]
    return ordered(ways, direction, turn)[0][0]


def checked(call: Call, turn: Turn) -> Iterator[Checked]:
    """All pairs on which checks were sent, side by side."""
    for side in SIDES:
        for part in call.parts:
            own = [check for check in part.checks if check.direction == part.direction(side)]
            if own:
                yield _checked(part, side, own, turn)


def _checked(part: Part, side: Side, own: Sequence[Check], turn: Turn) -> Checked:
    way = first_way(part, part.direction(side), turn)
    pair = pair_at(way, part.direction(side), turn)
    relays = relays_of(part, turn)
    return Checked(
        side=side,
        local=pair.words[0],
        remote=pair.words[1],
        file=way.lane.name,
        relayed_by=str(relays[0]) if relays else None,
        checks=len(own),
        answered=sum(check.answer is not None for check in own),
        nominated=any(check.nominates for check in own),
    )


def nominated(call: Call) -> tuple[Part, Check] | None:
    """The latest nomination that was answered; one on a pair with media goes before others."""
    found = [
        (part.has_media, check.request, part, check)
        for part in call.parts
        for check in part.checks
        if check.nominates and check.answer is not None
    ]
    if not found:
        return None
    _, _, part, check = max(found, key=lambda item: item[:2])
    return part, check


def selected(call: Call, turn: Turn) -> SelectedPair | None:
    """The selected pair (RFC 8445, section 8.1.1); None where no nomination shows it."""
    latest = nominated(call)
    if latest is None:
        return None
    part, check = latest
    way = first_way(part, check.direction, turn)
    local, remote = pair_at(way, check.direction, turn).words
    assert check.answer is not None
    return SelectedPair(
        side=part.sides[check.direction],
        local=local,
        remote=remote,
        file=way.lane.table.tap_name(check.answer),
        frame=int(way.lane.table.frame[check.answer]),
    )
