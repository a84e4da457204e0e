"""A grader against labels: how often it is right, and how sure that is.

It knows pairs of a label and an answer; it knows neither graders nor transcripts. What its errors do to a run's
rates is worked out in `gyges.analysis.judge_error`. All intervals are two-sided, 95%.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from gyges.grading.resample import aurocs, kappas, tables, weights

if TYPE_CHECKING:
    from gyges.grading.resample import Numbers

LEVEL = 0.95
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with its interval. All None where there is nothing to estimate it from."""

    estimate: float | None
    low: float | None
    high: float | None


NOTHING = Figure(None, None, None)


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled text: the label, the grader's answer (None where it gave none) and its score.

    `group` names what is resampled together, such as the two texts of a minimal pair; "" stands alone.
    """

    label: bool
    answer: bool | None
    score: float | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a grader does on labelled texts. `ungraded` are left out of every figure, and counted."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int
    ungraded: int
    sensitivity: Figure
    specificity: Figure
    precision: Figure
    """At the labelled texts' own prevalence, which is seldom that of a run: see `predictive_value`."""
    kappa: Figure
    auroc: Figure


def calibrate(items: Sequence[Item], seed: int = 0) -> Calibration:
    """Every figure of a grader.

    Rates have Wilson intervals; kappa and AUROC have bootstrap ones, resampled by group.
    """
    graded = [item for item in items if item.answer is not None]
    tp, fp, fn, tn = _table(graded)
    return Calibration(
        tp,
        fp,
        fn,
        tn,
        len(items) - len(graded),
        sensitivity=wilson(tp, tp + fn),
        specificity=wilson(tn, tn + fp),
        precision=wilson(tp, tp + fp),
        kappa=_kappa(graded, seed),
        auroc=_auroc([item for item in graded if item.score is not None], seed),
    )


def _kappa(items: Sequence[Item], seed: int) -> Figure:
    if not items:
        return NOTHING
    counted = weights([item.group for item in items], RESAMPLES, seed)
    labels, answers = [item.label for item in items], [bool(item.answer) for item in items]
    groups = [item.group for item in items]
    return beyond_chance(kappas(tables(labels, answers, counted)), labels, answers, groups)


def _auroc(items: Sequence[Item], seed: int) -> Figure:
    if not items:
        return NOTHING
    groups = [item.group for item in items]
    counted = weights(groups, RESAMPLES, seed)
    drawn = aurocs([item.label for item in items], [item.score or 0.0 for item in items], counted)
    sides = (clusters([item.group for item in items if item.label is side]) for side in (True, False))
    return auroc_of(drawn, min(sides))


def wilson(hits: float, trials: int, level: float = LEVEL) -> Figure:
    """A share with Wilson's score interval (Wilson 1927)."""
    if trials == 0:
        return NOTHING
    z = _z(level)
    share = hits / trials
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    return Figure(share, max(0.0, middle - half), min(1.0, middle + half))


def kappa(items: Sequence[Item]) -> float | None:
    """Cohen's kappa of labels and answers; None where chance alone would agree always."""
    tp, fp, fn, tn = _table(items)
    total = tp + fp + fn + tn
    if total == 0:
        return None
    chance = ((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)) / total**2
    return None if chance == 1 else ((tp + tn) / total - chance) / (1 - chance)


def auroc(items: Sequence[Item]) -> float | None:
    """How often a positive scores higher than a negative, ties counting half; None without both."""
    ranked = sorted((item.score, item.label) for item in items if item.score is not None)
    positives = sum(label for _, label in ranked)
    negatives = len(ranked) - positives
    if not positives or not negatives:
        return None
    ranks, start = 0.0, 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        middle = (start + 1 + end) / 2
        ranks += middle * sum(label for _, label in ranked[start:end])
        start = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def predictive_value(sensitivity: float, specificity: float, prevalence: float) -> float | None:
    """Of what the grader finds, the share that is there, where `prevalence` of the texts have it (Bayes)."""
    true = sensitivity * prevalence
    false = (1 - specificity) * (1 - prevalence)
    return true / (true + false) if true + false > 0 else None


def _table(items: Sequence[Item]) -> tuple[int, int, int, int]:
    """True and false positives, false and true negatives."""
    cells = [(item.answer, item.label) for item in items]
    return (
        cells.count((True, True)),
        cells.count((True, False)),
        cells.count((False, True)),
        cells.count((False, False)),
    )


def figure_of(drawn: Numbers) -> Figure:
    """A figure from its value in the data, which comes first, and in every draw of a bootstrap (percentiles)."""
    values = [float(one) for one in drawn if one == one]
    if not values or drawn[0] != drawn[0]:
        return NOTHING
    return quantiles(values[0], values[1:], LEVEL)


def share_of(drawn: Numbers, groups: int) -> Figure:
    """As `figure_of`, for a share: where no draw differs, Wilson's interval with n = `groups` gives it width."""
    found = figure_of(drawn)
    if found.estimate is None or found.low is None or found.high is None or found.high > found.low:
        return found
    bound = wilson(found.estimate * groups, groups)
    return Figure(found.estimate, bound.low, bound.high)


def clusters(groups: Sequence[str]) -> int:
    """How many groups there are; "" is one by itself each time."""
    return len({group or at for at, group in enumerate(groups)})


def beyond_chance(
    drawn: Numbers, labels: Sequence[object], answers: Sequence[object], groups: Sequence[str]
) -> Figure:
    """Kappa or alpha from its draws. Where none differs, Wilson's interval of the agreement gives it width."""
    found = figure_of(drawn)
    if found.estimate is None or found.low is None or found.high is None or found.high > found.low:
        return found
    n, said, given = len(labels), Counter(labels), Counter(answers)
    chance = sum(said[one] * given[one] for one in said) / n**2
    same = sum(one == other for one, other in zip(labels, answers, strict=True)) / n
    bound = wilson(same * clusters(groups), clusters(groups))
    if chance == 1 or bound.low is None or bound.high is None:
        return found
    low, high = ((end - chance) / (1 - chance) for end in (bound.low, bound.high))
    return Figure(found.estimate, min(found.estimate, low), max(found.estimate, high))


def auroc_of(drawn: Numbers, groups: int) -> Figure:
    """An AUROC from its draws. Where none differs, one of 0 or 1 has Wilson's interval, and no other has any:
    it is that of scores that are all alike.
    """
    found = share_of(drawn, groups)
    return found if found.estimate in (0.0, 1.0) else _without_width(figure_of(drawn))


def _without_width(found: Figure) -> Figure:
    return Figure(found.estimate, None, None) if found.low == found.high else found


def quantiles(estimate: float, drawn: list[float], level: float) -> Figure:
    if not drawn:
        return Figure(estimate, None, None)
    drawn.sort()
    tail = (1 - level) / 2
    low, high = math.floor(tail * (len(drawn) - 1)), math.ceil((1 - tail) * (len(drawn) - 1))
    return Figure(estimate, drawn[low], drawn[high])


def _z(level: float) -> float:
    return NormalDist().inv_cdf(1 - (1 - level) / 2)
