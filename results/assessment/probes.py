"""The probes of a host, as they left it and were answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from results.evidence import Reading
from results.packets import ACK, RST, SYN, PacketTable
from results.protocols import stun
from results.setup.checks import Spoken
from results.tracing.openings import syns
from results.tracing.paths import Path, follow

#: TLS records in which the two ends say what TLS is there for (RFC 5246, section 6.2.1).
_APPLICATION_DATA = 23


@dataclass(frozen=True)
class Probe:
    """A packet that should be answered, and when its answer came back in ns; None for never."""

    path: Path
    answer: int | None

    @property
    def round_trip_ms(self) -> float | None:
        """From the host's tap to the host's tap."""
        return None if self.answer is None else (self.answer - self.path.first.time) / 1e6


@dataclass(frozen=True)
class Way:
    """From a host to an address and port of the service, while it was tried.

    Two ways may lead to one port, as TCP and TLS to a relay do; they are tried in turn.
    """

    reading: Reading
    host: str
    address: int
    port: int
    #: From when until when, in ns.
    since: float = -inf
    until: float = inf

    @property
    def _table(self) -> PacketTable:
        return self.reading.table

    def bindings(self) -> Iterator[Probe]:
        """Binding requests over UDP, in the order of time."""
        answers = {
            item.message.transaction_id: item.path.last.time
            for item in self.answers(stun.Method.BINDING)
        }
        for item in self._in_order():
            is_request = item.message.message_class is stun.Class.REQUEST
            if is_request and item.message.method == stun.Method.BINDING and self._leads(item.path):
                yield Probe(item.path, answers.get(item.message.transaction_id))

    def answers(self, method: stun.Method) -> Iterator[Spoken]:
        """Success responses that came to the host from there over UDP."""
        for item in self._in_order():
            path, message = item.path, item.message
            said = (message.method, message.message_class) == (method, stun.Class.SUCCESS)
            source = (path.last.ends.src, path.last.ends.sport)
            arrived = path.complete and path.target == self.host
            if said and arrived and source == (self.address, self.port):
                yield item

    def connections(self) -> Iterator[Probe]:
        """Every SYN, those that were repeated too, of which only the last may be answered."""
        travels = follow(self._table, self.reading.places, *syns(self._table))
        for copies in travels.groups:
            own = [path for path in copies if self._leads(path)]
            for path in own[:-1]:
                yield Probe(path, None)
            for path in own[-1:]:
                yield Probe(path, self._syn_ack(path))

    def was_reset(self, syn: Path) -> bool:
        """Whether nobody took a connection."""
        return bool((self._table.tcp_flags[self._back(syn)] & RST).any())

    def has_spoken(self, syn: Path, tls: bool) -> bool:
        """Whether the server said something on a connection, other than TLS of its own."""
        said = (self._table.payload(row) for row in self._back(syn).tolist())
        return any(text[:1] == bytes([_APPLICATION_DATA]) if tls else text for text in said)

    def _in_order(self) -> list[Spoken]:
        return sorted(self.reading.spoken, key=lambda item: item.path.first.time)

    def _leads(self, path: Path) -> bool:
        """Whether a packet goes from the host to there."""
        ends = path.first.ends
        meanwhile = self.since <= path.first.time < self.until
        there = (ends.dst, ends.dport) == (self.address, self.port)
        return path.origin == self.host and there and meanwhile

    def _syn_ack(self, syn: Path) -> int | None:
        rows = self._back(syn)
        flags = self._table.tcp_flags[rows] & (SYN | ACK)
        found = rows[flags == (SYN | ACK)]
        return int(self._table.time[found[0]]) if len(found) else None

    def _back(self, syn: Path) -> NDArray[np.intp]:
        """Rows of what came back to where a SYN was first seen."""
        table, ends = self._table, syn.first.ends
        rows = np.flatnonzero(
            (table.tap == table.tap[syn.first.row])
            & (table.sport == ends.dport)
            & (table.dport == ends.sport)
        )
        found = zip(rows.tolist(), *table.addresses(rows), strict=True)
        back = [row for row, src, dst in found if (src, dst) == (ends.dst, ends.src)]
        return np.array(back, dtype=np.intp)
