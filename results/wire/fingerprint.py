"""The fingerprint of a payload: what it is followed by from tap to tap.

A 64-bit number made of a payload's length, its first 16 and its last 16 bytes, as four
little-endian words of 64 bits, in this order::

    h = length * M
    for each word: h = (h ^ word) * M modulo 2**64, then h = h ^ (h >> 32)

with M = 0x9E3779B97F4A7C15. A payload of fewer than 16 bytes is first filled up with
zeros to 16. 0 stands for no payload; where h is 0 it is 1.

Each step can be undone, so payloads that differ in their length alone, or in one of
the four words alone, never have the same fingerprint. SRTP has sequence number,
timestamp and SSRC in the first 12 bytes and its authentication tag in the last, STUN
its transaction id, and its integrity. Others may collide; results.wire.identity finds
those by comparing whole payloads.
"""

import numpy as np
from numpy.typing import NDArray

from results.wire.data import Data, Octets, Places
from results.wire.kinds import Heads

WORD = 8
#: Bytes that count from each end.
SPAN = 2 * WORD

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_LAST = np.dtype([("low", "<u8"), ("high", "<u8")])


def fingerprints(data: Data, start: Places, size: Places, heads: Heads) -> NDArray[np.uint64]:
    """The fingerprints of payloads, of which the first 16 bytes are at hand."""
    last = data.gather(np.maximum(start + size - SPAN, start), _LAST)
    words = [heads["low"], heads["high"], last["low"], last["high"]]
    short = np.flatnonzero(size < SPAN)
    if len(short):
        low, high = _filled_up(heads[short], size[short])
        words = [word.copy() for word in words]
        for word, value in zip(words, (low, high, low, high), strict=True):
            word[short] = value
    hashed = size.astype(np.uint64) * _FACTOR
    for word in words:
        hashed ^= word
        hashed *= _FACTOR
        hashed ^= hashed >> _HALF
    hashed[hashed == 0] = 1
    hashed[size == 0] = 0
    return hashed


def _filled_up(heads: Heads, size: Places) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The words of payloads of fewer than 16 bytes, with zeros beyond their end."""
    octets: Octets = heads["bytes"].copy()
    octets[np.arange(SPAN) >= size[:, None]] = 0
    words = octets.view("<u8")
    return words[:, 0], words[:, 1]
