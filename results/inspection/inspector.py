"""Inspecting capture files: all steps, from the files to what is told of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from results import quality as measures
from results.inspection.calls import SIDES, Call, Part, calls_of
from results.inspection.conversations import conversations_of
from results.inspection.ends import pair_at
from results.inspection.files import allocations_seen, clocks_seen, file_seen, read_files
from results.inspection.lanes import lanes_of
from results.inspection.matching import Offsets, offsets
from results.inspection.pairs import (
    checked,
    goes_straight,
    is_wrapped,
    nominated,
    relays_of,
    selected,
)
from results.inspection.paths import broken_off, path_of
from results.inspection.records import (
    CallSeen,
    Inspection,
    PathSeen,
    Side,
    Silence,
    StreamSeen,
)
from results.inspection.silence import ByFile, moment, silences
from results.inspection.streams import Stream, streams_of
from results.inspection.turn import Turn, read_turn
from results.inspection.unknown import of_call, of_files, of_media

_MILLISECOND = 1e6
_SECOND = 1e9
_DIGITS = 3


def inspect(files: Sequence[Path], longest_silence: float = 2.0) -> Inspection:
    """What some capture files of one event show, without keys.

    ``longest_silence`` is how many seconds a side may send no media before that is
    told. Raises CaptureError for a file that cannot be read, or is given twice.
    """
    table = read_files(files)
    lanes = lanes_of(table)
    turn = read_turn(lanes)
    conversations = conversations_of(lanes, streams_of(lanes))
    apart = offsets(conversations, len(files), turn)
    calls = calls_of(conversations, turn)
    return Inspection(
        files=tuple(file_seen(table, index, with_busiest=not calls) for index in range(len(files))),
        clocks=tuple(clocks_seen(table, apart)),
        allocations=tuple(allocations_seen(table, turn)),
        calls=tuple(_call(call, turn, apart, longest_silence) for call in calls),
        unknown=tuple(of_files(table, bool(calls))),
    )


def _call(call: Call, turn: Turn, apart: Offsets, longest: float) -> CallSeen:
    used = _used(call)
    relays = tuple(dict.fromkeys(str(relay) for part in used for relay in relays_of(part, turn)))
    relayed = _is_relayed(used, turn)
    paths = tuple(_paths(used, turn, apart))
    quiet = (*_silences(used, longest), *_broken_off(used, turn, longest))
    pair = selected(call, turn)
    streams = tuple(sorted(_streams(used), key=lambda stream: (stream.side, stream.ssrc)))
    return CallSeen(
        ufrags=call.ufrags,
        ends={side: tuple(_ends(used, side, turn)) for side in SIDES},
        checked=tuple(checked(call, turn)),
        selected=pair,
        relayed=relayed,
        relayed_by=relays,
        transport="udp",
        dtls=tuple(found for part in call.parts for found in part.dtls),
        streams=streams,
        paths=paths,
        silences=quiet,
        unknown=(*of_call(call, used, pair, relayed, turn), *of_media(streams, paths)),
    )


def _used(call: Call) -> list[Part]:
    """The parts with media; without any, the one that was nominated, else all."""
    with_media = [part for part in call.parts if part.has_media]
    latest = nominated(call)
    return with_media or ([latest[0]] if latest else list(call.parts))


def _is_relayed(used: Sequence[Part], turn: Turn) -> bool | None:
    """None where nothing shows either, and where parts differ."""
    through = [is_wrapped(part) or bool(relays_of(part, turn)) for part in used]
    if all(through):
        return True
    return False if all(goes_straight(part, turn) for part in used) else None


def _ends(used: Sequence[Part], side: Side, turn: Turn) -> Iterator[str]:
    """The addresses from which a side sends, or to which others send to it."""
    found: dict[str, None] = {}
    for part in used:
        own = part.direction(side)
        for direction in (own, 1 - own):
            for way in part.conversation.ways:
                pair = pair_at(way, direction, turn)
                end = pair.local if direction == own else pair.remote
                if end and len(way.sent(direction)):
                    found[str(end)] = None
    yield from found


def _streams(used: Sequence[Part]) -> Iterator[StreamSeen]:
    for part in used:
        for stream in part.conversation.streams:
            yield _stream(part, stream)


def _stream(part: Part, stream: Stream) -> StreamSeen:
    lost = stream.lost()
    jitter = stream.jitter()
    ends = stream.lane.directed(forward=stream.forward)
    time = stream.time
    return StreamSeen.model_validate(
        {
            "side": part.sides[part.conversation.direction(stream)],
            "ssrc": f"0x{stream.ssrc:08x}",
            "payload_type": stream.payload_type,
            "clock_rate": stream.clock_rate,
            "file": stream.lane.name,
            "from": str(ends.src),
            "to": str(ends.dst),
            "wrapped": stream.lane.wrapped,
            "packets": len(stream.rows),
            "begin": moment(time[0]),
            "seconds": round((time[-1] - time[0]) / _SECOND, _DIGITS),
            "lost": sum(map(len, lost)),
            "longest_burst": max(measures.longest_burst(part) for part in lost),
            "reordered": stream.reordered(),
            "duplicated": stream.duplicated(),
            "jitter_ms": None if jitter is None else round(measures.mean(jitter), _DIGITS),
            "jitter_max_ms": None if jitter is None else round(measures.most(jitter), _DIGITS),
        }
    )


def _paths(used: Sequence[Part], turn: Turn, apart: Offsets) -> Iterator[PathSeen]:
    for part in used:
        for side in SIDES:
            found = path_of(part.conversation, part.direction(side), side, turn, apart)
            if found:
                yield found


def _broken_off(used: Sequence[Part], turn: Turn, longest: float) -> Iterator[Silence]:
    for part in used:
        for side in SIDES:
            yield from broken_off(part.conversation, part.direction(side), side, turn, longest)


def _silences(used: Sequence[Part], longest: float) -> Iterator[Silence]:
    """By file, whichever parts the media of a side is in."""
    media: ByFile = {}
    for part in used:
        for stream in part.conversation.streams:
            side = part.sides[part.conversation.direction(stream)]
            media.setdefault(stream.lane.file, ([], []))[SIDES.index(side)].append(stream)
    yield from silences(media, SIDES, longest)
