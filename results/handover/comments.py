"""The story of a run as comments on its packets, by row of the packet table.

Words are those of the verdict: what it cites is commented with its own sentence, and
what was refused with the outcome that the result lists.
"""

from collections.abc import Iterator

import numpy as np

from results.canary_frames import Moment, canary
from results.evidence import Reading
from results.handover.notes import Notes, unless_arrived
from results.handover.stun_notes import add_stun
from results.handover.talk_notes import add_talk
from results.judge import Judged
from results.media import Packet, Stream
from results.packets import Kind, PacketTable
from results.schema import Endpoint, Result
from results.sources import stream_of
from results.tracing.paths import Path
from topologies.addresses import with_port
from topologies.spec import Flow


def comments_of(judged: Judged) -> dict[int, list[str]]:
    """Row -> its comments: meaning first, then what the verdict cites it for."""
    reading, calls = judged.reading, judged.evidence.calls
    notes = Notes(reading.conversations)
    add_talk(notes, reading, calls)
    add_stun(notes, reading, calls)
    _add_media(notes, reading)
    _add_rest(notes, reading)
    _add_canaries(notes, reading)
    _add_errors(notes, reading)
    _add_shown(notes, reading.table, judged.result)
    return notes.by_row


def _add_media(notes: Notes, reading: Reading) -> None:
    streams, strangers = reading.media
    for stream in streams:
        for packet in stream.packets:
            for path in packet.paths:
                notes.along(path, _media(reading, stream, packet, path))
    for packet in strangers:
        for path in packet.paths:
            notes.along(path, "looks like SRTP, but is under no key of this run")


def _media(reading: Reading, stream: Stream, packet: Packet, path: Path) -> str:
    way = "through the relay" if path.relays else "direct"
    kind = stream_of(packet, stream.key.sender, reading.declared[stream.key.call])
    ends = f"{stream.key.sender} → {stream.key.receiver}"
    meaning = f"media {ends}, {kind} · {way}" if kind else f"media {ends} · {way}"
    return unless_arrived(reading, path, meaning, "established")


#: Kinds of packets that are told by who sent them to whom.
_NAMED = {Kind.DTLS: "DTLS", Kind.RTCP: "RTCP"}


def _add_rest(notes: Notes, reading: Reading) -> None:
    """Handshakes and control of media, and what goes outside of tunnels."""
    for path in reading.udp.paths:
        ends = f"{path.origin} → {path.target}"
        if path.first.kind in _NAMED:
            meaning = f"{_NAMED[path.first.kind]} {ends}"
            notes.along(path, unless_arrived(reading, path, meaning, "established"))
        elif path.first.kind is Kind.WIREGUARD:
            notes.along_all(path, [Flow.F2_VPN], f"WireGuard {ends}")


def _add_canaries(notes: Notes, reading: Reading) -> None:
    table = reading.table
    for row in np.flatnonzero(table.kind == Kind.CANARY).tolist():
        said = table.payload(row).rstrip(b"\0")
        for moment in Moment:
            if said == canary(reading.run.run, table.tap_name(row), moment):
                notes.add(row, f"canary {moment} the calls: this capture works")


def _add_errors(notes: Notes, reading: Reading) -> None:
    for error in reading.errors:
        notes.add(error.row, f"{error.host} answers: {error.words} (ICMP)")


def _add_shown(notes: Notes, table: PacketTable, result: Result) -> None:
    """What the result says of frames: the pairs that were not selected, and its citations."""
    names = [tap.name for tap in table.taps]
    rows = {
        (names[tap], frame): row
        for row, (tap, frame) in enumerate(
            zip(table.tap.tolist(), table.frame.tolist(), strict=True)
        )
    }
    for tap, frame, text in (*_pairs(result), *_citations(result)):
        if (tap, frame) in rows:
            notes.add(rows[tap, frame], text)


#: Tap, number of the frame in its capture, and what is said of it.
_Said = tuple[str | None, int | None, str]


def _pairs(result: Result) -> Iterator[_Said]:
    for call in result.calls:
        for pair in call.pairs:
            ends = f"{_end(pair.local)} to {_end(pair.remote)}"
            by = ": ".join(filter(None, (pair.by, pair.rule)))
            what = f"{pair.outcome} by {by}" if by else pair.outcome
            yield pair.tap, pair.frame, f"pair of {pair.from_}, {ends}: {what}"


def _end(endpoint: Endpoint) -> str:
    return f"{endpoint.type} {with_port(endpoint.address, endpoint.port)}"


def _citations(result: Result) -> Iterator[_Said]:
    """The frames on which the verdict rests, with the numbers that they have in their captures."""
    for citation in result.citations:
        where = f"frame {citation.frame} of {citation.tap}"
        yield citation.tap, citation.frame, f"cited · {citation.what} · {where}"
