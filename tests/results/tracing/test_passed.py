"""What is seen on both sides of a device was let through by a rule of it that counts."""

from pathlib import Path

from results.counters import silent_rules
from results.problems import Ground
from results.tracing.passed import Passed, let_through
from results.tracing.paths import follow_udp
from tests.results.home_story import ALICE, EVE, HomeStory
from tests.results.judged import a_run
from tests.results.vpn_story import VpnStory

OFFICE_AND_NATS = {
    ("office", "turn"): 1,
    ("office", "established"): 2,
    ("office", "ip"): 3,
    ("office_nat", "outward"): 1,
    ("office_nat", "translated"): 1,
    ("office_nat", "established"): 2,
}


def passed(story: HomeStory, folder: Path) -> Passed:
    table, places = story.table(folder), story.places
    run = a_run(network=story.network, policies=story.policies)
    return let_through(run, places, table, follow_udp(table, places).paths, ())


def an_allocation() -> HomeStory:
    """Alice asks the relay, which answers; she asks again."""
    story = HomeStory()
    story.enforce("office", "service_only")
    story.to_relay(ALICE, bytes([0, 1]) * 9)
    story.from_relay(ALICE, bytes([0, 2]) * 9)
    story.to_relay(ALICE, bytes([0, 3]) * 9)
    return story


def test_an_allowed_conversation(tmp_path: Path) -> None:
    assert passed(an_allocation(), tmp_path) == OFFICE_AND_NATS


def test_a_tunnel_older_than_the_run_needs_no_outward_rule(tmp_path: Path) -> None:
    story = VpnStory()
    story.carry(160)
    story.carry(160, inward=False)
    table = story.table(tmp_path)
    run = a_run(network=story.network)
    paths = follow_udp(table, story.places).paths
    assert let_through(run, story.places, table, paths, ()) == {("vic_nat", "established"): 1}


def test_what_is_refused_was_not_let_through(tmp_path: Path) -> None:
    story = HomeStory()
    story.enforce("office", "service_only")
    story.direct(ALICE, EVE, bytes(9), until="link")
    assert passed(story, tmp_path) == {}


def test_rules_that_counted_nothing() -> None:
    counted = {"office": {"turn": 0, "ip": 3}}
    seen = Passed({("office", "turn"): 2, ("office", "ip"): 3, ("office_nat", "outward"): 1})
    problems = list(silent_rules(counted, seen))
    assert [(problem.ground, problem.text) for problem in problems] == [
        (
            Ground.COUNTERS,
            "rule turn of office counted 0 packets, but the captures show 2 that it let through",
        )
    ]
