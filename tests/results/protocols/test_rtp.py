"""Numbers without wrap-around, sources that begin anew, and clock rates."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.packets import Kind
from results.protocols.rtp import Headers, Numbers, clock_rate, extended, sources, unwrapped
from tests.results.story import ALICE, ALICE_BOB, BOB, Story, channel_data, ends, rtp

MS = 1_000_000


def column(*values: int) -> Numbers:
    return np.array(values, np.int64)


#: Steps of packets in order but for a few.
STEPS = st.lists(st.integers(-100, 3000), min_size=1, max_size=60)


@given(st.integers(0, 65_535), STEPS)
def test_sequence_numbers_go_on_after_their_16_bits(start: int, steps: list[int]) -> None:
    true = start + np.cumsum([0, *steps])
    assert (extended(true % (1 << 16)) - true == 0).all()


@given(st.integers(0, 2**32 - 1), STEPS)
def test_timestamps_go_on_after_their_32_bits(start: int, steps: list[int]) -> None:
    true = start + 960 * np.cumsum([0, *steps])
    assert (unwrapped(true % (1 << 32)) - true == 0).all()


def test_sources_are_told_apart_by_ssrc() -> None:
    labels = sources(column(7, 9, 7, 9), column(1, 50_000, 2, 50_001))
    assert labels.tolist() == [0, 1, 0, 1]


def test_a_source_that_begins_anew_is_another() -> None:
    """RFC 3550, A.1: beyond 3000 forward or 100 back it has restarted."""
    labels = sources(column(*[7] * 6), column(65_535, 0, 3000, 6001, 6002, 100))
    assert labels.tolist() == [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("payload_type", "announced", "rate"),
    [(111, {111: 48_000}, 48_000), (0, {}, 8_000), (96, {97: 90_000}, None), (96, {96: 0}, None)],
)
def test_descriptions_and_static_types_tell_the_clock_rate(
    payload_type: int, announced: dict[int, int], rate: int | None
) -> None:
    once = column(0)
    assert clock_rate(column(payload_type), once, once, announced) == rate


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 90_000])
def test_without_a_description_time_tells_it(rate: int) -> None:
    at = np.arange(50) * 20
    stamps = (at * rate // 1000 + 2**32 - 3000) % 2**32
    late = at * MS + (at % 3) * MS
    assert clock_rate(np.full(50, 96), stamps, late, {}) == rate


@pytest.mark.parametrize("ticks", [0, 400, 1200])
def test_timestamps_at_no_usual_rate_tell_nothing(ticks: int) -> None:
    at = np.arange(50)
    assert clock_rate(np.full(50, 96), at * ticks, at * 20 * MS, {}) is None


def test_too_few_packets_tell_nothing() -> None:
    at = np.arange(5)
    assert clock_rate(np.full(5, 96), at * 960, at * 20 * MS, {}) is None


def test_headers_are_read_within_turn_too(tmp_path: Path) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(65_537))
    story.send(ALICE_BOB, ends(ALICE, BOB), channel_data(rtp(3)))
    table = story.table(tmp_path)
    headers = Headers(table, np.flatnonzero(table.inner_kind == Kind.RTP))
    assert headers.sequence.tolist() == [1, 1, 3, 3]
    assert headers.timestamp.tolist() == [65_537 * 960, 65_537 * 960, 2880, 2880]
    assert set(headers.ssrc.tolist()) == {0x11111111}
    assert set(headers.payload_type.tolist()) == {111}
