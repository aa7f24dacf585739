"""Estimates of quality: what captures measured, what is assumed, and how both are told."""

from hypothesis import given
from hypothesis import strategies as st

from results import emodel
from results.estimate import estimate
from results.measured import Assumed


def test_a_call_without_fault_is_rated_by_coder_and_buffer_alone() -> None:
    found = estimate(-0.001, 0.02, [], 100)
    assert (found.loss, found.burst_ratio, found.buffer_ms) == (0, 1, 20)
    # 20 ms of speech, 6.5 of looking ahead, 20 in the buffer.
    assert found.delay_ms == 46.5
    assert found.r == round(emodel.rating(46.5, 0, 0, 10), 1)
    assert found.mos == round(emodel.mos(emodel.rating(46.5, 0, 0, 10)), 2)


def test_the_buffer_waits_for_the_slow_ones() -> None:
    found = estimate(30, 90, [], 100)
    assert (found.buffer_ms, found.delay_ms) == (60, 116.5)


def test_loss_and_its_bursts_count() -> None:
    found = estimate(30, 35, [4, 4], 92)
    assert (found.loss, found.burst_ratio) == (0.08, 3.68)
    assert found.r < estimate(30, 35, [1] * 8, 92).r < estimate(30, 35, [], 92).r


def test_the_assumptions_are_used_and_told() -> None:
    worse = Assumed(codec="another", ie=20, bpl=5)
    found = estimate(30, 35, [1] * 8, 92, worse)
    assert found.assumed == worse
    assert found.r < estimate(30, 35, [1] * 8, 92).r
    assert estimate(30, 35, [], 92).assumed == Assumed()


@given(
    delay=st.floats(0, 500),
    slower=st.floats(0, 500),
    spread=st.floats(0, 200),
    losses=st.lists(st.integers(1, 20), max_size=20),
)
def test_a_longer_way_is_never_better(
    delay: float, slower: float, spread: float, losses: list[int]
) -> None:
    near = estimate(delay, delay + spread, losses, 100)
    far = estimate(delay + slower, delay + slower + spread, losses, 100)
    assert far.r <= near.r
    assert far.mos <= near.mos
