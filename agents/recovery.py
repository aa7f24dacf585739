"""A call that goes on although its path is lost: ICE restarts, or the call is given up.

The caller restarts (RFC 8445, section 9): when no media has come for a while, and shortly
before the relay's credentials expire, with new ones. It offers a new description (RFC 8839,
section 4.4.1.1.1), the callee answers with its own. Who hears nothing for too long gives up.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable

from aiortc import RTCPeerConnection

from agents import ice
from agents.api import Api, ApiError
from agents.ice.protocol import Described, IceAgent
from agents.ice.restart import described_anew, read_described
from agents.ice.servers import Servers
from agents.streams import with_contents
from agents.talk import say

#: How long no media may come before ICE restarts, in seconds.
SILENCE = 3.0

#: How long no media may come before the call is given up, in seconds.
GIVE_UP = 15.0

#: How long before the relay's credentials expire ICE restarts with new ones, in seconds.
RENEWAL = 3.0

#: How long a restart may take, and between two tries, in seconds.
_RESTART, _PAUSE = 6.0, 0.5


class Recovery:
    """Watches one call from when it is connected, and has ICE restart."""

    def __init__(
        self,
        api: Api,
        call: str,
        ask: Callable[[], Awaitable[tuple[Servers, float]]],
        streams: Iterable[str],
        lose: Callable[[str], None],
    ) -> None:
        """``ask`` gives servers with new credentials, and when they expire (since the epoch).

        ``streams`` are what we send; ``lose`` is told why the call is given up.
        """
        self._api = api
        self._call = call
        self._ask = ask
        self._streams = tuple(streams)
        self._lose = lose
        self._last = time.monotonic()
        self._expires = math.inf
        #: Why the last try to restart came to nothing.
        self._why = ""
        #: Held while ICE restarts.
        self.restarting = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[str] | None = None
        self._connection: RTCPeerConnection

    async def servers(self) -> Servers:
        """Servers with new credentials, whose expiry is kept in mind."""
        servers, expires = await self._ask()
        self._expires = time.monotonic() + expires - time.time()
        return servers

    def begin(self, connection: RTCPeerConnection, is_caller: bool) -> None:
        """The call is connected: claim its pair, and watch it."""
        self._connection = connection
        self.heard()
        self._claim()
        self._watch = asyncio.create_task(self._watch_over(is_caller))
        self._watch.add_done_callback(self._watched)

    def heard(self) -> None:
        """Media has come."""
        self._last = time.monotonic()

    def silent_for(self) -> float:
        """How long no media has come in seconds; 0 where that is nothing unusual."""
        silence = time.monotonic() - self._last
        return silence if self._watch and silence > SILENCE else 0.0

    def stop(self) -> None:
        """The call ends."""
        if self._watch:
            self._watch.cancel()

    def answered(self, sdp: str) -> None:
        """The other end has answered our offer."""
        if self._answer and not self._answer.done():
            self._answer.set_result(sdp)

    async def join(self, sdp: str) -> None:
        """The other end offers to restart ICE."""
        try:
            own = await self._agent.begin_restart(await self.servers())
            await self._api.answer(self._call, self._described_anew(own))
            await self._finish(sdp)
        except (ConnectionError, TimeoutError, ApiError) as error:
            # The other end knows as much, and may try again.
            say("not_restarted", call=self._call, because=str(error) or type(error).__name__)

    @property
    def _agent(self) -> IceAgent:
        transport = self._connection.getSenders()[0].transport
        return ice.agent_of(transport.transport)

    async def _watch_over(self, is_caller: bool) -> None:
        """Wait until there is something to do, and do it; end with the call."""
        while True:
            patience = SILENCE if is_caller else GIVE_UP
            quiet_at = self._last + patience
            renew_at = self._expires - RENEWAL if is_caller else math.inf
            await asyncio.sleep(max(min(quiet_at, renew_at) - time.monotonic(), 0))
            now = time.monotonic()
            if now - self._last >= patience:
                if not is_caller or not await self._restart(f"no media for {SILENCE:g} s"):
                    why = f", and ICE did not restart: {self._why}" if self._why else ""
                    silence = time.monotonic() - self._last
                    return self._lose(f"no media for {silence:.0f} s{why}")
            elif now >= renew_at:
                await self._restart("the relay's credentials expire")

    def _watched(self, watch: asyncio.Task[None]) -> None:
        """Nobody else would hear of an error there."""
        if not watch.cancelled() and (error := watch.exception()):
            self._lose(f"{type(error).__name__}: {error}")

    async def _restart(self, because: str) -> bool:
        """Try until it has succeeded, or for too long."""
        async with self.restarting:
            deadline = self._last + GIVE_UP
            while time.monotonic() < deadline:
                say("restarting", call=self._call, because=because)
                try:
                    async with asyncio.timeout(_RESTART):
                        await self._offer()
                    return True
                except (ConnectionError, TimeoutError, ApiError) as error:
                    self._why = str(error) or f"it took more than {_RESTART:g} s"
                    say("not_restarted", call=self._call, because=self._why)
                await asyncio.sleep(_PAUSE)
            return False

    async def _offer(self) -> None:
        """Offer new candidates and use the answer's; ConnectionError when that is of no use."""
        own = await self._agent.begin_restart(await self.servers())
        if not own.has_relay:
            raise ConnectionError("no relay has given an address")
        self._answer = asyncio.get_running_loop().create_future()
        await self._api.offer(self._call, self._described_anew(own))
        await self._finish(await self._answer)

    def _described_anew(self, own: Described) -> str:
        anew = described_anew(self._connection.localDescription.sdp, own)
        return with_contents(anew, self._streams)

    async def _finish(self, sdp: str) -> None:
        await self._agent.finish_restart(read_described(sdp))
        self.heard()
        self._claim()

    def _claim(self) -> None:
        pair = self._agent.selected()
        if pair is not None:
            say("selected", call=self._call, local=vars(pair.local), remote=vars(pair.remote))
