"""A scenario in the terms of the run folder."""

import re
from dataclasses import replace
from typing import Any

import pytest

from results.schema import StreamKind
from scenarios.scenario import Call, ConnectVpn, Scenario, ScenarioError, find
from topologies.spec import Flow


@pytest.fixture
def scenario() -> Scenario:
    return find("external_relayed")


def test_what_is_not_asked_for_is_not_expected(scenario: Scenario) -> None:
    expectation = scenario.expectation()
    assert expectation.signalling == frozenset({Flow.F2, Flow.F3, Flow.F4})
    assert expectation.media == frozenset({Flow.F3, Flow.F4})
    assert (expectation.allocated_by, expectation.refused_first) == (None, None)
    assert expectation.ip is None


def test_every_expectation_gets_into_the_run(scenario: Scenario) -> None:
    more = replace(
        scenario,
        expect_allocated_by=frozenset({"alice"}),
        expect_refused_first="eve",
        expect_ip=frozenset({"IPv6"}),
    ).expectation()
    assert (more.allocated_by, more.refused_first) == (frozenset({"alice"}), "eve")
    assert more.ip == frozenset({"IPv6"})


@pytest.mark.parametrize("first", [False, True])
def test_who_checks_first_gets_into_the_plan(scenario: Scenario, first: bool) -> None:
    calls = (Call("alice", "eve", seconds=3, callee_checks_first=first),)
    (plan,) = replace(scenario, calls=calls).planned_calls()
    assert (plan.id, plan.caller, plan.callee, plan.seconds) == ("1-alice-eve", "alice", "eve", 3)
    assert plan.callee_checks_first is first


def test_what_is_said_in_a_chat_gets_into_the_plan_in_turns(scenario: Scenario) -> None:
    calls = (Call("alice", "eve", chat=("a", "b", "c")),)
    (plan,) = replace(scenario, calls=calls).planned_calls()
    assert (plan.said_by("alice"), plan.said_to("alice")) == (("a", "c"), ("b",))
    assert (plan.said_by("eve"), plan.said_to("eve")) == (("b",), ("a", "c"))
    assert (plan.said_by("bob"), plan.said_to("bob")) == ((), ())


@pytest.mark.parametrize(
    ("name", "allocated_by"), [("relay_of_inside", "alice"), ("relay_of_outside", "eve")]
)
def test_the_relay_scenarios_say_whose_allocation_it_is(name: str, allocated_by: str) -> None:
    assert find(name).expect_allocated_by == frozenset({allocated_by})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "a/b"}, "scenario a/b: a name has small letters, digits and _ only"),
        ({"calls": ()}, "it has no calls, so there is nothing to prove"),
        (
            {"calls": (Call("alice", "zoe"),)},
            "it has no user 'zoe' for a call; there are: alice, bob, bea, eve, nina",
        ),
        ({"calls": (Call("alice", "relay"),)}, "it has no user 'relay' for a call"),
        ({"calls": (Call("alice", "alice"),)}, "alice calls nobody else"),
        ({"calls": (Call("alice", "eve", seconds=0),)}, "lasts 0 seconds; it must last longer"),
        ({"calls": (Call("alice", "eve", chat=("a", "")),)}, "alice and eve has an empty message"),
        ({"policies": {"offce": "udp_out"}}, "it has no firewall 'offce'; there are: office, "),
        ({"connections": (ConnectVpn("office", "vic", 1),)}, "it has no VPN 'office'; there are: "),
        ({"expect_allocated_by": frozenset({"zoe"})}, "expects something of zoe, who is in no"),
        ({"expect_refused_first": "bob"}, "expects something of bob, who is in no call"),
        ({"expect_far_edge": frozenset({"bob"})}, "expects something of bob, who is in no call"),
        ({"expect_exits": {"bob": "office_nat"}}, "expects something of bob, who is in no call"),
        (
            {"expect_exits": {"alice": "core"}},
            "it expects alice to leave by 'core', no perimeter; there are: office_nat, eve_nat, ",
        ),
    ],
)
def test_what_cannot_take_place_is_no_scenario(
    scenario: Scenario, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScenarioError, match=re.escape(said)):
        replace(scenario, **change)


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (ConnectVpn("office", "eve", 1), "VPN office has no user 'eve'; there are: vic, vera"),
        (ConnectVpn("office", "vic", 0), "vic connects in mid-call: after_seconds is 1 or more"),
    ],
)
def test_who_connects_in_mid_call_is_a_user_of_the_vpn(connection: ConnectVpn, said: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(said)):
        replace(find("vpn_to_vpn"), connections=(connection,))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (
            Call("alice", "eve", streams=(StreamKind.CAMERA,)),
            "the call of alice has no audio, by which its seconds are counted",
        ),
        (
            Call("alice", "eve", streams=(StreamKind.AUDIO, StreamKind.AUDIO)),
            "the call of alice can have audio, camera and screen, each once",
        ),
        (
            Call("alice", "eve", streams=(StreamKind.AUDIO, StreamKind.VIDEO)),
            "the call of alice can have audio, camera and screen, each once",
        ),
        (
            Call("alice", "eve", third_party_relay="relay"),
            "it has no third-party relay 'relay'; there are: ext_relay",
        ),
    ],
)
def test_calls_that_cannot_take_place(call: Call, problem: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(problem)):
        replace(find("third_party_relay"), calls=(call,))


def test_what_a_call_sends_and_what_becomes_of_it_is_planned() -> None:
    (video,) = find("one_to_one_video").planned_calls()
    assert video.streams == (StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)
    (refused,) = find("third_party_relay").planned_calls()
    assert (refused.third_party_relay, refused.refused) == ("ext_relay", "ThirdPartyRelay")
