"""The sightings of each packet at all taps, joined without a look at any single one.

Payloads say which sightings are alike, nearness in time which are of one packet: no
retransmission follows sooner than LONGEST_HOP (results.tracing.sightings). Which tap comes before
which is for the topology to say (results.tracing.paths); this is for those who have none, and for
numbers of packets for which that is too slow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.packets import PacketTable
from results.tracing.identity import identities
from results.tracing.sightings import LONGEST_HOP


@dataclass(frozen=True, eq=False)
class Passages:
    """Sightings grouped by packet.

    ``rows`` are rows of the table, those of one packet side by side in order of time;
    ``begins`` says where in them those of each packet begin.
    """

    rows: NDArray[np.intp]
    begins: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.begins)

    def of(self, number: int) -> NDArray[np.intp]:
        """The rows of one packet."""
        end = self.begins[number + 1] if number + 1 < len(self) else len(self.rows)
        return self.rows[self.begins[number] : end]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many sightings there are of each packet."""
        return np.diff(np.append(self.begins, len(self.rows)))


def join(table: PacketTable, rows: NDArray[np.intp] | None = None) -> Passages:
    """Join the sightings of UDP packets, of all taps or only of some rows in order of time.

    A packet that a tap sees a second time in the same direction, however soon, is another
    one: the first sightings of it at all taps are joined, then the second ones.
    """
    if rows is None:
        rows = np.flatnonzero(table.fingerprint)
    alike = identities(table, rows)
    order = _grouped(alike)
    rows, alike = rows[order], alike[order]
    time = table.time[rows]
    begins = _changes(alike) | (np.diff(time, prepend=time[:1]) > LONGEST_HOP)
    cluster = np.cumsum(begins, dtype=np.int64)
    again = _times_seen(cluster, table.tap[rows].astype(np.int64) * 2 + table.outgoing[rows])
    if again.any():
        order = np.lexsort((np.arange(len(rows)), again, cluster))
        rows, cluster, again = rows[order], cluster[order], again[order]
        begins = _changes(cluster) | _changes(again)
    return Passages(rows, np.flatnonzero(begins))


def _grouped(numbers: NDArray[np.int64]) -> NDArray[np.intp]:
    """An order in which equal numbers stand side by side, and otherwise keep theirs."""
    # Both halves of a number sort faster than a stable sort of the upper ones.
    return np.sort(numbers << 32 | np.arange(len(numbers))) & (2**32 - 1)


def _changes(column: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where another value begins."""
    changes: NDArray[np.bool_] = np.diff(column, prepend=column[:1] - 1) != 0
    return changes


def _times_seen(cluster: NDArray[np.int64], where: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each sighting's cluster was seen at the same place before."""
    places = int(where.max(initial=0)) + 1
    keys = cluster * places + where
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(_changes(ordered))
    sizes = np.diff(np.append(begins, len(keys)))
    seen = np.empty(len(keys), np.int64)
    seen[order] = np.arange(len(keys)) - np.repeat(begins, sizes)
    return seen
