"""Media is what authenticates; where it went astray, was lost or is a stranger is said."""

from collections.abc import Sequence
from pathlib import Path as FilePath

import pylibsrtp
import pytest

from results.media import (
    Stream,
    astray,
    authenticated,
    losses,
    media_paths,
    openings,
    rtp_packets,
    seconds_arrived,
    strange,
    strangers_at,
    unlisted_legs,
)
from results.media_keys import MediaKey, Socket
from results.packets import PacketTable
from results.problems import Ground
from results.protocols.srtp import Profile
from results.setup.checks import stun_messages
from results.setup.turn import Turn, read_turn
from results.tracing.legs import Conversations
from results.tracing.paths import Path
from tests.results.home_story import ALICE as ALICE_AT
from tests.results.home_story import EVE as EVE_AT
from tests.results.home_story import HomeStory
from tests.results.story import (
    ALICE,
    ALICE_BEA,
    ALICE_BOB,
    ALICE_NAT,
    BEA,
    BOB,
    EVE,
    NAT,
    NAT_EVE,
    Hop,
    Story,
    back,
    channel_data,
    end,
    ends,
    rtp,
)
from topologies.spec import Flow

KEYS = {"alice": bytes(range(44)), "bob": bytes(range(100, 144))}


PROTECTION = (Profile.AEAD_AES_256_GCM, KEYS["alice"])


def never(_lost: Path) -> bool:
    """No cable loses packets on purpose."""
    return False


def media_key(sender: str = "alice", receiver: str = "bob") -> MediaKey:
    return MediaKey("c1", sender, receiver, Profile.AEAD_AES_256_GCM, KEYS[sender])


class Protector:
    """Makes SRTP packets of one sender."""

    def __init__(self, sender: str = "alice") -> None:
        policy = pylibsrtp.Policy(
            key=KEYS[sender],
            ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
        )
        self._session = pylibsrtp.Session(policy)
        self._number = 0

    def __call__(self) -> bytes:
        """The next packet."""
        self._number += 1
        return bytes(self._session.protect(rtp(self._number)))


def talk(
    story: Story, route: Sequence[Hop], sockets: tuple[str, str], count: int, srtp: Protector
) -> None:
    """Send so many packets, one each 20 ms."""
    for _ in range(count):
        story.send(route, ends(*sockets), srtp())
        story.wait(0.02)


def stream_of(
    story: Story, folder: FilePath, key: MediaKey | None = None
) -> tuple[PacketTable, Stream]:
    table = story.table(folder)
    (stream,), _ = authenticated(rtp_packets(table, story.travels(folder)), [key or media_key()])
    return table, stream


def loss_texts(story: Story, folder: FilePath) -> list[str]:
    problems = losses(*stream_of(story, folder), never)
    assert all(problem.ground is Ground.HOLE for problem in problems)
    return [problem.text for problem in problems]


def test_both_directions_have_their_own_key(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, Protector("alice"))
    talk(story, back(ALICE_BOB), (BOB, ALICE), 2, Protector("bob"))
    packets = rtp_packets(story.table(tmp_path), story.travels(tmp_path))
    streams, rest = authenticated(packets, [media_key(), media_key("bob", "alice")])
    assert [len(stream.packets) for stream in streams] == [3, 2]
    assert rest == []


def test_a_packet_seen_at_many_taps_is_one_packet_with_one_path(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BEA, (ALICE, BEA), 5, Protector())
    _, stream = stream_of(story, tmp_path, media_key("alice", "bea"))
    travels = story.travels(tmp_path)
    (path,) = media_paths(stream, [], Conversations(story.places, travels.paths), Turn())
    assert path.taps == tuple(name for hop in ALICE_BEA for name in hop)
    assert (path.packets, path.authenticated) == (5, 5)
    assert path.flows == (Flow.F5,)
    assert (path.from_, path.to, path.transport, path.relayed_by) == ("alice", "bea", "udp", None)


