"""The eight steps: each at its frame, with its flows, in its order."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from results.problems import Ground
from results.setup.calls import Call
from results.setup.checks import Check, checks_of, stun_messages
from results.setup.signalling import Act
from results.setup.steps import Done, Scene, citations_of, find_steps, step_problems, steps_of
from results.tracing.legs import Conversations
from results.tracing.openings import connections, queries
from tests.results.call_story import SNI, a_call, check, described, message
from tests.results.story import (
    ALICE,
    ALICE_BOB,
    ALICE_NAT,
    BOB,
    BOB_NAT,
    FORWARDER_NAT,
    NAT,
    NAT_B,
    NAT_FRONT_END,
    NAT_RELAY,
    NAT_RESOLVER,
    RELAY,
    RELAYED_A,
    RELAYED_B,
    Hop,
    Story,
    back,
    dns_answer,
    dns_query,
    end,
    ends,
    stun,
    xored,
)
from topologies.spec import Flow

ALLOCATE, ALLOCATED = 0x0003, 0x0103
XOR_RELAYED = 0x0016
TELEMETRY_NAME = "telemetry.service.example"


class Telling(Story):
    """A story whose moments have names: the row of the next frame."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, int] = {}

    def mark(self, name: str) -> None:
        """Name the row of the next frame."""
        self.rows[name] = sum(len(frames) for frames in self.frames.values())

    def moment(self, name: str) -> None:
        """A frame at alice's tap, and one at bob's, that stand for a message."""
        self.mark(name)
        self.send(ALICE_BOB, ends("10.10.0.11:9", "10.10.0.12:9"), name.encode())

    def resolve(self, *, forwarded: bool = True) -> None:
        """Alice asks the forwarder; it asks the resolver, or knows."""
        asking = (Hop("alice-eth0", "forwarder-eth0"),)
        client = ends("10.10.0.11:40000", "10.10.0.53:53")
        self.send(asking, client, dns_query(SNI, 1))
        if forwarded:
            forwarder = ends("10.10.0.53:4000", "198.51.100.53:53")
            outside = ends("198.51.100.2:4000", "198.51.100.53:53")
            self.send(FORWARDER_NAT, forwarder, dns_query(SNI, 2))
            self.send(NAT_RESOLVER, outside, dns_query(SNI, 2))
            self.send(back(NAT_RESOLVER), outside.reversed(), dns_answer(SNI, 2))
            self.send(back(FORWARDER_NAT), forwarder.reversed(), dns_answer(SNI, 2))
        self.send(back(asking), client.reversed(), dns_answer(SNI, 1))

    def connect(self, name: str, port: int) -> None:
        """Alice opens a connection with the front end."""
        self.mark(name)
        self.syn(ALICE_NAT, ends(f"10.10.0.11:{port}", "203.0.113.5:443"), port)
        self.syn(NAT_FRONT_END, ends(f"198.51.100.2:{port}", "203.0.113.5:443"), port)

    def allocate(self, user: str) -> None:
        """A relay gives a user an address."""
        inside, outside, way, relayed = {
            "alice": (ALICE, NAT, ALICE_NAT, RELAYED_A),
            "bob": (BOB, NAT_B, BOB_NAT, RELAYED_B),
        }[user]
        number = ord(user[0])
        request = stun(ALLOCATE, number)
        self.send(way, ends(inside, RELAY), request)
        self.send(NAT_RELAY, ends(outside, RELAY), request)
        answer = stun(ALLOCATED, number, (XOR_RELAYED, xored(end(relayed))))
        self.send(back(NAT_RELAY), ends(RELAY, outside), answer)
        self.send(back(way), ends(RELAY, inside), answer)

    def nominate(self) -> None:
        """Bob's own check, then alice's that nominates."""
        check(self, back(ALICE_BOB), (BOB, ALICE), ("bob", "alice"), 70)
        check(self, ALICE_BOB, (ALICE, BOB), ("alice", "bob"), 71, nominate=True)


ORDER: tuple[tuple[str, Callable[[Telling], None]], ...] = (
    ("resolve", Telling.resolve),
    ("connect", lambda story: story.connect("syn", 40001)),
    ("allocate A", lambda story: story.allocate("alice")),
    ("invite", lambda story: story.moment("invite")),
    ("notify", lambda story: story.moment("notify")),
    ("allocate B", lambda story: story.allocate("bob")),
    ("post answer", lambda story: story.moment("post answer")),
    ("answer", lambda story: story.moment("answer")),
    ("check", Telling.nominate),
    ("report A", lambda story: story.moment("report A")),
    ("report B", lambda story: story.moment("report B")),
)
NAMES = [name for name, _ in ORDER]


