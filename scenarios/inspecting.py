"""What a person sees of an inspection: files, clocks, and each call with what is unknown."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from results.inspection.records import (
    CallSeen,
    Checked,
    Clock,
    FileSeen,
    HopSeen,
    Inspection,
    PathSeen,
    StreamSeen,
)
from scenarios import display

#: Most packets first, so many kinds are named.
_KINDS = 6


def show(found: Inspection) -> None:
    """Print an inspection."""
    screen = display.screen()
    for line in _lines(found):
        screen.print(line, highlight=False, markup=False)
    for number, call in enumerate(found.calls, 1):
        _show_call(screen, number, call)
    if not found.calls:
        screen.print("no call found: neither ICE checks nor DTLS nor media go on in there")
        for file in found.files:
            for line in (f"  {file.file}: {busy}" for busy in file.busiest):
                screen.print(line, highlight=False, markup=False)
    for unknown in found.unknown:
        screen.print(f"unknown: {unknown}", highlight=False, markup=False)


def _lines(found: Inspection) -> Iterator[str]:
    yield from map(_file, found.files)
    yield from map(_clock, found.clocks)


def _file(file: FileSeen) -> str:
    if file.begin is None:
        return f"{file.file}: no packets"
    most = sorted(file.kinds.items(), key=lambda item: -item[1])[:_KINDS]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in most)
    begin = f"{file.begin:%Y-%m-%d %H:%M:%S} UTC"
    return f"{file.file}: {file.packets:,} packets in {file.seconds:.1f} s from {begin} ({kinds})"


def _clock(clock: Clock) -> str:
    names = f"clock of {clock.file} less that of {clock.ahead_of}"
    if clock.offset_ms is not None:
        between = f"(between {clock.low_ms:.3f} and {clock.high_ms:.3f})"
        return f"{names}: {clock.offset_ms:.3f} ms {between}, {clock.because}"
    low = "" if clock.low_ms is None else f"at least {clock.low_ms:.3f} ms, "
    high = "" if clock.high_ms is None else f"at most {clock.high_ms:.3f} ms, "
    return f"{names}: {low}{high}{clock.because}"


def _show_call(screen: Console, number: int, call: CallSeen) -> None:
    screen.print()
    for line in (f"call {number}: {_participants(call)}", f"  {_way(call)}", *_facts(call)):
        screen.print(line, highlight=False, markup=False)
    if call.checked:
        screen.print(_pairs(call.checked))
    if call.streams:
        screen.print(_media(call.streams))
    for path in call.paths:
        if path.hops:
            screen.print(_path(path))


def _participants(call: CallSeen) -> str:
    return " and ".join(
        f"{side} at {', '.join(ends) or 'an unknown address'}{_ufrag(call, at)}"
        for at, (side, ends) in enumerate(call.ends.items())
    )


def _ufrag(call: CallSeen, at: int) -> str:
    return f" (ufrag {call.ufrags[at]})" if call.ufrags else ""


def _way(call: CallSeen) -> str:
    by = ", ".join(call.relayed_by) or "one of its ends"
    relayed = {True: f"relayed by {by}", False: "direct", None: "direct or relayed: unknown"}
    return f"{relayed[call.relayed]}, over {call.transport}"


def _facts(call: CallSeen) -> Iterator[str]:
    pair = call.selected
    if pair:
        where = f"frame {pair.frame} of {pair.file}"
        yield f"  selected by {pair.side}: {pair.local} > {pair.remote} ({where})"
    for shake in call.dtls:
        done = "" if shake.srtp_profile is not None else ", not answered as far as captured"
        where = f"frame {shake.frame} of {shake.file}"
        yield f"  DTLS: {shake.client} > {shake.server} ({where}){done}"
    yield from _silences(call)
    if not call.streams:
        yield "  no media was seen"
    for unknown in call.unknown:
        yield f"  unknown: {unknown}"


def _silences(call: CallSeen) -> Iterator[str]:
    """Each silence once, with all files that have it."""
    where: dict[str, list[str]] = {}
    for silence in call.silences:
        since = f" from {silence.begin:%H:%M:%S.%f}" if silence.begin else ""
        where.setdefault(silence.said, []).append(f"{silence.file}{since}")
    for said, files in where.items():
        yield f"  silence: {said} ({', '.join(files)})"


def _pairs(checked: Sequence[Checked]) -> Table:
    grid = Table("by", "checked", "relay", "checks", "answered", "nominated", "file")
    for pair in checked:
        grid.add_row(
            pair.side,
            f"{pair.local} > {pair.remote}",
            pair.relayed_by or "",
            str(pair.checks),
            str(pair.answered),
            "yes" if pair.nominated else "",
            pair.file,
        )
    return grid


def _media(streams: Sequence[StreamSeen]) -> Table:
    grid = Table("from", "media", "file")
    for title in ("packets", "seconds", "lost", "burst", "reordered", "twice", "jitter ms"):
        grid.add_column(title, justify="right")
    for one in streams:
        counts = (one.lost, one.longest_burst, one.reordered, one.duplicated)
        turn = " in TURN" if one.wrapped else ""
        grid.add_row(
            one.side,
            f"{one.from_} > {one.to}{turn}",
            one.file,
            str(one.packets),
            f"{one.seconds:.1f}",
            *map(str, counts),
            "unknown" if one.jitter_ms is None else f"{one.jitter_ms:.1f}",
        )
    return grid


def _path(path: PathSeen) -> Table:
    order = "" if path.order_known else ", in the order of the files: the true one is unknown"
    grid = Table(f"path of {path.side}'s media{order}")
    for title in ("packets", "lost", "delay ms", "between", "jitter ms"):
        grid.add_column(title, justify="right")
    hops = {hop.to: hop for hop in path.hops}
    for place in path.places:
        grid.add_row(place, *(_hop(hops[place]) if place in hops else ()))
    return grid


def _hop(hop: HopSeen) -> tuple[str, ...]:
    """The cells of a hop, in the row of the place to which it leads."""
    delay, low, high = (
        "unknown" if found is None else f"{found:.3f}"
        for found in (hop.delay_ms, hop.delay_low_ms, hop.delay_high_ms)
    )
    return str(hop.packets), str(hop.lost), delay, f"{low} and {high}", f"{hop.jitter_ms:.3f}"
