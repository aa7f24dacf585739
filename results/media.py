"""Media: the RTP-looking packets that authenticate, and the paths that they took.

Every such packet of the run is tried under every key of the run, wherever it was
seen, so media that goes astray is found; what authenticates under no key is not
taken for media but named.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from results.media_keys import MediaKey, Socket, socket_at_end, socket_at_start
from results.packets import Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.srtp import authenticate
from results.schema import MediaPath, PlannedCall
from results.setup.turn import Turn
from results.tracing.identity import identities
from results.tracing.legs import UNLISTED, Conversations, Opened, in_order, legs, name_of
from results.tracing.paths import Path, Travels
from results.tracing.places import Places
from results.tracing.sightings import Way
from results.tracing.streams import Carrier
from topologies.addresses import address_of
from topologies.spec import Role, Tap

#: How long, in ns, a sender may go on after the last packet that its peer took.
#: Both ends hang up, but not at the same moment.
_HANGUP = 500_000_000

_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Packet:
    """One RTP-looking packet, and all paths of this payload: one where nothing is wrong."""

    payload: bytes
    paths: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """The path that arrived, if any did."""
        return next((path for path in self.paths if path.complete), self.paths[0])

    @property
    def time(self) -> int:
        """When it was sent, ns."""
        return self.paths[0].first.time


@dataclass(frozen=True)
class Stream:
    """The authenticated media of one direction of a call, in order of time."""

    key: MediaKey
    packets: tuple[Packet, ...]

    @cached_property
    def arrived(self) -> list[Path]:
        """The paths of the packets that reached the other participant."""
        ended = (packet.path for packet in self.packets)
        return [path for path in ended if _joins(path, self.key)]

    @property
    def copies(self) -> Iterator[list[Path]]:
        """For each of them the paths of all copies that arrived, its own first."""
        for packet in self.packets:
            if _joins(packet.path, self.key):
                yield [path for path in packet.paths if _joins(path, self.key)]


def _joins(path: Path, key: MediaKey) -> bool:
    return path.complete and (path.origin, path.target) == (key.sender, key.receiver)


def rtp_packets(table: PacketTable, udp: Travels) -> list[Packet]:
    """All RTP-looking packets of a run, each payload once, in the order of their times."""
    rows = np.flatnonzero((table.inner_kind == Kind.RTP) & (table.version != 0))
    first = np.unique(identities(table, rows))
    found = (udp.alike(int(rows[index])) for index in first)
    return [Packet(table.innermost(paths[0].first.row), paths) for paths in found if paths]


def authenticated(
    packets: Sequence[Packet], keys: Iterable[MediaKey]
) -> tuple[list[Stream], list[Packet]]:
    """The streams of all keys, and the packets that no key is for."""
    streams: list[Stream] = []
    rest = list(packets)
    for key in keys:
        passed = authenticate([packet.payload for packet in rest], key.key, key.profile)
        own = tuple(packet for packet, good in zip(rest, passed, strict=True) if good)
        rest = [packet for packet, good in zip(rest, passed, strict=True) if not good]
        streams.append(Stream(key, own))
    return streams, rest


def media_paths(
    stream: Stream,
    strangers: Sequence[Packet],
    conversations: Conversations,
    turn: Turn,
    carrier: Callable[[Path], Carrier] = lambda _path: Carrier.UDP,
) -> Iterator[MediaPath]:
    """Each distinct path of a stream; ``strangers`` count as packets, not as authenticated.

    ``carrier`` tells what carried a packet where that was farthest from plain UDP.
    """
    arrived = stream.arrived
    alike: dict[tuple[Carrier, tuple[str, ...]], list[Path]] = {}
    for path in arrived:
        alike.setdefault((carrier(path), path.taps), []).append(path)
    others = Counter(packet.path.taps for packet in strangers)
    for (carried_by, taps), same in alike.items():
        opened = openings(same, conversations)
        yield MediaPath.model_validate(
            {
                "from": stream.key.sender,
                "to": stream.key.receiver,
                "flows": in_order(name_of(item.flow) for item in opened),
                "transport": carried_by.name.lower(),
                "relayed_by": same[0].relayed_by,
                "taps": taps,
                "packets": len(same) + others[taps],
                "authenticated": len(same),
                "allocated_by": _allocated_by(same, turn),
                "ip": _versions(same),
            }
        )


def _allocated_by(paths: Iterable[Path], turn: Turn) -> tuple[str, ...]:
    """Whose allocations paths passed; the first and the last ends tell them apart."""
    distinct = {(path.first.ends, path.last.ends): path for path in paths}
    users = (one.user for path in distinct.values() for one in turn.passed(path))
    return tuple(dict.fromkeys(users))


def _versions(paths: Iterable[Path]) -> tuple[str, ...]:
    """The versions of IP that carried paths, in the order of the way."""
    distinct = {(path.first.ends, path.last.ends): path for path in paths}
    found = (address_of(seen.ends.src) for path in distinct.values() for seen in path.sightings)
    return tuple(dict.fromkeys(f"IPv{address.version}" for address in found))


def openings(paths: Iterable[Path], conversations: Conversations) -> list[Opened]:
    """Who opened the legs of paths, each conversation once."""
    distinct = {(path.first.ends, path.taps): path for path in paths}
    return [
        conversations.opened(leg)
        for path in distinct.values()
        for leg in legs(conversations.places, path)
    ]


def unlisted_legs(places: Places, opened: Iterable[Opened]) -> list[str]:
    """Both segments in words, for each leg to which the documents give no number."""
    return [
        f"media from {item.origin} to {item.target} goes from the {places.segment(item.origin)} "
        f"to the {places.segment(item.target)}, which has no flow number"
        for item in opened
        if name_of(item.flow) == UNLISTED
    ]


def losses(
    table: PacketTable, stream: Stream, is_explained: Callable[[Path], bool]
) -> list[Problem]:
    """Media that vanished on the way, other than on purpose or at the very end of the call."""
    gone = (path for path in lost_paths(stream) if not is_explained(path))
    lost = sorted(gone, key=_where_lost)
    return [_loss(table, stream, list(group)) for _, group in groupby(lost, key=_where_lost)]


def lost_paths(stream: Stream) -> list[Path]:
    """Paths of lost packets; without those after hang-up, when nobody takes them any more."""
    lost = [packet.path for packet in stream.packets if not packet.path.complete]
    taken = max((path.first.time for path in stream.arrived), default=0)
    if lost and lost[-1].first.time <= taken + _HANGUP:
        return [path for path in lost if path.first.time < taken]
    return lost


def _where_lost(path: Path) -> tuple[str, str]:
    return path.last.tap.name, path.lost_at or ""


def _loss(table: PacketTable, stream: Stream, lost: list[Path]) -> Problem:
    last = lost[0].last
    if last.far and last.way is Way.OUT:
        what = f"left {last.tap.name} and {_were(lost)} never seen to arrive at {last.far.name}"
    else:
        what = f"reached {last.tap.name} and {_were(lost)} never seen to go on"
    return Problem(
        Ground.HOLE,
        f"{_counted(lost)} from {stream.key.sender} to {stream.key.receiver} {what} "
        f"(first: frame {table.frame[last.row]} of {last.tap.name})",
        (cite(table, last.row, "media packet that was not seen to arrive"),),
    )


def astray(table: PacketTable, stream: Stream) -> Iterator[Problem]:
    """Media of a call that was seen elsewhere than on its way from sender to receiver."""
    elsewhere = sorted(_elsewhere(stream), key=lambda path: path.taps)
    for taps, group in groupby(elsewhere, key=lambda path: path.taps):
        paths = list(group)
        first = paths[0].first
        yield Problem(
            Ground.CALL,
            f"{_counted(paths)} from {stream.key.sender} to {stream.key.receiver} went astray "
            f"by {', '.join(taps)} (first: frame {table.frame[first.row]} of {first.tap.name})",
            (cite(table, first.row, "media packet that went astray"),),
        )


def _elsewhere(stream: Stream) -> Iterator[Path]:
    """Paths that are neither the packet's own nor its only one, cut short by a loss."""
    for packet in stream.packets:
        for path in packet.paths:
            alone = len(packet.paths) == 1 and not path.complete
            if path.rooted and not alone and not _joins(path, stream.key):
                yield path


