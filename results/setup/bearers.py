"""The tokens that users bear: each request that the service granted had its user's own.

A token is a JSON Web Token (RFC 7519) in the Authorization header (RFC 6750); the
service's public key, which the run folder has, tells whether the service signed it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from results.clear_text import Secret
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.http import Exchange

_ALGORITHM = "ES256"
_NANOSECONDS = 10**9


class Borne(NamedTuple):
    """A request that was granted, and who made it."""

    user: str
    exchange: Exchange

    @property
    def token(self) -> str:
        """The token that it bears; empty where there is none."""
        scheme, _, token = self.exchange.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def identities_of(requests: Iterable[Borne]) -> dict[str, str]:
    """Identity -> the user whose requests first bore a token of it."""
    owners: dict[str, str] = {}
    for request in requests:
        identity = _claims(request.token).get("sub")
        if isinstance(identity, str):
            owners.setdefault(identity, request.user)
    return owners


def tokens_of(requests: Iterable[Borne]) -> Iterator[Secret]:
    """The tokens, which must not cross in clear."""
    return (Secret(f"the token of {one.user}", one.token) for one in requests if one.token)


def bearer_problems(
    table: PacketTable, requests: Iterable[Borne], key: Mapping[str, Any]
) -> Iterator[Problem]:
    """What is wrong with the tokens of requests that were granted, once for each user."""
    granted = list(requests)
    owners = identities_of(granted)
    signed = {token for token in {one.token for one in granted} if _is_signed(token, key)}
    told = set()
    for request in granted:
        wrong = _wrong(request, owners, signed)
        if wrong and (request.user, wrong) not in told:
            told.add((request.user, wrong))
            yield _problem(table, request, wrong)


def _wrong(request: Borne, owners: Mapping[str, str], signed: set[str]) -> str:
    """What is wrong with the token of a request, in words; empty if nothing is."""
    if not request.token:
        return "without a token"
    if request.token not in signed:
        return "with a token that the service did not sign"
    claims, now = _claims(request.token), request.exchange.request_time / _NANOSECONDS
    if not claims["iat"] <= now < claims["exp"]:
        return "with a token that was not valid then"
    owner = owners[claims["sub"]]
    return "" if owner == request.user else f"with a token of {owner}"


def _problem(table: PacketTable, request: Borne, wrong: str) -> Problem:
    exchange = request.exchange
    frame = cite(table, exchange.request_row, f"a request {wrong}")
    text = (
        f"the service granted {exchange.method} {exchange.target} of {request.user} {wrong} "
        f"(frame {frame.frame} of {frame.tap})"
    )
    return Problem(Ground.CALL, text, (frame,))


def _is_signed(token: str, key: Mapping[str, Any]) -> bool:
    """Whether the service signed a token, and said in it for whom and for how long it is."""
    try:
        claims = jwt.decode(token, ECKey.import_key(dict(key)), algorithms=[_ALGORITHM]).claims
    except JoseError:
        return False
    times = (claims.get("iat"), claims.get("exp"))
    return isinstance(claims.get("sub"), str) and all(isinstance(time, int) for time in times)


def _claims(token: str) -> dict[str, Any]:
    """What a token says, whoever signed it; nothing where it is none."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
