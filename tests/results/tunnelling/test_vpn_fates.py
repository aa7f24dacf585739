"""What stops a packet of a VPN user: cryptokey routing at either end, the gateway's firewall."""

from pathlib import Path as FilePath

import pytest

from controllers.policy import find, load
from results.fates import Fate, Fates
from results.schema import Outcome
from results.setup.turn import Turn
from tests.results.story import Hop, back, ends, rtp
from tests.results.vpn_story import (
    ALICE,
    GW_CORE,
    IN_TUNNEL,
    VERA,
    VIC,
    VIC_AT_HOME,
    VpnStory,
)

RELAY = "203.0.113.9:3478"


def fate(story: VpnStory, folder: FilePath, policy: str = "vpn_media_bypass") -> Fate:
    """The fate of the story's one packet."""
    policies = {"vpn": load(find(policy))}
    places = story.places
    fates = Fates(story.network, policies, Turn(), [], places, {"vpn"})
    (path,) = (one for one in story.travels(folder).paths if not one.complete)
    return fates.of(path)


@pytest.mark.parametrize(
    ("route", "source", "target", "by", "because"),
    [
        (IN_TUNNEL, VIC, RELAY, "vic", "203.0.113.9 is not in the AllowedIPs of vic"),
        (
            IN_TUNNEL,
            VIC_AT_HOME,
            ALICE,
            "vpn_gw",
            "192.168.3.11 is not the address that vic has in the tunnel",
        ),
        (back(IN_TUNNEL), RELAY, VIC, "vic", "203.0.113.9 is not in the AllowedIPs of vic"),
    ],
)
def test_cryptokey_routing(
    tmp_path: FilePath, route: tuple[Hop, ...], source: str, target: str, by: str, because: str
) -> None:
    story = VpnStory(carried=False)
    story.send(route, ends(source, target), rtp(1), lost=True)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (Outcome.REFUSED, by, "AllowedIPs")
    assert found.because == f"{because} (cryptokey routing)"


@pytest.mark.parametrize("route", [IN_TUNNEL, back(IN_TUNNEL)])
def test_what_cryptokey_routing_lets_pass_is_a_gap(
    tmp_path: FilePath, route: tuple[Hop, ...]
) -> None:
    story = VpnStory(carried=False)
    at = ends(VIC, ALICE) if route == IN_TUNNEL else ends(ALICE, VIC)
    story.send(route, at, rtp(1), lost=True)
    assert fate(story, tmp_path).gap


@pytest.mark.parametrize(
    ("target", "rule"),
    [(ALICE, "no_media_to_lan"), (VERA, "no_media_to_members"), (RELAY, "no_relay")],
)
def test_the_gateways_firewall_refuses_media_by_name(
    tmp_path: FilePath, target: str, rule: str
) -> None:
    story = VpnStory()
    story.send((*IN_TUNNEL, *GW_CORE), ends(VIC, target), rtp(1), lost=True)
    found = fate(story, tmp_path)
    assert (found.outcome, found.by, found.rule) == (Outcome.REFUSED, "vpn", rule)


def test_without_its_rules_the_loss_is_a_gap(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send((*IN_TUNNEL, *GW_CORE), ends(VIC, ALICE), rtp(1), lost=True)
    assert fate(story, tmp_path, "vpn_open").gap
