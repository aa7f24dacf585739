"""Comments on signalling: names that are resolved, connections, and what is said in them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from results.evidence import Reading
from results.handover.notes import Notes, note
from results.packets import Kind, PacketTable
from results.setup.signalling import Act, Message
from results.setup.steps import caused
from results.shown import CallEvidence
from results.tracing.openings import Query

_RESOLVE = 1

#: Message, and whether a user was told it or said it -> step, and what it means.
_ACTS: dict[tuple[Act, bool], tuple[int | None, str]] = {
    (Act.INVITE, False): (3, "{user} invites {to}"),
    (Act.INVITE, True): (4, "the service notifies {user} of the invite"),
    (Act.ANSWER, False): (6, "{user} sends the answer"),
    (Act.ANSWER, True): (6, "the service forwards the answer to {user}"),
    (Act.CANDIDATE, False): (None, "{user} sends a candidate"),
    (Act.CANDIDATE, True): (None, "the service forwards a candidate to {user}"),
    (Act.HANGUP, False): (None, "{user} hangs up"),
    (Act.HANGUP, True): (None, "the service tells {user} of the hang-up"),
    (Act.CHAT, False): (None, "{user} says something in the chat"),
    (Act.CHAT, True): (None, "the service tells {user} what was said in the chat"),
    (Act.REPORT, False): (8, "{user} sends telemetry"),
}


def add_talk(notes: Notes, reading: Reading, calls: Iterable[CallEvidence]) -> None:
    """Say which names are resolved, which connections opened, and which messages sent."""
    resolving = {id(query) for query in _resolving(reading, calls)}
    for query in reading.queries:
        _add_query(notes, reading, query, _RESOLVE if id(query) in resolving else None)
    for row, opening in reading.tcp.by_syn.items():
        notes.add(row, note(opening.flows, None, opening.what))
    segments = np.flatnonzero((reading.table.kind == Kind.TCP) & (reading.table.payload_size > 0))
    for message in reading.signalling.messages:
        _add_message(notes, reading, message, segments)


def _resolving(reading: Reading, calls: Iterable[CallEvidence]) -> Iterator[Query]:
    """The queries by which callers resolved the service's name, and those that these caused."""
    table = reading.table
    places = {(step.tap, step.frame) for call in calls for step in call.result.steps[:1]}
    for query in reading.queries:
        row = query.answer_row
        if row is not None and (table.tap_name(row), int(table.frame[row])) in places:
            yield from caused(reading.queries, query)


def _add_query(notes: Notes, reading: Reading, query: Query, step: int | None) -> None:
    flows = query.opening.flows
    notes.along_all(query.opening.path, flows, f"DNS query for {query.name}", step)
    if query.answer_row is None:
        return
    for path in reading.udp.alike(query.answer_row):
        if path.last.row == query.answer_row:
            notes.along_all(path, flows, f"DNS answer for {query.name}", step)


def _add_message(
    notes: Notes, reading: Reading, message: Message, segments: NDArray[np.intp]
) -> None:
    step, meaning = _ACTS.get((message.act, message.told), (None, message.act.value))
    said = meaning.format(user=message.user, to=message.to)
    text = note(reading.scene.flows_of(message), step, said)
    for row in _copies(reading.table, segments, message.row):
        notes.add(row, text)


def _copies(table: PacketTable, segments: NDArray[np.intp], row: int) -> list[int]:
    """The rows of one TCP segment, at all taps: what TLS has sealed is never twice the same."""
    alike = segments[table.payload_size[segments] == table.payload_size[row]]
    said = table.payload(row)
    return [other for other in alike.tolist() if table.payload(other) == said]
