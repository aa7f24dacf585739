"""Access to the transport relays: their URLs with credentials that expire."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agents.edge.dates import iso_8601
from agents.edge.refusal import bad_request

#: The longest life of credentials, and the default, in seconds (48 hours).
LONGEST = 172_800

#: Life of the credentials that users get for themselves, in seconds.
USERS_TTL = 600

#: How a server is chosen; each kind has ICE servers of its own.
ROUTES = ("any", "nearest")


@dataclass(frozen=True)
class RelayAccess:
    """What the edge knows of the relays: their URLs, and what their credentials are made of."""

    #: Of all relays, in any region.
    urls: tuple[str, ...]
    secret: str
    #: By the name that is answered with the nearest one; where there is one only, it is that.
    nearest: tuple[str, ...] = ()
    #: Life of the credentials that users get for themselves, in seconds.
    users_ttl: int = USERS_TTL

    def of_user(self, user: str, now: float) -> dict[str, Any]:
        """What a user gets who asks for himself."""
        return self.configuration(user, now, self.users_ttl)

    def configuration(
        self, user: str, now: float, ttl: int = LONGEST, routes: Iterable[str] = ROUTES
    ) -> dict[str, Any]:
        """A relay configuration in the API's form, for ``ttl`` seconds from ``now``."""
        expires = int(now) + min(ttl, LONGEST)
        username, credential = credentials(self.secret, user, expires)
        servers = [
            {
                "urls": list(self._urls(route)),
                "username": username,
                "credential": credential,
                "routeType": route,
            }
            for route in routes
        ]
        return {"expiresOn": iso_8601(expires), "iceServers": servers}

    def _urls(self, route: str) -> tuple[str, ...]:
        return self.nearest or self.urls if route == "nearest" else self.urls


def credentials(secret: str, user: str, expiry: int) -> tuple[str, str]:
    """User name and password for the relay, valid until ``expiry`` (seconds since the epoch).

    The convention of draft-uberti-behave-turn-rest-00, which coturn checks.
    """
    username = f"{expiry}:{user}"
    digest = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode()


def ttl_of(wanted: Any) -> int:  # noqa: ANN401 - whatever a request holds
    """The lifetime that a request asks for; more than the longest counts as that."""
    if wanted is None:
        return LONGEST
    if type(wanted) is not int or wanted < 0:
        raise bad_request(f"'ttl' must be a number of seconds from 0 to {LONGEST}")
    return min(wanted, LONGEST)


def routes_of(wanted: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever a request holds
    """The route types that a request asks for: one of them, or all."""
    if wanted is None:
        return ROUTES
    if wanted not in ROUTES:
        raise bad_request(f"'routeType' must be one of: {', '.join(ROUTES)}")
    return (wanted,)
