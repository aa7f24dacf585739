"""The calls of a run as its signalling shows them: who invited whom, with which SDPs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from results.protocols.sdp import Description, read_description
from results.setup.signalling import Act, Message


@dataclass(frozen=True)
class Call:
    """One call; what was never seen is None."""

    id: str
    caller: str
    callee: str
    #: What each participant's own SDP and candidates say.
    described: dict[str, Description]
    #: The caller's invite, as the caller sent it.
    invite: Message
    #: The invite, as the callee was told it.
    notified: Message | None
    #: The callee's answer, as the callee sent it.
    answered: Message | None
    #: The answer, as the caller was told it.
    told: Message | None
    #: Each participant's report to telemetry.
    reports: dict[str, Message]
    #: Chat messages as they were sent, and as they were told, in the order of their rows.
    chat: tuple[Message, ...] = ()
    #: Why the service refused the invite, as the caller was told.
    refused: Message | None = None
    #: The call after each restart of ICE that was answered: the offer and its answer stand in
    #: the place of the invite and its own, and the id has a number.
    restarts: tuple["Call", ...] = ()

    @property
    def participants(self) -> tuple[str, str]:
        """Caller and callee."""
        return self.caller, self.callee

    @property
    def answered_by_callee(self) -> bool:
        """Whether there were an invite and an answer: a call, not only an attempt."""
        return self.answered is not None

    @property
    def clock_rates(self) -> dict[int, int]:
        """RTP payload type -> clock rate in Hz, as both descriptions say (RFC 3264, 6.1)."""
        own, other = (self.described[user].clock_rates for user in self.participants)
        return {**own, **other}

    def other(self, user: str) -> str:
        """The participant at the other end."""
        return self.callee if user == self.caller else self.caller


def read_calls(messages: Iterable[Message]) -> list[Call]:
    """The calls among messages, in the order of their invites."""
    by_call: dict[str, list[Message]] = {}
    for message in messages:
        by_call.setdefault(message.call, []).append(message)
    calls = [_call(call, of_call) for call, of_call in by_call.items()]
    return sorted((call for call in calls if call), key=lambda call: call.invite.row)


def _call(name: str, messages: list[Message]) -> Call | None:
    granted = _first(messages, Act.INVITE, told=False)
    invite = granted or _first(messages, Act.REFUSED, told=False)
    if invite is None:
        return None
    caller, callee = invite.user, invite.to
    notified = _first(messages, Act.INVITE, told=True, user=callee)
    answered = _first(messages, Act.ANSWER, told=False, user=callee)
    reports = {
        user: _first(messages, Act.REPORT, told=False, user=user) for user in (caller, callee)
    }
    call = Call(
        id=name,
        caller=caller,
        callee=callee,
        described={
            caller: _description(invite, messages),
            callee: _description(answered, messages) if answered else Description(),
        },
        invite=invite,
        notified=notified,
        answered=answered,
        told=_first(messages, Act.ANSWER, told=True, user=caller),
        reports={user: report for user, report in reports.items() if report},
        chat=tuple(message for message in messages if message.act is Act.CHAT),
        refused=None if granted else _first(messages, Act.REFUSED, told=True, user=caller),
    )
    return replace(call, restarts=tuple(_restarts(call, messages)))


def _restarts(call: Call, messages: list[Message]) -> Iterator[Call]:
    """The call as each offer in mid-call and its answer have it (RFC 8839, section 4.4)."""
    number = 0
    offers = [one for one in messages if one.act is Act.OFFER and not one.told]
    for offer, following in zip(offers, [*offers, None][1:], strict=True):
        end = following.row if following else None
        since = [m for m in messages if m.row > offer.row and (end is None or m.row < end)]
        other = call.other(offer.user)
        answered = _first(since, Act.ANSWER, told=False, user=other)
        if answered is None:
            continue
        number += 1
        yield replace(
            call,
            id=f"{call.id}#{number}",
            described={
                offer.user: read_description(offer.sdp),
                other: read_description(answered.sdp),
            },
            invite=offer,
            notified=_first(since, Act.OFFER, told=True, user=other),
            answered=answered,
            told=_first(since, Act.ANSWER, told=True, user=offer.user),
        )


def _first(messages: list[Message], act: Act, *, told: bool, user: str = "") -> Message | None:
    """The first message of a kind; the service may repeat a notification."""
    found = (
        message
        for message in messages
        if message.act is act and message.told is told and user in ("", message.user)
    )
    return next(found, None)


def _description(said: Message, messages: list[Message]) -> Description:
    """What a participant's SDP says, with the candidates it trickled after it."""
    description = read_description(said.sdp)
    for message in messages:
        if message.act is Act.CANDIDATE and not message.told and message.user == said.user:
            description = description.with_candidate(message.candidate)
    return description
