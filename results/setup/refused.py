"""A call that the service refused: who was told why, and that nothing came of it.

Silence alone proves nothing. That the refusal was needed shows in the invite, whose
relayed candidate a third party's relay had allocated; that it was heeded shows in what
the users' sockets and that relay sent and got meanwhile, at taps that worked.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from results.media_keys import Socket, socket_at_start
from results.packets import Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.dtls import Handshake
from results.schema import Citation, PlannedCall, Refused
from results.setup.calls import Call
from results.setup.checks import Check, Spoken
from results.setup.signalling import Message
from results.setup.turn import Turn
from results.words import packets_in_words
from topologies.addresses import address_of

#: What only a call that came about sends to a relay for its peer, wrapped or not.
_OF_MEDIA = (Kind.RTP, Kind.RTCP, Kind.DTLS)


def refusal_of(table: PacketTable, plan: PlannedCall | None, call: Call) -> Refused | None:
    """The service's answer to a refused invite, as the result tells it."""
    said = call.refused
    if said is None:
        return None
    frame = cite(table, said.row, "the refusal")
    relay = plan.third_party_relay if plan else None
    return Refused(
        status=said.status,
        code=said.code,
        message=said.text,
        tap=frame.tap,
        frame=frame.frame,
        relay=relay,
        relay_packets=_seen_at(table, relay) if relay else None,
    )


def refusal_in_words(refused: Refused) -> str:
    """A refusal as people say it, with its frame."""
    where = f"frame {refused.frame} of {refused.tap}"
    return f"{refused.status} {refused.code}: {refused.message} ({where})"


def silence_in_words(refused: Refused) -> str:
    """That nothing came of a refused call, and what was seen at the relay all the same."""
    if refused.relay is None or refused.relay_packets is None:
        return "no media"
    seen = packets_in_words(refused.relay_packets)
    return f"no media, and none at {refused.relay}, where {seen} were seen"


def refused_times(
    table: PacketTable, call: Call, spoken: Iterable[Spoken]
) -> Iterator[tuple[int, int]]:
    """From the first request to a server to the last word of a refused call, in ns."""
    if call.refused is None:
        return
    sockets = gathered_sockets(call)
    asked = [one.path.first.time for one in spoken if socket_at_start(one.path) in sockets]
    said = [call.invite, call.refused, *call.reports.values()]
    times = [int(table.time[message.row]) for message in said]
    yield min(asked + times), max(times)


def gathered_sockets(call: Call) -> set[Socket]:
    """The sockets whose addresses a refused invite declares."""
    own = call.described[call.caller].candidates if call.refused else ()
    return {Socket(call.caller, *one.end) for one in own if one.type == "host"}


def refused_problems(
    table: PacketTable,
    plan: PlannedCall | None,
    call: Call,
    turn: Turn,
    checks: Mapping[str, list[Check]],
    found: Iterable[Handshake],
) -> Iterator[Problem]:
    """What is wrong with a refusal that was planned, and all that came of the call after all."""
    if plan and plan.refused and call.refused:
        yield from _wrong_reason(table, plan, call, call.refused)
        if plan.third_party_relay:
            yield from _needless(table, plan.third_party_relay, call, turn)
            yield from _near(table, plan.third_party_relay, call)
    for message in filter(None, (call.notified, call.answered)):
        frame = cite(table, message.row, f"{message.act} of a refused call")
        verb = "was told of" if message.told else "answered"
        text = f"{message.user} {verb} call {call.id}, which the service had refused"
        yield Problem(Ground.CALL, text, (frame,))
    for check in (check for sent in checks.values() for check in sent[:1]):
        frame = cite(table, check.request.first.row, "a check of a refused call")
        text = f"{check.sender} sent checks in call {call.id}, which the service had refused"
        yield Problem(Ground.CALL, text, (frame,))
    for shake in found:
        if gathered_sockets(call) & {shake.client, shake.server}:
            frame = cite(table, shake.client_hello_row, "DTLS of a refused call")
            text = f"a DTLS handshake took place in call {call.id}, which the service had refused"
            yield Problem(Ground.CALL, text, (frame,))


def _wrong_reason(
    table: PacketTable, plan: PlannedCall, call: Call, said: Message
) -> Iterator[Problem]:
    """Another error code than planned, or a reason that names no candidate of the invite."""
    frame = cite(table, said.row, "the refusal")
    where = f"(frame {frame.frame} of {frame.tap})"
    if said.code != plan.refused:
        text = (
            f"the service refused call {call.id} with {said.status} {said.code or 'no code'}, "
            f"not {plan.refused} {where}"
        )
        yield Problem(Ground.CALL, text, (frame,))
    relayed = {str(address_of(one[0])) for one in _relayed(call)}
    if not any(address in said.text.split() for address in relayed):
        named = f"{said.text!r}" if said.text else "no reason"
        text = f"the refusal of call {call.id} names no relayed candidate, but {named} {where}"
        yield Problem(Ground.CALL, text, (frame,))


def _relayed(call: Call) -> list[tuple[int, int]]:
    return [one.end for one in call.described[call.caller].candidates if one.type == "relay"]


def _needless(table: PacketTable, relay: str, call: Call, turn: Turn) -> Iterator[Problem]:
    """An invite without a candidate that this relay allocated: nothing had to be refused."""
    given = {one.relayed for one in turn.allocations if one.relay == relay}
    if not given & set(_relayed(call)):
        frame = cite(table, call.invite.row, "the refused invite")
        text = (
            f"the invite of call {call.id} declares no candidate that {relay} allocated "
            f"(frame {frame.frame} of {frame.tap})"
        )
        yield Problem(Ground.CALL, text, (frame,))


def _near(table: PacketTable, relay: str, call: Call) -> Iterator[Problem]:
    """Packets at a relay's taps that can only be of a call."""
    of_media = _at(table, relay) & np.isin(table.inner_kind, [int(kind) for kind in _OF_MEDIA])
    rows = np.flatnonzero(of_media).tolist()
    if rows:
        frame = cite(table, rows[0], "what looks like media at a third party's relay")
        text = (
            f"{packets_in_words(len(rows))} at {relay} look like media, although the service "
            f"refused call {call.id} (first: frame {frame.frame} of {frame.tap})"
        )
        yield Problem(Ground.CALL, text, (frame,))


def _at(table: PacketTable, host: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    taps = [number for number, tap in enumerate(table.taps) if tap.host == host]
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.isin(table.tap, taps)
    return found


def _seen_at(table: PacketTable, relay: str) -> int:
    """How many packets a relay's taps saw besides canaries and ARP."""
    other = ~np.isin(table.kind, [int(Kind.CANARY), int(Kind.ARP)])
    return int((_at(table, relay) & other).sum())


def refused_citations(table: PacketTable, call: Call) -> Iterator[Citation]:
    """The frame that refuses a call."""
    if call.refused:
        what = f"call {call.id}: the service refuses the invite ({call.refused.code})"
        yield cite(table, call.refused.row, what)
