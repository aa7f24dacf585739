"""A box that reads HTTPS: it ends TLS as the server that was asked for, and begins it anew.

The packet filter of its router takes connections here. It shows a certificate that it
makes for the name asked for, under a CA of its own; who does not trust that ends the
connection, and then nothing is sent on.
"""

import asyncio
import socket
import ssl
import struct
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from agents.talk import run_until_terminated, say
from agents.tls import client_context, new_authority, server_context

#: Where a connection went before it was redirected (linux/netfilter_ipv4.h).
_SO_ORIGINAL_DST = 80

_CHUNK = 65536


class Inspector:
    """Takes connections; ``authority`` is what it trusts itself, a certificate's file."""

    def __init__(self, called: str, own: Path, authority: Path, key_log: Path) -> None:
        """``called`` is the name of its CA, whose certificate it writes to ``own``.

        Beside that lie the certificates that it shows.
        """
        self._ca = new_authority(called)
        self._ca.write(own)
        self._outward = client_context(authority, key_log)
        self._key_log = key_log
        self._own = own
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """A context that turns into that of the name that the client asks for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose
        return context

    def _choose(self, session: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        session.context = self._context_of(name or "unnamed")

    def _context_of(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            path = self._own.with_suffix(f".{len(self._contexts)}.pem")
            self._ca.issue(name, path)
            self._contexts[name] = server_context(path, self._key_log)
        return self._contexts[name]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with the server in the place of a client that trusts us."""
        context = writer.get_extra_info("ssl_object").context
        name = next(name for name, own in self._contexts.items() if own is context)
        address, port = _meant_for(writer.get_extra_info("socket"))
        say("inspecting", name=name, address=address, port=port)
        further, onward = await asyncio.open_connection(
            address, port, ssl=self._outward, server_hostname=name
        )
        await asyncio.gather(_copy(reader, onward), _copy(further, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that one side says, until it closes; then the other one is closed, too."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def _meant_for(connection: socket.socket) -> tuple[str, int]:
    """Address and port of a redirected connection, out of a sockaddr_in."""
    told = connection.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16)
    port, address = struct.unpack("!2xH4s8x", told)
    return str(IPv4Address(address)), port


async def _run(config: dict[str, Any]) -> None:
    paths = (Path(config[key]) for key in ("own_authority", "authority", "key_log"))
    inspector = Inspector(config["called"], *paths)
    server = await asyncio.start_server(
        inspector.take, config["address"], config["port"], ssl=inspector.context()
    )
    say("ready")
    async with server:
        await server.serve_forever()


def main(config: dict[str, Any]) -> int:
    """Inspect.

    ``config``: address, port, called (its CA's name), own_authority (where its certificate
    is to be written), authority (what it trusts), key_log.
    """
    return run_until_terminated(_run(config))
