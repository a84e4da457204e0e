"""The gap's interval if not only the scenarios but also the wordings had been drawn. It knows counts, no rows.

A wording that all scenarios share pulls on all of them at once, which clustering by scenario can't see.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from gyges.analysis.counts import BETWEEN, ScenarioCounts
from gyges.analysis.factors import levels_of, value_of
from gyges.analysis.gap import differences
from gyges.analysis.interval import Counts, Estimate, Floats, t_quantile

TWO_WAY = "t interval, clustered by scenario and by wording"
FEWEST = 3
"""Wordings from which there is anything to be said of other wordings: with two, t has one degree of freedom."""


def over_wordings(kept: ScenarioCounts, begins: Sequence[int]) -> Estimate | None:
    """The gap with an interval that also holds for other wordings; None where they were not varied.

    `kept` and `begins` are those of `counts.by_variant`. Every variant is a wording, unless its factors' levels
    are numbers (depth, p), which were chosen and not drawn. None for fewer than `FEWEST` wordings that several
    scenarios share, or fewer than two scenarios, and where no cell differs from another. `scenarios` of the
    result counts scenarios.
    """
    variants = [name.split(BETWEEN)[1] for name in kept.names]
    if any(value_of(level) is not None for variant in set(variants) for level in levels_of(variant).values()):
        return None
    of_scenario = np.repeat(np.arange(len(begins) + 1), np.diff([0, *begins, len(kept.names)]))
    names, of_wording = np.unique(variants, return_inverse=True)
    shared = [name for i, name in enumerate(names) if (of_wording == i).sum() > 1]
    if len(shared) < FEWEST or not begins:
        return None
    found = two_way(differences(kept), of_scenario, of_wording)
    return found if found.se else None


def two_way(values: Floats, of_scenario: Counts, of_wording: Counts) -> Estimate:
    """The mean over scenarios of the mean of their `values`, clustered both ways.

    All three have one entry a cell, shape (cells,); the last two number scenarios and wordings from 0. Variance:
    that by scenario plus that by wording less that by cell, each with its own n/(n - 1) (Cameron, Gelbach & Miller
    2011, Journal of Business & Economic Statistics 29:238), never less than the larger of the first two; t with
    the fewer of scenarios and wordings less 1 (the same, section 2.3).
    """
    m, words = int(of_scenario.max()) + 1, int(of_wording.max()) + 1
    weights = 1 / (m * np.bincount(of_scenario)[of_scenario])
    mean = float((weights * values).sum())
    scores = weights * (values - mean)
    by_scenario, by_wording = (_clustered(scores, groups) for groups in (of_scenario, of_wording))
    variance = by_scenario + by_wording - _clustered(scores, np.arange(values.size))
    se = max(variance, by_scenario, by_wording) ** 0.5
    degrees = min(m, words) - 1
    half = t_quantile(degrees) * se
    p = float(2 * stats.t.sf(abs(mean) / se, degrees)) if se else None
    return Estimate(mean, se, max(-1.0, mean - half), min(1.0, mean + half), p, m, TWO_WAY)


def _clustered(scores: Floats, groups: Counts) -> float:
    sums = np.bincount(groups, scores)
    return float((sums**2).sum()) * sums.size / (sums.size - 1)
