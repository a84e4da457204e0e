"""The bootstrap agrees with the t interval where it should, and variance is found where it was put."""

from __future__ import annotations

import numpy as np
import pytest

from gyges.analysis.bootstrap import cluster_bootstrap, components, two_level_bootstrap
from gyges.analysis.interval import clustered


def test_the_bootstrap_agrees_with_the_t_interval_for_many_scenarios() -> None:
    values = np.random.default_rng(3).normal(0.2, 0.3, 400).clip(-1, 1)
    found, estimate = cluster_bootstrap(values), clustered(values)
    assert found is not None
    assert estimate is not None
    assert (found.low, found.high) == pytest.approx((estimate.low, estimate.high), abs=0.004)


def test_the_bootstrap_is_the_same_for_the_same_seed() -> None:
    values = np.linspace(-0.2, 0.6, 12)
    assert cluster_bootstrap(values, seed=4) == cluster_bootstrap(values, seed=4)
    assert cluster_bootstrap(values, seed=4) != cluster_bootstrap(values, seed=5)


@pytest.mark.parametrize("m", [0, 1])
def test_fewer_than_two_scenarios_have_no_bootstrap(m: int) -> None:
    assert cluster_bootstrap(np.full(m, 0.3)) is None
    assert two_level_bootstrap([np.array([0.3, 0.4])] * m) is None
    assert components([np.array([0.3, 0.4])] * m, [np.zeros(2)] * m) is None


def test_two_levels_with_one_variant_each_are_one_level() -> None:
    values = np.random.default_rng(1).normal(0.1, 0.2, 30)
    one, two = cluster_bootstrap(values, resamples=20000), two_level_bootstrap([v[None] for v in values], 0, 20000)
    assert one is not None
    assert two is not None
    assert (two.low, two.high) == pytest.approx((one.low, one.high), abs=0.004)


def test_two_levels_are_wider_than_one_where_wordings_differ() -> None:
    random = np.random.default_rng(2)
    groups = [random.normal(random.normal(0, 0.05), 0.4, 3) for _ in range(20)]
    one, two = cluster_bootstrap(np.array([g.mean() for g in groups])), two_level_bootstrap(groups)
    assert one is not None
    assert two is not None
    assert two.high - two.low > one.high - one.low


def test_variance_is_found_where_it_was_put() -> None:
    random = np.random.default_rng(8)
    shape = (3000, 4)
    true = random.normal(0.2, 0.3, (shape[0], 1)) + random.normal(0, 0.2, shape)
    seen = true + random.normal(0, 0.1, shape)
    split = components(list(seen), list(np.full(shape, 0.01)))
    assert split is not None
    assert split.variant is not None
    assert (split.scenario, split.variant, split.sample) == pytest.approx((0.09, 0.04, 0.01), abs=0.006)


def test_one_variant_a_scenario_cannot_be_told_from_the_scenario() -> None:
    groups = [np.array([0.1]), np.array([0.5]), np.array([0.3])]
    split = components(groups, [np.array([0.01])] * 3)
    assert split is not None
    assert split.variant is None
    assert split.scenario == pytest.approx(0.04 - 0.01)


def test_one_sample_tells_nothing_of_its_own_variance() -> None:
    assert components([np.array([0.0]), np.array([1.0])], [np.array([np.inf])] * 2) is None
