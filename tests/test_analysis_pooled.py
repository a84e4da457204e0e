"""Several families and several tests, against statsmodels and closed forms."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from gyges.analysis.interval import clustered
from gyges.analysis.pooled import benjamini_hochberg, holm, random_effects, usable_error

unhurried = settings(deadline=None)
families = st.lists(
    st.tuples(st.floats(-1, 1, allow_nan=False), st.floats(0.01, 0.3, allow_nan=False)), min_size=2, max_size=12
)


@unhurried
@given(families)
def test_random_effects_are_those_of_statsmodels(drawn: list[tuple[float, float]]) -> None:
    gaps, errors = zip(*drawn, strict=True)
    pooled = random_effects(gaps, errors)
    assert pooled is not None
    if pooled.tau < 1e-3:  # statsmodels lets tau squared be negative, where the literature cuts it at 0
        return
    other = combine_effects(np.array(gaps), np.array(errors) ** 2, method_re="dl", use_t=True)
    assert pooled.tau**2 == pytest.approx(other.tau2, abs=1e-6)
    assert pooled.estimate == pytest.approx(other.mean_effect_re, abs=1e-6)
    if other.scale_hksj_re > 1:
        assert pooled.se == pytest.approx(other.sd_eff_w_re_hksj, abs=1e-6)


@unhurried
@given(families)
def test_an_interval_over_families_holds_its_estimate(drawn: list[tuple[float, float]]) -> None:
    pooled = random_effects(*zip(*drawn, strict=True))
    assert pooled is not None
    assert pooled.low <= pooled.estimate <= pooled.high
    assert 0 <= pooled.i2 < 1
    assert (pooled.low_new is None) == (len(drawn) == 2)


def test_families_that_agree_have_no_variance_between_them() -> None:
    pooled = random_effects([0.2, 0.2, 0.2], [0.1, 0.1, 0.1])
    assert pooled is not None
    assert pooled.estimate == pytest.approx(0.2)
    assert (pooled.tau, pooled.i2) == (0.0, 0.0)
    assert pooled.se == pytest.approx(0.1 / 3**0.5)


def test_one_family_is_not_pooled_and_a_zero_error_is_refused() -> None:
    assert random_effects([0.2], [0.1]) is None
    with pytest.raises(ValueError, match="positive standard error"):
        random_effects([0.2, 0.1], [0.1, 0.0])


def test_the_error_of_an_exact_bound_is_its_half_width() -> None:
    flat, one = clustered(np.zeros(12)), clustered(np.array([0.3]))
    assert flat is not None
    assert flat.high is not None
    assert one is not None
    assert usable_error(flat) == pytest.approx(flat.high / 1.959964, abs=1e-6)
    assert usable_error(one) is None


p_values = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=30)


@settings(deadline=None, max_examples=25)
@given(p_values)
def test_holm_and_benjamini_hochberg_are_those_of_statsmodels(p: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # It has everything collected in each call: most of a second where thousands of tests are loaded.
        patch.setattr(gc, "collect", lambda: 0)
        other = [multipletests(p, method=method)[1] for method in ("holm", "fdr_bh")]
    assert holm(p) == pytest.approx(other[0], abs=1e-9)
    assert benjamini_hochberg(p) == pytest.approx(other[1], abs=1e-9)


def test_no_test_needs_no_adjustment() -> None:
    assert (holm([]), benjamini_hochberg([])) == ((), ())
