"""What a design can see, before anything is spent: smallest gaps, and scenarios or pairs needed. No data.

Power is 80% and the test two-sided at 5% unless said otherwise. All rates and gaps are shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import optimize, stats

ALPHA = 0.05
POWER = 0.80
_FAR, _CERTAIN = 5.0, 30.0
"""Noncentralities: above the second, power exceeds 0.98 for any degrees of freedom, and scipy overflows."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What has to be assumed of an agent: its rates in the two contexts, and how far scenarios' true gaps differ.

    `spread` is the standard deviation between scenarios of the true gap.
    """

    first: float
    second: float
    spread: float

    def sd(self, samples: int) -> float:
        """The standard deviation of one scenario's observed difference with `samples` in each context.

        sqrt(w^2 + s1^2/K + s2^2/K) of Miller 2024 (arXiv:2411.00640, section 5), binomial within a scenario.
        """
        chance = self.first * (1 - self.first) + self.second * (1 - self.second)
        return math.sqrt(self.spread**2 + chance / samples)


def power(gap: float, sd: float, scenarios: int, alpha: float = ALPHA) -> float:
    """The chance that the clustered t test sees a population gap, with `sd` between scenarios' differences.

    Noncentral t with scenarios - 1 degrees of freedom (Cohen 1988, ch. 2), both tails. Below two scenarios 0.
    """
    if scenarios < 2:
        return 0.0
    if sd == 0:
        return 1.0 if gap else alpha
    degrees, shift = scenarios - 1, abs(gap) / sd * math.sqrt(scenarios)
    if shift > _CERTAIN:
        return 1.0
    critical = float(stats.t.ppf(1 - alpha / 2, degrees))
    # Far from zero the tail on the wrong side is nothing, and the distribution function fails there.
    wrong_side = float(stats.nct.cdf(-critical, degrees, shift)) if shift < _FAR else 0.0
    return float(stats.nct.sf(critical, degrees, shift)) + wrong_side


def smallest_gap(assumed: Assumed, scenarios: int, samples: int, wished: float = POWER) -> float | None:
    """The smallest gap that the design sees with the wished power; None when even a gap of 1 is not seen.

    The rates of `assumed` give the chance within scenarios; they are not changed along with the gap.
    """
    sd = assumed.sd(samples)
    if power(1.0, sd, scenarios) < wished:
        return None
    return _root(lambda gap: power(gap, sd, scenarios) - wished, 1e-9, 1.0)


def scenarios_needed(assumed: Assumed, samples: int, wished: float = POWER) -> int | None:
    """The fewest scenarios with which the gap between the assumed rates is seen; None for no gap."""
    gap = assumed.first - assumed.second
    if gap == 0:
        return None
    sd = assumed.sd(samples)
    return _fewest(lambda scenarios: power(gap, sd, scenarios) >= wished, 2)


def unpaired_needed(first: float, second: float, wished: float = POWER, alpha: float = ALPHA) -> int | None:
    """Independent episodes needed in each context to tell two rates apart; None for equal rates.

    Normal approximation with the pooled variance under no difference (Fleiss et al. 2003, section 4.2, without
    continuity correction).
    """
    if first == second:
        return None
    mean = (first + second) / 2
    none = math.sqrt(2 * mean * (1 - mean))
    some = math.sqrt(first * (1 - first) + second * (1 - second))
    return math.ceil(((_z(1 - alpha / 2) * none + _z(wished) * some) / (first - second)) ** 2)


def pairs_needed(first_only: float, second_only: float, wished: float = POWER, alpha: float = ALPHA) -> int | None:
    """Single pairs needed by McNemar's test, from the shares of pairs discordant each way; None if equal.

    Normal approximation of Connor 1987 (Biometrics 43:207). Where no pair is reversed use `pairs_needed_exact`.
    """
    gap = first_only - second_only
    if gap == 0:
        return None
    discordant = first_only + second_only
    both = _z(1 - alpha / 2) * math.sqrt(discordant) + _z(wished) * math.sqrt(discordant - gap**2)
    return math.ceil((both / gap) ** 2)


def pairs_needed_exact(gap: float, wished: float = POWER, alpha: float = ALPHA) -> int | None:
    """Single pairs needed by the exact McNemar test when no pair is reversed; None for no gap.

    The test then rejects from the number k of divergent pairs on at which 2 / 2^k is at most alpha (6 for 5%), so
    n is the smallest at which a binomial count of n pairs with probability `gap` reaches k with the wished power.
    """
    if gap <= 0:
        return None
    enough = math.ceil(1 - math.log2(alpha))
    return _fewest(lambda pairs: float(stats.binom.sf(enough - 1, pairs, gap)) >= wished, enough)


def _z(probability: float) -> float:
    return float(stats.norm.ppf(probability))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(function, low, high, xtol=1e-10))


def _fewest(enough: Callable[[int], bool], low: int) -> int:
    """The smallest whole number from `low` on at which a condition holds that never stops holding again."""
    high = low
    while not enough(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
