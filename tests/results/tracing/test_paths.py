"""Packets are followed by payload, nearness in time and topology together."""

from collections.abc import Sequence
from pathlib import Path as FilePath

import pytest

from results.packets import IP_UDP
from results.tracing.paths import Path, Travels
from tests.results.story import (
    ALICE,
    ALICE_BEA,
    ALICE_BOB,
    ALICE_NAT,
    BEA,
    BOB,
    BOB_NAT,
    EVE,
    EVE_RELAY,
    FORWARDER_NAT,
    NAT,
    NAT_B,
    NAT_EVE,
    NAT_RELAY,
    NAT_RESOLVER,
    RELAY,
    RELAYED_A,
    RELAYED_B,
    Hop,
    Story,
    back,
    channel_data,
    dns_query,
    ends,
    ethernet,
    rtp,
    stun,
    udp,
)

CHECK = stun(0x0001, 7)
DTLS_RECORD = bytes.fromhex("16fefd") + bytes(8) + b"\0\x10" + bytes(16)


def only_path(travels: Travels) -> Path:
    (path,) = travels.paths
    assert not travels.holes
    return path


def taps(*names: str) -> tuple[str, ...]:
    return names


def test_from_host_to_host(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    path = only_path(story.travels(tmp_path))
    assert path.taps == ("alice-eth0", "bob-eth0")
    assert path.hosts == ("alice", "bob")
    assert (path.origin, path.target) == ("alice", "bob")
    assert path.complete
    assert path.relayed_by is None


def test_across_routers(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1))
    path = only_path(story.travels(tmp_path))
    assert path.taps == tuple(name for hop in ALICE_BEA for name in hop)
    assert path.hosts == ("alice", "core", "branch_rtr", "bea")


def test_inverted_times_of_a_veth_do_not_matter(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1), inverted=3000)
    path = only_path(story.travels(tmp_path))
    assert path.taps == tuple(name for hop in ALICE_BEA for name in hop)


def test_a_retransmission_is_not_joined_with_a_dropped_copy(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BEA[:2], ends(ALICE, BEA), CHECK)
    story.wait(0.5)
    story.send(ALICE_BEA, ends(ALICE, BEA), CHECK)
    dropped, passed = story.travels(tmp_path).paths
    assert dropped.lost_at == "branch_rtr"
    assert dropped.taps == taps("alice-eth0", "core-eth0", "core-eth1", "branch_rtr-eth1")
    assert passed.complete
    assert passed.first.time > dropped.last.time


def test_a_copy_lost_on_a_link_is_not_joined_with_a_later_one(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), CHECK, lost=True)
    story.wait(0.5)
    story.send(ALICE_BOB, ends(ALICE, BOB), CHECK)
    travels = story.travels(tmp_path)
    lost, passed = travels.paths
    assert lost.lost_at == "head"
    assert passed.complete
    assert not travels.holes


def held(route: Sequence[Hop], payload: bytes, seconds: float, tmp_path: FilePath) -> Travels:
    """A packet that the last but one hop's host holds for so long."""
    story = Story()
    story.send(route[:-1], ends(ALICE, BEA), payload)
    story.wait(seconds)
    story.send(route[-1:], ends(ALICE, BEA), payload)
    return story.travels(tmp_path)


@pytest.mark.parametrize(
    ("payload", "seconds"), [(CHECK, 0.35), (DTLS_RECORD, 0.85), (rtp(1), 1.9)]
)
def test_a_packet_that_a_busy_machine_held_is_the_same(
    tmp_path: FilePath, payload: bytes, seconds: float
) -> None:
    path = only_path(held(ALICE_BEA, payload, seconds, tmp_path))
    assert path.complete


@pytest.mark.parametrize(("payload", "seconds"), [(CHECK, 0.5), (DTLS_RECORD, 1), (rtp(1), 2.1)])
def test_what_comes_later_than_its_kind_may_is_another(
    tmp_path: FilePath, payload: bytes, seconds: float
) -> None:
    first, *_ = held(ALICE_BEA, payload, seconds, tmp_path).paths
    assert not first.complete


