"""A Binding transaction on its own, without credentials (RFC 8489, section 3)."""

import asyncio
import socket

from aioice import stun

from agents.ice.families import SOCKETS, version


async def transact(address: str, port: int) -> None:
    """Ask a STUN server once, and wait for its answer; OSError where it cannot be reached."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    with socket.socket(SOCKETS[version(address)], socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.connect((address, port))
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(own, bytes(request))
        while True:
            answer = stun.parse_message(await loop.sock_recv(own, 2048))
            if answer.transaction_id == request.transaction_id:
                return
