"""What front ends of different regions said to each other, opened with their own key logs.

The front ends that serve one call must have spoken of it: an invite that is taken in one
region is told in another only if it was passed on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import unquote

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.http import Exchange, HttpError, exchanges
from results.protocols.tls import TLS_1_2, Connection, TlsError, connections
from results.schema import Nearness
from results.setup.signalling import KeyLogs, weak_tls
from results.tracing.places import Places
from results.tunnelling.vpn import Findings, Remark
from topologies.addresses import address_of


@dataclass(frozen=True)
class PassedOn:
    """A request of one front end to another, and its answer."""

    origin: str
    target: str
    exchange: Exchange

    def tells_of(self, call: str) -> bool:
        """Whether request or answer name a call."""
        said = (self.exchange.body, self.exchange.response_body or b"")
        return call in unquote(self.exchange.target) or any(call.encode() in text for text in said)


def sharing_findings(
    table: PacketTable, places: Places, keys: KeyLogs, calls: Mapping[str, Sequence[Nearness]]
) -> Findings:
    """Whether the front ends of each call spoke of it; ``calls`` have who served them."""
    said, unreadable = passed_on(table, places, keys)
    return Findings(
        remarks=tuple(map(Remark, _words(said, calls))),
        problems=(*unreadable, *silences(said, calls)),
    )


def passed_on(
    table: PacketTable, places: Places, keys: KeyLogs
) -> tuple[list[PassedOn], list[Problem]]:
    """All that was said, and what could not be read; ``keys`` are by front end."""
    found: list[PassedOn] = []
    problems: list[Problem] = []
    for origin, target, connection in _between(table, places, keys):
        problems += weak_tls(table, origin, connection)
        if connection.version == TLS_1_2:
            try:
                said = exchanges(connection.decrypt(keys[origin]))
                found += (PassedOn(origin, target, one) for one in said)
            except (TlsError, HttpError) as error:
                problems.append(_unreadable(table, connection, origin, error))
    return found, problems


def _between(
    table: PacketTable, places: Places, keys: Mapping[str, object]
) -> Iterator[tuple[str, str, Connection]]:
    """The TLS connections that a front end opened with one of another region."""
    for index, tap in enumerate(table.taps):
        if tap.host not in keys or not tap.link:
            continue
        for connection in connections(table, index):
            ends = (places.owner(end[0]) for end in (connection.client, connection.server))
            origin, target = ((end or "") for end in ends)
            between = origin == tap.host and places.between_regions(origin, target)
            if between and connection.version is not None:
                yield origin, target, connection


def _unreadable(
    table: PacketTable, connection: Connection, origin: str, error: TlsError | HttpError
) -> Problem:
    frame = cite(table, connection.syn_row, "opens a connection that cannot be read")
    to = address_of(connection.server[0])
    text = f"what {origin} says to the front end at {to} cannot be read: {error}"
    return Problem(Ground.KEYS, text, (frame,))


def silences(
    said: Sequence[PassedOn], calls: Mapping[str, Iterable[Nearness]]
) -> Iterator[Problem]:
    """Front ends that serve a call with others, and were not seen to speak of it."""
    for call, served in calls.items():
        own = dict.fromkeys(one.server for one in served if one.role == "front end")
        told = [one for one in said if one.tells_of(call)]
        spoke = set(chain.from_iterable((one.origin, one.target) for one in told))
        for silent in [front_end for front_end in own if front_end not in spoke]:
            if len(own) > 1:
                text = f"{silent} serves call {call} with others, but nothing of it was seen to "
                yield Problem(Ground.UNMEASURED, f"{text}pass between them")


def _words(said: Sequence[PassedOn], calls: Iterable[str]) -> Iterator[str]:
    """For each call, how many requests about it front ends passed on, and by whom."""
    for call in calls:
        told = [one for one in said if one.tells_of(call)]
        if told:
            ways = dict.fromkeys(f"{one.origin} to {one.target}" for one in told)
            yield f"{len(told)} requests of call {call} passed on from {' and '.join(ways)}"
