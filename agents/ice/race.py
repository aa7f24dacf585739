"""Several ways to one end, tried one after the other without waiting for dead ones.

The next way starts when those before have failed, or after a while in any case; the
first that leads there wins (as RFC 8305, section 5, connects to several addresses).
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: How long a way has to itself before the next one is tried too, in seconds.
STAGGER = 0.15


class Race(Generic[T]):
    """One race; what loses it may still arrive, and must be given back then."""

    def __init__(self, ways: Iterable[Callable[[], Coroutine[Any, Any, T]]]) -> None:
        self._ways = list(ways)
        self._tasks: list[asyncio.Task[T]] = []
        self._winner: asyncio.Task[T] | None = None

    async def winner(self) -> T:
        """What the first way that arrives leads to; ExceptionGroup when none does."""
        waiting = list(self._ways)
        while waiting or self._running:
            if waiting:
                self._tasks.append(asyncio.create_task(waiting.pop(0)()))
            await self._until_news(STAGGER if waiting else None)
            arrived = [task for task in self._tasks if task.done() and not task.exception()]
            if arrived:
                self._winner = arrived[0]
                return arrived[0].result()
        raise ExceptionGroup("no way leads there", [_why(task) for task in self._tasks])

    def losers(self) -> list[tuple[int, asyncio.Task[T]]]:
        """The tries that did not win, each with the number of its way.

        They failed, arrived too late, or are under way.
        """
        return [item for item in enumerate(self._tasks) if item[1] is not self._winner]

    @property
    def _running(self) -> list[asyncio.Task[T]]:
        return [task for task in self._tasks if not task.done()]

    async def _until_news(self, timeout: float | None) -> None:
        """Wait until a try arrives, or all that run have failed, or for so long."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while self._running:
            rest = None if deadline is None else max(deadline - loop.time(), 0)
            done, _ = await asyncio.wait(
                self._running, timeout=rest, return_when=asyncio.FIRST_COMPLETED
            )
            if not done or any(not task.exception() for task in done):
                return


def _why(task: asyncio.Task[Any]) -> Exception:
    error = task.exception()
    assert isinstance(error, Exception)
    return error
