"""One direction of an impaired cable, with times and chance given."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topologies.lane import LATE, Lane

MS = 1_000_000


def never() -> float:
    """Chance that spares every frame, and puts jitter at its most."""
    return 1.0


def lane(**more: float) -> Lane:
    asked = {"delay_ms": 20.0, "jitter_ms": 0.0, "loss": 0.0, **more}
    return Lane(asked["delay_ms"], asked["jitter_ms"], asked["loss"], never)


def test_a_frame_leaves_so_long_after_it_came() -> None:
    one = lane()
    one.take(b"frame", 5 * MS)
    assert one.due == 25 * MS
    assert list(one.leaving(25 * MS - 1)) == []
    assert list(one.leaving(25 * MS)) == [b"frame"]
    assert one.late == 0
    assert list(one.leaving(60 * MS)) == []


def test_a_frame_that_leaves_late_is_counted() -> None:
    one = lane()
    one.take(b"in time", 0)
    one.take(b"late", 0)
    leaving = one.leaving(20 * MS + LATE)
    assert (next(leaving), one.late) == (b"in time", 0)
    assert list(one.leaving(20 * MS + LATE + 1)) == [b"late"]
    assert one.late == 1


@pytest.mark.parametrize(("drawn", "delay"), [(0.0, 15), (0.5, 20), (1.0, 25)])
def test_jitter_goes_both_ways(drawn: float, delay: int) -> None:
    one = Lane(20.0, 5.0, 0.0, lambda: drawn)
    one.take(b"frame", 0)
    assert one.due == delay * MS


def test_a_full_lane_overflows_and_does_not_call_that_loss() -> None:
    one = Lane(20.0, 0.0, 0.0, never, room=2)
    for number in range(3):
        one.take(bytes([number]), 0)
    assert (one.lost, one.overflowed) == (0, 1)
    assert list(one.leaving(20 * MS)) == [b"\0", b"\1"]


def test_so_many_frames_are_lost_as_is_asked() -> None:
    one = Lane(0.0, 0.0, 0.1, np.random.default_rng(1).random)
    for _ in range(10_000):
        one.take(b"", 0)
    # Of 10,000, fewer than one run in a million loses fewer than 850 or more than 1,150.
    assert 850 <= one.lost <= 1_150
    assert one.lost + len(list(one.leaving(0))) == 10_000


@given(
    st.lists(st.integers(0, 1000 * MS)),
    st.floats(0, 100),
    st.randoms(use_true_random=False),
)
def test_frames_never_overtake_each_other(
    arrivals: list[int], jitter: float, chance: Random
) -> None:
    one = Lane(100.0, jitter, 0.0, chance.random)
    last = 0
    for number, arrived in enumerate(sorted(arrivals)):
        one.take(str(number).encode(), arrived)
    for number, _ in enumerate(arrivals):
        assert one.due is not None
        assert one.due >= last
        last = one.due
        assert next(one.leaving(last)) == str(number).encode()
