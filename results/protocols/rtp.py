"""RTP headers in columns: numbers without wrap-around, sources, clock rates (RFC 3550).

SRTP leaves the header in clear (RFC 3711, section 3.1), so none of this needs keys.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from results.packets import PacketTable

Numbers = NDArray[np.int64]

#: Steps of the sequence number beyond which a source has begun anew (RFC 3550, A.1).
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100

#: Static payload type -> clock rate in Hz (RFC 3551, section 6).
_STATIC_RATES = {
    **dict.fromkeys((0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18), 8_000),
    6: 16_000,
    10: 44_100,
    11: 44_100,
    14: 90_000,
    16: 11_025,
    17: 22_050,
    **dict.fromkeys((25, 26, 28, 31, 32, 33, 34), 90_000),
}

#: Clock rates in use for dynamic payload types: speech, Opus (RFC 7587), video.
_USUAL_RATES = np.array([8_000, 16_000, 32_000, 44_100, 48_000, 90_000])
#: How far from a usual rate timestamps may run, as a part of it.
_TOLERANCE = 0.05
#: Fewer packets, or a shorter time in ns, do not tell a clock rate.
_FEWEST, _SHORTEST = 10, 200_000_000

_SECOND = 1e9


class Headers:
    """The headers of some packets, one entry each, in the order of the rows."""

    def __init__(self, table: PacketTable, rows: NDArray[np.intp]) -> None:
        """Take them; each row's innermost payload must be of kind RTP."""
        self.payload_type: Numbers = table.payload_type[rows].astype(np.int64)
        self.sequence: Numbers = table.sequence[rows].astype(np.int64)
        self.timestamp: Numbers = table.rtp_time[rows].astype(np.int64)
        self.ssrc: Numbers = table.ssrc[rows].astype(np.int64)


def extended(sequence: Numbers) -> Numbers:
    """Sequence numbers without wrap-around, for packets in order but for some (RFC 3550, A.1)."""
    return np.unwrap(sequence, period=1 << 16).astype(np.int64)


def unwrapped(timestamp: Numbers) -> Numbers:
    """RTP timestamps without wrap-around, likewise."""
    return np.unwrap(timestamp, period=1 << 32).astype(np.int64)


def sources(ssrc: Numbers, sequence: Numbers) -> Numbers:
    """A number for the source of each packet; one that begins anew is another (RFC 3550, A.1)."""
    labels = np.zeros(len(ssrc), np.int64)
    given = 0
    for one in dict.fromkeys(ssrc.tolist()):
        own = np.flatnonzero(ssrc == one)
        steps = np.diff(extended(sequence[own]))
        anew = (steps > _MAX_DROPOUT) | (steps < -_MAX_MISORDER)
        labels[own] = given + np.concatenate(([0], np.cumsum(anew)))
        given = int(labels[own[-1]]) + 1
    return labels


def clock_rate(
    payload_type: Numbers, timestamp: Numbers, time: Numbers, announced: Mapping[int, int]
) -> int | None:
    """The clock rate of one source in Hz; None where nothing tells it.

    ``announced`` is what descriptions say of payload types. Without it static types
    have theirs, and for others the timestamps are held against the time in ns.
    """
    usual = int(np.bincount(payload_type).argmax())
    known = announced.get(usual) or _STATIC_RATES.get(usual)
    return known or _rate_by_time(unwrapped(timestamp), time)


def _rate_by_time(timestamp: Numbers, time: Numbers) -> int | None:
    """The usual rate that is nearest to what the timestamps run at."""
    lasted = int(time[-1] - time[0])
    if len(time) < _FEWEST or lasted < _SHORTEST:
        return None
    seen = (timestamp[-1] - timestamp[0]) * _SECOND / lasted
    nearest = int(_USUAL_RATES[np.abs(_USUAL_RATES - seen).argmin()])
    return nearest if abs(nearest - seen) <= _TOLERANCE * nearest else None
