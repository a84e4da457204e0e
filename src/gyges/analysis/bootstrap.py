"""Cross-checks of the clustered interval: one- and two-level bootstrap, and where the variance sits.

It knows per-scenario and per-variant differences, not rows. The t interval stays the one that is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gyges.analysis.interval import LEVEL, Floats

Ints = npt.NDArray[np.int64]

RESAMPLES = 2000
_BLOCK = 2_000_000
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
    return _bootstrap([values[i : i + 1] for i in range(values.size)], seed, resamples)


def two_level_bootstrap(groups: Sequence[Floats], seed: int = 0, resamples: int = RESAMPLES) -> Bootstrap | None:
    """As `cluster_bootstrap`, drawing scenarios and then, within each, its variants.

    `groups` holds each scenario's differences by variant, shape (variants of it,), none empty. Drawing at both
    levels overstates the variance a little (Davison & Hinkley 1997, section 3.8), which is the safe side.
    """
    return _bootstrap(groups, seed, resamples)


def _bootstrap(groups: Sequence[Floats], seed: int, resamples: int) -> Bootstrap | None:
    m = len(groups)
    if m < 2:
        return None
    random = np.random.default_rng(seed)
    sizes = np.array([group.size for group in groups])
    values, starts = np.concatenate(groups), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    # In blocks, so that memory does not grow with scenarios times resamples.
    blocks = np.array_split(np.arange(resamples), max(1, resamples * m // _BLOCK))
    means = [_draw(random, values, starts, sizes, block.size) for block in blocks]
    low, high = np.quantile(np.concatenate(means), [_TAIL, 1 - _TAIL])
    levels = "scenarios and their variants" if (sizes > 1).any() else "scenarios"
    return Bootstrap(float(low), float(high), resamples, f"percentile bootstrap of {levels}")


def _draw(random: np.random.Generator, values: Floats, starts: Ints, sizes: Ints, resamples: int) -> Floats:
    """Means of `resamples` draws of scenarios, each with a draw of as many of its variants as it has."""
    chosen = random.integers(0, sizes.size, (resamples, sizes.size))
    if sizes.max() == 1:
        only: Floats = values[chosen].mean(axis=1)
        return only
    size, start = sizes[chosen], starts[chosen]
    total = np.zeros(chosen.shape)
    for nth in range(int(sizes.max())):
        picked = values[start + (random.random(size.shape) * size).astype(np.int64)]
        total += np.where(nth < size, picked, 0.0)
    means: Floats = (total / size).mean(axis=1)
    return means


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
