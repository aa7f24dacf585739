"""The front end's REST surface, without TLS and network."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from agents.front_end import FrontEnd, relay_credentials

_INVITE = {"call": "c", "from": "alice", "to": "bob", "sdp": "offer"}

_Client = TestClient[Any, Any]


def _with_client(work: Callable[[_Client], Awaitable[None]]) -> None:
    async def run() -> None:
        server = TestServer(FrontEnd(["turn:relay:3478"], "secret").application())
        async with TestClient(server) as client:
            await work(client)

    asyncio.run(run())


async def _notifications(client: _Client, user: str, after: int = 0) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/users/{user}/notifications?after={after}")
    assert answer.status == 200
    notifications: list[dict[str, Any]] = (await answer.json())["notifications"]
    return notifications


def test_an_invite_reaches_a_user_who_waits() -> None:
    async def work(client: _Client) -> None:
        waiting = asyncio.create_task(_notifications(client, "bob"))
        answer = await client.post("/v1/calls", json=_INVITE)
        assert answer.status == 201
        assert await waiting == [
            {"id": 1, "type": "invite", "call": "c", "from": "alice", "sdp": "offer"}
        ]

    _with_client(work)


def test_answer_candidates_and_hang_up_reach_the_other_side() -> None:
    async def work(client: _Client) -> None:
        await client.post("/v1/calls", json=_INVITE)
        await client.post("/v1/calls/c/answer", json={"from": "bob", "sdp": "answer"})
        await client.post("/v1/calls/c/candidates", json={"from": "bob", "candidate": ""})
        await client.delete("/v1/calls/c?from=alice")
        to_alice = await _notifications(client, "alice")
        assert [n["type"] for n in to_alice] == ["answer", "candidate"]
        assert [n["type"] for n in await _notifications(client, "bob", 1)] == ["hangup"]

    _with_client(work)


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/v1/calls", b"{", 400, "the body is not JSON"),
        ("/v1/calls", b"[]", 400, "the body is not a JSON object"),
        ("/v1/calls", b'{"call": 1}', 400, "the body lacks the text field 'call'"),
        ("/v1/calls/x/answer", b'{"from": "bob", "sdp": ""}', 404, "there is no call 'x'"),
        (
            "/v1/calls/c/answer",
            b'{"from": "eve", "sdp": ""}',
            400,
            "'eve' takes no part in call 'c'",
        ),
        ("/v1/calls", json.dumps(_INVITE).encode(), 400, "there is a call 'c' already"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(
    path: str, body: bytes, status: int, reason: str
) -> None:
    async def work(client: _Client) -> None:
        await client.post("/v1/calls", json=_INVITE)
        answer = await client.post(path, data=body)
        assert answer.status == status
        assert (await answer.json())["error"]["message"] == reason

    _with_client(work)


def test_relay_credentials_follow_the_turn_rest_convention() -> None:
    username, credential = relay_credentials("secret", "alice", 1234)
    assert username == "1234:alice"
    digest = hmac.new(b"secret", b"1234:alice", hashlib.sha1).digest()
    assert base64.b64decode(credential) == digest
