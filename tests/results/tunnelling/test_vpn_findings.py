"""What a verdict tells of VPNs: media around tunnels, in them, and through a change."""

from pathlib import Path as FilePath

import pytest

from results.mid_call import in_mid_call
from results.problems import Ground
from results.schema import Connection, PairOutcome
from results.tracing.routes import way_around
from results.tracing.ways import way_of
from results.tunnelling.bypass import around_tunnels
from results.tunnelling.detour import in_tunnels
from results.tunnelling.vpn import tied_to_outside
from results.tunnelling.vpn_findings import findings_of
from results.words import flows_in_words, listed
from tests.results.story import back, ends, rtp
from tests.results.vpn_story import (
    ALICE,
    EVE,
    VERA,
    VIC,
    VIC_ALICE,
    VIC_AT_HOME,
    VIC_EVE,
    VIC_VERA,
    VpnStory,
)
from topologies.reference import office
from topologies.spec import Flow

CONNECTION = Connection(vpn="office", host="vic", call="c1", after_seconds=1)
EVE_AT_HOME = "192.168.1.11:6000"


def around(story: VpnStory, number: int, *, there: bool = True) -> None:
    """Media between vic and eve from home to home."""
    parts = (
        (VIC_EVE[:1], ends(VIC_AT_HOME, EVE)),
        (VIC_EVE[1:3], ends("198.51.100.22:6001", EVE)),
        (VIC_EVE[3:], ends("198.51.100.22:6001", EVE_AT_HOME)),
    )
    for route, at in parts if there else parts[::-1]:
        story.send(route if there else back(route), at if there else at.reversed(), rtp(number))


def pair(local: str, remote: str, outcome: str, by: str = "", rule: str = "") -> PairOutcome:
    ends_ = {
        side: {"type": "host", "address": address, "port": 1, "protocol": "udp"}
        for side, address in (("local", local), ("remote", remote))
    }
    return PairOutcome.model_validate(
        {
            "from": "vic",
            "to": "eve",
            **ends_,
            "outcome": outcome,
            "by": by or None,
            "rule": rule or None,
            "because": "x",
        }
    )


TUNNEL, HOME, OTHER = "10.99.0.11", "192.168.3.11", "10.10.0.11"


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ((), "were not attempted"),
        ((pair(TUNNEL, OTHER, "not attempted"),), "were not attempted"),
        ((pair(HOME, OTHER, "refused", "vpn", "x"),), "were not attempted"),
        (
            (
                pair(TUNNEL, OTHER, "refused", "vpn", "no_media_to_lan"),
                pair(OTHER, TUNNEL, "refused", "vpn", "no_media_to_pool"),
                pair(TUNNEL, OTHER, "refused", "vic", "AllowedIPs"),
            ),
            "were refused by vpn: no_media_to_lan (3 counted) and no_media_to_pool, "
            "vic: AllowedIPs",
        ),
        ((pair(TUNNEL, OTHER, "no route"),), "no route"),
    ],
)
def test_media_around_the_tunnel(
    tmp_path: FilePath, pairs: tuple[PairOutcome, ...], why: str
) -> None:
    story = VpnStory()
    around(story, 1)
    (remark,) = around_tunnels(story.scenery(tmp_path, *pairs, users=("vic", "eve"))).remarks
    assert remark.text.startswith(
        "no media in the tunnel of vic: none at vic-wg0, vpn_gw-wg0 and vpn_gw-eth1, "
        "which canaries crossed; pairs with its address there"
    )
    assert remark.text.endswith(why)


@pytest.mark.parametrize("route", [VIC_ALICE, VIC_ALICE[:1], VIC_ALICE[1:]])
def test_one_media_packet_at_any_tap_of_the_tunnel_is_not_around_it(
    tmp_path: FilePath, route: tuple[object, ...]
) -> None:
    story = VpnStory()
    around(story, 1)
    story.send(VIC_ALICE[: len(route)], ends(VIC, ALICE), rtp(2))
    assert around_tunnels(story.scenery(tmp_path, users=("vic", "eve"))).remarks == ()


def test_without_any_media_nothing_is_said_of_it(tmp_path: FilePath) -> None:
    assert around_tunnels(VpnStory().scenery(tmp_path)).remarks == ()


def test_without_a_vpn_user_nothing_is_said(tmp_path: FilePath) -> None:
    scenery = VpnStory().scenery(tmp_path, users=("alice", "eve"))
    assert findings_of(scenery).remarks == ()


def test_media_in_the_tunnel_is_told_with_its_hosts_and_its_delay(tmp_path: FilePath) -> None:
    story = VpnStory()
    for number in range(3):
        story.send(VIC_ALICE, ends(VIC, ALICE), rtp(number))
    (remark,) = in_tunnels(story.scenery(tmp_path)).remarks
    # 1 µs into WireGuard, three hops of 20 µs with it, two of 20 µs less the last half.
    assert remark.text == (
        "3 media packets of vic to alice in the tunnel, by vic, vic_nat, inet, vpn_gw, core, "
        "alice: 5 hops, 0.09 ms one way; around it, by vic, vic_nat, inet, office_nat, core, "
        "alice, 5 hops: the tunnel adds 0 hops, WireGuard 0.01 ms"
    )
    assert [citation.tap for citation in remark.citations] == ["vic-wg0"]


