"""Which packets are left for a rule after the rules before it: exact geometry of boxes.

A box is one closed interval of integers in each dimension (source, destination,
protocol, port). What a rule matches is a union of boxes; what earlier rules
decide is cut out of it. When nothing is left, the rule can never decide.
"""

from collections.abc import Iterable, Sequence

#: First and last value, both included.
Interval = tuple[int, int]

#: One interval for each dimension.
Box = tuple[Interval, ...]


def subtract(box: Box, cut: Box) -> list[Box]:
    """The parts of a box outside ``cut``, as boxes that do not overlap."""
    if not _overlap(box, cut):
        return [box]
    parts = []
    for axis, (low, high) in enumerate(cut):
        first, last = box[axis]
        if first < low:
            parts.append(_with(box, axis, (first, low - 1)))
        if high < last:
            parts.append(_with(box, axis, (high + 1, last)))
        # What is left to split lies within the cut in this dimension.
        box = _with(box, axis, (max(first, low), min(last, high)))
    return parts


def remaining(boxes: Iterable[Box], cuts: Iterable[Box]) -> list[Box]:
    """The parts of the boxes that lie in no cut."""
    left = list(boxes)
    for cut in cuts:
        left = [part for box in left for part in subtract(box, cut)]
    return left


def covering(boxes: Sequence[Box], earlier: Iterable[tuple[str, Sequence[Box]]]) -> list[str]:
    """Names of the earlier rules that between them decide every packet of the boxes.

    Empty when packets are left over. Only rules that decide some of these
    packets are named: each cuts out what the ones before it have left.
    """
    left, names = list(boxes), []
    for name, cuts in earlier:
        if any(_overlap(box, cut) for box in left for cut in cuts):
            names.append(name)
            left = remaining(left, cuts)
        if not left:
            return names
    return []


def _overlap(one: Box, other: Box) -> bool:
    return all(
        low <= last and first <= high for (first, last), (low, high) in zip(one, other, strict=True)
    )


def _with(box: Box, axis: int, interval: Interval) -> Box:
    return (*box[:axis], interval, *box[axis + 1 :])
