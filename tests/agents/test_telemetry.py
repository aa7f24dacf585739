"""Telemetry takes reports of users with tokens, and of nobody else."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from agents.edge import tokens
from agents.edge.identities import Identities
from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge
from agents.edge.store import save
from agents.edge.tokens import Grant, Scope
from agents.telemetry import Telemetry

KEY = tokens.new_key()


def _grant(scope: Scope = Scope.VOIP) -> Grant:
    now = int(time.time())
    return Grant("8:acs:x_y", frozenset({scope}), now, now + 3600)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What a front end has stored: one identity, whose tokens were never revoked."""
    path = tmp_path / "state.json"
    save(_edge({"8:acs:x_y": 0}), path)
    return path


def _edge(generations: dict[str, int]) -> Edge:
    return Edge(Identities(KEY, "x", generations), RelayAccess((), ""))


def _report(
    state: Path, authorization: str, body: bytes = b'{"call": "c"}'
) -> tuple[int, dict[str, Any]]:
    async def report() -> tuple[int, dict[str, Any]]:
        none = state.with_name("of another front end, without users.json")
        app = Telemetry(tokens.public_part(KEY), [none, state]).application()
        headers = {"Authorization": authorization}
        async with TestClient(TestServer(app)) as client:
            answer = await client.post("/v1/reports", data=body, headers=headers)
            return answer.status, await answer.json()

    return asyncio.run(report())


def test_a_report_is_of_whom_the_token_is(state: Path) -> None:
    token = tokens.write(KEY, _grant())
    assert _report(state, f"Bearer {token}") == (201, {"user": "8:acs:x_y", "call": "c"})


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        (f"Bearer {tokens.write(tokens.new_key(), _grant())}", 401),
        (f"Bearer {tokens.write(KEY, Grant('8:acs:x_y', _grant().scopes, 1, 2))}", 401),
        (f"Bearer {tokens.write(KEY, _grant(Scope.CHAT))}", 403),
    ],
)
def test_other_reports_are_refused(state: Path, authorization: str, status: int) -> None:
    assert _report(state, authorization)[0] == status


@pytest.mark.parametrize("generations", [{"8:acs:x_y": 1}, {}], ids=["revoked", "deleted"])
def test_a_revoked_token_is_refused(state: Path, generations: dict[str, int]) -> None:
    token = tokens.write(KEY, _grant())
    save(_edge(generations), state)
    status, body = _report(state, f"Bearer {token}")
    assert (status, body["error"]["message"]) == (401, "the user access token was revoked")


def test_a_report_without_a_call_is_refused(state: Path) -> None:
    assert _report(state, f"Bearer {tokens.write(KEY, _grant())}", b"{}")[0] == 400