def test_a_late_duplicate_is_not_the_same_packet(tmp_path: FilePath) -> None:
    story = Story()
    hop = ALICE_BOB[0]
    story.leave(hop, ends(ALICE, BOB), CHECK)
    story.wait(0.5)
    packet = udp(ends(ALICE, BOB), CHECK)
    story.see(
        "bob-eth0", ethernet(story.tap("bob-eth0").mac, story.tap("alice-eth0").mac, 0x0800, packet)
    )
    travels = story.travels(tmp_path)
    assert [path.taps for path in travels.paths] == [("alice-eth0",), ("bob-eth0",)]


def test_through_a_nat(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    path = only_path(story.travels(tmp_path))
    assert path.hosts == ("alice", "core", "office_nat", "inet", "eve")
    assert path.complete


def test_a_packet_that_a_nat_drops_is_lost_there(tmp_path: FilePath) -> None:
    story = Story()
    story.send(back(NAT_EVE), ends(EVE, NAT), CHECK)
    path = only_path(story.travels(tmp_path))
    assert path.lost_at == "office_nat"


def relayed_through_the_same_nat(
    story: Story, payload: bytes, *, unseen_on_loopback: bool = False
) -> None:
    """Alice to Bob by a relay outside: the same routers are passed twice."""
    wrapped = channel_data(payload)
    story.send(ALICE_NAT, ends(ALICE, RELAY), wrapped)
    story.send(NAT_RELAY, ends(NAT, RELAY), wrapped)
    if not unseen_on_loopback:
        story.loop(ends(RELAYED_A, RELAYED_B), payload)
    back_in = channel_data(payload, 0x4001)
    story.send(back(NAT_RELAY), ends(RELAY, NAT_B), back_in)
    story.send(back(BOB_NAT), ends(RELAY, BOB), back_in)


def test_relay_to_relay_over_loopback_and_twice_through_one_nat(tmp_path: FilePath) -> None:
    story = Story()
    relayed_through_the_same_nat(story, rtp(1))
    path = only_path(story.travels(tmp_path))
    assert path.hosts == (
        "alice", "core", "office_nat", "inet", "relay", "inet", "office_nat", "core", "bob",
    )  # fmt: skip
    assert "relay-lo" in path.taps
    assert path.relayed_by == "relay"
    assert path.complete


def test_what_a_relay_gives_from_client_to_client_must_be_seen_on_its_loopback(
    tmp_path: FilePath,
) -> None:
    story = Story()
    relayed_through_the_same_nat(story, rtp(1), unseen_on_loopback=True)
    (hole,) = story.travels(tmp_path).holes
    assert hole.missed is not None
    assert (hole.missed.name, hole.seen.tap.name) == ("relay-lo", "relay-eth0")


def test_copies_that_follow_soon_go_over_the_loopback_once_each(tmp_path: FilePath) -> None:
    """A client that waits for its channel sends a check and its retransmission soon after."""
    story = Story()
    for _ in range(2):
        relayed_through_the_same_nat(story, rtp(1))
        story.wait(0.2)
    first, second = story.travels(tmp_path).paths
    assert first.complete
    assert second.complete
    assert first.taps == second.taps
    assert not story.travels(tmp_path).holes


def test_a_relay_unwraps_for_a_peer(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, RELAY), channel_data(rtp(1)))
    story.send(NAT_RELAY, ends(NAT, RELAY), channel_data(rtp(1)))
    story.send(back(EVE_RELAY), ends(RELAYED_A, EVE), rtp(1))
    path = only_path(story.travels(tmp_path))
    assert (path.origin, path.target, path.relayed_by) == ("alice", "eve", "relay")


@pytest.mark.parametrize("payload", [rtp(1), channel_data(CHECK)])
def test_what_a_relay_does_not_pass_on_is_lost_there(tmp_path: FilePath, payload: bytes) -> None:
    story = Story()
    story.send(EVE_RELAY, ends(EVE, RELAYED_A), payload)
    assert only_path(story.travels(tmp_path)).lost_at == "relay"


def test_a_request_to_the_relay_itself_arrives(tmp_path: FilePath) -> None:
    story = Story()
    story.send(EVE_RELAY, ends(EVE, RELAY), CHECK)
    assert only_path(story.travels(tmp_path)).complete


