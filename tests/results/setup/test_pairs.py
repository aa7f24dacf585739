"""What became of each pair that was not selected: every outcome, by whom and why."""

from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from results.problems import Ground
from results.schema import Outcome, PairOutcome
from results.setup.ice import Ice
from results.setup.pairs import pair_outcomes, pair_problems, refusals_of_direct, unselected_pairs
from tests.results.call_story import a_call, answer, described, request
from tests.results.home_story import ALICE, CREATE_PERMISSION, EVE, HomeStory, alice_calls_eve
from tests.results.story import channel_data, ends, hops


def outcomes(ice: Ice) -> dict[str, PairOutcome]:
    """The pairs by user, local and remote type, written as "alice host-srflx"."""
    return {
        f"{pair.from_} {pair.local.type}-{pair.remote.type}": pair
        for pair in pair_outcomes(ice, unselected_pairs(ice))
    }


def told(pair: PairOutcome) -> tuple[str, str | None, str | None]:
    return str(pair.outcome), pair.by, pair.rule


def problems(ice: Ice) -> list[str]:
    found = list(pair_problems(ice, unselected_pairs(ice)))
    assert all(problem.ground is Ground.HOLE for problem in found)
    return [problem.text for problem in found]


def test_every_pair_of_both_check_lists_is_listed(tmp_path: FilePath) -> None:
    found = outcomes(HomeStory().ice(tmp_path))
    kinds = [f"{local}-{remote}" for local in ("host", "relay") for remote in
             ("host", "srflx", "relay")]  # fmt: skip
    assert list(found) == [f"{user} {kind}" for user in ("alice", "eve") for kind in kinds]
    assert {told(pair) for pair in found.values()} == {("not attempted", None, None)}
    pair = found["alice relay-srflx"]
    assert (pair.to, pair.because) == ("eve", "no check was seen on it")
    assert (pair.tap, pair.frame) == (None, None)
    assert f"{pair.local.address}:{pair.local.port}" == ALICE.relayed
    assert f"{pair.remote.address}:{pair.remote.port}" == EVE.mapped


def test_only_udp_makes_pairs(tmp_path: FilePath) -> None:
    call = alice_calls_eve()
    candidates = [item._replace(transport="tcp") for item in call.described["eve"].candidates]
    mute = replace(call.described["eve"], candidates=tuple(candidates))
    call = replace(call, described={**call.described, "eve": mute})
    assert outcomes(HomeStory().ice(tmp_path, call)) == {}


def test_refused_by_a_firewall(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    story.direct(ALICE, EVE, request("alice", "eve", 1), until="link")
    ice = story.ice(tmp_path)
    pair = outcomes(ice)["alice host-srflx"]
    assert told(pair) == ("refused", "office", "no_direct_media")
    assert pair.because == "media leaves the office through the relay only"
    assert (pair.tap, pair.frame) == ("core-eth2", 1)
    assert problems(ice) == []


def test_refused_by_a_nat(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.direct(EVE, ALICE, request("eve", "alice", 1), until="nat")
    pair = outcomes(story.ice(tmp_path))["eve host-srflx"]
    assert told(pair) == ("refused", "office_nat", "unsolicited_to_router")
    assert (pair.tap, pair.frame) == ("office_nat-eth1", 1)


@pytest.mark.parametrize("asked", [False, True])
def test_refused_by_a_relay_that_was_not_asked(tmp_path: FilePath, asked: bool) -> None:
    """Alice's permission is for another peer, or none."""
    story = HomeStory()
    story.allocate(ALICE)
    if asked:
        story.ask_for(ALICE, "198.51.100.99:1", 7, kind=CREATE_PERMISSION)
    story.to_relayed(EVE, ALICE, request("eve", "alice", 1), until="relay")
    pair = outcomes(story.ice(tmp_path))["eve host-relay"]
    assert told(pair) == ("refused", "relay", "no permission")
    assert pair.because == (
        "alice had not yet asked it to let 198.51.100.10 through (RFC 8656, section 9)"
    )


@pytest.mark.parametrize(
    ("kind", "name"), [(CREATE_PERMISSION, "CreatePermission"), (0x0009, "ChannelBind")]
)
def test_refused_by_a_relay_that_forbids_the_peer(tmp_path: FilePath, kind: int, name: str) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.socket, 7, kind=kind, error=403)
    found = outcomes(story.ice(tmp_path))
    pair = found["alice relay-host"]
    assert told(pair) == ("refused", "relay", "403")
    assert pair.because == f"it answered {name} with 403 (Forbidden IP)"
    assert (pair.tap, pair.frame) == ("alice-eth0", 3)
    assert found["alice relay-srflx"].outcome is Outcome.NOT_ATTEMPTED
    assert found["alice host-host"].outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize("error", [401, 438])
def test_being_asked_to_authenticate_is_no_refusal(tmp_path: FilePath, error: int) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.socket, 7, error=error)
    assert outcomes(story.ice(tmp_path))["alice relay-host"].outcome is Outcome.NOT_ATTEMPTED


