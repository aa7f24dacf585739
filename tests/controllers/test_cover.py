"""Boxes cut out of boxes leave exactly the points that are left."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from controllers.cover import Box, covering, remaining, subtract

SIZE = 5
Point = tuple[int, ...]

intervals = st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).map(
    lambda pair: (min(pair), max(pair))
)
boxes = st.tuples(intervals, intervals, intervals)


def points(box: Box) -> set[Point]:
    return set(product(*(range(first, last + 1) for first, last in box)))


def union(many: list[Box]) -> set[Point]:
    return {point for box in many for point in points(box)}


@given(boxes, boxes)
def test_what_is_cut_out_is_gone_and_the_rest_is_there(box: Box, cut: Box) -> None:
    assert union(subtract(box, cut)) == points(box) - points(cut)


@given(boxes, boxes)
def test_the_parts_do_not_overlap(box: Box, cut: Box) -> None:
    parts = subtract(box, cut)
    assert sum(len(points(part)) for part in parts) == len(union(parts))


@given(st.lists(boxes, max_size=3), st.lists(boxes, max_size=8))
def test_what_remains_of_many(many: list[Box], cuts: list[Box]) -> None:
    assert union(remaining(many, cuts)) == union(many) - union(cuts)


@given(
    st.lists(boxes, min_size=1, max_size=3),
    st.lists(st.lists(boxes, min_size=1, max_size=3), max_size=8),
)
def test_a_rule_is_covered_when_no_point_is_left(many: list[Box], earlier: list[list[Box]]) -> None:
    left, deciders = union(many), []
    for index, cuts in enumerate(earlier):
        if left & union(cuts):
            deciders.append(str(index))
        left -= union(cuts)
    named = [(str(index), cuts) for index, cuts in enumerate(earlier)]
    assert covering(many, named) == ([] if left else deciders)


def test_rules_that_take_nothing_are_not_named() -> None:
    left, right, both = ((0, 4),), ((5, 9),), ((0, 9),)
    earlier = [("left", [left]), ("left again", [left]), ("right", [right]), ("late", [both])]
    assert covering([both], earlier) == ["left", "right"]
