"""What a user receives in a call: every frame of each track is taken, or memory grows."""

import asyncio
from collections.abc import Callable
from time import monotonic as now

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.frame import Frame

from agents.recovery import SILENCE


class Heard:
    """One track that is received, and whether it has lasted long enough."""

    def __init__(self, track: MediaStreamTrack, seconds: float) -> None:
        """Enough are ``seconds`` from the first frame, less the time in which media was away."""
        self.kind: str = track.kind
        self.lasted = asyncio.Event()
        self._track = track
        self._seconds = seconds

    async def consume(self, taken: Callable[[int, Frame], None]) -> None:
        """Take frames until the track ends; ``taken`` is told each with its number, from 1."""
        number, lasted, last = 0, 0.0, 0.0
        while True:
            try:
                frame = await self._track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, Frame)  # aiortc decodes whatever it receives
            at = now()
            if number and at - last < SILENCE:
                lasted += at - last
            number, last = number + 1, at
            taken(number, frame)
            if number > 1 and lasted >= self._seconds:
                self.lasted.set()