def test_from_user_to_user_the_tunnels_add_hops(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_VERA, ends(VIC, VERA), rtp(1))
    scenery = story.scenery(tmp_path, users=("vic", "vera"))
    (remark,) = in_tunnels(scenery).remarks
    assert "around it, by vic, vic_nat, inet, vera_nat, vera, 4 hops" in remark.text


def test_media_around_it_is_no_detour(tmp_path: FilePath) -> None:
    story = VpnStory()
    around(story, 1)
    assert in_tunnels(story.scenery(tmp_path, users=("vic", "eve"))).remarks == ()


def test_a_way_without_a_tunnel(tmp_path: FilePath) -> None:
    story = VpnStory()
    around(story, 1)
    travels = story.travels(tmp_path)
    way = way_of(travels.paths, travels)
    assert (way.hosts, way.hops) == (("vic", "vic_nat", "inet", "eve_nat", "eve"), 4)
    assert way.wireguard == 0


def test_ways_lead_neither_through_users_nor_through_gateways() -> None:
    network = VpnStory().network
    assert way_around(network, "alice", "bob") == ("alice", "bob")
    assert way_around(network, "vic", "bea")[:5] == ("vic", "vic_nat", "inet", "office_nat", "core")
    alone = office().model_copy(update={"hosts": (office().host("alice"), office().host("relay"))})
    assert way_around(alone, "alice", "relay") == ()


def mid_call(story: VpnStory, folder: FilePath, *, survives: bool = True) -> list[str]:
    """Media, the tunnel comes up, media again; what is said of it."""
    for number in range(5):
        around(story, number)
        around(story, 1000 + number, there=False)
        story.wait(0.02)
    story.wait(0.1)
    story.send(VIC_ALICE, ends(VIC, "10.10.0.11:53"), b"the first in the tunnel")
    story.wait(0.1)
    for number in range(5, 8):
        around(story, number)
        if survives:
            around(story, 1000 + number, there=False)
        story.wait(0.02)
    scenery = story.scenery(folder, users=("vic", "eve"), connections_=(CONNECTION,))
    found = in_mid_call(scenery)
    assert all(problem.ground is Ground.CALL for problem in found.problems)
    return [*(one.text for one in found.remarks), *(one.text for one in found.problems)]


def test_a_call_that_survives_a_connection(tmp_path: FilePath) -> None:
    (text,) = mid_call(VpnStory(), tmp_path)
    assert text == (
        "the tunnel of vic came up 0.2 s into media: 10 packets before it came up, 6 after, "
        "Flow 6 both, longest gap around it 220 ms; its signalling no flow before and no flow after"
    )


def test_one_that_does_not(tmp_path: FilePath) -> None:
    _, problem = mid_call(VpnStory(), tmp_path, survives=False)
    assert problem == (
        "media from eve to vic did not survive that vic connected to VPN office: the last of "
        "5 packets arrived 120 ms before the tunnel came up"
    )


def test_media_that_moves_into_the_tunnel(tmp_path: FilePath) -> None:
    story = VpnStory()
    around(story, 1)
    story.wait(0.1)
    story.send(VIC_ALICE, ends(VIC, ALICE), b"the first in the tunnel")
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(3))
    scenery = story.scenery(tmp_path, connections_=(CONNECTION,))
    eve = next(path for path in scenery.udp.paths if path.target == "eve")
    assert eve.complete
    (remark,) = in_mid_call(scenery).remarks
    assert "0 packets before it came up, 1 after, no flow before and Flow 2' after" in remark.text


def test_a_tunnel_that_never_came_up(tmp_path: FilePath) -> None:
    found = in_mid_call(VpnStory().scenery(tmp_path, connections_=(CONNECTION,)))
    assert [one.text for one in found.problems] == [
        "vic was to connect to VPN office in mid-call, but no tunnel came up"
    ]


def test_only_the_tunnels_of_participants_are_told_of(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    (remark,) = tied_to_outside(story.scenery(tmp_path)).remarks
    assert remark.text.startswith("1 of 1 packets in the tunnel at vic-wg0 are consistent with")


@pytest.mark.parametrize(
    ("names", "text"),
    [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")],
)
def test_lists_in_words(names: tuple[str, ...], text: str) -> None:
    assert listed(names) == text


def test_flows_in_words() -> None:
    assert flows_in_words(()) == "no flow"
    assert flows_in_words((Flow.F4,)) == "Flow 4"
    assert flows_in_words((Flow.F2, Flow.F2_VPN)) == "Flows 2 and 2'"