def _counted(paths: Sequence[Path]) -> str:
    return "1 media packet" if len(paths) == 1 else f"{len(paths):,} media packets"


def _were(paths: Sequence[Path]) -> str:
    return "was" if len(paths) == 1 else "were"


def seconds_arrived(stream: Stream) -> float:
    """How long the receiver's tap saw media, from the first packet to the last, in seconds."""
    times = [path.last.time for path in stream.arrived]
    return (max(times) - min(times)) / _NANOSECONDS if times else 0.0


def too_short(
    table: PacketTable, planned: PlannedCall, streams: Iterable[Stream]
) -> Iterator[Problem]:
    """Directions of a call in which media was missing, or did not last as long as planned."""
    own = [stream for stream in streams if stream.arrived]
    for sender, receiver in ((planned.caller, planned.callee), (planned.callee, planned.caller)):
        sent = (stream for stream in own if stream.key.sender == sender)
        longest = max(sent, key=seconds_arrived, default=None)
        way = f"from {sender} to {receiver} in call {planned.id}"
        if longest is None:
            yield Problem(Ground.CALL, f"no authenticated media {way} arrived")
        elif (lasted := seconds_arrived(longest)) < planned.seconds:
            text = f"media {way} lasted {lasted:.2f} s, less than the planned {planned.seconds:g} s"
            last = max(path.last.row for path in longest.arrived)
            yield Problem(Ground.CALL, text, (cite(table, last, "the last media packet"),))


