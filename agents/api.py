"""The client's side of the service's REST surface (see agents/rest_users.py)."""

import asyncio
import json
import socket
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector

from agents.talk import say
from agents.tls import client_context

_TIMEOUT = ClientTimeout(total=60)

#: How long a server may be away before it counts as gone, and between two tries; in seconds.
AWAY, _PAUSE = 8.0, 0.25

#: How long an idle connection is kept, in seconds: what is said in a call opens no other.
_KEEPALIVE_SECONDS = 3600.0


class Api:
    """One user's connections to the front end and to telemetry."""

    def __init__(self, config: dict[str, Any]) -> None:
        """``config["credential"]`` is the file with the user's identity, token and contacts."""
        credential = json.loads(Path(config["credential"]).read_text(encoding="utf-8"))
        self._user: str = credential["identity"]["id"]
        self._contacts: dict[str, str] = credential["contacts"]
        self._headers = {"Authorization": f"Bearer {credential['accessToken']['token']}"}
        self._front_end = f"https://{config['front_end']}"
        self._telemetry = f"https://{config['telemetry']}"
        self._context = client_context(Path(config["authority"]), Path(config["keys"]["tls"]))
        self._session = self._new_session()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def reconnect(self) -> None:
        """Give up all connections: on another network they lead nowhere. Requests are repeated."""
        abandoned, self._session = self._session, self._new_session()
        await abandoned.close()

    def _new_session(self) -> ClientSession:
        # IPv4 only: the networks have no IPv6, and a query for it would be one more flow.
        connector = TCPConnector(
            ssl=self._context, family=socket.AF_INET, keepalive_timeout=_KEEPALIVE_SECONDS
        )
        return ClientSession(connector=connector, headers=self._headers, timeout=_TIMEOUT)

    async def start_session(self) -> None:
        """Tell the front end that the user is there."""
        await self._call("POST", f"{self._front_end}/v1/users/{self._user}/session", {})

    async def relay(self) -> tuple[dict[str, Any], float]:
        """An ICE server: relay URLs with credentials; and when these expire, since the epoch."""
        answer = await self._call("GET", f"{self._front_end}/v1/users/{self._user}/relay")
        server: dict[str, Any] = answer["iceServers"][0]
        return server, datetime.fromisoformat(answer["expiresOn"]).timestamp()

    async def notifications(self, after: int) -> list[dict[str, Any]]:
        """Wait for notifications beyond number ``after``; empty when none came for a while."""
        url = f"{self._front_end}/v1/users/{self._user}/notifications?after={after}"
        answer = await self._call("GET", url)
        return list(answer["notifications"])

    async def invite(self, call: str, to: str, sdp: str) -> None:
        """Invite a contact with our offer and its candidates."""
        body = {"call": call, "to": self._contacts[to], "sdp": sdp}
        await self._call("POST", f"{self._front_end}/v1/calls", body)

    async def offer(self, call: str, sdp: str) -> None:
        """Offer the others of a call a new description of ours, which restarts ICE."""
        await self._call("POST", f"{self._front_end}/v1/calls/{call}/offers", {"sdp": sdp})

    async def answer(self, call: str, sdp: str) -> None:
        """Answer an invite with our own description and its candidates."""
        await self._call("POST", f"{self._front_end}/v1/calls/{call}/answer", {"sdp": sdp})

    async def end_of_candidates(self, call: str) -> None:
        """Tell that no more candidates will follow (RFC 8838 section 13)."""
        url = f"{self._front_end}/v1/calls/{call}/candidates"
        await self._call("POST", url, {"candidate": ""})

    async def chat(self, call: str, text: str) -> None:
        """Say something to the others of a call."""
        await self._call("POST", f"{self._front_end}/v1/calls/{call}/messages", {"text": text})

    async def hang_up(self, call: str) -> None:
        """End a call for both."""
        await self._call("DELETE", f"{self._front_end}/v1/calls/{call}")

    async def report(self, call: str, received: int, lost: str = "") -> None:
        """Send telemetry of a finished call: how many audio frames came, and why it was lost."""
        body = {"call": call, "received_frames": received, "lost": lost}
        await self._call("POST", f"{self._telemetry}/v1/reports", body)

    async def _call(
        self, method: str, url: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask; a server that cannot be reached may be back soon, so ask it again for a while."""
        away_since, broken = None, False
        while True:
            session = self._session
            try:
                return await _request(session, method, url, body)
            except ClientError as error:
                if session is not self._session:
                    continue
                if not broken and not isinstance(error, ClientConnectorError):
                    # The connection was lost, which need not mean that the server was.
                    broken = True
                    continue
                now = time.monotonic()
                if away_since is None:
                    away_since = now
                    say("unreachable", method=method, url=url, because=str(error))
                elif now - away_since > AWAY:
                    host = urlsplit(url).hostname
                    raise GoneError(f"{host} could not be reached for {AWAY:g} s") from error
            await asyncio.sleep(_PAUSE)


async def _request(
    session: ClientSession, method: str, url: str, body: dict[str, Any] | None
) -> dict[str, Any]:
    try:
        async with session.request(method, url, json=body) as response:
            answer: dict[str, Any] = await response.json()
    except TimeoutError:
        raise ApiError(f"{method} {url} was not answered in {session.timeout.total} s") from None
    if response.status >= 400:
        reason = answer.get("error", {}).get("message", "no reason given")
        raise ApiError(f"{method} {url} was answered {response.status}: {reason}")
    return answer


class ApiError(Exception):
    """The service refused a request, or did not answer it in time."""


class GoneError(ApiError):
    """A server of the service could not be reached for :data:`AWAY` seconds."""
