"""The service's telemetry sink: both clients report after a call.

::

    POST /v1/reports  {"user", "call", …}
"""

from typing import Any

from aiohttp import web

from agents.http_server import application, fields, serve
from agents.talk import run_until_terminated, say


async def report(request: web.Request) -> web.Response:
    """Take a report and log that it came."""
    user, call = await fields(request, "user", "call")
    say("report", user=user, call=call)
    return web.json_response({"user": user, "call": call}, status=201)


def main(config: dict[str, Any]) -> int:
    """Serve. ``config``: address, certificate, key_log."""
    app = application()
    app.router.add_post("/v1/reports", report)
    return run_until_terminated(serve(app, config))
