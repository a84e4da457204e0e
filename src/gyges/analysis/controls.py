"""Whether a result survives its control arms. It knows counts, not rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gyges.analysis.counts import ContextCounts, ScenarioCounts
from gyges.analysis.gap import differences
from gyges.analysis.interval import Estimate, clustered
from gyges.scenarios.plan import Contrast
from gyges.scenarios.plan import Control as Kind

Follows = Literal["meaning", "label", "both", "neither"]


@dataclass(frozen=True, slots=True)
class Control:
    """One control arm of one result, by the same contexts, over the scenarios that both have.

    `gap` is the arm's own, over its own scenarios; `rate` its shares complying and `ungraded` its missing episodes
    of `planned`, by context. `difference` is the result's gap less the arm's. `survives` is None, with `reason`,
    where they can't be compared. Of a swap, `meaning` and `label` split the gap (see `swapped`).
    """

    kind: Kind
    family: str
    gap: Estimate | None
    rate: dict[str, float | None]
    scenarios: int
    planned: dict[str, int]
    ungraded: dict[str, int]
    difference: Estimate | None
    survives: bool | None
    reason: str
    meaning: Estimate | None = None
    label: Estimate | None = None
    follows: Follows | None = None


def control(kind: Kind, family: str, contrast: Contrast, result: ScenarioCounts, other: ScenarioCounts) -> Control:
    """Compare a result with one of its control arms, paired by scenario.

    The result survives when the 95% interval of (gap - control's gap) excludes zero on the gap's own side: a
    control whose gap is larger still is not survived. "Significant here but not there" is no comparison (Gelman &
    Stern 2006, The American Statistician 60:328). For a swap the same rule reads: who follows the meaning shows a
    gap of the opposite sign, so that the difference is twice the gap; who follows the label shows the same gap
    again, so that it is zero.
    """
    difference = gap_difference(result, other)
    compared = difference is not None and difference.low is not None
    meaning, label = swapped(result, other) if kind == "swap" else (None, None)
    kept = other.kept()
    return Control(
        kind=kind,
        family=family,
        gap=clustered(differences(kept)),
        rate={contrast.first: _rate(kept.first), contrast.second: _rate(kept.second)},
        scenarios=len(kept.names),
        planned={contrast.first: int(other.first.planned.sum()), contrast.second: int(other.second.planned.sum())},
        ungraded={contrast.first: _ungraded(other.first), contrast.second: _ungraded(other.second)},
        difference=difference,
        survives=excludes_zero(difference, _side(result)) if compared else None,
        reason="" if compared else "fewer than two scenarios have graded episodes in both",
        meaning=meaning,
        label=label,
        follows=_follows(meaning, label),
    )


def swapped(result: ScenarioCounts, swap: ScenarioCounts) -> tuple[Estimate | None, Estimate | None]:
    """The gap split by a swap arm: the part that follows the labels' meaning, and the part that follows the label.

    With g the gap and s the gap where the meanings are exchanged, meaning = (g - s) / 2 and label = (g + s) / 2,
    in each scenario; they add up to the gap over the scenarios that both arms have.
    """
    mine, theirs = _by_name(result), _by_name(swap)
    pairs = [(mine[name], theirs[name]) for name in sorted(mine.keys() & theirs.keys())]
    gaps = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return clustered((gaps[:, 0] - gaps[:, 1]) / 2), clustered((gaps[:, 0] + gaps[:, 1]) / 2)


def excludes_zero(figure: Estimate | None, side: int = 0) -> bool:
    """Whether the interval lies on one side of zero: on this one (1 or -1), or with 0 on any."""
    if figure is None or figure.low is None or figure.high is None:
        return False
    return (figure.low > 0 and side >= 0) or (figure.high < 0 and side <= 0)


def _side(result: ScenarioCounts) -> int:
    gap = clustered(differences(result.kept()))
    return 0 if gap is None else int(np.sign(gap.estimate))


def _follows(meaning: Estimate | None, label: Estimate | None) -> Follows | None:
    if meaning is None or label is None or meaning.low is None or label.low is None:
        return None
    names: dict[tuple[bool, bool], Follows] = {
        (True, True): "both",
        (True, False): "meaning",
        (False, True): "label",
        (False, False): "neither",
    }
    return names[excludes_zero(meaning), excludes_zero(label)]


def _rate(counts: ContextCounts) -> float | None:
    return float((counts.complied / counts.graded).mean()) if counts.graded.size else None


def _ungraded(counts: ContextCounts) -> int:
    return int((counts.planned - counts.graded).sum())


def gap_difference(one: ScenarioCounts, other: ScenarioCounts) -> Estimate | None:
    """Gap less gap over the scenarios that both have, clustered by scenario; between -2 and 2.

    Scenarios are matched by the last part of their names.
    """
    mine, theirs = _by_name(one), _by_name(other)
    shared = sorted(mine.keys() & theirs.keys())
    return clustered(np.array([mine[name] - theirs[name] for name in shared], dtype=np.float64), -2.0, 2.0)


def _by_name(counts: ScenarioCounts) -> dict[str, float]:
    kept = counts.kept()
    names = (name.rsplit("/", 1)[-1] for name in kept.names)
    return dict(zip(names, differences(kept).tolist(), strict=True))
