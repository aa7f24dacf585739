"""The messages in HTTPS exchanges, and the calls that they make."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.problems import Ground
from results.protocols.http import Exchange
from results.protocols.tls import connections
from results.setup.calls import Call, read_calls
from results.setup.signalling import Act, Carrier, Message, messages_of, weak_tls
from tests.results.story import ALICE_NAT, Story, ends
from topologies.spec import Role

ALICE = Carrier(1, "front-end.service.example", "alice")
BOB = Carrier(2, "front-end.service.example", "bob")


def exchange(
    method: str,
    target: str,
    body: Any = None,
    response: Any = None,
    status: int | None = 200,
    rows: tuple[int, int] = (5, 6),
) -> Exchange:
    return Exchange(
        method=method,
        target=target,
        headers={},
        body=json.dumps(body).encode() if body is not None else b"",
        request_row=rows[0],
        request_time=0,
        status=status,
        response_body=json.dumps(response).encode() if response is not None else b"",
        response_row=rows[1],
    )


def front_end(carrier: Carrier, *arguments: Any, **more: Any) -> list[Message]:
    return list(messages_of(Role.FRONT_END, carrier, exchange(*arguments, **more)))


def sdp(user: str) -> str:
    return f"v=0\r\na=ice-ufrag:{user}\r\na=ice-pwd:{user}-pwd\r\n"


def invite(row: int = 5, call: str = "c1") -> list[Message]:
    body = {"call": call, "from": "alice", "to": "bob", "sdp": sdp("alice")}
    return front_end(ALICE, "POST", "/v1/calls", body, status=201, rows=(row, row + 1))


def told(carrier: Carrier, kind: str, row: int, **more: str) -> list[Message]:
    notice = {"id": 1, "type": kind, "call": "c1", **more}
    target = f"/v1/users/{carrier.user}/notifications?after=0"
    return front_end(carrier, "GET", target, response={"notifications": [notice]}, rows=(1, row))


def answer(row: int = 9) -> list[Message]:
    body = {"from": "bob", "sdp": sdp("bob")}
    return front_end(BOB, "POST", "/v1/calls/c1/answer", body, rows=(row, row + 1))


def report(carrier: Carrier, row: int) -> list[Message]:
    body = {"user": carrier.user, "call": "c1"}
    said = exchange("POST", "/v1/reports", body, status=201, rows=(row, row + 1))
    return list(messages_of(Role.TELEMETRY, carrier, said))


def test_an_invite_stands_where_its_request_was_complete() -> None:
    (message,) = invite()
    assert (message.act, message.call, message.user, message.to) == (
        Act.INVITE, "c1", "alice", "bob",
    )  # fmt: skip
    assert (message.row, message.told, message.sdp) == (5, False, sdp("alice"))


def test_a_notification_stands_where_its_response_was_complete() -> None:
    (message,) = told(BOB, "invite", 77, sdp=sdp("alice"))
    assert (message.act, message.user, message.row, message.told) == (Act.INVITE, "bob", 77, True)


@pytest.mark.parametrize("status", [None, 302])
def test_an_invite_that_was_not_answered_says_nothing(status: int | None) -> None:
    body = {"call": "c1", "to": "bob", "sdp": ""}
    assert front_end(ALICE, "POST", "/v1/calls", body, status=status) == []


@pytest.mark.parametrize("status", [None, 302, 403, 500])
def test_another_request_that_was_refused_says_nothing(status: int | None) -> None:
    assert front_end(BOB, "POST", "/v1/calls/c1/answer", {"sdp": ""}, status=status) == []


_ERROR = {"error": {"code": "ThirdPartyRelay", "message": "not that one"}}


def refused(row: int = 5, error: Any = _ERROR) -> list[Message]:
    body = {"call": "c1", "to": "bob", "sdp": sdp("alice")}
    rows = row, row + 1
    return front_end(ALICE, "POST", "/v1/calls", body, error, status=403, rows=rows)


def test_a_refused_invite_is_told_with_the_reason() -> None:
    asked, told_why = refused()
    assert (asked.act, asked.told, asked.row, asked.sdp) == (Act.REFUSED, False, 5, sdp("alice"))
    assert (told_why.act, told_why.told, told_why.row) == (Act.REFUSED, True, 6)
    assert (told_why.status, told_why.code, told_why.text) == (
        403,
        "ThirdPartyRelay",
        "not that one",
    )


@pytest.mark.parametrize("error", [None, [], {"error": "no"}, {"error": {"code": 7}}])
def test_a_refusal_without_a_reason_has_none(error: Any) -> None:
    _, told_why = refused(error=error)
    assert (told_why.status, told_why.code, told_why.text) == (403, "", "")


def test_a_call_that_was_refused_has_the_reason_and_no_answer() -> None:
    (call,) = read_calls(refused())
    assert call.refused
    assert call.refused.code == "ThirdPartyRelay"
    assert (call.participants, call.answered_by_callee) == (("alice", "bob"), False)
    assert call.described["alice"].ufrag == "alice"


def test_a_call_that_was_refused_and_then_granted_came_about() -> None:
    (call,) = read_calls([*refused(5), *invite(9), *answer(20)])
    assert (call.refused, call.invite.row, call.answered_by_callee) == (None, 9, True)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/users/alice/relay"),
        ("POST", "/v1/users/alice/session"),
        ("POST", "/v1/reports"),
        ("POST", "/v2/calls"),
        ("PUT", "/v1/calls"),
        ("GET", "/"),
    ],
)
def test_other_requests_are_no_messages(method: str, target: str) -> None:
    assert front_end(ALICE, method, target, {"call": "c1"}) == []


def test_a_report_counts_at_telemetry_only() -> None:
    (message,) = report(ALICE, 5)
    assert message.act is Act.REPORT


@pytest.mark.parametrize("body", [[], "text", 7, {"call": 7}, {"no": "call"}])
def test_bodies_that_say_nothing(body: Any) -> None:
    assert front_end(ALICE, "POST", "/v1/calls", body, status=201) == []


@pytest.mark.parametrize(
    "response", [[], {"notifications": 7}, {"notifications": [7, {"type": "new"}, {}]}]
)
def test_responses_that_tell_nothing(response: Any) -> None:
    target = "/v1/users/bob/notifications"
    assert front_end(BOB, "GET", target, response=response) == []


def test_a_body_that_is_not_json() -> None:
    said = exchange("POST", "/v1/calls", status=201)
    broken = Exchange(**(vars(said) | {"body": b"\xff{"}))
    assert list(messages_of(Role.FRONT_END, ALICE, broken)) == []


def test_hang_up_and_candidates() -> None:
    (hang_up,) = front_end(ALICE, "DELETE", "/v1/calls/c1?from=alice")
    assert (hang_up.act, hang_up.call) == (Act.HANGUP, "c1")
    body = {"from": "alice", "candidate": "candidate:1 1 udp 1 10.10.0.11 5 typ host"}
    (candidate,) = front_end(ALICE, "POST", "/v1/calls/c1/candidates", body)
    assert (candidate.act, candidate.candidate) == (Act.CANDIDATE, body["candidate"])


def whole_call() -> list[Message]:
    return [
        *invite(5),
        *told(BOB, "invite", 7),
        *answer(9),
        *told(ALICE, "answer", 11),
        *report(ALICE, 90),
        *report(BOB, 91),
    ]


def only_call(messages: list[Message]) -> Call:
    (call,) = read_calls(messages)
    return call


def test_a_whole_call() -> None:
    call = only_call(whole_call())
    assert call.participants == ("alice", "bob")
    assert call.answered_by_callee
    assert call.notified
    assert call.told
    assert (call.notified.row, call.told.row) == (7, 11)
    assert {user: report.row for user, report in call.reports.items()} == {"alice": 90, "bob": 91}
    assert [call.described[user].ufrag for user in call.participants] == ["alice", "bob"]
    assert call.other("alice") == "bob"
    assert call.other("bob") == "alice"


def test_an_invite_alone_is_no_call_yet() -> None:
    call = only_call(invite())
    assert not call.answered_by_callee
    assert (call.notified, call.answered, call.told, call.reports) == (None, None, None, {})


def test_an_answer_without_an_invite_is_no_call() -> None:
    assert read_calls(answer()) == []


def test_a_repeated_notification_counts_once() -> None:
    call = only_call([*whole_call(), *told(BOB, "invite", 60)])
    assert call.notified
    assert call.notified.row == 7


def test_trickled_candidates_belong_to_who_sent_them() -> None:
    body = {"from": "bob", "candidate": "candidate:1 1 udp 1 10.10.0.12 5 typ host"}
    late = front_end(BOB, "POST", "/v1/calls/c1/candidates", body)
    call = only_call([*whole_call(), *late])
    assert len(call.described["bob"].candidates) == 1
    assert call.described["alice"].candidates == ()


def test_calls_stand_in_the_order_of_their_invites() -> None:
    assert [call.id for call in read_calls([*invite(8, "late"), *invite(3, "early")])] == [
        "early",
        "late",
    ]


@pytest.mark.parametrize(
    ("version", "suite", "used"),
    [
        (0x0303, 0xC02C, None),
        (0x0303, 0xC030, None),
        (0x0304, 0x1302, "version 0x0304 with suite 0x1302"),
        (0x0303, 0xC02B, "version 0x0303 with suite 0xC02B"),
        (0x0302, 0xC02C, "version 0x0302 with suite 0xC02C"),
    ],
)
def test_signalling_is_tls_1_2_with_aes_256_gcm(
    tmp_path: Path, version: int, suite: int, used: str | None
) -> None:
    story = Story()
    story.syn(ALICE_NAT, ends("10.10.0.11:40000", "203.0.113.5:443"), 4711)
    table = story.table(tmp_path)
    tap = [tap.name for tap in table.taps].index("alice-eth0")
    (opened,) = connections(table, tap)
    connection = replace(opened, version=version, suite=suite, sni="front-end.service.example")
    problems = list(weak_tls(table, "alice", connection))
    assert [(problem.ground, problem.text) for problem in problems] == [
        (
            Ground.CALL,
            f"signalling of alice with front-end.service.example is TLS {used}, "
            "not TLS 1.2 with AES-256-GCM (opened by frame 1 of alice-eth0)",
        )
        for used in filter(None, [used])
    ]
