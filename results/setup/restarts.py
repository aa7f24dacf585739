"""Restarts of ICE in mid-call: what each selected, and whether media went over to it.

A restart is an offer with new credentials and its answer (RFC 8839, section 4.4.1.1.1);
its checks are those with the new ones. Sockets are new as well, so a media packet tells
by its own which pair it takes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from results.media import Stream
from results.media_keys import Socket, socket_at_start
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.schema import Restart
from results.setup.calls import Call
from results.setup.checks import Check
from results.setup.selection import Selection, off_the_pair, selection_of
from results.tracing.paths import Path
from results.tracing.places import Places

_NANOSECONDS = 1e9

#: Participant -> the checks that it sent.
Checks = Mapping[str, Sequence[Check]]


@dataclass(frozen=True)
class Restarted:
    """One restart; ``call`` is the call as its offer and answer have it."""

    call: Call
    selection: Selection
    problems: tuple[Problem, ...]

    def record(self, table: PacketTable) -> Restart:
        """The restart as the result lists it."""
        row = self.call.invite.row
        return Restart(
            offered_by=self.call.invite.user,
            tap=table.tap_name(row),
            frame=int(table.frame[row]),
            time=int(table.time[row] - table.time[0]) / _NANOSECONDS,
            selected=dict(self.selection.selected),
        )


def sockets_of(checks: Checks) -> set[Socket]:
    """The sockets from which checks were sent."""
    return {socket_at_start(check.request) for sent in checks.values() for check in sent}


def since(stream: Stream, checks: Checks) -> list[Path]:
    """The media that arrived from the sockets of a restart."""
    sockets = sockets_of(checks)
    return [path for path in stream.arrived if socket_at_start(path) in sockets]


def before_restarts(stream: Stream, restarts: Sequence[Checks]) -> list[Path]:
    """The media that arrived from other sockets than those of restarts."""
    later = set[Socket]().union(*map(sockets_of, restarts))
    return [path for path in stream.arrived if socket_at_start(path) not in later]


def restarted(
    table: PacketTable,
    places: Places,
    call: Call,
    checks: dict[str, list[Check]],
    media: Sequence[Path],
) -> Restarted:
    """What a restart selected; ``media`` is what arrived from its sockets."""
    began = min((path.first.time for path in media), default=None)
    selection = selection_of(table, call, checks, began)
    problems = (
        *selection.problems,
        *_without_pair(table, call, selection),
        *off_the_pair(table, places, call, selection, media),
    )
    return Restarted(call, selection, problems)


def credential_problems(table: PacketTable, call: Call) -> Iterator[Problem]:
    """Offers and answers that restart nothing: their credentials are those before them."""
    for before, after in pairwise((call, *call.restarts)):
        for user in call.participants:
            old, new = before.described[user], after.described[user]
            if old.ufrag == new.ufrag or old.pwd == new.pwd:
                frame = cite(table, after.invite.row, f"the offer of {after.invite.user}")
                text = f"{user} restarts the ICE of call {call.id} with its old credentials"
                yield Problem(Ground.CALL, text, (frame,))


def _without_pair(table: PacketTable, call: Call, selection: Selection) -> Iterator[Problem]:
    if selection.nomination is None:
        frame = cite(table, call.invite.row, f"the offer of {call.invite.user}")
        text = f"{call.invite.user} restarted ICE in call {call.id}, which selected no pair"
        yield Problem(Ground.CALL, text, (frame,))
