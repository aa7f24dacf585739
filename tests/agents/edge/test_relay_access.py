"""Relay configurations: credentials that expire, and are bound to whom they are for."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from agents.edge.refusal import Refusal
from agents.edge.relay_access import LONGEST, RelayAccess, credentials, routes_of, ttl_of

ACCESS = RelayAccess(("stun:relay:3478", "turn:relay:3478"), "secret")


def test_credentials_follow_the_turn_rest_convention() -> None:
    username, credential = credentials("secret", "8:acs:x_y", 1234)
    assert username == "1234:8:acs:x_y"
    digest = hmac.new(b"secret", b"1234:8:acs:x_y", hashlib.sha1).digest()
    assert base64.b64decode(credential) == digest


def test_a_configuration_has_servers_of_both_routes() -> None:
    found = ACCESS.configuration("8:acs:x_y", now=0.7, ttl=60)
    assert found["expiresOn"] == "1970-01-01T00:01:00+00:00"
    username, credential = credentials("secret", "8:acs:x_y", 60)
    assert found["iceServers"] == [
        {
            "urls": ["stun:relay:3478", "turn:relay:3478"],
            "username": username,
            "credential": credential,
            "routeType": route,
        }
        for route in ("any", "nearest")
    ]


def test_where_there_are_several_relays_the_nearest_has_a_name_of_its_own() -> None:
    access = RelayAccess(("turn:relay.west", "turn:relay.east"), "secret", ("turn:relay",))
    found = access.configuration("8:acs:x_y", now=0.0)["iceServers"]
    assert {server["routeType"]: server["urls"] for server in found} == {
        "any": ["turn:relay.west", "turn:relay.east"],
        "nearest": ["turn:relay"],
    }


@pytest.mark.parametrize(
    ("wanted", "ttl"), [(None, LONGEST), (0, 0), (60, 60), (LONGEST + 1, LONGEST)]
)
def test_a_lifetime_is_honoured_up_to_the_longest(wanted: int | None, ttl: int) -> None:
    assert ttl_of(wanted) == ttl


@pytest.mark.parametrize("wanted", [-1, 1.5, "60", True, [60]])
def test_other_lifetimes_are_refused(wanted: Any) -> None:
    with pytest.raises(Refusal, match="'ttl' must be a number of seconds from 0 to 172800"):
        ttl_of(wanted)


@pytest.mark.parametrize(
    ("wanted", "routes"), [(None, ("any", "nearest")), ("any", ("any",)), ("nearest", ("nearest",))]
)
def test_routes_may_be_filtered(wanted: str | None, routes: tuple[str, ...]) -> None:
    assert routes_of(wanted) == routes


@pytest.mark.parametrize("wanted", ["", "farthest", 7, ["any"]])
def test_other_routes_are_refused(wanted: Any) -> None:
    with pytest.raises(Refusal, match="'routeType' must be one of: any, nearest"):
        routes_of(wanted)
