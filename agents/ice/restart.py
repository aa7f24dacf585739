"""ICE restarts (RFC 8445, section 9), which aioice does not have.

The agent that aiortc holds stays; what a restart brings is a *generation* behind it: an
agent of its own, with new sockets, credentials and candidates. Packets of all generations
reach the one that asks for them; they leave by the last that has connected. DTLS goes on
above as if nothing had happened (RFC 8842, section 5.5). Who controlled goes on to.
"""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from aiortc.rtcicetransport import (
    RTCIceParameters,
    candidate_from_aioice,
    candidate_to_aioice,
)
from aiortc.sdp import SessionDescription

from agents.ice.direct_first import DirectFirst
from agents.ice.protocol import Described, SelectedPair
from agents.ice.servers import Servers

#: How long the end of a generation may take, in seconds: a dead relay answers nothing.
_END_SECONDS = 1.0

#: Session id and version of the origin (RFC 8866, section 5.2).
_VERSION = re.compile(r"^(\S+ \S+) (\d+)")


class Restartable(DirectFirst):
    """An agent whose path can be replaced."""

    #: That packets leave by; this agent itself until a restart has succeeded.
    _generation: DirectFirst | None = None
    _next: DirectFirst | None = None
    _former: tuple[DirectFirst, ...] = ()

    def selected(self) -> SelectedPair | None:
        """The nominated pair of the generation that packets leave by."""
        return self._generation.selected() if self._generation else super().selected()

    async def begin_restart(self, servers: Servers) -> Described:
        """Gather for a new generation, which replaces one that never connected."""
        if self._next:
            await _end(self._next, self._next.close())
        self._next = DirectFirst(ice_controlling=self.ice_controlling)
        self._next.use(servers)
        # What it receives is for whoever waits at this one.
        self._next._queue = self._queue
        await self._next.gather_candidates()
        return Described(
            self._next.local_username,
            self._next.local_password,
            tuple(map(candidate_from_aioice, self._next.local_candidates)),
        )

    async def finish_restart(self, remote: Described) -> None:
        """Check the pairs of the new generation, and go over to the one that is nominated.

        ConnectionError when none works; packets then leave as before.
        """
        generation = self._next
        assert generation is not None
        generation.remote_username, generation.remote_password = remote.ufrag, remote.password
        for candidate in (*map(candidate_to_aioice, remote.candidates), None):
            await generation.add_remote_candidate(candidate)
        await generation.connect()
        self._stop_asking()
        # The other end may still send by the old one: its sockets stay until the end.
        self._former += (self._generation,) if self._generation else ()
        self._generation = generation
        if self._next is generation:
            self._next = None

    async def recvfrom(self) -> tuple[bytes, int]:
        """Receive by any generation; whoever hears nothing must tell that one is lost."""
        while True:
            received = await self._queue.get()
            if received is not None:
                return received
            if self._closing:
                raise ConnectionError("the ICE agent was closed")

    async def sendto(self, data: bytes, component: int) -> None:
        """Send by the last generation that has connected."""
        if self._generation:
            await self._generation.sendto(data, component)
        else:
            await super().sendto(data, component)

    async def close(self) -> None:
        """Give back the sockets and allocations of all generations."""
        for generation in (self._next, self._generation, *self._former):
            if generation:
                await _end(generation, generation.close())
        await _end(self, super().close())

    def _stop_asking(self) -> None:
        """Ask for consent (RFC 7675) on the old pair no more: its loss is no loss of the call."""
        task = (self._generation or self)._query_consent_task
        if task:
            task.cancel()


async def _end(agent: DirectFirst, closing: Coroutine[Any, Any, None]) -> None:
    """Close an agent; a relay that does not take back its allocation in time may keep it."""
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait([task], timeout=_END_SECONDS)
    if not done:
        for protocol in agent._protocols:
            protocol.connection_lost(None)
    await task


def described_anew(sdp: str, own: Described) -> str:
    """Our description with the credentials and candidates of a new generation.

    Its version is one higher (RFC 3264, section 8); all else is as it was.
    """
    session = SessionDescription.parse(sdp)
    session.origin = _VERSION.sub(lambda o: f"{o[1]} {int(o[2]) + 1}", session.origin or "")
    for media in session.media:
        media.ice = RTCIceParameters(usernameFragment=own.ufrag, password=own.password)
        media.ice_candidates = list(own.candidates)
        media.ice_candidates_complete = True
    return str(session)


def read_described(sdp: str) -> Described:
    """What the other end tells of its generation."""
    (media, *_) = SessionDescription.parse(sdp).media
    assert media.ice
    assert media.ice.usernameFragment
    assert media.ice.password
    return Described(media.ice.usernameFragment, media.ice.password, tuple(media.ice_candidates))
