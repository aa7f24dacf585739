"""The service's signalling front end: HTTPS REST with long-polled notifications.

::

    POST   /v1/users/USER/session               the user is there
    GET    /v1/users/USER/relay                 relay URLs and short-lived credentials
    GET    /v1/users/USER/notifications?after=N wait for notifications beyond N
    POST   /v1/calls                            invite: {"call", "from", "to", "sdp"}
    POST   /v1/calls/CALL/answer                {"from", "sdp"}
    POST   /v1/calls/CALL/candidates            {"from", "candidate"}; "" ends them (RFC 8838)
    DELETE /v1/calls/CALL?from=USER             hang up
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import time
from collections import defaultdict
from typing import Any

from aiohttp import web

from agents.http_server import application, bad_request, fields, not_found, serve
from agents.talk import run_until_terminated, say

#: How long a long poll waits before it returns empty, in seconds.
_POLL_SECONDS = 25.0

#: Life of relay credentials, in seconds.
_TTL = 600


class FrontEnd:
    """Users, their notifications and the calls between them, all in memory."""

    def __init__(self, relay_urls: list[str], relay_secret: str) -> None:
        self._relay_urls = relay_urls
        self._relay_secret = relay_secret
        self._calls: dict[str, tuple[str, str]] = {}
        self._notifications: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def application(self) -> web.Application:
        """The REST surface."""
        app = application()
        app.router.add_post("/v1/users/{user}/session", self._session)
        app.router.add_get("/v1/users/{user}/relay", self._relay)
        app.router.add_get("/v1/users/{user}/notifications", self._poll)
        app.router.add_post("/v1/calls", self._invite)
        app.router.add_post("/v1/calls/{call}/answer", self._answer)
        app.router.add_post("/v1/calls/{call}/candidates", self._candidates)
        app.router.add_delete("/v1/calls/{call}", self._hang_up)
        return app

    async def _session(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        say("session", user=user)
        return web.json_response({"user": user}, status=201)

    async def _relay(self, request: web.Request) -> web.Response:
        username, credential = relay_credentials(
            self._relay_secret, request.match_info["user"], int(time.time()) + _TTL
        )
        return web.json_response(
            {
                "urls": self._relay_urls,
                "username": username,
                "credential": credential,
                "ttl": _TTL,
            }
        )

    async def _poll(self, request: web.Request) -> web.Response:
        user = request.match_info["user"]
        after = request.query.get("after", "0")
        if not after.isdigit():
            raise bad_request("'after' must be the number of a notification")
        if len(self._notifications[user]) <= int(after):
            self._news[user].clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news[user].wait(), _POLL_SECONDS)
        return web.json_response({"notifications": self._notifications[user][int(after) :]})

    async def _invite(self, request: web.Request) -> web.Response:
        call, caller, callee, sdp = await fields(request, "call", "from", "to", "sdp")
        if call in self._calls:
            raise bad_request(f"there is a call {call!r} already")
        self._calls[call] = (caller, callee)
        self._notify(callee, {"type": "invite", "call": call, "from": caller, "sdp": sdp})
        return web.json_response({"call": call}, status=201)

    async def _answer(self, request: web.Request) -> web.Response:
        sender, sdp = await fields(request, "from", "sdp")
        return self._pass_on(request, sender, {"type": "answer", "sdp": sdp})

    async def _candidates(self, request: web.Request) -> web.Response:
        sender, candidate = await fields(request, "from", "candidate")
        return self._pass_on(request, sender, {"type": "candidate", "candidate": candidate})

    async def _hang_up(self, request: web.Request) -> web.Response:
        response = self._pass_on(request, request.query.get("from", ""), {"type": "hangup"})
        del self._calls[request.match_info["call"]]
        return response

    def _pass_on(self, request: web.Request, sender: str, message: dict[str, str]) -> web.Response:
        """Notify the other participant of the call."""
        call = request.match_info["call"]
        participants = self._calls.get(call)
        if participants is None:
            raise not_found(f"there is no call {call!r}")
        if sender not in participants:
            raise bad_request(f"{sender!r} takes no part in call {call!r}")
        other = participants[participants[0] == sender]
        self._notify(other, {**message, "call": call, "from": sender})
        return web.json_response({"call": call})

    def _notify(self, user: str, message: dict[str, Any]) -> None:
        queue = self._notifications[user]
        queue.append({"id": len(queue) + 1, **message})
        self._news[user].set()
        say("notified", user=user, type=message["type"], call=message["call"])


def relay_credentials(secret: str, user: str, expiry: int) -> tuple[str, str]:
    """User name and password for the relay, valid until ``expiry`` (seconds since the epoch).

    The convention of draft-uberti-behave-turn-rest-00, which coturn checks.
    """
    username = f"{expiry}:{user}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()


def main(config: dict[str, Any]) -> int:
    """Serve. ``config``: address, certificate, key_log, relay_urls, relay_secret."""
    front_end = FrontEnd(config["relay_urls"], config["relay_secret"])
    return run_until_terminated(serve(front_end.application(), config))
