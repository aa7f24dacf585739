"""A scenario in the terms of the run folder."""

from dataclasses import replace

import pytest

from scenarios.scenario import Call, Scenario, find
from topologies.spec import Flow


@pytest.fixture
def scenario() -> Scenario:
    return find("external_relayed")


def test_what_is_not_asked_for_is_not_expected(scenario: Scenario) -> None:
    expectation = scenario.expectation()
    assert expectation.signalling == frozenset({Flow.F2, Flow.F3, Flow.F4})
    assert expectation.media == frozenset({Flow.F3, Flow.F4})
    assert (expectation.allocated_by, expectation.refused_first) == (None, None)


def test_every_expectation_gets_into_the_run(scenario: Scenario) -> None:
    more = replace(
        scenario, expect_allocated_by=frozenset({"alice"}), expect_refused_first="eve"
    ).expectation()
    assert (more.allocated_by, more.refused_first) == (frozenset({"alice"}), "eve")


@pytest.mark.parametrize("first", [False, True])
def test_who_checks_first_gets_into_the_plan(scenario: Scenario, first: bool) -> None:
    calls = (Call("alice", "eve", seconds=3, callee_checks_first=first),)
    (plan,) = replace(scenario, calls=calls).planned_calls()
    assert (plan.id, plan.caller, plan.callee, plan.seconds) == ("1-alice-eve", "alice", "eve", 3)
    assert plan.callee_checks_first is first


@pytest.mark.parametrize(
    ("name", "allocated_by"), [("relay_of_inside", "alice"), ("relay_of_outside", "eve")]
)
def test_the_relay_scenarios_say_whose_allocation_it_is(name: str, allocated_by: str) -> None:
    assert find(name).expect_allocated_by == frozenset({allocated_by})
