"""Single pairs: exact McNemar and Newcombe's paired interval. It knows counts, not rows.

They are for one sample a scenario and context: with more, the pairs of a scenario are not independent, and these
figures would claim too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from gyges.analysis.interval import LEVEL
from gyges.analysis.rates import wilson

METHOD = "exact McNemar; Newcombe's paired score interval (method 10)"


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Complete pairs by behaviour: both comply, only the first context does, only the second, neither."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def total(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither


def mcnemar(pairs: PairCounts) -> float:
    """Two-sided exact p: the binomial test of the discordant pairs (McNemar 1947; Edwards 1948). 1 without any."""
    discordant = pairs.first_only + pairs.second_only
    return 1.0 if not discordant else float(stats.binomtest(pairs.first_only, discordant, 0.5).pvalue)


def newcombe_paired(pairs: PairCounts, level: float = LEVEL) -> tuple[float, float]:
    """The interval of the share complying in the first context less the second, between -1 and 1.

    Method 10 of Newcombe 1998 (Statistics in Medicine 17:2635): Wilson intervals of the two margins, joined with
    the continuity-corrected phi coefficient. Raises ValueError without a pair.
    """
    n = pairs.total
    if n < 1:
        raise ValueError("a paired interval needs at least one complete pair")
    hits_1, hits_2 = pairs.both + pairs.first_only, pairs.both + pairs.second_only
    (low_1, high_1), (low_2, high_2) = wilson(hits_1, n, level), wilson(hits_2, n, level)
    p1, p2, phi = hits_1 / n, hits_2 / n, _phi(pairs)
    below = _joined(p1 - low_1, high_2 - p2, phi)
    above = _joined(high_1 - p1, p2 - low_2, phi)
    return max(-1.0, p1 - p2 - below), min(1.0, p1 - p2 + above)


def _phi(pairs: PairCounts) -> float:
    a, b, c, d = pairs.both, pairs.first_only, pairs.second_only, pairs.neither
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    product = a * d - b * c
    corrected = max(product - pairs.total / 2, 0.0) if product > 0 else float(product)
    return corrected / math.sqrt(margins)


def _joined(one: float, other: float, phi: float) -> float:
    # Rounding can put the sum a hair below zero when phi is 1 and the two are equal.
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
