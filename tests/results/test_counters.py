"""Rules must have counted what the captures show that they refused."""

from pathlib import Path as FilePath

import pytest

from results.counters import counted_by_rules, counter_problems
from results.problems import Ground
from results.schema import Ending
from tests.results.home_story import ALICE, EVE, HomeStory
from tests.results.judged import a_run

RIGHT = {
    "office": {"no_direct_media": 2, "default_deny": 0, "established": 300},
    "office_nat": {"unsolicited_to_router": 1, "unsolicited": 0},
}


def a_story() -> HomeStory:
    """Two of alice's packets end at the office's firewall, one of eve's at its NAT."""
    story = HomeStory()
    story.enforce("office", "service_only")
    for number in (1, 2):
        story.direct(ALICE, EVE, bytes([0, number]) * 9, until="link")
    story.direct(EVE, ALICE, bytes(9), until="nat")
    return story


def problems(
    story: HomeStory, folder: FilePath, counted: dict[str, dict[str, int]], end: int = 2**63
) -> list[str]:
    story.counted = list(counted)
    ice = story.ice(folder)
    run = a_run(network=story.network, policies=story.policies)
    found = list(counter_problems(run, counted, ice.fates, ice.udp, end))
    assert all(problem.ground is Ground.COUNTERS for problem in found)
    return [problem.text for problem in found]


def changed(device: str, rule: str, count: int) -> dict[str, dict[str, int]]:
    return {**RIGHT, device: {**RIGHT[device], rule: count}}


def test_counters_that_agree(tmp_path: FilePath) -> None:
    assert problems(a_story(), tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("device", "rule", "count", "text"),
    [
        ("office", "no_direct_media", 0, "counted 0 packets, but the captures show 2"),
        ("office", "no_direct_media", 1, "counted 1 packet, but the captures show 2"),
        ("office", "no_direct_media", 3, "counted 3 packets, but the captures show 2"),
        ("office_nat", "unsolicited_to_router", 0, "counted 0 packets, but the captures show 1"),
    ],
)
def test_counters_that_do_not(
    tmp_path: FilePath, device: str, rule: str, count: int, text: str
) -> None:
    assert problems(a_story(), tmp_path, changed(device, rule, count)) == [
        f"rule {rule} of {device} {text} that it refused"
    ]


@pytest.mark.parametrize(("count", "right"), [(0, False), (1, True), (2, True), (3, False)])
def test_what_was_under_way_when_the_taps_ended_may_have_been_refused_or_not(
    tmp_path: FilePath, count: int, right: bool
) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    story.direct(ALICE, EVE, bytes([0, 1]) * 9, until="link")
    end = story.now
    story.wait(0.01)
    story.direct(ALICE, EVE, bytes([0, 2]) * 9, until="link")
    counted = {"office": {"no_direct_media": count}}
    assert (problems(story, tmp_path, counted, end) == []) is right


@pytest.mark.parametrize(
    ("device", "rule"), [("office_nat", "unsolicited_to_router"), ("office", "default_deny")]
)
def test_a_rule_for_more_than_udp_may_have_counted_more(
    tmp_path: FilePath, device: str, rule: str
) -> None:
    assert problems(a_story(), tmp_path, changed(device, rule, 9)) == []


def test_what_a_rule_refused_without_being_seen(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    assert problems(story, tmp_path, RIGHT) == [
        "rule no_direct_media of office counted 2 packets, but the captures show 0 that it refused"
    ]


@pytest.mark.parametrize(
    ("counted", "wrong"), [(0, True), (1, False), (2, False), (3, True)], ids=str
)
def test_what_was_lost_after_captures_ended_may_or_may_not_have_been_refused(
    tmp_path: FilePath, counted: int, wrong: bool
) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    story.direct(ALICE, EVE, bytes([0, 1]) * 9, until="link")
    end = story.now
    story.direct(ALICE, EVE, bytes([0, 2]) * 9, until="link")
    story.direct(EVE, ALICE, bytes(9), until="nat")
    found = problems(story, tmp_path, changed("office", "no_direct_media", counted), end)
    assert bool(found) is wrong


def test_a_rule_that_has_no_counter(tmp_path: FilePath) -> None:
    assert problems(a_story(), tmp_path, {**RIGHT, "office": {}}) == [
        "rule no_direct_media of office counted 0 packets, but the captures show 2 that it refused"
    ]


def test_a_firewall_without_counters(tmp_path: FilePath) -> None:
    counted = {"office_nat": RIGHT["office_nat"]}
    assert problems(a_story(), tmp_path, counted) == [
        "office enforces a policy, but ending.json has no counters of its rules"
    ]


def test_a_nat_without_counters_is_of_an_older_run(tmp_path: FilePath) -> None:
    assert problems(a_story(), tmp_path, {"office": RIGHT["office"]}) == []


def test_the_counters_of_a_run() -> None:
    assert counted_by_rules(None) == {}
    ending = Ending(
        taps={}, exits={}, seconds={}, firewalls={"office": {"arp": 1}}, nats={"nat": {"out": 2}}
    )
    assert counted_by_rules(ending) == {"office": {"arp": 1}, "nat": {"out": 2}}
