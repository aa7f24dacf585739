"""Races: who wins, who starts when, and what becomes of the rest."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agents.ice.race import Race

Way = Callable[[], Coroutine[Any, Any, str]]


class _Ways:
    """Ways that lead somewhere, fail, or are dead; started ones are noted."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def good(self, name: str) -> Way:
        async def arrive() -> str:
            self.started.append(name)
            return name

        return arrive

    def bad(self, name: str) -> Way:
        async def fail() -> str:
            self.started.append(name)
            raise ConnectionError(name)

        return fail

    def dead(self, name: str) -> Way:
        async def wait() -> str:
            self.started.append(name)
            await asyncio.Event().wait()
            return name

        return wait


async def _winner(race: Race[str]) -> str:
    try:
        return await race.winner()
    finally:
        for _, task in race.losers():
            task.cancel()


def test_the_first_that_arrives_wins_and_later_ones_do_not_start() -> None:
    ways = _Ways()
    race = Race([ways.good("one"), ways.good("two")])
    assert asyncio.run(_winner(race)) == "one"
    assert ways.started == ["one"]
    assert race.losers() == []


def test_a_failure_starts_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.ice.race.STAGGER", 3600.0)
    ways = _Ways()
    race = Race([ways.bad("one"), ways.bad("two"), ways.good("three")])
    assert asyncio.run(asyncio.wait_for(_winner(race), 60)) == "three"
    assert [number for number, _ in race.losers()] == [0, 1]


def test_a_dead_way_holds_up_the_next_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.ice.race.STAGGER", 0.01)
    ways = _Ways()
    race = Race([ways.dead("one"), ways.dead("two"), ways.good("three")])
    assert asyncio.run(_winner(race)) == "three"
    assert ways.started == ["one", "two", "three"]


def test_where_no_way_leads_each_says_why() -> None:
    ways = _Ways()
    with pytest.raises(ExceptionGroup) as failed:
        asyncio.run(_winner(Race([ways.bad("one"), ways.bad("two")])))
    assert [str(error) for error in failed.value.exceptions] == ["one", "two"]


def test_what_arrives_after_the_winner_is_known_as_a_loser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.ice.race.STAGGER", 0.01)
    late = asyncio.Event()

    async def slow() -> str:
        await late.wait()
        return "slow"

    async def run() -> list[str]:
        race = Race([slow, _Ways().good("fast")])
        assert await race.winner() == "fast"
        late.set()
        return [await task for _, task in race.losers()]

    assert asyncio.run(run()) == ["slow"]