def test_two_paths_of_one_direction_are_told_apart(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    detour = (Hop("alice-eth0", "core-eth0"), Hop("core-eth0", "bob-eth0"))
    talk(story, detour, (ALICE, BOB), 2, srtp)
    _, stream = stream_of(story, tmp_path)
    paths = list(
        media_paths(stream, [], Conversations(story.places, story.travels(tmp_path).paths), Turn())
    )
    assert [(path.taps, path.packets) for path in paths] == [
        (("alice-eth0", "bob-eth0"), 3),
        (("alice-eth0", "core-eth0", "core-eth0", "bob-eth0"), 2),
    ]


def allocated_by(story: HomeStory, folder: FilePath) -> list[tuple[str, ...]]:
    """By whose allocations the media of alice to eve went."""
    table, travels = story.table(folder), story.travels(folder)
    packets = rtp_packets(table, travels)
    (stream,), _ = authenticated(packets, [media_key("alice", "eve")])
    turn = read_turn(stun_messages(table, travels))
    conversations = Conversations(story.places, travels.paths)
    return [path.allocated_by for path in media_paths(stream, [], conversations, turn)]


def test_direct_media_passes_no_allocation(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE_AT)
    story.direct(ALICE_AT, EVE_AT, Protector()())
    assert allocated_by(story, tmp_path) == [()]


def test_the_allocation_of_the_sender_or_of_the_receiver(tmp_path: FilePath) -> None:
    """Both ways have the same taps: what was wrapped is on one side or on the other."""
    story, srtp = HomeStory(), Protector()
    story.allocate(ALICE_AT)
    story.allocate(EVE_AT)
    story.relayed(ALICE_AT, EVE_AT, srtp())
    assert allocated_by(story, tmp_path) == [("alice",)]
    story.frames.clear()
    story.allocate(EVE_AT)
    story.to_relayed(ALICE_AT, EVE_AT, srtp())
    assert allocated_by(story, tmp_path) == [("eve",)]
    story.allocate(ALICE_AT)
    story.relayed(ALICE_AT, EVE_AT, srtp())
    assert allocated_by(story, tmp_path) == [("eve", "alice")]


def test_both_allocations_from_relay_to_relay(tmp_path: FilePath) -> None:
    story, payload = HomeStory(), Protector()()
    story.allocate(ALICE_AT)
    story.allocate(EVE_AT)
    story.to_relay(ALICE_AT, channel_data(payload))
    story.loop(ends(ALICE_AT.relayed, EVE_AT.relayed), payload)
    story.from_relay(EVE_AT, channel_data(payload))
    assert allocated_by(story, tmp_path) == [("alice", "eve")]


def test_media_in_channel_data_authenticates(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    story.send(ALICE_BOB, ends(ALICE, BOB), channel_data(srtp()))
    _, stream = stream_of(story, tmp_path)
    assert len(stream.packets) == 1


def test_another_calls_media_does_not_authenticate(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, Protector("bob"))
    packets = rtp_packets(story.table(tmp_path), story.travels(tmp_path))
    (stream,), rest = authenticated(packets, [media_key()])
    assert stream.packets == ()
    assert len(rest) == 3


def test_strangers_count_as_packets_of_the_path_but_not_as_authenticated(
    tmp_path: FilePath,
) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, Protector())
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(900))
    travels = story.travels(tmp_path)
    (stream,), rest = authenticated(rtp_packets(story.table(tmp_path), travels), [media_key()])
    (path,) = media_paths(stream, rest, Conversations(story.places, travels.paths), Turn())
    assert (path.packets, path.authenticated) == (4, 3)


def strangers(story: Story, folder: FilePath, *sockets: Socket) -> list[str]:
    table = story.table(folder)
    packets = rtp_packets(table, story.travels(folder))
    found = strangers_at(story.places, packets, sockets)
    return [problem.text for problem in strange(table, found)]


def test_strangers_on_ice_sockets_are_named(tmp_path: FilePath) -> None:
    story = Story()
    for number in (1, 2):
        story.send(ALICE_BOB, ends(ALICE, BOB), rtp(number))
    assert strangers(story, tmp_path, Socket("alice", *end(ALICE))) == [
        "2 packets look like SRTP at alice-eth0 (first: frame 1) "
        "but authenticate under no key of this run"
    ]
    assert strangers(story, tmp_path, Socket("bob", *end(BOB))) != []


