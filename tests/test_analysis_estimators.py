"""Gaps, rates, pairs and bounds against closed forms and other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from gyges.analysis.interval import EXACT_BOUND, ONE_SCENARIO, T_INTERVAL, clustered, exact_bound, sign_test
from gyges.analysis.paired import PairCounts, mcnemar, newcombe_paired
from gyges.analysis.rates import mean_rate, newcombe, rule_of_three, upper_bound_of_zero, wilson

unhurried = settings(deadline=None)
values = st.lists(st.integers(-10, 10).map(lambda k: k / 10), min_size=2, max_size=40)


@unhurried
@given(values)
def test_a_clustered_interval_is_the_one_sample_t_interval(gaps: list[float]) -> None:
    estimate = clustered(np.array(gaps))
    assert estimate is not None
    if len(set(gaps)) == 1:
        assert estimate.method == EXACT_BOUND
        return
    other = stats.ttest_1samp(gaps, 0.0)
    span = other.confidence_interval(0.95)
    assert estimate.method == T_INTERVAL
    assert estimate.p == pytest.approx(other.pvalue, abs=1e-9)
    assert (estimate.low, estimate.high) == pytest.approx((max(-1, span.low), min(1, span.high)), abs=1e-9)


@unhurried
@given(values)
def test_an_interval_holds_its_estimate_has_width_and_stays_in_range(gaps: list[float]) -> None:
    estimate = clustered(np.array(gaps))
    assert estimate is not None
    assert estimate.low is not None
    assert estimate.high is not None
    assert -1 - 1e-12 <= estimate.low <= estimate.estimate + 1e-12
    assert estimate.estimate - 1e-12 <= estimate.high <= 1 + 1e-12
    assert estimate.low < estimate.high


def test_no_scenario_gives_no_estimate() -> None:
    assert clustered(np.array([])) is None


def test_one_scenario_gives_an_estimate_without_interval() -> None:
    estimate = clustered(np.array([0.4]))
    assert estimate is not None
    assert (estimate.estimate, estimate.method) == (0.4, ONE_SCENARIO)
    assert (estimate.se, estimate.low, estimate.high, estimate.p) == (None, None, None, None)


@pytest.mark.parametrize("m", [2, 12, 100])
def test_a_zero_gap_without_variance_has_the_clopper_pearson_bound(m: int) -> None:
    estimate = clustered(np.zeros(m))
    upper = stats.binomtest(0, m).proportion_ci(0.95, method="exact").high
    assert estimate is not None
    assert (estimate.se, estimate.p, estimate.method) == (0.0, 1.0, EXACT_BOUND)
    assert (estimate.low, estimate.high) == pytest.approx((-upper, upper), abs=1e-9)


@pytest.mark.parametrize(("value", "low_is"), [(1.0, "below 1"), (0.1 + 0.2, "below 0.3")])
def test_a_gap_without_variance_has_width_and_the_sign_tests_p(value: float, low_is: str) -> None:
    estimate = clustered(np.full(10, value))
    assert estimate is not None
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < value <= estimate.high, low_is
    assert estimate.p == pytest.approx(2 * 0.5**10)


def test_the_exact_bound_of_a_gap_of_one_reaches_down_by_twice_the_discordance() -> None:
    u = 1 - 0.025 ** (1 / 10)
    assert exact_bound(1.0, 10) == pytest.approx((1 - 2 * u, 1.0))
    assert exact_bound(0.0, 10, 0.0, 1.0) == pytest.approx((0.0, u))


def test_equal_values_that_differ_by_rounding_have_no_variance() -> None:
    estimate = clustered(np.array([0.3, 0.1 + 0.2, 0.7 - 0.4]))
    assert estimate is not None
    assert estimate.se == 0.0


@pytest.mark.parametrize(("positive", "negative", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (3, 3, 1.0)])
def test_the_sign_test_is_the_binomial_test(positive: int, negative: int, p: float) -> None:
    assert sign_test(positive, negative) == pytest.approx(p)


@unhurried
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(hits_total: tuple[int, int]) -> None:
    hits, total = hits_total
    assert wilson(hits, total) == pytest.approx(proportion_confint(hits, total, method="wilson"), abs=1e-9)


def test_wilson_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one episode"):
        wilson(0, 0)


@pytest.mark.parametrize(("total", "exact", "three"), [(30, 0.095, 0.1), (100, 0.0295, 0.03), (300, 0.0099, 0.01)])
def test_a_zero_has_the_published_upper_bounds(total: int, exact: float, three: float) -> None:
    assert upper_bound_of_zero(total) == pytest.approx(exact, abs=5e-5)
    assert rule_of_three(total) == three


def test_nothing_looked_at_bounds_nothing() -> None:
    assert (upper_bound_of_zero(0), rule_of_three(0)) == (1.0, 1.0)


def test_the_unpaired_interval_is_newcombes() -> None:
    # Newcombe 1998 (Statistics in Medicine 17:873), table II, method 10, example (a): 56/70 and 48/80.
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_two_of_a_hundred_against_one_of_a_hundred_is_noise() -> None:
    assert newcombe(2, 100, 1, 100) == pytest.approx((-0.037, 0.061), abs=5e-4)


@unhurried
@given(st.integers(1, 80), st.integers(1, 80), st.data())
def test_the_unpaired_interval_is_that_of_statsmodels(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    other = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
    assert newcombe(a, n, b, m) == pytest.approx(other, abs=1e-9)


def test_the_paired_interval_is_newcombes() -> None:
    # Newcombe 1998 (Statistics in Medicine 17:2635), table III, method 10, first example.
    assert newcombe_paired(PairCounts(36, 12, 2, 0)) == pytest.approx((0.0569, 0.3404), abs=5e-5)


cells = st.builds(PairCounts, *[st.integers(0, 40)] * 4).filter(lambda pairs: pairs.total > 0)


@unhurried
@given(cells)
def test_the_paired_interval_turns_round_with_the_contexts(pairs: PairCounts) -> None:
    low, high = newcombe_paired(pairs)
    turned = newcombe_paired(PairCounts(pairs.both, pairs.second_only, pairs.first_only, pairs.neither))
    assert turned == pytest.approx((-high, -low), abs=1e-9)
    difference = (pairs.first_only - pairs.second_only) / pairs.total
    assert low - 1e-9 <= difference <= high + 1e-9


def test_a_paired_interval_without_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one complete pair"):
        newcombe_paired(PairCounts(0, 0, 0, 0))


@unhurried
@given(cells)
def test_mcnemar_is_that_of_statsmodels(pairs: PairCounts) -> None:
    table = [[pairs.both, pairs.first_only], [pairs.second_only, pairs.neither]]
    other = statsmodels_mcnemar(table, exact=True)
    assert mcnemar(pairs) == pytest.approx(min(1.0, other.pvalue), abs=1e-9)


def test_a_mean_rate_leaves_out_scenarios_without_episodes() -> None:
    rate = mean_rate(np.array([1, 0, 3]), np.array([2, 0, 3]))
    assert rate is not None
    assert (rate.estimate, rate.scenarios, rate.p) == (0.75, 2, None)
    assert rate.se == pytest.approx(math.sqrt(0.125) / math.sqrt(2))
    assert rate.high == 1.0
    assert mean_rate(np.array([0]), np.array([0])) is None


@pytest.mark.parametrize("discordant", [1, 5, 6, 17, 40])
def test_mcnemar_errs_in_at_most_one_of_twenty(discordant: int) -> None:
    tables = [PairCounts(3, k, discordant - k, 3) for k in range(discordant + 1)]
    wrong = [k for k, pairs in enumerate(tables) if mcnemar(pairs) < 0.05]
    assert sum(math.comb(discordant, k) for k in wrong) / 2**discordant <= 0.05
