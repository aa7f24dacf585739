"""An HTTPS server that says when it is ready; what front end and telemetry share.

Whatever a client sends, it is answered in the error shape of the service's REST API,
and the server stays up: bodies are bounded in size and in the time that they take.
"""

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from agents.edge.refusal import Refusal, bad_request
from agents.talk import say
from agents.tls import server_context

#: The port of HTTPS (RFC 9110, section 4.2.2).
HTTPS = 443

#: The largest body that is accepted, in bytes; an SDP has some 3 kB.
BODY_MAX = 64 * 1024

#: How long a client may take to send a request's body, in seconds.
_BODY_SECONDS = 10.0

#: How long an idle connection is kept: longer than calls last, so that none is opened amid one.
_KEEPALIVE_SECONDS = 3600.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(middlewares: Sequence[Middleware] = ()) -> web.Application:
    """An empty application with our limits, and with these middlewares inside of them."""
    return web.Application(client_max_size=BODY_MAX, middlewares=[_answered_in_shape, *middlewares])


async def serve(app: web.Application, config: dict[str, Any]) -> None:
    """Serve until cancelled. ``config``: addresses, certificate, key_log."""
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=0.1, keepalive_timeout=_KEEPALIVE_SECONDS
    )
    await runner.setup()
    context = server_context(Path(config["certificate"]), Path(config["key_log"]))
    try:
        for address in config["addresses"]:
            await web.TCPSite(runner, address, HTTPS, ssl_context=context).start()
        say("ready", addresses=config["addresses"], port=HTTPS)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def json_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body, empty where there is no body; 400 otherwise."""
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError):
        raise bad_request("the body is not JSON") from None
    if not isinstance(body, dict):
        raise bad_request("the body is not a JSON object")
    return body


async def fields(request: web.Request, *names: str) -> list[str]:
    """The text values of a JSON object in the body; 400 with the reason otherwise."""
    body = await json_object(request)
    for name in names:
        if not isinstance(body.get(name), str):
            raise bad_request(f"the body lacks the text field {name!r}")
    return [body[name] for name in names]


@web.middleware
async def _answered_in_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have the whole body before the handler has its turn, and refuse in the API's shape."""
    try:
        await _whole_body(request)
        return await handler(request)
    except Refusal as refusal:
        return _refused(refusal)
    except web.HTTPException as error:
        return _refused(_of_http(error))
    except Exception:
        traceback.print_exc()
        text = "the request could not be served"
        return _refused(Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", text))


async def _whole_body(request: web.Request) -> None:
    """Wait for all of a request's body, which stays in memory; 408 if it does not come."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            await request.read()
    except TimeoutError:
        text = f"the body did not arrive within {_BODY_SECONDS:g} seconds"
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", text) from None


def _refused(refusal: Refusal) -> web.Response:
    say("refused", status=refusal.status, code=refusal.code, reason=refusal.message)
    headers = {}
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        # RFC 9110, section 15.5.2: a 401 has a challenge.
        headers["WWW-Authenticate"] = "HMAC-SHA256" if refusal.code == "Denied" else "Bearer"
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def _of_http(error: web.HTTPException) -> Refusal:
    """An error of the HTTP server itself; its phrase without blanks is the code."""
    status = HTTPStatus(error.status)
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refusal(status, "RequestEntityTooLarge", f"a body has at most {BODY_MAX} bytes")
    return Refusal(status, status.phrase.replace(" ", ""), error.reason)
