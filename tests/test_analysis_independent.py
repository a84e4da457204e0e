"""Every estimator again, by another package or worked out another way: the two agree to 1e-6, at the edges too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.descriptivestats import sign_test as statsmodels_sign_test
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups
from statsmodels.stats.weightstats import DescrStatsW

from gyges.analysis.bootstrap import components
from gyges.analysis.counts import by_variant, count
from gyges.analysis.crossed import over_wordings, two_way
from gyges.analysis.gap import gap, gap_parts, split_values
from gyges.analysis.interval import EXACT_BOUND, T_INTERVAL, Estimate, clustered, sign_test, widened
from gyges.analysis.judge_error import Calibration, corrected_gap, corrected_rate, corrected_split
from gyges.analysis.missing import ContextMissing, fisher
from gyges.analysis.paired import PairCounts, mcnemar, newcombe_paired
from gyges.analysis.pooled import random_effects
from gyges.analysis.rates import mean_rate, newcombe, upper_bound_of_zero, wilson
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
few = settings(deadline=None, max_examples=30)
Cell = tuple[bool | None, bool | None]
"""Complies, reveals."""
Study = Sequence[tuple[Sequence[Cell], Sequence[Cell]]]
NO: Cell = (False, False)
YES: Cell = (True, True)


def rows(study: Study) -> list[Row]:
    return [
        Row("f", "a", f"f/{i:03}", "base", context, n, Outcome.COMPLETED, complies, reveals)
        for i, contexts in enumerate(study)
        for context, cells in zip(("training", "deployment"), contexts, strict=True)
        for n, (complies, reveals) in enumerate(cells)
    ]


def by_hand(study: Study) -> dict[str, list[float]]:
    """Each scenario's gap and parts, from the definition: means over episodes, one at a time."""
    found: dict[str, list[float]] = {"gap": [], "revealed": [], "silent": [], "unread": []}
    for first, second in study:
        one, two = [c for c in first if c[0] is not None], [c for c in second if c[0] is not None]
        if not one or not two:
            continue
        d = sum(bool(c) for c, _ in two) / len(two)
        found["gap"].append(sum(bool(c) for c, _ in one) / len(one) - d)
        for name, kind in (("revealed", True), ("silent", False), ("unread", None)):
            among = [bool(c) for c, r in one if r is kind]
            share = len(among) / len(one)
            found[name].append(share * (sum(among) / len(among) - d) if among else 0.0)
    return found


def agrees(figure: Estimate | None, values: Sequence[float]) -> None:
    """The figure is the one-sample t interval of statsmodels, or the exact bound, cut at the ends of the range."""
    if not values:
        assert figure is None
        return
    assert figure is not None
    assert figure.estimate == pytest.approx(float(np.mean(values)), abs=1e-6)
    if len(values) == 1:
        assert (figure.se, figure.low, figure.high) == (None, None, None)
    elif np.ptp(values) < 1e-9:
        u = proportion_confint(0, len(values), method="beta")[1]
        ends = values[0] - u * (values[0] + 1), values[0] + u * (1 - values[0])
        assert figure.method == EXACT_BOUND
        assert (figure.low, figure.high) == pytest.approx(ends, abs=1e-6)
    else:
        other = DescrStatsW(np.array(values))
        low, high = other.tconfint_mean()
        assert figure.method == T_INTERVAL
        assert figure.se == pytest.approx(float(other.std_mean), abs=1e-6)
        assert figure.p == pytest.approx(float(other.ttest_mean()[1]), abs=1e-6)
        assert (figure.low, figure.high) == pytest.approx((max(-1, low), min(1, high)), abs=1e-6)


EDGES: dict[str, Study] = {
    "all zeros": [([NO] * 5, [NO] * 5)] * 8,
    "all ones": [([YES] * 5, [YES] * 5)] * 8,
    "all fake": [([YES] * 5, [NO] * 5)] * 8,
    "one scenario": [([YES, NO], [NO, NO])],
    "unbalanced": [([YES] * 9 + [NO], [NO]), ([NO], [YES, NO, NO]), ([YES, (True, None)], [NO] * 7)],
    "an empty context": [([YES] * 3, []), ([], [NO] * 3), ([YES, NO], [NO])],
    "nothing graded": [([(None, True)], [(None, False)])] * 3,
    "nothing": [],
}


@pytest.mark.parametrize("study", EDGES.values(), ids=EDGES)
def test_at_the_edges_the_gap_and_its_parts_are_those_of_the_definition(study: Study) -> None:
    _compare(study)


cell = st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
cells = st.lists(cell, max_size=7)


