"""That a tap saw nothing means something only while the tap worked.

A canary crossed every tap's link before and after the media, and the capture
program dropped nothing: only then is silence there evidence (DESIGN.md, "What
counts as proof", 4).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from results.canary_frames import Moment, canary
from results.packets import Kind, PacketTable
from results.problems import Ground, Problem
from results.schema import Ending, Run
from results.words import packets_in_words

#: After all times that a table can hold.
_NEVER = 2**63


@dataclass(frozen=True)
class Canaries:
    """When each tap saw its canaries arrive, in ns: the first "before", the last "after"."""

    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    def is_apart(self, tap: str) -> bool:
        """Whether a tap's canaries came before or after all that most other taps saw.

        Its clock is another one then, since canaries cross all links in the same moments.
        """
        first = median(self.before.values()) if self.before else 0
        last = median(self.after.values()) if self.after else _NEVER
        return self.after.get(tap, last) < first or self.before.get(tap, first) > last

    @property
    def end(self) -> int:
        """When the first capture may have ended, in ns; later packets may be in some only."""
        return min(self.after.values(), default=_NEVER)


def find_canaries(table: PacketTable, run: str) -> Canaries:
    """The canaries of this run; those that a tap's own host sent out do not count."""
    found = Canaries()
    for row in np.flatnonzero((table.kind == Kind.CANARY) & ~table.outgoing).tolist():
        # Ethernet fills a short frame up with zeros (IEEE 802.3, 4.2.3.3).
        tap, text = table.tap_name(row), table.payload(row).rstrip(b"\0")
        if text == canary(run, tap, Moment.BEFORE):
            found.before.setdefault(tap, int(table.time[row]))
        elif text == canary(run, tap, Moment.AFTER):
            found.after[tap] = int(table.time[row])
    return found


def canary_problems(
    table: PacketTable,
    canaries: Canaries,
    media: tuple[int, int] | None,
    late: Collection[str] = (),
) -> Iterator[Problem]:
    """Taps whose canaries do not embrace media's time (its first and last packet, ns).

    At the taps of ``late`` the first canary comes in mid-call.
    """
    first, last = media or (None, None)
    blind: dict[str, list[str]] = {}
    for tap in table.taps:
        for why in _doubts(canaries, tap.name, None if tap.name in late else first, last):
            blind.setdefault(why, []).append(tap.name)
    for why, taps in blind.items():
        yield Problem(
            Ground.CANARY,
            f"{', '.join(taps)} may have been blind: {why}, so silence there proves nothing",
        )


def _doubts(canaries: Canaries, tap: str, first: int | None, last: int | None) -> Iterator[str]:
    before, after = canaries.before.get(tap), canaries.after.get(tap)
    if before is None:
        yield "no canary arrived before the calls"
    elif first is not None and before > first:
        yield "the first canary arrived only after media's time had begun"
    if after is None:
        yield "no canary arrived after the calls"
    elif last is not None and after < last:
        yield "the last canary arrived before media's time had ended"
    if canaries.is_apart(tap):
        yield "its canaries and those of other taps arrived at different times"


def late_taps(run: Run) -> frozenset[str]:
    """Taps of tunnels that come up during a call: no canary passes them before that.

    A gateway hears the canaries of its first client.
    """
    late = set()
    for connection in run.connections:
        vpn = run.network.vpn(connection.vpn)
        late.add(vpn.interface_of(connection.host))
        if connection.host == vpn.clients[0].host:
            late.add(vpn.interface_of(vpn.gateway))
    return frozenset(late)


def foreign_captures(table: PacketTable) -> Iterator[Problem]:
    """Captures of another interface than their tap's."""
    for tap, interface in zip(table.taps, table.interfaces, strict=True):
        if interface not in (None, tap.interface):
            text = f"the capture of {tap.name} is of {interface}, not of {tap.interface}"
            yield Problem(Ground.CAPTURE, text)


def count_problems(table: PacketTable, ending: Ending) -> Iterator[Problem]:
    """Taps that dropped packets, or whose capture is not what the capture program counted."""
    frames = np.bincount(table.tap, minlength=len(table.taps)).tolist()
    for tap, held in zip(table.taps, frames, strict=True):
        count = ending.taps.get(tap.name)
        if count is None:
            yield Problem(Ground.HOLE, f"{tap.name} has no packet counters in ending.json")
        elif count.dropped:
            dropped = packets_in_words(count.dropped)
            yield Problem(Ground.HOLE, f"{tap.name} dropped {dropped}")
        elif count.lost:
            lost = packets_in_words(count.lost)
            yield Problem(
                Ground.HOLE,
                f"the kernel dropped {lost} at the interface of {tap.name}, "
                "which the capture there may not have seen",
            )
        elif count.received != held:
            yield Problem(
                Ground.HOLE,
                f"the capture of {tap.name} holds {held} frames, "
                f"but the capture program counted {count.received}",
            )
