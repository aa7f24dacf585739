"""Tracks that are received: all is taken, and enough is enough."""

import asyncio
from typing import Any

import pytest
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from agents import hearing
from agents.hearing import Heard


class _Track:
    """Gives a frame at each of some times, then ends."""

    kind = "audio"

    def __init__(self, clock: "_Clock", times: list[float]) -> None:
        self._clock = clock
        self._times = times

    async def recv(self) -> AudioFrame:
        if not self._times:
            raise MediaStreamError
        self._clock.now = self._times.pop(0)
        return AudioFrame()


class _Clock:
    now = 0.0

    def time(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("times", "lasted"),
    [
        ([5.0, 5.5, 6.9], False),
        ([5.0, 7.0], True),
        ([5.0, 7.5], True),
        ([], False),
        # While media is away for so long that ICE restarts, nothing lasts.
        ([5.0, 6.0, 9.0], False),
        ([5.0, 6.0, 9.0, 10.0], True),
    ],
)
def test_a_track_has_lasted_when_a_frame_comes_late_enough(
    times: list[float], lasted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Any = _Clock()
    count = len(times)
    taken: list[int] = []

    async def consumed() -> bool:
        track: Any = _Track(clock, times)
        heard = Heard(track, 2.0)
        monkeypatch.setattr(hearing, "now", clock.time)
        await heard.consume(lambda number, _frame: taken.append(number))
        return heard.lasted.is_set()

    assert asyncio.run(consumed()) is lasted
    assert taken == list(range(1, count + 1))
