"""The sources of media in a call: what descriptions declare, and what was seen of each.

A source is known by its SSRC. What an accepted media line declares must have been
seen, followed to the other end and authenticated; retransmissions (RFC 4588) come only
where something was lost, and RTCP is no stream.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from results.media import Packet, Stream, seconds_arrived
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.sdp_media import MediaLine
from results.protocols.srtp import rtp_header
from results.schema import MediaPath, PlannedCall, StreamKind
from results.setup.calls import Call
from results.words import listed

#: What video shows, by its content attribute (RFC 4796, section 5).
_SHOWN = {"main": StreamKind.CAMERA, "speaker": StreamKind.CAMERA, "slides": StreamKind.SCREEN}

_NOT_SENT = MediaLine("", "", sends=False, receives=False, sources=())


class Declared(NamedTuple):
    """A source that a participant's description declares, on a line that both ends want."""

    user: str
    ssrc: int
    stream: StreamKind
    repeats: int | None

    def __str__(self) -> str:
        return f"{self.stream} of {self.user} (SSRC 0x{self.ssrc:08X})"


def declared_in(call: Call) -> list[Declared]:
    """The sources of both ends, in the order of the media lines."""
    found: list[Declared] = []
    for user in call.participants:
        lines = (call.described[one].media for one in (user, call.other(user)))
        for own, others in zip_longest(*lines, fillvalue=_NOT_SENT):
            if own.sends and others.receives:
                stream = _stream(own)
                found += (Declared(user, one.ssrc, stream, one.repeats) for one in own.sources)
    return found


def _stream(line: MediaLine) -> StreamKind:
    return StreamKind.AUDIO if line.kind == "audio" else _SHOWN.get(line.content, StreamKind.VIDEO)


def ssrc_of(packet: Packet) -> int:
    """The source of a packet."""
    return rtp_header(packet.payload).ssrc


def stream_of(packet: Packet, sender: str, known: Iterable[Declared]) -> StreamKind | None:
    """What a packet belongs to, as its sender's description says."""
    source = sender, ssrc_of(packet)
    return next((one.stream for one in known if (one.user, one.ssrc) == source), None)


def by_source(stream: Stream, order: Iterable[Declared]) -> dict[int, Stream]:
    """A stream taken apart by its sources: the declared ones in their order, then others."""
    packets: dict[int, list[Packet]] = {one.ssrc: [] for one in order}
    for packet in stream.packets:
        packets.setdefault(ssrc_of(packet), []).append(packet)
    return {ssrc: Stream(stream.key, tuple(own)) for ssrc, own in packets.items() if own}


def named(paths: Iterable[MediaPath], ssrc: int, known: Iterable[Declared]) -> Iterator[MediaPath]:
    """The paths of a source, with what is declared of it."""
    for path in paths:
        one = next((one for one in known if (one.user, one.ssrc) == (path.from_, ssrc)), None)
        more = {"stream": one.stream, "repeats": one.repeats} if one else {}
        yield path.model_copy(update={"ssrc": ssrc, **more})


def source_problems(
    table: PacketTable,
    planned: PlannedCall,
    call: Call,
    declared: Sequence[Declared],
    streams: Collection[Stream],
) -> Iterator[Problem]:
    """Sources that are not as planned, declared and not seen, or seen and not declared."""
    for user in call.participants:
        own = [one for one in declared if one.user == user]
        sent = [stream for stream in streams if stream.key.sender == user]
        yield from _unplanned(planned, call, user, own)
        yield from _undeclared(table, call, user, own, sent)
        # Where nothing arrived at all, or all ended too soon, that is said already.
        if any(seconds_arrived(stream) >= planned.seconds for stream in sent):
            parts = [by_source(stream, own) for stream in sent]
            for one in own:
                seen = [part[one.ssrc] for part in parts if one.ssrc in part]
                yield from _unseen(table, planned, call, one, seen)


def _unplanned(
    planned: PlannedCall, call: Call, user: str, own: Iterable[Declared]
) -> Iterator[Problem]:
    kinds = [one.stream for one in own if one.repeats is None]
    if sorted(kinds) != sorted(planned.streams):
        text = (
            f"the descriptions of call {call.id} have {user} send {listed(kinds) or 'nothing'}, "
            f"not {listed(planned.streams)}"
        )
        yield Problem(Ground.CALL, text)


def _undeclared(
    table: PacketTable, call: Call, user: str, own: Iterable[Declared], sent: Iterable[Stream]
) -> Iterator[Problem]:
    known = {one.ssrc for one in own}
    for stream in sent:
        for ssrc, part in by_source(stream, ()).items():
            if ssrc not in known:
                frame = cite(table, part.packets[0].path.first.row, "media that nobody declared")
                text = (
                    f"{user} sent media under SSRC 0x{ssrc:08X}, which its description of call "
                    f"{call.id} does not declare (first: frame {frame.frame} of {frame.tap})"
                )
                yield Problem(Ground.CALL, text, (frame,))


def _unseen(
    table: PacketTable, planned: PlannedCall, call: Call, one: Declared, seen: Iterable[Stream]
) -> Iterator[Problem]:
    """A declared source of which nothing arrived, or not for as long as planned."""
    if one.repeats is not None:
        return
    longest = max(seen, key=seconds_arrived, default=None)
    if longest is None or not longest.arrived:
        text = (
            f"call {call.id} declares the {one}, of which nothing arrived at {call.other(one.user)}"
        )
        yield Problem(Ground.CALL, text)
    elif (lasted := seconds_arrived(longest)) < planned.seconds:
        text = f"the {one} lasted {lasted:.2f} s, less than the planned {planned.seconds:g} s"
        last = max(path.last.row for path in longest.arrived)
        yield Problem(Ground.CALL, text, (cite(table, last, f"the last of the {one.stream}"),))
