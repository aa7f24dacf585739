"""Addresses of servers by name, each asked for once."""

import asyncio
import socket

from agents.ice.families import SOCKETS


class Names:
    """Look-ups of one ICE agent: several who want the same name wait for one answer."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], asyncio.Future[str]] = {}

    async def address(self, host: str, version: int) -> str:
        """The address of a host, of a version of IP.

        OSError when the name server has none, or is not there.
        """
        asked = host, version
        if asked not in self._asked:
            self._asked[asked] = asyncio.ensure_future(_look_up(*asked))
        return await asyncio.shield(self._asked[asked])


async def _look_up(host: str, version: int) -> str:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, family=SOCKETS[version], type=socket.SOCK_DGRAM)
    return str(found[0][4][0])
