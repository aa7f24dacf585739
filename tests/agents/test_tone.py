"""The tone that clients play."""

import asyncio
import itertools
import struct

import pytest

from agents.tone import Tone


def test_a_tone_must_fit_whole_periods_into_a_frame() -> None:
    with pytest.raises(ValueError, match="a tone must be a multiple of 50 Hz, not 440"):
        Tone(440)


def test_frames_follow_each_other_without_a_gap() -> None:
    async def two_frames() -> list[tuple[int | None, bytes]]:
        tone = Tone(400)
        frames = [await tone.recv() for _ in range(2)]
        return [(frame.pts, bytes(frame.planes[0])[:1920]) for frame in frames]

    (first, samples), (second, again) = asyncio.run(two_frames())
    assert (first, second) == (0, 960)
    assert samples == again
    values = struct.unpack("<960h", samples)
    assert max(values) == 8000
    rising = sum(1 for a, b in itertools.pairwise(values) if a < 0 <= b)
    assert rising == 400 * 0.02 - 1  # the first period begins at zero
