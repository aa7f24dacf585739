"""A refusal must be the planned one, and needed; nothing may come of the call after it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.canary_frames import Moment
from results.media_keys import Socket
from results.packets import PacketTable
from results.problems import Ground
from results.schema import PlannedCall, Refused
from results.setup.calls import Call
from results.setup.refused import (
    gathered_sockets,
    refusal_in_words,
    refusal_of,
    refused_problems,
    refused_times,
    silence_in_words,
)
from results.setup.signalling import Act
from results.setup.turn import Allocation, Turn
from tests.results.call_story import a_call, described, message
from tests.results.story import ALICE, ALICE_NAT, NAT_RELAY, START, Story, end, ends, rtp

_THEIRS = "198.51.100.54:49152"
_REASON = "the relayed candidate 198.51.100.54 port 49152 is not ours"

_PLAN = PlannedCall(
    id="c1",
    caller="alice",
    callee="bob",
    seconds=1,
    third_party_relay="relay",
    refused="ThirdPartyRelay",
)


def _turn(relay: str = "relay") -> Turn:
    return Turn((Allocation("alice", end(ALICE), relay, end(_THEIRS), START),))


def _call(code: str = "ThirdPartyRelay", reason: str = _REASON) -> Call:
    """Alice's invite at row 10 was refused at row 12; she reported at row 20."""
    call = a_call(described("alice", f"host {ALICE}", f"relay {_THEIRS}"), described("bob"))
    why = message(Act.REFUSED, "alice", 12, told=True)
    return replace(
        call,
        notified=None,
        answered=None,
        told=None,
        reports={"alice": message(Act.REPORT, "alice", 20)},
        refused=replace(why, status=403, code=code, text=reason),
    )


def _story() -> Story:
    story = Story()
    story.canaries(Moment.BEFORE)
    story.canaries(Moment.AFTER)
    return story


@pytest.fixture
def table(tmp_path: Path) -> PacketTable:
    return _story().table(tmp_path)


def _texts(table: PacketTable, call: Call, turn: Turn | None = None, **more: Any) -> list[str]:
    given = {"checks": {}, "found": [], **more}
    problems = list(refused_problems(table, _PLAN, call, turn or _turn(), **given))
    assert {problem.ground for problem in problems} <= {Ground.CALL}
    return [problem.text for problem in problems]


def test_the_planned_refusal_has_no_problem(table: PacketTable) -> None:
    assert _texts(table, _call()) == []


def test_a_refusal_with_another_code(table: PacketTable) -> None:
    (text,) = _texts(table, _call(code="Conflict"))
    assert text.startswith("the service refused call c1 with 403 Conflict, not ThirdPartyRelay (")


@pytest.mark.parametrize("reason", ["", "no", "candidate 198.51.100.5 port 49152"])
def test_a_reason_that_names_no_candidate_of_the_invite(table: PacketTable, reason: str) -> None:
    (text,) = _texts(table, _call(reason=reason))
    named = repr(reason) if reason else "no reason"
    assert f"the refusal of call c1 names no relayed candidate, but {named} (frame " in text


@pytest.mark.parametrize("turn", [Turn(), _turn("other")])
def test_where_nothing_had_to_be_refused(table: PacketTable, turn: Turn) -> None:
    (text,) = _texts(table, _call(), turn)
    assert text.startswith("the invite of call c1 declares no candidate that relay allocated (")


def test_a_callee_who_heard_of_it_and_answered(table: PacketTable) -> None:
    call = replace(
        _call(),
        notified=message(Act.INVITE, "bob", 14, told=True),
        answered=message(Act.ANSWER, "bob", 15),
    )
    assert _texts(table, call) == [
        "bob was told of call c1, which the service had refused",
        "bob answered call c1, which the service had refused",
    ]


def test_media_at_the_third_partys_relay(tmp_path: Path) -> None:
    story = _story()
    story.send((*ALICE_NAT, *NAT_RELAY), ends(ALICE, _THEIRS), rtp(1))
    (text,) = _texts(story.table(tmp_path), _call())
    assert text.startswith(
        "1 packet at relay look like media, although the service refused call c1 (first: frame "
    )


def test_the_refusal_in_the_result(table: PacketTable) -> None:
    refused = refusal_of(table, _PLAN, _call())
    assert refused
    assert (refused.status, refused.code, refused.message) == (403, "ThirdPartyRelay", _REASON)
    assert (refused.relay, refused.relay_packets) == ("relay", 0)
    assert refusal_in_words(refused).startswith(f"403 ThirdPartyRelay: {_REASON} (frame ")
    assert refusal_of(table, _PLAN, replace(_call(), refused=None)) is None


def test_silence_names_the_relay_where_one_was_used() -> None:
    refused = Refused(status=403, code="x", message="y", tap="t", frame=1)
    assert silence_in_words(refused) == "no media"
    there = refused.model_copy(update={"relay": "ext_relay", "relay_packets": 8})
    assert silence_in_words(there) == "no media, and none at ext_relay, where 8 packets were seen"


def test_canaries_must_embrace_a_refused_call(table: PacketTable) -> None:
    ((first, last),) = refused_times(table, _call(), [])
    assert (first, last) == (int(table.time[10]), int(table.time[20]))
    assert list(refused_times(table, replace(_call(), refused=None), [])) == []


def test_the_sockets_of_a_refused_call_are_those_of_its_invite() -> None:
    assert gathered_sockets(_call()) == {Socket("alice", *end(ALICE))}
    assert gathered_sockets(replace(_call(), refused=None)) == set()
