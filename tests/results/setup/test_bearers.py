"""The tokens of requests that were granted: whose they are, who signed them, and when."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from results.packets import PacketTable
from results.problems import Ground
from results.protocols.http import Exchange
from results.setup.bearers import Borne, bearer_problems, identities_of, tokens_of
from results.setup.service_keys import ServiceKeyError, ServiceKeys, read_service_keys
from tests.results.story import ALICE_NAT, Story, ends

NOW = 1_700_000_000
KEY = ECKey.generate_key("P-256")
PUBLIC = KEY.as_dict(private=False)


def token(identity: str, key: ECKey = KEY, **claims: Any) -> str:
    said = {"sub": identity, "iat": NOW, "exp": NOW + 3600, **claims}
    return jwt.encode({"alg": "ES256"}, {k: v for k, v in said.items() if v is not None}, key)


def borne(user: str, authorization: str | None) -> Borne:
    """An invite of a user that was granted, at the first row."""
    headers = {} if authorization is None else {"authorization": authorization}
    exchange = Exchange("POST", "/v1/calls", headers, b"", 0, NOW * 10**9, 201, b"", 0)
    return Borne(user, exchange)


def bearing(user: str, borne_token: str) -> Borne:
    return borne(user, f"Bearer {borne_token}")


@pytest.fixture
def table(tmp_path: Path) -> PacketTable:
    story = Story()
    story.syn(ALICE_NAT, ends("10.10.0.11:40000", "203.0.113.5:443"), 4711)
    return story.table(tmp_path)


def texts(table: PacketTable, *requests: Borne) -> list[str]:
    problems = list(bearer_problems(table, requests, PUBLIC))
    assert all(problem.ground is Ground.CALL and problem.citations for problem in problems)
    return [problem.text for problem in problems]


def granted(user: str, wrong: str) -> str:
    return f"the service granted POST /v1/calls of {user} {wrong} (frame 1 of alice-eth0)"


def test_users_with_tokens_of_their_own(table: PacketTable) -> None:
    requests = [bearing("alice", token("8:acs:a")), bearing("bob", token("8:acs:b"))]
    assert texts(table, *requests) == []


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi"])
def test_no_token(table: PacketTable, authorization: str | None) -> None:
    assert texts(table, borne("alice", authorization)) == [granted("alice", "without a token")]


@pytest.mark.parametrize(
    "forged",
    [
        token("8:acs:a", ECKey.generate_key("P-256")),
        token("8:acs:a")[:-4] + "AAAA",
        token("8:acs:a", exp=None),
        token("8:acs:a", iat="now"),
        "no.token.this",
        "ÿ",
    ],
)
def test_a_forged_token(table: PacketTable, forged: str) -> None:
    wrong = "with a token that the service did not sign"
    assert texts(table, bearing("alice", forged)) == [granted("alice", wrong)]


@pytest.mark.parametrize("times", [{"exp": NOW}, {"iat": NOW + 1}])
def test_a_token_that_was_not_valid_then(table: PacketTable, times: dict[str, Any]) -> None:
    wrong = "with a token that was not valid then"
    assert texts(table, bearing("alice", token("8:acs:a", **times))) == [granted("alice", wrong)]


def test_one_users_token_that_another_bears(table: PacketTable) -> None:
    alices = token("8:acs:a")
    requests = [bearing("alice", alices), bearing("bob", alices)]
    assert texts(table, *requests) == [granted("bob", "with a token of alice")]


def test_what_is_wrong_is_told_once_for_each_user(table: PacketTable) -> None:
    requests = [borne(user, None) for user in ("alice", "bob", "alice")]
    wrong = "without a token"
    assert texts(table, *requests) == [granted("alice", wrong), granted("bob", wrong)]


def test_identities_are_those_of_who_bears_their_tokens() -> None:
    requests = [
        bearing("alice", token("8:acs:a")),
        bearing("bob", token("8:acs:b")),
        borne("eve", None),
        bearing("mallory", token("8:acs:a")),
    ]
    assert identities_of(requests) == {"8:acs:a": "alice", "8:acs:b": "bob"}


def test_tokens_are_secrets() -> None:
    mine = token("8:acs:a")
    (secret,) = tokens_of([bearing("alice", mine), borne("eve", None)])
    assert (secret.what, secret.value) == ("the token of alice", mine)


def test_service_keys_are_read_as_they_were_written(tmp_path: Path) -> None:
    keys = ServiceKeys(tokens=PUBLIC, access="a2V5")
    keys.write(tmp_path / "service.json")
    assert read_service_keys(tmp_path / "service.json") == keys


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        ("{", "Invalid JSON"),
        (json.dumps({"tokens": PUBLIC}), "access: Field required"),
        (json.dumps({"tokens": {}, "access": ""}), "tokens: Value error, it is no elliptic curve"),
        (json.dumps({"tokens": {"kty": "EC"}, "access": ""}), "it is no elliptic curve key"),
    ],
)
def test_service_keys_that_cannot_be_read(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "service.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ServiceKeyError) as error:
        read_service_keys(path)
    assert reason in str(error.value)
