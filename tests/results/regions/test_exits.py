"""By which perimeter users leave, and that a peering is private."""

from datetime import UTC, datetime

import pytest

from results.regions.exits import Course, exit_findings
from results.schema import Citation, Expectation, Run
from topologies.regions import regions_with_breakout, regions_with_peering
from topologies.spec import Flow, Network


def _run(network: Network, **exits: str) -> Run:
    return Run(
        run="r",
        scenario="s",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        network=network,
        calls=(),
        expect=Expectation(signalling=frozenset(), media=frozenset({Flow.F4}), exits=exits),
        versions={},
        facilities={},
    )


def _course(*hosts: str) -> Course:
    return Course("a connection", hosts, Citation(tap="t", file="f", frame=3, what="w"))


HEAD = _course("bea", "branch_rtr", "core", "office_nat", "inet_west", "west_rtr", "front_west")
OWN = _course("bea", "branch_rtr", "branch_nat", "inet_mid", "mid_rtr", "front_mid")
INSIDE = _course("bea", "branch_rtr", "core", "alice")
ANOTHERS = _course("alice", "core", "office_nat", "inet_west", "west_rtr", "front_west")


def test_what_leaves_elsewhere_is_a_problem_with_its_frame() -> None:
    run = _run(regions_with_breakout(), bea="branch_nat")
    found = exit_findings(run, [OWN, HEAD])
    (problem,) = found.problems
    assert problem.text == (
        "bea leaves the customer network by office_nat, not by branch_nat: a connection "
        "(frame 3 of t)"
    )
    assert problem.citations == (HEAD.citation,)


def test_what_stays_inside_or_is_anothers_does_not_matter() -> None:
    run = _run(regions_with_breakout(), bea="branch_nat")
    found = exit_findings(run, [OWN, INSIDE, ANOTHERS])
    assert found.problems == ()
    assert [remark.text for remark in found.remarks] == ["all 1 that bea opened left by branch_nat"]


def test_nothing_seen_is_no_success() -> None:
    found = exit_findings(_run(regions_with_breakout(), bea="branch_nat"), [INSIDE])
    (problem,) = found.problems
    assert problem.text == "nothing that bea opened was seen to leave the customer network"


@pytest.mark.parametrize(
    ("beyond", "said"),
    [
        (("west_rtr", "front_west"), None),
        (
            ("west_rtr", "inet_west", "inet_mid", "mid_rtr", "front_mid"),
            "peer_nat leads alice over the internet, by inet_west: a connection (frame 3 of t)",
        ),
    ],
)
def test_a_peering_is_private_to_its_end(beyond: tuple[str, ...], said: str | None) -> None:
    run = _run(regions_with_peering(), alice="peer_nat")
    found = exit_findings(run, [_course("alice", "core", "peer_nat", *beyond)])
    assert [problem.text for problem in found.problems] == ([said] if said else [])


def test_no_expectation_no_finding() -> None:
    assert exit_findings(_run(regions_with_breakout()), [OWN, HEAD]).problems == ()
