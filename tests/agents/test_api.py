"""What the client says when the service does not."""

import asyncio
import socket

import pytest
from aiohttp import ClientSession, ClientTimeout

from agents import api


async def _ask(url: str) -> None:
    async with ClientSession(timeout=ClientTimeout(total=0.05)) as session:
        await api._request(session, "GET", url, None)


def test_a_request_without_answer_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/v1/users/alice/relay"
        with pytest.raises(api.ApiError) as error:
            asyncio.run(_ask(url))
    assert str(error.value) == f"GET {url} was not answered in 0.05 s"
