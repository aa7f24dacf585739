"""Does a STUN or TURN server answer? Requests as an ICE agent would send them."""

import asyncio
import contextlib
import time

from aioice import Connection, stun

from agents.ice.names import Names
from agents.ice.relaying import Try
from agents.ice.servers import Servers, Way

#: One request is sent so often, in seconds: as a voice call sends packets.
PACE = 0.02

#: How long an answer may take, in seconds: more than any way that a call could use.
PATIENCE = 2.0


class _Bindings(asyncio.DatagramProtocol):
    """Binding requests (RFC 8489, section 2), each sent once, and when it was answered."""

    def __init__(self, count: int) -> None:
        self.answered = asyncio.Event()
        self._count = count
        self._sent: dict[bytes, float] = {}
        self._round_trips: dict[bytes, float] = {}

    def datagram_received(self, data: bytes | str, _from: tuple[str, int]) -> None:
        """Take what may be an answer."""
        try:
            answer = stun.parse_message(bytes(data))  # type: ignore[arg-type]
        except ValueError:
            return
        sent = self._sent.get(answer.transaction_id)
        if sent is not None and answer.message_class is stun.Class.RESPONSE:
            self._round_trips.setdefault(answer.transaction_id, time.monotonic() - sent)
        if len(self._round_trips) == self._count:
            self.answered.set()

    def request(self) -> bytes:
        """The next request, which is sent now."""
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self._sent[message.transaction_id] = time.monotonic()
        return bytes(message)

    def round_trips(self) -> list[float]:
        """Those of the requests that were answered, in their order, in seconds."""
        return [self._round_trips[key] for key in self._sent if key in self._round_trips]


async def bindings(server: tuple[str, int], count: int) -> list[float]:
    """Round trips of Binding requests over UDP, in seconds; fewer than ``count`` if lost."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Bindings(count), remote_addr=server
    )
    for _ in range(count):
        transport.sendto(protocol.request())
        await asyncio.sleep(PACE)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(protocol.answered.wait(), PATIENCE)
    transport.close()
    return protocol.round_trips()


async def allocate(way: Way, version: int, servers: Servers) -> str:
    """Allocate a relayed address (RFC 8656, section 7) and give it back; which it was.

    ``version`` is that of IP, by which the relay is asked.
    ConnectionError with the reason where none is granted.
    """
    tried = Try(way, version, servers, Names(), Connection(ice_controlling=True))
    try:
        async with asyncio.timeout(PATIENCE):
            relayed = await tried.allocate()
    except TimeoutError:
        raise ConnectionError(f"no answer in {PATIENCE:g} s") from None
    except stun.TransactionFailed as error:
        code, reason = error.response.attributes["ERROR-CODE"]
        raise ConnectionError(f"refused: {code} {reason}") from None
    except (stun.TransactionError, OSError) as error:
        raise ConnectionError(str(error)) from None
    address, port = relayed.transport.get_extra_info("sockname")
    await relayed.close()
    return f"{address}:{port}"
