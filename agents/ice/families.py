"""Both families of IP in one ICE agent: servers, preferences, reflexive and relayed addresses.

aioice asks servers over IPv4 only, prefers neither family, and takes whatever family of relayed
address the server gives by default, which is IPv4 (RFC 8656, section 7.2).
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import aioice.turn
from aioice import Candidate, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol

#: A transport address: a numeric address and a port.
Server = tuple[str, int]

#: REQUESTED-ADDRESS-FAMILY (RFC 8656, section 18.6) and its value for IPv6.
_FAMILY = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
_IPV6 = 0x02 << 24

#: Error code "Address Family not Supported" (RFC 8656, section 19).
_NOT_SUPPORTED = 440

#: Local preferences (RFC 8445, section 5.1.2.2): the highest, and the one below it.
_FIRST, _SECOND = 65535, 65534


def version(address: str) -> int:
    """4 or 6."""
    return ip_address(address).version


async def resolved(server: Server | None) -> list[Server]:
    """The first address of each family that a name has and this host has addresses of."""
    if server is None:
        return []
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(*server, type=socket.SOCK_DGRAM, flags=socket.AI_ADDRCONFIG)
    first: dict[int, Server] = {}
    for family, *_, (address, port, *_) in found:
        first.setdefault(family, (str(address), int(port)))
    return list(first.values())


def preference(address: str, own: Iterable[str]) -> int:
    """The local preference of an address: on a host with both families IPv6 comes first.

    RFC 8421, section 4, by the precedence of RFC 6724, section 2.1; the host with one family
    alone takes the highest for all (RFC 8445, section 5.1.2.2).
    """
    mixed = len({version(one) for one in own}) > 1
    return _SECOND if mixed and version(address) == 4 else _FIRST


async def reflexive(host: StunProtocol, server: Server, local_preference: int) -> Candidate:
    """The address from which a STUN server sees a socket's packets come (RFC 8445, 5.1.1.2)."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    response, _ = await host.request(request, server)
    own = host.local_candidate
    address, port = response.attributes["XOR-MAPPED-ADDRESS"]
    return Candidate(
        foundation=candidate_foundation("srflx", "udp", own.host),
        component=own.component,
        transport=own.transport,
        priority=candidate_priority(own.component, "srflx", local_preference),
        host=address,
        port=port,
        type="srflx",
        related_address=own.host,
        related_port=own.port,
    )


class TurnClient(aioice.turn.TurnClientUdpProtocol):
    """A TURN client that asks an IPv6 server for an IPv6 address first (RFC 8656, section 7.1).

    Behind a NAT64 the server is an IPv4 one, and may have none: then it gives one of IPv4.
    """

    async def request_with_retry(self, request: stun.Message) -> tuple[stun.Message, Server]:
        """Execute a transaction; the family is added to an Allocate request."""
        if request.message_method != stun.Method.ALLOCATE or version(self.server[0]) == 4:
            return await super().request_with_retry(request)
        plain = stun.Message(
            message_method=request.message_method, message_class=request.message_class
        )
        plain.attributes.update(request.attributes)
        request.attributes[_FAMILY[1]] = _IPV6
        try:
            return await super().request_with_retry(request)
        except stun.TransactionFailed as error:
            if error.response.error_code != _NOT_SUPPORTED:
                raise
        # coturn (4.6.1) would give an empty address of IPv6 as well on this socket: a new one.
        self.transport.close()
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, remote_addr=self.server)
        return await super().request_with_retry(plain)


def install() -> None:
    """Have aioice know the attribute and make our TURN clients."""
    stun.ATTRIBUTES_BY_TYPE[_FAMILY[0]] = stun.ATTRIBUTES_BY_NAME[_FAMILY[1]] = _FAMILY
    aioice.turn.TurnClientUdpProtocol = TurnClient  # type: ignore[misc]
