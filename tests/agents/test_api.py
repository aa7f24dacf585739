"""What the client says when the service does not."""

import asyncio
import json
import re
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from agents import api
from agents.tls import new_authority


async def _ask(url: str) -> None:
    async with ClientSession(timeout=ClientTimeout(total=0.05)) as session:
        await api._request(session, "GET", url, None)


def test_a_request_without_answer_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/v1/users/alice/relay"
        with pytest.raises(api.ApiError) as error:
            asyncio.run(_ask(url))
    assert str(error.value) == f"GET {url} was not answered in 0.05 s"


def _refusing_proxy(answer: bytes) -> str:
    """What the client says when it may not pass this proxy."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async def ask(folder: Path) -> str:
        server = await asyncio.start_server(answered, "127.0.0.1", 0)
        async with server, api.Api(_config(folder, server.sockets[0].getsockname()[1])) as client:
            with pytest.raises(api.ApiError) as error:
                await client.start_session()
        return str(error.value)

    asked: list[bytes] = []
    with TemporaryDirectory() as folder:
        said = asyncio.run(ask(Path(folder)))
    assert b"CONNECT front-end:443" in asked[0]
    assert b"TOKEN" not in asked[0], "the proxy is not told what is for the service"
    return said


def _config(folder: Path, port: int) -> dict[str, Any]:
    credential = {
        "identity": {"id": "alice"},
        "contacts": {},
        "accessToken": {"token": "TOKEN"},
    }
    (folder / "credential").write_text(json.dumps(credential), encoding="utf-8")
    new_authority().write(folder / "ca.pem")
    return {
        "credential": str(folder / "credential"),
        "front_end": "front-end",
        "telemetry": "telemetry",
        "authority": str(folder / "ca.pem"),
        "keys": {"tls": str(folder / "keys")},
        "route_type": "nearest",
        "proxy": {"address": "127.0.0.1", "port": port, "user": "alice", "password": "wrong"},
    }


def test_a_wrong_login_at_the_proxy_is_told_in_words() -> None:
    said = _refusing_proxy(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
    assert re.fullmatch(
        r"the proxy http://127\.0\.0\.1:\d+ refused the login of alice: "
        r"wrong name or password \(407\)",
        said,
    )


def test_a_proxy_that_does_not_connect_is_named() -> None:
    said = _refusing_proxy(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    assert said.endswith("refused to connect to https://front-end/v1/users/alice/session: 503")
