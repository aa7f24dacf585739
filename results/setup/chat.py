"""The chat of a call: signalling that goes both ways while media flows, and opens nothing.

A message is seen where it was sent and where it was told, at the users' own taps.
"""

from collections.abc import Iterable, Iterator, Sequence

from results.media import Stream
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.schema import Citation, PlannedCall
from results.setup.calls import Call
from results.setup.signalling import Message
from results.tracing.openings import Opening

#: The first and the last moment at which media flowed both ways, in ns since the epoch.
Window = tuple[int, int]


def chat_problems(
    table: PacketTable,
    plan: PlannedCall,
    call: Call,
    streams: Sequence[Stream],
    openings: Iterable[Opening],
) -> Iterator[Problem]:
    """Messages that are not as planned, or not amid the media; connections opened meanwhile."""
    for user in call.participants:
        yield from _difference(plan, call, user, plan.said_by(user), told=False)
        yield from _difference(plan, call, user, plan.said_to(user), told=True)
    media = _both_ways(call, streams)
    if call.chat and media:
        yield from (item for one in call.chat for item in _ill_timed(table, one, media))
        yield from _opened(table, call, openings)


def chat_citations(table: PacketTable, call: Call) -> Iterator[Citation]:
    """The frames that end the messages."""
    for message in call.chat:
        verb = "is told" if message.told else "says"
        yield cite(table, message.row, f"call {call.id}, chat: {message.user} {verb} something")


def _both_ways(call: Call, streams: Sequence[Stream]) -> Window | None:
    """When media flowed both ways; None where it never did."""
    times = [
        [path.last.time for one in streams if one.key.sender == user for path in one.arrived]
        for user in call.participants
    ]
    if not all(times):
        return None
    return max(map(min, times)), min(map(max, times))


def _difference(
    plan: PlannedCall, call: Call, user: str, planned: Sequence[str], *, told: bool
) -> Iterator[Problem]:
    seen = [one.text for one in call.chat if one.told is told and one.user == user]
    if seen != list(planned):
        verb = "was told" if told else "said"
        text = (
            f"in the chat of call {plan.id} {user} {verb} {_quoted(seen)}, not {_quoted(planned)}"
        )
        yield Problem(Ground.CALL, text)


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(map(repr, texts)) or "nothing"


def _ill_timed(table: PacketTable, message: Message, media: Window) -> Iterator[Problem]:
    """A message while no media flowed, or over a connection that media did not find open."""
    frame = cite(table, message.row, f"chat of {message.user}")
    where = f"(frame {frame.frame} of {frame.tap})"
    if not media[0] <= table.time[message.row] <= media[1]:
        text = f"a chat message of {message.user} passed while no media flowed both ways {where}"
        yield Problem(Ground.CALL, text, (frame,))
    if table.time[message.carrier.syn_row] >= media[0]:
        text = f"a chat message of {message.user} passed over a connection opened for it {where}"
        yield Problem(Ground.FLOWS, text, (frame,))


def _opened(table: PacketTable, call: Call, openings: Iterable[Opening]) -> Iterator[Problem]:
    """What a participant opened between the first and the last message."""
    rows = [message.row for message in call.chat]
    begin, end = table.time[rows[0]], table.time[rows[-1]]
    for opening in openings:
        first = opening.path.first
        if opening.path.origin in call.participants and begin <= first.time <= end:
            frame = cite(table, first.row, opening.what)
            text = f"amid the chat of call {call.id} there was {opening.what}"
            where = f"(frame {frame.frame} of {frame.tap})"
            yield Problem(Ground.FLOWS, f"{text} {where}", (frame,))
