"""Which pair is nominated, and when."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import Candidate
from aioice.ice import CandidatePair

from agents.ice.direct_first import (
    HOLD_SECONDS,
    SHORT_HOLD_SECONDS,
    DirectFirst,
    hold_seconds,
    nominee,
)

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


def _candidate(kind: str) -> Any:
    return SimpleNamespace(type=kind, host="10.0.0.1")


@pytest.mark.parametrize(
    ("local", "remote", "seconds"),
    [
        (["host", "srflx", "relay"], ["host", "srflx", "relay"], HOLD_SECONDS),
        (["host", "relay"], ["host", "srflx", "relay"], SHORT_HOLD_SECONDS),
        (["host", "srflx"], ["host", "relay"], SHORT_HOLD_SECONDS),
    ],
)
def test_direct_pairs_get_less_time_where_udp_does_not_leave_a_network(
    local: list[str], remote: list[str], seconds: float
) -> None:
    assert hold_seconds(map(_candidate, local), map(_candidate, remote)) == seconds


def test_a_host_of_ipv6_is_reached_without_a_translation() -> None:
    six = Candidate("1", 1, "udp", 1, "2001:db8::1", 9, "host")
    srflx = _candidate("srflx")
    assert hold_seconds([six], [srflx]) == HOLD_SECONDS
    assert hold_seconds([six], [_candidate("host")]) == SHORT_HOLD_SECONDS


class _Checking(DirectFirst):
    """An agent with one pair; checks are answered when the test says so."""

    def __init__(self, state: CandidatePair.State) -> None:
        super().__init__(ice_controlling=False)
        self.sent: list[asyncio.Future[Any]] = []
        protocol: Any = SimpleNamespace(
            local_candidate=SimpleNamespace(component=1, type="host", foundation="1")
        )
        remote = Candidate("2", 1, "udp", 1, "192.0.2.1", 9, "host")
        self.pair = CandidatePair(protocol, remote)
        self.pair.state = state
        self._check_list = [self.pair]
        self._remote_candidates = [remote]

    def build_request(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(attributes={})

    async def _request(self, *_: Any) -> Any:
        self.sent.append(asyncio.get_running_loop().create_future())
        return await self.sent[-1]

    async def be_checked(self) -> None:
        message: Any = SimpleNamespace(attributes={"PRIORITY": 1})
        self.check_incoming(message, ("192.0.2.1", 9), self.pair.protocol)
        await asyncio.sleep(0)

    async def be_answered(self, check: int) -> None:
        self.sent[check].set_result((None, ("192.0.2.1", 9)))
        for _ in range(3):
            await asyncio.sleep(0)


async def _under_way() -> _Checking:
    agent = _Checking(CandidatePair.State.WAITING)
    agent.check_start_task(agent.pair)
    await asyncio.sleep(0)
    return agent


def test_a_check_of_the_peer_sends_ours_once_more_and_no_more_than_that() -> None:
    async def checks() -> int:
        agent = await _under_way()
        for _ in range(3):
            await agent.be_checked()
        await agent.be_answered(0)
        return len(agent.sent)

    assert asyncio.run(checks()) == 2


@pytest.mark.parametrize("answered", [0, 1])
def test_an_answer_to_either_check_is_a_success(answered: int) -> None:
    async def state() -> CandidatePair.State:
        agent = await _under_way()
        await agent.be_checked()
        await agent.be_answered(answered)
        return agent.pair.state

    assert asyncio.run(state()) is CandidatePair.State.SUCCEEDED


def test_a_pair_that_works_is_not_checked_again() -> None:
    async def checks() -> int:
        agent = _Checking(CandidatePair.State.SUCCEEDED)
        await agent.be_checked()
        return len(agent.sent)

    assert asyncio.run(checks()) == 0
