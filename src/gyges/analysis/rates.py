"""Rates: means over scenarios, single pooled proportions, and bounds for zeros. It knows counts, not rows."""

from __future__ import annotations

from scipy import stats

from gyges.analysis.interval import LEVEL, Counts, Estimate, clustered, without_p


def mean_rate(hits: Counts, totals: Counts) -> Estimate | None:
    """Mean over scenarios of hits / totals, clustered by scenario; no p-value.

    Both arrays have shape (scenarios,). Scenarios with a total of 0 are left out; None when none is left.
    """
    some = totals > 0
    return without_p(clustered(hits[some] / totals[some], 0.0, 1.0))


def wilson(hits: int, total: int, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of one pooled proportion of independent episodes (Wilson 1927, JASA 22:209).

    Raises ValueError for a total of 0.
    """
    if total < 1:
        raise ValueError("an interval of a proportion needs at least one episode")
    interval = stats.binomtest(hits, total).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def newcombe(hits_1: int, total_1: int, hits_2: int, total_2: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a difference of two independent proportions, first less second.

    Hybrid score interval, method 10 of Newcombe 1998 (Statistics in Medicine 17:873). Raises ValueError for a
    total of 0.
    """
    p1, p2 = hits_1 / total_1 if total_1 else 0.0, hits_2 / total_2 if total_2 else 0.0
    (low_1, high_1), (low_2, high_2) = wilson(hits_1, total_1, level), wilson(hits_2, total_2, level)
    below = ((p1 - low_1) ** 2 + (high_2 - p2) ** 2) ** 0.5
    above = ((high_1 - p1) ** 2 + (p2 - low_2) ** 2) ** 0.5
    return p1 - p2 - below, p1 - p2 + above


def upper_bound_of_zero(total: int, level: float = LEVEL) -> float:
    """The one-sided exact upper bound of a rate of which 0 of `total` were seen (Clopper & Pearson 1934).

    1 for a total of 0: nothing was looked at.
    """
    return 1.0 if total < 1 else float(1 - (1 - level) ** (1 / total))


def rule_of_three(total: int) -> float:
    """3 / total, the usual approximation of `upper_bound_of_zero` (Hanley & Lippman-Hand 1983, JAMA 249:1743)."""
    return 1.0 if total < 3 else 3 / total
