"""Which pair is nominated, and when."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aioice.ice import CandidatePair

from agents.ice.direct_first import DirectFirst, nominee

_STATES = {
    "works": CandidatePair.State.SUCCEEDED,
    "failed": CandidatePair.State.FAILED,
    "pending": CandidatePair.State.IN_PROGRESS,
}


def _pair(description: str) -> Any:
    local, remote, state, *family = description.split()
    address = "2001:db8::1" if family == ["IPv6"] else "10.0.0.1"
    return SimpleNamespace(
        name=description,
        state=_STATES[state],
        local_candidate=SimpleNamespace(type=local, host=address),
        remote_candidate=SimpleNamespace(type=remote),
    )


@pytest.mark.parametrize(
    ("pairs", "held_long_enough", "chosen"),
    [
        (["host host pending"], True, None),
        (["host host works"], False, "host host works"),
        (["host srflx pending", "host relay works"], False, None),
        (["host srflx pending", "host relay works"], True, "host relay works"),
        (["host srflx failed", "relay host works"], False, "relay host works"),
        (["host relay works"], False, "host relay works"),
        (["host srflx works", "host relay works"], True, "host srflx works"),
        (["host srflx failed", "host relay pending"], True, None),
        (["host host pending IPv6", "host srflx works"], False, None),
        (["host host pending IPv6", "host srflx works"], True, "host srflx works"),
        (["host host failed IPv6", "host srflx works"], False, "host srflx works"),
        (["host srflx works", "host host works IPv6"], False, "host host works IPv6"),
        (["host host failed IPv6", "host srflx pending", "host relay works"], False, None),
        (["relay host works IPv6", "host srflx works"], False, "host srflx works"),
    ],
)
def test_direct_pairs_come_before_relayed_ones(
    pairs: list[str], held_long_enough: bool, chosen: str | None
) -> None:
    pair: Any = nominee([_pair(description) for description in pairs], held_long_enough)
    assert (pair.name if pair else None) == chosen


class _Unanswered(DirectFirst):
    """An agent whose checks are never answered."""

    def __init__(self, log: list[str], pairs: int) -> None:
        super().__init__(ice_controlling=False)
        self._log = log
        frozen = CandidatePair.State.FROZEN
        self._check_list: list[Any] = [SimpleNamespace(state=frozen) for _ in range(pairs)]

    def build_request(self, *_: Any, **__: Any) -> Any:
        return None

    async def _request(self, *_: Any) -> Any:
        self._log.append("checked")
        await asyncio.Event().wait()


async def _answer_when_checked(agent: DirectFirst, log: list[str]) -> None:
    await agent.checked_every_pair()
    log.append("answered")


@pytest.mark.parametrize("checked", [0, 1, 2])
def test_waiting_ends_when_every_pair_was_checked(checked: int) -> None:
    async def check() -> list[str]:
        log: list[str] = []
        agent = _Unanswered(log, pairs=2)
        tasks = [asyncio.create_task(_answer_when_checked(agent, log))]
        await asyncio.sleep(0)
        for pair in agent._check_list[:checked]:
            tasks.append(asyncio.create_task(agent.check_start(pair)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return log

    assert asyncio.run(check()) == ["checked"] * checked + ["answered"] * (checked == 2)


def test_waiting_ends_when_checks_end() -> None:
    async def fail() -> None:
        agent = DirectFirst(ice_controlling=False)
        with pytest.raises(ConnectionError):
            await agent.connect()
        await asyncio.wait_for(agent.checked_every_pair(), 1)

    asyncio.run(fail())
