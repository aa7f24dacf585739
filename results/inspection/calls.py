"""Calls: the conversations that two ICE agents have, or that bear media by themselves.

Checks of one pair of ufrags are one call's, whatever their addresses; so are new ufrags on
the same addresses (an ICE restart, RFC 8445, section 2.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from results.inspection.conversations import Conversation
from results.inspection.handshakes import dtls_of
from results.inspection.ice import Check, checks_of
from results.inspection.records import Dtls, Side
from results.inspection.turn import Turn

SIDES: tuple[Side, Side] = ("A", "B")


@dataclass(frozen=True)
class Part:
    """One conversation of a call."""

    conversation: Conversation
    checks: tuple[Check, ...]
    dtls: tuple[Dtls, ...]
    #: The sides that send in direction 0 and in direction 1.
    sides: tuple[Side, Side]

    def direction(self, side: Side) -> int:
        """The direction in which a side sends."""
        return self.sides.index(side)

    @property
    def has_media(self) -> bool:
        """Whether there is media in either direction."""
        return bool(self.conversation.streams)


@dataclass(frozen=True)
class Call:
    """The parts of one call, and the latest ufrags of A and B, where checks were seen."""

    parts: tuple[Part, ...]
    ufrags: tuple[str, ...]


class _Item(NamedTuple):
    conversation: Conversation
    checks: tuple[Check, ...]
    dtls: tuple[Dtls, ...]


#: The conversations of one call, and the pairs of ufrags that name it.
_Group = tuple[set[str], list[_Item]]


def calls_of(conversations: Sequence[Conversation], turn: Turn) -> list[Call]:
    """All calls, by the times of their first packets.

    DTLS alone is a call's where it agrees on SRTP (RFC 5764, section 4.1); VPNs have it too.
    """
    groups: list[_Group] = []
    for one in conversations:
        checks, dtls = tuple(checks_of(one)), tuple(dtls_of(one, turn))
        if checks or one.streams or any(shake.srtp_profile is not None for shake in dtls):
            groups = _with(groups, _Item(one, checks, dtls))
    return sorted((_call(items) for _, items in groups), key=_first_row)


def _with(groups: Sequence[_Group], item: _Item) -> list[_Group]:
    """The groups with one conversation more: those with ufrags in common become one."""
    names = {" ".join(sorted((check.sender, check.receiver))) for check in item.checks}
    same = [group for group in groups if group[0] & names]
    items = [other for group in same for other in group[1]]
    others = [group for group in groups if not group[0] & names]
    return [*others, (names.union(*(group[0] for group in same)), [*items, item])]


def _first_row(call: Call) -> int:
    return min(int(way.lane.rows[0]) for part in call.parts for way in part.conversation.ways)


def _call(items: Sequence[_Item]) -> Call:
    checks = sorted((c for item in items for c in item.checks), key=lambda check: check.request)
    side_of = _sides_of_ufrags(checks)
    parts = tuple(Part(*item, _sides(item.conversation, item.checks, side_of)) for item in items)
    return Call(parts, _latest_ufrags(checks, side_of))


def _sides_of_ufrags(checks: Sequence[Check]) -> dict[str, Side]:
    """A is the controlling agent; an agent with new ufrags stays on its side."""
    side_of: dict[str, Side] = {}
    for check in checks:
        agent, other = check.sender, check.receiver
        if agent not in side_of:
            plain: Side = "B" if check.controlling is False else "A"
            side_of[agent] = _other(side_of[other]) if other in side_of else plain
        side_of.setdefault(other, _other(side_of[agent]))
    return side_of


def _other(side: Side) -> Side:
    return "B" if side == "A" else "A"


def _sides(
    conversation: Conversation, checks: Sequence[Check], side_of: dict[str, Side]
) -> tuple[Side, Side]:
    if checks:
        first = side_of[checks[0].sender]
        sends = (first, _other(first))
        return sends if checks[0].direction == 0 else (sends[1], sends[0])
    # By files and not by times: their clocks may differ.
    way = min(conversation.ways, key=lambda way: (way.lane.file, int(way.lane.rows[0])))
    zero = bool(way.lane.forward[0]) is not way.turned
    return SIDES if zero else (SIDES[1], SIDES[0])


def _latest_ufrags(checks: Sequence[Check], side_of: dict[str, Side]) -> tuple[str, ...]:
    if not checks:
        return ()
    sender, receiver = checks[-1].sender, checks[-1].receiver
    return (sender, receiver) if side_of[sender] == "A" else (receiver, sender)
