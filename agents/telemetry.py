"""The service's telemetry sink: both clients report after a call, with their tokens.

::

    POST /v1/reports  {"call", …}

It knows the key that tokens are checked with, not which of them were revoked.
"""

import time
from typing import Any

from aiohttp import web

from agents.edge import tokens
from agents.edge.tokens import IN_CALLS
from agents.http_server import application, fields, serve
from agents.talk import run_until_terminated, say


class Telemetry:
    """Takes reports; ``token_key`` is the public part of the key that signs tokens."""

    def __init__(self, token_key: dict[str, Any]) -> None:
        self._token_key = token_key

    def application(self) -> web.Application:
        """The REST surface."""
        app = application()
        app.router.add_post("/v1/reports", self._report)
        return app

    async def _report(self, request: web.Request) -> web.Response:
        """Take a report and log that it came."""
        authorization = request.headers.get("Authorization", "")
        grant = tokens.bearer(self._token_key, authorization, time.time())
        grant.require(IN_CALLS)
        (call,) = await fields(request, "call")
        say("report", user=grant.identity, call=call)
        return web.json_response({"user": grant.identity, "call": call}, status=201)


def main(config: dict[str, Any]) -> int:
    """Serve. ``config``: addresses, certificate, key_log, token_key (public, a JSON Web Key)."""
    return run_until_terminated(serve(Telemetry(config["token_key"]).application(), config))