@few
@given(st.lists(st.tuples(cells, cells), max_size=12))
def test_the_gap_and_its_parts_are_those_of_the_definition(study: Study) -> None:
    _compare(study)


def _compare(study: Study) -> None:
    parts, hand = gap_parts(count(rows(study), CONTRAST)), by_hand(study)
    agrees(parts.gap, hand["gap"])
    if parts.revealed is not None:
        agrees(parts.revealed, hand["revealed"])
        agrees(parts.silent, hand["silent"])
        if parts.unread is not None and parts.unread.estimate:
            agrees(parts.unread, hand["unread"])


def test_a_balanced_gap_is_a_regression_on_the_context_clustered_by_scenario() -> None:
    random = np.random.default_rng(3)
    study: Study = [
        ([(bool(random.random() < 0.6), False) for _ in range(6)], [(bool(random.random() < 0.3), False)] * 1 * 6)
        for _ in range(15)
    ]
    table = rows(study)
    y = np.array([bool(row.complies) for row in table], dtype=float)
    first = np.array([row.context == "training" for row in table], dtype=float)
    groups = np.array([int(row.scenario[2:]) for row in table])
    fixed = (groups[:, None] == np.arange(15)).astype(float)
    fit = sm.OLS(y, np.column_stack([first, fixed])).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    found = gap(count(table, CONTRAST))
    assert found is not None
    assert found.estimate == pytest.approx(fit.params[0], abs=1e-6)
    assert found.se == pytest.approx(fit.bse[0] * math.sqrt(15 / 14), abs=1e-6)


@pytest.mark.parametrize(("hits", "totals"), [([0] * 6, [5] * 6), ([5] * 6, [5] * 6), ([1, 0, 4], [9, 2, 5])])
def test_rates_at_the_edges(hits: list[int], totals: list[int]) -> None:
    found, shares = mean_rate(np.array(hits), np.array(totals)), np.array(hits) / np.array(totals)
    assert found is not None
    low, high = DescrStatsW(shares).tconfint_mean()
    if not np.ptp(shares):
        u = proportion_confint(0, len(hits), method="beta")[1]
        low, high = (0, u) if shares[0] == 0 else (1 - u, 1)
    assert (found.low, found.high) == pytest.approx((max(0, low), min(1, high)), abs=1e-6)


def _score(hits: int, n: int) -> tuple[float, float]:
    """Wilson's interval as what it is: the shares that a score test does not reject."""
    z, share = 1.959963984540054, hits / n
    # (share - p)^2 = z^2 p (1 - p) / n, as a polynomial in p.
    low, high = sorted(np.roots([1 + z**2 / n, -2 * share - z**2 / n, share**2]).real)
    return float(low), float(high)


totals = st.integers(1, 60)


