"""Names are asked for once, whoever wants them."""

import asyncio

import pytest

from agents.ice import names


def test_several_who_want_one_name_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def look_up(host: str) -> str:
        asked.append(host)
        return "203.0.113.9"

    async def both() -> set[str]:
        own = names.Names()
        return set(await asyncio.gather(own.address("relay"), own.address("relay")))

    monkeypatch.setattr(names, "_look_up", look_up)
    assert asyncio.run(both()) == {"203.0.113.9"}
    assert asked == ["relay"]


def test_an_address_is_its_own_name() -> None:
    assert asyncio.run(names.Names().address("203.0.113.9")) == "203.0.113.9"
