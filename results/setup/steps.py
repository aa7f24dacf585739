"""The eight steps of a one-to-one call (call-flow-topologies, "High-level steps").

Each step stands at the frame with which it was complete, at the tap of the user
who learned of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.schema import Citation, Step
from results.setup.calls import Call
from results.setup.checks import Check, Spoken
from results.setup.signalling import Message
from results.setup.turn import allocated
from results.tracing.legs import Conversations, NamedFlow, in_order, legs, name_of
from results.tracing.openings import Opening, Query
from topologies.spec import Flow

NAMES = ("resolve", "allocate", "invite", "notify", "allocate", "answer", "check", "telemetry")

#: How many of them there are where the service refuses the invite.
STEPS_TO_INVITE = 3

_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Done:
    """A step that was seen: the row where it was complete, its flows, other rows that show it."""

    row: int
    flows: tuple[NamedFlow, ...]
    also: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Scene:
    """All that steps are read from."""

    table: PacketTable
    conversations: Conversations
    spoken: tuple[Spoken, ...]
    queries: tuple[Query, ...]
    #: Row of a connection's SYN at its client's tap -> what it opened.
    connections: dict[int, Opening]

    def flows_of(self, *messages: Message) -> tuple[NamedFlow, ...]:
        """The flows of the connections that carried messages."""
        opened = (self.connections.get(message.carrier.syn_row) for message in messages)
        return in_order(flow for opening in opened if opening for flow in opening.flows)


def find_steps(
    scene: Scene, call: Call, nomination: Check | None, media_flows: Iterable[NamedFlow]
) -> list[Done | str]:
    """The eight steps of a call in order; in place of one that was not seen, why."""
    allocated = _allocation(scene, call, call.caller)
    return [
        _resolve(scene, call, allocated),
        allocated,
        Done(call.invite.row, scene.flows_of(call.invite)),
        _notify(scene, call),
        _allocation(scene, call, call.callee),
        _answer(scene, call),
        _check(nomination, media_flows),
        _telemetry(scene, call),
    ]


def steps_of(scene: Scene, found: Iterable[Done | str]) -> tuple[Step, ...]:
    """The steps that were seen, as the result lists them."""
    return tuple(
        Step(
            step=number,
            name=NAMES[number - 1],
            flows=tuple(flow for flow in done.flows if isinstance(flow, Flow)),
            tap=scene.table.tap_name(done.row),
            frame=int(scene.table.frame[done.row]),
            time=int(scene.table.time[done.row] - scene.table.time[0]) / _NANOSECONDS,
        )
        for number, done in enumerate(found, start=1)
        if isinstance(done, Done)
    )


def citations_of(scene: Scene, call: Call, found: Iterable[Done | str]) -> Iterator[Citation]:
    """The frames of the steps that were seen."""
    for number, done in enumerate(found, start=1):
        if isinstance(done, Done):
            name = f"call {call.id}, step {number} ({NAMES[number - 1]})"
            yield cite(scene.table, done.row, name)
            yield from (cite(scene.table, row, f"{name}: {what}") for row, what in done.also)


def step_problems(scene: Scene, call: Call, found: list[Done | str]) -> Iterator[Problem]:
    """Steps that were not seen, or not in their order."""
    for number, done in enumerate(found, start=1):
        if isinstance(done, str):
            yield Problem(Ground.STEPS, f"call {call.id} lacks {_title(number)}: {done}")
    seen = [(number, done) for number, done in enumerate(found, start=1) if isinstance(done, Done)]
    for (early, first), (late, second) in pairwise(seen):
        if scene.table.time[second.row] < scene.table.time[first.row]:
            yield _disorder(scene, call, (early, first), (late, second))


def _disorder(
    scene: Scene, call: Call, first: tuple[int, Done], second: tuple[int, Done]
) -> Problem:
    places = [
        cite(scene.table, done.row, f"{_title(number)} of call {call.id}")
        for number, done in (first, second)
    ]
    where = [f"(frame {place.frame} of {place.tap})" for place in places]
    return Problem(
        Ground.STEPS,
        f"call {call.id}: {_title(second[0])} {where[1]} came before {_title(first[0])} {where[0]}",
        tuple(places),
    )


def _title(number: int) -> str:
    return f"step {number} ({NAMES[number - 1]})"


def _resolve(scene: Scene, call: Call, allocated: Done | str) -> Done | str:
    """The answer with the address of the host to which the invite went.

    A client that knows the name from an earlier call does not ask again, so the
    latest answer counts; one that asks again in the midst of a call had an
    answer before.
    """
    opened, name, _ = call.invite.carrier
    asker, opened = _opener(scene, call.caller, opened)
    limit = min(opened, allocated.row) if isinstance(allocated, Done) else opened
    answered = [
        query
        for query in scene.queries
        if query.asked_by == asker and query.name == name and query.answer_row is not None
    ]
    known = [query for query in answered if (query.answer_row or 0) <= opened]
    if not known:
        return f"no DNS answer for {name} reached {asker} before the connection of the invite"
    early = [query for query in known if (query.answer_row or 0) <= limit]
    query = (early or known)[-1]
    # In the order of the way: into the tunnel, then what its far end had to ask.
    flows = (flow for each in caused(scene.queries, query) for flow in each.opening.flows)
    return Done(query.answer_row or 0, tuple(dict.fromkeys(flows)))


def _opener(scene: Scene, user: str, syn_row: int) -> tuple[str, int]:
    """Who opened a user's connection to the server, and when: where a proxy did, it asks."""
    opening = scene.connections.get(syn_row)
    if opening is None or opening.onward is None:
        return user, syn_row
    return opening.onward.path.origin, opening.onward.path.first.row


