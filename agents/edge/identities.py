"""Identities of users and the tokens that are issued to them."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from agents.edge import tokens
from agents.edge.dates import iso_8601
from agents.edge.refusal import bad_request, not_found, unauthorized
from agents.edge.tokens import Grant, Scope

#: How long a token may be valid, in minutes; the longest is the default.
SHORTEST, LONGEST = 60, 1440


@dataclass
class Identities:
    """Those of one resource; ``key`` signs their tokens (a JSON Web Key)."""

    key: dict[str, Any]
    resource: str = field(default_factory=lambda: str(uuid.uuid4()))
    #: Identity -> how often its tokens were revoked.
    generations: dict[str, int] = field(default_factory=dict)
    #: The resource's own identity, in whose name trusted services act.
    service: str = ""

    def __post_init__(self) -> None:
        self.service = self.service or self.create()

    def create(self) -> str:
        """A new identity, in the form of the real service's."""
        identity = f"8:acs:{self.resource}_{uuid.uuid4()}"
        self.generations[identity] = 0
        return identity

    def expect(self, identity: object) -> None:
        """Refuse (404) an identity that does not exist."""
        if not isinstance(identity, str) or identity not in self.generations:
            raise not_found(f"there is no identity {identity!r}")

    def delete(self, identity: str) -> None:
        """Forget an identity; its tokens are no longer valid."""
        self.expect(identity)
        del self.generations[identity]

    def revoke(self, identity: str) -> None:
        """Make all tokens worthless that were issued to an identity until now."""
        self.expect(identity)
        self.generations[identity] += 1

    def issue(self, identity: str, scopes: Any, minutes: Any, now: float) -> dict[str, str]:  # noqa: ANN401
        """A token in the API's form, for these scopes and minutes (None: the longest).

        Both are as the request has them: refused (400) if they are no such.
        """
        self.expect(identity)
        granted, lifetime = _scopes(scopes), _lifetime(minutes)
        grant = Grant(
            identity=identity,
            scopes=granted,
            issued=int(now),
            expires=int(now) + 60 * lifetime,
            generation=self.generations[identity],
        )
        return {"token": tokens.write(self.key, grant), "expiresOn": iso_8601(grant.expires)}

    def bearer(self, authorization: str, now: float) -> Grant:
        """What the token of a request grants; 401 for one that is not valid, or was revoked."""
        grant = tokens.bearer(self.key, authorization, now)
        if self.generations.get(grant.identity) != grant.generation:
            raise unauthorized("the user access token was revoked")
        return grant


def _scopes(names: Any) -> frozenset[Scope]:  # noqa: ANN401 - whatever a request holds
    allowed = ", ".join(Scope)
    if not isinstance(names, list) or not names:
        raise bad_request(f"'scopes' must be a list of at least one of: {allowed}")
    try:
        return tokens.scopes_of(names)
    except ValueError as error:
        raise bad_request(f"{error}; scopes are: {allowed}") from None


def _lifetime(minutes: Any) -> int:  # noqa: ANN401 - whatever a request holds
    if minutes is None:
        return LONGEST
    if type(minutes) is not int or not SHORTEST <= minutes <= LONGEST:
        raise bad_request(f"'expiresInMinutes' must be a number from {SHORTEST} to {LONGEST}")
    return minutes
