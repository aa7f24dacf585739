"""Signed requests: what a right signature covers, and that nothing else passes."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.edge.access_key import CLOCK_SKEW, Signable, check, content_hash, sign
from agents.edge.refusal import Refusal

KEY = base64.b64encode(b"the key of this resource").decode()
OTHER_KEY = base64.b64encode(b"the key of another one").decode()
NOW = 1_700_000_000.0

REQUEST = Signable(
    "POST",
    "/identities/8%3Aacs%3Ax/:issueAccessToken?api-version=2023-10-01",
    "front-end.service.example",
    b'{"scopes": ["voip"]}',
)


def signed(request: Signable = REQUEST, key: str = KEY, now: float = NOW) -> dict[str, str]:
    """The headers of a signed request, in lower case."""
    return {name.lower(): value for name, value in sign(key, request, now).items()}


def why_refused(request: Signable, headers: dict[str, str], now: float = NOW) -> str:
    with pytest.raises(Refusal) as refused:
        check(KEY, request, headers, now)
    assert (refused.value.status, refused.value.code) == (401, "Denied")
    return refused.value.message


def test_a_signature_as_the_reference_has_it() -> None:
    """Computed apart, with openssl, from the string to sign of the REST reference."""
    headers = signed(Signable("GET", "/x?api-version=1", "h", b""), now=0)
    assert headers["x-ms-date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert headers["x-ms-content-sha256"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert headers["authorization"] == (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        "&Signature=725Xw9dwZ5K7mKb0WQa5FgVLQwOQHgi2rG7Wu1pMSd8="
    )


def test_a_signed_request_passes() -> None:
    check(KEY, REQUEST, signed(), NOW)


@given(method=st.text(), target=st.text(), host=st.text(), body=st.binary())
def test_whatever_is_signed_passes(method: str, target: str, host: str, body: bytes) -> None:
    request = Signable(method, target, host, body)
    check(KEY, request, signed(request), NOW)


@pytest.mark.parametrize("away", [-CLOCK_SKEW, CLOCK_SKEW])
def test_clocks_may_be_a_quarter_of_an_hour_apart(away: float) -> None:
    check(KEY, REQUEST, signed(now=NOW + away), NOW)


@pytest.mark.parametrize("away", [-CLOCK_SKEW - 1, CLOCK_SKEW + 1])
def test_a_stale_or_early_date_is_refused(away: float) -> None:
    reason = why_refused(REQUEST, signed(now=NOW + away))
    assert reason == "Denied by the resource provider: its date is more than 15 minutes from now."


def test_the_wrong_key_is_refused() -> None:
    assert "the signature is not that of the access key" in why_refused(
        REQUEST, signed(key=OTHER_KEY)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"method": "DELETE"},
        {"target": REQUEST.target.replace("2023", "2022")},
        {"host": "elsewhere.example"},
    ],
)
def test_what_was_not_signed_so_is_refused(change: dict[str, Any]) -> None:
    assert "the signature is not" in why_refused(replace(REQUEST, **change), signed())


def test_an_altered_body_is_refused_whatever_its_hash_says() -> None:
    altered = replace(REQUEST, body=b'{"scopes": ["chat"]}')
    assert "x-ms-content-sha256 is not the hash of the body" in why_refused(altered, signed())
    rehashed = {**signed(), "x-ms-content-sha256": content_hash(altered.body)}
    assert "the signature is not" in why_refused(altered, rehashed)


def test_a_date_header_may_stand_in_for_x_ms_date() -> None:
    headers = signed()
    date = headers.pop("x-ms-date")
    authorization = headers["authorization"].replace("x-ms-date;", "date;")
    check(KEY, REQUEST, {**headers, "date": date, "authorization": authorization}, NOW)


def _without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


def _with(name: str, value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**headers, name: value}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("authorization"), "it has no HMAC-SHA256 authorization"),
        (_with("authorization", "Bearer abc"), "it has no HMAC-SHA256 authorization"),
        (_with("authorization", "HMAC-SHA256 Signature=abc"), "the signed headers are not"),
        (_with("authorization", "HMAC-SHA256 &&&"), "the signed headers are not"),
        (_without("x-ms-date"), "it has no date"),
        (_with("x-ms-date", "yesterday"), "it has no date"),
        (_without("x-ms-content-sha256"), "x-ms-content-sha256 is not the hash"),
        (_with("x-ms-content-sha256", "\udcff"), "x-ms-content-sha256 is not the hash"),
    ],
)
def test_headers_that_are_missing_or_malformed(
    change: Callable[[dict[str, str]], dict[str, str]], reason: str
) -> None:
    assert reason in why_refused(REQUEST, change(signed()))


def test_equal_requests_of_one_second_cannot_be_told_apart() -> None:
    """Why a replay is not refused: a client's next request may look the same."""
    first, next_try = signed(now=NOW), signed(now=NOW + 0.9)
    assert first == next_try
    for headers in (first, next_try):
        check(KEY, REQUEST, headers, NOW + 1)
    assert signed(now=NOW + 1) != first
