"""The gap as a curve over serial depth: how deep it goes, where it has fallen to half, and how deep unseen.

Rungs are the levels of the factor `depth`. What can't be said is None, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from gyges.analysis.bootstrap import RESAMPLES
from gyges.analysis.controls import excludes_zero
from gyges.analysis.factors import FactorGaps, scenario_gaps, split_by, value_of
from gyges.analysis.interval import LEVEL, Estimate, Floats
from gyges.analysis.table import Row
from gyges.errors import several
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Visibility

FACTOR = "depth"
ALPHA = 0.05
_STEEP = np.geomspace(0.5, 20.0, 12)
_STEPS = 120
_ALIKE = 1e-4
"""Squared errors nearer than this, one point at one rung, tell curves apart no more."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One depth. `significant`: the fixed-sequence test reached it and found the gap; None: not reached."""

    depth: float
    gap: Estimate | None
    significant: bool | None


@dataclass(frozen=True, slots=True)
class HalfWay:
    """The depth at which the fitted curve has fallen to half its plateau, with its bootstrap interval.

    An end of the interval that is None lies outside the depths that were played.
    """

    estimate: float
    low: float | None
    high: float | None
    plateau: float
    method: str


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """The gap by depth. `deepest` is the last rung of the fixed sequence; `opaque` the same where it is unseen.

    `deepest` is None where even the first rung has no significant gap, `half` where the curve does not fall to
    half within the depths played, the opaque ones where reasoning may have helped: `reasons` says which.
    """

    rungs: tuple[Rung, ...]
    deepest: float | None
    half: HalfWay | None
    opaque: float | None
    opaque_half: HalfWay | None
    reasons: tuple[str, ...]


def depth_curve(rows: Sequence[Row], contrast: Contrast, gaps: FactorGaps | None) -> DepthCurve | None:
    """The curve of one agent's rows; None without a factor `depth` whose levels are numbers.

    `gaps` is the factor's, as `factor_gaps` gives it.
    """
    if gaps is None or gaps.factor != FACTOR or any(level.value is None for level in gaps.levels):
        return None
    rungs = fixed_sequence([(level.value or 0.0, level.gap) for level in gaps.levels], contrast)
    found = [rung.depth for rung in rungs if rung.significant]
    deepest = found[-1] if found else None
    half = half_way(rows, contrast)
    seen = tuple(_seen(rows))
    reasons = [f"opaque: {reason}" for reason in seen]
    if deepest is None:
        reasons.append("deepest, opaque: the first rung has no significant gap")
    if half is None:
        reasons.append("half: the gap does not fall to half within the depths played")
    return DepthCurve(
        rungs, deepest, half, None if seen else deepest, None if seen else half, tuple(dict.fromkeys(reasons))
    )


def fixed_sequence(gaps: Sequence[tuple[float, Estimate | None]], contrast: Contrast) -> tuple[Rung, ...]:
    """Test the rungs from the shallowest on, each at 5%, and stop at the first without a significant gap.

    The order is fixed beforehand, so that no p needs adjusting (Maurer, Hothorn & Lehmacher 1995; Westfall &
    Krishen 2001, Journal of Statistical Planning and Inference 99:25). Significant: the two-sided 95% interval
    lies on the side that the contrast expects, or that the first rung's gap is on where it expects either.
    """
    side = {"positive": 1, "negative": -1, "either": 0}[contrast.sign]
    rungs, going = [], True
    for depth, gap in gaps:
        significant = excludes_zero(gap, side) if going else None
        rungs.append(Rung(depth, gap, significant))
        going = bool(significant)
        if going and gap is not None and not side:
            side = int(np.sign(gap.estimate))
    return tuple(rungs)


