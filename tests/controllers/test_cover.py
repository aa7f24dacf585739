"""Boxes cut out of boxes leave exactly what is left; rules that are left nothing are refused."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controllers.cover import Box, covering, remaining, subtract
from controllers.policy import Policy, PolicyError, load

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


ZONES = """\
name: example
because: it is one
zones:
  lan: {side: inside, addresses: [10.10.0.0/24]}
  low: {side: inside, addresses: [10.10.0.0/25]}
  high: {side: inside, addresses: [10.10.0.128/25]}
  relay: {side: outside, addresses: [203.0.113.9]}
  internet: {side: outside}
rules:
"""


def read(folder: Path, *rules: str) -> Policy:
    """A policy with these rules, one a line from line 10."""
    file = folder / "policy.yaml"
    file.write_text(ZONES + "\n".join(f"  - {{because: x, {rule}}}" for rule in rules))
    return load(file)


def test_a_rule_that_one_earlier_rule_covers(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        read(
            tmp_path,
            "name: all_udp, action: deny, from: lan, to: internet, protocol: udp",
            "name: turn, action: allow, from: lan, to: relay, protocol: udp, ports: [3478]",
        )
    assert str(caught.value) == (
        f'{tmp_path}/policy.yaml:11:24: "turn" never decides; earlier rules cover it: all_udp'
    )


def test_a_rule_that_only_a_union_of_earlier_ones_covers(tmp_path: Path) -> None:
    earlier = (
        "name: low, action: deny, from: low, to: internet, protocol: any",
        "name: tcp, action: allow, from: lan, to: relay, protocol: tcp",
        "name: one, action: allow, from: high, to: relay, protocol: udp, ports: [1-3000]",
        "name: two, action: deny, from: high, to: relay, protocol: udp, ports: [3001-4000]",
    )
    turn = "name: turn, action: allow, from: lan, to: relay, protocol: udp, ports: [53, 3478]"
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, *earlier, turn)
    assert str(caught.value) == (
        f'{tmp_path}/policy.yaml:14:24: "turn" never decides; earlier rules cover it: low, one, two'
    )
    for missing in (0, 2, 3):
        kept = [rule for index, rule in enumerate(earlier) if index != missing]
        assert read(tmp_path, *kept, turn).rules[-1].name == "turn"


def test_a_rule_covers_none_from_another_side(tmp_path: Path) -> None:
    there = "name: there, action: allow, from: lan, to: internet, protocol: any"
    back = "name: back, action: allow, from: internet, to: lan, protocol: any"
    wide = "name: wide, action: deny, from: internet, to: lan, protocol: any"
    assert len(read(tmp_path, there, back).rules) == 2
    with pytest.raises(PolicyError, match='"wide" never decides; earlier rules cover it: back'):
        read(tmp_path, there, back, wide)
