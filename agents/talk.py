"""How an agent talks to the lab: JSON lines out, orders in, a clean end on SIGTERM."""

import asyncio
import json
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable
from typing import Any


def say(event: str, **values: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Log one event; ``time`` is seconds since the epoch."""
    sys.stdout.write(json.dumps({"event": event, "time": time.time(), **values}) + "\n")
    sys.stdout.flush()


async def orders() -> AsyncIterator[dict[str, Any]]:
    """The lab's orders, one JSON object a line, until it closes our standard input."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def run_until_terminated(work: Awaitable[None]) -> int:
    """Run an agent until it ends or is asked to (SIGTERM); its exit code.

    A failure is said in one event and left as a traceback in the agent's log.
    """
    try:
        return asyncio.run(_until_terminated(work))
    except Exception as error:
        say("failed", reason=f"{type(error).__name__}: {error}")
        traceback.print_exc()
        return 1


async def _until_terminated(work: Awaitable[None]) -> int:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        say("ended")
    return 0
