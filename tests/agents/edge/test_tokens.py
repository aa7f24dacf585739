"""User access tokens: who signed them, until when they are valid, what they are for."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from agents.edge import tokens
from agents.edge.refusal import Refusal
from agents.edge.tokens import CALLING, CHATTING, IN_CALLS, Grant, Scope

KEY = tokens.new_key()
NOW = 1_700_000_000
GRANT = Grant("8:acs:x_y", frozenset({Scope.VOIP, Scope.CHAT}), NOW, NOW + 3600, generation=2)


def refusal(token: str, now: float = NOW) -> Refusal:
    with pytest.raises(Refusal) as refused:
        tokens.bearer(KEY, f"Bearer {token}", now)
    assert (refused.value.status, refused.value.code) == (401, "Unauthorized")
    return refused.value


def test_what_is_written_is_read_with_the_public_key() -> None:
    token = tokens.write(KEY, GRANT)
    assert tokens.bearer(tokens.public_part(KEY), f"Bearer {token}", NOW) == GRANT


def test_the_public_part_signs_nothing() -> None:
    assert "d" in KEY
    assert "d" not in tokens.public_part(KEY)


def test_sdks_read_the_expiry_of_a_token_without_its_key() -> None:
    _, payload, _ = tokens.write(KEY, GRANT).split(".")
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["exp"] == GRANT.expires


def test_a_token_expires() -> None:
    token = tokens.write(KEY, GRANT)
    assert tokens.bearer(KEY, f"Bearer {token}", GRANT.expires - 1) == GRANT
    assert "The token is expired" in refusal(token, GRANT.expires + 1).message


def test_a_token_of_another_key_is_refused() -> None:
    assert "bad_signature" in refusal(tokens.write(tokens.new_key(), GRANT)).message


def test_an_altered_token_is_refused() -> None:
    head, _, signature = tokens.write(KEY, GRANT).split(".")
    later = Grant(GRANT.identity, GRANT.scopes, NOW, NOW + 999_999)
    _, payload, _ = tokens.write(tokens.new_key(), later).split(".")
    assert "bad_signature" in refusal(f"{head}.{payload}.{signature}").message


def test_a_token_that_says_it_needs_no_signature_is_refused() -> None:
    _, payload, _ = tokens.write(KEY, GRANT).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    refusal(f"{head}.{payload}.")


def test_a_token_signed_with_the_public_key_as_a_password_is_refused() -> None:
    public = json.dumps(tokens.public_part(KEY))
    claims = {
        "sub": GRANT.identity,
        "acsScope": "voip",
        "iat": NOW,
        "exp": NOW + 9,
        "generation": 0,
    }
    refusal(jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public)))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "HMAC-SHA256 a=b"])
def test_a_request_without_a_token_is_refused(header: str) -> None:
    with pytest.raises(Refusal, match="bears no user access token"):
        tokens.bearer(KEY, header, NOW)


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.ü.ß", "...", "\udcff"])
def test_what_is_no_token_is_refused(token: str) -> None:
    refusal(token)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.VOIP, {CALLING, IN_CALLS}),
        (Scope.VOIP_JOIN, {IN_CALLS}),
        (Scope.CHAT, {CHATTING}),
        (Scope.CHAT_JOIN, {CHATTING}),
        (Scope.CHAT_JOIN_LIMITED, {CHATTING}),
    ],
)
def test_what_scopes_are_for(scope: Scope, allowed: set[frozenset[Scope]]) -> None:
    grant = Grant("8:acs:x_y", frozenset({scope}), NOW, NOW + 1)
    for needed in (CALLING, IN_CALLS, CHATTING):
        if needed in allowed:
            grant.require(needed)
        else:
            with pytest.raises(Refusal, match="scopes are not for this") as refused:
                grant.require(needed)
            assert refused.value.status == 403