def tell(order: list[str]) -> Telling:
    story = Telling()
    acts = dict(ORDER)
    for name in order:
        acts[name](story)
    return story


def call_of(story: Telling) -> Call:
    """The call whose messages stand at the rows of the story."""
    rows, syn = story.rows, story.rows.get("syn", 0)
    call = a_call(
        described("alice", f"host {ALICE}", f"relay {RELAYED_A}"),
        described("bob", f"host {BOB}", f"relay {RELAYED_B}"),
    )
    posted = rows["post answer"] + 1
    return replace(
        call,
        invite=message(Act.INVITE, "alice", rows["invite"], to="bob", syn_row=syn),
        notified=message(Act.INVITE, "bob", rows["notify"] + 1, told=True, syn_row=syn),
        answered=message(Act.ANSWER, "bob", posted, syn_row=syn),
        told=message(Act.ANSWER, "alice", rows["answer"], told=True, syn_row=syn),
        reports={
            "alice": message(Act.REPORT, "alice", rows["report A"], syn_row=syn),
            "bob": message(Act.REPORT, "bob", rows["report B"] + 1, syn_row=syn),
        },
    )


def scene_of(story: Telling, folder: FilePath) -> Scene:
    table, travels, places = story.table(folder), story.travels(folder), story.places
    return Scene(
        table=table,
        conversations=Conversations(places, travels.paths),
        spoken=tuple(stun_messages(table, travels)),
        queries=tuple(queries(table, places, travels)),
        connections=connections(table, places).by_syn,
    )


def nomination_of(scene: Scene, call: Call) -> Check | None:
    found = checks_of(scene.conversations.places, scene.spoken, call, "alice")
    return next((item for item in found if item.nominates), None)


def found_in(
    story: Telling, folder: FilePath, call: Call | None = None
) -> tuple[Scene, list[Done | str]]:
    scene, call = scene_of(story, folder), call or call_of(story)
    return scene, find_steps(scene, call, nomination_of(scene, call), [Flow.F5])


def problems(story: Telling, folder: FilePath, call: Call | None = None) -> list[str]:
    scene, found = found_in(story, folder, call)
    texts = list(step_problems(scene, call or call_of(story), found))
    assert all(problem.ground is Ground.STEPS for problem in texts)
    return [problem.text for problem in texts]


def test_the_eight_steps(tmp_path: FilePath) -> None:
    story = tell(NAMES)
    scene, found = found_in(story, tmp_path)
    steps = steps_of(scene, found)
    assert [(step.step, step.name, step.tap, step.flows) for step in steps] == [
        (1, "resolve", "alice-eth0", (Flow.F2,)),
        (2, "allocate", "alice-eth0", (Flow.F4,)),
        (3, "invite", "alice-eth0", (Flow.F4,)),
        (4, "notify", "bob-eth0", (Flow.F4,)),
        (5, "allocate", "bob-eth0", (Flow.F4,)),
        (6, "answer", "alice-eth0", (Flow.F4,)),
        (7, "check", "alice-eth0", (Flow.F5,)),
        (8, "telemetry", "bob-eth0", (Flow.F4,)),
    ]
    assert problems(story, tmp_path) == []


def test_times_count_from_the_first_frame_of_the_run(tmp_path: FilePath) -> None:
    story = Telling()
    story.moment("something earlier")
    story.wait(1)
    for name, act in ORDER:
        act(story)
        story.mark(f"after {name}")
    scene, found = found_in(story, tmp_path)
    first = steps_of(scene, found)[0]
    assert 1.0 < first.time < 1.01
    assert first.frame == 3


