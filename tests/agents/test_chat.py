"""Turns of a chat."""

import asyncio

from agents.chat import Chat


class _Line:
    """What one side says is what the other hears."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.caller: Chat
        self.callee: Chat

    def connect(self, *texts: str) -> None:
        callers, callees = texts[::2], texts[1::2]
        self.caller = Chat(callers, len(callees), self._to_callee)
        self.callee = Chat(callees, len(callers), self._to_caller)

    async def _to_callee(self, text: str) -> None:
        self.said.append(f"caller: {text}")
        await self.callee.hear()

    async def _to_caller(self, text: str) -> None:
        self.said.append(f"callee: {text}")
        await self.caller.hear()


def _chat(*texts: str) -> list[str]:
    async def talk() -> list[str]:
        line = _Line()
        line.connect(*texts)
        await line.caller.begin()
        await asyncio.gather(line.caller.over(), line.callee.over())
        return line.said

    return asyncio.run(asyncio.wait_for(talk(), 5))


def test_each_speaks_in_turn() -> None:
    assert _chat("a", "b", "c") == ["caller: a", "callee: b", "caller: c"]


def test_only_the_caller_may_have_anything_to_say() -> None:
    assert _chat("a") == ["caller: a"]


def test_nothing_to_say() -> None:
    assert _chat() == []


def test_it_is_not_over_before_the_other_has_spoken() -> None:
    async def half() -> bool:
        async def say(_: str) -> None:
            pass

        chat = Chat(["a"], 1, say)
        await chat.begin()
        over = asyncio.create_task(chat.over())
        await asyncio.sleep(0)
        still = not over.done()
        await chat.hear()
        await over
        return still

    assert asyncio.run(half())
