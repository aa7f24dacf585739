"""A front end of another region than the one that keeps identities, calls and inboxes.

It ends its users' TLS and passes each request on to the keeper, over the service's
backbone. The keeper is known by its certificate; what a request may do is told, there as
anywhere, by the user's token or the trusted service's signature in it, never by the address
that it comes from.
"""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from agents.edge.refusal import Refusal
from agents.http_server import application
from agents.tls import client_context

#: Longer than the keeper lets a user wait for notifications.
_TIMEOUT = ClientTimeout(total=60)

#: How long an idle connection is kept, in seconds: what is said in a call opens no other.
_KEEPALIVE_SECONDS = 3600.0

#: Headers that tell of one connection only (RFC 9110, section 7.6.1), or that are made anew.
_OF_A_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "date"}


class PassingOn:
    """Hands every request to the keeper; ``keeper`` has its address, domain and port."""

    def __init__(self, keeper: dict[str, Any], authority: Path, key_log: Path) -> None:
        self._base = f"https://{keeper['address']}:{keeper['port']}"
        self._domain = keeper["domain"]
        self._context = client_context(authority, key_log)
        self._session: ClientSession

    def application(self) -> web.Application:
        """Whatever is asked, the keeper is asked."""
        app = application()
        app.cleanup_ctx.append(self._connected)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        return app

    async def _connected(self, _app: web.Application) -> AsyncIterator[None]:
        connector = TCPConnector(ssl=self._context, keepalive_timeout=_KEEPALIVE_SECONDS, limit=0)
        async with ClientSession(
            connector=connector, timeout=_TIMEOUT, auto_decompress=False
        ) as self._session:
            yield

    async def _pass_on(self, request: web.Request) -> web.Response:
        """The keeper's answer; 502 where there is none. Path and Host are part of signatures."""
        try:
            async with self._session.request(
                request.method,
                URL(self._base + request.raw_path, encoded=True),
                data=await request.read(),
                headers=_kept(request.headers),
                server_hostname=self._domain,
                allow_redirects=False,
            ) as answer:
                return web.Response(
                    status=answer.status, body=await answer.read(), headers=_kept(answer.headers)
                )
        except (ClientError, TimeoutError):
            text = "the region that keeps calls and identities cannot be reached"
            raise Refusal(HTTPStatus.BAD_GATEWAY, "BadGateway", text) from None


def _kept(headers: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - aiohttp's multidict
    return [
        (name, value) for name, value in headers.items() if name.lower() not in _OF_A_CONNECTION
    ]
