"""One direction of an impaired cable: frames go in and come out later, in order, or never.

No I/O: times are arguments, in ns, and so is chance.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_MILLISECOND = 1_000_000

#: A frame that leaves so much after its time is counted as late, in ns (the aim: p99 within 3 ms).
LATE = 3 * _MILLISECOND

#: How many frames may be on their way, as many as netem is given: 0.4 s at 25,000 a second.
ROOM = 10_000


@dataclass
class Lane:
    """The frames of one sender that are on their way, and how many fared how."""

    delay_ms: float
    jitter_ms: float
    loss: float
    #: Gives numbers from 0 to 1, each as likely.
    chance: Callable[[], float]
    room: int = ROOM
    #: As was asked for, and for want of room.
    lost: int = 0
    overflowed: int = 0
    late: int = 0
    _waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    _latest: int = 0

    def take(self, frame: bytes, arrived: int) -> None:
        """Take in a frame that arrived at this time."""
        if self.loss and self.chance() < self.loss:
            self.lost += 1
        elif len(self._waiting) >= self.room:
            self.overflowed += 1
        else:
            # Never before the one that came before: frames stay in order.
            self._latest = max(self._latest, arrived + self._time_to_pass())
            self._waiting.append((self._latest, frame))

    @property
    def due(self) -> int | None:
        """When the next frame is to leave; None when none is on its way."""
        return self._waiting[0][0] if self._waiting else None

    def leaving(self, now: int) -> Iterator[bytes]:
        """The frames whose time has come; each is gone once it is taken."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            due, frame = waiting.popleft()
            self.late += now - due > LATE
            yield frame

    def _time_to_pass(self) -> int:
        jitter = self.jitter_ms and self.jitter_ms * (2 * self.chance() - 1)
        return round((self.delay_ms + jitter) * _MILLISECOND)