def strangers_at(
    places: Places, strangers: Iterable[Packet], sockets: Collection[Socket]
) -> list[Packet]:
    """Unauthenticated packets that may be media: on ICE sockets, at a perimeter or a relay.

    Elsewhere a packet may look like RTP by chance, as a DNS id can.
    """
    return [packet for packet in strangers if _may_be_media(places, packet, sockets)]


def _may_be_media(places: Places, packet: Packet, sockets: Collection[Socket]) -> bool:
    for path in packet.paths:
        if {socket_at_start(path), socket_at_end(path)} & set(sockets):
            return True
        if any(_is_watched(places, seen.tap) for seen in path.sightings):
            return True
    return False


def _is_watched(places: Places, tap: Tap) -> bool:
    return places.guards(tap) or places.role(tap.host) is Role.RELAY


def strange(table: PacketTable, strangers: Sequence[Packet]) -> Iterator[Problem]:
    """One sentence for each tap at which unauthenticated packets were sent."""
    ordered = sorted(strangers, key=lambda packet: packet.path.first.tap.name)
    for tap, group in groupby(ordered, key=lambda packet: packet.path.first.tap.name):
        packets = list(group)
        row = min(packet.path.first.row for packet in packets)
        yield Problem(
            Ground.UNKNOWN_MEDIA,
            _SINGLE_STRANGER.format(tap=tap, frame=table.frame[row])
            if len(packets) == 1
            else _STRANGERS.format(count=len(packets), tap=tap, frame=table.frame[row]),
            (cite(table, row, "looks like SRTP, but is under no key of this run"),),
        )


_SINGLE_STRANGER = (
    "1 packet looks like SRTP at {tap} (frame {frame}) but authenticates under no key of this run"
)
_STRANGERS = (
    "{count:,} packets look like SRTP at {tap} (first: frame {frame}) "
    "but authenticate under no key of this run"
)
