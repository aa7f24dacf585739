"""Names are asked for once, whoever wants them."""

import asyncio

import pytest

from agents.ice import names


def test_several_who_want_one_name_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def look_up(host: str, version: int) -> str:
        asked.append((host, version))
        return "203.0.113.9" if version == 4 else "2001:db8::9"

    async def both() -> list[str]:
        own = names.Names()
        wanted = (("relay", 4), ("relay", 6), ("relay", 4))
        return await asyncio.gather(*(own.address(*one) for one in wanted))

    monkeypatch.setattr(names, "_look_up", look_up)
    assert asyncio.run(both()) == ["203.0.113.9", "2001:db8::9", "203.0.113.9"]
    assert asked == [("relay", 4), ("relay", 6)]


def test_an_address_is_its_own_name() -> None:
    assert asyncio.run(names.Names().address("203.0.113.9", 4)) == "203.0.113.9"
    assert asyncio.run(names.Names().address("2001:db8::9", 6)) == "2001:db8::9"


def test_an_address_has_none_of_the_other_version() -> None:
    with pytest.raises(OSError, match="family"):
        asyncio.run(names.Names().address("203.0.113.9", 6))
