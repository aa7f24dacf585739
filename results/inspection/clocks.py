"""How far two machines' clocks are apart, bounded by packets that both have captured.

A packet takes some time, and never less than none. One that goes from the first machine to
the second is stamped there by its delay and by the offset later, one that goes back by its
delay less the offset: the least differences bound the offset from both sides, as in
NTP (RFC 5905, section 8). With packets one way only, there is a bound on one side only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """The second clock's time less the first's lies within; ns, None where unbounded."""

    low: int | None = None
    high: int | None = None

    @property
    def possible(self) -> bool:
        """False where no constant offset fits: a clock drifted or was stepped."""
        return self.low is None or self.high is None or self.low <= self.high

    @property
    def closed(self) -> bool:
        """Whether there are both bounds, and an offset between them."""
        return self.low is not None and self.high is not None and self.possible

    @property
    def middle(self) -> int | None:
        """The estimate: right where the least delay is the same both ways."""
        if self.low is None or self.high is None or not self.possible:
            return None
        return (self.low + self.high) // 2

    def turned(self) -> "Bounds":
        """The first clock's time less the second's."""
        low = None if self.high is None else -self.high
        return Bounds(low, None if self.low is None else -self.low)


#: Two files of one machine, or one file and itself.
SAME = Bounds(0, 0)


def bounds(there: Times, back: Times) -> Bounds:
    """The offset's bounds; both are the second's times less the first's, of the same packets.

    ``there`` are those of packets that went from the first to the second, ``back`` of
    those that went from the second to the first.
    """
    return Bounds(
        low=int(back.max()) if len(back) else None,
        high=int(there.min()) if len(there) else None,
    )


def direction_by_delays(one: Times, other: Times) -> bool | None:
    """Whether ``one`` went from the first machine to the second, by the differences alone.

    They are of two opposite directions. Delays make those of packets that go there
    greater than the offset and those of packets that come back less.
    """
    if not len(one) or not len(other):
        return None
    if one.min() > other.max():
        return True
    if one.max() < other.min():
        return False
    return None
