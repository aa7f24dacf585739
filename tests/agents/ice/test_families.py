"""Both families in one ICE agent."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aioice import stun
from aioice.ice import StunProtocol

from agents.ice import families
from agents.ice.direct_first import DirectFirst
from agents.ice.names import Names
from agents.ice.relaying import Try
from agents.ice.servers import Way
from tests.agents.ice.told import servers

_FAMILY = "REQUESTED-ADDRESS-FAMILY"


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 of its own")


@pytest.mark.parametrize(
    ("address", "own", "wanted"),
    [
        ("10.0.0.1", ["10.0.0.1"], 65535),
        ("2001:db8::1", ["2001:db8::1"], 65535),
        ("2001:db8::1", ["10.0.0.1", "2001:db8::1"], 65535),
        ("10.0.0.1", ["10.0.0.1", "2001:db8::1"], 65534),
        ("10.0.0.1", ["10.0.0.1", "10.0.0.2"], 65535),
    ],
)
def test_ipv6_is_preferred_on_hosts_with_both(address: str, own: list[str], wanted: int) -> None:
    assert families.preference(address, own) == wanted


class _Server(asyncio.DatagramProtocol):
    """Answers each STUN request, and keeps the requests."""

    def __init__(self, answer: Callable[[stun.Message], stun.Message]) -> None:
        self.heard: list[tuple[stun.Message, tuple[str, int]]] = []
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        request = stun.parse_message(data)
        self.heard.append((request, addr[:2]))
        self._transport.sendto(bytes(self._answer(request)), addr)


def _answer(request: stun.Message, kind: stun.Class, **attributes: object) -> stun.Message:
    answer = stun.Message(
        message_method=request.message_method,
        message_class=kind,
        transaction_id=request.transaction_id,
    )
    answer.attributes.update({name.replace("_", "-"): v for name, v in attributes.items()})
    return answer


def _relay_of_ipv4(request: stun.Message) -> stun.Message:
    """A relay behind a NAT64: it has no addresses of IPv6."""
    if _FAMILY in request.attributes:
        unsupported = (440, "Address Family not Supported")
        return _answer(request, stun.Class.ERROR, ERROR_CODE=unsupported)
    return _allocated(request)


def _allocated(request: stun.Message) -> stun.Message:
    address = ("203.0.113.9", 50000)
    mapped = {"XOR_RELAYED_ADDRESS": address, "XOR_MAPPED_ADDRESS": ("198.51.100.2", 1028)}
    return _answer(request, stun.Class.RESPONSE, LIFETIME=600, **mapped)


async def _allocate(
    address: str, answer: Callable[[stun.Message], stun.Message]
) -> tuple[_Server, tuple[str, int]]:
    """Where our client was given an address, and the server that it asked."""
    server = _Server(answer)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=(address, 0))
    port = transport.get_extra_info("sockname")[1]
    own = Try(
        Way(address, port, "udp"),
        families.version(address),
        servers(),
        Names(),
        DirectFirst(ice_controlling=True),
    )
    try:
        relayed = await own.allocate()
        candidate = relayed.candidate(1, [address], hide_related_address=False)
        await relayed.close()
        return server, (candidate.host, candidate.port)
    finally:
        transport.close()


def _asked_for(server: _Server) -> list[tuple[stun.Message, tuple[str, int]]]:
    allocate = stun.Method.ALLOCATE
    return [item for item in server.heard if item[0].message_method == allocate]


@needs_ipv6
def test_an_ipv6_server_is_asked_for_ipv6() -> None:
    server, _ = asyncio.run(_allocate("::1", _allocated))
    ((request, _),) = _asked_for(server)
    assert request.attributes[_FAMILY] == 0x02000000


def test_an_ipv4_server_is_asked_as_ever() -> None:
    server, _ = asyncio.run(_allocate("127.0.0.1", _allocated))
    ((request, _),) = _asked_for(server)
    assert _FAMILY not in request.attributes


@needs_ipv6
def test_where_the_relay_has_no_ipv6_it_is_asked_again_from_another_socket() -> None:
    server, relayed = asyncio.run(_allocate("::1", _relay_of_ipv4))
    (first, one), (second, other) = _asked_for(server)
    assert _FAMILY in first.attributes
    assert _FAMILY not in second.attributes
    assert one != other
    assert relayed == ("203.0.113.9", 50000)


@needs_ipv6
def test_another_refusal_is_told() -> None:
    asked = []

    def quota(request: stun.Message) -> stun.Message:
        asked.append(request)
        return _answer(request, stun.Class.ERROR, ERROR_CODE=(486, "Allocation Quota Reached"))

    with pytest.raises(stun.TransactionFailed) as error:
        asyncio.run(_allocate("::1", quota))
    assert error.value.response.error_code == 486
    assert len(asked) == 1


@needs_ipv6
def test_a_reflexive_address_is_asked_for_over_ipv6() -> None:
    mapped = ("2001:db8:10:1::11", 40000)

    async def asked() -> Any:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Server(
                lambda request: _answer(request, stun.Class.RESPONSE, XOR_MAPPED_ADDRESS=mapped)
            ),
            local_addr=("::1", 0),
        )
        agent = DirectFirst(ice_controlling=True)
        host: StunProtocol = await agent._open(1, "::1", 65535)
        found = await families.reflexive(host, transport.get_extra_info("sockname")[:2], 65534)
        await host.close()
        transport.close()
        return found

    found = asyncio.run(asked())
    assert (found.type, found.host, found.port) == ("srflx", *mapped)
    assert found.related_address == "::1"
    assert found.priority == (100 << 24) + (65534 << 8) + 255
