"""A client's handling of news that overtake each other."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiortc import RTCSessionDescription

from agents.client import Call


class _Connection:
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def setRemoteDescription(self, _description: RTCSessionDescription) -> None:  # noqa: N802
        self.told.append("description")

    async def addIceCandidate(self, _candidate: None) -> None:  # noqa: N802
        self.told.append("end of candidates")


def test_the_end_of_candidates_waits_for_the_description() -> None:
    """Told of the end first, an ICE agent would take no candidate of the description."""

    async def overtaken() -> list[str]:
        client: Any = SimpleNamespace(chats={}, streams={}, api=None)
        connection: Any = _Connection()
        call = Call(client, "c", "bob")
        end = asyncio.create_task(call.end_of_remote_candidates())
        await asyncio.sleep(0)
        await call._describe(connection, RTCSessionDescription("v=0", "answer"))
        await end
        told: list[str] = connection.told
        return told

    assert asyncio.run(overtaken()) == ["description", "end of candidates"]
