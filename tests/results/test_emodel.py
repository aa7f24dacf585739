"""The E-model against what G.107 publishes, and that nothing bad makes a call better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results import emodel

DELAYS = st.floats(0, 2000)
LOSSES = st.floats(0, 1)
IES = st.floats(0, 40)
BPLS = st.floats(1, 40)
RATIOS = st.floats(1, 8)

#: Loss of G.711 without concealment, of G.711 and of G.729A with it (G.113, appendix I).
G711, G711_PLC, G729A = (0.0, 4.3), (0.0, 25.1), (11.0, 19.0)


def test_default_values_give_the_rating_that_g_107_states() -> None:
    """G.107, 7.7: with all parameters at their defaults, R = 93.2."""
    assert round(emodel.rating(0, 0, *G711), 1) == 93.2


@pytest.mark.parametrize(("r", "mos"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_opinions_are_those_of_annex_b(r: float, mos: float) -> None:
    """G.107, table B.1; 4.024 stands there as 4.03."""
    assert emodel.mos(r) == pytest.approx(mos, abs=0.01)


def test_the_ends_of_the_scale_of_opinions() -> None:
    assert (emodel.mos(0), emodel.mos(100)) == (1, 4.5)


@pytest.mark.parametrize("delay", range(20, 301, 20))
def test_delay_costs_what_the_published_fit_says(delay: int) -> None:
    """Cole and Rosenbluth fitted two lines to G.107: 0.024 a ms, and 0.11 more from 177.3 on."""
    fit = 0.024 * delay + 0.11 * max(0.0, delay - 177.3)
    lost = emodel.rating(0, 0, *G711) - emodel.rating(delay, 0, *G711)
    assert lost == pytest.approx(fit, abs=1.0)


def test_delay_alone_impairs_nothing_up_to_100_ms() -> None:
    assert emodel.absolute_delay(100) == 0
    assert 0 < emodel.absolute_delay(150) < 1
    # X is 1 at twice that: a few points, by (7-27).
    assert emodel.absolute_delay(200) == pytest.approx(3.04, abs=0.01)


def test_without_loss_only_the_codec_impairs() -> None:
    assert emodel.ie_eff(0, *G729A) == 11


def test_loss_as_great_as_the_robustness_takes_half_of_what_is_left() -> None:
    assert emodel.ie_eff(0.19, *G729A) == pytest.approx(11 + (95 - 11) / 2)


def test_concealment_helps() -> None:
    assert emodel.ie_eff(0.02, *G711_PLC) < emodel.ie_eff(0.02, *G711)


@given(delay=st.floats(1, 2000), more=DELAYS, loss=LOSSES, ie=IES, bpl=BPLS)
def test_more_delay_never_helps(
    delay: float, more: float, loss: float, ie: float, bpl: float
) -> None:
    # Below 1 ms the published curve of the talker's echo gains 0.06 first.
    less = emodel.rating(delay, loss, ie, bpl)
    assert emodel.rating(delay + more, loss, ie, bpl) <= less + 1e-9


@given(delay=DELAYS, losses=st.tuples(LOSSES, LOSSES), ie=IES, bpl=BPLS, ratio=RATIOS)
def test_more_loss_never_helps(
    delay: float, losses: tuple[float, float], ie: float, bpl: float, ratio: float
) -> None:
    less, more = sorted(losses)
    worse = emodel.rating(delay, more, ie, bpl, ratio)
    assert worse <= emodel.rating(delay, less, ie, bpl, ratio) + 1e-9


@given(loss=LOSSES, ratio=RATIOS, ie=IES, bpl=BPLS)
def test_bursts_are_worse_than_chance(loss: float, ratio: float, ie: float, bpl: float) -> None:
    assert emodel.ie_eff(loss, ie, bpl, ratio) >= emodel.ie_eff(loss, ie, bpl) - 1e-9


@given(ratings=st.tuples(st.floats(0, 100), st.floats(0, 100)))
def test_a_better_rating_is_never_a_worse_opinion(ratings: tuple[float, float]) -> None:
    worse, better = sorted(ratings)
    assert 1 <= emodel.mos(worse) <= emodel.mos(better) + 1e-9 <= 4.5 + 1e-9


def test_losses_by_chance_have_the_ratio_1_and_longer_ones_more() -> None:
    # Half of all lost by chance: bursts are 2 long on the mean.
    assert emodel.burst_ratio([2, 2, 2], 6) == 1
    assert emodel.burst_ratio([10], 90) == 9
    assert emodel.burst_ratio([1, 1], 98) == 1
    assert emodel.burst_ratio([], 100) == 1
    assert emodel.burst_ratio([5], 0) == 1
