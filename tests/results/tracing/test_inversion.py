"""What arrives before it leaves ran by another clock."""

from pathlib import Path

import pytest

from results.problems import Ground
from results.tracing.inversion import inverted_cables
from tests.results.story import ALICE, ALICE_BOB, BOB, STEP, Story, ends


def found(folder: Path, inverted: int, right: int) -> list[str]:
    """What is said of a cable on which so many packets arrive too early, and so many later."""
    story = Story()
    for number in range(inverted + right):
        early = 2 * STEP if number < inverted else 0
        story.send(ALICE_BOB, ends(ALICE, BOB), bytes([0, number]) * 9, inverted=early)
    table = story.table(folder)
    problems = list(inverted_cables(table, story.travels(folder).paths))
    assert all(problem.ground is Ground.HOLE for problem in problems)
    return [problem.text for problem in problems]


def test_most_packets_arrive_too_early(tmp_path: Path) -> None:
    assert found(tmp_path, 8, 2) == [
        "8 of 10 packets reached bob-eth0 before they left alice-eth0: one of the two ran by "
        "another clock, or is not what it says (first: frame 1 of bob-eth0)"
    ]


@pytest.mark.parametrize(("inverted", "right"), [(0, 9), (4, 4), (7, 0)])
def test_a_few_may(tmp_path: Path, inverted: int, right: int) -> None:
    assert found(tmp_path, inverted, right) == []
