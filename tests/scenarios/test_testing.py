"""The whole suite runs on all processors, a part of it in one process."""

import pytest

from scenarios.testing import side_by_side


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-k", "intranet", "--timeout", "1200"]])
def test_the_whole_suite_runs_side_by_side(arguments: list[str]) -> None:
    count, *how = side_by_side(arguments)[1:]
    assert int(count) >= 1
    assert how == ["--dist", "loadfile"]


@pytest.mark.parametrize("named", ["tests/lab", "tests/test_house.py::test_the_rules_hold"])
def test_a_part_runs_alone(named: str) -> None:
    assert side_by_side(["-x", named]) == ()
