"""The service's telemetry sink: both clients report after a call, with their tokens.

::

    POST /v1/reports  {"call", …}

It knows the key that tokens are checked with, and looks up in what the front ends store
which of them were revoked.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiohttp import web

from agents.edge import tokens
from agents.edge.refusal import unauthorized
from agents.edge.store import generations_of
from agents.edge.tokens import IN_CALLS
from agents.http_server import application, fields, serve
from agents.talk import run_until_terminated, say


class Telemetry:
    """Takes reports; ``token_key`` is the public part of the key that signs tokens.

    ``states`` are the files in which the front ends keep identities.
    """

    def __init__(self, token_key: dict[str, Any], states: Iterable[Path]) -> None:
        self._token_key = token_key
        self._states = tuple(states)

    def application(self) -> web.Application:
        """The REST surface."""
        app = application()
        app.router.add_post("/v1/reports", self._report)
        return app

    async def _report(self, request: web.Request) -> web.Response:
        """Take a report and log that it came."""
        authorization = request.headers.get("Authorization", "")
        grant = tokens.bearer(self._token_key, authorization, time.time())
        if grant.generation not in generations_of(grant.identity, self._states):
            raise unauthorized("the user access token was revoked")
        grant.require(IN_CALLS)
        (call,) = await fields(request, "call")
        say("report", user=grant.identity, call=call)
        return web.json_response({"user": grant.identity, "call": call}, status=201)


def main(config: dict[str, Any]) -> int:
    """Serve.

    ``config``: addresses, certificate, key_log, token_key (public, a JSON Web Key), states
    (files of the front ends).
    """
    telemetry = Telemetry(config["token_key"], map(Path, config["states"]))
    return run_until_terminated(serve(telemetry.application(), config))
