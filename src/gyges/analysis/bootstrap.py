"""Cross-checks of the clustered interval: one- and two-level bootstrap, and where the variance sits.

It knows per-scenario and per-variant differences, not rows. The t interval stays the one that is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gyges.analysis.interval import LEVEL, Floats

RESAMPLES = 4000
_TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A percentile interval of the mean over scenarios."""

    low: float
    high: float
    resamples: int
    method: str


@dataclass(frozen=True, slots=True)
class Components:
    """The variance of one episode pair's difference, split; each at least 0, in squared shares.

    `scenario`: between scenarios' true gaps; `variant`: between the wordings of a scenario; `sample`: chance
    between samples of the same words, as it enters one variant's difference. `variant` is None where no scenario
    has two variants: it is then part of `scenario`.
    """

    scenario: float
    variant: float | None
    sample: float


def cluster_bootstrap(values: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Bootstrap | None:
    """The 95% percentile interval of the mean when whole scenarios are drawn with replacement.

    `values` has shape (scenarios,); None for fewer than two. It is narrow for few scenarios: with m values its
    variance is that of the t interval times (m - 1) / m (Davison & Hinkley 1997, sections 2.4 and 3.8).
    """
    m = values.size
    if m < 2:
        return None
    random = np.random.default_rng(seed)
    means = values[random.integers(0, m, (resamples, m))].mean(axis=1)
    return _percentiles(means, "cluster bootstrap, scenarios")


def two_level_bootstrap(groups: Sequence[Floats], seed: int = 0, resamples: int = RESAMPLES) -> Bootstrap | None:
    """As `cluster_bootstrap`, drawing scenarios and then, within each, its variants.

    `groups` holds each scenario's differences by variant, shape (variants of it,), none empty. Drawing at both
    levels overstates the variance a little (Davison & Hinkley 1997, section 3.8), which is the safe side.
    """
    m = len(groups)
    if m < 2:
        return None
    random = np.random.default_rng(seed)
    means = np.zeros(resamples)
    for draw in random.integers(0, m, (m, resamples)):
        for i, group in enumerate(groups):
            chosen = draw == i
            picks = random.integers(0, group.size, (int(chosen.sum()), group.size))
            means[chosen] += group[picks].mean(axis=1)
    return _percentiles(means / m, "cluster bootstrap, scenarios and their variants")


def components(groups: Sequence[Floats], noise: Sequence[Floats]) -> Components | None:
    """Split the variance of differences by the method of moments for nested designs (Searle et al. 1992, ch. 3).

    `groups` as in `two_level_bootstrap`; `noise`, of the same shape, is each difference's own sampling variance:
    p(1 - p)/(n - 1) of both contexts added. None for fewer than two scenarios, or where any noise is not finite
    (one sample tells nothing of its own variance).
    """
    if len(groups) < 2 or not all(np.isfinite(group).all() for group in noise):
        return None
    sample = float(np.mean([group.mean() for group in noise]))
    several = [i for i, group in enumerate(groups) if group.size > 1]
    variant = max(0.0, _within(groups, noise, several)) if several else None
    chance = [(n.mean() + (variant or 0.0)) / g.size for g, n in zip(groups, noise, strict=True)]
    between = float(np.var([group.mean() for group in groups], ddof=1))
    return Components(max(0.0, between - float(np.mean(chance))), variant, sample)


def _within(groups: Sequence[Floats], noise: Sequence[Floats], several: Sequence[int]) -> float:
    return float(np.mean([groups[i].var(ddof=1) - noise[i].mean() for i in several]))


def _percentiles(means: npt.NDArray[np.float64], method: str) -> Bootstrap:
    low, high = np.quantile(means, [_TAIL, 1 - _TAIL])
    return Bootstrap(float(low), float(high), means.size, method)
