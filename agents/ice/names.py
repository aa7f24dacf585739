"""Addresses of servers by name, each asked for once."""

import asyncio
import socket


class Names:
    """Look-ups of one ICE agent: several who want the same name wait for one answer."""

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[str]] = {}

    async def address(self, host: str) -> str:
        """The IPv4 address of a host; OSError when the name server has none, or is not there."""
        if host not in self._asked:
            self._asked[host] = asyncio.ensure_future(_look_up(host))
        return await asyncio.shield(self._asked[host])


async def _look_up(host: str) -> str:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    return str(found[0][4][0])
