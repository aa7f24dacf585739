"""Tries every way to the service from one host, and says what came of it.

Each way gets several probes, for its round trip and its loss: over UDP a STUN
Binding each, else a connection (with TLS where the way has it). Then it is used once
as a client would: an HTTPS request, or a TURN allocation. Events: ``probed`` for each
way, in the order of the ways, then ``done``. They are claims; the captures decide.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from agents.ice import probe
from agents.ice.families import SOCKETS
from agents.ice.servers import Servers, Way
from agents.talk import run_until_terminated, say
from agents.tls import client_context

#: Probes of a way: over UDP one second of a call's packets, elsewhere connections.
DATAGRAMS, CONNECTIONS = 50, 10

#: How long a connection may take, in seconds; a lost SYN is sent again after one.
_PATIENCE = 4.0


class Prober:
    """The ways of one host, over one version of IP.

    ``servers`` tell the relays' credentials, and whom to trust.
    """

    def __init__(self, servers: Servers, version: int) -> None:
        self._servers = servers
        self._version = version

    async def probe(self, way: dict[str, Any]) -> None:
        """Try one way and say what came of it."""
        found: dict[str, Any] = {"answered": 0, "round_trips_ms": [], "used": None, "why": ""}
        try:
            server = await _resolve(way["name"], self._version), way["port"]
            probes = self._bindings if way["transport"] == "udp" else self._connections
            async for trip in probes(way, server):
                found["round_trips_ms"].append(round(trip * 1000, 3))
                found["answered"] += 1
            found["used"] = await self._use(way)
        except (OSError, ClientError) as error:
            found["why"] = str(error) or type(error).__name__
        say("probed", **way, **found)

    async def _bindings(
        self, _way: dict[str, Any], server: tuple[str, int]
    ) -> AsyncIterator[float]:
        for trip in await probe.bindings(server, DATAGRAMS):
            yield trip

    async def _connections(
        self, way: dict[str, Any], server: tuple[str, int]
    ) -> AsyncIterator[float]:
        """Open connections one after the other; who cannot open the first has no way."""
        for number in range(CONNECTIONS):
            began = time.monotonic()
            try:
                await self._connect(way, server)
            except OSError:
                if number == 0:
                    raise
            else:
                yield time.monotonic() - began

    async def _connect(self, way: dict[str, Any], server: tuple[str, int]) -> None:
        tls = way["transport"] == "tls"
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(
                *server,
                ssl=self._servers.context if tls else None,
                server_hostname=way["name"] if tls else None,
            )
        writer.close()
        await writer.wait_closed()

    async def _use(self, way: dict[str, Any]) -> str:
        if way["is_relay"]:
            relay = Way(way["name"], way["port"], way["transport"])
            return await probe.allocate(relay, self._version, self._servers)
        return await self._request(f"https://{way['name']}:{way['port']}/")

    async def _request(self, url: str) -> str:
        """Whatever the answer is, the server gave it."""
        connector = TCPConnector(ssl=self._servers.context, family=SOCKETS[self._version])
        timeout = ClientTimeout(total=_PATIENCE)
        async with (
            ClientSession(connector=connector, timeout=timeout) as session,
            session.get(url) as response,
        ):
            return f"HTTP {response.status}"


async def _resolve(name: str, version: int) -> str:
    """The address of a name; OSError when this host cannot find it."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, family=SOCKETS[version], type=socket.SOCK_DGRAM)
    except OSError as error:
        raise OSError(f"{name} cannot be resolved: {error.strerror}") from None
    return str(found[0][4][0])


async def _assess(config: dict[str, Any]) -> None:
    context = client_context(Path(config["authority"]), Path(config["key_log"]))
    prober = Prober(
        Servers((), config["username"], config["credential"], context), config["version"]
    )
    for way in config["ways"]:
        await prober.probe(way)
    say("done")
    await asyncio.Event().wait()


def main(config: dict[str, Any]) -> int:
    """Try all ways.

    ``config``: ways (each with edge, name, port, transport, is_relay), version (of IP),
    username and credential (of the relay), authority and key_log (files).
    """
    return run_until_terminated(_assess(config))
