"""Media without keys: what looks like RTP, and goes on as RTP does.

A single packet may look like RTP by chance, as a DNS id can. A stream is what keeps one
SSRC while its sequence numbers and timestamps go on, packet after packet (RFC 3550, A.1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from results import quality as measures
from results.inspection.lanes import Lane, Numbers, Rows
from results.packets import Kind
from results.protocols.rtp import Headers, clock_rate, extended, sources, unwrapped

#: Fewer packets prove nothing.
FEWEST = 5
#: The part of the steps in which a stream must go on as RTP does.
_REGULAR = 0.8
#: The furthest regular step of the sequence number: after a loss, it is more than 1.
_FURTHEST = 64
#: A stream has one payload type, with comfort noise and DTMF at most a few.
_MOST_TYPES = 4

_MILLISECOND = 1e6


@dataclass(frozen=True, eq=False)
class Stream:
    """The media of one source in one direction of a lane, in the order of arrival."""

    lane: Lane
    forward: bool
    ssrc: int
    rows: Rows
    headers: Headers
    #: Extended sequence numbers; each source that begins anew has one of its own.
    number: Numbers
    source: Numbers

    @property
    def time(self) -> Numbers:
        """When each packet came, ns on the file's clock."""
        return self.lane.table.time[self.rows]

    @cached_property
    def clock_rate(self) -> int | None:
        """Of its timestamps in Hz, as far as payload type or time tell."""
        headers = self.headers
        return clock_rate(headers.payload_type, headers.timestamp, self.time, {})

    @property
    def payload_type(self) -> int:
        """The usual one."""
        return int(np.bincount(self.headers.payload_type).argmax())

    def lost(self) -> list[Numbers]:
        """Missing sequence numbers, for each source that began anew."""
        return [measures.missing(own, own) for own in self._numbers()]

    def reordered(self) -> int:
        """Packets that came after one with a higher number."""
        kept = (own[measures.first_copies(own)] for own in self._numbers())
        return sum(int(measures.late(own).sum()) for own in kept)

    def duplicated(self) -> int:
        """Further copies of packets."""
        return sum(len(own) - int(measures.first_copies(own).sum()) for own in self._numbers())

    def jitter(self) -> measures.Estimates | None:
        """Running estimates in ms; None where the clock rate is unknown."""
        rate = self.clock_rate
        if rate is None:
            return None
        found = []
        for own in self._by_source():
            first = own[measures.first_copies(self.number[own])]
            sent = unwrapped(self.headers.timestamp[first]) * (1000 / rate)
            found.append(measures.jitter(self.time[first] / _MILLISECOND - sent))
        return np.concatenate(found)

    def _numbers(self) -> Iterator[Numbers]:
        for own in self._by_source():
            yield self.number[own]

    def _by_source(self) -> Iterator[NDArray[np.intp]]:
        for source in range(int(self.source.max()) + 1):
            yield np.flatnonzero(self.source == source)


def streams_of(lanes: Iterable[Lane]) -> list[Stream]:
    """The media streams of all lanes; what only looks like RTP is left out."""
    return [stream for lane in lanes for stream in _of_lane(lane)]


def _of_lane(lane: Lane) -> Iterator[Stream]:
    is_rtp = lane.table.inner_kind[lane.rows] == Kind.RTP
    for forward in (True, False):
        rows = lane.rows[is_rtp & (lane.forward == forward)]
        if len(rows) < FEWEST:
            continue
        headers = Headers(lane.table, rows)
        for ssrc in np.unique(headers.ssrc).tolist():
            own = headers.ssrc == ssrc
            if own.sum() >= FEWEST:
                stream = _stream(lane, forward, ssrc, rows[own])
                if is_rtp_stream(stream.headers):
                    yield stream


def _stream(lane: Lane, forward: bool, ssrc: int, rows: Rows) -> Stream:
    headers = Headers(lane.table, rows)
    source = sources(headers.ssrc, headers.sequence)
    number = np.zeros_like(source)
    for one in range(int(source.max()) + 1):
        number[source == one] = extended(headers.sequence[source == one])
    return Stream(lane, forward, ssrc, rows, headers, number, source)


def is_rtp_stream(headers: Headers) -> bool:
    """Whether packets of one SSRC go on as those of one source do."""
    number = extended(headers.sequence)
    # A capture of several interfaces may have each packet twice.
    once = measures.first_copies(number)
    if once.sum() < FEWEST:
        return False
    steps, ticks = np.diff(number[once]), np.diff(unwrapped(headers.timestamp)[once])
    onward = (steps > 0) & (steps <= _FURTHEST) & (ticks >= 0)
    types = len(np.unique(headers.payload_type))
    return bool(onward.mean() >= _REGULAR and ticks.any() and types <= _MOST_TYPES)
