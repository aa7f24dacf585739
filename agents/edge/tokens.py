"""User access tokens: JSON Web Tokens (RFC 7519) that the edge signs (ES256)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from agents.edge.refusal import forbidden, unauthorized

_ALGORITHM = "ES256"


class Scope(StrEnum):
    """What a token is good for."""

    CHAT = "chat"
    CHAT_JOIN = "chat.join"
    CHAT_JOIN_LIMITED = "chat.join.limited"
    VOIP = "voip"
    VOIP_JOIN = "voip.join"


#: May begin calls; may take part in them; may send messages.
CALLING = frozenset({Scope.VOIP})
IN_CALLS = frozenset({Scope.VOIP, Scope.VOIP_JOIN})
CHATTING = frozenset({Scope.CHAT, Scope.CHAT_JOIN, Scope.CHAT_JOIN_LIMITED})


@dataclass(frozen=True)
class Grant:
    """What a token says: for whom it is, and for what. Times are seconds since the epoch."""

    identity: str
    scopes: frozenset[Scope]
    issued: int
    expires: int
    #: How often the identity's tokens had been revoked when this one was issued.
    generation: int = 0

    def require(self, needed: frozenset[Scope]) -> None:
        """Refuse (403) what none of the token's scopes is for."""
        if not self.scopes & needed:
            wanted = " or ".join(sorted(needed))
            raise forbidden(f"the token's scopes are not for this; it takes {wanted}")


def new_key() -> dict[str, Any]:
    """A signing key of its own for a run, as a JSON Web Key (RFC 7517)."""
    return ECKey.generate_key("P-256").as_dict(private=True)


def public_part(key: dict[str, Any]) -> dict[str, Any]:
    """What others need to check tokens that were signed with this key."""
    return ECKey.import_key(key).as_dict(private=False)


def write(key: dict[str, Any], grant: Grant) -> str:
    """The token of a grant."""
    claims = {
        "sub": grant.identity,
        "acsScope": ",".join(sorted(grant.scopes)),
        "iat": grant.issued,
        "exp": grant.expires,
        "generation": grant.generation,
    }
    return jwt.encode({"alg": _ALGORITHM}, claims, ECKey.import_key(key))


def read(key: dict[str, Any], token: str, now: float) -> Grant:
    """What a token says; refused (401) if it is not signed with the key, or has expired."""
    try:
        claims = jwt.decode(token, ECKey.import_key(key), algorithms=[_ALGORITHM]).claims
        jwt.JWTClaimsRegistry(int(now), exp={"essential": True}).validate(claims)
        return _grant(claims)
    except (JoseError, UnicodeError) as error:
        raise unauthorized(f"the user access token is not valid: {error}") from None


def bearer(key: dict[str, Any], authorization: str, now: float) -> Grant:
    """The grant of the token in an Authorization header (RFC 6750, section 2.1)."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("the request bears no user access token")
    return read(key, token.strip(), now)


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes by their names; ValueError for one that does not exist."""
    return frozenset(map(Scope, names))


def _grant(claims: dict[str, Any]) -> Grant:
    """The grant that our own signature vouches for."""
    return Grant(
        identity=claims["sub"],
        scopes=scopes_of(claims["acsScope"].split(",")),
        issued=claims["iat"],
        expires=claims["exp"],
        generation=claims["generation"],
    )
