"""A grader against labels, beyond one table: what scores mean, how votes add up, what findings are worth.

Like `calibration` it knows labels, answers and scores, and neither graders nor transcripts. Intervals are 95%.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from gyges.grading.calibration import (
    LEVEL,
    NOTHING,
    RESAMPLES,
    Figure,
    Item,
    beyond_chance,
    clusters,
    quantiles,
    share_of,
    wilson,
)
from gyges.grading.resample import alphas, means, tables, weights

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The texts with a score in a range: what the scores say on average, and what the labels say."""

    low: float
    high: float
    texts: int
    mean: float
    observed: Figure


def reliability(items: Sequence[Item], bins: int = BINS) -> list[Bin]:
    """The calibration curve: ranges of the score that hold texts. Shares have Wilson intervals."""
    found = []
    for at in range(bins):
        low, high = at / bins, (at + 1) / bins
        inside = [item for item in items if item.score is not None and min(int(item.score * bins), bins - 1) == at]
        if inside:
            mean = sum(item.score or 0.0 for item in inside) / len(inside)
            observed = wilson(sum(item.label for item in inside), len(inside))
            found.append(Bin(low, high, len(inside), mean, observed))
    return found


def brier(items: Sequence[Item], seed: int = 0) -> Figure:
    """The mean squared distance of scores from labels (Brier 1950): 0 is best, 0.25 is a coin's."""
    scored = [(item, item.score) for item in items if item.score is not None]
    return _mean([(score - item.label) ** 2 for item, score in scored], [item.group for item, _ in scored], seed)


def alpha(items: Sequence[Item], seed: int = 0) -> Figure:
    """Krippendorff's alpha of the grader and the label, as of two raters."""
    graded = [item for item in items if item.answer is not None]
    if not graded:
        return NOTHING
    labels, answers = [item.label for item in graded], [bool(item.answer) for item in graded]
    groups = [item.group for item in graded]
    drawn = alphas(tables(labels, answers, weights(groups, RESAMPLES, seed)))
    return beyond_chance(drawn, labels, answers, groups)


def _mean(values: Sequence[float], groups: Sequence[str], seed: int) -> Figure:
    """Of values between 0 and 1, with an interval that has width also where all are alike."""
    if not values:
        return NOTHING
    return share_of(means(values, weights(groups, RESAMPLES, seed)), clusters(groups))


@dataclass(frozen=True, slots=True)
class Ballots:
    """The votes about one labelled text: `yes` of `of`."""

    label: bool
    yes: int
    of: int
    group: str = ""


@dataclass(frozen=True, slots=True)
class VotesPoint:
    """What the grader would be if a finding took so large a share of so many votes."""

    votes: int
    threshold: float
    sensitivity: Figure
    specificity: Figure


def by_threshold(ballots: Sequence[Ballots], votes: int) -> list[VotesPoint]:
    """For every number of votes that may be demanded, of all `votes`: sensitivity and specificity (Wilson)."""
    full = [one for one in ballots if one.of == votes]
    points = []
    for needed in range(1, votes + 1):
        right = [one.yes >= needed for one in full if one.label]
        wrong = [one.yes < needed for one in full if not one.label]
        points.append(
            VotesPoint(votes, needed / votes, wilson(sum(right), len(right)), wilson(sum(wrong), len(wrong)))
        )
    return points


def by_votes(ballots: Sequence[Ballots], votes: int, threshold: float, seed: int = 0) -> list[VotesPoint]:
    """For fewer votes than were cast, and all: what is expected of votes drawn from them without putting back.

    The chance that enough of m votes drawn from n with y yes are yes is hypergeometric; intervals are of a
    bootstrap over groups.
    """
    full = [one for one in ballots if one.of == votes]
    points = []
    for count in range(1, votes + 1):
        needed = max(1, math.ceil(threshold * count - 1e-9))
        chances = [(one, _at_least(needed, count, one.yes, votes)) for one in full]
        right = [(chance, one.group) for one, chance in chances if one.label]
        wrong = [(1 - chance, one.group) for one, chance in chances if not one.label]
        figures = (
            _mean([chance for chance, _ in side], [group for _, group in side], seed) for side in (right, wrong)
        )
        points.append(VotesPoint(count, threshold, *figures))
    return points


def _at_least(needed: int, drawn: int, yes: int, of: int) -> float:
    ways = sum(
        math.comb(yes, k) * math.comb(of - yes, drawn - k)
        for k in range(needed, min(drawn, yes) + 1)
        if drawn - k <= of - yes
    )
    return ways / math.comb(of, drawn)


@dataclass(frozen=True, slots=True)
class InRun:
    """What the grader's findings are worth where it found something in `seen` of `read` episodes."""

    seen: int
    read: int
    raw: Figure
    prevalence: Figure
    """Corrected for its errors (Rogan and Gladen 1978)."""
    predictive_value: Figure
    """Of what it found there, the share that is there."""


def in_run(seen: int, read: int, found: int, positives: int, passed: int, negatives: int, seed: int = 0) -> InRun:
    """Prevalence and predictive value at a run's own rate.

    Intervals carry the uncertainty of the rate, the sensitivity and the specificity: each is drawn from its Beta
    distribution with Jeffreys' prior. Nothing is said where the grader is no better than chance on its labels.
    """
    raw = wilson(seen, read)
    if not (read and positives and negatives) or found / positives + passed / negatives <= 1:
        return InRun(seen, read, raw, NOTHING, NOTHING)
    estimate = _worth(seen / read, found / positives, passed / negatives)
    draw = random.Random(seed)
    beta = draw.betavariate
    drawn = [
        _worth(
            beta(seen + 0.5, read - seen + 0.5),
            beta(found + 0.5, positives - found + 0.5),
            beta(passed + 0.5, negatives - passed + 0.5),
        )
        for _ in range(RESAMPLES)
    ]
    known = [one for one in drawn if one is not None]
    if estimate is None or not known:
        return InRun(seen, read, raw, NOTHING, NOTHING)
    prevalence = quantiles(estimate[0], [one[0] for one in known], LEVEL)
    worth = quantiles(estimate[1], [one[1] for one in known], LEVEL)
    return InRun(seen, read, raw, prevalence, worth)


def _worth(raw: float, sensitivity: float, specificity: float) -> tuple[float, float] | None:
    """Prevalence, and the share of findings that are right; None for a grader that is no better than chance."""
    youden = sensitivity + specificity - 1
    if youden <= 0:
        return None
    prevalence = min(1.0, max(0.0, (raw + specificity - 1) / youden))
    right, wrong = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return prevalence, right / (right + wrong) if right + wrong else 0.0
