"""Both families of IP in one ICE agent: servers, preferences, reflexive and relayed addresses.

aioice asks servers over IPv4 only, prefers neither family, and takes whatever family of relayed
address the server gives by default, which is IPv4 (RFC 8656, section 7.2).
"""

import socket
from collections.abc import Iterable
from ipaddress import ip_address

from aioice import Candidate, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aioice.turn import TurnClientMixin

#: A transport address: a numeric address and a port.
Server = tuple[str, int]

#: REQUESTED-ADDRESS-FAMILY (RFC 8656, section 18.6) and its value for IPv6.
_FAMILY = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
_IPV6 = 0x02 << 24

#: Error code "Address Family not Supported" (RFC 8656, section 19).
_NOT_SUPPORTED = 440

#: Local preferences (RFC 8445, section 5.1.2.2): the highest, and the one below it.
_FIRST, _SECOND = 65535, 65534


#: The family of sockets for a version.
SOCKETS = {4: socket.AF_INET, 6: socket.AF_INET6}


def version(address: str) -> int:
    """4 or 6."""
    return ip_address(address).version


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


def is_not_supported(error: stun.TransactionFailed) -> bool:
    """Whether a relay refuses because it has no addresses of the family asked for."""
    return error.response.error_code == _NOT_SUPPORTED


class TurnClient(TurnClientMixin):
    """A TURN client that can ask for an address of IPv6 (RFC 8656, section 7.1)."""

    asks_for_ipv6 = False

    async def request_with_retry(self, request: stun.Message) -> tuple[stun.Message, Server]:
        """Execute a transaction; the family is added to an Allocate request."""
        if self.asks_for_ipv6 and request.message_method == stun.Method.ALLOCATE:
            request.attributes[_FAMILY[1]] = _IPV6
        return await super().request_with_retry(request)


#: aioice keeps its attributes in tables; this one is not among them.
stun.ATTRIBUTES_BY_TYPE[_FAMILY[0]] = stun.ATTRIBUTES_BY_NAME[_FAMILY[1]] = _FAMILY
