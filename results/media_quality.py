"""How the media of a call fared: each direction as a whole, and each hop of its path.

What arrived and what was lost is known from the paths of the packets; the headers
tell their order. Packets after the peer hung up count nowhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from results import quality as measures
from results.estimate import OPUS_RATE, estimate
from results.measured import Estimate, Hop, Quality
from results.media import Stream, lost_paths
from results.packets import PacketTable
from results.protocols.rtp import Headers, Numbers, clock_rate, extended, sources, unwrapped
from results.schema import MediaPath
from results.tracing.paths import Path

Taps = tuple[str, ...]

_MILLISECOND = 1e6
#: Digits after the point of a millisecond: clocks of taps are not better than a µs.
_DIGITS = 3


@dataclass(frozen=True)
class _Seen:
    """The packets of one direction, lost or not, in the order in which they were sent."""

    paths: Sequence[Path]
    #: Index into the direction's ways; of a lost packet, the way that it should have gone.
    way: Numbers
    arrived: NDArray[np.bool_]
    source: Numbers
    number: Numbers
    #: When the last tap had it, ns; of a lost packet, when it was seen last.
    time: Numbers
    #: From the first tap to the last, ns.
    delay: Numbers
    headers: Headers


@dataclass(frozen=True)
class _Part:
    """What one source sent by one way."""

    lost: Numbers
    received: Numbers
    late: int
    copies: int
    #: Ticks of the timestamps in a second; None where nothing tells.
    rate: int | None
    #: Running estimates in ms; None where the clock rate is not known.
    jitter: measures.Estimates | None


def with_quality(
    table: PacketTable,
    stream: Stream,
    media: Iterable[MediaPath],
    announced: Mapping[int, int],
) -> tuple[MediaPath, ...]:
    """The paths of a stream, each with its hops and its quality.

    ``announced`` has the clock rates that descriptions give to payload types.
    """
    found = tuple(media)
    if not found:
        return ()
    ways = [path.taps for path in found]
    seen = _seen(table, stream, ways)
    return tuple(
        path.model_copy(
            update={"hops": _hops(seen, way), "quality": _quality(seen, index, announced)}
        )
        for index, (path, way) in enumerate(zip(found, ways, strict=True))
    )


def _seen(table: PacketTable, stream: Stream, ways: Sequence[Taps]) -> _Seen:
    came = [(path, ways.index(own[0].taps)) for own in stream.copies for path in own]
    gone = [(path, -1) for path in lost_paths(stream)]
    both = sorted(came + gone, key=lambda item: item[0].first.time)
    paths = [path for path, _ in both]
    way = np.array([index for _, index in both])
    headers = Headers(table, np.array([path.first.row for path in paths]))
    source = sources(headers.ssrc, headers.sequence)
    number = np.zeros_like(source)
    for one in range(source.max() + 1):
        number[source == one] = extended(headers.sequence[source == one])
    time = np.array([path.last.time for path in paths])
    delay = time - np.array([path.first.time for path in paths])
    return _Seen(paths, way, way >= 0, source, number, time, delay, headers)


def _quality(seen: _Seen, way: int, announced: Mapping[int, int]) -> Quality:
    parts = [
        _part(seen, seen.source == source, way, announced)
        for source in range(seen.source.max() + 1)
    ]
    own = seen.delay[seen.way == way] / _MILLISECOND
    jitter = [part.jitter for part in parts if part.jitter is not None and len(part.received)]
    estimates = np.concatenate(jitter) if jitter else None
    lost = sum(len(part.lost) for part in parts)
    return Quality(
        expected=lost + sum(len(part.received) for part in parts),
        lost=lost,
        longest_burst=max(measures.longest_burst(part.lost) for part in parts),
        reordered=sum(part.late for part in parts),
        duplicated=sum(part.copies for part in parts),
        jitter_ms=None if estimates is None else _rounded(measures.mean(estimates)),
        jitter_max_ms=None if estimates is None else _rounded(measures.most(estimates)),
        delay_ms=_rounded(np.median(own)),
        delay_p99_ms=_rounded(np.percentile(own, 99)),
        estimate=_estimate([part for part in parts if part.rate == OPUS_RATE], own),
    )


def _estimate(speech: Sequence[_Part], delay: NDArray[np.float64]) -> Estimate | None:
    """How the speech among the parts would be rated; ``delay`` is in ms."""
    received = sum(len(part.received) for part in speech)
    if not received:
        return None
    bursts = [length for part in speech for length in measures.bursts(part.lost).tolist()]
    return estimate(float(np.median(delay)), float(np.percentile(delay, 99)), bursts, received)


def _part(
    seen: _Seen, of_source: NDArray[np.bool_], way: int, announced: Mapping[int, int]
) -> _Part:
    """One source's packets by one way; ``of_source`` selects the source's by all ways."""
    rows = np.flatnonzero(of_source & seen.arrived)
    rows = rows[np.argsort(seen.time[rows], kind="stable")]
    first = rows[measures.first_copies(seen.number[rows])]
    late = first[measures.late(seen.number[first])]
    lost = measures.missing(seen.number[first], seen.number[of_source])
    came = first[seen.way[first] == way]
    rate = _rate(seen, first, announced)
    return _Part(
        lost=lost[_way_of_lost(lost, seen.number[first], seen.way[first]) == way],
        received=seen.number[came],
        late=int((seen.way[late] == way).sum()),
        copies=int((seen.way[rows] == way).sum()) - len(came),
        rate=rate,
        jitter=_jitter(seen, came, rate) if rate else None,
    )


def _way_of_lost(lost: Numbers, received: Numbers, way: Numbers) -> Numbers:
    """The way of each lost packet: that of the last one before it that came, or the first."""
    if not len(received):
        return np.zeros_like(lost)
    order = np.argsort(received)
    before = np.searchsorted(received[order], lost) - 1
    return way[order][np.maximum(before, 0)]


def _rate(seen: _Seen, first: NDArray[np.intp], announced: Mapping[int, int]) -> int | None:
    """The clock rate of the first copies that came."""
    if not len(first):
        return None
    headers = seen.headers
    return clock_rate(
        headers.payload_type[first], headers.timestamp[first], seen.time[first], announced
    )


def _jitter(seen: _Seen, came: NDArray[np.intp], rate: int) -> measures.Estimates:
    """The running estimates of the packets that ``came`` by a way, of those that came at all."""
    sent = unwrapped(seen.headers.timestamp[came]) * (1000 / rate)
    return measures.jitter(seen.time[came] / _MILLISECOND - sent)


def _hops(seen: _Seen, way: Taps) -> tuple[Hop, ...]:
    whole = [path for path in seen.paths if path.complete and path.taps == way]
    times = np.array([[sighting.time for sighting in path.sightings] for path in whole])
    #: How many taps of the way each lost packet passed.
    passed = np.array(
        [
            len(path.taps)
            for path in seen.paths
            if not path.complete and path.taps == way[: len(path.taps)]
        ]
    )
    return tuple(
        _hop(ends, times[:, at : at + 2], int((passed > at).sum()), int((passed == at + 1).sum()))
        for at, ends in enumerate(pairwise(way))
    )


def _hop(ends: tuple[str, str], times: Numbers, others: int, lost: int) -> Hop:
    """One hop; ``others`` of the packets that passed its first tap did not come to the end."""
    there = times[np.argsort(times[:, 1], kind="stable")]
    delay = (there[:, 1] - there[:, 0]) / _MILLISECOND
    return Hop.model_validate(
        {
            "from": ends[0],
            "to": ends[1],
            "packets": len(times) + others,
            "lost": lost,
            "delay_ms": _rounded(np.median(delay)),
            "delay_p99_ms": _rounded(np.percentile(delay, 99)),
            "jitter_ms": _rounded(measures.mean(measures.jitter(delay))),
        }
    )


def _rounded(value: float | np.floating) -> float:
    return round(float(value), _DIGITS)
