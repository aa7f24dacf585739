"""Measures of media: what was lost, in which bursts, out of order, twice, and how it jitters.

Plain functions of numbers and times; what a packet is and by which way it came is
not their matter. A packet is known by its extended sequence number (RFC 3550, A.1).
"""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from results.protocols.rtp import Numbers

Estimates = NDArray[np.float64]

#: How slowly the estimate follows: a sixteenth of each difference (RFC 3550, section 6.4.1).
_GAIN = 1 / 16


def missing(received: Numbers, seen: Numbers) -> Numbers:
    """The numbers that did not come, from the lowest that was ``seen`` anywhere to the highest.

    Packets between that no tap has seen are missing as well (RFC 3550, A.3).
    """
    expected = np.arange(seen.min(), seen.max() + 1)
    return np.setdiff1d(expected, received)


def bursts(lost: Numbers) -> Numbers:
    """How many packets were lost in a row, each time; ``lost`` is in order."""
    if not len(lost):
        return np.zeros(0, np.int64)
    ends = np.flatnonzero(np.diff(lost) != 1)
    edges = np.concatenate(([-1], ends, [len(lost) - 1]))
    return np.diff(edges)


def longest_burst(lost: Numbers) -> int:
    """The most packets lost in a row; ``lost`` is in order."""
    return int(bursts(lost).max(initial=0))


def first_copies(received: Numbers) -> NDArray[np.bool_]:
    """Which packets came for the first time; the others are duplicates (RFC 5560, section 3)."""
    first = np.zeros(len(received), np.bool_)
    first[np.unique(received, return_index=True)[1]] = True
    return first


def late(received: Numbers) -> NDArray[np.bool_]:
    """Which packets are reordered: a higher number came before (RFC 4737, section 3).

    ``received`` are first copies, as they arrived.
    """
    return received < np.maximum.accumulate(received)


def jitter(transit: NDArray[np.float64]) -> Estimates:
    """The running estimate after each packet but the first (RFC 3550, section 6.4.1).

    ``transit`` is when each packet came less when it was sent, in the order of
    arrival; clocks need not agree, since only differences count. In its unit.
    """
    differences = np.abs(np.diff(transit)).tolist()
    estimates = accumulate(differences, lambda j, d: j + (d - j) * _GAIN, initial=0.0)
    return np.array(list(estimates)[1:])


def mean(values: NDArray[np.float64]) -> float:
    """The mean; 0 of nothing."""
    return float(values.mean()) if len(values) else 0.0


def most(values: NDArray[np.float64]) -> float:
    """The greatest; 0 of nothing."""
    return float(values.max()) if len(values) else 0.0
