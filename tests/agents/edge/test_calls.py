"""Calls: what is passed on to whom, and who may say what."""

from collections.abc import Callable

import pytest

from agents.edge.calls import Call, Calls, Notice, State
from agents.edge.refusal import Refusal


@pytest.fixture
def calls() -> Calls:
    """A call of alice to bob."""
    made = Calls()
    made.invite("c", "alice", "bob", "offer")
    return made


def _to_bob(**message: object) -> list[Notice]:
    return [Notice("bob", {**message, "call": "c", "from": "alice"})]


def test_an_invite_is_for_the_one_who_is_called() -> None:
    assert Calls().invite("c", "alice", "bob", "offer") == _to_bob(type="invite", sdp="offer")


def test_answers_candidates_and_hang_ups_are_for_the_other_side(calls: Calls) -> None:
    (answer,) = calls.answer("c", "bob", "sdp")
    assert (answer.to, answer.message["from"]) == ("alice", "bob")
    assert calls.candidate("c", "alice", "x") == _to_bob(type="candidate", candidate="x")
    assert calls.hang_up("c", "alice") == _to_bob(type="hangup")


def test_chat_messages_are_numbered_in_the_order_of_their_coming(calls: Calls) -> None:
    assert calls.chat("c", "alice", "hello") == _to_bob(type="chat", text="hello", sequence=1)
    (told,) = calls.chat("c", "bob", "hi")
    assert (told.to, told.message["sequence"]) == ("alice", 2)


def test_a_call_is_connected_once_it_is_answered(calls: Calls) -> None:
    assert calls.call("c").state is State.CONNECTING
    calls.answer("c", "bob", "sdp")
    assert calls.call("c").state is State.CONNECTED


@pytest.mark.parametrize(
    ("act", "status", "reason"),
    [
        (lambda calls: calls.invite("c", "eve", "bob", ""), 409, "there is a call 'c' already"),
        (lambda calls: calls.answer("x", "bob", ""), 404, "there is no call 'x'"),
        (lambda calls: calls.answer("c", "eve", ""), 403, "eve takes no part in call 'c'"),
        (lambda calls: calls.answer("c", "alice", ""), 403, "alice began call 'c'"),
        (lambda calls: calls.chat("c", "eve", ""), 403, "eve takes no part in call 'c'"),
        (lambda calls: calls.candidate("c", "eve", ""), 403, "eve takes no part in call 'c'"),
        (lambda calls: calls.hang_up("c", "eve"), 403, "eve takes no part in call 'c'"),
        (lambda calls: calls.hang_up("x", "alice"), 404, "there is no call 'x'"),
        (lambda calls: calls.terminate("x"), 404, "there is no call 'x'"),
    ],
)
def test_what_is_refused(
    calls: Calls, act: Callable[[Calls], object], status: int, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason) as refused:
        act(calls)
    assert refused.value.status == status


def test_what_was_refused_changed_nothing(calls: Calls) -> None:
    for user in ("eve", "alice"):
        with pytest.raises(Refusal):
            calls.answer("c", user, "")
    with pytest.raises(Refusal):
        calls.chat("c", "eve", "unheard")
    assert calls.chat("c", "alice", "first") == _to_bob(type="chat", text="first", sequence=1)
    calls.answer("c", "bob", "sdp")


def test_a_second_answer_is_refused(calls: Calls) -> None:
    calls.answer("c", "bob", "sdp")
    with pytest.raises(Refusal, match="call 'c' has been answered") as refused:
        calls.answer("c", "bob", "sdp")
    assert refused.value.status == 409


def test_an_offer_amid_a_call_is_answered_by_the_other(calls: Calls) -> None:
    calls.answer("c", "bob", "sdp")
    (offer,) = calls.offer("c", "bob", "new sdp")
    assert (offer.to, offer.message["type"], offer.message["sdp"]) == ("alice", "offer", "new sdp")
    with pytest.raises(Refusal, match="bob made the offer in call 'c', the others answer it"):
        calls.answer("c", "bob", "sdp")
    (answer,) = calls.answer("c", "alice", "her sdp")
    assert (answer.to, answer.message["type"]) == ("bob", "answer")
    with pytest.raises(Refusal, match="call 'c' has been answered"):
        calls.answer("c", "bob", "her sdp")


def test_an_offer_waits_for_the_answer_before_it(calls: Calls) -> None:
    for answered in (False, True):
        if answered:
            calls.answer("c", "bob", "sdp")
            calls.offer("c", "alice", "new sdp")
        with pytest.raises(Refusal, match="call 'c' waits for an answer") as refused:
            calls.offer("c", "bob", "new sdp")
        assert refused.value.status == 409


