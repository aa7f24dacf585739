"""Finding the records of a file, thousands of places at once.

Each record tells only where the next one begins, so a file is a chain that must be
walked. Here it is cut into slices, a beginning of a record is guessed in each, and all
slices are walked in lock step. What proves the guesses is the chain itself: every record
must end where the next one begins. Where it does not, the true chain is walked on, one
record after the other, until it meets a record that was found.
"""

import sys
from bisect import bisect_left
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from results.wire.data import Places

#: Records of a slice, more or less, and its bytes at least. All slices take a step at once:
#: the shorter they are, the fewer steps, but the more guesses.
_IN_SLICE, _SLICE = 128, 1 << 14

#: Bytes at the beginning of slices in which all guesses are made at once: a record of the
#: common kind begins there.
_WINDOW = 1 << 11

#: With fewer slices than this, one record after the other is faster.
_FEW = 16


class Chain(Protocol):
    """How the records of a format follow each other.

    ``last`` is the last place in the file at which a header has room.
    """

    last: int

    def follow(self, at: Places) -> Places:
        """Where records that begin at these places say that the next ones do; proves nothing.

        The places are none beyond the last one; what is found is always further on.
        """

    def heads(self, at: Places) -> NDArray[np.void]:
        """The headers of records."""

    def ends(self, at: Places, heads: NDArray[np.void]) -> Places:
        """Where records end; -1 for those that are cut or damaged."""

    def end(self, at: int) -> int:
        """Where one record ends; -1 where it is cut or damaged, or there is none."""

    def guess(self, start: int, stop: int) -> int | None:
        """The first place between two where a record seems to begin."""

    def guesses(self, starts: Places, width: int) -> Places:
        """The same for many places, and so many bytes from there; -1 where it is hard to tell."""


class Walked(NamedTuple):
    """The records that begin in a part of a file: where each begins and ends, and its header.

    ``stop`` is where the chain goes on, or stands: a record there may be damaged, cut,
    or the first of the next part.
    """

    at: Places
    ends: Places
    heads: NDArray[np.void]
    begin: int
    stop: int


def walk(chain: Chain, begin: int, bound: int) -> Walked:
    """The chain of records from ``begin``, where one begins, to the first at ``bound`` or later."""
    at = _guessed(chain, begin, bound)
    while True:
        heads = chain.heads(at)
        ends = chain.ends(at, heads)
        torn = np.flatnonzero(ends[:-1] != at[1:])
        if not len(torn):
            break
        at = _mended(chain, at, int(torn[0]), int(ends[torn[0]]), bound)
    whole = len(at) - (len(at) > 0 and ends[-1] < 0)
    stop = int(ends[whole - 1]) if whole else begin
    return Walked(at[:whole], ends[:whole], heads[:whole], begin, stop)


def _guessed(chain: Chain, begin: int, bound: int) -> Places:
    """Where records begin, in order, if all guesses are right."""
    singles = _one_by_one(chain, begin, min(bound, chain.last + 1), _IN_SLICE)
    last = singles.pop() if singles else begin
    starts = [last, *_starts(chain, last, bound, last - begin)] if last < bound else []
    found_at, at, stop = _in_lock_step(chain, starts, bound)
    for place, end in zip(at.tolist(), stop.tolist(), strict=True):
        singles += _one_by_one(chain, place, end)
    return np.sort(np.concatenate([*found_at, np.array(singles, np.int64)]))


def _starts(chain: Chain, begin: int, bound: int, size: int) -> list[int]:
    """Where the first record begins in each slice of about this size, as far as one is found."""
    # Blocks of pcapng begin at multiples of 4.
    size = max(size + -size % 4, _SLICE)
    edges = np.arange(begin + size, bound, size)
    guesses = chain.guesses(edges, min(size, _WINDOW))
    unknown = edges[guesses < 0].tolist()
    harder = (chain.guess(edge, min(edge + size, bound)) for edge in unknown)
    # The last slice may be shorter than what was looked at.
    known = guesses[(guesses >= 0) & (guesses < bound)].tolist()
    return sorted([*known, *(at for at in harder if at is not None)])


def _in_lock_step(
    chain: Chain, starts: list[int], bound: int
) -> tuple[list[Places], Places, Places]:
    """Walk all slices until few are left: what was found, where those are, and their stops."""
    at = np.array(starts, np.int64)
    # Beyond the last place no header could be read.
    stop = np.array([*starts[1:], min(bound, chain.last + 1)][: len(starts)], np.int64)
    found = []
    while len(at) >= _FEW:
        found.append(at)
        at = chain.follow(at)
        live = at < stop
        if np.count_nonzero(live) < len(live):
            at, stop = at[live], stop[live]
    return found, at, stop


def _one_by_one(chain: Chain, at: int, stop: int, most: int = sys.maxsize) -> list[int]:
    found: list[int] = []
    while 0 <= at < stop and len(found) < most:
        found.append(at)
        at = chain.end(at)
    return found


def _mended(chain: Chain, at: Places, torn: int, end: int, bound: int) -> Places:
    """The chain with its true continuation after the first record that did not fit."""
    if end < 0:
        return at[: torn + 1]
    known, missing, rest = at.tolist(), [], len(at)
    while 0 <= end < bound:
        index = bisect_left(known, end)
        if index < len(known) and known[index] == end:
            rest = index
            break
        missing.append(end)
        end = chain.end(end)
    return np.concatenate([at[: torn + 1], np.array(missing, np.int64), at[rest:]])
