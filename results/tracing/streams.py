"""TURN over TCP and TLS as rows of the packet table, so that it is followed as over UDP.

A message of a stream becomes a row beside that of the segment with which it was complete: it
has its frame, time and addresses, but the kind and payload of a datagram that says the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.packets import ACK, SYN, Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.protocols import tls
from results.protocols.turn_streams import StreamMessage, messages_of
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Ends, Sighting
from results.wire.batches import read_udp_payloads
from results.wire.columns import NAMES, Columns, Spans
from results.wire.data import Data
from results.wire.near import Near
from topologies.spec import Role

KeyLogs = Mapping[str, Mapping[bytes, bytes]]


class Carrier(IntEnum):
    """What carries TURN between a client and its relay, the farther from plain UDP the higher."""

    UDP = 0
    TCP = 1
    TLS = 2
    #: TLS, through an HTTP proxy.
    PROXY = 3


#: A tap by its name, and the ends of a packet there.
_Where = tuple[str, Ends]


@dataclass(frozen=True)
class Streams:
    """A table with the messages of streams in it, what carried them, and what cannot be read."""

    table: PacketTable
    problems: tuple[Problem, ...] = ()
    _carriers: Mapping[_Where, Carrier] = field(default_factory=dict)

    def carrier(self, path: Path) -> Carrier:
        """What carried a packet where that was farthest from plain UDP."""
        return max(map(self._carrier_at, path.sightings))

    def _carrier_at(self, seen: Sighting) -> Carrier:
        return self._carriers.get((seen.tap.name, seen.ends), Carrier.UDP)


def with_streams(table: PacketTable, places: Places, keys: KeyLogs) -> Streams:
    """The table with all messages of TURN in connections with relays, direct or by a proxy.

    ``keys`` are the TLS keys of the users.
    """
    keylog = {random: secret for log in keys.values() for random, secret in log.items()}
    carriers: dict[_Where, Carrier] = {}
    problems: list[Problem] = []
    found: dict[int, list[StreamMessage]] = {}
    for connection, tap in to_relays(table, places):
        try:
            messages = list(messages_of(connection, keylog))
        except tls.TlsError as error:
            problems.append(_unreadable(table, connection, error))
            continue
        found.setdefault(tap, []).extend(messages)
        if table.taps[tap].host in keys:
            problems += _weak(table, connection)
        ends = Ends(*connection.client, *connection.server)
        for way in (ends, ends.reversed()):
            carriers[table.taps[tap].name, way] = _carrier(connection)
    return Streams(_with_rows(table, found), tuple(problems), carriers)


def to_relays(table: PacketTable, places: Places) -> Iterator[tuple[tls.Connection, int]]:
    """The connections that lead to relays, each with the number of the tap that saw it."""
    opens = ((table.tcp_flags & (SYN | ACK)) == SYN) & (table.kind == Kind.TCP)
    rows = np.flatnonzero(opens)
    opened = set(zip(table.tap[rows].tolist(), table.addresses(rows)[1], strict=True))
    led = {(tap, places.reached_at(server)) for tap, server in opened}
    for tap in sorted({tap for tap, host in led if _may_lead_to_relay(host, places)}):
        for connection in tls.connections(table, tap):
            if _leads_to_relay(connection, places):
                yield connection, tap


def _may_lead_to_relay(host: str | None, places: Places) -> bool:
    return host is not None and places.role(host) in (Role.RELAY, Role.PROXY)


def _leads_to_relay(connection: tls.Connection, places: Places) -> bool:
    """Whether a connection leads to a relay, and was not given up before a word was said."""
    if connection.client_random is not None and not connection.says_anything:
        return False
    if connection.proxied_to is None:
        server = places.reached_at(connection.server[0])
        return server is not None and places.role(server) is Role.RELAY
    target = places.domains.get(connection.proxied_to.rpartition(":")[0])
    return target is not None and target.role is Role.RELAY


def _carrier(connection: tls.Connection) -> Carrier:
    if connection.proxied_to:
        return Carrier.PROXY
    return Carrier.TCP if connection.client_random is None else Carrier.TLS


def _weak(table: PacketTable, connection: tls.Connection) -> Iterator[Problem]:
    """TLS other than the service asks for: 1.2 with AES-256-GCM."""
    if connection.suite is not None and connection.suite not in tls.AES_256_GCM:
        frame = cite(table, connection.syn_row, "opens a connection of the wrong TLS")
        text = (
            f"TURN over TLS with {connection.sni} uses suite 0x{connection.suite:04X}, not one "
            f"of AES-256-GCM (opened by frame {frame.frame} of {frame.tap})"
        )
        yield Problem(Ground.CALL, text, (frame,))


def _unreadable(table: PacketTable, connection: tls.Connection, error: tls.TlsError) -> Problem:
    frame = cite(table, connection.syn_row, "opens a connection to a relay that cannot be read")
    return Problem(Ground.KEYS, f"TURN over TLS cannot be read: {error}", (frame,))


class _Rows(NamedTuple):
    """Rows that are to be added, with the file of their tap in which their payloads lie."""

    columns: Columns
    tap: NDArray[np.int16]
    file: Data


def _with_rows(table: PacketTable, found: Mapping[int, list[StreamMessage]]) -> PacketTable:
    """The table with a row for each message, in order of time."""
    files = list(table.files)
    added = [_rows(table, tap, messages) for tap, messages in found.items() if messages]
    if not added:
        return table
    for rows in added:
        files[int(rows.tap[0])] = rows.file
    time = np.concatenate([table.time, *(rows.columns.time for rows in added)])
    order = np.argsort(time, kind="stable")
    columns: dict[str, Any] = {
        name: np.concatenate(
            [getattr(table, name), *(getattr(rows.columns, name) for rows in added)]
        )[order]
        for name in NAMES
    }
    tap = np.concatenate([table.tap, *(rows.tap for rows in added)])[order]
    return replace(table, tap=tap, files=tuple(files), **columns)


def _rows(table: PacketTable, tap: int, messages: list[StreamMessage]) -> _Rows:
    """One tap's messages as rows; what they say is put at the end of its file."""
    carriers = np.array([message.row for message in messages])
    columns = Columns(**{name: getattr(table, name)[carriers] for name in NAMES})
    columns.tcp_seq[:] = columns.tcp_flags[:] = 0
    payloads = [message.message.payload for message in messages]
    before = table.files[tap]
    file = Data(before[0 : len(before)] + b"".join(payloads))
    sizes = np.array([len(payload) for payload in payloads], np.int64)
    end = len(before) + np.cumsum(sizes)
    spans = Spans(np.arange(len(payloads)), end - sizes, end)
    read_udp_payloads(Near(file, spans.start), spans, columns)
    return _Rows(columns, np.full(len(payloads), tap, np.int16), file)
