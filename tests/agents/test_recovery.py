"""When a call restarts ICE, and when it is given up."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from agents import recovery
from agents.api import ApiError
from agents.ice.protocol import Described
from agents.ice.servers import Servers
from agents.recovery import Recovery

RELAY = Servers(
    urls=("turn:relay.service.example:3478",),
    username="u",
    credential="c",
    context=ssl.create_default_context(),
)
FAR = 10**10


class _Api:
    """Takes offers and answers them at once; credentials expire when they are said to."""

    def __init__(self, expires: float = FAR) -> None:
        self.expires = expires
        self.offers: list[str] = []
        self.on_offer: Callable[[str], None] = lambda _sdp: None

    async def servers(self) -> tuple[Servers, float]:
        return RELAY, self.expires

    async def offer(self, _call: str, sdp: str) -> None:
        self.offers.append(sdp)
        self.on_offer("answer")


class _Relayed(Described):
    """What is told when a relay has given an address."""

    has_relay = True


class _Call(Recovery):
    """A recovery whose ICE restarts, or does not, as it is told."""

    def __init__(self, api: _Api, works: bool) -> None:
        self.lost = asyncio.Event()
        self.why = ""
        self.works = works
        self.described: Described = _Relayed("u", "p", ())
        said: Any = api
        super().__init__(said, "c", api.servers, ["audio"], self._lose_it)
        api.on_offer = self.answered

    def _lose_it(self, why: str) -> None:
        self.why = why
        self.lost.set()

    def watch(self, *, is_caller: bool) -> None:
        self.heard()
        self._watch = asyncio.create_task(self._watch_over(is_caller))

    @property
    def _agent(self) -> Any:
        return self

    async def begin_restart(self, _server: object) -> Described:
        return self.described

    def _described_anew(self, _own: Described) -> str:
        return "offer"

    async def _finish(self, sdp: str) -> None:
        assert sdp == "answer"
        if not self.works:
            raise ConnectionError("no pair works")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("SILENCE", 0.05), ("GIVE_UP", 0.3), ("_PAUSE", 0.01)):
        monkeypatch.setattr(recovery, name, seconds)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_caller_that_hears_nothing_restarts() -> None:
    async def story() -> None:
        api = _Api()
        call = _Call(api, works=True)
        call.watch(is_caller=True)
        await _until(lambda: len(api.offers) > 0)
        call.stop()
        assert not call.lost.is_set()

    asyncio.run(story())


def test_a_caller_whose_restarts_fail_gives_up_and_says_why() -> None:
    async def story() -> None:
        api = _Api()
        call = _Call(api, works=False)
        call.watch(is_caller=True)
        await asyncio.wait_for(call.lost.wait(), 20)
        assert len(api.offers) > 1
        assert call.why.endswith("and ICE did not restart: no pair works")

    asyncio.run(story())


def test_without_a_relay_nothing_is_offered() -> None:
    async def story() -> None:
        api = _Api()
        call = _Call(api, works=True)
        call.described = Described("u", "p", ())
        call.watch(is_caller=True)
        await asyncio.wait_for(call.lost.wait(), 20)
        assert api.offers == []
        assert call.why.endswith("no relay has given an address")

    asyncio.run(story())


def test_a_callee_waits_and_then_gives_up() -> None:
    async def story() -> None:
        api = _Api()
        call = _Call(api, works=True)
        call.watch(is_caller=False)
        await asyncio.wait_for(call.lost.wait(), 20)
        assert api.offers == []
        assert call.why == "no media for 0 s"

    asyncio.run(story())


def test_a_caller_restarts_before_its_credentials_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "SILENCE", 60.0)
    monkeypatch.setattr(recovery, "GIVE_UP", 60.0)

    async def story() -> None:
        api = _Api(expires=0)
        call = _Call(api, works=True)
        await call.servers()
        api.expires = FAR
        call.watch(is_caller=True)
        await _until(lambda: len(api.offers) > 0)
        call.stop()

    asyncio.run(story())


def test_a_refused_offer_is_made_again() -> None:
    async def story() -> None:
        api = _Api()
        call = _Call(api, works=True)
        tries = []

        def refuse_once(sdp: str) -> None:
            tries.append(sdp)
            if len(tries) == 1:
                raise ApiError("it was answered 409")
            call.answered(sdp)

        api.on_offer = refuse_once
        call.watch(is_caller=True)
        await _until(lambda: len(tries) > 1)
        call.stop()
        assert not call.lost.is_set()

    asyncio.run(story())


def test_a_renewal_that_fails_ends_though_media_goes_on() -> None:
    """Whoever wants to hang up waits for it."""

    async def story() -> None:
        call = _Call(_Api(), works=False)

        async def hear() -> None:
            while True:
                call.heard()
                await asyncio.sleep(0.01)

        hearing = asyncio.create_task(hear())
        assert await asyncio.wait_for(call._restart("the relay's credentials expire"), 20) is False
        hearing.cancel()
        assert not call.lost.is_set()

    asyncio.run(story())
