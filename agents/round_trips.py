"""How far the service's servers are from here: packets that the captures measure by.

A front end is sent SYNs, a relay Binding requests (RFC 8489, section 3), a few of each. The
figures that are said are claims; the verdict takes its own from the captures.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aioice import stun

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
        once = {"tcp": _connect, "udp": _bind}[server["transport"]]
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


async def _bind(address: str, port: int) -> None:
    """A Binding transaction without credentials."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.connect((address, port))
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(own, bytes(request))
        while True:
            answer = stun.parse_message(await loop.sock_recv(own, 2048))
            if answer.transaction_id == request.transaction_id:
                return
