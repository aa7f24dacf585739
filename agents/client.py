"""A WebRTC client: calls, answers, plays a tone, and says what happens.

Orders: ``{"do": "call", "call": ID, "to": USER, "seconds": S}``, and ``{"do": "answer",
"call": ID}`` for a call that is to be answered only then. Events of a
call, in order: ``invited`` or ``ringing``, ``connected``, ``selected`` (a claim,
see results.schema.Claim), ``media`` (each second of it), ``hung_up``, ``reported``;
amid the media ``chat``, whenever the other said something, and ``restarting`` and
``selected`` anew where ICE restarts (agents/recovery.py). A call that is given up has an
event ``lost`` with the reason.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from agents import ice
from agents.api import Api, ApiError, GoneError
from agents.chat import Chat
from agents.dtls import LoggedCertificate, log_srtp_keys, use_certificate
from agents.network import changes
from agents.recovery import Recovery
from agents.talk import orders, run_until_terminated, say
from agents.tone import Tone

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
        self._recovery = Recovery(client.api, call, self.lose)
        self._client = client
        self._peer = peer
        self._received = 0
        self._first_frame = 0.0
        self._enough = asyncio.Event()
        self._wanted = 0
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
        self._wanted = round(seconds * _FRAMES_PER_SECOND)
        await self._until_lost(self._make(seconds))

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

    async def _make(self, seconds: float) -> None:
        connection = await self._open()
        await connection.setLocalDescription(await connection.createOffer())
        await self._client.api.invite(self.id, self._peer, connection.localDescription.sdp)
        say("invited", call=self.id, to=self._peer)
        await self._client.api.end_of_candidates(self.id)
        sdp = await self.answered
        self._answered = True
        await self._describe(connection, RTCSessionDescription(sdp, "answer"))
        await self._until_connected(connection, is_caller=True)
        await self._media_flows.wait()
        await self._chat.begin()
        await self._enough.wait()
        await self._chat.over()
        await asyncio.sleep(self._rest(seconds, _now()))
        # Else one end might not learn what the other has selected.
        async with self._recovery.restarting:
            await self._client.api.hang_up(self.id)
        await self._finish(connection)

    async def _take(self, sdp: str) -> None:
        say("ringing", call=self.id, peer=self._peer)
        connection = await self._open()
        await self._describe(connection, RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        if self.id in self._client.checks_first:
            transport = connection.getSenders()[0].transport
            await ice.agent_of(transport.transport).checked_every_pair()
        if self.id in self._client.answers_when_told:
            say("could_answer", call=self.id)
            await self.may_answer.wait()
        await self._client.api.answer(self.id, connection.localDescription.sdp)
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
        server = await self._recovery.relay()
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[server]))
        use_certificate(connection, LoggedCertificate.logging_to(self._client.keys["dtls"]))
        connection.on("connectionstatechange", self._connected.set)
        connection.on("track", self._listen)
        connection.addTrack(Tone(self._client.tone))
        self._connection = connection
        return connection

    async def _describe(self, connection: RTCPeerConnection, peer: RTCSessionDescription) -> None:
        await connection.setRemoteDescription(peer)
        self._described.set_result(connection)

    async def _until_connected(self, connection: RTCPeerConnection, *, is_caller: bool) -> None:
        while connection.connectionState in ("new", "connecting"):
            self._connected.clear()
            await self._connected.wait()
        if connection.connectionState != "connected":
            raise CallFailed(f"call {self.id}: the connection is {connection.connectionState}")
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

    def _rest(self, seconds: float, now: float) -> float:
        """How long the call still has to last, in seconds, once it had media enough for them.

        A sender that was late makes up for it: so many frames may have taken less time.
        """
        return self._first_frame + seconds + _MARGIN - now

    def _listen(self, track: MediaStreamTrack) -> None:
        self._client.keep(self._consume(track))

    async def _consume(self, track: MediaStreamTrack) -> None:
        """Take every frame: what nobody takes stays in memory."""
        try:
            while True:
                await track.recv()
                self._first_frame = self._first_frame or _now()
                self._received += 1
                self._recovery.heard()
                if self._received % _FRAMES_PER_SECOND == 0:
                    seconds = self._received // _FRAMES_PER_SECOND
                    say("media", call=self.id, seconds=seconds)
                if self._received >= min(self._wanted, _BEFORE_CHAT):
                    self._media_flows.set()
                if self._received >= self._wanted:
                    self._enough.set()
        except MediaStreamError:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()


class Client:
    """One user's client: takes orders and notifications, each call a task of its own."""

    def __init__(self, api: Api, config: dict[str, Any]) -> None:
        self.api = api
        self.tone: int = config["tone"]
        self.keys = {kind: Path(path) for kind, path in config["keys"].items()}
        for path in self.keys.values():
            # A call that comes to nothing leaves no keys, which is not the same as none to read.
            path.touch()
        #: Calls that are to be answered only after checks on every pair.
        self.checks_first = frozenset[str](config["checks_first"])
        #: Calls that are to be answered only when an order says so.
        self.answers_when_told = frozenset[str](config["answers_when_told"])
        #: Call -> what we say in its chat, and how many lines we hear.
        self.chats: dict[str, tuple[list[str], int]] = {
            call: (chat["says"], chat["hears"]) for call, chat in config["chats"].items()
        }
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Serve until terminated; the first failure of any task ends the client."""
        await self.api.start_session()
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

    ``config``: credential (file), tone, front_end and telemetry (names), authority, keys
    (files), checks_first and answers_when_told (calls), chats (call -> what is said, how
    many lines are heard).
    """
    return run_until_terminated(_run(config))