@pytest.mark.parametrize("end", [lambda c: c.hang_up("c", "bob"), lambda c: c.terminate("c")])
def test_an_ended_call_is_gone(calls: Calls, end: Callable[[Calls], object]) -> None:
    call = calls.call("c")
    end(calls)
    assert call.state is State.DISCONNECTED
    with pytest.raises(Refusal, match="there is no call 'c'"):
        calls.call("c")


def _wanted(name: str = "id") -> Call:
    return Call(name, "service", ("alice", "bob"), "https://app.example/events")


def test_the_targets_of_a_service_hear_of_its_call_and_of_its_end() -> None:
    calls = Calls()
    call, notices = calls.create(_wanted(), "")
    assert {notice.to for notice in notices} == {"alice", "bob"}
    assert {notice.message["type"] for notice in notices} == {"incomingCall"}
    ended = calls.terminate(call.id)
    assert [notice.message["type"] for notice in ended] == ["hangup"] * 3


def test_a_repeated_request_makes_no_second_call() -> None:
    calls = Calls()
    first, told = calls.create(_wanted("one"), "request-1")
    again, told_again = calls.create(_wanted("two"), "request-1")
    assert again is first
    assert (len(told), told_again) == (2, [])
    other, _ = calls.create(_wanted("three"), "request-2")
    assert other.id == "three"


_OURS, _THEIRS = "203.0.113.9", "198.51.100.54"


def _candidate(kind: str, address: str) -> str:
    return f"candidate:1 1 udp 16777215 {address} 50000 typ {kind} raddr 10.0.0.1 rport 9"


def _offer(kind: str, address: str) -> str:
    return f"v=0\r\nm=audio 9 RTP/AVP 0\r\na={_candidate(kind, address)}\r\n"


@pytest.mark.parametrize(
    "act",
    [
        lambda calls: calls.invite("new", "alice", "bob", _offer("relay", _THEIRS)),
        lambda calls: calls.answer("c", "bob", _offer("relay", _THEIRS)),
        lambda calls: calls.candidate("c", "alice", _candidate("relay", _THEIRS)),
        lambda calls: calls.candidate("c", "alice", _candidate("relay", "turn.example.net")),
    ],
)
def test_candidates_of_a_third_partys_relay_are_refused(act: Callable[[Calls], object]) -> None:
    calls = Calls(frozenset({_OURS}))
    calls.invite("c", "alice", "bob", _offer("relay", _OURS))
    with pytest.raises(Refusal, match="port 50000 belongs to no relay of this service") as refused:
        act(calls)
    assert (refused.value.status, refused.value.code) == (403, "ThirdPartyRelay")


def test_a_refused_invite_leaves_no_call_and_a_refused_answer_leaves_it_unanswered() -> None:
    calls = Calls(frozenset({_OURS}))
    with pytest.raises(Refusal):
        calls.invite("c", "alice", "bob", _offer("relay", _THEIRS))
    assert calls.invite("c", "alice", "bob", _offer("relay", _OURS))
    with pytest.raises(Refusal):
        calls.answer("c", "bob", _offer("relay", _THEIRS))
    assert calls.answer("c", "bob", _offer("relay", _OURS))


def test_a_restart_cannot_lead_over_a_third_partys_relay_either() -> None:
    calls = Calls(frozenset({_OURS}))
    calls.invite("c", "alice", "bob", _offer("relay", _OURS))
    calls.answer("c", "bob", _offer("relay", _OURS))
    with pytest.raises(Refusal, match="belongs to no relay of this service"):
        calls.offer("c", "bob", _offer("relay", _THEIRS))
    assert calls.offer("c", "alice", _offer("relay", _OURS))


@pytest.mark.parametrize("kind", ["host", "srflx", "prflx"])
def test_only_relayed_candidates_must_be_the_services(kind: str) -> None:
    calls = Calls(frozenset({_OURS}))
    assert calls.invite("c", "alice", "bob", _offer(kind, _THEIRS))
    assert calls.candidate("c", "alice", _candidate(kind, _THEIRS))
    assert calls.candidate("c", "alice", "")


def test_the_refusal_names_the_candidate() -> None:
    with pytest.raises(Refusal, match=rf"the relayed candidate {_THEIRS} port 50000 "):
        Calls(frozenset({_OURS})).invite("c", "alice", "bob", _offer("relay", _THEIRS))
