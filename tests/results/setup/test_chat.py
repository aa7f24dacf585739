"""The chat of a call: as planned, both ways, amid the media, over what was open."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from results.packets import PacketTable
from results.problems import Ground
from results.schema import PlannedCall
from results.setup.calls import Call
from results.setup.chat import chat_citations, chat_problems
from results.setup.signalling import Act, Carrier, Message
from tests.results.call_story import SNI, a_call, described
from tests.results.story import ALICE_NAT, SECOND, START, Story, ends

#: Rows of the table: one each second, two taps a row; media flows from second 2 to second 8.
MEDIA = (START + 2 * SECOND, START + 8 * SECOND)

PLAN = PlannedCall(id="c1", caller="alice", callee="bob", seconds=2, chat=("hi", "hello", "bye"))


@pytest.fixture
def table(tmp_path: Path) -> PacketTable:
    story = Story()
    for second in range(11):
        story.now = START + second * SECOND
        story.syn(ALICE_NAT[:1], ends("10.10.0.11:40000", "203.0.113.5:443"), second)
    return story.table(tmp_path)


def row(table: PacketTable, second: int) -> int:
    """The row of alice's tap at a second."""
    tap = [tap.name for tap in table.taps].index("alice-eth0")
    rows = [i for i in range(len(table.time)) if int(table.tap[i]) == tap]
    return rows[second]


def said(
    table: PacketTable, user: str, text: str, second: int, *, told: bool = False, opened: int = 0
) -> Message:
    carrier = Carrier(row(table, opened), SNI, user)
    return Message(Act.CHAT, "c1", carrier, told, row(table, second), text=text)


def whole(table: PacketTable) -> tuple[Message, ...]:
    """All that was planned, said and told in turn."""
    return (
        said(table, "alice", "hi", 3),
        said(table, "bob", "hi", 3, told=True),
        said(table, "bob", "hello", 4),
        said(table, "alice", "hello", 4, told=True),
        said(table, "alice", "bye", 5),
        said(table, "bob", "bye", 6, told=True),
    )


def stream(sender: str, times: Sequence[int] = MEDIA) -> Any:
    """A direction of media that arrived at these times."""
    arrived = [SimpleNamespace(last=SimpleNamespace(time=time)) for time in times]
    return SimpleNamespace(key=SimpleNamespace(sender=sender), arrived=arrived)


BOTH = (stream("alice"), stream("bob"))


def opening(table: PacketTable, origin: str, second: int) -> Any:
    at = row(table, second)
    first = SimpleNamespace(row=at, time=int(table.time[at]))
    path = SimpleNamespace(origin=origin, first=first)
    return SimpleNamespace(what=f"a TCP connection of {origin}", path=path)


def texts(
    table: PacketTable,
    chat: Sequence[Message],
    streams: Sequence[Any] = BOTH,
    openings: Sequence[Any] = (),
    plan: PlannedCall = PLAN,
) -> list[str]:
    found = chat_problems(table, plan, call_with(chat), streams, openings)
    problems = list(found)
    assert {problem.ground for problem in problems} <= {Ground.CALL, Ground.FLOWS}
    return [problem.text for problem in problems]


def call_with(chat: Sequence[Message]) -> Call:
    return replace(a_call(described("alice"), described("bob")), chat=tuple(chat))


def test_a_chat_as_planned(table: PacketTable) -> None:
    assert texts(table, whole(table)) == []


def test_no_chat_where_none_was_planned(table: PacketTable) -> None:
    assert texts(table, (), plan=PLAN.model_copy(update={"chat": ()})) == []


def test_a_message_that_nobody_planned(table: PacketTable) -> None:
    found = texts(table, whole(table)[:2], plan=PLAN.model_copy(update={"chat": ()}))
    assert found == [
        "in the chat of call c1 alice said 'hi', not nothing",
        "in the chat of call c1 bob was told 'hi', not nothing",
    ]


def test_a_message_that_did_not_come(table: PacketTable) -> None:
    (found,) = texts(table, whole(table)[:-1])
    assert found == "in the chat of call c1 bob was told 'hi', not 'hi', 'bye'"


def test_a_chat_one_way_only(table: PacketTable) -> None:
    one_way = [message for message in whole(table) if message.text != "hello"]
    assert texts(table, one_way) == [
        "in the chat of call c1 alice was told nothing, not 'hello'",
        "in the chat of call c1 bob said nothing, not 'hello'",
    ]


def test_a_message_that_came_altered(table: PacketTable) -> None:
    first, second, *rest = whole(table)
    (found,) = texts(table, [first, replace(second, text="ho"), *rest])
    assert found == "in the chat of call c1 bob was told 'ho', 'bye', not 'hi', 'bye'"


@pytest.mark.parametrize("second", [1, 9])
def test_a_message_before_or_after_the_media(table: PacketTable, second: int) -> None:
    first, *rest = whole(table)
    late = replace(first, row=row(table, second))
    (found,) = texts(table, [late, *rest])
    assert found == (
        "a chat message of alice passed while no media flowed both ways "
        f"(frame {second + 1} of alice-eth0)"
    )


def test_media_one_way_is_not_enough(table: PacketTable) -> None:
    """From bob to alice it began only at second 4."""
    streams = (stream("alice"), stream("bob", (START + 4 * SECOND, MEDIA[1])))
    found = texts(table, whole(table), streams)
    assert [text.partition(" passed")[0] for text in found] == [
        "a chat message of alice",
        "a chat message of bob",
    ]


def test_a_connection_that_was_opened_for_it(table: PacketTable) -> None:
    first, *rest = whole(table)
    carrier = replace(first, carrier=Carrier(row(table, 2), SNI, "alice"))
    (found,) = texts(table, [carrier, *rest])
    assert found == (
        "a chat message of alice passed over a connection opened for it (frame 4 of alice-eth0)"
    )


@pytest.mark.parametrize("second", [3, 4, 6])
def test_what_a_participant_opens_amid_the_chat(table: PacketTable, second: int) -> None:
    (found,) = texts(table, whole(table), openings=[opening(table, "bob", second)])
    assert found == (
        "amid the chat of call c1 there was a TCP connection of bob "
        f"(frame {second + 1} of alice-eth0)"
    )


@pytest.mark.parametrize(("origin", "second"), [("bob", 2), ("bob", 7), ("bea", 4)])
def test_what_is_opened_before_or_after_or_by_others(
    table: PacketTable, origin: str, second: int
) -> None:
    assert texts(table, whole(table), openings=[opening(table, origin, second)]) == []


def test_each_message_is_cited(table: PacketTable) -> None:
    found = [one.what for one in chat_citations(table, call_with(whole(table)[:2]))]
    assert found == [
        "call c1, chat: alice says something",
        "call c1, chat: bob is told something",
    ]
