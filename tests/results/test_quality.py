"""Measures of loss, order and jitter, beside plain calculations one packet at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results import quality
from results.protocols.rtp import Numbers

#: Extended sequence numbers as they may arrive: lost, swapped, doubled.
NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=80)
TRANSITS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


def numbers(*values: int) -> Numbers:
    return np.array(values, np.int64)


def bursts_one_by_one(received: set[int], first: int, last: int) -> list[int]:
    """How many packets in a row were lost, each time."""
    bursts, run = [], 0
    for number in range(first, last + 1):
        if number in received:
            bursts.append(run)
            run = 0
        else:
            run += 1
    return [burst for burst in [*bursts, run] if burst]


def jitter_one_by_one(transit: list[float]) -> list[float]:
    """RFC 3550, A.8, with numbers that are not rounded."""
    found, estimate = [], 0.0
    for i in range(1, len(transit)):
        difference = abs(transit[i] - transit[i - 1])
        estimate += (1.0 / 16.0) * (difference - estimate)
        found.append(estimate)
    return found


def late_one_by_one(received: list[int]) -> list[int]:
    """RFC 4737, section 3.3: what is below the next number that is expected."""
    found, next_expected = [], -1
    for number in received:
        if number < next_expected:
            found.append(number)
        else:
            next_expected = number + 1
    return found


@given(NUMBERS, NUMBERS)
def test_loss_and_bursts(received: list[int], elsewhere: list[int]) -> None:
    """What was seen elsewhere only was lost, and so was what nobody saw in between."""
    seen = received + elsewhere
    lost = quality.missing(numbers(*received), numbers(*seen))
    bursts = bursts_one_by_one(set(received), min(seen), max(seen))
    assert len(lost) == sum(bursts)
    assert quality.longest_burst(lost) == max(bursts, default=0)


@given(NUMBERS)
def test_copies_and_order(received: list[int]) -> None:
    first = quality.first_copies(numbers(*received))
    kept = list(dict.fromkeys(received))
    assert numbers(*received)[first].tolist() == kept
    assert numbers(*kept)[quality.late(numbers(*kept))].tolist() == late_one_by_one(kept)


@given(TRANSITS)
def test_jitter(transit: list[float]) -> None:
    found = quality.jitter(np.array(transit))
    assert found.tolist() == pytest.approx(jitter_one_by_one(transit))


def test_a_single_packet_and_a_perfect_stream_do_not_jitter() -> None:
    assert quality.mean(quality.jitter(np.array([7.0]))) == 0
    assert quality.most(quality.jitter(np.full(5, 7.0))) == 0


def test_where_all_came_there_is_no_burst() -> None:
    assert quality.longest_burst(quality.missing(numbers(3, 4, 5), numbers(3, 5))) == 0


def test_one_step_of_a_16th() -> None:
    """One packet is 16 ms late: the estimate rises to 1 ms, stays so for the next, then falls."""
    found = quality.jitter(np.array([0.0, 16.0, 16.0, 16.0]))
    assert found.tolist() == [1.0, 1 - 1 / 16, (1 - 1 / 16) ** 2]
