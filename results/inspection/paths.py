"""The way of a side's media through the files, with loss and delay from place to place."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from results import quality as measures
from results.inspection.clocks import Bounds
from results.inspection.conversations import Conversation, Way
from results.inspection.lanes import Rows
from results.inspection.matching import Offsets, differences, goes_there, shared
from results.inspection.order import in_order
from results.inspection.records import HopSeen, PathSeen, Side, Silence
from results.inspection.silence import moment
from results.inspection.turn import Turn

_MILLISECOND = 1e6
_SECOND = 1e9
_DIGITS = 3


def path_of(
    conversation: Conversation, direction: int, side: Side, turn: Turn, offsets: Offsets
) -> PathSeen | None:
    """The way of one direction's media; None where no file has any."""
    media = _media(conversation, direction)
    if not media:
        return None
    ways, known = ordered(list(media), direction, turn)
    return PathSeen(
        side=side,
        places=tuple(place(way, direction) for way in ways),
        order_known=known,
        hops=tuple(
            hop
            for first, second in pairwise(ways)
            if (hop := _hop(first, second, direction, media, offsets))
        ),
    )


def broken_off(
    conversation: Conversation, direction: int, side: Side, turn: Turn, longest: float
) -> Iterator[Silence]:
    """Media that goes on at one place for long, in seconds, after the next had it last.

    Where the next one's capture had ended, that is no silence.
    """
    media = _media(conversation, direction)
    ways, _ = ordered(list(media), direction, turn)
    for first, second in pairwise(ways):
        here, there = shared(first, second, direction)
        if not len(here):
            continue
        time = first.lane.table.time
        went_on = int(time[media[first][-1]] - time[here[-1]])
        listened = _end_of(second) - int(time[there[-1]])
        seconds = min(went_on, listened) / _SECOND
        if seconds > longest:
            said = f"media of {side} no more comes from {first.lane.name} to {second.lane.name}"
            yield Silence(
                side=side,
                file=second.lane.name,
                begin=moment(time[there[-1]]),
                seconds=round(seconds, _DIGITS),
                said=f"{said}, for {seconds:.1f} s",
            )


def _end_of(way: Way) -> int:
    """When a lane's file has its last packet of any kind."""
    table = way.lane.table
    return int(table.time[table.tap == way.lane.file].max())


def place(way: Way, direction: int) -> str:
    """Where a lane is, in words: the file, and the ends that packets have there."""
    ends = way.ends(direction)
    return f"{way.lane.name} ({ends.src} > {ends.dst})"


def _media(conversation: Conversation, direction: int) -> dict[Way, Rows]:
    """Lane -> the packets of media of a direction there."""
    rows: dict[Way, list[Rows]] = {}
    for stream in conversation.streams_in(direction):
        rows.setdefault(conversation.way_of(stream.lane), []).append(stream.rows)
    return {way: np.sort(np.concatenate(parts)) for way, parts in rows.items()}


def ordered(ways: list[Way], direction: int, turn: Turn) -> tuple[list[Way], bool]:
    """Lanes as packets pass them, and whether that is known of all neighbours."""
    known = [[_before(one, other, direction, turn) for other in ways] for one in ways]
    ordered = in_order(ways, known)
    at = {id(way): index for index, way in enumerate(ways)}
    pairs = pairwise(ordered)
    return ordered, all(known[at[id(one)]][at[id(other)]] is True for one, other in pairs)


def _before(one: Way, other: Way, direction: int, turn: Turn) -> bool | None:
    """Whether packets of a direction pass one lane before the other."""
    if one is other:
        return None
    if one.lane.file == other.lane.file:
        apart = differences(one, other, direction)
        return bool(np.median(apart) > 0) if len(apart) else None
    goes, comes = goes_there(one, other, turn)
    if direction == 0 or comes is None:
        return goes
    return not comes


def _hop(
    first: Way, second: Way, direction: int, media: Mapping[Way, Rows], offsets: Offsets
) -> HopSeen | None:
    """From one lane to the next, between the first and the last packet that both have.

    Files begin and end at different times: what lies outside is no loss.
    """
    here, there = shared(first, second, direction)
    of_media = np.isin(here, media[first])
    here, there = here[of_media], there[of_media]
    if not len(here):
        return None
    passed = media[first]
    passed = passed[(passed >= here[0]) & (passed <= here[-1])]
    table = first.lane.table
    identity = first.lane.identity
    lost = ~np.isin(identity[passed], identity[media[second]])
    apart = table.time[there] - table.time[here]
    delay = _delays(float(np.median(apart)), offsets[first.lane.file, second.lane.file])
    return HopSeen.model_validate(
        {
            "from": place(first, direction),
            "to": place(second, direction),
            "packets": len(passed),
            "lost": int(lost.sum()),
            **dict(zip(("delay_ms", "delay_low_ms", "delay_high_ms"), delay, strict=True)),
            "jitter_ms": round(measures.mean(measures.jitter(apart / _MILLISECOND)), _DIGITS),
        }
    )


def _delays(apart: float, offset: Bounds) -> Iterator[float | None]:
    """A delay and its bounds in ms, for times that are so far apart by two clocks."""
    for ahead in (offset.middle, offset.high, offset.low):
        if ahead is None or not offset.possible:
            yield None
        else:
            yield round((apart - ahead) / _MILLISECOND, _DIGITS)
