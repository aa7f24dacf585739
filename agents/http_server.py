"""An HTTPS server that says when it is ready; what front end and telemetry share."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from agents.talk import say
from agents.tls import server_context

#: The largest body that is accepted, in bytes; an SDP has some 3 kB.
_BODY_MAX = 64 * 1024


def application() -> web.Application:
    """An empty application with our limits."""
    return web.Application(client_max_size=_BODY_MAX)


async def serve(app: web.Application, config: dict[str, Any]) -> None:
    """Serve until cancelled. ``config``: address, certificate, key_log."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = server_context(Path(config["certificate"]), Path(config["key_log"]))
    try:
        await web.TCPSite(runner, config["address"], 443, ssl_context=context).start()
        say("ready", address=config["address"], port=443)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def fields(request: web.Request, *names: str) -> list[str]:
    """The text values of a JSON object in the body; 400 with the reason otherwise."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise bad_request("the body is not JSON") from None
    if not isinstance(body, dict):
        raise bad_request("the body is not a JSON object")
    for name in names:
        if not isinstance(body.get(name), str):
            raise bad_request(f"the body lacks the text field {name!r}")
    return [body[name] for name in names]


def bad_request(reason: str) -> web.HTTPBadRequest:
    """The answer 400 with a reason that the client can read."""
    return web.HTTPBadRequest(text=_error(reason), content_type="application/json")


def not_found(reason: str) -> web.HTTPNotFound:
    """The answer 404 with a reason that the client can read."""
    return web.HTTPNotFound(text=_error(reason), content_type="application/json")


def _error(reason: str) -> str:
    return json.dumps({"error": {"message": reason}})
