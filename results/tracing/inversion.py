"""That packets leave before they arrive, on every cable.

The clocks of the two ends of a cable can invert now and then by some µs. Where most
packets arrive before they left, one end ran by another clock, or what is taken for
the capture of one end is that of the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.tracing.paths import Path
from results.tracing.sightings import Sighting, Way
from topologies.spec import Tap

#: Of fewer packets, half may invert by chance.
_ENOUGH = 8


def inverted_cables(table: PacketTable, paths: Iterable[Path]) -> Iterator[Problem]:
    """Cables on which most packets of one direction arrived before they left."""
    passed: Counter[tuple[Tap, Tap]] = Counter()
    inverted: dict[tuple[Tap, Tap], list[Sighting]] = {}
    for out, into in _cables(paths):
        passed[out.tap, into.tap] += 1
        if into.time < out.time:
            inverted.setdefault((out.tap, into.tap), []).append(into)
    for (left, arrived), early in inverted.items():
        if passed[left, arrived] >= _ENOUGH and 2 * len(early) > passed[left, arrived]:
            yield Problem(
                Ground.HOLE,
                f"{len(early):,} of {passed[left, arrived]:,} packets reached {arrived.name} "
                f"before they left {left.name}: one of the two ran by another clock, or is not "
                f"what it says (first: frame {table.frame[early[0].row]} of {arrived.name})",
                (cite(table, early[0].row, f"arrived before it left {left.name}"),),
            )


def _cables(paths: Iterable[Path]) -> Iterator[tuple[Sighting, Sighting]]:
    """Each time that a packet left one end of a link and arrived at another."""
    for path in paths:
        for out, into in pairwise(path.sightings):
            if out.way is Way.OUT and into.way is Way.IN:
                yield out, into
