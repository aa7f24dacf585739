"""A first packet from outside is refused, until the inside user's opens the way."""

from collections.abc import Callable
from pathlib import Path as FilePath

import pytest

from results.problems import Ground
from results.setup.first_packet import Reversal, reversal
from tests.results.call_story import a_call, answer, described, request
from tests.results.home_story import ALICE, EVE, HomeStory, alice_calls_eve
from tests.results.story import ALICE_BOB, back, ends

Act = Callable[[HomeStory], None]

TUPLE = f"{EVE.mapped} to {ALICE.mapped}"


def eve_checks(story: HomeStory) -> None:
    story.direct(EVE, ALICE, request("eve", "alice", 1))
    story.direct(ALICE, EVE, answer("alice", 1, EVE.mapped))


def eve_is_refused(story: HomeStory) -> None:
    story.direct(EVE, ALICE, request("eve", "alice", 1), until="nat")
    story.wait(0.5)


def alice_checks(story: HomeStory) -> None:
    story.direct(ALICE, EVE, request("alice", "eve", 2, nominate=True))
    story.direct(EVE, ALICE, answer("eve", 2, ALICE.mapped))


def tell(folder: FilePath, *acts: Act) -> Reversal:
    story = HomeStory()
    for act in acts:
        act(story)
    return reversal(story.ice(folder), "eve")


def test_refused_opened_passed(tmp_path: FilePath) -> None:
    found = tell(tmp_path, eve_is_refused, alice_checks, eve_checks)
    assert found.missing is None
    assert list(found.problems(alice_calls_eve())) == []
    assert [(item.tap, item.frame, item.what) for item in found.citations] == [
        ("office_nat-eth1", 1, f"first packet of eve, {TUPLE}, not let through"),
        ("office_nat-eth1", 2, "first packet of alice the other way"),
        ("office_nat-eth1", 3, f"packet of eve, {TUPLE}, let through"),
    ]


def test_a_first_check_that_arrived(tmp_path: FilePath) -> None:
    found = tell(tmp_path, eve_checks, alice_checks)
    assert found.missing == "the first check of eve on the selected pair reached alice"
    (problem,) = found.problems(alice_calls_eve())
    assert problem.ground is Ground.FLOWS
    assert problem.text == f"expected a refused first packet in call c1, but {found.missing}"


def test_the_inside_user_was_first(tmp_path: FilePath) -> None:
    def alice_is_early(story: HomeStory) -> None:
        story.direct(ALICE, EVE, request("alice", "eve", 9), until="nat")

    found = tell(tmp_path, alice_is_early, eve_is_refused, alice_checks, eve_checks)
    assert found.missing == "a packet of alice had left at office_nat-eth1 before the first of eve"
    assert [item.frame for item in found.citations] == [2, 1]


def test_nothing_opened_the_way(tmp_path: FilePath) -> None:
    """A tap that missed alice's packets proves nothing; the hole is told elsewhere."""
    story = HomeStory()
    eve_is_refused(story)
    story.deaf = {"office_nat-eth1"}
    alice_checks(story)
    eve_checks(story)
    found = reversal(story.ice(tmp_path), "eve")
    assert found.missing == "no packet of alice left toward it at office_nat-eth1"


def test_nothing_passed_on_the_same_ends(tmp_path: FilePath) -> None:
    story = HomeStory()
    eve_is_refused(story)
    story.direct(ALICE, EVE, request("alice", "eve", 2, nominate=True))
    story.deaf = {"office_nat-eth1"}
    story.direct(EVE, ALICE, answer("eve", 2, ALICE.mapped))
    eve_checks(story)
    found = reversal(story.ice(tmp_path), "eve")
    assert found.missing == f"no later packet of eve from {TUPLE} arrived"
    assert [item.frame for item in found.citations] == [1, 2]


def test_refused_elsewhere_than_at_a_nat(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.direct(EVE, ALICE, request("eve", "alice", 1), until="link")
    story.wait(0.5)
    alice_checks(story)
    eve_checks(story)
    found = reversal(story.ice(tmp_path), "eve")
    assert found.missing == (
        "the first check of eve on the selected pair ended at eve-eth0, not at a NAT"
    )


@pytest.mark.parametrize("acts", [(), (eve_is_refused,)])
def test_no_pair_was_selected(tmp_path: FilePath, acts: tuple[Act, ...]) -> None:
    assert tell(tmp_path, *acts).missing == "eve sent no check on a selected pair"


def test_between_neighbours_nothing_is_refused(tmp_path: FilePath) -> None:
    bob = "10.10.0.12:50001"
    call = a_call(described("alice", f"host {ALICE.socket}"), described("bob", f"host {bob}"))
    story = HomeStory()
    for sender, receiver, way, at in (
        ("bob", "alice", back(ALICE_BOB), ends(bob, ALICE.socket)),
        ("alice", "bob", ALICE_BOB, ends(ALICE.socket, bob)),
    ):
        check = request(sender, receiver, at.sport, nominate=sender == "alice")
        story.send(way, at, check)
        seen = ALICE.socket if sender == "alice" else bob
        story.send(back(way), at.reversed(), answer(receiver, at.sport, seen))
    found = reversal(story.ice(tmp_path, call), "bob")
    assert found.missing == "the first check of bob on the selected pair reached alice"
