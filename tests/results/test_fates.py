"""Where a packet ended that did not arrive: who stopped it, and by which rule."""

from pathlib import Path as FilePath

import pytest

from controllers.policy import Policy
from results.fates import NAT_RULES, Fate
from results.schema import Outcome
from tests.results.home_story import ALICE, EVE, HomeStory
from tests.results.story import (
    RELAYED_A,
    back,
    channel_data,
    ends,
    hops,
    icmp_error,
    stun,
    udp,
)
from topologies import nat
from topologies.spec import Nat

SOMETHING = b"\x00 something"
NAT_ADDRESS = "198.51.100.2"


def fate(story: HomeStory, folder: FilePath, *, established: bool = False) -> Fate:
    """The fate of the last packet that was sent."""
    ice = story.ice(folder)
    path = max(ice.udp, key=lambda path: path.first.time)
    assert path.lost_at or path.target == "relay"
    return ice.fates.of(path, "established" if established else "new")


@pytest.mark.parametrize(
    ("firewall", "policy", "rule"),
    [
        ("office", "service_only", "no_direct_media"),
        ("office", "relay_range", "no_direct_media"),
        ("eve_home", "home_service_only", None),
        (None, None, None),
    ],
)
def test_a_firewall_refuses_by_the_rule_of_its_policy(
    tmp_path: FilePath, firewall: str | None, policy: str | None, rule: str | None
) -> None:
    story = HomeStory()
    if firewall and policy:
        story.enforce(firewall, policy)
    story.direct(ALICE, EVE, SOMETHING, until="link")
    found = fate(story, tmp_path)
    assert (found.by, found.rule) == ((firewall, rule) if rule else (None, None))
    assert found.gap is (rule is None)


def test_each_direction_has_its_own_rule(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.enforce("office", "udp_out")
    inward = hops("office_nat-eth0>core-eth2")
    story.send(inward, ends(EVE.mapped, ALICE.socket), SOMETHING, lost=True)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (Outcome.REFUSED, "office", "default_deny")
    assert found.because == "no rule allows it"


@pytest.mark.parametrize(
    ("policy", "established", "rule"),
    [("udp_out", False, "direct_media"), ("service_only", True, "established")],
)
def test_what_the_policy_lets_pass_was_not_refused(
    tmp_path: FilePath, policy: str, established: bool, rule: str
) -> None:
    story = HomeStory()
    story.enforce("office", policy)
    story.direct(ALICE, EVE, SOMETHING, until="link")
    found = fate(story, tmp_path, established=established)
    assert found.gap
    assert (found.outcome, found.by, found.rule) == (Outcome.UNKNOWN, None, None)
    assert found.because == (
        "left core-eth2 and was not seen to arrive at office_nat-eth0, "
        f"although office lets it pass by rule {rule}"
    )


def test_a_policy_that_does_not_know_the_side(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.policies["office"] = Policy.model_validate(
        {
            "name": "odd",
            "because": "of a test",
            "zones": {"here": {"side": "left"}, "there": {"side": "right"}},
            "rules": (),
        }
    )
    story.direct(ALICE, EVE, SOMETHING, until="link")
    found = fate(story, tmp_path)
    assert found.gap
    assert 'and office cannot tell why: unknown side "inside"' in found.because


def test_without_its_counters_a_rule_is_not_confirmed(tmp_path: FilePath) -> None:
    story = HomeStory(counted=())
    story.enforce("office", "service_only")
    story.direct(ALICE, EVE, SOMETHING, until="link")
    found = fate(story, tmp_path)
    assert (found.outcome, found.gap) == (Outcome.UNKNOWN, False)
    assert found.because == (
        "ending.json has no counters that confirm rule no_direct_media of office: "
        "media leaves the office through the relay only"
    )


@pytest.mark.parametrize(
    ("destination", "rule"),
    [(ALICE.mapped, "unsolicited_to_router"), (ALICE.socket, "unsolicited")],
)
def test_a_nat_takes_nothing_new_from_outside(
    tmp_path: FilePath, destination: str, rule: str
) -> None:
    story = HomeStory()
    story.send(hops("inet-eth0>office_nat-eth1"), ends(EVE.mapped, destination), SOMETHING)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (Outcome.REFUSED, "office_nat", rule)
    assert found.because == NAT_RULES[rule]


def test_a_nat_refuses_nothing_from_inside(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.send(ALICE.inside, ends(ALICE.socket, EVE.mapped), SOMETHING)
    found = fate(story, tmp_path)
    assert found.gap
    assert found.because == "reached office_nat-eth0 and was not seen to go on"


@pytest.mark.parametrize("kind", Nat)
def test_the_rules_of_a_nat_are_those_of_its_packet_filter(kind: Nat) -> None:
    rules = nat.ruleset("inside", "outside", kind)
    assert all(f'drop comment "{rule}"' in rules for rule in NAT_RULES)


@pytest.mark.parametrize(
    ("code", "outcome"), [(0, Outcome.NO_ROUTE), (1, Outcome.NO_ROUTE), (3, Outcome.REFUSED)]
)
def test_the_host_where_it_ended_says_why(tmp_path: FilePath, code: int, outcome: Outcome) -> None:
    """A NAT that does not turn packets back to its own inside says so itself."""
    story = HomeStory()
    way = ends(ALICE.socket, "198.51.100.2:61001")
    story.send(ALICE.inside, way, SOMETHING)
    error = icmp_error(NAT_ADDRESS, "10.10.0.11", code, udp(way, SOMETHING))
    for hop in back(ALICE.inside):
        story.cross(hop, error)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (outcome, "office_nat", None)
    assert found.because.startswith(f"office_nat answered for {NAT_ADDRESS}: ")


def test_a_router_without_a_route(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.send(hops("office_nat-eth1>inet-eth0"), ends(ALICE.mapped, EVE.socket), SOMETHING)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by) == (Outcome.NO_ROUTE, "inet")
    assert found.because == "inet has no route to 192.168.1.11"


def test_a_router_with_a_route_has_no_excuse(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.send(hops("office_nat-eth1>inet-eth0"), ends(ALICE.mapped, EVE.mapped), SOMETHING)
    assert fate(story, tmp_path).gap


def to_alices_relay(story: HomeStory) -> None:
    """Eve sends to alice's relayed address."""
    story.to_relayed(EVE, ALICE, stun(0x0001, 99), until="relay")


def test_a_relay_without_a_permission(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    to_alices_relay(story)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (Outcome.REFUSED, "relay", "no permission")


def test_a_relay_with_a_permission_has_no_excuse(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.ask_for(ALICE, EVE.mapped, 7)
    to_alices_relay(story)
    assert fate(story, tmp_path).gap


def test_an_address_that_no_relay_gave(tmp_path: FilePath) -> None:
    story = HomeStory()
    to_alices_relay(story)
    assert fate(story, tmp_path).gap


def test_a_relay_to_another_by_loopback(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    story.allocate(EVE)
    story.to_relay(EVE, channel_data(SOMETHING))
    story.loop(ends(EVE.relayed, RELAYED_A), SOMETHING)
    found = fate(story, tmp_path)
    assert (found.by, found.rule) == ("relay", "no permission")
    assert found.because.startswith("alice had not yet asked it to let 203.0.113.9 through")
