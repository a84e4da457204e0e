"""A figure with its uncertainty, from one value a scenario. It knows neither rows nor what the values mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

LEVEL = 0.95
"""The confidence level of every interval."""

T_INTERVAL = "t interval, clustered by scenario"
EXACT_BOUND = "exact (Clopper-Pearson) bound on discordance, n = scenarios"
ONE_SCENARIO = "one scenario: no interval"
BY_CONSTRUCTION = "zero by construction"
WIDENED = "t interval, widened for scenarios unlike those seen"
UNSEEN = 0.4
"""The chance that a sample holds none of the scenarios that `widened` allows for; found by simulation."""

_EQUAL = 1e-12
"""Per-scenario values nearer than this are equal: they are ratios of small counts."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate, its standard error, 95% interval and two-sided p-value.

    `scenarios` is how many values it rests on. `se`, `low`, `high` and `p` are None where one scenario is all
    there is; `p` also where zero is no hypothesis (a rate).
    """

    estimate: float
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    scenarios: int
    method: str


@dataclass(frozen=True, slots=True)
class Widened:
    """A second, wider interval of a mean over scenarios."""

    low: float
    high: float
    method: str


def clustered(values: Floats, lowest: float = -1.0, highest: float = 1.0) -> Estimate | None:
    """Mean of one value a scenario, with the interval that treats scenarios as the unit of sampling.

    `values` has shape (scenarios,), each between `lowest` and `highest`; the interval is cut there. Returns None
    for no scenario. Standard error: sd (ddof 1) / sqrt(m), t with m - 1 degrees of freedom (Miller 2024,
    arXiv:2411.00640, section 2.2, with clusters of one paired difference each). Where all values are equal the
    interval is `exact_bound` and p comes from the exact sign test over scenarios.
    """
    m = values.size
    if m == 0:
        return None
    mean = float(values.mean())
    if m == 1:
        return Estimate(mean, None, None, None, None, 1, ONE_SCENARIO)
    if float(np.ptp(values)) <= _EQUAL:
        return _without_variance(mean, m, lowest, highest)
    se = float(values.std(ddof=1)) / m**0.5
    half = t_quantile(m - 1) * se
    p = float(2 * special.stdtr(m - 1, -abs(mean) / se))
    return Estimate(mean, se, max(lowest, mean - half), min(highest, mean + half), p, m, T_INTERVAL)


def exact_bound(value: float, m: int, lowest: float = -1.0, highest: float = 1.0) -> tuple[float, float]:
    """The 95% interval of a mean when all `m` scenarios gave the same `value`.

    0 of m scenarios differed from `value`, so at most a share u of all scenarios does, where u is the upper end
    of the two-sided Clopper-Pearson interval (Clopper & Pearson 1934, Biometrika 26:404), 1 - 0.025**(1/m). Those
    could lie anywhere between `lowest` and `highest`. For value 0 this is -u to u.
    """
    u = 1 - ((1 - LEVEL) / 2) ** (1 / m)
    return value - u * (value - lowest), value + u * (highest - value)


def widened(figure: Estimate | None, lowest: float = -1.0, highest: float = 1.0) -> Widened | None:
    """The interval of `clustered`, widened for scenarios unlike those that were seen; None where there is none.

    A t interval is too narrow where few scenarios carry most of a gap and the sample may hold none of them: it
    covers about 88% at 12 scenarios whose rates lie near 0. A share u = 1 - `UNSEEN`**(1/m) of all scenarios goes
    unseen in m of them that often (Clopper & Pearson 1934). Were those at an end of the range, the mean would be
    off by u times the way there; this and the t interval's half-width are joined as two errors are, by squares.
    That makes it a rule of thumb, whose coverage docs/statistics.md reports. It checks the t interval, which stays
    the one that is reported.
    """
    if figure is None or figure.se is None or figure.low is None or figure.high is None:
        return None
    mean, m = figure.estimate, figure.scenarios
    u = 1 - UNSEEN ** (1 / m)
    if figure.method == EXACT_BOUND:
        return Widened(figure.low, figure.high, EXACT_BOUND)
    half = t_quantile(m - 1) * figure.se
    low, high = mean - math.hypot(half, u * (mean - lowest)), mean + math.hypot(half, u * (highest - mean))
    return Widened(max(lowest, low), min(highest, high), WIDENED)


def t_quantile(degrees: float) -> float:
    """How many standard errors a 95% interval reaches to each side, by Student's t (1908)."""
    # The function under `scipy.stats.t`, whose own checks take most of the time of an estimate.
    return float(special.stdtrit(degrees, (1 + LEVEL) / 2))


def without_p(estimate: Estimate | None) -> Estimate | None:
    """The same figure without a test against zero, which is no hypothesis about a rate."""
    if estimate is None:
        return None
    e = estimate
    return Estimate(e.estimate, e.se, e.low, e.high, None, e.scenarios, e.method)


def zero(scenarios: int) -> Estimate:
    """An exact zero: there was nothing that could have made it another number."""
    return Estimate(0.0, 0.0, 0.0, 0.0, None, scenarios, BY_CONSTRUCTION)


def sign_test(positive: int, negative: int) -> float:
    """Two-sided p of the exact sign test; ties are left out, and no untied scenario gives 1."""
    if positive + negative == 0:
        return 1.0
    return float(stats.binomtest(positive, positive + negative, 0.5).pvalue)


def _without_variance(mean: float, m: int, lowest: float, highest: float) -> Estimate:
    low, high = exact_bound(mean, m, lowest, highest)
    tied = abs(mean) <= _EQUAL
    p = sign_test(0 if tied or mean < 0 else m, 0 if tied or mean > 0 else m)
    return Estimate(0.0 if tied else mean, 0.0, low, high, p, m, EXACT_BOUND)