@few
@given(totals, totals, st.data())
def test_wilson_and_newcombe_invert_the_score_test(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    (low_1, high_1), (low_2, high_2) = _score(a, n), _score(b, m)
    assert wilson(a, n) == pytest.approx((low_1, high_1), abs=1e-6)
    d, p, q = a / n - b / m, a / n, b / m
    ends = d - math.hypot(p - low_1, high_2 - q), d + math.hypot(high_1 - p, q - low_2)
    assert newcombe(a, n, b, m) == pytest.approx(ends, abs=1e-6)


@few
@given(st.lists(st.integers(0, 25), min_size=4, max_size=4).filter(any))
def test_the_paired_interval_is_the_unpaired_one_with_a_correlation(counts: list[int]) -> None:
    pairs = PairCounts(*counts)
    x = np.repeat([1, 1, 0, 0], counts)
    y = np.repeat([1, 0, 1, 0], counts)
    n, p, q = len(x), x.mean(), y.mean()
    phi = 0.0 if x.std() == 0 or y.std() == 0 else float(np.corrcoef(x, y)[0, 1])
    a, b, c, d = counts
    if a * d > b * c:  # Newcombe's correction for continuity: n/2 off the cross product
        phi *= max(0.0, a * d - b * c - n / 2) / (a * d - b * c)
    (low_1, high_1), (low_2, high_2) = _score(int(x.sum()), n), _score(int(y.sum()), n)

    def joined(u: float, v: float) -> float:
        return math.sqrt(max(0.0, u * u - 2 * phi * u * v + v * v))

    ends = p - q - joined(p - low_1, high_2 - q), p - q + joined(high_1 - p, q - low_2)
    assert newcombe_paired(pairs) == pytest.approx((max(-1, ends[0]), min(1, ends[1])), abs=1e-6)


@few
@given(st.integers(0, 30), st.integers(0, 30))
def test_sign_test_and_mcnemar_are_binomial_sums(one: int, other: int) -> None:
    n = one + other
    tail = sum(math.comb(n, k) for k in range(min(one, other) + 1)) / 2**n
    p = min(1.0, 2 * tail) if n else 1.0
    assert mcnemar(PairCounts(4, one, other, 4)) == pytest.approx(p, abs=1e-6)
    assert sign_test(one, other) == pytest.approx(p, abs=1e-6)
    if n:
        assert statsmodels_sign_test([1] * one + [-1] * other)[1] == pytest.approx(p, abs=1e-6)


@few
@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_fishers_p_adds_up_the_tables_that_are_no_likelier(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    ways = {k: math.comb(n, k) * math.comb(m, a + b - k) for k in range(a + b + 1)}
    p = sum(w for w in ways.values() if w <= ways[a] * (1 + 1e-7)) / sum(ways.values())
    assert fisher(ContextMissing(a, n, {}), ContextMissing(b, m, {})) == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize("n", [1, 7, 30, 300])
def test_the_bound_of_a_zero_is_clopper_and_pearsons(n: int) -> None:
    assert upper_bound_of_zero(n) == pytest.approx(proportion_confint(0, n, alpha=0.1, method="beta")[1], abs=1e-6)


@few
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.02, 0.3)), min_size=2, max_size=10).filter(
        lambda drawn: np.ptp([y for y, _ in drawn]) > 0.05
    )
)
def test_pooling_is_that_of_statsmodels_where_families_differ_and_the_fixed_one_where_they_do_not(
    drawn: list[tuple[float, float]],
) -> None:
    y, errors = map(list, zip(*drawn, strict=True))
    pooled = random_effects(y, errors)
    with np.errstate(invalid="ignore"):  # it takes the root of a negative tau squared where we cut at 0
        other = combine_effects(np.array(y), np.array(errors) ** 2, method_re="dl", use_t=True)
    assert pooled is not None
    assert pooled.q == pytest.approx(float(other.q), abs=1e-6)
    assert pooled.i2 == pytest.approx(max(0.0, float(other.i2)), abs=1e-6)
    if other.tau2 <= 0:
        assert (pooled.tau, pooled.estimate) == pytest.approx((0, float(other.mean_effect_fe)), abs=1e-6)
    else:
        assert pooled.estimate == pytest.approx(float(other.mean_effect_re), abs=1e-6)
        scale = max(1.0, float(other.scale_hksj_re))
        assert pooled.se == pytest.approx(
            float(other.sd_eff_w_re_hksj) * math.sqrt(scale / other.scale_hksj_re), abs=1e-6
        )


