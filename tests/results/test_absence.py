"""Silence is evidence only where the tap is known to have worked."""

from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from results.absence import (
    canary_problems,
    count_problems,
    find_canaries,
    foreign_captures,
)
from results.canary_frames import Moment
from results.packets import PacketTable
from results.problems import Ground
from results.schema import Ending, TapCount
from tests.results.story import ALICE, ALICE_BOB, BOB, RUN, Story, ends, rtp


def watched(folder: FilePath, **missing: str) -> PacketTable:
    """Canaries at all taps, media between them; ``missing`` names taps without one."""
    story = Story()
    story.canaries(Moment.BEFORE, without=missing.get("before", ""))
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    story.canaries(Moment.AFTER, without=missing.get("after", ""))
    return story.table(folder)


def problems(table: PacketTable, media: tuple[int, int] | None = None) -> list[str]:
    found = list(canary_problems(table, find_canaries(table, RUN), media))
    assert all(problem.ground is Ground.CANARY for problem in found)
    return [problem.text for problem in found]


def media_of(table: PacketTable) -> tuple[int, int]:
    rows = [row for row in range(len(table)) if table.sport[row]]
    return int(table.time[rows[0]]), int(table.time[rows[-1]])


def test_canaries_at_every_tap_loopback_too(tmp_path: FilePath) -> None:
    table = watched(tmp_path)
    canaries = find_canaries(table, RUN)
    assert "relay-lo" in canaries.before
    assert set(canaries.before) == set(canaries.after) == {tap.name for tap in table.taps}
    assert problems(table, media_of(table)) == []


def test_a_tap_without_its_first_canary(tmp_path: FilePath) -> None:
    assert problems(watched(tmp_path, before="relay-eth0")) == [
        "relay-eth0 may have been blind: no canary arrived before the calls, "
        "so silence there proves nothing"
    ]


def test_a_tap_without_its_last_canary(tmp_path: FilePath) -> None:
    assert problems(watched(tmp_path, after="relay-lo")) == [
        "relay-lo may have been blind: no canary arrived after the calls, "
        "so silence there proves nothing"
    ]


def test_canaries_must_embrace_the_media(tmp_path: FilePath) -> None:
    table = watched(tmp_path)
    everywhere = ", ".join(tap.name for tap in table.taps)
    assert problems(table, (0, 2**62)) == [
        f"{everywhere} may have been blind: "
        "the first canary arrived only after media's time had begun, "
        "so silence there proves nothing",
        f"{everywhere} may have been blind: "
        "the last canary arrived before media's time had ended, "
        "so silence there proves nothing",
    ]


def test_a_tap_whose_tunnel_comes_up_in_mid_call(tmp_path: FilePath) -> None:
    """It has its first canary after media began, but one it must have."""
    story = Story()
    story.canaries(Moment.BEFORE, without="bob-eth0")
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    story.canaries(Moment.BEFORE)
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(2))
    story.canaries(Moment.AFTER)
    table = story.table(tmp_path)
    media = media_of(table)
    canaries = find_canaries(table, RUN)
    assert [problem.text for problem in canary_problems(table, canaries, media)] == [
        "bob-eth0 may have been blind: the first canary arrived only after media's time had begun, "
        "so silence there proves nothing"
    ]
    assert list(canary_problems(table, canaries, media, ["bob-eth0"])) == []
    del canaries.before["bob-eth0"]
    assert len(list(canary_problems(table, canaries, media, ["bob-eth0"]))) == 1


@pytest.mark.parametrize("shift", [60_000_000_000, -60_000_000_000])
def test_a_tap_with_another_clock(tmp_path: FilePath, shift: int) -> None:
    table = watched(tmp_path)
    here = table.tap == next(n for n, tap in enumerate(table.taps) if tap.name == "bea-eth0")
    table.time[here] += shift
    assert problems(table) == [
        "bea-eth0 may have been blind: its canaries and those of other taps arrived at "
        "different times, so silence there proves nothing"
    ]


def test_a_canary_of_another_run_does_not_count(tmp_path: FilePath) -> None:
    story = Story()
    story.canaries(Moment.BEFORE, run="another")
    assert find_canaries(story.table(tmp_path), RUN).before == {}


def test_a_canary_for_another_tap_does_not_count(tmp_path: FilePath) -> None:
    story = Story()
    story.canaries(Moment.BEFORE)
    story.frames["bob-eth0"] = story.frames["alice-eth0"]
    assert "bob-eth0" not in find_canaries(story.table(tmp_path), RUN).before


def counted(table: PacketTable, **changes: TapCount | None) -> list[str]:
    counts = {
        tap.name: TapCount(received=int((table.tap == index).sum()), dropped=0)
        for index, tap in enumerate(table.taps)
    }
    taps = {name: count for name, count in (counts | changes).items() if count}
    ending = Ending(taps=taps, exits={}, seconds={})
    return [problem.text for problem in count_problems(table, ending)]


def test_counters_that_agree(tmp_path: FilePath) -> None:
    assert counted(watched(tmp_path)) == []


def test_a_tap_that_dropped_packets(tmp_path: FilePath) -> None:
    changed = {"inet-eth0": TapCount(received=2, dropped=3)}
    assert counted(watched(tmp_path), **changed) == ["inet-eth0 dropped 3 packets"]


@pytest.mark.parametrize(("lost", "words"), [(1, "1 packet"), (1204, "1,204 packets")])
def test_a_tap_at_whose_interface_the_kernel_dropped_packets(
    tmp_path: FilePath, lost: int, words: str
) -> None:
    changed = {"inet-eth0": TapCount(received=2, dropped=0, lost=lost)}
    assert counted(watched(tmp_path), **changed) == [
        f"the kernel dropped {words} at the interface of inet-eth0, "
        "which the capture there may not have seen"
    ]


def test_a_tap_without_counters(tmp_path: FilePath) -> None:
    changed = {"inet-eth0": None}
    assert counted(watched(tmp_path), **changed) == [
        "inet-eth0 has no packet counters in ending.json"
    ]


def test_a_capture_that_holds_other_than_was_counted(tmp_path: FilePath) -> None:
    changed = {"inet-eth0": TapCount(received=5, dropped=0)}
    assert counted(watched(tmp_path), **changed) == [
        "the capture of inet-eth0 holds 2 frames, but the capture program counted 5"
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (None, []),
        ("alice-eth0", []),
        ("bob-eth0", ["the capture of alice-eth0 is of bob-eth0, not of alice-eth0"]),
        (
            "bob-eth0 and alice-eth0",
            ["the capture of alice-eth0 is of bob-eth0 and alice-eth0, not of alice-eth0"],
        ),
    ],
)
def test_a_capture_tells_its_interface(
    tmp_path: FilePath, named: str | None, said: list[str]
) -> None:
    table = Story().table(tmp_path)
    interfaces = tuple(named if tap.name == "alice-eth0" else None for tap in table.taps)
    problems = list(foreign_captures(replace(table, interfaces=interfaces)))
    assert [problem.text for problem in problems] == said
    assert all(problem.ground is Ground.CAPTURE for problem in problems)
