"""The bounds of clocks: the truth is always within, and one direction bounds one side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.inspection.clocks import Bounds, bounds, direction_by_delays

DELAYS = st.lists(st.integers(0, 10**9), max_size=50)
OFFSETS = st.integers(-(10**15), 10**15)


def stamped(delays: list[int], offset: int, sign: int) -> np.ndarray:
    """Differences of two clocks' times for packets with these delays."""
    return np.array([offset + sign * delay for delay in delays], np.int64)


@given(DELAYS, DELAYS, OFFSETS)
def test_the_truth_is_within_the_bounds(there: list[int], back: list[int], offset: int) -> None:
    found = bounds(stamped(there, offset, 1), stamped(back, offset, -1))
    assert found.low is None or found.low <= offset
    assert found.high is None or offset <= found.high
    assert (found.low is None, found.high is None) == (not back, not there)
    assert found.possible


@given(DELAYS.filter(bool), DELAYS.filter(bool), OFFSETS)
def test_the_estimate_is_as_wrong_as_the_least_delays_differ(
    there: list[int], back: list[int], offset: int
) -> None:
    found = bounds(stamped(there, offset, 1), stamped(back, offset, -1))
    assert found.middle is not None
    assert found.middle - offset == (min(there) - min(back)) // 2


@given(DELAYS, DELAYS, OFFSETS)
def test_delays_never_tell_the_wrong_direction(
    there: list[int], back: list[int], offset: int
) -> None:
    one, other = stamped(there, offset, 1), stamped(back, offset, -1)
    assert direction_by_delays(one, other) in (True, None)
    assert direction_by_delays(other, one) in (False, None)


def test_turned_around_the_bounds_change_places() -> None:
    assert Bounds(-3, 5).turned() == Bounds(-5, 3)
    assert Bounds(None, 5).turned() == Bounds(-5, None)


@pytest.mark.parametrize("one_sided", [Bounds(low=1), Bounds(high=1), Bounds()])
def test_one_side_gives_no_estimate(one_sided: Bounds) -> None:
    assert one_sided.middle is None
    assert not one_sided.closed


def test_a_clock_that_was_set_meanwhile_fits_no_offset() -> None:
    found = bounds(np.array([5, 100]), np.array([50]))
    assert (found.possible, found.closed, found.middle) == (False, False, None)
