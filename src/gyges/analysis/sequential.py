"""Looking at a result before its run is complete, without more false findings: alpha spending. No data.

Looks at the growing run without it are peeking: five at 5% each find something in one of seven runs where there is
nothing (Armitage, McPherson & Rowe 1969, JRSS A 132:235).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from gyges.analysis.interval import Floats

ALPHA = 0.05
_NODES, _FAR = 257, 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look: stop with a finding when the gap's two-sided p is below `p`, that is |z| above `z`.

    `fraction` of the planned scenarios are done; `spent` is the false-alarm probability used up by then.
    """

    fraction: float
    spent: float
    z: float
    p: float


def spent(fraction: float, alpha: float = ALPHA) -> float:
    """The two-sided error probability used up by this fraction, O'Brien-Fleming type.

    4 (1 - Phi(z_(1 - alpha/4) / sqrt(fraction))): the one-sided function of Lan & DeMets 1983 (Biometrika 70:659)
    with alpha / 2 for each side, after the boundaries of O'Brien & Fleming 1979 (Biometrics 35:549).
    """
    return 4 * float(stats.norm.sf(stats.norm.ppf(1 - alpha / 4) / math.sqrt(fraction)))


def looks(fractions: Sequence[float], alpha: float = ALPHA) -> tuple[Look, ...]:
    """The boundary of each look. `fractions` rise from above 0 to at most 1; the last need not be 1.

    By recursive numerical integration over the statistic's path (Armitage et al. 1969). The joint distribution is
    that of independent increments, which holds when each look adds whole scenarios; p is meant for the t test of
    `clustered`. Raises ValueError for fractions that do not rise.
    """
    if not fractions or any(b <= a for a, b in zip((0, *fractions), fractions, strict=False)) or fractions[-1] > 1:
        raise ValueError("the fractions of the looks have to rise from above 0 to at most 1")
    found: list[Look] = []
    at, density, before = np.zeros(1), np.ones(1), 0.0
    for fraction in fractions:
        total = spent(fraction, alpha)
        width = math.sqrt(fraction - before)
        use = total - (found[-1].spent if found else 0.0)
        bound = _bound(at, density, width, use)
        at, density = _carried(at, density, width, bound)
        z = bound / math.sqrt(fraction)
        found.append(Look(fraction, total, z, 2 * float(stats.norm.sf(z))))
        before = fraction
    return tuple(found)


def _bound(at: Floats, weight: Floats, width: float, use: float) -> float:
    """Where the path, last seen at `at` with `weight`, next leaves with probability `use`, both sides together."""

    def leaves(bound: float) -> float:
        outside = stats.norm.sf((bound - at) / width) + stats.norm.cdf((-bound - at) / width)
        return float((weight * outside).sum()) - use

    return float(optimize.brentq(leaves, 0.0, _FAR, xtol=1e-12))


def _carried(at: Floats, weight: Floats, width: float, bound: float) -> tuple[Floats, Floats]:
    """The path's distribution where it stayed inside the bound: Gauss-Legendre nodes and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    points = bound * nodes
    density = stats.norm.pdf((points[:, None] - at[None, :]) / width) / width @ weight
    return points, bound * weights * density
