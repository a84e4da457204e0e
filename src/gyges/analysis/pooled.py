"""Estimates of several families together, and p-values of several tests together. It knows no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from gyges.analysis.interval import LEVEL, Estimate, Floats

METHOD = "random effects over families: DerSimonian-Laird, Hartung-Knapp-Sidik-Jonkman interval"


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """The mean gap of the population of families, with its t interval, and how far families differ.

    `tau` is the standard deviation between families' true gaps; `i2` the share of the variance of estimates that
    is not chance, between 0 and 1; `q` and `q_p` are Cochran's test of no difference. `low_new`, `high_new`
    predict the gap of one more family (Higgins et al. 2009, JRSS A 172:137); None for two families.
    """

    estimate: float
    se: float
    low: float
    high: float
    p: float
    families: int
    tau: float
    i2: float
    q: float
    q_p: float
    low_new: float | None
    high_new: float | None
    method: str


def random_effects(estimates: Sequence[float], errors: Sequence[float]) -> RandomEffects | None:
    """Pool families' estimates with their standard errors, none of which is 0; None for fewer than two.

    tau squared after DerSimonian & Laird 1986 (Controlled Clinical Trials 7:177); the interval after Hartung &
    Knapp 2001 and Sidik & Jonkman 2002, t with families - 1. Its scale is never taken below 1, so that it is
    no narrower than the fixed-effect one by chance (Rover et al. 2015, BMC Medical Research Methodology 15:99).
    Raises ValueError for a standard error that is not positive.
    """
    y, v = np.array(estimates, dtype=np.float64), np.array(errors, dtype=np.float64) ** 2
    k = y.size
    if k < 2:
        return None
    if not (v > 0).all():
        raise ValueError("a pooled estimate needs a positive standard error from every family")
    q, tau2 = _heterogeneity(y, v)
    w = 1 / (v + tau2)
    mean = float((w * y).sum() / w.sum())
    scale = max(1.0, float((w * (y - mean) ** 2).sum() / (k - 1)))
    se = (scale / float(w.sum())) ** 0.5
    half = _t(k - 1) * se
    ahead = _t(k - 2) * (tau2 + se**2) ** 0.5 if k > 2 else None
    return RandomEffects(
        estimate=mean,
        se=se,
        low=max(-1.0, mean - half),
        high=min(1.0, mean + half),
        p=float(2 * stats.t.sf(abs(mean) / se, k - 1)),
        families=k,
        tau=tau2**0.5,
        i2=max(0.0, (q - (k - 1)) / q) if q else 0.0,
        q=q,
        q_p=float(stats.chi2.sf(q, k - 1)),
        low_new=None if ahead is None else max(-1.0, mean - ahead),
        high_new=None if ahead is None else min(1.0, mean + ahead),
        method=METHOD,
    )


def usable_error(figure: Estimate) -> float | None:
    """A standard error to pool with: the figure's own; of an exact bound, its half-width / 1.96; None if none."""
    if figure.se is None or figure.low is None or figure.high is None:
        return None
    return figure.se or (figure.high - figure.low) / 2 / float(stats.norm.ppf((1 + LEVEL) / 2))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values that bound the chance of any false finding among named hypotheses (Holm 1979)."""
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = (p.size - np.arange(p.size)) * p[order]
    return _unordered(np.minimum(1.0, np.maximum.accumulate(steps)) if p.size else steps, order)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values that bound the expected share of false findings in a grid (Benjamini & Hochberg 1995)."""
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p.size / np.arange(1, p.size + 1) * p[order]
    return _unordered(np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1]) if p.size else steps, order)


def _heterogeneity(y: Floats, v: Floats) -> tuple[float, float]:
    w = 1 / v
    q = float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())
    c = float(w.sum() - (w**2).sum() / w.sum())
    return q, max(0.0, (q - (y.size - 1)) / c)


def _t(degrees: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, degrees))


def _unordered(steps: Floats, order: npt.NDArray[np.intp]) -> tuple[float, ...]:
    adjusted = np.empty(steps.size)
    adjusted[order] = steps
    return tuple(adjusted.tolist())
