"""Impaired cables do what is asked of them; what they do not is told, with figures."""

from pathlib import Path as FilePath

import pytest

from results.absence import find_canaries
from results.fates import Fates
from results.impaired import (
    Crossed,
    count_problems,
    crossings,
    impaired_findings,
    is_plausible,
)
from results.measured import LineCount
from results.problems import Ground
from results.schema import Ending, Outcome
from results.setup.turn import read_turn
from results.tunnelling.vpn import Findings
from tests.results.story import (
    EVE,
    NAT,
    NAT_EVE,
    Hop,
    Story,
    ends,
    rtp,
    udp,
    with_eve,
)
from topologies.parts import impaired
from topologies.spec import Network

ACCESS = Hop("office_nat-eth1", "inet-eth0")
MS = 1_000_000
TO_EVE = ends(NAT, EVE)


def told(network: Network, delays: list[float | None]) -> Story:
    """Packets over the access, each so many ms long on its way; None for those that are lost."""
    story = Story(network)
    for number, delay in enumerate(delays):
        packet = rtp(number)
        if delay is None:
            story.leave(ACCESS, TO_EVE, packet)
        else:
            story.cross(ACCESS, udp(TO_EVE, packet), inverted=-round(delay * MS))
            story.now += round(delay * MS)
            story.cross(NAT_EVE[-1], udp(TO_EVE, packet))
        story.wait(1)
    return story


def crossed(story: Story, folder: FilePath) -> tuple[Crossed, ...]:
    places, paths = story.places, story.travels(folder).paths
    fates = Fates(story.network, {}, read_turn(()), (), places, ())
    return crossings(places, paths, fates, find_canaries(story.table(folder), "").end)


def found(story: Story, folder: FilePath) -> Findings:
    return impaired_findings(story.table(folder), crossed(story, folder))


def problems(story: Story, folder: FilePath) -> list[str]:
    problems = found(story, folder).problems
    assert all(problem.ground is Ground.HOLE for problem in problems)
    return [problem.text for problem in problems]


def slow(**asked: float) -> Network:
    return impaired(with_eve(), "access", **asked)  # type: ignore[arg-type]


def test_a_packet_may_take_as_long_as_the_cable_delays(tmp_path: FilePath) -> None:
    story = told(slow(delay_ms=1000), [2100.0])
    (path,) = story.travels(tmp_path).paths
    assert path.taps == ("office_nat-eth1", "inet-eth0", "inet-eth1", "eve-eth0")
    assert path.complete


def test_over_a_cable_that_does_not_delay_it_may_not(tmp_path: FilePath) -> None:
    travels = told(with_eve(), [2100.0]).travels(tmp_path)
    assert [path.lost_at for path in travels.paths] == ["access", None]
    assert [hole.missed and hole.missed.name for hole in travels.holes] == ["office_nat-eth1"]


def test_a_copy_is_joined_with_the_one_that_is_as_late_as_asked(tmp_path: FilePath) -> None:
    """The first of two equal packets is lost; the second one's arrival is not taken for its."""
    story = Story(slow(delay_ms=900, loss=0.5))
    story.leave(ACCESS, TO_EVE, rtp(1))
    story.wait(0.3)
    story.cross(ACCESS, udp(TO_EVE, rtp(1)), inverted=-900 * MS)
    story.now += 900 * MS
    story.cross(NAT_EVE[-1], udp(TO_EVE, rtp(1)))
    lost, arrived = story.travels(tmp_path).paths
    assert (lost.lost_at, arrived.lost_at) == ("access", None)
    assert arrived.sightings[1].time - arrived.sightings[0].time == 900 * MS


def test_a_cable_that_keeps_to_its_description_is_remarked_on(tmp_path: FilePath) -> None:
    story = told(slow(delay_ms=20, jitter_ms=2, loss=0.1), [20.0] * 9 + [None])
    assert problems(story, tmp_path) == []
    assert [remark.text for remark in found(story, tmp_path).remarks] == [
        "10 packets of office_nat over access in 20.0 ms (p99 20.0, 20 ± 2 ms asked), "
        "1 lost (10 % asked)"
    ]


def test_a_cable_that_nothing_took_is_not_remarked_on(tmp_path: FilePath) -> None:
    story = told(slow(delay_ms=20), [])
    story.send(NAT_EVE[-1:], TO_EVE, rtp(1))
    assert found(story, tmp_path) == Findings()


