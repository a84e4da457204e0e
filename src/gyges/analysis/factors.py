"""The gap at each level of a factor: wording, order, lab, oversight probability, ... It knows variants by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gyges.analysis.counts import count
from gyges.analysis.gap import differences
from gyges.analysis.interval import Estimate, clustered
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast, control_of

_NUMBER = re.compile(r"[A-Za-z_]*(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class LevelGap:
    """The gap at one level. `value` is the number in the level's name (`k4` is 4), None if it has none."""

    level: str
    value: float | None
    gap: Estimate | None
    episodes: int


@dataclass(frozen=True, slots=True)
class FactorGaps:
    """One factor, its levels in order. `trend` is the gap's change for 1 more of a number, None for words.

    The trend is the mean over scenarios of each one's least-squares slope, so that it is paired by scenario.
    """

    factor: str
    levels: tuple[LevelGap, ...]
    trend: Estimate | None


def levels_of(variant: str) -> dict[str, str]:
    """The levels of a variant's factors: `depth=k4,order=ab` has two, `base` has none."""
    _, base = control_of(variant)
    parts = (part.partition("=") for part in base.split(","))
    return {factor: level for factor, equals, level in parts if equals}


def value_of(level: str) -> float | None:
    """The number in a level's name, None if it isn't a number but for a word before it."""
    found = _NUMBER.fullmatch(level)
    return float(found[1]) if found else None


def factor_gaps(rows: Sequence[Row], contrast: Contrast) -> tuple[FactorGaps, ...]:
    """For each factor of which several levels were played, the gap at each level, clustered by scenario.

    Other factors are pooled within a level. Levels whose names hold numbers stand in the order of these.
    """
    of_variant = {variant: levels_of(variant) for variant in dict.fromkeys(row.variant for row in rows)}
    factors = dict.fromkeys(factor for levels in of_variant.values() for factor in levels)
    found = (_factor(rows, contrast, factor, of_variant) for factor in factors)
    return tuple(one for one in found if len(one.levels) > 1)


def split_by(rows: Iterable[Row], factor: str) -> dict[str, list[Row]]:
    """The rows of each level of a factor, in order; rows of variants without it are left out."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        level = levels_of(row.variant).get(factor)
        if level is not None:
            groups.setdefault(level, []).append(row)
    return dict(sorted(groups.items(), key=lambda item: (value_of(item[0]) or 0.0, item[0])))


def scenario_gaps(rows: Iterable[Row], contrast: Contrast) -> dict[str, float]:
    """Each scenario's gap, of those with graded episodes in both contexts."""
    kept = count(rows, contrast).kept()
    return dict(zip(kept.names, differences(kept).tolist(), strict=True))


def _factor(
    rows: Sequence[Row], contrast: Contrast, factor: str, of_variant: dict[str, dict[str, str]]
) -> FactorGaps:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if (level := of_variant[row.variant].get(factor)) is not None:
            groups.setdefault(level, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: (value_of(item[0]) or 0.0, item[0]))
    gaps = {level: scenario_gaps(group, contrast) for level, group in ordered}
    levels = (
        LevelGap(
            level, value_of(level), clustered(np.array([*gaps[level].values()], dtype=np.float64)), len(group)
        )
        for level, group in ordered
    )
    return FactorGaps(factor, tuple(levels), _trend(gaps))


def _trend(gaps: dict[str, dict[str, float]]) -> Estimate | None:
    values = {level: value for level in gaps if (value := value_of(level)) is not None}
    if len(values) < len(gaps) or len(set(values.values())) < 2:
        return None
    slopes = []
    for scenario in sorted({name for by_scenario in gaps.values() for name in by_scenario}):
        points = [(values[level], gaps[level][scenario]) for level in gaps if scenario in gaps[level]]
        x, y = np.array(points).T
        if np.ptp(x) > 0:
            slopes.append(float(((x - x.mean()) * y).sum() / ((x - x.mean()) ** 2).sum()))
    steepest = 2 / min(b - a for a, b in _neighbours(values.values()))
    return clustered(np.array(slopes, dtype=np.float64), -steepest, steepest)


def _neighbours(values: Iterable[float]) -> list[tuple[float, float]]:
    ordered = sorted(set(values))
    return list(pairwise(ordered))
