"""A call over slow and lossy cables that took place; its captures under other descriptions."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from results.judge import judge
from results.schema import RunFolder, Verdict
from tests.results.recorded import before_ipv6, change_json, reseal, unpack


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "far")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def test_the_stored_run_is_judged_as_it_was(folder: Path) -> None:
    result = judge(folder)
    assert result.verdict is Verdict.PASS
    assert before_ipv6(result) == RunFolder(folder).read_result()
    lost = {
        (hop.from_, hop.to): hop.lost
        for path in result.calls[0].media
        for hop in path.hops
        if hop.lost
    }
    assert set(lost) == {("inet-eth3", "eve_nat-eth1"), ("eve_nat-eth1", "inet-eth3")}


def _describe(link: str, change: dict[str, float], run: dict[str, Any]) -> None:
    (found,) = (one for one in run["network"]["links"] if one["name"] == link)
    for impairment in found["impairments"]:
        impairment.update(change)


@pytest.mark.parametrize(
    ("link", "change", "reason"),
    [
        ("eve_up", {"loss": 0.0}, "media packets from alice to eve left inet-eth3 and were never"),
        ("eve_up", {"loss": 1e-5}, "of which it is to lose 0.001 %: chance does not explain that"),
        ("eve_up", {"loss": 0.3}, "of which it is to lose 30 %: chance does not explain that"),
        ("eve_up", {"delay_ms": 60.0}, "not by the 60 ± 5 ms that were asked for"),
        ("access", {"delay_ms": 0.0}, "access delayed what office_nat sends by 20.0 ms"),
    ],
)
def test_other_descriptions_do_not_fit_the_captures(
    folder: Path, link: str, change: dict[str, float], reason: str
) -> None:
    change_json(folder / "run.json", partial(_describe, link, change))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert reason in result.reason


def _count(change: dict[str, int], ending: dict[str, Any]) -> None:
    ending["lines"]["eve_up"]["inet"].update(change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"overflowed": 7}, "the middle of eve_up had no room for 7 packets of inet"),
        ({"lost": 3}, "of inet lost on eve_up, which lost 3 on purpose"),
    ],
)
def test_other_counts_do_not_fit_the_captures(
    folder: Path, change: dict[str, int], reason: str
) -> None:
    change_json(folder / "ending.json", partial(_count, change))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert reason in result.reason


def test_a_run_that_does_not_tell_what_its_cables_did(folder: Path) -> None:
    change_json(folder / "ending.json", lambda ending: ending.pop("lines"))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("ending.json does not tell what became of frames on access")
