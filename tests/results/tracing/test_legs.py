"""A flow is who initiated a leg: the sender of the first packet that perimeters let through."""

from pathlib import Path as FilePath

import pytest

from results.packets import Kind
from results.tracing.legs import UNLISTED, Conversations, NamedFlow, in_order, legs, name_of
from results.tracing.paths import Path
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
    NAT,
    NAT_B,
    NAT_EVE,
    NAT_RELAY,
    RELAY,
    RELAYED_A,
    RELAYED_B,
    Hop,
    Story,
    back,
    channel_data,
    ends,
    rtp,
    stun,
    udp,
    with_eve,
)
from topologies.parts import impaired
from topologies.spec import Flow

CHECK, OTHER_CHECK, ALLOCATE = stun(0x0001, 1), stun(0x0001, 2), stun(0x0003, 3)


def media_flows(story: Story, folder: FilePath) -> list[tuple[str, str, Flow | None]]:
    """Origin, target and flow of each leg of the story's one RTP packet."""
    travels = story.travels(folder)
    conversations = Conversations(story.places, travels.paths)
    (path,) = (path for path in travels.paths if path.first.kind is Kind.RTP)
    opened = [conversations.opened(leg) for leg in legs(story.places, path)]
    return [(item.origin, item.target, item.flow) for item in opened]


@pytest.mark.parametrize(
    ("route", "source", "destination"), [(ALICE_BOB, ALICE, BOB), (ALICE_BEA, ALICE, BEA)]
)
def test_inside_the_customer_network(
    tmp_path: FilePath, route: tuple[Hop, ...], source: str, destination: str
) -> None:
    story = Story()
    story.send(route, ends(source, destination), rtp(1))
    ((_, _, flow),) = media_flows(story, tmp_path)
    assert flow is Flow.F5


def test_the_direction_is_that_of_the_first_packet_not_of_the_media(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, EVE), CHECK)
    story.send(NAT_EVE, ends(NAT, EVE), CHECK)
    story.send(back(NAT_EVE), ends(EVE, NAT), rtp(1))
    story.send(back(ALICE_NAT), ends(EVE, ALICE), rtp(1))
    assert media_flows(story, tmp_path) == [("alice", "eve", Flow.F2)]


def test_a_packet_that_the_perimeter_refused_opens_nothing(tmp_path: FilePath) -> None:
    story = Story()
    story.send(back(NAT_EVE), ends(EVE, NAT), OTHER_CHECK)
    story.wait(0.05)
    story.send(ALICE_NAT, ends(ALICE, EVE), CHECK)
    story.send(NAT_EVE, ends(NAT, EVE), CHECK)
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    assert media_flows(story, tmp_path) == [("alice", "eve", Flow.F2)]


def test_a_packet_that_passed_the_perimeter_opens_although_it_was_dropped_beyond(
    tmp_path: FilePath,
) -> None:
    """A home router dropped it, but its answer came in through what it had opened."""
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, EVE), CHECK)
    story.send(NAT_EVE[:1], ends(NAT, EVE), CHECK)
    for payload in (OTHER_CHECK, rtp(1)):
        story.send(back(NAT_EVE), ends(EVE, NAT), payload)
        story.send(back(ALICE_NAT), ends(EVE, ALICE), payload)
    assert media_flows(story, tmp_path) == [("alice", "eve", Flow.F2)]


def test_what_was_sent_first_and_passed_the_perimeter_later_opens_nothing(
    tmp_path: FilePath,
) -> None:
    """Over a slow link, a peer's check may be under way when the office's own opens the way."""
    story = Story(impaired(with_eve(), "access", delay_ms=50))
    story.cross(back(NAT_EVE)[0], udp(ends(EVE, NAT), OTHER_CHECK))
    slow = back(NAT_EVE)[1]
    sent = story.now
    story.see(slow.out, story.framed(slow, udp(ends(EVE, NAT), OTHER_CHECK)))
    story.wait(0.01)
    story.send(ALICE_NAT, ends(ALICE, EVE), CHECK)
    story.send(NAT_EVE, ends(NAT, EVE), CHECK)
    story.now = sent + 50_000_000
    story.see(slow.into, story.framed(slow, udp(ends(EVE, NAT), OTHER_CHECK)))
    story.send(back(ALICE_NAT), ends(EVE, ALICE), OTHER_CHECK)
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    assert media_flows(story, tmp_path) == [("alice", "eve", Flow.F2)]


