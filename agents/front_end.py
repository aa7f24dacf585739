"""The service's signalling front end: HTTPS REST for trusted services and for users.

What it offers is told in :mod:`agents.rest_trusted` and :mod:`agents.rest_users`, and in
docs/signalling.md.
"""

from typing import Any

from aiohttp import web

from agents.edge.identities import Identities
from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge
from agents.http_server import application, serve
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

    ``config``: addresses, certificate, key_log, relay_urls, relay_secret, access_key (in
    base64), token_key (a JSON Web Key).
    """
    identities = Identities(config["token_key"])
    relays = RelayAccess(tuple(config["relay_urls"]), config["relay_secret"])
    app = surface(Edge(identities, relays), config["access_key"])
    return run_until_terminated(serve(app, config))
