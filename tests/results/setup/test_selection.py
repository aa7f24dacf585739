"""Which pair was nominated, how each end sees it, and what the ends say of it."""

from pathlib import Path as FilePath

import pytest

from results.problems import Ground
from results.schema import Claim, Endpoint
from results.setup.calls import Call
from results.setup.checks import Pair, checks_of, stun_messages
from results.setup.selection import Selection, claim_problems, off_the_pair, selection_of
from tests.results.call_story import (
    MAPPED,
    REQUEST,
    SUCCESS,
    USE_CANDIDATE,
    USERNAME,
    a_call,
    answer,
    check,
    described,
    password,
    request,
)
from tests.results.story import (
    ALICE,
    ALICE_BOB,
    ALICE_NAT,
    BOB,
    EVE,
    EVE_RELAY,
    NAT,
    NAT_EVE,
    NAT_RELAY,
    RELAY,
    RELAYED_A,
    Story,
    back,
    channel_data,
    end,
    ends,
    rtp,
    signed,
    xored,
)

OTHER_ALICE = "10.10.0.11:50009"
BOTH = ("alice", "bob")
CALL = a_call(
    described("alice", f"host {ALICE}", f"host {OTHER_ALICE}"), described("bob", f"host {BOB}")
)


def select(story: Story, folder: FilePath, call: Call, media_began: int | None = None) -> Selection:
    table = story.table(folder)
    spoken = stun_messages(table, story.travels(folder))
    checks = {user: checks_of(story.places, spoken, call, user) for user in call.participants}
    return selection_of(table, call, checks, media_began)


def triggered(story: Story, transaction: int = 90, to: str = ALICE) -> None:
    """Bob's own check on a pair."""
    check(story, back(ALICE_BOB), (BOB, to), ("bob", "alice"), transaction)


def words(endpoint: Endpoint) -> str:
    return f"{endpoint.type} {endpoint.address}:{endpoint.port}"


def texts(selection: Selection) -> list[str]:
    return [problem.text for problem in selection.problems]


def test_two_hosts(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True)
    selection = select(story, tmp_path, CALL)
    assert selection.nomination
    assert selection.nomination.sender == "alice"
    alice, bob = selection.selected["alice"], selection.selected["bob"]
    assert (words(alice.local), words(alice.remote)) == (f"host {ALICE}", f"host {BOB}")
    assert (words(bob.local), words(bob.remote)) == (f"host {BOB}", f"host {ALICE}")
    assert selection.problems == ()


def test_a_check_without_use_candidate_nominates_nothing(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1)
    assert select(story, tmp_path, CALL).nomination is None


def test_a_controlled_agent_nominates_nothing(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    name = (USERNAME, b"bob-ufrag:alice-ufrag")
    flagged = signed(REQUEST, 1, password("bob"), name, (USE_CANDIDATE, b""))
    story.send(ALICE_BOB, ends(ALICE, BOB), flagged)
    story.send(back(ALICE_BOB), ends(BOB, ALICE), answer("bob", 1, ALICE))
    assert select(story, tmp_path, CALL).nomination is None


def test_a_check_without_an_answer_nominates_nothing(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True, answered=False)
    assert select(story, tmp_path, CALL).nomination is None


@pytest.mark.parametrize("user", ["alice", "mallory"])
def test_a_check_under_another_password_is_none_of_the_calls(tmp_path: FilePath, user: str) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True, key=password(user))
    assert select(story, tmp_path, CALL).nomination is None


def test_a_forged_answer_is_no_answer(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True, answered=False)
    forged = signed(SUCCESS, 1, "guessed", (MAPPED, xored(end(ALICE))))
    story.send(back(ALICE_BOB), ends(BOB, ALICE), forged)
    assert select(story, tmp_path, CALL).nomination is None


def test_a_retransmitted_nomination_counts_once(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True, answered=False)
    story.wait(0.5)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True)
    selection = select(story, tmp_path, CALL)
    assert selection.nomination
    assert selection.nomination.request.first.time == story.now - 4 * 10_000


def test_the_last_nomination_before_media_counts(tmp_path: FilePath) -> None:
    story = Story()
    triggered(story, 90)
    triggered(story, 91, OTHER_ALICE)
    check(story, ALICE_BOB, (OTHER_ALICE, BOB), BOTH, 1, nominate=True)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 2, nominate=True)
    media_began = story.now
    check(story, ALICE_BOB, (OTHER_ALICE, BOB), BOTH, 3, nominate=True)
    early = select(story, tmp_path, CALL, media_began)
    assert words(early.selected["alice"].local) == f"host {ALICE}"
    late = select(story, tmp_path, CALL)
    assert words(late.selected["alice"].local) == f"host {OTHER_ALICE}"


