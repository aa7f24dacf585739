"""The service's signalling front end: HTTPS REST for trusted services and for users.

What it offers is told in :mod:`agents.rest_trusted` and :mod:`agents.rest_users`, and in
docs/signalling.md. Where the service has several regions, the front end of one keeps what
there is, and the others pass on to it (:mod:`agents.passing_on`).
"""

from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge
from agents.edge.store import load, save
from agents.http_server import Handler, application, serve
from agents.passing_on import PassingOn
from agents.rest_trusted import TrustedSurface
from agents.rest_users import UsersSurface
from agents.talk import run_until_terminated


def surface(edge: Edge, access_key: str, state: Path | None = None) -> web.Application:
    """The whole REST surface; what requests change is kept in the file ``state``."""
    app = application(() if state is None else (_kept(edge, state),))
    app.add_routes([*TrustedSurface(edge, access_key).routes(), *UsersSurface(edge).routes()])
    return app


def _kept(edge: Edge, state: Path) -> Middleware:
    """Store what a request has changed before it is answered."""

    @web.middleware
    async def kept(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method != "GET":
            save(edge, state)
        return answer

    return kept


def main(config: dict[str, Any]) -> int:
    """Serve; where the file ``state`` is there, go on with what it holds.

    ``config``: addresses, certificate, key_log; with ``keeper`` (address, port, domain) also
    authority (file); else relay_urls, nearest_relay_urls, relay_addresses, relay_secret,
    relay_ttl (of users, in seconds), access_key (in base64), token_key (a JSON Web Key),
    state (a file).
    """
    return run_until_terminated(serve(_application(config), config))


def _application(config: dict[str, Any]) -> web.Application:
    if "keeper" in config:
        passing = PassingOn(config["keeper"], Path(config["authority"]), Path(config["key_log"]))
        return passing.application()
    relays = RelayAccess(
        tuple(config["relay_urls"]),
        config["relay_secret"],
        tuple(config["nearest_relay_urls"]),
        config["relay_ttl"],
    )
    state = Path(config["state"])
    edge = load(state, config["token_key"], relays, config["relay_addresses"])
    return surface(edge, config["access_key"], state)
