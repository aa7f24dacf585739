"""The calls of the edge: who takes part, what is passed on to whom, and what is refused.

A call begins with a user's invite, or by a trusted service's request for one (call
automation). It is here until somebody ends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from agents.edge.refusal import conflict, forbidden, not_found, third_party_relay
from agents.edge.relayed import relayed_candidates


class State(StrEnum):
    """Of a call, in the words of call automation."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class Notice(NamedTuple):
    """What a user is to be told."""

    to: str
    message: dict[str, Any]


@dataclass
class Call:
    """One call; ``source`` began it toward ``targets``, all by identity."""

    id: str
    source: str
    targets: tuple[str, ...]
    callback: str = ""
    state: State = State.CONNECTING
    #: Who waits for an answer to an offer that restarts ICE, while somebody does.
    offered_by: str = ""
    #: Chat messages so far, by which the next is numbered.
    said: int = 0

    @property
    def participants(self) -> tuple[str, ...]:
        """Everybody, the one who began it first."""
        return (self.source, *self.targets)

    def to_others(self, sender: str, message: dict[str, Any]) -> Iterator[Notice]:
        """A message of one participant for each of the others; 403 for somebody else's."""
        if sender not in self.participants:
            raise forbidden(f"{sender} takes no part in call {self.id!r}")
        for other in self.participants:
            if other != sender:
                yield Notice(other, {**message, "call": self.id, "from": sender})


@dataclass
class Calls:
    """All calls, each by its id; ``relays`` are the addresses of the service's own relays."""

    relays: frozenset[str] = frozenset()
    going_on: dict[str, Call] = field(default_factory=dict)
    #: Ids of repeatable requests -> the call that each has made.
    repeatable: dict[str, Call] = field(default_factory=dict)

    def call(self, name: str) -> Call:
        """A call that is there, or 404."""
        if name not in self.going_on:
            raise not_found(f"there is no call {name!r}")
        return self.going_on[name]

    def invite(self, name: str, source: str, target: str, sdp: str) -> list[Notice]:
        """A user's invite to another; 409 where there is such a call already."""
        if name in self.going_on:
            raise conflict(f"there is a call {name!r} already")
        self._expect_own_relays(sdp)
        call = self.going_on[name] = Call(name, source, (target,))
        return list(call.to_others(source, {"type": "invite", "sdp": sdp}))

    def offer(self, name: str, user: str, sdp: str) -> list[Notice]:
        """An offer amid a call, which restarts ICE (RFC 8839, section 4.4.1.1.1).

        409 before the call was answered, and while somebody else's offer waits for that.
        """
        call = self.call(name)
        notices = list(call.to_others(user, {"type": "offer", "sdp": sdp}))
        if call.state is not State.CONNECTED or call.offered_by not in ("", user):
            raise conflict(f"call {name!r} waits for an answer")
        self._expect_own_relays(sdp)
        call.offered_by = user
        return notices

    def answer(self, name: str, user: str, sdp: str) -> list[Notice]:
        """The answer to the invite or to an offer since; 409 where there is none to answer."""
        call = self.call(name)
        notices = list(call.to_others(user, {"type": "answer", "sdp": sdp}))
        if user == (call.offered_by or call.source):
            began = "made the offer in" if call.offered_by else "began"
            raise forbidden(f"{user} {began} call {name!r}, the others answer it")
        if call.state is State.CONNECTED and not call.offered_by:
            raise conflict(f"call {name!r} has been answered")
        self._expect_own_relays(sdp)
        call.state, call.offered_by = State.CONNECTED, ""
        return notices

    def candidate(self, name: str, user: str, candidate: str) -> list[Notice]:
        """A trickled candidate; an empty one ends them (RFC 8838, section 13)."""
        self._expect_own_relays(candidate)
        message = {"type": "candidate", "candidate": candidate}
        return list(self.call(name).to_others(user, message))

    def chat(self, name: str, user: str, text: str) -> list[Notice]:
        """A chat message to the others of a call, numbered in the order of their coming."""
        call = self.call(name)
        message = {"type": "chat", "text": text, "sequence": call.said + 1}
        notices = list(call.to_others(user, message))
        call.said += 1
        return notices

    def hang_up(self, name: str, user: str) -> list[Notice]:
        """End a call for everybody."""
        notices = list(self.call(name).to_others(user, {"type": "hangup"}))
        self._end(name)
        return notices

    def create(self, call: Call, repeatable: str) -> tuple[Call, list[Notice]]:
        """Begin a call that a trusted service asks for; its targets are told that they are called.

        A request that comes again, by its id ``repeatable``, makes no second call.
        """
        first = self.repeatable.setdefault(repeatable, call) if repeatable else call
        if first is not call:
            return first, []
        self.going_on[call.id] = call
        return call, list(call.to_others(call.source, {"type": "incomingCall"}))

    def terminate(self, name: str) -> list[Notice]:
        """End a call for everybody, by order of a trusted service."""
        call = self.call(name)
        self._end(name)
        message = {"type": "hangup", "call": name, "from": call.source}
        return [Notice(user, message) for user in call.participants]

    def _expect_own_relays(self, sdp: str) -> None:
        """Refuse descriptions and candidates that would lead media over a third party's relay.

        It may pass the service's own only (call-flows-background, "Interoperability
        restrictions").
        """
        for address, port in relayed_candidates(sdp):
            if address not in self.relays:
                raise third_party_relay(address, port)

    def _end(self, name: str) -> None:
        self.going_on.pop(name).state = State.DISCONNECTED
