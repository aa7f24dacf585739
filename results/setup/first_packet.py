"""A first packet that a perimeter drops, until the other end's own opens the way.

Where both ends check at once, the check of the outside user may come to a NAT
router before the inside user has sent anything there. It is dropped; the inside
user's check then makes the mapping and its filter let the peer in, and packets on
the very same addresses and ports pass (RFC 8445, section 6.1.2: hence the retries).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from results.problems import Ground, Problem, cite
from results.schema import Citation
from results.setup.calls import Call
from results.setup.ice import Ice
from results.setup.selection import text_of
from results.tracing.paths import Path
from results.tracing.sightings import Sighting, Way
from topologies.spec import Role


@dataclass(frozen=True)
class Reversal:
    """What was found of it: frames that show its steps, and what is missing, if anything."""

    citations: tuple[Citation, ...] = ()
    missing: str | None = None

    def problems(self, call: Call) -> Iterator[Problem]:
        """What is missing, as a reason to fail."""
        if self.missing:
            text = f"expected a refused first packet in call {call.id}, but {self.missing}"
            yield Problem(Ground.FLOWS, text, self.citations)


def reversal(ice: Ice, user: str) -> Reversal:
    """How the first check of a user on the selected pair was refused, and a later packet not."""
    refused = _refused(ice, user)
    if isinstance(refused, str):
        return Reversal(missing=refused)
    ends = f"{text_of(refused.ends[:2])} to {text_of(refused.ends[2:])}"
    shown = [cite(ice.table, refused.row, f"first packet of {user}, {ends}, not let through")]
    other = ice.call.other(user)
    opening = _first_out(ice.udp, refused)
    if opening is None:
        return Reversal(tuple(shown), f"no packet of {other} left toward it at {refused.tap.name}")
    shown.append(cite(ice.table, opening.row, f"first packet of {other} the other way"))
    if opening.time < refused.time:
        text = f"a packet of {other} had left at {refused.tap.name} before the first of {user}"
        return Reversal(tuple(shown), text)
    passed = _next_in(ice.udp, user, refused, opening.time)
    if passed is None:
        return Reversal(tuple(shown), f"no later packet of {user} from {ends} arrived")
    shown.append(cite(ice.table, passed.row, f"packet of {user}, {ends}, let through"))
    return Reversal(tuple(shown))


def _refused(ice: Ice, user: str) -> Sighting | str:
    """Where a NAT stopped the user's first check on the selected pair; why not, if it did not."""
    pair = ice.selection.pairs.get(user)
    on_it = (check for check in ice.checks[user] if check.sent_on == pair)
    sent = (path for check in on_it for path in check.requests)
    first = min(sent, key=lambda path: path.first.time, default=None)
    if first is None:
        return f"{user} sent no check on a selected pair"
    last, other = first.last, ice.call.other(user)
    if first.complete and first.target == other:
        return f"the first check of {user} on the selected pair reached {other}"
    if last.way is not Way.IN or ice.places.role(last.tap.host) is not Role.NAT:
        where = f"{last.tap.name}, not at a NAT"
        return f"the first check of {user} on the selected pair ended at {where}"
    return last


def _first_out(udp: Iterable[Path], refused: Sighting) -> Sighting | None:
    """The first packet that left where another had come in, on the same ends reversed."""
    wanted = refused.ends.reversed()
    out = (
        seen
        for path in udp
        for seen in path.sightings
        if seen.tap == refused.tap and seen.way is Way.OUT and seen.ends == wanted
    )
    return min(out, key=lambda seen: seen.time, default=None)


def _next_in(udp: Iterable[Path], user: str, refused: Sighting, after: int) -> Sighting | None:
    """The first packet on the ends of a refused one that came in after a time and arrived."""
    arrived = (path for path in udp if path.complete and path.origin == user)
    passed = (
        seen
        for path in arrived
        for seen in path.sightings
        if seen.tap == refused.tap and seen.ends == refused.ends and seen.time > after
    )
    return min(passed, key=lambda seen: seen.time, default=None)
