"""Through a tunnel: the hops of a packet, the legs of its way, and their flows."""

from pathlib import Path as FilePath

import pytest

from results.packets import SYN, Kind
from results.protocols.tls import connections as tls_connections
from results.tracing.legs import Conversations, legs, name_of
from results.tracing.openings import connections, missing_hello, queries, syns
from results.tracing.paths import Path
from results.tracing.sightings import Ends
from tests.results.story import Hop, back, dns_answer, dns_query, ends, hops, rtp, stun, tcp
from tests.results.vpn_story import (
    ALICE,
    CORE_NAT,
    EVE,
    GW_CORE,
    IN_TUNNEL,
    NAT_EVE,
    OFFICE,
    VERA,
    VIC,
    VIC_ALICE,
    VIC_AT_HOME,
    VIC_EVE,
    VIC_VERA,
    VpnStory,
)
from topologies.spec import Flow

NAT_RESOLVER = hops("office_nat-eth1>inet-eth0", "inet-eth1>resolver-eth0")
NAT_FRONT_END = hops("office_nat-eth1>inet-eth0", "inet-eth2>front_end-eth0")
FRONT_END = "203.0.113.5:443"
FORWARDER = "10.10.0.53:53"


def the_path(story: VpnStory, folder: FilePath) -> Path:
    """The path of the story's one RTP packet."""
    (path,) = (path for path in story.travels(folder).paths if path.first.kind is Kind.RTP)
    return path


def opened(story: VpnStory, folder: FilePath) -> list[tuple[str, str, Flow | str]]:
    """Origin, target and flow of each leg of the story's one RTP packet."""
    talk = Conversations(story.places, story.travels(folder).paths)
    found = [talk.opened(leg) for leg in legs(story.places, the_path(story, folder))]
    return [(one.origin, one.target, name_of(one.flow)) for one in found]