def test_a_packet_that_a_firewall_on_the_inner_link_stopped_opens_nothing(
    tmp_path: FilePath,
) -> None:
    """It left the NAT toward the inside, and was seen nowhere after that."""
    story = Story()
    story.send(back(NAT_EVE), ends(EVE, NAT), OTHER_CHECK)
    story.leave(back(ALICE_NAT)[0], ends(EVE, ALICE), OTHER_CHECK)
    story.send(ALICE_NAT, ends(ALICE, EVE), CHECK)
    story.send(NAT_EVE, ends(NAT, EVE), CHECK)
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    assert media_flows(story, tmp_path) == [("alice", "eve", Flow.F2)]


def test_from_the_internet_into_the_customer_network_is_unlisted(tmp_path: FilePath) -> None:
    story = Story()
    story.send(back(NAT_EVE), ends(EVE, NAT), rtp(1))
    story.send(back(ALICE_NAT), ends(EVE, ALICE), rtp(1))
    ((origin, target, flow),) = media_flows(story, tmp_path)
    assert (origin, target, name_of(flow)) == ("eve", "alice", UNLISTED)


def test_a_path_is_cut_at_the_relay_into_the_flows_of_both_users(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, RELAY), ALLOCATE)
    story.send(NAT_RELAY, ends(NAT, RELAY), ALLOCATE)
    story.send(EVE_RELAY, ends(EVE, RELAYED_A), rtp(1))
    story.send(back(NAT_RELAY), ends(RELAY, NAT), channel_data(rtp(1)))
    story.send(back(ALICE_NAT), ends(RELAY, ALICE), channel_data(rtp(1)))
    assert media_flows(story, tmp_path) == [
        ("eve", "relay", Flow.F3),
        ("alice", "relay", Flow.F4),
    ]


def test_a_relays_first_packet_to_a_user_outside_does_not_make_the_flow_the_services(
    tmp_path: FilePath,
) -> None:
    story = Story()
    story.send(back(EVE_RELAY), ends(RELAYED_A, EVE), CHECK)
    story.send(EVE_RELAY, ends(EVE, RELAYED_A), rtp(1))
    story.send(back(NAT_RELAY), ends(RELAY, NAT), channel_data(rtp(1)))
    story.send(back(ALICE_NAT), ends(RELAY, ALICE), channel_data(rtp(1)))
    assert media_flows(story, tmp_path)[0] == ("eve", "relay", Flow.F3)


def test_a_relay_that_a_perimeter_lets_in_unasked_is_unlisted(tmp_path: FilePath) -> None:
    story = Story()
    story.send(EVE_RELAY, ends(EVE, RELAY), channel_data(rtp(1)))
    story.send(back(NAT_RELAY), ends(RELAYED_A, NAT), rtp(1))
    story.send(back(ALICE_NAT), ends(RELAYED_A, ALICE), rtp(1))
    eve, alice = media_flows(story, tmp_path)
    assert eve == ("eve", "relay", Flow.F3)
    assert alice == ("relay", "alice", None)


def test_relay_to_relay_belongs_to_no_leg(tmp_path: FilePath) -> None:
    story = Story()
    for route, source, through in ((ALICE_NAT, ALICE, NAT), (BOB_NAT, BOB, NAT_B)):
        request = stun(0x0003, len(source) + ord(source[-1]))
        story.send(route, ends(source, RELAY), request)
        story.send(NAT_RELAY, ends(through, RELAY), request)
    story.send(ALICE_NAT, ends(ALICE, RELAY), channel_data(rtp(1)))
    story.send(NAT_RELAY, ends(NAT, RELAY), channel_data(rtp(1)))
    story.loop(ends(RELAYED_A, RELAYED_B), rtp(1))
    story.send(back(NAT_RELAY), ends(RELAY, NAT_B), channel_data(rtp(1), 0x4001))
    story.send(back(BOB_NAT), ends(RELAY, BOB), channel_data(rtp(1), 0x4001))
    assert media_flows(story, tmp_path) == [
        ("alice", "relay", Flow.F4),
        ("bob", "relay", Flow.F4),
    ]


def test_legs_of_a_direct_path(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BEA, ends(ALICE, BEA), rtp(1))
    (path,) = story.travels(tmp_path).paths
    (leg,) = legs(story.places, path)
    assert (leg.origin, leg.target) == ("alice", "bea")
    assert isinstance(path, Path)


def test_flows_stand_in_the_order_of_the_documents() -> None:
    found: list[NamedFlow] = [UNLISTED, Flow.F6, Flow.F2_VPN, Flow.F2, Flow.F4, Flow.F2]
    assert in_order(found) == ("2", "2'", "4", "6", UNLISTED)
