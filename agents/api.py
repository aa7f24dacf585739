"""The client's side of the service's REST surface (see agents/rest_users.py)."""

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

from agents.ice.proxy import login, refused_login
from agents.ice.servers import Proxy
from agents.talk import say
from agents.tls import client_context

_TIMEOUT = ClientTimeout(total=60)

#: How long a server may be away before it counts as gone, and between two tries; in seconds.
AWAY, _PAUSE = 8.0, 0.25

#: How long an idle connection is kept, in seconds: what is said in a call opens no other.
_KEEPALIVE_SECONDS = 3600.0

#: A proxy's answer to a login that is missing or wrong (RFC 9110 section 15.5.8).
_LOGIN_REQUIRED = 407


class Api:
    """One user's connections to the front end and to telemetry."""

    def __init__(self, config: dict[str, Any]) -> None:
        """``config["credential"]`` is the file with the user's identity, token and contacts.

        ``config["route_type"]`` says which relay to ask for: the nearest, or any.
        """
        credential = json.loads(Path(config["credential"]).read_text(encoding="utf-8"))
        self._user: str = credential["identity"]["id"]
        self._contacts: dict[str, str] = credential["contacts"]
        self._headers = {"Authorization": f"Bearer {credential['accessToken']['token']}"}
        self._route_type: str = config["route_type"]
        self._front_end = f"https://{config['front_end']}"
        self._telemetry = f"https://{config['telemetry']}"
        #: Whom we trust under TLS, and the proxy that all HTTPS goes through, if any.
        self.context = client_context(Path(config["authority"]), Path(config["keys"]["tls"]))
        self.proxy = Proxy(**config["proxy"]) if config["proxy"] else None
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
        # Names are asked for in the families that the host has addresses of (getaddrinfo(3),
        # AI_ADDRCONFIG), and a second address is tried only where the first one fails.
        connector = TCPConnector(
            ssl=self.context, keepalive_timeout=_KEEPALIVE_SECONDS, happy_eyeballs_delay=None
        )
        return ClientSession(connector=connector, timeout=_TIMEOUT)

    @property
    def refusal(self) -> str | None:
        """Why a certificate in the name of the service was refused, if one was."""
        return self.context.refusal

    async def start_session(self) -> None:
        """Tell the front end that the user is there."""
        await self._call("POST", f"{self._front_end}/v1/users/{self._user}/session", {})

    async def relay(self) -> tuple[dict[str, Any], float]:
        """An ICE server: relay URLs with credentials; and when these expire, since the epoch."""
        answer = await self._call("GET", f"{self._front_end}/v1/users/{self._user}/relay")
        servers: list[dict[str, Any]] = answer["iceServers"]
        server = next(one for one in servers if one["routeType"] == self._route_type)
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
        absence = _Absence(method, url)
        while True:
            session = self._session
            try:
                return await _request(session, method, url, body, **self._options)
            except ClientHttpProxyError as error:
                raise ApiError(self._refused_by_proxy(error, url)) from None
            except ClientError as error:
                if self.refusal is not None:
                    raise
                if session is self._session and absence.goes_on(error):
                    await asyncio.sleep(_PAUSE)

    @property
    def _options(self) -> dict[str, Any]:
        """What goes with each request: our token, and by which proxy (RFC 9110 section 9.3.6).

        A session's headers would be told to the proxy as well, in clear; a request's are not.
        """
        options: dict[str, Any] = {"headers": self._headers}
        if self.proxy is not None:
            options |= {"proxy": self.proxy.url, "proxy_headers": login(self.proxy)}
        return options

    def _refused_by_proxy(self, error: ClientHttpProxyError, url: str) -> str:
        assert self.proxy is not None
        if error.status == _LOGIN_REQUIRED:
            return refused_login(self.proxy)
        return f"the proxy {self.proxy.url} refused to connect to {url}: {error.status}"


class _Absence:
    """How long a request has found nobody to answer it."""

    def __init__(self, method: str, url: str) -> None:
        self._method = method
        self._url = url
        self._since: float | None = None
        self._broken = False

    def goes_on(self, error: ClientError) -> bool:
        """Whether the server is away, by what became of a try; GoneError if for too long.

        A connection that was lost, once, need not mean that the server was.
        """
        if not self._broken and not isinstance(error, ClientConnectorError):
            self._broken = True
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = now
            say("unreachable", method=self._method, url=self._url, because=str(error))
        elif now - self._since > AWAY:
            host = urlsplit(self._url).hostname
            raise GoneError(f"{host} could not be reached for {AWAY:g} s") from error
        return True


async def _request(
    session: ClientSession,
    method: str,
    url: str,
    body: dict[str, Any] | None,
    **options: Any,  # noqa: ANN401 - what aiohttp is told
) -> dict[str, Any]:
    try:
        async with session.request(method, url, json=body, **options) as response:
            answer: dict[str, Any] = await response.json()
    except TimeoutError:
        raise ApiError(f"{method} {url} was not answered in {session.timeout.total} s") from None
    if response.status >= 400:
        raise Refused(f"{method} {url}", response.status, answer.get("error", {}))
    return answer


class ApiError(Exception):
    """The service refused a request, or did not answer it in time."""


class Refused(ApiError):  # noqa: N818 - an answer, and often the right one
    """The service refused a request, with a code and a reason (see agents.edge.refusal)."""

    def __init__(self, request: str, status: int, error: dict[str, str]) -> None:
        self.status = status
        self.code = error.get("code", "")
        self.message = error.get("message", "no reason given")
        super().__init__(f"{request} was answered {status}: {self.message}")


class GoneError(ApiError):
    """A server of the service could not be reached for :data:`AWAY` seconds."""
