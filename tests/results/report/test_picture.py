"""Drawings of any flows: lines of their own, within the picture, from end to end."""

import re
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.report.arrows import Refusal
from results.report.columns import Drawn
from results.report.lines import levels, rounded
from results.report.picture import draw
from results.report.shapes import Picture
from results.report.sites import scenery
from results.report.stacks import NARROW, WIDE, Measures, stack
from results.report.trips import Planner, Trip
from results.tracing.routes import way_around
from topologies.reference import office_with_vpn
from topologies.spec import Network, Role

NETWORK = office_with_vpn()
POLICIES = {"office": "service_only", "vpn": "vpn_media_bypass", "branch": "branch_no_udp"}
SEEN = scenery(NETWORK, POLICIES, ())
PLANNER = Planner(NETWORK, SEEN)
ENDS = [host.name for host in NETWORK.hosts if host.role not in (Role.ROUTER, Role.NAT)]

EVERYBODY = [host.name for host in NETWORK.hosts]
#: What may refuse something; a firewall that is no policy's is drawn nowhere.
DEVICES = [*EVERYBODY, *(firewall.name for firewall in NETWORK.firewalls), "unknown"]

PAIRS = st.lists(
    st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS)).filter(lambda pair: pair[0] != pair[1]),
    max_size=12,
)
MEASURES = st.sampled_from([WIDE, NARROW])


def trip(network: Network, origin: str, target: str) -> Trip:
    """The line of a flow between two hosts, by the shortest way."""
    return PLANNER.along(way_around(network, origin, target))


def picture(pairs: list[tuple[str, str]], measures: Measures) -> Picture:
    return draw(SEEN, [Drawn(trip(NETWORK, *pair)) for pair in pairs], measures)


def corners(path: str) -> list[tuple[float, float]]:
    """The points of a path."""
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


@given(PAIRS, MEASURES)
def test_every_line_lies_within_the_picture(
    pairs: list[tuple[str, str]], measures: Measures
) -> None:
    seen = picture(pairs, measures)
    assert len(seen.lines) == len(pairs)
    for line in seen.lines:
        for x, y in (*corners(line.path), line.middle):
            assert 0 <= x <= seen.width
            assert 0 <= y <= seen.height


@given(PAIRS, MEASURES)
def test_a_line_leads_from_host_to_host(pairs: list[tuple[str, str]], measures: Measures) -> None:
    seen = picture(pairs, measures)
    boxes = {chip.host.name: chip.box.around(1) for chip in seen.chips}
    for (origin, target), line in zip(pairs, seen.lines, strict=True):
        points = corners(line.path)
        for name, (x, y) in ((origin, points[0]), (target, points[-1])):
            box = boxes[name]
            assert box.x <= x <= box.x + box.width
            assert box.y <= y <= box.y + box.height


@given(PAIRS, MEASURES)
def test_nothing_that_stands_overlaps(pairs: list[tuple[str, str]], measures: Measures) -> None:
    seen = picture(pairs, measures)
    for one, other in combinations([chip.box for chip in seen.chips], 2):
        beside = one.x + one.width <= other.x or other.x + other.width <= one.x
        above = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert beside or above


@given(PAIRS, MEASURES)
def test_lines_pass_a_gate_in_lanes_of_their_own(
    pairs: list[tuple[str, str]], measures: Measures
) -> None:
    trips = [trip(NETWORK, *pair) for pair in pairs]
    found = sorted(stack(SEEN, trips, measures).lanes.values())
    assert all(after - before >= measures.lane for before, after in pairwise(found))


def test_a_line_that_needs_no_turn_is_straight() -> None:
    pairs = [("alice", "front_end")]
    one = stack(SEEN, [trip(NETWORK, *pairs[0])], WIDE)
    first, lane, _ = levels(one, [trip(NETWORK, *pairs[0])], 0)
    assert first == pytest.approx(lane)


@given(
    st.lists(st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(DEVICES)), max_size=10),
    st.booleans(),
    MEASURES,
)
def test_any_refusal_can_be_drawn(
    refused: list[tuple[str, str]], policies: bool, measures: Measures
) -> None:
    ends = {name for pair in refused for name in pair}
    seen = scenery(NETWORK, POLICIES if policies else {}, ends)
    if not measures.wide:
        seen = seen.only(ends)
    planner = Planner(NETWORK, seen)
    drawn = [
        Drawn(planner.of_refusal(Refusal(origin, None, by, ("rule",), ())), "rule")
        for origin, by in refused
    ]
    assert all(line.words for line in draw(seen, drawn, measures).lines)


@given(st.lists(st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(EVERYBODY))), MEASURES)
def test_any_flow_can_be_drawn(pairs: list[tuple[str, str]], measures: Measures) -> None:
    seen = scenery(NETWORK, POLICIES, EVERYBODY)
    planner = Planner(NETWORK, seen)
    drawn = [Drawn(planner.along(pair)) for pair in pairs]
    assert len(draw(seen, drawn, measures).lines) == len(pairs)


def test_a_refusal_ends_at_the_device_with_its_words() -> None:
    refused = PLANNER.of_refusal(Refusal("alice", None, "office", ("no_direct_media",), ()))
    seen = draw(SEEN, [Drawn(refused, "no_direct_media")], WIDE)
    (line,) = seen.lines
    wall = next(w for w in seen.walls if any(label.text == "office" for label in w.labels))
    assert line.words
    assert line.words.text == "no_direct_media"
    assert wall.box.x - 2 <= line.end[0] <= wall.box.x
    assert wall.box.y <= line.end[1] <= wall.box.y + wall.box.height


def test_corners_are_round() -> None:
    assert rounded([(0, 0), (10, 0), (10, 10)]) == "M0.0 0.0L5.0 0.0Q10.0 0.0 10.0 5.0L10.0 10.0"
