# SPDX-License-Identifier: Apache-2.0
"""Intervals hold what they promise, for small samples and skewed values too."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator

from aetool.report.stats import Ratio, estimate, ratio, repetitions_needed

TRIALS = 3000
# a 95 % interval in 3000 trials: four standard errors either side
NOMINAL = (0.95 - 0.016, 0.95 + 0.016)


def coverage(hit: Callable[[Generator], bool]) -> float:
    random = np.random.default_rng(20211026)
    return sum(hit(random) for _ in range(TRIALS)) / TRIALS


@pytest.mark.parametrize("n", [4, 10])
@pytest.mark.parametrize("sigma", [0.02, 0.3])
def test_the_log_t_interval_covers_the_true_mean_in_19_of_20_runs(n: int, sigma: float) -> None:
    def hit(random: Generator) -> bool:
        found = estimate(random.lognormal(math.log(11.2), sigma, n).tolist())
        assert found.method == "log-t" and found.low is not None and found.high is not None
        return found.low <= 11.2 <= found.high

    assert NOMINAL[0] <= coverage(hit) <= NOMINAL[1]


def test_the_t_interval_of_30_skewed_values_covers_the_true_mean_nearly_as_often() -> None:
    def hit(random: Generator) -> bool:
        found = estimate(random.gamma(4, 2.5, 30).tolist())
        assert found.method == "t" and found.low is not None and found.high is not None
        return found.low <= 10 <= found.high

    assert 0.92 <= coverage(hit) <= NOMINAL[1]


@pytest.mark.parametrize(("a", "b"), [(4, 4), (4, 12)])
def test_the_welch_interval_covers_the_true_ratio_with_unequal_scatter(a: int, b: int) -> None:
    def hit(random: Generator) -> bool:
        top, bottom = random.lognormal(math.log(1.1), 0.08, a), random.lognormal(0, 0.02, b)
        found = ratio(top.tolist(), bottom.tolist())
        assert found is not None and found.method == "welch-log"
        assert found.low is not None and found.high is not None
        return found.low <= 1.1 <= found.high

    assert 0.93 <= coverage(hit) <= 0.975


def test_the_fieller_interval_covers_the_true_ratio() -> None:
    def hit(random: Generator) -> bool:
        found = ratio(random.normal(12, 2, 25).tolist(), random.normal(10, 1, 25).tolist())
        assert found is not None and found.method == "fieller"
        assert found.low is not None and found.high is not None
        return found.low <= 1.2 <= found.high

    assert NOMINAL[0] <= coverage(hit) <= NOMINAL[1]


def test_a_small_sample_gives_the_interval_that_a_table_of_t_gives() -> None:
    # logarithms 1, 2, 3: mean 2, standard deviation 1, t(2, 97.5 %) = 4.30265
    found = estimate([math.e, math.e**2, math.e**3])
    half = 4.302653 / math.sqrt(3)
    assert found.centre == pytest.approx(math.e**2)
    assert found.low == pytest.approx(math.exp(2 - half), rel=1e-6)
    assert found.high == pytest.approx(math.exp(2 + half), rel=1e-6)
    assert found.arithmetic == pytest.approx((math.e + math.e**2 + math.e**3) / 3)


def test_a_sample_with_a_zero_or_negative_value_is_taken_as_it_is() -> None:
    found = estimate([0.0, 1.0, 2.0])
    assert (found.method, found.centre) == ("t", 1.0)
    assert found.low == pytest.approx(1 - 4.302653 / math.sqrt(3), rel=1e-6)


def test_one_value_has_no_interval_and_no_values_are_an_error() -> None:
    found = estimate([3.0])
    assert (found.n, found.centre, found.low, found.high, found.spread) == (1, 3.0, None, None, None)
    with pytest.raises(ValueError, match="no values"):
        estimate([])
    with pytest.raises(ValueError, match="not finite"):
        estimate([1.0, math.nan])


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = estimate([2.0, 2.0, 2.0])
    assert found.low == pytest.approx(2) and found.high == pytest.approx(2)
    assert ratio([3.0, 3.0], [2.0, 2.0]) == Ratio(
        pytest.approx(1.5), pytest.approx(1.5), pytest.approx(1.5), "welch-log"
    )


def test_a_denominator_that_may_be_zero_has_no_bounded_interval() -> None:
    random = np.random.default_rng(1)
    found = ratio([1.0] * 25, random.normal(0.01, 5, 25).tolist())
    assert found is not None
    assert (found.low, found.high, found.method) == (None, None, "fieller: unbounded")
    assert ratio([1.0, 2.0], [0.0, 0.0]) is None


@given(
    st.lists(st.floats(0.1, 1e6), min_size=2, max_size=19),
    st.lists(st.floats(0.1, 1e6), min_size=2, max_size=19),
)
def test_the_ratio_of_rates_is_the_inverse_of_the_ratio_of_times(a: list[float], b: list[float]) -> None:
    forward, back = ratio(a, b), ratio([1 / v for v in a], [1 / v for v in b])
    assert forward and back and forward.low and back.low and forward.high and back.high
    assert forward.value * back.value == pytest.approx(1)
    assert forward.low * back.high == pytest.approx(1, rel=1e-6)


def test_the_power_hint_is_the_number_of_repetitions_that_finds_5_percent_in_4_cases_of_5() -> None:
    spread = 0.03
    pilot = np.exp(spread * np.array([-1, 1, -1, 1, -1, 1, 0, 0, 0]) / math.sqrt(0.75))
    needed = repetitions_needed(pilot.tolist())
    assert needed is not None

    def detected(n: int) -> float:
        def hit(random: Generator) -> bool:
            found = ratio(
                random.lognormal(math.log(1.05), spread, n).tolist(), random.lognormal(0, spread, n).tolist()
            )
            assert found is not None and found.low is not None
            return found.low > 1

        return coverage(hit)

    assert detected(needed) >= 0.78
    assert detected(needed - 2) < 0.80


def test_the_power_hint_is_silent_where_there_is_nothing_to_go_by() -> None:
    assert repetitions_needed([1.0]) is None
    assert repetitions_needed([1.0, -1.0]) is None
    assert repetitions_needed([1.0, 1e9]) is None
    assert repetitions_needed([1.0, 1.0]) == 2
