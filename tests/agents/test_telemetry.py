"""Telemetry takes reports of users with tokens, and of nobody else."""

import asyncio
import time

import pytest
from aiohttp.test_utils import TestClient, TestServer

from agents.edge import tokens
from agents.edge.tokens import Grant, Scope
from agents.telemetry import Telemetry

KEY = tokens.new_key()


def _grant(scope: Scope = Scope.VOIP) -> Grant:
    now = int(time.time())
    return Grant("8:acs:x_y", frozenset({scope}), now, now + 3600)


def _report(authorization: str, body: bytes = b'{"call": "c"}') -> tuple[int, object]:
    async def report() -> tuple[int, object]:
        app = Telemetry(tokens.public_part(KEY)).application()
        headers = {"Authorization": authorization}
        async with TestClient(TestServer(app)) as client:
            answer = await client.post("/v1/reports", data=body, headers=headers)
            return answer.status, await answer.json()

    return asyncio.run(report())


def test_a_report_is_of_whom_the_token_is() -> None:
    token = tokens.write(KEY, _grant())
    assert _report(f"Bearer {token}") == (201, {"user": "8:acs:x_y", "call": "c"})


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        (f"Bearer {tokens.write(tokens.new_key(), _grant())}", 401),
        (f"Bearer {tokens.write(KEY, Grant('8:acs:x_y', _grant().scopes, 1, 2))}", 401),
        (f"Bearer {tokens.write(KEY, _grant(Scope.CHAT))}", 403),
    ],
)
def test_other_reports_are_refused(authorization: str, status: int) -> None:
    assert _report(authorization)[0] == status


def test_a_report_without_a_call_is_refused() -> None:
    assert _report(f"Bearer {tokens.write(KEY, _grant())}", b"{}")[0] == 400