def test_a_refusal_that_was_taken_back_is_none(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.socket, 7, error=403)
    story.ask_for(ALICE, EVE.socket, 8)
    assert outcomes(story.ice(tmp_path))["alice relay-host"].outcome is Outcome.NOT_ATTEMPTED


def test_no_route(tmp_path: FilePath) -> None:
    story = HomeStory()
    check = request("alice", "eve", 1)
    story.send(ALICE.inside, ends(ALICE.socket, EVE.socket), check)
    story.send(ALICE.outside[:1], ends(ALICE.mapped, EVE.socket), check)
    pair = outcomes(story.ice(tmp_path))["alice host-host"]
    assert told(pair) == ("no route", "inet", None)
    assert pair.because == "inet has no route to 192.168.1.11"
    assert (pair.tap, pair.frame) == ("inet-eth0", 1)


def test_worked_but_was_not_preferred(tmp_path: FilePath) -> None:
    """Refused at first, then answered: what came of it in the end counts."""
    story = HomeStory()
    story.direct(EVE, ALICE, request("eve", "alice", 1), until="nat")
    story.wait(0.5)
    story.direct(EVE, ALICE, request("eve", "alice", 1))
    story.direct(ALICE, EVE, answer("alice", 1, EVE.mapped))
    pair = outcomes(story.ice(tmp_path))["eve host-srflx"]
    assert told(pair) == ("worked, not preferred", None, None)
    assert pair.because == "alice answered a check on it"
    assert (pair.tap, pair.frame) == ("eve-eth0", 3)