def caused(queries: Sequence[Query], query: Query) -> Iterator[Query]:
    """A query and the one that its answerer had to send in turn."""
    yield query
    onward = [
        other
        for other in queries
        if other.asked_by == query.asked
        and other.name == query.name
        and other.answer_row is not None
        and other.answer_row < (query.answer_row or 0)
    ]
    if onward:
        yield from caused(queries, onward[-1])


def _allocation(scene: Scene, call: Call, user: str) -> Done | str:
    """The relay's answer with an address that the user then offered as a candidate."""
    offered = {item.end for item in call.described[user].candidates if item.type == "relay"}
    if not offered:
        return f"the SDP of {user} has no relay candidate"
    for item in scene.spoken:
        if item.path.complete and item.path.target == user and allocated(item.message) in offered:
            return Done(item.path.last.row, _opened_by(scene, item))
    return f"no relay allocated {user} the address that its SDP offers"


def _opened_by(scene: Scene, item: Spoken) -> tuple[NamedFlow, ...]:
    opened = [
        scene.conversations.opened(leg) for leg in legs(scene.conversations.places, item.path)
    ]
    return in_order(name_of(one.flow) for one in opened)


def _notify(scene: Scene, call: Call) -> Done | str:
    if call.notified is None:
        return f"{call.callee} was not told of the invite"
    return Done(call.notified.row, scene.flows_of(call.notified))


def _answer(scene: Scene, call: Call) -> Done | str:
    if call.answered is None:
        return f"{call.callee} did not answer"
    if call.told is None:
        return f"{call.caller} was not told of the answer"
    sent = (call.answered.row, f"{call.callee} sends the answer")
    return Done(call.told.row, scene.flows_of(call.answered, call.told), (sent,))


def _check(nomination: Check | None, media_flows: Iterable[NamedFlow]) -> Done | str:
    if nomination is None or not nomination.succeeded_at or nomination.response is None:
        return "no nominating check was answered before media began"
    asked = (nomination.request.first.row, "the request that nominates the pair")
    return Done(nomination.response.last.row, in_order(media_flows), (asked,))


def _telemetry(scene: Scene, call: Call) -> Done | str:
    missing = [user for user in call.participants if user not in call.reports]
    if missing:
        return f"{' and '.join(missing)} sent no telemetry"
    reports = sorted(call.reports.values(), key=lambda report: report.row)
    also = tuple((report.row, f"{report.user} reports") for report in reports[:-1])
    return Done(reports[-1].row, scene.flows_of(*reports), also)
