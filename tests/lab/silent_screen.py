"""A client that declares its screen and never shows it, and the stage of runs with such clients.

Run as ``python -m tests.lab.silent_screen``: what an application does that has asked for
a screen share and forgets to send it.
"""

import asyncio
from typing import Any

from av import VideoFrame

from agents import client, streams
from agents.hearing import Heard
from agents.pictures import SCREEN, Format, Pictures
from scenarios import cast, stage
from topologies.processes import Program


class SilentPictures(Pictures):
    """Pictures of which none of the screen ever comes."""

    def __init__(self, sender: str, format_: Format) -> None:
        super().__init__(sender, format_)
        self._is_silent = format_ == SCREEN

    async def recv(self) -> VideoFrame:
        """The next picture of a camera."""
        if self._is_silent:
            await asyncio.Event().wait()
        return await super().recv()


class _Patient(Heard):
    """Does not wait for what never comes: any track has lasted when the sound has."""

    async def consume(self, taken: Any) -> None:
        if self.kind == "video":
            self.lasted.set()
        await super().consume(taken)


def main(config: dict[str, Any]) -> int:
    """A client as any other, but for its screen."""
    streams.Pictures = SilentPictures  # type: ignore[attr-defined]
    client.Heard = _Patient  # type: ignore[attr-defined]
    return client.main(config)


class SilentCast(cast.Cast):
    """Has such a client for each user."""

    def _client(self, user: str, tone: int, run: Any) -> Program:
        program = super()._client(user, tone, run)
        return Program(name=program.name, module=__spec__.name, config=program.config)


if __name__ == "__main__":
    stage.Cast = SilentCast  # type: ignore[attr-defined]
    stage._serve()
