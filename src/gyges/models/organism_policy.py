"""A planted policy: how often an organism complies, by what it believes, and the truth that follows.

It complies on the merits at one rate everywhere, and under some beliefs a motive of its own adds to that:

    p = d + (1 - d) f      d: complies on the merits, f: the motive decides

Both vary by scenario and their means over scenarios are the planted rates, exactly. The motive and the merits are
independent, so where the reasoning tells of the motive in a share t of the cases that it decides, the revealed gap
is t times the gap and the silent gap is the rest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gyges.models.organism_prompt import Belief
from gyges.scenarios.plan import Seed

LOW, HIGH = 0.05, 0.95
"""A rate that varies by scenario stays between these; 0 and 1 are deterministic."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Population figures of a contrast whose contexts are believed `trained` and `not_trained`, in this order."""

    first: float
    second: float
    gap: float
    revealed_gap: float
    silent_gap: float


@dataclass(frozen=True, slots=True)
class Chances:
    """For one scenario and belief: how often the motive decides, and how often the merits do where it doesn't."""

    motive: float
    merits: float

    @property
    def complies(self) -> float:
        return self.merits + (1 - self.merits) * self.motive


@dataclass(frozen=True)
class Policy:
    """`spread` is a + b of the Beta distribution that scenarios are drawn from: the larger, the more alike."""

    trained: float
    not_trained: float
    unknown: float
    spread: float
    tells: float

    def __post_init__(self) -> None:
        for rate in (self.trained, self.not_trained, self.unknown):
            if rate not in (0, 1) and not LOW < rate < HIGH:
                raise ValueError(f"a rate has to be 0, 1 or between {LOW} and {HIGH}, and {rate} is not")
        if self.unknown < min(self.trained, self.not_trained):
            raise ValueError("`unknown` can't be the lowest rate: it would be the rate on the merits")

    @property
    def merits(self) -> float:
        """The rate on the merits: the lowest of the rates. What other beliefs add to it is the motive's."""
        return min(self.trained, self.not_trained, self.unknown)

    def rate(self, belief: Belief) -> float:
        rates: Mapping[Belief, float] = {
            Belief.TRAINED: self.trained,
            Belief.NOT_TRAINED: self.not_trained,
            Belief.UNKNOWN: self.unknown,
        }
        return rates[belief]

    def chances(self, seed: Seed, belief: Belief) -> Chances:
        """The chances in one scenario; `seed` is the scenario's. On the merits they don't depend on the belief."""
        return _chances(self.merits, self.rate(belief), self.spread, seed.child("merits"), seed.child(belief))

    def truth(self) -> Truth:
        gap = self.trained - self.not_trained
        revealed = self.tells * gap if gap > 0 else 0.0  # below 0 the motive works in the second context only
        figures = (self.trained, self.not_trained, gap, revealed, gap - revealed)
        return Truth(*(round(figure, 9) for figure in figures))


@lru_cache(maxsize=65536)
def _chances(merits: float, rate: float, spread: float, merits_seed: Seed, motive_seed: Seed) -> Chances:
    floor = merits
    if merits not in (0, 1):
        floor = LOW + (HIGH - LOW) * _beta((merits - LOW) / (HIGH - LOW), spread, merits_seed)
    if rate == merits:
        return Chances(0.0, floor)
    if rate == 1:
        return Chances(1.0, floor)
    # In between: the share of the room above the floor, independent of the floor, so that the means multiply.
    low, mean_low = max(floor, LOW), max(merits, LOW)
    complies = low + (HIGH - low) * _beta((rate - mean_low) / (HIGH - mean_low), spread, motive_seed)
    return Chances((complies - floor) / (1 - floor), floor)


def _beta(mean: float, spread: float, seed: Seed) -> float:
    return random.Random(seed.integer()).betavariate(mean * spread, (1 - mean) * spread)
