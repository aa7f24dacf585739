"""The client's side of the service's REST surface (see agents/rest_users.py)."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import (
    ClientError,
    ClientHttpProxyError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

from agents.ice.proxy import login, refused_login
from agents.ice.servers import Proxy
from agents.tls import client_context

_TIMEOUT = ClientTimeout(total=60)

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

    async def relay(self) -> dict[str, Any]:
        """An ICE server: relay URLs with short-lived credentials."""
        answer = await self._call("GET", f"{self._front_end}/v1/users/{self._user}/relay")
        servers: list[dict[str, Any]] = answer["iceServers"]
        return next(one for one in servers if one["routeType"] == self._route_type)

    async def notifications(self, after: int) -> list[dict[str, Any]]:
        """Wait for notifications beyond number ``after``; empty when none came for a while."""
        url = f"{self._front_end}/v1/users/{self._user}/notifications?after={after}"
        answer = await self._call("GET", url)
        return list(answer["notifications"])

    async def invite(self, call: str, to: str, sdp: str) -> None:
        """Invite a contact with our offer and its candidates."""
        body = {"call": call, "to": self._contacts[to], "sdp": sdp}
        await self._call("POST", f"{self._front_end}/v1/calls", body)

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

    async def report(self, call: str, received: int) -> None:
        """Send telemetry of a finished call: how many audio frames were received."""
        body = {"call": call, "received_frames": received}
        await self._call("POST", f"{self._telemetry}/v1/reports", body)

    async def _call(
        self, method: str, url: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        while True:
            session = self._session
            try:
                return await _request(session, method, url, body, **self._options)
            except ClientHttpProxyError as error:
                raise ApiError(self._refused_by_proxy(error, url)) from None
            except ClientError:
                if session is self._session:
                    raise

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
