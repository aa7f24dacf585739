"""A VPN that comes up in mid-call: signalling and media before and after, as captured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from results.media import Stream, openings
from results.problems import Ground, Problem, cite
from results.schema import Connection
from results.tracing.legs import NamedFlow, in_order, name_of
from results.tracing.paths import Path
from results.tunnelling.vpn import Findings, Remark, Scenery, together
from results.words import flows_in_words

_SECOND = 1e9
_MILLISECOND = 1e6

#: How far from the moment a gap in media still belongs to it, in ns.
_AROUND = 1_000_000_000


@dataclass(frozen=True)
class _Change:
    """A tunnel that came up, the row of its first packet, and the media around that moment."""

    connection: Connection
    row: int
    time: int
    streams: tuple[Stream, ...]

    def arrived(self, *, before: bool) -> list[Path]:
        """The media packets that arrived before or after the tunnel came up."""
        paths = (path for stream in self.streams for path in stream.arrived)
        return [path for path in paths if (path.last.time < self.time) is before]


def in_mid_call(scenery: Scenery) -> Findings:
    """What each planned connection did to its call."""
    return together(_connection(scenery, one) for one in scenery.run.connections)


def _connection(scenery: Scenery, connection: Connection) -> Findings:
    host = connection.host
    row = _came_up(scenery, connection)
    if row is None:
        text = f"{host} was to connect to VPN {connection.vpn} in mid-call, but no tunnel came up"
        return Findings(problems=(Problem(Ground.CALL, text),))
    own = tuple(one for one in scenery.streams if one.key.call == connection.call)
    change = _Change(connection, row, int(scenery.table.time[row]), own)
    frame = cite(scenery.table, row, f"the first packet in the tunnel of {host}")
    return Findings(
        remarks=(Remark(_words(scenery, change), (frame,)),),
        problems=tuple(Problem(Ground.CALL, text, (frame,)) for text in _broken(change)),
    )


def _came_up(scenery: Scenery, connection: Connection) -> int | None:
    """The row of the first packet at the user's end of the tunnel: its routes are there by then."""
    name = scenery.run.network.vpn(connection.vpn).interface_of(connection.host)
    own = [i for i, tap in enumerate(scenery.table.taps) if tap.name == name]
    rows = np.flatnonzero(np.isin(scenery.table.tap, own))
    return int(rows[0]) if len(rows) else None


def _words(scenery: Scenery, change: _Change) -> str:
    before, after = (change.arrived(before=before) for before in (True, False))
    flows = [_media_flows(scenery, paths) for paths in (before, after)]
    began = min((path.first.time for path in (*before, *after)), default=change.time)
    ways = f"{flows_in_words(flows[0])} both"
    if flows[0] != flows[1]:
        ways = f"{flows_in_words(flows[0])} before and {flows_in_words(flows[1])} after"
    signalling = (
        flows_in_words(_signalling(scenery, change, before=before)) for before in (True, False)
    )
    return (
        f"the tunnel of {change.connection.host} came up {(change.time - began) / _SECOND:.1f} s "
        f"into media: {len(before):,} packets before it came up, {len(after):,} after, {ways}, "
        f"longest gap around it {_longest_gap(change.streams, change.time):.0f} ms; its signalling "
        f"{' before and '.join(signalling)} after"
    )


def _broken(change: _Change) -> Iterator[str]:
    """Directions in which media did not go on, each as one sentence."""
    for stream in change.streams:
        times = [path.last.time for path in stream.arrived]
        if times and max(times) < change.time:
            last = (change.time - max(times)) / _MILLISECOND
            yield (
                f"media from {stream.key.sender} to {stream.key.receiver} did not survive that "
                f"{change.connection.host} connected to VPN {change.connection.vpn}: the last of "
                f"{len(times):,} packets arrived {last:.0f} ms before the tunnel came up"
            )


def _media_flows(scenery: Scenery, paths: Iterable[Path]) -> tuple[NamedFlow, ...]:
    return in_order(name_of(one.flow) for one in openings(paths, scenery.conversations))


def _signalling(scenery: Scenery, change: _Change, *, before: bool) -> tuple[NamedFlow, ...]:
    """The flows of the queries and connections that the user opened before or after."""
    own = (one for one in scenery.openings if one.path.origin == change.connection.host)
    then = (one for one in own if (one.path.first.time < change.time) is before)
    return in_order(flow for one in then for flow in one.flows)


def _longest_gap(streams: Sequence[Stream], moment: int) -> float:
    """The longest time between two arrivals of one direction around a moment, in ms."""
    gaps = [0]
    for stream in streams:
        times = sorted(path.last.time for path in stream.arrived)
        near = (pair for pair in pairwise(times) if _near(*pair, moment))
        gaps += (later - earlier for earlier, later in near)
    return max(gaps) / _MILLISECOND


def _near(earlier: int, later: int, moment: int) -> bool:
    return earlier <= moment + _AROUND and later >= moment - _AROUND
