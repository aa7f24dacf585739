"""A WebRTC client: calls, answers, plays a tone, shows pictures, and says what happens.

Orders: ``{"do": "call", "call": ID, "to": USER, "seconds": S}``, and ``{"do": "answer",
"call": ID}`` for a call that is to be answered only then. Events of a
call, in order: ``invited`` or ``ringing`` (with ``gathered`` before the one and after the
other), ``connected``, ``selected`` (a claim,
see results.schema.Claim), ``media`` (each second of it), ``hung_up``, ``reported``;
amid the media ``chat``, whenever the other said something, ``picture``, when the
first one of a video was seen, and ``restarting`` and ``selected`` anew where ICE restarts
(agents/recovery.py). A call that is given up has an event ``lost`` with the reason. A call
that the service refuses: ``refused``, ``reported``.
A user whom somebody else's certificate keeps from the service says ``signed_out``, and
takes no orders.
"""

import asyncio
import contextlib
import math
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiohttp import ClientError
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame
from av.frame import Frame

from agents import ice
from agents.api import Api, ApiError, GoneError, Refused
from agents.chat import Chat
from agents.dtls import LoggedCertificate, log_srtp_keys, use_certificate
from agents.hearing import Heard
from agents.ice.protocol import IceAgent
from agents.ice.servers import Servers
from agents.network import changes
from agents.pictures import name_in
from agents.recovery import Recovery
from agents.round_trips import measure
from agents.streams import add_streams, longest_gap, with_contents
from agents.talk import orders, run_until_terminated, say

#: Frames of the tone in a second.
_FRAMES_PER_SECOND = 50

#: How much media a user has received when it begins to chat, in frames.
_BEFORE_CHAT = 25

#: How much longer than asked for a call is held, in seconds: the captures, by which its
#: length is judged, see the first packet of the other direction later than ours.
_MARGIN = 0.1


class CallFailed(Exception):  # noqa: N818 - a call that fails is no programming error
    """A call that could not be connected."""


