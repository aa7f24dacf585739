"""Many signalling sessions from one host, with noise among them.

Runs on a host of a lab as ``python -m tests.lab.signalling_load PAIRS``. Each pair of
users, both with connections of their own, calls, answers, chats and hangs up; meanwhile
noise-makers send what no client should. Prints one JSON object::

    {"calls": how many pairs heard all that they should,
     "lost": what went wrong, for each of the others,
     "noise": kind of noise -> the answers that it got}
"""

import asyncio
import json
import os
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from agents.edge.access_key import Signable, sign
from agents.http_server import BODY_MAX

_PATIENCE = ClientTimeout(total=90)


def _connection() -> tuple[str, str]:
    """Endpoint and access key."""
    text = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    return parts["endpoint"].rstrip("/"), parts["accesskey"]


ENDPOINT, ACCESS_KEY = _connection()
HOST = urlsplit(ENDPOINT).netloc


class User:
    """A user with a token, and connections of its own."""

    def __init__(self, session: ClientSession, identity: str, token: str) -> None:
        self.session = session
        self.identity = identity
        self.headers = {"Authorization": f"Bearer {token}"}
        self._heard = 0
        self._news: list[dict[str, Any]] = []

    async def says(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """A request, and what is answered."""
        url = f"{ENDPOINT}{path}"
        async with self.session.request(method, url, json=body, headers=self.headers) as answer:
            return answer.status, await answer.json()

    async def must(self, method: str, path: str, body: object = None) -> None:
        """A request that is granted."""
        status, answer = await self.says(method, path, body)
        if status >= 400:
            raise LostError(f"{method} {path}: {status} {answer}")

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next notification, which must be of this kind."""
        while not self._news:
            path = f"/v1/users/{self.identity}/notifications?after={self._heard}"
            _, answer = await self.says("GET", path)
            self._news = answer["notifications"]
            self._heard += len(self._news)
        news = self._news.pop(0)
        if news["type"] != kind:
            raise LostError(f"{kind} was awaited, but there was {news}")
        return news


class LostError(Exception):
    """A call that did not go as it must."""


async def created(session: ClientSession) -> tuple[str, str]:
    """A new identity and its token, by a signed request."""
    body = json.dumps({"createTokenWithScopes": ["voip", "chat"]}).encode()
    headers = sign(ACCESS_KEY, Signable("POST", "/identities", HOST, body), time.time())
    async with session.post(f"{ENDPOINT}/identities", data=body, headers=headers) as answer:
        if answer.status != 201:
            raise LostError(f"no identity: {answer.status}")
        made = await answer.json()
    return made["identity"]["id"], made["accessToken"]["token"]


@asynccontextmanager
async def new_user() -> AsyncIterator[User]:
    """A user, who is gone with the context."""
    connector = TCPConnector(ssl=ssl.create_default_context())
    async with ClientSession(connector=connector, timeout=_PATIENCE) as session:
        yield User(session, *await created(session))


async def call(name: str, everybody: asyncio.Barrier) -> None:
    """One call between two new users, begun when everybody is there; LostError if it fails."""
    async with new_user() as caller, new_user() as callee:
        for user in (caller, callee):
            await user.must("POST", f"/v1/users/{user.identity}/session", {})
        waiting = asyncio.create_task(callee.hears("invite"))
        await everybody.wait()
        path = f"/v1/calls/{name}"
        await caller.must(
            "POST", "/v1/calls", {"call": name, "to": callee.identity, "sdp": "offer" * 600}
        )
        invite = await waiting
        await callee.must("POST", f"{path}/answer", {"sdp": f"answer to {invite['call']}"})
        await caller.hears("answer")
        for speaker, hearer in ((caller, callee), (callee, caller)):
            await speaker.must("POST", f"{path}/messages", {"text": name})
            if (await hearer.hears("chat"))["text"] != name:
                raise LostError("another call's message")
        await caller.must("DELETE", path)
        await callee.hears("hangup")


Noise = Callable[[User], Awaitable[str]]


def _shape(status: int, answer: Any) -> str:
    """Status and code of a refusal in the API's shape; what else it is, otherwise."""
    match answer:
        case {"error": {"code": str(code), "message": str()}}:
            return f"{status} {code}"
    return f"{status} {answer}"


def _sending(path: str, body: bytes, method: str = "POST") -> Noise:
    async def send(user: User) -> str:
        url = f"{ENDPOINT}{path}"
        async with user.session.request(method, url, data=body, headers=user.headers) as answer:
            return _shape(answer.status, await answer.json())

    return send


async def _replayed(user: User) -> str:
    """The same invite twice; the second answer."""
    body = {"call": f"replayed-{user.identity}-{time.time_ns()}", "to": user.identity, "sdp": ""}
    await user.must("POST", "/v1/calls", body)
    return _shape(*await user.says("POST", "/v1/calls", body))


async def _forged(user: User) -> str:
    headers = {"Authorization": user.headers["Authorization"][:-6] + "AAAAAA"}
    url = f"{ENDPOINT}/v1/users/{user.identity}/relay"
    async with user.session.get(url, headers=headers) as answer:
        return _shape(answer.status, await answer.json())


async def _slow(user: User) -> str:
    """Half a body, and no more: what is answered in the end."""
    context = ssl.create_default_context()
    reader, writer = await asyncio.open_connection(HOST, 443, ssl=context, server_hostname=HOST)
    head = f"POST /v1/calls HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\nhalf\n"
    writer.write(head.encode())
    status_line, _, _ = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
    body = await reader.readuntil(b"}}")
    writer.close()
    return _shape(int(status_line.split()[1]), json.loads(body))


async def _no_tls(_user: User) -> str:
    """What is no TLS at all: the connection ends."""
    reader, writer = await asyncio.open_connection(HOST, 443)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.read()
    writer.close()
    return "ended"


async def _hung_up(_user: User) -> str:
    """A connection that is given up amid a request."""
    context = ssl.create_default_context()
    _, writer = await asyncio.open_connection(HOST, 443, ssl=context, server_hostname=HOST)
    writer.write(b"POST /v1/calls HTTP/1.1\r\nContent-Length: 60000\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()
    return "given up"


NOISE: dict[str, Noise] = {
    "malformed": _sending("/v1/calls", b'{"call": "x"'),
    "deep": _sending("/v1/calls", b"[" * 60_000),
    "oversized": _sending("/v1/calls", b"x" * (BODY_MAX + 1)),
    "unknown call": _sending("/v1/calls/nobody's/answer", b'{"sdp": ""}'),
    "unsigned": _sending("/identities", b""),
    "no such path": _sending("/v2", b""),
    "replayed": _replayed,
    "forged": _forged,
    "slow": _slow,
    "no TLS": _no_tls,
    "hung up": _hung_up,
}


async def make_noise(kind: str, over: asyncio.Event) -> Counter[str]:
    """Make one kind of noise again and again until it is over, once at least."""
    answers: Counter[str] = Counter()
    async with new_user() as user:
        while not answers or not over.is_set():
            answers[await NOISE[kind](user)] += 1
    return answers


async def main(pairs: int) -> dict[str, Any]:
    """Have so many pairs call amid the noise."""
    over = asyncio.Event()
    noise = {kind: asyncio.create_task(make_noise(kind, over)) for kind in NOISE}
    everybody = asyncio.Barrier(pairs)
    names = [f"{os.uname().nodename}-{os.getpid()}-{number}" for number in range(pairs)]
    ends = await asyncio.gather(*(call(name, everybody) for name in names), return_exceptions=True)
    over.set()
    noises = await asyncio.gather(*noise.values(), return_exceptions=True)
    lost = [_reason(end) for end in ends if end is not None]
    return {
        "calls": pairs - len(lost),
        "lost": lost,
        "noise": {kind: _answers(found) for kind, found in zip(noise, noises, strict=True)},
    }


def _answers(found: Counter[str] | BaseException) -> dict[str, int]:
    """The answers that a kind of noise got; why there are none, otherwise."""
    return {_reason(found): 1} if isinstance(found, BaseException) else dict(found)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(int(sys.argv[1])))) + "\n")