def test_a_tunnel_is_one_hop_between_its_ends(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    path = the_path(story, tmp_path)
    assert path.taps == (
        "vic-wg0", "vpn_gw-wg0", "vpn_gw-eth1", "core-eth3", "core-eth0", "alice-eth0",
    )  # fmt: skip
    assert (path.complete, path.rooted, path.hosts) == (
        True,
        True,
        ("vic", "vpn_gw", "core", "alice"),
    )
    assert story.travels(tmp_path).holes == ()


def test_and_back(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(back(VIC_ALICE), ends(ALICE, VIC), rtp(1))
    path = the_path(story, tmp_path)
    assert path.taps[-3:] == ("vpn_gw-eth1", "vpn_gw-wg0", "vic-wg0")
    assert path.complete


def test_lost_in_the_tunnel(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(IN_TUNNEL, ends(VIC, ALICE), rtp(1), lost=True)
    assert the_path(story, tmp_path).lost_at == "office"


def test_a_tap_of_the_tunnel_that_missed_a_packet_is_a_hole(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.deaf = {"vic-wg0"}
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    (hole,) = story.travels(tmp_path).holes
    assert (hole.missed, hole.host, hole.seen.tap.name) == (
        story.tap("vic-wg0"), "vic", "vpn_gw-wg0",
    )  # fmt: skip


def test_a_copy_that_was_lost_is_not_joined_with_a_later_one(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(IN_TUNNEL, ends(VIC, ALICE), rtp(1), lost=True)
    story.wait(0.5)
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    media = [path for path in story.travels(tmp_path).paths if path.first.kind is Kind.RTP]
    assert [path.complete for path in media] == [False, True]


def test_from_user_to_user_the_way_turns_at_the_inner_router(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_VERA, ends(VIC, VERA), rtp(1))
    path = the_path(story, tmp_path)
    assert path.taps == (
        "vic-wg0", "vpn_gw-wg0", "vpn_gw-eth1", "core-eth3",
        "core-eth3", "vpn_gw-eth1", "vpn_gw-wg0", "vera-wg0",
    )  # fmt: skip
    assert opened(story, tmp_path) == [
        ("vic", "vpn_gw", Flow.F2_VPN),
        ("vera", "vpn_gw", Flow.F2_VPN),
    ]


@pytest.mark.parametrize(
    ("route", "at"), [(VIC_ALICE, ends(VIC, ALICE)), (back(VIC_ALICE), ends(ALICE, VIC))]
)
def test_to_the_office_only_the_tunnel_has_a_number(
    tmp_path: FilePath, route: tuple[Hop, ...], at: Ends
) -> None:
    """Whoever sends first: only the client can have begun the tunnel."""
    story = VpnStory()
    story.send(route, at, rtp(1))
    assert opened(story, tmp_path) == [("vic", "vpn_gw", Flow.F2_VPN)]


def test_to_the_internet_by_way_of_the_office(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send((*IN_TUNNEL, *GW_CORE, *CORE_NAT), ends(VIC, EVE), rtp(1))
    story.send(NAT_EVE[:2], ends(OFFICE, EVE), rtp(1))
    story.send(NAT_EVE[2:], ends(OFFICE, "192.168.1.11:6000"), rtp(1))
    assert opened(story, tmp_path) == [
        ("vic", "vpn_gw", Flow.F2_VPN),
        ("vpn_gw", "eve", Flow.F2),
    ]


def test_around_the_tunnel_it_is_a_users_at_home(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_EVE[:1], ends(VIC_AT_HOME, EVE), rtp(1))
    story.send(VIC_EVE[1:3], ends("198.51.100.22:6001", EVE), rtp(1))
    story.send(VIC_EVE[3:], ends("198.51.100.22:6001", "192.168.1.11:6000"), rtp(1))
    assert opened(story, tmp_path) == [("vic", "eve", Flow.F6)]


def test_a_users_query_is_2_prime_and_the_forwarders_own_2(tmp_path: FilePath) -> None:
    story = VpnStory()
    name, forwarder = "front-end.service.example", hops("core-eth0>forwarder-eth0")
    route, at = (*IN_TUNNEL, *GW_CORE, *forwarder), ends(VIC, FORWARDER)
    story.send(route, at, dns_query(name))
    own = (*back(forwarder), *CORE_NAT)
    story.send(own, ends("10.10.0.53:4000", "198.51.100.53:53"), dns_query(name, 2))
    story.send(NAT_RESOLVER, ends("198.51.100.2:4000", "198.51.100.53:53"), dns_query(name, 2))
    story.send(back(route), at.reversed(), dns_answer(name))
    found = queries(story.table(tmp_path), story.places, story.travels(tmp_path))
    assert [(query.asked_by, query.opening.flows) for query in found] == [
        ("vic", (Flow.F2_VPN,)),
        ("forwarder", (Flow.F2,)),
    ]
    assert found[0].answer_row is not None


def front_end_connection(story: VpnStory, *, reach: int = 3) -> None:
    """A SYN and its first data through tunnel and NAT, as far as ``reach`` parts of the way."""
    inside, outside = ends(VIC, FRONT_END), ends("198.51.100.2:7000", FRONT_END)
    parts = ((IN_TUNNEL, inside), ((*GW_CORE, *CORE_NAT), inside), (NAT_FRONT_END, outside))
    for route, at in parts[:reach]:
        story.syn(route, at, 77)
    for route, at in parts[:reach]:
        story.say(route, at, 78, b"\x16\x03\x01 a ClientHello, in truth not")


def test_a_connection_is_2_prime_and_then_4(tmp_path: FilePath) -> None:
    story = VpnStory()
    front_end_connection(story)
    table = story.table(tmp_path)
    (opening,) = connections(table, story.places).openings
    assert opening.flows == (Flow.F2_VPN, Flow.F4)
    assert [part[0].tap.name for _, part in opening.legs] == ["vic-wg0", "vpn_gw-eth1"]
    assert missing_hello(table, opening) is None
    assert len(syns(table)[0]) == 10


def test_a_connection_that_the_gateway_refuses_is_2_prime_only(tmp_path: FilePath) -> None:
    story = VpnStory()
    front_end_connection(story, reach=1)
    story.see("vpn_gw-eth1", story.framed(GW_CORE[0], tcp(ends(VIC, FRONT_END), 77, SYN)))
    (opening,) = connections(story.table(tmp_path), story.places).openings
    assert opening.flows == (Flow.F2_VPN,)


def test_a_connection_from_home_is_3(tmp_path: FilePath) -> None:
    story = VpnStory()
    at = ends(VIC_AT_HOME, FRONT_END)
    story.syn(VIC_EVE[:2], at, 77)
    story.syn(hops("inet-eth2>front_end-eth0"), at, 77)
    (opening,) = connections(story.table(tmp_path), story.places).openings
    assert opening.flows == (Flow.F3,)


def test_a_connection_of_the_office_to_a_vpn_user_is_the_tunnels(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.syn(back(VIC_ALICE), ends(ALICE, VIC), 77)
    (opening,) = connections(story.table(tmp_path), story.places).openings
    assert opening.flows == (Flow.F2_VPN,)


def test_tls_is_read_at_the_tunnels_end(tmp_path: FilePath) -> None:
    story = VpnStory()
    front_end_connection(story)
    table = story.table(tmp_path)
    index = table.taps.index(story.tap("vic-wg0"))
    (connection,) = tls_connections(table, index)
    assert connection.isn == 77


def test_a_relay_that_is_first_to_send_to_a_user_at_home_opens_nothing(tmp_path: FilePath) -> None:
    """The home's NAT drops it; no flow is initiated by the service."""
    story = VpnStory()
    relay = hops("relay-eth0>inet-eth2", "inet-eth4>vic_nat-eth1")
    at, home = ends("203.0.113.9:49152", "198.51.100.22:5000"), "192.168.3.11:5000"
    story.send(relay, at, stun(0x0001, 1))
    story.send(relay, at, rtp(1))
    story.send(hops("vic_nat-eth0>vic-eth0"), ends("203.0.113.9:49152", home), rtp(1))
    assert opened(story, tmp_path) == [("vic", "relay", Flow.F3)]
