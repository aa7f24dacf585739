"""What relays granted and refused, to whom, and when."""

from pathlib import Path as FilePath

import pytest

from results.packets import PacketTable
from results.protocols import stun as stun_reader
from results.setup.checks import stun_messages
from results.setup.turn import Allocation, Turn, allocated, read_turn
from results.tracing.paths import Path, follow_udp
from tests.results.home_story import (
    ALICE,
    ALLOCATE_SUCCESS,
    CHANNEL_BIND,
    CREATE_PERMISSION,
    EVE,
    PEER,
    RELAYED,
    HomeStory,
)
from tests.results.story import (
    RELAY,
    RELAYED_A,
    RELAYED_B,
    back,
    channel_data,
    end,
    ends,
    rtp,
    stun,
    xored,
)

#: Before all, and after all that a story tells.
NEVER, LATE = 0, 2**62


def read(story: HomeStory, folder: FilePath) -> tuple[PacketTable, tuple[Path, ...], Turn]:
    table = story.table(folder)
    udp = follow_udp(table, story.places)
    return table, udp.paths, read_turn(stun_messages(table, udp))


def test_an_allocation_belongs_to_the_socket_that_was_told_of_it(tmp_path: FilePath) -> None:
    story = HomeStory()
    before = story.now
    story.allocate(ALICE)
    _, _, turn = read(story, tmp_path)
    expected = Allocation("alice", end(ALICE.turn), "relay", end(RELAYED_A), before)
    assert turn.allocation("alice", end(ALICE.turn), LATE) == expected
    assert turn.owner("relay", end(RELAYED_A), LATE) == expected
    assert turn.owner("relay", end(RELAYED_A), before - 1) is None
    assert turn.allocation("alice", end(ALICE.socket), LATE) is None
    assert turn.owner("relay", end(RELAYED_B), LATE) is None


def test_an_address_that_is_given_twice_belongs_to_the_later_user(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    between = story.now
    again = stun(ALLOCATE_SUCCESS, 9, (RELAYED, xored(end(RELAYED_A))))
    story.from_relay(EVE, again)
    _, _, turn = read(story, tmp_path)
    users = [turn.owner("relay", end(RELAYED_A), time) for time in (between - 1, LATE)]
    assert [one.user for one in users if one] == ["alice", "eve"]


def test_an_answer_that_did_not_arrive_gives_nothing(tmp_path: FilePath) -> None:
    story = HomeStory()
    lost = stun(ALLOCATE_SUCCESS, 9, (RELAYED, xored(end(RELAYED_A))))
    story.send(back(ALICE.outside), ends(RELAY, ALICE.turn_mapped), lost, lost=True)
    _, _, turn = read(story, tmp_path)
    assert turn == Turn()


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        (0x0003, ((RELAYED, xored(end(RELAYED_A))),)),
        (ALLOCATE_SUCCESS, ()),
        (ALLOCATE_SUCCESS, ((RELAYED, b"short"),)),
        (ALLOCATE_SUCCESS, ((RELAYED, b"\0\x03" + bytes(18)),)),
    ],
)
def test_what_allocates_nothing(kind: int, attributes: tuple[tuple[int, bytes], ...]) -> None:
    assert allocated(stun_reader.parse(stun(kind, 1, *attributes))) is None


@pytest.mark.parametrize("kind", [CHANNEL_BIND, CREATE_PERMISSION])
def test_a_permission_is_for_an_address_whatever_the_port(tmp_path: FilePath, kind: int) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    before = story.now
    story.ask_for(ALICE, EVE.mapped, 1, kind=kind)
    _, _, turn = read(story, tmp_path)
    alice = turn.allocations[0]
    address = end(EVE.mapped)[0]
    assert turn.permits(alice, address, LATE)
    assert not turn.permits(alice, address, before)
    assert not turn.permits(alice, address + 1, LATE)


def test_one_request_may_name_several_peers(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.allocate(ALICE)
    peers = [(PEER, xored(end(at))) for at in ("192.0.2.1:0", "192.0.2.2:0")]
    story.to_relay(ALICE, stun(CREATE_PERMISSION, 1, *peers))
    story.from_relay(ALICE, stun(0x0108, 1))
    _, _, turn = read(story, tmp_path)
    asked = [answer.peer for answer in turn.answers]
    assert asked == [end("192.0.2.1:0"), end("192.0.2.2:0")]


def test_a_refusal_names_the_relay_and_its_error(tmp_path: FilePath) -> None:
    story = HomeStory()
    story.ask_for(ALICE, EVE.socket, 1, error=403)
    table, _, turn = read(story, tmp_path)
    refusal = turn.refusal("alice", end(ALICE.turn), end(EVE.socket))
    assert refusal
    assert (refusal.relay, refusal.asked, refusal.error) == (
        "relay",
        "ChannelBind",
        (403, "Forbidden IP"),
    )
    assert (table.tap_name(refusal.row), int(table.frame[refusal.row])) == ("alice-eth0", 2)
    assert turn.refusal("alice", end(ALICE.turn), end(EVE.mapped)) is None


@pytest.mark.parametrize(
    "answer",
    [
        stun(0x0119, 2, (0x0009, b"\0\0\x04\x03")),
        stun(0x0118, 1, (0x0009, b"\0\0\x04\x03")),
        stun(0x0119, 1, (0x0009, b"\0")),
        stun(0x0119, 1),
    ],
    ids=["another transaction", "another method", "a broken code", "no code"],
)
def test_answers_that_tell_nothing(tmp_path: FilePath, answer: bytes) -> None:
    story = HomeStory()
    story.to_relay(ALICE, stun(CHANNEL_BIND, 1, (PEER, xored(end(EVE.socket)))))
    story.from_relay(ALICE, answer)
    assert read(story, tmp_path)[2].answers == ()


@pytest.mark.parametrize(
    ("wrapped", "peer"),
    [
        (channel_data(rtp(1), 0x4000), EVE.mapped),
        (channel_data(rtp(1), 0x4001), None),
        (stun(0x0016, 5, (PEER, xored(end(EVE.socket))), (0x0013, rtp(1))), EVE.socket),
        (rtp(1), None),
    ],
)
def test_the_wrapping_tells_the_peer(tmp_path: FilePath, wrapped: bytes, peer: str | None) -> None:
    story = HomeStory()
    story.ask_for(ALICE, EVE.mapped, 1)
    story.to_relay(ALICE, wrapped)
    table, paths, turn = read(story, tmp_path)
    (path,) = (path for path in paths if table.innermost(path.first.row) == rtp(1))
    assert turn.peer_of(table, path) == (end(peer) if peer else None)


def test_the_allocations_that_a_path_passed(tmp_path: FilePath) -> None:
    """Relay to relay runs over the relay's loopback, from one allocation to the other."""
    story = HomeStory()
    story.allocate(ALICE)
    story.allocate(EVE)
    story.to_relay(ALICE, channel_data(rtp(1)))
    story.loop(ends(RELAYED_A, RELAYED_B), rtp(1))
    story.from_relay(EVE, channel_data(rtp(1)))
    story.relayed(ALICE, EVE, rtp(2))
    story.to_relayed(EVE, ALICE, rtp(3))
    story.direct(ALICE, EVE, rtp(4))
    table, paths, turn = read(story, tmp_path)
    users = {
        table.innermost(path.first.row): [one.user for one in turn.passed(path)] for path in paths
    }
    assert [users[rtp(number)] for number in (1, 2, 3, 4)] == [
        ["alice", "eve"],
        ["alice"],
        ["alice"],
        [],
    ]
