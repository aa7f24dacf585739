"""An audio track that plays one tone.

Silence compresses to 3-byte payloads that look like nothing; a tone makes
packets of a usual size.
"""

import asyncio
import fractions
import math
import struct

from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame

_RATE = 48000
_FRAME_SECONDS = 0.02
_SAMPLES = int(_RATE * _FRAME_SECONDS)
_LEVEL = 8000


class Tone(MediaStreamTrack):
    """A sine at a multiple of 50 Hz, so that each frame of 20 ms holds whole periods."""

    kind = "audio"

    def __init__(self, hertz: int) -> None:
        if hertz % 50:
            raise ValueError(f"a tone must be a multiple of 50 Hz, not {hertz}")
        super().__init__()
        self._samples = b"".join(
            struct.pack("<h", round(_LEVEL * math.sin(2 * math.pi * hertz * n / _RATE)))
            for n in range(_SAMPLES)
        )
        self._count = 0
        self._start = 0.0

    async def recv(self) -> AudioFrame:
        """The next frame, at its time: the track is the call's clock."""
        loop = asyncio.get_running_loop()
        if self._count == 0:
            self._start = loop.time()
        await asyncio.sleep(self._start + self._count * _FRAME_SECONDS - loop.time())
        frame = AudioFrame(format="s16", layout="mono", samples=_SAMPLES)
        frame.planes[0].update(self._samples)
        frame.sample_rate = _RATE
        frame.time_base = fractions.Fraction(1, _RATE)
        frame.pts = self._count * _SAMPLES
        self._count += 1
        return frame
