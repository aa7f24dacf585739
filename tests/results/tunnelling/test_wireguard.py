"""Inner packets are tied to outer ones by size and time, one to one, and no more is said."""

from pathlib import Path as FilePath

import pytest

from results.absence import find_canaries
from results.canary_frames import Moment
from results.tunnelling.wireguard import Carried, carried, outer_size
from tests.results.story import RUN, back, ends, rtp, tcp
from tests.results.vpn_story import (
    ALICE,
    IN_TUNNEL,
    VIC,
    VIC_ALICE,
    VIC_AT_HOME,
    VpnStory,
)


def of_vic(story: VpnStory, folder: FilePath) -> Carried:
    table = story.table(folder)
    found = carried(table, story.places, find_canaries(table, RUN))
    assert [one.client for one in found] == ["vic", "vera"]
    return found[0]


def problems(story: VpnStory, folder: FilePath) -> list[str]:
    return [one.text for one in of_vic(story, folder).problems(story.table(folder))]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [(1, 48), (16, 48), (17, 64), (160, 192), (1408, 1440), (1409, 1452), (1420, 1452)],
)
def test_the_size_outside_is_padded_within_the_mtu(inner: int, outer: int) -> None:
    assert outer_size(inner, mtu=1420) == outer


def test_each_inner_packet_has_one_outside(tmp_path: FilePath) -> None:
    story = VpnStory()
    for number in range(3):
        story.send(VIC_ALICE, ends(VIC, ALICE), rtp(number))
        story.send(back(VIC_ALICE), ends(ALICE, VIC), rtp(100 + number))
    found = of_vic(story, tmp_path)
    assert found.words == (
        "6 of 6 packets in the tunnel at vic-wg0 are consistent with WireGuard packets of vic-eth0"
    )
    assert problems(story, tmp_path) == []
    cited = [(one.tap, one.what) for one in found.citations(story.table(tmp_path))]
    assert cited == [
        ("vic-wg0", "the first packet in the tunnel of vic"),
        ("vic-eth0", "a WireGuard packet that is consistent with it, by size and time"),
    ]


def test_an_inner_packet_without_one(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.carried = False
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(2))
    assert problems(story, tmp_path) == [
        "only 1 of 2 packets in the tunnel at vic-wg0 are consistent with WireGuard packets of "
        "vic-eth0, by size and time (first without: frame 2 of vic-wg0)"
    ]


def test_what_follows_the_last_canary_outside_needs_none(tmp_path: FilePath) -> None:
    """The capture outside may have ended by then."""
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.canaries(Moment.AFTER, without="vic-wg0")
    story.carried = False
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(2))
    story.canaries(Moment.AFTER, without="vic-eth0")
    assert problems(story, tmp_path) == []


@pytest.mark.parametrize(
    ("size", "wait"), [(outer_size(160, 1420), 0.0), (outer_size(140, 1420), 0.5)]
)
def test_another_size_or_much_later_is_no_tie(tmp_path: FilePath, size: int, wait: float) -> None:
    story = VpnStory(carried=False)
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.wait(wait)
    story.carry(size)
    found = of_vic(story, tmp_path)
    assert (len(found.untied), len(found.strays)) == (1, 1)


def test_what_comes_in_follows_what_carried_it(tmp_path: FilePath) -> None:
    story = VpnStory(carried=False)
    story.send(back(VIC_ALICE), ends(ALICE, VIC), rtp(1))
    story.wait(0.01)
    story.carry(outer_size(140, 1420), inward=False)
    assert len(of_vic(story, tmp_path).untied) == 1


def test_a_wireguard_packet_that_fits_nothing(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.carry(240)
    story.carry(240)
    assert problems(story, tmp_path) == [
        "vic sent 2 WireGuard packets that fit nothing in the tunnel at vic-wg0 "
        "(first: frame 2 of vic-eth0)"
    ]


def test_keepalives_and_handshakes_carry_nothing(tmp_path: FilePath) -> None:
    story = VpnStory()
    story.carry(32)
    story.carry(148, kind=1)
    story.carry(92, kind=2, inward=False)
    found = of_vic(story, tmp_path)
    assert (found.count, problems(story, tmp_path)) == (0, [])
    assert found.citations(story.table(tmp_path)) == ()


def test_what_no_peer_may_have_needs_none(tmp_path: FilePath) -> None:
    """Cryptokey routing: the address is not in the AllowedIPs, so nothing leaves."""
    story = VpnStory(carried=False)
    story.send(IN_TUNNEL, ends(VIC_AT_HOME, "203.0.113.9:3478"), rtp(1), lost=True)
    assert problems(story, tmp_path) == []


def test_a_segment_that_offload_has_not_cut_yet(tmp_path: FilePath) -> None:
    story = VpnStory()
    segment = tcp(ends(VIC, ALICE), 1, 0x18, bytes(2 * 1380 + 60))
    story.see("vic-wg0", segment)
    for size in (1420, 1420, 100):
        story.carry(outer_size(size, 1420))
    found = of_vic(story, tmp_path)
    assert (found.count, found.untied, found.strays) == (1, (), ())


def test_what_was_under_way_when_the_first_capture_ended_is_not_asked_for(
    tmp_path: FilePath,
) -> None:
    """Captures end one after the other, the physical interface's before the tunnel's."""
    story = VpnStory()
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(1))
    story.canaries(Moment.AFTER, without="vic-wg0")
    story.carried = False
    story.send(VIC_ALICE, ends(VIC, ALICE), rtp(2))
    assert problems(story, tmp_path) == []
