"""How far the service's servers are from here: packets that the captures measure by.

A front end is sent SYNs, a relay Binding requests (RFC 8489, section 3), a few of each. The
figures that are said are claims; the verdict takes its own from the captures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from agents.ice.binding import transact
from agents.talk import say

#: The least of so many round trips counts: one may be slow because the machine is.
ATTEMPTS = 3

#: How long an answer may take, in seconds.
_PATIENCE = 5.0


async def measure(servers: Iterable[dict[str, Any]]) -> None:
    """Measure one server after the other.

    Each is ``{"host", "address", "port", "transport"}``, the transport "tcp" or "udp".
    OSError or TimeoutError when one does not answer.
    """
    for server in servers:
        once = {"tcp": _connect, "udp": transact}[server["transport"]]
        took = [await _timed(once, server) for _ in range(ATTEMPTS)]
        say("round_trip", host=server["host"], milliseconds=round(1000 * min(took), 3))


async def _timed(once: Callable[[str, int], Awaitable[None]], server: dict[str, Any]) -> float:
    began = time.monotonic()
    async with asyncio.timeout(_PATIENCE):
        await once(server["address"], server["port"])
    return time.monotonic() - began


async def _connect(address: str, port: int) -> None:
    """A TCP handshake (RFC 9293, section 3.5), and no more."""
    _, writer = await asyncio.open_connection(address, port)
    writer.close()
    await writer.wait_closed()
