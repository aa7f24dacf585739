"""What is read of tunnels: bare IP packets, their direction by address, WireGuard, canaries."""

from pathlib import Path as FilePath

import numpy as np
import pytest

from results.absence import find_canaries, late_taps
from results.canary_frames import CANARY_PORT, Moment, canary
from results.packets import Kind, PacketTable, read_table
from results.schema import Connection
from results.wire.capture import LinkType
from tests.results.judged import a_run
from tests.results.story import RUN, START, Frame, back, dns_query, ends, pcap, rtp, udp
from tests.results.vpn_story import (
    ALICE,
    VERA,
    VIC,
    VIC_ALICE,
    VIC_AT_HOME,
    VIC_VERA,
    VpnStory,
)
from topologies.spec import Tap


def rows_at(table: PacketTable, tap: str) -> list[int]:
    return [row for row in range(len(table)) if table.tap_name(row) == tap]


@pytest.mark.parametrize("link_type", [LinkType.RAW_IP, LinkType.RAW_IP_OF_BSD, LinkType.RAW_IPV4])
def test_a_packet_without_a_frame(tmp_path: FilePath, link_type: LinkType) -> None:
    tap = Tap(name="tun", host="vic", interface="tun", link=None, mac=None, tunnel="office")
    packet = udp(ends(VIC, ALICE), rtp(1))
    path = tmp_path / "tun.pcap"
    path.write_bytes(pcap([Frame(START, packet)], link_type))
    table = read_table({tap: path})
    assert table.ethernet(0) == packet
    assert table.payload(0) == rtp(1)
    assert (table.kind[0], table.ttl[0], table.src_mac[0]) == (Kind.RTP, 64, 0)


def test_the_way_past_a_tunnels_end_is_told_by_addresses(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.send(back(VIC_ALICE), ends(ALICE, VIC), rtp(2))
    table = story.table(tmp_path)
    for tap, outgoing in (("vic-wg0", [True, False]), ("vpn_gw-wg0", [False, True])):
        assert table.outgoing[rows_at(table, tap)].tolist() == outgoing


def test_a_client_sends_what_bears_another_address_too(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE[:1], ends(VIC_AT_HOME, ALICE), rtp(1), lost=True)
    table = story.table(tmp_path)
    assert table.outgoing[rows_at(table, "vic-wg0")].tolist() == [True]


def test_from_client_to_client_the_gateway_sees_a_packet_twice(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_VERA, ends(VIC, VERA), rtp(1))
    story.wait(0.5)
    story.send(VIC_VERA[:2], ends(VIC, VERA), rtp(1), lost=True)
    table = story.table(tmp_path)
    rows = rows_at(table, "vpn_gw-wg0")
    assert table.outgoing[rows].tolist() == [False, True, False]
    assert table.ttl[rows].tolist() == [64, 61, 64]


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_what_carries_a_tunnel_is_wireguard(tmp_path: FilePath, kind: int) -> None:
    story = VpnStory()
    story.carry(96, kind=kind)
    table = story.table(tmp_path)
    assert set(table.kind.tolist()) == set(table.inner_kind.tolist()) == {Kind.WIREGUARD}


@pytest.mark.parametrize(
    ("there", "payload"),
    [
        ("198.51.100.18:51821", b"\4\0\0\0" + bytes(60)),
        ("198.51.100.17:51820", b"\4\0\0\0" + bytes(60)),
        ("198.51.100.18:51820", b"\5\0\0\0" + bytes(60)),
        ("198.51.100.18:51820", b"\4\0\0\1" + bytes(60)),
        ("198.51.100.18:51820", b"\4\0\0\0" + bytes(20)),
    ],
)
def test_what_is_not(tmp_path: FilePath, there: str, payload: bytes) -> None:
    story = VpnStory()
    story.send(VIC_ALICE[1:2], ends(VIC_AT_HOME, there), payload)
    assert Kind.WIREGUARD not in story.table(tmp_path).kind


def test_canaries_in_a_tunnel_are_packets_without_a_path(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.canaries(Moment.BEFORE)
    table = story.table(tmp_path)
    assert {"vic-wg0", "vera-wg0", "vpn_gw-wg0"} <= set(find_canaries(table, RUN).before)
    assert story.travels(tmp_path).paths == ()


def test_a_canary_that_the_end_itself_sends_does_not_count(tmp_path: FilePath) -> None:
    story = VpnStory()
    text = canary(RUN, "vic-wg0", Moment.BEFORE)
    story.see("vic-wg0", udp(ends(VIC, f"10.99.0.1:{CANARY_PORT}"), text))
    assert find_canaries(story.table(tmp_path), RUN).before == {}


def test_another_packet_to_the_canaries_port_is_none(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.see("vic-wg0", udp(ends("10.99.0.1:1", f"10.99.0.11:{CANARY_PORT}"), dns_query("a.b")))
    assert np.all(story.table(tmp_path).kind == Kind.UDP)


def test_taps_that_hear_no_canary_before_their_tunnel_comes_up() -> None:
    network = VpnStory().network
    connection = Connection(vpn="office", host="vic", call="c1", after_seconds=1)
    assert late_taps(a_run(network=network)) == frozenset()
    assert late_taps(a_run(network=network, connections=(connection,))) == {
        "vic-wg0",
        "vpn_gw-wg0",
    }
    other = connection.model_copy(update={"host": "vera"})
    assert late_taps(a_run(network=network, connections=(other,))) == {"vera-wg0"}
