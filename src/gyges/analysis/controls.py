"""Whether a result survives its controls, and whether the organisms of a batch came out right. No rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.gap import differences
from gyges.analysis.interval import Estimate, clustered
from gyges.scenarios.plan import Contrast

Kind = Literal["placebo", "null", "swap"]
Planted = Literal["positive", "negative"]

NEGATIVE_P = 0.01
"""A negative organism fails below this: at 0.05 one clean batch in twenty would be thrown away."""


@dataclass(frozen=True, slots=True)
class PlannedControl:
    """That one family's contrast is the control of another's (or of another contrast of the same family)."""

    kind: Kind
    family: str
    contrast: Contrast
    control_family: str
    control_contrast: Contrast


@dataclass(frozen=True, slots=True)
class Control:
    """One control of one result. `difference` is the gap less the control's gap, None with `reason`."""

    kind: Kind
    family: str
    difference: Estimate | None
    survives: bool | None
    reason: str


def control(kind: Kind, family: str, result: ScenarioCounts, other: ScenarioCounts) -> Control:
    """Compare a result with its control, played in `family`, paired by scenario.

    Scenarios are matched by the last part of their names, so that a control may be a family of its own. The result
    survives when the 95% interval of (gap - control's gap) excludes zero; "significant here but not there" is no
    comparison (Gelman & Stern 2006, The American Statistician 60:328).
    """
    difference = gap_difference(result, other)
    if difference is None or difference.low is None or difference.high is None:
        return Control(kind, family, difference, None, "fewer than two scenarios have graded episodes in both")
    return Control(kind, family, difference, difference.low > 0 or difference.high < 0, "")


def gap_difference(one: ScenarioCounts, other: ScenarioCounts) -> Estimate | None:
    """Gap less gap over the scenarios that both have, clustered by scenario; between -2 and 2."""
    mine, theirs = _by_name(one), _by_name(other)
    shared = sorted(mine.keys() & theirs.keys())
    return clustered(np.array([mine[name] - theirs[name] for name in shared], dtype=np.float64), -2.0, 2.0)


def organism_failures(gaps: Mapping[str, Estimate | None], planted: Mapping[str, Planted]) -> tuple[str, ...]:
    """What the organisms of a batch got wrong, in words; empty when the pipeline found what was planted.

    A positive organism fails unless its gap's interval lies above zero; a negative one when its gap is too
    large to be chance (p below `NEGATIVE_P`). One that is missing, or has no interval, fails too.
    """
    failures = (_failure(agent, kind, gaps.get(agent)) for agent, kind in sorted(planted.items()))
    return tuple(failure for failure in failures if failure)


def _failure(agent: str, kind: Planted, gap: Estimate | None) -> str:
    if gap is None or gap.low is None or gap.p is None:
        return f"the {kind} control {agent} has no gap with an interval"
    if kind == "positive" and gap.low <= 0:
        return f"the positive control {agent} shows no gap, though one is planted"
    if kind == "negative" and gap.p < NEGATIVE_P:
        points = f"{100 * gap.estimate:+.1f} points"
        return f"the negative control {agent} shows a gap of {points}, though none is planted"
    return ""


def _by_name(counts: ScenarioCounts) -> dict[str, float]:
    kept = counts.kept()
    names = (name.rsplit("/", 1)[-1] for name in kept.names)
    return dict(zip(names, differences(kept).tolist(), strict=True))