def test_ends_that_selected_different_pairs(tmp_path: FilePath) -> None:
    """Bob answered a second nomination, but alice never learned of it."""
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True)
    check(story, ALICE_BOB, (OTHER_ALICE, BOB), BOTH, 2, nominate=True, answered=False)
    answer = signed(SUCCESS, 2, password("bob"), (MAPPED, xored(end(OTHER_ALICE))))
    story.send(back(ALICE_BOB), ends(BOB, OTHER_ALICE), answer, lost=True)
    selection = select(story, tmp_path, CALL)
    assert texts(selection) == [
        f"the ends of call c1 selected different pairs: alice {ALICE} to {BOB}, "
        f"but bob answered last for {OTHER_ALICE} to {BOB}"
    ]
    assert selection.problems[0].ground is Ground.CALL


def test_an_end_without_a_check_of_its_own(tmp_path: FilePath) -> None:
    story = Story()
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True)
    assert texts(select(story, tmp_path, CALL)) == [
        "no check of bob on the nominated pair of call c1 was answered"
    ]


def through_nat(story: Story, payload: bytes, *, reply: bytes = b"") -> None:
    """From alice to eve by the office NAT, and back."""
    story.send(ALICE_NAT, ends(ALICE, EVE), payload)
    story.send(NAT_EVE, ends(NAT, EVE), payload)
    if reply:
        story.send(back(NAT_EVE), ends(EVE, NAT), reply)
        story.send(back(ALICE_NAT), ends(EVE, ALICE), reply)


@pytest.mark.parametrize(("declared", "kind"), [((f"srflx {NAT}",), "srflx"), ((), "prflx")])
def test_behind_a_nat_the_type_is_that_of_the_mapped_address(
    tmp_path: FilePath, declared: tuple[str, ...], kind: str
) -> None:
    call = a_call(
        described("alice", f"host {ALICE}", *declared), described("eve", f"host {EVE}"), "eve"
    )
    story = Story()
    through_nat(story, request("alice", "eve", 1, nominate=True), reply=answer("eve", 1, NAT))
    story.send(back(NAT_EVE), ends(EVE, NAT), request("eve", "alice", 2))
    story.send(back(ALICE_NAT), ends(EVE, ALICE), request("eve", "alice", 2))
    through_nat(story, answer("alice", 2, EVE))
    selection = select(story, tmp_path, call)
    alice, eve = selection.selected["alice"], selection.selected["eve"]
    assert (words(alice.local), words(alice.remote)) == (f"{kind} {NAT}", f"host {EVE}")
    assert (words(eve.local), words(eve.remote)) == (f"host {EVE}", f"{kind} {NAT}")
    assert selection.pairs["alice"] == Pair(end(ALICE), False, end(EVE))
    assert selection.problems == ()


def relayed(story: Story, payload: bytes, *, to_eve: bool) -> None:
    """Between alice, who speaks through her relay, and eve."""
    if to_eve:
        story.send(ALICE_NAT, ends(ALICE, RELAY), channel_data(payload))
        story.send(NAT_RELAY, ends(NAT, RELAY), channel_data(payload))
        story.send(back(EVE_RELAY), ends(RELAYED_A, EVE), payload)
    else:
        story.send(EVE_RELAY, ends(EVE, RELAYED_A), payload)
        story.send(back(NAT_RELAY), ends(RELAY, NAT), channel_data(payload))
        story.send(back(ALICE_NAT), ends(RELAY, ALICE), channel_data(payload))


def relayed_selection(folder: FilePath) -> tuple[Call, Selection]:
    call = a_call(
        described("alice", f"host {ALICE}", f"relay {RELAYED_A}"),
        described("eve", f"host {EVE}"),
        "eve",
    )
    story = Story()
    relayed(story, request("alice", "eve", 1, nominate=True), to_eve=True)
    relayed(story, answer("eve", 1, RELAYED_A), to_eve=False)
    relayed(story, request("eve", "alice", 2), to_eve=False)
    relayed(story, answer("alice", 2, EVE), to_eve=True)
    return call, select(story, folder, call)


def test_through_the_relay(tmp_path: FilePath) -> None:
    _, selection = relayed_selection(tmp_path)
    alice, eve = selection.selected["alice"], selection.selected["eve"]
    assert (words(alice.local), words(alice.remote)) == (f"relay {RELAYED_A}", f"host {EVE}")
    assert (words(eve.local), words(eve.remote)) == (f"host {EVE}", f"relay {RELAYED_A}")
    assert selection.pairs["alice"] == Pair(end(ALICE), True, end(EVE))
    assert selection.problems == ()


