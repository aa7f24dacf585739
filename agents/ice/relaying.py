"""Allocations at relays over UDP, TCP, TLS, and TLS through an HTTP proxy (RFC 8656 section 3.1).

aioice has TURN over one transport given beforehand; here each way is an endpoint of its own,
whose connection we make ourselves.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from aioice import Connection, stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol, TurnTransport

from agents.ice import families, proxy
from agents.ice.names import Names
from agents.ice.servers import Servers, Way

#: As aioice asks for them, in seconds.
_LIFETIME, _CHANNEL_REFRESH = 600, 500

#: In place of an address that is not told (RFC 8839 section 5.1).
_NOWHERE = ("0.0.0.0", 9)  # noqa: S104 - nobody binds to it

#: How long the losers of a race are waited for, in seconds: what they get must be given back.
_PATIENCE = 2.0


class UnreachableError(ConnectionError):
    """The network said that a relay cannot be reached over UDP (ICMP)."""


class _Tcp(families.TurnClient, TurnClientTcpProtocol):
    """TURN over TCP or TLS."""


class _Udp(families.TurnClient, TurnClientUdpProtocol):
    """TURN over UDP that heeds ICMP errors (RFC 8489 section 6.2.1)."""

    refused: asyncio.Future[None]

    def error_received(self, exc: Exception) -> None:
        """Take an ICMP error for the answer; one in the midst of a call passes."""
        if not self.refused.done():
            self.refused.set_exception(UnreachableError(str(exc)))


class Try:
    """One way to an allocation, from the first packet until it is given back."""

    def __init__(
        self, way: Way, version: int, servers: Servers, names: Names, owner: Connection
    ) -> None:
        self.way = way
        self._version = version
        self._servers = servers
        self._names = names
        self._owner = owner
        self._turn: _Tcp | _Udp | None = None

    @property
    def may_hold(self) -> bool:
        """Whether the relay has answered, so that an allocation may be there, or come."""
        return self._turn is not None and self._turn.nonce is not None

    async def allocate(self) -> "Relayed":
        """Get the allocation: OSError or TransactionError when there is none.

        A relay that is reached over IPv6 may have no addresses of it (behind a NAT64 it is an
        IPv4 one): then what it has is asked for, and over a connection of its own, since
        coturn (4.6.1) would give an empty address of IPv6 as well on the first one.
        """
        try:
            return await self._allocate(asks_for_ipv6=self._version == 6)
        except stun.TransactionFailed as error:
            if self._version == 4 or not families.is_not_supported(error):
                raise
        return await self._allocate(asks_for_ipv6=False)

    async def _allocate(self, *, asks_for_ipv6: bool) -> "Relayed":
        refused = asyncio.get_running_loop().create_future()
        self._turn = await self._open(refused)
        self._turn.asks_for_ipv6 = asks_for_ipv6
        relayed = Relayed(self._owner, self.way, TurnTransport(self._turn))
        begun = asyncio.create_task(relayed.begin())
        try:
            await asyncio.wait((begun, refused), return_when=asyncio.FIRST_COMPLETED)
            if not begun.done():
                refused.result()
            await begun
        except BaseException:
            begun.cancel()
            self._turn.transport.close()
            raise
        finally:
            refused.cancel()
        return relayed

    async def _open(self, refused: asyncio.Future[None]) -> _Tcp | _Udp:
        """The connection to the relay on which TURN is spoken."""
        loop, way = asyncio.get_running_loop(), self.way
        if way.proxy:
            own = await proxy.connect(way.proxy, way.host, way.port)
            server = (way.proxy.address, way.proxy.port)
            where: dict[str, Any] = {"sock": own}
        else:
            server = (await self._names.address(way.host, self._version), way.port)
            where = {"host": server[0], "port": server[1]}
        if way.transport == "udp":
            return await self._open_udp(server, refused)
        if way.transport == "tls":
            # The certificate must name the relay, whoever else the connection leads to first.
            where |= {"ssl": self._servers.context, "server_hostname": way.host}
        _, turn = await loop.create_connection(lambda: _Tcp(server, *self._credentials()), **where)
        return turn

    async def _open_udp(self, server: tuple[str, int], refused: asyncio.Future[None]) -> _Udp:
        _, turn = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Udp(server, *self._credentials()), remote_addr=server
        )
        turn.refused = refused
        return turn

    def _credentials(self) -> tuple[str, str, int, int]:
        return self._servers.username, self._servers.credential, _LIFETIME, _CHANNEL_REFRESH


class Relayed(StunProtocol):
    """The socket at a relay that an allocation gives us, and its candidate."""

    def __init__(self, owner: Connection, way: Way, turn: TurnTransport) -> None:
        super().__init__(owner)
        self.way = way
        self._turn = turn

    async def begin(self) -> None:
        """Ask for the allocation, and take what comes to its address from then on."""
        await self._turn._connect(self)

    def candidate(
        self, component: int, own_addresses: Iterable[str], *, hide_related_address: bool
    ) -> Candidate:
        """The relayed candidate (RFC 8445 section 5.1.1.2) of a host with these addresses.

        Where only relayed ones may be used, it must not tell where we are (RFC 9429 3.5.3).
        """
        address, port = self.transport.get_extra_info("sockname")
        own = self.transport.get_extra_info("related_address")
        related = _NOWHERE if hide_related_address else own
        self.local_candidate = Candidate(
            foundation=candidate_foundation("relay", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(
                component, "relay", families.preference(own[0], own_addresses)
            ),
            host=address,
            port=port,
            type="relay",
            related_address=related[0],
            related_port=related[1],
        )
        return self.local_candidate


async def give_back(late: "asyncio.Task[Relayed]", tried: Try) -> None:
    """End a try that lost: an allocation that it has, or gets, is refreshed to no time at all.

    RFC 8656 section 7.4: a client that needs an allocation no longer sends Refresh with
    lifetime 0. A try that no relay has answered holds nothing, and just ends.
    """
    if not tried.may_hold:
        late.cancel()
    with contextlib.suppress(TimeoutError, OSError, stun.TransactionError, asyncio.CancelledError):
        relayed = await asyncio.wait_for(late, _PATIENCE)
        await relayed.close()
