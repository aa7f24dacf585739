"""Loss, order and delay of a call's media, at the hop where they came about."""

from pathlib import Path as FilePath

import pytest

from results.estimate import estimate
from results.measured import Hop, Quality
from results.media import authenticated, media_paths, rtp_packets
from results.media_quality import with_quality
from results.schema import MediaPath
from results.setup.turn import Turn
from results.tracing.legs import Conversations
from tests.results import story as told
from tests.results.story import ALICE, ALICE_BEA, ALICE_BOB, BEA, BOB, Story, ends, hops
from tests.results.test_media import Protector, media_key, talk

OPUS = {111: 48_000}

DETOUR = hops("alice-eth0>core-eth0", "core-eth0>bob-eth0")


def paths_of(
    story: Story, folder: FilePath, receiver: str = "bob", rates: dict[int, int] = OPUS
) -> list[MediaPath]:
    """The paths of the media of alice, with their quality."""
    table, travels = story.table(folder), story.travels(folder)
    packets = rtp_packets(table, travels)
    (stream,), _ = authenticated(packets, [media_key("alice", receiver)])
    found = media_paths(stream, [], Conversations(story.places, travels.paths), Turn())
    return list(with_quality(table, stream, found, rates))


def quality_of(
    story: Story, folder: FilePath, receiver: str = "bob", rates: dict[int, int] = OPUS
) -> Quality:
    (path,) = paths_of(story, folder, receiver, rates)
    assert path.quality
    return path.quality


def lose(story: Story, srtp: Protector, count: int) -> None:
    """Packets that leave alice and do not arrive at bob."""
    for _ in range(count):
        story.send(ALICE_BOB, ends(ALICE, BOB), srtp(), lost=True)
        story.wait(0.02)


def test_speech_is_rated_by_what_was_measured(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 40, srtp)
    lose(story, srtp, 4)
    talk(story, ALICE_BOB, (ALICE, BOB), 54, srtp)
    lose(story, srtp, 1)
    talk(story, ALICE_BOB, (ALICE, BOB), 1, srtp)
    found = quality_of(story, tmp_path)
    assert found.estimate == estimate(found.delay_ms, found.delay_p99_ms, [4, 1], 95)
    assert found.estimate.burst_ratio > 2


def test_what_is_no_speech_is_not_rated(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 5, Protector())
    assert quality_of(story, tmp_path, rates={111: 90_000}).estimate is None


def test_media_without_fault(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BEA, (ALICE, BEA), 50, Protector())
    found = quality_of(story, tmp_path, "bea")
    assert (found.expected, found.lost, found.longest_burst) == (50, 0, 0)
    assert (found.reordered, found.duplicated) == (0, 0)
    # A story's clock goes on by 20 µs a hop, and then by 20 ms: 60 µs more than media's.
    assert found.jitter_ms == pytest.approx(0.06, abs=0.02)
    assert found.jitter_max_ms == pytest.approx(0.06, abs=0.004)
    assert (found.delay_ms, found.delay_p99_ms) == (0.05, 0.05)


def test_a_loss_stands_at_the_hop_where_it_came_about(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BEA, (ALICE, BEA), 3, srtp)
    story.send(ALICE_BEA[:2], ends(ALICE, BEA), srtp(), lost=True)
    story.send(ALICE_BEA[:1], ends(ALICE, BEA), srtp())
    story.send(ALICE_BEA[:1], ends(ALICE, BEA), srtp())
    talk(story, ALICE_BEA, (ALICE, BEA), 3, srtp)
    (path,) = paths_of(story, tmp_path, "bea")
    assert [(hop.from_, hop.to, hop.packets, hop.lost) for hop in path.hops] == [
        ("alice-eth0", "core-eth0", 9, 0),
        ("core-eth0", "core-eth1", 9, 2),
        ("core-eth1", "branch_rtr-eth1", 7, 1),
        ("branch_rtr-eth1", "branch_rtr-eth0", 6, 0),
        ("branch_rtr-eth0", "bea-eth0", 6, 0),
    ]
    assert path.quality
    assert (path.quality.expected, path.quality.lost, path.quality.longest_burst) == (9, 3, 3)


