"""What a user says in the chat of a call: its own lines, in turn with the other's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any


class Chat:
    """One user's side; ``say`` sends a line."""

    def __init__(
        self, lines: Sequence[str], to_hear: int, say: Callable[[str], Awaitable[Any]]
    ) -> None:
        """``to_hear`` is how many lines the other says."""
        self._lines = list(lines)
        self._to_hear = to_hear
        self._say = say
        self._over = asyncio.Event()
        self._look()

    async def begin(self) -> None:
        """Say the first line: the one who called does."""
        await self._next()

    async def hear(self) -> None:
        """The other said something; it is our turn."""
        self._to_hear -= 1
        await self._next()

    async def over(self) -> None:
        """Wait until both have said all."""
        await self._over.wait()

    async def _next(self) -> None:
        if self._lines:
            await self._say(self._lines.pop(0))
        self._look()

    def _look(self) -> None:
        if not self._lines and self._to_hear <= 0:
            self._over.set()