def test_each_step_is_cited(tmp_path: FilePath) -> None:
    story = tell(NAMES)
    scene, found = found_in(story, tmp_path)
    texts = [citation.what for citation in citations_of(scene, call_of(story), found)]
    assert texts == [
        "call c1, step 1 (resolve)",
        "call c1, step 2 (allocate)",
        "call c1, step 3 (invite)",
        "call c1, step 4 (notify)",
        "call c1, step 5 (allocate)",
        "call c1, step 6 (answer)",
        "call c1, step 6 (answer): bob sends the answer",
        "call c1, step 7 (check)",
        "call c1, step 7 (check): the request that nominates the pair",
        "call c1, step 8 (telemetry)",
        "call c1, step 8 (telemetry): alice reports",
    ]


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        ("invite", "notify", ("step 4 (notify)", "step 3 (invite)")),
        ("notify", "allocate B", ("step 5 (allocate)", "step 4 (notify)")),
        ("allocate A", "invite", ("step 3 (invite)", "step 2 (allocate)")),
        ("answer", "check", ("step 7 (check)", "step 6 (answer)")),
        ("check", "report B", ("step 8 (telemetry)", "step 7 (check)")),
    ],
)
def test_steps_out_of_order(
    tmp_path: FilePath, early: str, late: str, expected: tuple[str, str]
) -> None:
    order = [name for name in NAMES if name != early]
    order.insert(order.index(late) + 1, early)
    if late == "report B":
        order.remove("report A")
        order.insert(0, "report A")
    (text,) = problems(tell(order), tmp_path)
    assert text.startswith(f"call c1: {expected[0]} (frame ")
    assert f"came before {expected[1]} (frame " in text


def test_no_answer_from_the_name_server(tmp_path: FilePath) -> None:
    assert problems(tell(NAMES[1:]), tmp_path) == [
        "call c1 lacks step 1 (resolve): no DNS answer for front-end.service.example "
        "reached alice before the connection of the invite"
    ]


def test_a_name_resolved_only_after_the_connection_does_not_count(tmp_path: FilePath) -> None:
    order = ["connect", "resolve", *NAMES[2:]]
    (text,) = problems(tell(order), tmp_path)
    assert text.startswith("call c1 lacks step 1 (resolve)")


def test_a_second_call_with_a_warm_cache_cites_the_first_answer(tmp_path: FilePath) -> None:
    story = tell(NAMES)
    story.wait(1)
    for _, act in ORDER[1:]:
        act(story)
    scene, found = found_in(story, tmp_path)
    resolved = found[0]
    assert isinstance(resolved, Done)
    assert (scene.table.tap_name(resolved.row), scene.table.frame[resolved.row]) == (
        "alice-eth0",
        2,
    )
    assert resolved.flows == (Flow.F2,)


def test_an_answer_from_the_forwarders_cache_still_rests_on_its_query(tmp_path: FilePath) -> None:
    story = Telling()
    story.resolve()
    story.wait(1)
    story.resolve(forwarded=False)
    for _, act in ORDER[1:]:
        act(story)
    _, found = found_in(story, tmp_path)
    assert isinstance(found[0], Done)
    assert found[0].flows == (Flow.F2,)


@pytest.mark.parametrize(
    ("number", "change", "reason"),
    [
        (4, {"notified": None}, "step 4 (notify): bob was not told of the invite"),
        (6, {"answered": None}, "step 6 (answer): bob did not answer"),
        (6, {"told": None}, "step 6 (answer): alice was not told of the answer"),
        (8, {"reports": {}}, "step 8 (telemetry): alice and bob sent no telemetry"),
        (
            2,
            {
                "described": {
                    "alice": described("alice"),
                    "bob": described("bob", f"relay {RELAYED_B}"),
                }
            },
            "step 2 (allocate): the SDP of alice has no relay candidate",
        ),
    ],
)
def test_a_missing_message(
    tmp_path: FilePath, number: int, change: dict[str, Any], reason: str
) -> None:
    story = tell(NAMES)
    call = replace(call_of(story), **change)
    scene, found = found_in(story, tmp_path, call)
    assert f"call c1 lacks {reason}" in problems(story, tmp_path, call)
    assert number not in [step.step for step in steps_of(scene, found)]


@pytest.mark.parametrize(("user", "number"), [("alice", 2), ("bob", 5)])
def test_a_relay_candidate_that_no_relay_allocated(
    tmp_path: FilePath, user: str, number: int
) -> None:
    order = [name for name in NAMES if name != f"allocate {user[0].upper()}"]
    assert problems(tell(order), tmp_path) == [
        f"call c1 lacks step {number} (allocate): "
        f"no relay allocated {user} the address that its SDP offers"
    ]


def test_no_nomination(tmp_path: FilePath) -> None:
    order = [name for name in NAMES if name != "check"]
    assert problems(tell(order), tmp_path) == [
        "call c1 lacks step 7 (check): no nominating check was answered before media began"
    ]
