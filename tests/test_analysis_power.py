"""Power: against statsmodels, against simulation, and the field's worked figures."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from gyges.analysis.power import (
    Assumed,
    pairs_needed,
    pairs_needed_exact,
    power,
    scenarios_needed,
    smallest_gap,
    unpaired_needed,
)


@pytest.mark.parametrize(
    ("gap", "sd", "scenarios"), [(0.1, 0.2, 12), (-0.1, 0.2, 40), (0.02, 0.3, 99), (0.5, 0.2, 3)]
)
def test_power_is_that_of_statsmodels(gap: float, sd: float, scenarios: int) -> None:
    other = TTestPower().power(abs(gap) / sd, scenarios, 0.05)
    assert power(gap, sd, scenarios) == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize(
    ("gap", "sd", "scenarios", "expected"),
    [
        (0.3, 0.1, 1, 0.0),
        (0.3, 0.0, 5, 1.0),
        (0.0, 0.0, 5, 0.05),
        (0.0, 0.2, 9, 0.05),
        (1.0, 0.01, 5, 1.0),
        (1.0, 0.2, 12, 1.0),
    ],
)
def test_power_at_the_edges(gap: float, sd: float, scenarios: int, expected: float) -> None:
    assert power(gap, sd, scenarios) == pytest.approx(expected)


def test_the_smallest_gap_is_seen_with_the_wished_power() -> None:
    assumed = Assumed(0.5, 0.3, 0.15)
    gap = smallest_gap(assumed, scenarios=12, samples=10)
    assert gap is not None
    assert power(gap, assumed.sd(10), 12) == pytest.approx(0.8, abs=1e-6)
    assert gap < (smallest_gap(assumed, scenarios=12, samples=1) or 1)


def test_two_scenarios_that_differ_much_see_nothing() -> None:
    assert smallest_gap(Assumed(0.5, 0.5, 0.5), scenarios=2, samples=1) is None


def test_the_scenarios_needed_are_the_fewest() -> None:
    assumed = Assumed(0.5, 0.35, 0.2)
    needed = scenarios_needed(assumed, samples=10)
    assert needed is not None
    assert power(0.15, assumed.sd(10), needed) >= 0.8 > power(0.15, assumed.sd(10), needed - 1)
    assert scenarios_needed(Assumed(0.3, 0.3, 0.1), 10) is None


def test_power_holds_in_simulation() -> None:
    random, assumed = np.random.default_rng(3), Assumed(0.55, 0.35, 0.2)
    first = np.clip(0.55 + random.normal(0, 0.1414, (4000, 15)), 0, 1)
    second = np.clip(0.35 + random.normal(0, 0.1414, (4000, 15)), 0, 1)
    gaps = random.binomial(10, first) / 10 - random.binomial(10, second) / 10
    t = gaps.mean(axis=1) / (gaps.std(axis=1, ddof=1) / 15**0.5)
    assert power(0.2, assumed.sd(10), 15) == pytest.approx((np.abs(t) > 2.1448).mean(), abs=0.03)


@pytest.mark.parametrize(
    ("first", "second", "unpaired", "least", "most"),
    [
        (0.14, 0.03, 100, 70, 82),
        (0.06, 0.03, 749, 262, 434),
        (0.03, 0.01, 769, 397, 783),
        (0.02, 0.005, 861, 532, 1219),
    ],
)
def test_the_worked_figures_are_reproduced(
    first: float, second: float, unpaired: int, least: int, most: int
) -> None:
    assert unpaired_needed(first, second) == unpaired
    # The range runs from hardly any pair reversed to one in a hundred.
    gap = first - second
    assert pairs_needed(gap + 0.000155, 0.000155) == least
    assert pairs_needed(gap + 0.01, 0.01) == most


@pytest.mark.parametrize("gap", [0.11, 0.03])
def test_the_exact_number_of_pairs_has_the_power_and_one_less_has_not(gap: float) -> None:
    needed = pairs_needed_exact(gap)
    assert needed is not None
    hits = np.random.default_rng(1).binomial([needed, needed - 12], gap, (200_000, 2)) >= 6
    assert hits.mean(axis=0)[0] >= 0.8 - 0.003
    assert hits.mean(axis=0)[1] < 0.8


def test_no_gap_needs_infinitely_many() -> None:
    assert unpaired_needed(0.1, 0.1) is None
    assert pairs_needed(0.05, 0.05) is None
    assert pairs_needed_exact(0.0) is None