@pytest.mark.parametrize("delay", [0.1, 35.0])
def test_a_cable_that_delays_otherwise_than_asked(tmp_path: FilePath, delay: float) -> None:
    assert problems(told(slow(delay_ms=20, jitter_ms=4), [delay] * 8), tmp_path) == [
        f"access delayed what office_nat sends by {delay:.1f} ms (median), not by the 20 ± 4 ms "
        "that were asked for: was the machine too busy?"
    ]


def test_seven_packets_tell_no_median(tmp_path: FilePath) -> None:
    assert problems(told(slow(delay_ms=20), [0.1] * 7), tmp_path) == []


def test_more_losses_than_chance_explains(tmp_path: FilePath) -> None:
    assert problems(told(slow(loss=0.01), [0.1] * 10 + [None] * 6), tmp_path) == [
        "access lost 6 of 16 packets of office_nat, of which it is to lose 1 %: "
        "chance does not explain that"
    ]


def test_fewer_losses_than_chance_explains(tmp_path: FilePath) -> None:
    assert problems(told(slow(loss=0.5), [0.1] * 20), tmp_path) == [
        "access lost 0 of 20 packets of office_nat, of which it is to lose 50 %: "
        "chance does not explain that"
    ]


def test_a_loss_on_a_lossy_cable_is_no_gap(tmp_path: FilePath) -> None:
    story = told(slow(loss=0.01), [None])
    fates = Fates(story.network, {}, read_turn(()), (), story.places, ())
    (path,) = story.travels(tmp_path).paths
    fate = fates.of(path)
    assert (fate.outcome, fate.by, fate.gap, fate.by_chance) == (Outcome.UNKNOWN, None, False, True)
    assert fate.because == "access loses 1 % of what office_nat sends, this by chance"


def test_a_loss_on_the_other_direction_of_a_lossy_cable_is_a_gap(tmp_path: FilePath) -> None:
    story = told(impaired(with_eve(), "access", sender="inet", loss=0.01), [None])
    fates = Fates(story.network, {}, read_turn(()), (), story.places, ())
    (path,) = story.travels(tmp_path).paths
    assert fates.of(path).gap
    assert not fates.is_by_chance(path)


@pytest.mark.parametrize(
    ("lost", "count", "loss", "plausible"),
    [
        (0, 10, 0.01, True),
        (1, 1, 0.01, True),
        (10, 1000, 0.01, True),
        (30, 1000, 0.01, False),
        (100, 1000, 0.1, True),
        (50, 1000, 0.1, False),
        (150, 1000, 0.1, False),
        (10_000, 100_000, 0.1, True),
        (10_600, 100_000, 0.1, False),
    ],
)
def test_how_many_losses_chance_explains(
    lost: int, count: int, loss: float, plausible: bool
) -> None:
    assert is_plausible(lost, count, loss) is plausible


def counted(**overflowed: int) -> Ending:
    """An ending with counts of the access."""
    counts = {
        sender: LineCount(passed=9, lost=1, overflowed=many, late=2)
        for sender, many in overflowed.items()
    }
    return Ending(taps={}, lines={"access": counts}, exits={}, seconds={})


def test_a_cable_that_had_room_for_all_is_no_problem() -> None:
    assert list(count_problems(slow(delay_ms=20), counted(inet=0, office_nat=0), ())) == []


def test_a_cable_that_had_no_room() -> None:
    (problem,) = count_problems(slow(delay_ms=20), counted(inet=0, office_nat=3), ())
    assert (problem.ground, problem.text) == (
        Ground.HOLE,
        "the middle of access had no room for 3 packets of office_nat, "
        "which nobody asked it to lose",
    )


def test_a_cable_of_which_the_ending_tells_nothing() -> None:
    (problem,) = count_problems(slow(delay_ms=20), counted(inet=0), ())
    assert (problem.ground, problem.text) == (
        Ground.HOLE,
        "ending.json does not tell what became of frames on access",
    )


@pytest.mark.parametrize(
    ("lost", "texts"),
    [
        (1, []),
        (
            2,
            ["the captures show 2 packets of office_nat lost on access, which lost 1 on purpose"],
        ),
    ],
)
def test_more_losses_than_the_cable_counted(
    tmp_path: FilePath, lost: int, texts: list[str]
) -> None:
    network = slow(loss=0.1)
    seen = crossed(told(network, [0.1] * 9 + [None] * lost), tmp_path)
    problems = count_problems(network, counted(inet=0, office_nat=0), seen)
    assert [problem.text for problem in problems] == texts