class Call:
    """One call of this user, from set-up to telemetry."""

    def __init__(self, client: "Client", call: str, peer: str) -> None:
        self.id = call
        self.answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.hung_up = asyncio.Event()
        #: Why the call was given up.
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.may_answer = asyncio.Event()
        self._answered = False
        self._connection: RTCPeerConnection | None = None
        self._client = client
        self._peer = peer
        self._received = 0
        self._heard: list[Heard] = []
        self._wanted = 0.0
        self._streams = client.streams.get(call, ["audio"])
        self._recovery = Recovery(client.api, call, self._servers, self._streams, self.lose)
        lines, to_hear = client.chats.get(call, ([], 0))
        self._chat = Chat(lines, to_hear, lambda line: client.api.chat(call, line))
        self._media_flows = asyncio.Event()
        self._connected = asyncio.Event()
        self._described: asyncio.Future[RTCPeerConnection] = (
            asyncio.get_running_loop().create_future()
        )

    @property
    def is_set_up(self) -> bool:
        """Whether the peer has answered, or we have."""
        return self._answered

    async def make(self, seconds: float) -> None:
        """Call the peer, hold the call for ``seconds`` of received media, hang up."""
        self._wanted = seconds + _MARGIN + 2 * longest_gap(self._streams)
        await self._until_lost(self._make())

    async def take(self, sdp: str) -> None:
        """Answer the peer's invite and hold the call until the peer hangs up."""
        await self._until_lost(self._take(sdp))

    def lose(self, why: str) -> None:
        """Give the call up."""
        if not self.lost.done():
            self.lost.set_result(why)

    async def _until_lost(self, course: Coroutine[Any, Any, None]) -> None:
        """Follow the call's course to its end, or until it is lost: then end it, and say why."""
        task = asyncio.ensure_future(course)
        either: list[asyncio.Future[Any]] = [task, self.lost]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        await asyncio.wait([task])
        error = None if task.cancelled() else task.exception()
        if isinstance(error, GoneError | CallFailed):
            self.lose(str(error))
        elif error:
            raise error
        self._recovery.stop()
        if self.lost.done():
            await self._give_up(self.lost.result())

    async def _give_up(self, why: str) -> None:
        say("lost", call=self.id, because=why)
        if self._connection and self._answered:
            # The other end would wait for media that cannot come.
            with contextlib.suppress(ApiError):
                await self._client.api.hang_up(self.id)
        await self._finish(self._connection, why)

    async def _make(self) -> None:
        connection = await self._open()
        await self._describe_own(connection, await connection.createOffer())
        try:
            await self._client.api.invite(self.id, self._peer, self._offered(connection))
        except Refused as refusal:
            await self._end_refused(connection, refusal)
            return
        say("invited", call=self.id, to=self._peer)
        await self._client.api.end_of_candidates(self.id)
        sdp = await self.answered
        self._answered = True
        await self._describe(connection, RTCSessionDescription(sdp, "answer"))
        await self._until_connected(connection, is_caller=True)
        await self._media_flows.wait()
        await self._chat.begin()
        await self._chat.over()
        for heard in self._heard:
            await heard.lasted.wait()
        # Else one end might not learn what the other has selected.
        async with self._recovery.restarting:
            await self._client.api.hang_up(self.id)
        await self._finish(connection)

    async def _take(self, sdp: str) -> None:
        say("ringing", call=self.id, peer=self._peer)
        connection = await self._open()
        await self._describe(connection, RTCSessionDescription(sdp, "offer"))
        await self._describe_own(connection, await connection.createAnswer())
        if self.id in self._client.checks_first:
            await _agent(connection).checked_every_pair()
        if self.id in self._client.answers_when_told:
            say("could_answer", call=self.id)
            await self.may_answer.wait()
        await self._client.api.answer(self.id, self._offered(connection))
        self._answered = True
        await self._client.api.end_of_candidates(self.id)
        await self._until_connected(connection, is_caller=False)
        await self.hung_up.wait()
        if silence := self._recovery.silent_for():
            self.lose(f"{self._peer} hung up when no media had come for {silence:.1f} s")
            return
        await self._finish(connection)

    async def end_of_remote_candidates(self) -> None:
        """The peer has told all its candidates.

        The news may overtake our own handling of the description that holds them;
        an ICE agent that is told of the end first takes none of them.
        """
        connection = await self._described
        await connection.addIceCandidate(None)

    def take_answer(self, sdp: str) -> None:
        """Take the peer's answer to the invite, or to an offer of ours since."""
        if not self.answered.done():
            self.answered.set_result(sdp)
        else:
            self._recovery.answered(sdp)

    async def take_offer(self, sdp: str) -> None:
        """The peer restarts ICE: answer with a new description of ours."""
        await self._recovery.join(sdp)

    async def hear(self, text: str) -> None:
        """The peer said something in the chat; answer it, if there is anything left to say."""
        say("chat", call=self.id, text=text)
        await self._chat.hear()

    async def _open(self) -> RTCPeerConnection:
        servers = await self._recovery.servers()
        connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        use_certificate(connection, LoggedCertificate.logging_to(self._client.keys["dtls"]))
        connection.on("connectionstatechange", self._connected.set)
        connection.on("track", self._listen)
        add_streams(connection, self._streams, self._client.name, self._client.tone)
        _agent(connection).use(servers)
        self._connection = connection
        return connection

    async def _servers(self) -> tuple[Servers, float]:
        """A relay with new credentials, and when these expire, in seconds since the epoch."""
        other = self._client.relays.get(self.id)
        relay, expires = (other, math.inf) if other else await self._client.api.relay()
        servers = Servers(
            urls=tuple(relay["urls"]),
            username=relay["username"],
            credential=relay["credential"],
            context=self._client.api.context,
            proxy=self._client.api.proxy,
            relay_only=self.id in self._client.relay_only,
        )
        return servers, expires

    async def _describe_own(
        self, connection: RTCPeerConnection, description: RTCSessionDescription
    ) -> None:
        """Set our own description, for which candidates are gathered."""
        await connection.setLocalDescription(description)
        kinds = [one.type for one in _agent(connection).gathered()]
        why = _agent(connection).unrelayed
        say("gathered", call=self.id, candidates=kinds, unrelayed=why)

    def _offered(self, connection: RTCPeerConnection) -> str:
        """Our own description, as the peer is to have it."""
        return with_contents(connection.localDescription.sdp, self._streams)

    async def _describe(self, connection: RTCPeerConnection, peer: RTCSessionDescription) -> None:
        await connection.setRemoteDescription(peer)
        self._described.set_result(connection)

    async def _until_connected(self, connection: RTCPeerConnection, *, is_caller: bool) -> None:
        while connection.connectionState in ("new", "connecting"):
            self._connected.clear()
            await self._connected.wait()
        if connection.connectionState != "connected":
            state = connection.connectionState
            why = "; ".join(_agent(connection).unrelayed)
            more = f", and no way led to a relay ({why})" if why else ""
            raise CallFailed(f"call {self.id}: the connection is {state}{more}")
        say("connected", call=self.id)
        transport = connection.getSenders()[0].transport
        log_srtp_keys(transport, self.id, self._client.keys["srtp"])
        self._recovery.begin(connection, is_caller)

    async def _finish(self, connection: RTCPeerConnection | None, lost: str = "") -> None:
        self._recovery.stop()
        if connection:
            await connection.close()
        say("hung_up", call=self.id, received_frames=self._received)
        await self._client.api.report(self.id, self._received, lost)
        say("reported", call=self.id)

    async def _end_refused(self, connection: RTCPeerConnection, refusal: Refused) -> None:
        """The service does not want this call: say why, and that nothing was received."""
        say(
            "refused",
            call=self.id,
            status=refusal.status,
            code=refusal.code,
            reason=refusal.message,
        )
        await connection.close()
        await self._client.api.report(self.id, 0)
        say("reported", call=self.id)

    def _listen(self, track: MediaStreamTrack) -> None:
        heard = Heard(track, self._wanted)
        self._heard.append(heard)
        self._client.keep(heard.consume(self._hear if heard.kind == "audio" else self._see))

    def _hear(self, number: int, _frame: Frame) -> None:
        self._recovery.heard()
        self._received = number
        if number % _FRAMES_PER_SECOND == 0:
            say("media", call=self.id, seconds=number // _FRAMES_PER_SECOND)
        if number >= min(_BEFORE_CHAT, self._wanted * _FRAMES_PER_SECOND):
            self._media_flows.set()

    def _see(self, number: int, frame: Frame) -> None:
        self._recovery.heard()
        if number == 1 and isinstance(frame, VideoFrame):
            say("picture", call=self.id, width=frame.width, shows=name_in(frame))


def _agent(connection: RTCPeerConnection) -> IceAgent:
    """The ICE agent of a connection that has a track of ours."""
    return ice.agent_of(connection.getSenders()[0].transport.transport)


class Client:
    """One user's client: takes orders and notifications, each call a task of its own."""

    def __init__(self, api: Api, config: dict[str, Any]) -> None:
        self.api = api
        self.name: str = config["name"]
        self.tone: int = config["tone"]
        self.keys = {kind: Path(path) for kind, path in config["keys"].items()}
        for key_log in self.keys.values():
            # One that stays empty tells that there was nothing to log.
            key_log.touch()
        #: Calls that are to be answered only after checks on every pair.
        self.checks_first = frozenset[str](config["checks_first"])
        #: Calls that are to be answered only when an order says so.
        self.answers_when_told = frozenset[str](config["answers_when_told"])
        #: Calls in which only relayed candidates may be used.
        self.relay_only = frozenset[str](config["relay_only"])
        #: Call -> what we say in its chat, and how many lines we hear.
        self.chats: dict[str, tuple[list[str], int]] = {
            call: (chat["says"], chat["hears"]) for call, chat in config["chats"].items()
        }
        #: Call -> what we send in it; sound alone where nothing is said of it.
        self.streams: dict[str, list[str]] = config["streams"]
        #: Call -> an ICE server that we use in place of the service's.
        self.relays: dict[str, dict[str, Any]] = config["relays"]
        #: Servers of all regions, where there are several.
        self._servers: list[dict[str, Any]] = config["servers"]
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Serve until terminated; the first failure of any task ends the client."""
        await measure(self._servers)
        try:
            await self.api.start_session()
        except ClientError:
            if self.api.refusal is None:
                raise
            # Somebody stands in for the service: no call can be made, and this is worth telling.
            say("signed_out", reason=self.api.refusal)
            say("ready")
            await self._failure
        self.keep(self._take_notifications())
        self.keep(self._take_orders())
        self.keep(self._follow_network())
        say("ready")
        try:
            await self._failure
        finally:
            await self._end_tasks()

    async def _end_tasks(self) -> None:
        """End what still goes on: a poll that lost its connection would open another."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def keep(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
        """Run a task whose failure is ours."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)

    async def _take_orders(self) -> None:
        async for order in orders():
            if order["do"] == "answer":
                self._calls[order["call"]].may_answer.set()
                continue
            call = self._new_call(order["call"], order["to"])
            self.keep(call.make(order["seconds"]))

    async def _follow_network(self) -> None:
        """Connect anew when routes change: packets of old connections may lead nowhere."""
        async for change in changes():
            say("network", change=change)
            await self.api.reconnect()

    async def _take_notifications(self) -> None:
        last = 0
        try:
            while True:
                for notification in await self.api.notifications(last):
                    last = notification["id"]
                    await self._take(notification)
        except GoneError as error:
            # Who talks already needs nobody's news; but nobody will answer any more.
            for call in self._calls.values():
                if not call.is_set_up:
                    call.lose(str(error))

    async def _take(self, notification: dict[str, Any]) -> None:
        kind = notification["type"]
        if kind == "invite":
            call = self._new_call(notification["call"], notification["from"])
            self.keep(call.take(notification["sdp"]))
            return
        call = self._calls[notification["call"]]
        if kind == "answer":
            call.take_answer(notification["sdp"])
        elif kind == "offer":
            self.keep(call.take_offer(notification["sdp"]))
        elif kind == "candidate":
            self.keep(call.end_of_remote_candidates())
        elif kind == "chat":
            self.keep(call.hear(notification["text"]))
        elif kind == "hangup":
            call.hung_up.set()

    def _new_call(self, call: str, peer: str) -> Call:
        self._calls[call] = Call(self, call, peer)
        return self._calls[call]


async def _run(config: dict[str, Any]) -> None:
    ice.install()
    async with Api(config) as api:
        await Client(api, config).run()


def main(config: dict[str, Any]) -> int:
    """Run.

    ``config``: name, credential (file), tone, front_end and telemetry (names), authority,
    keys (files), checks_first, answers_when_told and relay_only (calls), proxy (what Proxy is
    made of, or None), chats (call -> what is said, how many lines are heard), streams (call ->
    what is sent), relays (call -> an ICE server other than the service's), route_type (of the
    relay), servers (of all regions, see :mod:`agents.round_trips`).
    """
    return run_until_terminated(_run(config))
