"""Scenario files of users: what is wrong in one is said in a line."""

from pathlib import Path

import pytest

from scenarios.scenario import ScenarioError, find


def test_a_scenario_file_that_fails_says_where(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import no_such_module\n")
    with pytest.raises(ScenarioError, match=f"{file} cannot be read: ModuleNotFoundError"):
        find(str(file))


def test_a_scenario_file_that_exits_ends_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import sys; sys.exit(3)\n")
    with pytest.raises(ScenarioError, match=f"{file} cannot be read: SystemExit: 3"):
        find(str(file))


def test_a_wrong_network_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from topologies.spec import Link, Segment\n"
        "Link(name='lan', prefix='8.8.8.0/24', segment=Segment.CUSTOMER)\n"
    )
    with pytest.raises(ScenarioError) as raised:
        find(str(file))
    assert str(raised.value).startswith(f"{file}: link lan: 8.8.8.0/24 is not within 10.0.0.0/8")
    assert "\n" not in str(raised.value)


def test_a_scenario_file_must_define_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    with pytest.raises(ScenarioError, match="it must say scenario = Scenario"):
        find(str(file))