def intranet_selection(folder: FilePath) -> tuple[Story, Selection]:
    story = Story()
    triggered(story)
    check(story, ALICE_BOB, (ALICE, BOB), BOTH, 1, nominate=True)
    return story, select(story, folder, CALL)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ALICE, []),
        (
            OTHER_ALICE,
            [
                f"media of call c1 runs at alice on {OTHER_ALICE} to {BOB}, "
                f"but the nominated pair is {ALICE} to {BOB}",
                f"media of call c1 runs at bob on {BOB} to {OTHER_ALICE}, "
                f"but the nominated pair is {BOB} to {ALICE}",
            ],
        ),
    ],
)
def test_media_belongs_on_the_nominated_pair(
    tmp_path: FilePath, source: str, expected: list[str]
) -> None:
    story, selection = intranet_selection(tmp_path)
    story.frames.clear()
    story.send(ALICE_BOB, ends(source, BOB), rtp(1))
    table, paths = story.table(tmp_path), story.travels(tmp_path).paths
    found = off_the_pair(table, story.places, CALL, selection, paths)
    assert [problem.text for problem in found] == expected


def endpoint(kind: str, at: str, protocol: str = "udp") -> Endpoint:
    address, port = at.split(":")
    return Endpoint.model_validate(
        {"type": kind, "address": address, "port": port, "protocol": protocol}
    )


def claim(local: Endpoint, remote: Endpoint) -> Claim:
    return Claim(call="c1", local=local, remote=remote)


HONEST = {
    "alice": claim(endpoint("host", ALICE), endpoint("host", BOB)),
    "bob": claim(endpoint("host", BOB), endpoint("host", ALICE)),
}


def test_honest_claims(tmp_path: FilePath) -> None:
    _, selection = intranet_selection(tmp_path)
    assert claim_problems(CALL, selection, HONEST) == []


def test_a_peer_that_was_reflexive_before_its_sdp_came(tmp_path: FilePath) -> None:
    _, selection = intranet_selection(tmp_path)
    claims = HONEST | {"bob": claim(endpoint("host", BOB), endpoint("prflx", ALICE))}
    assert claim_problems(CALL, selection, claims) == []


def test_a_missing_claim(tmp_path: FilePath) -> None:
    _, selection = intranet_selection(tmp_path)
    (problem,) = claim_problems(CALL, selection, {"alice": HONEST["alice"]})
    assert problem.text == "bob left no claim of the pair that it selected in call c1"
    assert problem.ground is Ground.NO_CLAIM


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        (
            endpoint("host", OTHER_ALICE),
            endpoint("host", BOB),
            f"alice claims the local end {OTHER_ALICE}/udp (host) as selected in call c1, "
            f"but the captures show {ALICE}/udp (host)",
        ),
        (
            endpoint("host", ALICE),
            endpoint("host", "10.10.0.12:1"),
            "alice claims the remote end 10.10.0.12:1/udp (host) as selected in call c1, "
            f"but the captures show {BOB}/udp (host)",
        ),
        (
            endpoint("relay", ALICE),
            endpoint("host", BOB),
            f"alice claims the local end {ALICE}/udp (relay) as selected in call c1, "
            f"but the captures show {ALICE}/udp (host)",
        ),
        (
            endpoint("host", ALICE, "tcp"),
            endpoint("host", BOB),
            f"alice claims the local end {ALICE}/tcp (host) as selected in call c1, "
            f"but the captures show {ALICE}/udp (host)",
        ),
    ],
)
def test_claims_that_the_captures_refute(
    tmp_path: FilePath, local: Endpoint, remote: Endpoint, expected: str
) -> None:
    _, selection = intranet_selection(tmp_path)
    (problem,) = claim_problems(CALL, selection, HONEST | {"alice": claim(local, remote)})
    assert problem.text == expected
    assert problem.ground is Ground.CLAIM


def test_the_claim_of_a_relayed_end_names_its_relayed_address(tmp_path: FilePath) -> None:
    call, selection = relayed_selection(tmp_path)
    claims = {
        "alice": claim(endpoint("relay", RELAYED_A), endpoint("host", EVE)),
        "eve": claim(endpoint("host", EVE), endpoint("relay", RELAYED_A)),
    }
    assert claim_problems(call, selection, claims) == []
