"""A front end that passes on to the keeper: what arrives there, what comes back, whom it trusts."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from agents.passing_on import PassingOn
from agents.tls import new_authority, server_context

KEEPER = "front-end.west.service.example"

Check = Callable[[TestClient[Any, Any]], Awaitable[None]]


async def _echo(request: web.Request) -> web.Response:
    """What the keeper was asked, and an answer that is easily told from others."""
    said = {
        "method": request.method,
        "target": request.raw_path,
        "host": request.host,
        "bearer": request.headers.get("Authorization"),
        "body": await request.text(),
    }
    return web.json_response(said, status=409, headers={"WWW-Authenticate": "Bearer"})


def _with_keeper(folder: Path, check: Check, name: str = KEEPER) -> None:
    """A keeper with a certificate for a name, and a front end before it that expects KEEPER."""
    authority = new_authority()
    authority.write(folder / "ca.pem")
    authority.issue(name, folder / "keeper.pem")

    async def scene() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", _echo)
        context = server_context(folder / "keeper.pem", folder / "keeper.tls")
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        try:
            await _ask(folder, runner.addresses[0][1], check)
        finally:
            await runner.cleanup()

    asyncio.run(scene())


async def _ask(folder: Path, port: int, check: Check) -> None:
    keeper = {"address": "127.0.0.1", "port": port, "domain": KEEPER}
    passing = PassingOn(keeper, folder / "ca.pem", folder / "front.tls")
    async with TestClient(TestServer(passing.application())) as client:
        await check(client)


def test_the_keeper_is_asked_what_was_asked(tmp_path: Path) -> None:
    target = "/identities/8:acs:x/:issueAccessToken?api-version=2023-10-01&a=%2F"

    async def check(client: TestClient[Any, Any]) -> None:
        answer = await client.post(
            URL(target, encoded=True),
            data=b'{"a": 1}',
            headers={"Authorization": "Bearer t", "Host": "front-end.service.example"},
        )
        assert answer.status == 409
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert await answer.json() == {
            "method": "POST",
            "target": target,
            "host": "front-end.service.example",
            "bearer": "Bearer t",
            "body": '{"a": 1}',
        }

    _with_keeper(tmp_path, check)


async def _is_bad_gateway(client: TestClient[Any, Any]) -> None:
    answer = await client.get("/v1/users/x/relay")
    assert answer.status == 502
    assert (await answer.json())["error"]["code"] == "BadGateway"


def test_a_keeper_with_another_certificate_is_told_nothing(tmp_path: Path) -> None:
    _with_keeper(tmp_path, _is_bad_gateway, "front-end.east.service.example")


def test_no_keeper_is_a_bad_gateway(tmp_path: Path) -> None:
    new_authority().write(tmp_path / "ca.pem")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    asyncio.run(_ask(tmp_path, port, _is_bad_gateway))


def test_what_is_too_large_is_not_passed_on(tmp_path: Path) -> None:
    async def check(client: TestClient[Any, Any]) -> None:
        answer = await client.post("/identities", data=bytes(70_000))
        assert answer.status == 413

    _with_keeper(tmp_path, check)


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_every_method_is_passed_on(tmp_path: Path, method: str) -> None:
    async def check(client: TestClient[Any, Any]) -> None:
        answer = await client.request(method, "/calling/callConnections/1")
        assert (await answer.json())["method"] == method

    _with_keeper(tmp_path, check)
