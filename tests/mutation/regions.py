"""Mutations of what a service of several regions must show: round trips, and its backbone."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from results.packets import ACK, SYN
from results.protocols import stun
from results.schema import Nearness, Verdict
from results.wire.kinds import Kind
from tests.mutation.capture import Frame
from tests.mutation.subject import Draft, Mutant, Mutation, Subject
from topologies.spec import Role

#: Longer than any round trip in these networks, in ns.
_LATE = 400_000_000


def _unmeasured(subject: Subject) -> Iterator[Mutant]:
    """The answers of one server to one user are gone, wherever they were seen.

    Without the SYN-ACKs of the front end that served there would be no signalling either.
    """
    for one in _served(subject):
        for server in one.round_trip_ms:
            if one.role == "front end" and server == one.server:
                continue
            numbers = subject.numbers(_answers(subject, server, one.user))
            reason = rf"no round trip of {one.user} to {server} was seen"
            change = partial(_cut, numbers=numbers)
            what = f"{server} to {one.user}"
            yield Mutant(what, change, Verdict.INCONCLUSIVE, _or_untied(subject, numbers, reason))


def _slow(subject: Subject) -> Iterator[Mutant]:
    """The answers of the relay that was chosen come late."""
    for one in _served(subject):
        if one.is_nearest and one.role == "relay":
            numbers = subject.numbers(_answers(subject, one.server, one.user))
            reason = rf"the relay of {one.user} is {one.server} \(.*\), though \w+ is nearer"
            change = partial(_later, numbers=numbers)
            yield Mutant(f"{one.server} to {one.user}", change, Verdict.FAIL, reason)


def _silent(subject: Subject) -> Iterator[Mutant]:
    """Front ends of one call say nothing to each other."""
    hosts = subject.run.network.with_role(Role.FRONT_END)
    addresses = [int(host.address) for host in hosts]
    table = subject.table
    between = np.isin(table.src, addresses) & np.isin(table.dst, addresses)
    if between.any():
        change = partial(_cut, numbers=subject.numbers(np.flatnonzero(between).tolist()))
        reason = r"serves call \S+ with others, but nothing of it was seen to pass between them"
        yield Mutant("all front ends", change, Verdict.INCONCLUSIVE, reason)


def _served(subject: Subject) -> list[Nearness]:
    found = (one for call in subject.result.calls for one in call.nearness)
    return list({(one.user, one.server): one for one in found}.values())


def _or_untied(subject: Subject, numbers: Mapping[str, set[int]], reason: str) -> str:
    """In a tunnel, the packets outside that carried the answers fit nothing any more."""
    tunnelled = any(subject.taps[tap].tunnel for tap in numbers)
    return f"{reason}|consistent with|fit nothing in the tunnel" if tunnelled else reason


def _answers(subject: Subject, server: str, user: str) -> list[int]:
    """The rows of all SYN-ACKs, or of all answers to Binding requests, of a server to a user."""
    table, network = subject.table, subject.run.network
    source = int(network.host(server).address)
    if network.host(server).role is Role.FRONT_END:
        both = SYN | ACK
        rows = (table.kind == Kind.TCP) & ((table.tcp_flags & both) == both)
    else:
        rows = table.kind == Kind.STUN
    found: list[int] = np.flatnonzero(rows & (table.src == source)).tolist()
    own = _keys_at(subject, found, user)
    return [row for row in found if _key(subject, row) in own]


def _keys_at(subject: Subject, rows: list[int], user: str) -> set[bytes]:
    table = subject.table
    here = (row for row in rows if table.taps[int(table.tap[row])].host == user)
    return {key for row in here if (key := _key(subject, row))}


def _key(subject: Subject, row: int) -> bytes:
    """What tells an answer from others at all taps; empty for one that is not of that kind."""
    table = subject.table
    if table.kind[row] == Kind.TCP:
        header = table.tcp(row)
        return header.seq.to_bytes(4) + header.ack.to_bytes(4)
    message = stun.parse(table.payload(row))
    answered = message.message_class is stun.Class.SUCCESS
    is_binding = message.method == stun.Method.BINDING and answered
    return message.transaction_id if is_binding else b""


def _cut(draft: Draft, numbers: Mapping[str, set[int]]) -> None:
    draft.map_frames(numbers, lambda _tap, _frame: None)


def _later(draft: Draft, numbers: Mapping[str, set[int]]) -> None:
    def late(_tap: str, frame: Frame) -> Frame:
        return frame._replace(time=frame.time + _LATE)

    draft.map_frames(numbers, late)


MUTATIONS = (
    Mutation("round trips cut", _unmeasured),
    Mutation("the chosen relay slow", _slow),
    Mutation("front ends silent", _silent),
)
