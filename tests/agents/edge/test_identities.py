"""Identities: tokens are issued, revoked, and end with them."""

from typing import Any

import pytest

from agents.edge import tokens
from agents.edge.identities import Identities
from agents.edge.refusal import Refusal
from agents.edge.tokens import Scope

NOW = 1_700_000_000.5


@pytest.fixture
def identities() -> Identities:
    return Identities(tokens.new_key())


def _token(identities: Identities, identity: str) -> str:
    return identities.issue(identity, ["voip"], None, NOW)["token"]


def test_identities_look_like_those_of_the_service(identities: Identities) -> None:
    one, other = identities.create(), identities.create()
    assert one.startswith(f"8:acs:{identities.resource}_")
    assert one != other


@pytest.mark.parametrize(("minutes", "seconds"), [(None, 86_400), (60, 3600), (1440, 86_400)])
def test_a_token_lasts_as_long_as_asked(
    identities: Identities, minutes: int | None, seconds: int
) -> None:
    identity = identities.create()
    issued = identities.issue(identity, ["voip", "chat.join"], minutes, NOW)
    grant = identities.bearer(f"Bearer {issued['token']}", NOW)
    assert grant.identity == identity
    assert grant.scopes == frozenset({Scope.VOIP, Scope.CHAT_JOIN})
    assert grant.expires == int(NOW) + seconds
    assert issued["expiresOn"].endswith("+00:00")


def test_an_expiry_is_told_in_utc(identities: Identities) -> None:
    issued = identities.issue(identities.create(), ["voip"], 60, 0)
    assert issued["expiresOn"] == "1970-01-01T01:00:00+00:00"


@pytest.mark.parametrize("minutes", [59, 1441, 0, -1, 60.0, "60", True, [60]])
def test_other_lifetimes_are_refused(identities: Identities, minutes: Any) -> None:
    with pytest.raises(Refusal, match="must be a number from 60 to 1440") as refused:
        identities.issue(identities.create(), ["voip"], minutes, NOW)
    assert refused.value.status == 400


@pytest.mark.parametrize("scopes", [None, [], "voip", ["voip", "video"], [7], [["voip"]]])
def test_other_scopes_are_refused(identities: Identities, scopes: Any) -> None:
    with pytest.raises(Refusal, match=r"chat, chat\.join, chat\.join\.limited, voip, voip\.join"):
        identities.issue(identities.create(), scopes, None, NOW)


def test_revoked_tokens_are_worthless_and_later_ones_are_not(identities: Identities) -> None:
    identity, other = identities.create(), identities.create()
    early, others = _token(identities, identity), _token(identities, other)
    identities.revoke(identity)
    with pytest.raises(Refusal, match="was revoked") as refused:
        identities.bearer(f"Bearer {early}", NOW)
    assert refused.value.status == 401
    for token in (_token(identities, identity), others):
        identities.bearer(f"Bearer {token}", NOW)


def test_the_tokens_of_a_deleted_identity_are_worthless(identities: Identities) -> None:
    identity = identities.create()
    token = _token(identities, identity)
    identities.delete(identity)
    with pytest.raises(Refusal, match="was revoked"):
        identities.bearer(f"Bearer {token}", NOW)


@pytest.mark.parametrize("act", ["delete", "revoke", "expect"])
@pytest.mark.parametrize("identity", ["8:acs:nobody", None, ["8:acs:nobody"]])
def test_there_must_be_such_an_identity(identities: Identities, act: str, identity: Any) -> None:
    with pytest.raises(Refusal, match="there is no identity") as refused:
        getattr(identities, act)(identity)
    assert (refused.value.status, refused.value.code) == (404, "NotFound")
