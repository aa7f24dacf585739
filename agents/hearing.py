"""What a user receives in a call: every frame of each track is taken, or memory grows."""

import asyncio
from collections.abc import Callable
from time import monotonic as now

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame


class Heard:
    """One track that is received, and whether it has lasted long enough."""

    def __init__(self, track: MediaStreamTrack, seconds: float) -> None:
        """Enough is a frame at least ``seconds`` after the first one."""
        self.kind: str = track.kind
        self.lasted = asyncio.Event()
        self._track = track
        self._seconds = seconds

    async def consume(self, taken: Callable[[int, Frame], None]) -> None:
        """Take frames until the track ends; ``taken`` is told each with its number, from 1."""
        number, first = 0, 0.0
        while True:
            try:
                frame = await self._track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, Frame)  # aiortc decodes whatever it receives
            at = now()
            number, first = number + 1, first or at
            taken(number, frame)
            if at - first >= self._seconds:
                self.lasted.set()
