"""A WebRTC client: calls, answers, plays a tone, shows pictures, and says what happens.

Orders: ``{"do": "call", "call": ID, "to": USER, "seconds": S}``. Events of a
call, in order: ``invited`` or ``ringing`` (with ``gathered`` before the one and after the
other), ``connected``, ``selected`` (a claim,
see results.schema.Claim), ``media`` (each second of it), ``hung_up``, ``reported``;
amid the media ``chat``, whenever the other said something, and ``picture``, when the
first one of a video was seen. A call that the service refuses: ``refused``, ``reported``.
A user whom somebody else's certificate keeps from the service says ``signed_out``, and
takes no orders.
"""

import asyncio
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
from agents.api import Api, Refused
from agents.chat import Chat
from agents.dtls import LoggedCertificate, log_srtp_keys, use_certificate
from agents.hearing import Heard
from agents.ice.protocol import IceAgent
from agents.ice.servers import Servers
from agents.network import changes
from agents.pictures import name_in
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
        self._client = client
        self._peer = peer
        self._received = 0
        self._heard: list[Heard] = []
        self._wanted = 0.0
        self._streams = client.streams.get(call, ["audio"])
        lines, to_hear = client.chats.get(call, ([], 0))
        self._chat = Chat(lines, to_hear, lambda line: client.api.chat(call, line))
        self._media_flows = asyncio.Event()
        self._connected = asyncio.Event()
        self._described: asyncio.Future[RTCPeerConnection] = (
            asyncio.get_running_loop().create_future()
        )

    async def make(self, seconds: float) -> None:
        """Call the peer, hold the call for ``seconds`` of received media, hang up."""
        self._wanted = seconds + _MARGIN + 2 * longest_gap(self._streams)
        connection = await self._open()
        await self._describe_own(connection, await connection.createOffer())
        try:
            await self._client.api.invite(self.id, self._peer, self._offered(connection))
        except Refused as refusal:
            await self._give_up(connection, refusal)
            return
        say("invited", call=self.id, to=self._peer)
        await self._client.api.end_of_candidates(self.id)
        sdp = await self.answered
        await self._describe(connection, RTCSessionDescription(sdp, "answer"))
        await self._until_connected(connection)
        await self._media_flows.wait()
        await self._chat.begin()
        await self._chat.over()
        for heard in self._heard:
            await heard.lasted.wait()
        await self._client.api.hang_up(self.id)
        await self._finish(connection)

    async def take(self, sdp: str) -> None:
        """Answer the peer's invite and hold the call until the peer hangs up."""
        say("ringing", call=self.id, peer=self._peer)
        connection = await self._open()
        await self._describe(connection, RTCSessionDescription(sdp, "offer"))
        await self._describe_own(connection, await connection.createAnswer())
        if self.id in self._client.checks_first:
            await _agent(connection).checked_every_pair()
        await self._client.api.answer(self.id, self._offered(connection))
        await self._client.api.end_of_candidates(self.id)
        await self._until_connected(connection)
        await self.hung_up.wait()
        await self._finish(connection)

    async def end_of_remote_candidates(self) -> None:
        """The peer has told all its candidates.

        The news may overtake our own handling of the description that holds them;
        an ICE agent that is told of the end first takes none of them.
        """
        connection = await self._described
        await connection.addIceCandidate(None)

    async def hear(self, text: str) -> None:
        """The peer said something in the chat; answer it, if there is anything left to say."""
        say("chat", call=self.id, text=text)
        await self._chat.hear()

    async def _open(self) -> RTCPeerConnection:
        relay = self._client.relays.get(self.id) or await self._client.api.relay()
        connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        use_certificate(connection, LoggedCertificate.logging_to(self._client.keys["dtls"]))
        connection.on("connectionstatechange", self._connected.set)
        connection.on("track", self._listen)
        add_streams(connection, self._streams, self._client.name, self._client.tone)
        _agent(connection).use(self._servers(relay))
        return connection

    def _servers(self, relay: dict[str, Any]) -> Servers:
        return Servers(
            urls=tuple(relay["urls"]),
            username=relay["username"],
            credential=relay["credential"],
            context=self._client.api.context,
            proxy=self._client.api.proxy,
            relay_only=self.id in self._client.relay_only,
        )

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

    async def _until_connected(self, connection: RTCPeerConnection) -> None:
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
        self._claim(_agent(connection))

    def _claim(self, agent: IceAgent) -> None:
        pair = agent.selected()
        if pair is not None:
            say("selected", call=self.id, local=vars(pair.local), remote=vars(pair.remote))

    async def _finish(self, connection: RTCPeerConnection) -> None:
        await connection.close()
        say("hung_up", call=self.id, received_frames=self._received)
        await self._client.api.report(self.id, self._received)
        say("reported", call=self.id)

    async def _give_up(self, connection: RTCPeerConnection, refusal: Refused) -> None:
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
        self._received = number
        if number % _FRAMES_PER_SECOND == 0:
            say("media", call=self.id, seconds=number // _FRAMES_PER_SECOND)
        if number >= min(_BEFORE_CHAT, self._wanted * _FRAMES_PER_SECOND):
            self._media_flows.set()

    def _see(self, number: int, frame: Frame) -> None:
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
            call = self._new_call(order["call"], order["to"])
            self.keep(call.make(order["seconds"]))

    async def _follow_network(self) -> None:
        """Connect anew when routes change: packets of old connections may lead nowhere."""
        async for change in changes():
            say("network", change=change)
            await self.api.reconnect()

    async def _take_notifications(self) -> None:
        last = 0
        while True:
            for notification in await self.api.notifications(last):
                last = notification["id"]
                await self._take(notification)

    async def _take(self, notification: dict[str, Any]) -> None:
        kind = notification["type"]
        if kind == "invite":
            call = self._new_call(notification["call"], notification["from"])
            self.keep(call.take(notification["sdp"]))
            return
        call = self._calls[notification["call"]]
        if kind == "answer":
            call.answered.set_result(notification["sdp"])
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
    keys (files), checks_first and relay_only (calls), proxy (what Proxy is made of, or
    None), chats (call -> what is said, how many lines are heard), streams (call -> what is
    sent), relays (call -> an ICE server other than the service's), route_type (of the
    relay), servers (of all regions, see :mod:`agents.round_trips`).
    """
    return run_until_terminated(_run(config))