@pytest.mark.parametrize("seed", range(4))
def test_components_of_a_balanced_design_are_those_of_the_analysis_of_variance(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape, noise = (30, 4), 0.01
    values = random.normal(0, 0.3, (30, 1)) + random.normal(0, 0.2, shape) + random.normal(0, 0.1, shape)
    groups = (np.repeat(np.arange(30), 4)[:, None] == np.arange(1, 30)).astype(float)
    fit = sm.OLS(values.ravel(), sm.add_constant(groups)).fit()
    between, within = float(fit.mse_model), float(fit.mse_resid)
    found = components(list(values), list(np.full(shape, noise)))
    assert found is not None
    assert (found.scenario, found.variant) == pytest.approx(((between - within) / 4, within - noise), abs=1e-6)


@few
@given(st.integers(2, 8), st.integers(3, 6), st.integers(0, 10**6))
def test_clustering_both_ways_is_that_of_statsmodels(scenarios: int, wordings: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    s, w = np.repeat(np.arange(scenarios), wordings), np.tile(np.arange(wordings), scenarios)
    values = (
        random.normal(0, 0.2, scenarios)[s] + random.normal(0, 0.2, wordings)[w] + random.normal(0, 0.1, s.size)
    )
    fit = sm.OLS(values, np.ones(s.size)).fit()
    both, one, other = (float(v[0, 0]) for v in cov_cluster_2groups(fit, s, w))
    found = two_way(values, s, w)
    assert found.estimate == pytest.approx(float(values.mean()), abs=1e-6)
    assert found.se == pytest.approx(max(both, one, other) ** 0.5, abs=1e-6)


def worded(levels: Sequence[str], scenarios: int = 6) -> list[Row]:
    return [
        Row(
            "f",
            "a",
            f"f/{i}",
            level,
            context,
            n,
            Outcome.COMPLETED,
            n < (3 + (i * j + j) % 4 if first else 1),
            None,
        )
        for i, (j, level) in product(range(scenarios), enumerate(levels))
        for context, first in (("training", True), ("deployment", False))
        for n in range(8)
    ]


def test_an_interval_over_wordings_rests_on_the_cells_and_is_wider() -> None:
    table = worded(["style=a", "style=b", "style=c", "style=d"])
    found, usual = over_wordings(*by_variant(table, CONTRAST)), gap(count(table, CONTRAST))
    assert found is not None
    assert usual is not None
    assert found.estimate == pytest.approx(usual.estimate, abs=1e-9)
    assert found.high is not None
    assert usual.high is not None
    assert found.high - found.estimate > usual.high - usual.estimate


@pytest.mark.parametrize("levels", [["base"], ["style=a", "style=b"], ["depth=k0", "depth=k1", "depth=k2"]])
def test_levels_that_were_chosen_or_are_too_few_say_nothing_of_other_wordings(levels: list[str]) -> None:
    assert over_wordings(*by_variant(worded(levels), CONTRAST)) is None


@few
@given(st.lists(st.integers(-10, 10).map(lambda k: k / 10), min_size=2, max_size=30))
def test_a_widened_interval_holds_the_t_interval_and_stays_in_range(values: list[float]) -> None:
    figure = clustered(np.array(values))
    wide = widened(figure)
    assert figure is not None
    assert wide is not None
    assert figure.low is not None
    assert figure.high is not None
    assert -1 <= wide.low <= figure.low + 1e-12
    assert figure.high - 1e-12 <= wide.high <= 1
    assert widened(clustered(np.array(values[:1]))) is None


GOOD, FAIR = Calibration(90, 100, 190, 200), Calibration(70, 90, 80, 100)


def _moved(judge: Calibration, by: tuple[float, float]) -> Calibration:
    """The judge with slightly other shares, on so many labels that counts can say it."""
    many = 10**9
    found, passed = round((judge.sensitivity + by[0]) * many), round((judge.specificity + by[1]) * many)
    return Calibration(found, many, passed, many)


@few
@given(st.integers(3, 12), st.integers(0, 10**6))
def test_corrections_follow_from_derivatives_taken_by_differences(m: int, seed: int) -> None:
    """The delta method's standard error, with every derivative taken numerically from the point estimates."""
    random = np.random.default_rng(seed)
    revealed, silent = random.uniform(0, 0.3, m), random.uniform(-0.1, 0.2, m)
    step = 1e-6

    def figures(b: Calibration, r: Calibration) -> list[float]:
        raw, share = clustered(revealed + silent), clustered(revealed + 0.3, 0.0, 1.0)
        assert raw is not None
        assert share is not None
        split = corrected_split(revealed, silent, r, b)
        found = (corrected_gap(raw, b), corrected_rate(share, r), *split)
        return [one.estimate if one.estimate is not None else math.nan for one in found]

    base, zero = figures(GOOD, FAIR), (0.0, 0.0)
    slopes = [
        (
            np.array(figures(_moved(GOOD, one), _moved(FAIR, other)))
            - figures(_moved(GOOD, zero), _moved(FAIR, zero))
        )
        / step
        for one, other in (((step, 0.0), zero), ((0.0, step), zero), (zero, (step, 0.0)), (zero, (0.0, step)))
    ]
    labels = [p * (1 - p) / n for p, n in ((0.9, 100), (0.95, 200), (70 / 90, 90), (0.8, 100))]
    j_b, j_r = GOOD.youden, FAIR.youden
    told = (revealed - 0.2 * (revealed + silent)) / (j_b * j_r)
    values = ((revealed + silent) / j_b, (revealed + 0.3) / j_r, told, (revealed + silent) / j_b - told)
    raw, share = clustered(revealed + silent), clustered(revealed + 0.3, 0.0, 1.0)
    assert raw is not None
    assert share is not None
    found = (corrected_gap(raw, GOOD), corrected_rate(share, FAIR), *corrected_split(revealed, silent, FAIR, GOOD))
    for i, figure in enumerate(found):
        if not -1 < base[i] < 1 or (i == 1 and not 0 < base[i] < 1):
            continue
        variance = values[i].var(ddof=1) / m + sum(s[i] ** 2 * v for s, v in zip(slopes, labels, strict=True))
        assert figure.se == pytest.approx(variance**0.5, abs=1e-6)


def test_a_corrected_split_adds_up_to_the_corrected_gap() -> None:
    study: Study = [([YES] * (3 + i % 4) + [NO] * 3 + [(True, False)] * (i % 3), [NO] * 8) for i in range(10)]
    counts = count(rows(study), CONTRAST).kept()
    whole = gap(counts)
    assert whole is not None
    revealed, silent = corrected_split(*split_values(counts), FAIR, GOOD)
    assert revealed.estimate is not None
    assert silent.estimate is not None
    assert revealed.estimate + silent.estimate == pytest.approx(corrected_gap(whole, GOOD).estimate)