def test_a_forwarders_query_is_its_own_even_with_equal_bytes(tmp_path: FilePath) -> None:
    story = Story()
    query = dns_query("front-end.service.example")
    story.send((Hop("alice-eth0", "forwarder-eth0"),), ends(ALICE, "10.10.0.53:53"), query)
    story.send(FORWARDER_NAT, ends("10.10.0.53:4000", "198.51.100.53:53"), query)
    story.send(NAT_RESOLVER, ends("198.51.100.2:4000", "198.51.100.53:53"), query)
    travels = story.travels(tmp_path)
    assert [(path.origin, path.target) for path in travels.paths] == [
        ("alice", "forwarder"),
        ("forwarder", "resolver"),
    ]
    assert not travels.holes


def test_an_overheard_frame_is_no_sighting(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    packet = udp(ends(ALICE, BOB), rtp(1))
    frame = ethernet(story.tap("bob-eth0").mac, story.tap("alice-eth0").mac, 0x0800, packet)
    story.see("core-eth0", frame)
    assert only_path(story.travels(tmp_path)).taps == ("alice-eth0", "bob-eth0")


@pytest.mark.parametrize(
    ("deaf", "missed", "seen"),
    [
        ("alice-eth0", "alice-eth0", "core-eth0"),
        ("core-eth0", "core-eth0", "core-eth1"),
        ("core-eth1", "core-eth1", "branch_rtr-eth1"),
        ("branch_rtr-eth0", "branch_rtr-eth0", "bea-eth0"),
    ],
)
def test_a_tap_that_missed_a_packet_is_a_hole(
    tmp_path: FilePath, deaf: str, missed: str, seen: str
) -> None:
    story = Story(deaf={deaf})
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1))
    (hole,) = story.travels(tmp_path).holes
    assert hole.missed
    assert (hole.missed.name, hole.seen.tap.name) == (missed, seen)


def test_a_hole_before_a_nat_is_found_although_the_nats_address_is_its_own(
    tmp_path: FilePath,
) -> None:
    story = Story(deaf={"office_nat-eth0"})
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    (hole,) = story.travels(tmp_path).holes
    assert hole.missed
    assert hole.missed.name == "office_nat-eth0"
    assert hole.seen.tap.name == "office_nat-eth1"


def test_a_hole_before_a_relay_is_found(tmp_path: FilePath) -> None:
    story = Story(deaf={"relay-eth0"})
    story.send(EVE_RELAY, ends(EVE, RELAYED_A), rtp(1))
    story.deaf = set()
    story.send(back(NAT_RELAY), ends(RELAY, NAT), channel_data(rtp(1)))
    (hole,) = story.travels(tmp_path).holes
    assert hole.missed
    assert hole.missed.name == "relay-eth0"


def test_a_hole_at_a_whole_router(tmp_path: FilePath) -> None:
    story = Story(deaf={"core-eth0", "core-eth1"})
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1))
    (hole,) = story.travels(tmp_path).holes
    assert hole.missed
    assert hole.missed.name == "core-eth1"


def test_the_receivers_tap_without_the_packet_is_a_loss(tmp_path: FilePath) -> None:
    story = Story(deaf={"bob-eth0"})
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    assert only_path(story.travels(tmp_path)).lost_at == "head"


def test_the_paths_of_equal_payloads_are_found_from_any_row(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(2))
    table = story.table(tmp_path)
    assert (table.protocol == IP_UDP).all()
    travels = story.travels(tmp_path)
    first, second = travels.paths
    assert travels.alike(first.last.row) == (first,)
    assert travels.alike(second.first.row) == (second,)
    assert travels.alike(99) == ()


def test_a_path_leads_past_the_taps_that_missed_the_packet(tmp_path: FilePath) -> None:
    story = Story(deaf={"core-eth1"})
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1))
    (path,) = story.travels(tmp_path).paths
    assert path.taps == taps(
        "alice-eth0", "core-eth0", "branch_rtr-eth1", "branch_rtr-eth0", "bea-eth0"
    )
    assert (path.origin, path.target, path.rooted) == ("alice", "bea", True)


def test_the_sender_is_known_by_its_mac_where_its_own_tap_missed_the_packet(
    tmp_path: FilePath,
) -> None:
    story = Story(deaf={"alice-eth0"})
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    (path,) = story.travels(tmp_path).paths
    assert (path.origin, path.target, path.rooted) == ("alice", "bob", True)


def test_a_path_without_a_sender_has_no_root(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BEA[1:], ends(ALICE, BEA), rtp(1))
    travels = story.travels(tmp_path)
    (path,) = travels.paths
    (hole,) = travels.holes
    assert not path.rooted
    assert (hole.missed, hole.host) == (None, "core")