def test_a_delay_stands_at_its_hop(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    for number in range(20):
        payload = srtp()
        story.send(ALICE_BEA[:1], ends(ALICE, BEA), payload)
        story.wait(0.030 if number % 2 else 0.010)
        story.send(ALICE_BEA[1:], ends(ALICE, BEA), payload)
    (path,) = paths_of(story, tmp_path, "bea")
    quiet, router, *rest = path.hops
    assert (quiet.delay_ms, quiet.delay_p99_ms, quiet.jitter_ms) == (0.01, 0.01, 0)
    assert router.delay_ms == pytest.approx(20, abs=0.02)
    assert router.delay_p99_ms == pytest.approx(30, abs=0.02)
    # Each differs from the last by 20 ms: the estimate runs from 1.25 toward that.
    estimates = [20 * (1 - (15 / 16) ** n) for n in range(1, 20)]
    assert router.jitter_ms == pytest.approx(sum(estimates) / 19, abs=0.001)
    assert {hop.jitter_ms for hop in rest} == {0}


def test_a_delay_of_inverted_clocks_is_below_0(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    for _ in range(3):
        story.send(ALICE_BOB, ends(ALICE, BOB), srtp(), inverted=4000)
    (path,) = paths_of(story, tmp_path)
    assert [hop.delay_ms for hop in path.hops] == [-0.004]


def test_a_number_that_no_tap_has_is_lost_but_at_no_hop(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    srtp()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    (path,) = paths_of(story, tmp_path)
    assert path.quality
    assert (path.quality.expected, path.quality.lost) == (7, 1)
    assert [hop.lost for hop in path.hops] == [0]


def test_what_was_lost_before_the_first_that_came_counts(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    lose(story, srtp, 2)
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    (path,) = paths_of(story, tmp_path)
    assert path.quality
    assert (path.quality.expected, path.quality.lost) == (5, 2)
    assert [hop.lost for hop in path.hops] == [2]


def test_packets_after_the_hang_up_count_nowhere(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, srtp)
    lose(story, srtp, 2)
    (path,) = paths_of(story, tmp_path)
    assert path.quality
    assert (path.quality.expected, path.quality.lost) == (3, 0)
    assert [(hop.packets, hop.lost) for hop in path.hops] == [(3, 0)]


def test_copies_and_packets_out_of_order(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    sent = [srtp() for _ in range(6)]
    for number in (0, 2, 1, 3, 3, 4, 5):
        story.send(ALICE_BOB, ends(ALICE, BOB), sent[number])
        story.wait(0.5)
    found = quality_of(story, tmp_path)
    assert (found.expected, found.lost, found.reordered, found.duplicated) == (6, 0, 1, 1)


class TwoSources(Protector):
    """Sends under two SSRCs in turn, whose numbers have nothing to do with each other."""

    def __call__(self) -> bytes:
        """The next packet."""
        self._number += 1
        second = self._number % 2
        packet = told.rtp((self._number + 1) // 2 + 40_000 * second)
        return bytes(self._session.protect(packet[:8] + bytes([second] * 4) + packet[12:]))


def test_two_sources_do_not_lose_each_others_packets(tmp_path: FilePath) -> None:
    story, srtp = Story(), TwoSources()
    talk(story, ALICE_BOB, (ALICE, BOB), 20, srtp)
    lose(story, srtp, 1)
    talk(story, ALICE_BOB, (ALICE, BOB), 19, srtp)
    found = quality_of(story, tmp_path)
    assert (found.expected, found.lost, found.longest_burst, found.reordered) == (40, 1, 1, 0)


def test_sequence_numbers_that_wrap_lose_nothing(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    srtp._number = 65_530
    talk(story, ALICE_BOB, (ALICE, BOB), 10, srtp)
    assert quality_of(story, tmp_path).expected == 10


def test_a_change_of_path_is_no_loss_and_each_path_has_its_own(tmp_path: FilePath) -> None:
    story, srtp = Story(), Protector()
    talk(story, ALICE_BOB, (ALICE, BOB), 10, srtp)
    lose(story, srtp, 1)
    talk(story, ALICE_BOB, (ALICE, BOB), 2, srtp)
    talk(story, DETOUR, (ALICE, BOB), 5, srtp)
    srtp()
    talk(story, DETOUR, (ALICE, BOB), 1, srtp)
    found = [path.quality for path in paths_of(story, tmp_path)]
    assert [(one.expected, one.lost) for one in found if one] == [(13, 1), (7, 1)]


def test_without_a_clock_rate_there_is_no_jitter_but_all_else(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 5, Protector())
    found = quality_of(story, tmp_path, rates={})
    assert (found.jitter_ms, found.jitter_max_ms) == (None, None)
    assert (found.expected, found.lost) == (5, 0)


def test_media_that_never_arrived_has_no_path_to_measure(tmp_path: FilePath) -> None:
    story = Story()
    lose(story, Protector(), 3)
    assert paths_of(story, tmp_path) == []


def test_a_stored_path_without_quality_is_read(tmp_path: FilePath) -> None:
    story = Story()
    talk(story, ALICE_BOB, (ALICE, BOB), 3, Protector())
    (path,) = paths_of(story, tmp_path)
    stored = path.model_dump(by_alias=True, exclude={"hops", "quality"})
    assert (MediaPath.model_validate(stored).hops, MediaPath.model_validate(stored).quality) == (
        (),
        None,
    )
    assert isinstance(path.hops[0], Hop)
    assert MediaPath.model_validate_json(path.model_dump_json(by_alias=True)) == path