def half_way(rows: Sequence[Row], contrast: Contrast, seed: int = 0) -> HalfWay | None:
    """Fit plateau / (1 + exp(steepness (depth - half))) to the rungs' gaps; the interval is bootstrapped.

    Least squares over a grid of half-way depths and steepnesses, with the plateau in closed form (at most 1);
    the estimate is then brought to the minimum itself, unless the fall is so sudden that it could stand anywhere
    between two rungs; whole scenarios are drawn with replacement (percentile interval, Davison & Hinkley 1997,
    section 5.3). Only
    scenarios with every depth enter. None for fewer than two of them or where the fit lies beyond the last depth.
    """
    by_level = {level: scenario_gaps(group, contrast) for level, group in split_by(rows, FACTOR).items()}
    names = sorted(set.intersection(*(set(gaps) for gaps in by_level.values()))) if by_level else []
    depths = np.array([value_of(level) or 0.0 for level in by_level])
    if len(names) < 2 or np.unique(depths).size < 3:
        return None
    table = np.array([[gaps[name] for gaps in by_level.values()] for name in names])
    flip = -1.0 if contrast.sign == "negative" else 1.0
    chosen = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    means = np.vstack([table.mean(axis=0), table[chosen].mean(axis=1)]) * flip
    halves, plateaus = _fit(depths, means)
    estimate, top = _refined(depths, means[0], float(halves[0]), float(plateaus[0]))
    plateau = top * flip
    if plateau == 0 or estimate >= depths.max():
        return None
    low, high = np.quantile(halves[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return HalfWay(
        estimate,
        float(low) if low > depths.min() else None,
        float(high) if high < depths.max() else None,
        plateau,
        f"logistic fit, percentile bootstrap of {several(len(names), 'scenario')}, {RESAMPLES} resamples",
    )


def _fit(depths: Floats, means: Floats) -> tuple[Floats, Floats]:
    """For each row of `means`, shape (fits, depths): the half-way depth and the plateau of the best curve."""
    grid = np.linspace(depths.min(), depths.max(), _STEPS + 1)
    half, steep = (axis.ravel() for axis in np.meshgrid(grid, _STEEP))
    basis = special.expit(-steep * (depths[:, None] - half))
    plateau = np.clip(means @ basis / (basis**2).sum(axis=0), 0.0, 1.0)
    error = -2 * plateau * (means @ basis) + plateau**2 * (basis**2).sum(axis=0)
    # Between two rungs a steep fall fits equally well anywhere: the middle of what does is taken.
    alike = error <= error.min(axis=1, keepdims=True) + _ALIKE
    return (alike * half).sum(axis=1) / alike.sum(axis=1), (alike * plateau).sum(axis=1) / alike.sum(axis=1)


def _refined(depths: Floats, gaps: Floats, half: float, plateau: float) -> tuple[float, float]:
    """The half-way depth and the plateau at the least-squares minimum near these; as given where none is near."""
    errors = [float(((plateau * special.expit(-s * (depths - half)) - gaps) ** 2).sum()) for s in _STEEP]
    steep = float(_STEEP[int(np.argmin(errors))])
    if steep == _STEEP[-1] or plateau == 0 or half >= depths.max():
        return half, plateau

    def residuals(at: Floats) -> Floats:
        return np.asarray(at[0] * special.expit(-at[1] * (depths - at[2])) - gaps)

    bounds = ([0.0, _STEEP[0], depths.min()], [1.0, _STEEP[-1], depths.max()])
    start = np.clip([plateau, steep, half], *bounds)
    found = optimize.least_squares(residuals, start, bounds=bounds, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    # Farther off it is no refinement: the rungs tell curves apart so little that the middle of them is better.
    near = abs(found.x[2] - half) <= 0.1 * float(np.diff(np.unique(depths)).min())
    return (float(found.x[2]), float(found.x[0])) if near else (half, plateau)


def _seen(rows: Sequence[Row]) -> Iterator[str]:
    """Why a decision may have rested on reasoning outside one forward pass."""
    visible = {row.visibility for row in rows if row.visibility is not None}
    if not visible:
        yield "whether there was reasoning isn't known"
    if visible & {Visibility.RAW, Visibility.SCRATCHPAD}:
        yield "the agent reasoned in words"
    if visible & {Visibility.SUMMARY, Visibility.OMITTED, Visibility.REDACTED}:
        yield "the agent reasoned, and the provider hides how"
    if any(row.turns is not None and row.turns > 1 for row in rows):
        yield "episodes of several turns: turns are serial computation too"
