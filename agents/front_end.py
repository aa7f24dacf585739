"""The service's signalling front end: HTTPS REST for trusted services and for users.

What it offers is told in :mod:`agents.rest_trusted` and :mod:`agents.rest_users`, and in
docs/signalling.md. Where the service has several regions, the front end of one keeps what
there is, and the others pass on to it (:mod:`agents.passing_on`).
"""

from pathlib import Path
from typing import Any

from aiohttp import web

from agents.edge.calls import Calls
from agents.edge.identities import Identities
from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge
from agents.http_server import application, serve
from agents.passing_on import PassingOn
from agents.rest_trusted import TrustedSurface
from agents.rest_users import UsersSurface
from agents.talk import run_until_terminated


def surface(edge: Edge, access_key: str) -> web.Application:
    """The whole REST surface."""
    app = application()
    app.add_routes([*TrustedSurface(edge, access_key).routes(), *UsersSurface(edge).routes()])
    return app


def main(config: dict[str, Any]) -> int:
    """Serve.

    ``config``: addresses, certificate, key_log; with ``keeper`` (address, port, domain) also
    authority (file); else relay_urls, nearest_relay_urls, relay_addresses,
    relay_secret, access_key (in
    base64), token_key (a JSON Web Key).
    """
    return run_until_terminated(serve(_application(config), config))


def _application(config: dict[str, Any]) -> web.Application:
    if "keeper" in config:
        passing = PassingOn(config["keeper"], Path(config["authority"]), Path(config["key_log"]))
        return passing.application()
    identities = Identities(config["token_key"])
    relays = RelayAccess(
        tuple(config["relay_urls"]), config["relay_secret"], tuple(config["nearest_relay_urls"])
    )
    calls = Calls(frozenset(config["relay_addresses"]))
    return surface(Edge(identities, relays, calls=calls), config["access_key"])