def test_the_selected_pair_is_not_listed(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.direct(EVE, ALICE, request("eve", "alice", 1))
    story.direct(ALICE, EVE, answer("alice", 1, EVE.mapped))
    story.direct(ALICE, EVE, request("alice", "eve", 2, nominate=True))
    story.direct(EVE, ALICE, answer("eve", 2, ALICE.mapped))
    found = outcomes(story.ice(tmp_path))
    assert len(found) == 10
    assert not {"alice host-srflx", "eve host-srflx"} & set(found)


def test_a_relayed_pair_is_the_candidate_at_the_relay(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.mapped, 7)
    story.relayed(ALICE, EVE, request("alice", "eve", 1))
    story.to_relayed(EVE, ALICE, answer("eve", 1, ALICE.relayed))
    assert told(outcomes(story.ice(tmp_path))["alice relay-srflx"])[0] == "worked, not preferred"


def test_a_relayed_check_is_refused_beyond_the_relay(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.relayed(ALICE, EVE, request("alice", "eve", 1), until="nat")
    pair = outcomes(story.ice(tmp_path))["alice relay-srflx"]
    assert told(pair) == ("refused", "eve_nat", "unsolicited_to_router")


def test_the_channel_tells_the_peer_of_a_check_that_never_left_the_relay(
    tmp_path: FilePath,
) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.mapped, 7)
    story.relayed(ALICE, EVE, request("alice", "eve", 1), until="relay")
    ice = story.ice(tmp_path)
    pair = outcomes(ice)["alice relay-srflx"]
    assert told(pair) == ("unknown", None, None)
    assert pair.because == "a check reached relay-eth0 and was not seen to go on"
    assert problems(ice) == [
        "nothing explains what became of 1 pair of alice: "
        "a check reached relay-eth0 and was not seen to go on (frame 4 of relay-eth0)"
    ]


def test_without_the_channel_any_relayed_pair_may_have_been_tried(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.relayed(ALICE, EVE, request("alice", "eve", 1), until="relay")
    found = outcomes(story.ice(tmp_path))
    for remote in ("host", "srflx", "relay"):
        pair = found[f"alice relay-{remote}"]
        assert told(pair) == ("unknown", None, None)
        assert pair.because == "a check through the relay does not tell its peer"
        assert (pair.tap, pair.frame) == ("alice-eth0", 2)
    assert found["alice host-srflx"].outcome is Outcome.NOT_ATTEMPTED


def test_an_address_that_another_host_has_too(tmp_path: FilePath) -> None:
    """Eve offers an address of her home that is bob's in the office."""
    call = a_call(ALICE.described(), described("eve", "host 10.10.0.12:50003"), "eve")
    story = HomeStory()
    way = ends(ALICE.socket, "10.10.0.12:50003")
    story.send(hops("alice-eth0>bob-eth0"), way, request("alice", "eve", 1))
    ice = story.ice(tmp_path, call)
    pair = outcomes(ice)["alice host-host"]
    assert told(pair) == ("unknown", None, None)
    assert pair.because == "a check arrived at bob, which has 10.10.0.12 as well"
    assert problems(ice) == []


def test_a_check_that_arrived_but_was_not_answered(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.direct(ALICE, EVE, request("alice", "eve", 1))
    ice = story.ice(tmp_path)
    pair = outcomes(ice)["alice host-srflx"]
    assert told(pair) == ("unknown", None, None)
    assert pair.because == "a check reached eve, who did not answer it"
    assert problems(ice) == []


def test_an_answer_that_was_refused(tmp_path: FilePath) -> None:
    """The way back is another one, and closed."""
    story = HomeStory()
    story.direct(ALICE, EVE, request("alice", "eve", 1))
    story.direct(EVE, ALICE, answer("eve", 1, ALICE.mapped), until="nat")
    pair = outcomes(story.ice(tmp_path))["alice host-srflx"]
    assert told(pair) == ("refused", "office_nat", "unsolicited_to_router")
    assert pair.because.startswith("the answer to a check did not arrive: nothing inside had")


def test_an_answer_that_vanished(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.direct(ALICE, EVE, request("alice", "eve", 1))
    story.direct(EVE, ALICE, answer("eve", 1, ALICE.mapped), until="link")
    ice = story.ice(tmp_path)
    lost = "the answer to a check left eve-eth0 and was not seen to arrive at eve_nat-eth0"
    assert outcomes(ice)["alice host-srflx"].because == lost
    assert problems(ice) == [
        f"nothing explains what became of 1 pair of alice: {lost} (frame 2 of eve-eth0)"
    ]


def test_checks_that_vanished_at_one_place_are_one_problem(tmp_path: FilePath) -> None:
    story = HomeStory()
    for number, remote in enumerate((EVE.socket, EVE.mapped)):
        check = request("alice", "eve", number)
        story.send(ALICE.inside, ends(ALICE.socket, remote), check, lost=True)
    assert problems(story.ice(tmp_path)) == [
        "nothing explains what became of 2 pairs of alice: "
        "a check left core-eth2 and was not seen to arrive at office_nat-eth0 "
        "(frame 1 of core-eth2)"
    ]


def test_a_peer_reflexive_address_makes_a_pair_of_its_own(tmp_path: FilePath) -> None:
    call = a_call(ALICE.described(), described("eve", f"host {EVE.socket}"), "eve")
    story = HomeStory()
    story.direct(ALICE, EVE, request("alice", "eve", 1))
    story.direct(EVE, ALICE, answer("eve", 1, ALICE.mapped))
    pair = outcomes(story.ice(tmp_path, call))["alice host-prflx"]
    assert f"{pair.remote.address}:{pair.remote.port}" == EVE.mapped
    assert told(pair)[0] == "worked, not preferred"


def test_the_refusals_of_direct_pairs_in_words(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    story.allocate(EVE)
    story.direct(ALICE, EVE, request("alice", "eve", 1), until="link")
    story.send(ALICE.inside, ends(ALICE.socket, EVE.socket), request("alice", "eve", 2), lost=True)
    story.direct(EVE, ALICE, request("eve", "alice", 3), until="nat")
    story.to_relay(EVE, channel_data(request("eve", "alice", 4)))
    ice = story.ice(tmp_path)
    pairs = pair_outcomes(ice, unselected_pairs(ice))
    assert refusals_of_direct(pairs) == (
        "office: no_direct_media and office_nat: unsolicited_to_router"
    )
    assert refusals_of_direct([]) == ""