def test_strangers_between_other_sockets_are_chance(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    assert strangers(story, tmp_path, Socket("alice", *end("10.10.0.11:1"))) == []


def test_strangers_at_a_perimeter_are_named(tmp_path: FilePath) -> None:
    story = Story()
    story.send(ALICE_NAT, ends(ALICE, EVE), rtp(1))
    story.send(NAT_EVE, ends(NAT, EVE), rtp(1))
    assert len(strangers(story, tmp_path)) == 1


def test_strangers_at_a_relay_are_named(tmp_path: FilePath) -> None:
    story = Story()
    story.loop(ends("203.0.113.9:1", "203.0.113.9:2"), rtp(1))
    assert strangers(story, tmp_path) == [
        "1 packet looks like SRTP at relay-lo (frame 1) but authenticates under no key of this run"
    ]


def test_media_cut_from_the_receivers_tap(tmp_path: FilePath) -> None:
    story = Story(deaf={"bob-eth0"})
    talk(story, ALICE_BOB, (ALICE, BOB), 3, Protector())
    assert loss_texts(story, tmp_path) == [
        "3 media packets from alice to bob left alice-eth0 and were never seen to arrive at "
        "bob-eth0 (first: frame 1 of alice-eth0)"
    ]


def test_a_single_packet_lost_in_the_middle(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 2, srtp)
    story.send(ALICE_BOB, ends(ALICE, BOB), srtp(), lost=True)
    talk(story, ALICE_BOB, (ALICE, BOB), 2, srtp)
    assert loss_texts(story, tmp_path) == [
        "1 media packet from alice to bob left alice-eth0 and was never seen to arrive at "
        "bob-eth0 (first: frame 3 of alice-eth0)"
    ]


def test_a_packet_that_a_router_swallowed(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    story.send(ALICE_BEA[:1], ends(ALICE, BEA), srtp())
    talk(story, ALICE_BEA, (ALICE, BEA), 2, srtp)
    table, stream = stream_of(story, tmp_path, media_key("alice", "bea"))
    (problem,) = losses(table, stream, never)
    assert problem.text == (
        "1 media packet from alice to bea reached core-eth0 and was never seen to go on "
        "(first: frame 1 of core-eth0)"
    )


def test_packets_after_the_last_that_was_taken_belong_to_the_hang_up(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    for _ in range(2):
        story.send(ALICE_BOB, ends(ALICE, BOB), srtp(), lost=True)
    assert loss_texts(story, tmp_path) == []


def test_a_long_silence_at_the_receiver_is_no_hang_up(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    story.deaf = {"bob-eth0"}
    talk(story, ALICE_BOB, (ALICE, BOB), 30, srtp)
    assert loss_texts(story, tmp_path) == [
        "30 media packets from alice to bob left alice-eth0 and were never seen to arrive at "
        "bob-eth0 (first: frame 4 of alice-eth0)"
    ]


def test_media_that_arrives_at_somebody_else(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 2, srtp)
    talk(story, ALICE_BEA, (ALICE, BEA), 1, srtp)
    table, stream = stream_of(story, tmp_path)
    (problem,) = astray(table, stream)
    assert problem.text == (
        "1 media packet from alice to bob went astray by alice-eth0, core-eth0, core-eth1, "
        "branch_rtr-eth1, branch_rtr-eth0, bea-eth0 (first: frame 3 of alice-eth0)"
    )
    assert len(stream.arrived) == 2


def test_a_second_copy_that_never_arrives_went_astray_too(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    payload = srtp()
    story.send(ALICE_BOB, ends(ALICE, BOB), payload)
    story.send(ALICE_NAT, ends(ALICE, EVE), payload)
    table, stream = stream_of(story, tmp_path)
    (problem,) = astray(table, stream)
    assert problem.text == (
        "1 media packet from alice to bob went astray by alice-eth0, core-eth0, core-eth2, "
        "office_nat-eth0 (first: frame 2 of alice-eth0)"
    )
    assert losses(table, stream, never) == []


def test_how_long_media_lasted_is_measured_at_the_receiver(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 51, Protector())
    _, stream = stream_of(story, tmp_path)
    assert seconds_arrived(stream) == pytest.approx(1.0, abs=0.01)


def test_no_media_lasts_no_time(tmp_path: FilePath) -> None:
    _, stream = stream_of(Story(), tmp_path)
    assert seconds_arrived(stream) == 0


def test_media_let_in_unasked_is_unlisted_with_both_segments(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    payload = srtp()
    story.send(back(NAT_EVE), ends(EVE, NAT), payload)
    story.send(back(ALICE_NAT), ends(EVE, ALICE), payload)
    _, stream = stream_of(story, tmp_path, MediaKey("c1", "eve", "alice", *PROTECTION))
    conversations = Conversations(story.places, story.travels(tmp_path).paths)
    assert unlisted_legs(story.places, openings(stream.arrived, conversations)) == [
        "media from eve to alice goes from the internet to the customer network, "
        "which has no flow number"
    ]
