"""Rates and gaps corrected for a grader's known errors, with that knowledge's own uncertainty. No rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from gyges.analysis.interval import LEVEL, Estimate, Floats, clustered
from gyges.analysis.rates import wilson

METHOD = "Rogan-Gladen correction, delta-method interval with the calibration's uncertainty"
NO_INTERVAL = "the raw figure has no interval"

_Part = tuple[float, float]
"""A variance and its degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A grader against labels: of the labelled positives it found `found`, of the negatives it passed `passed`."""

    found: int
    positives: int
    passed: int
    negatives: int

    @property
    def sensitivity(self) -> float:
        return self.found / self.positives

    @property
    def specificity(self) -> float:
        return self.passed / self.negatives

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1: 1 is a perfect grader, 0 one that knows nothing."""
        return self.sensitivity + self.specificity - 1

    def variances(self) -> tuple[float, float]:
        """Of sensitivity and specificity; of a perfect score that of one error more, so that it is never 0."""
        return _variance(self.found, self.positives), _variance(self.passed, self.negatives)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected figure beside the raw one. None with `reason` where the grader is no better than chance."""

    raw: float
    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    method: str
    reason: str


def corrected_rate(rate: Estimate, calibration: Calibration) -> Corrected:
    """(rate + specificity - 1) / (sensitivity + specificity - 1), cut to 0 and 1.

    Rogan & Gladen 1978 (American Journal of Epidemiology 107:71); the variance adds, by the delta method, the
    rate's clustered variance and those of sensitivity and specificity. It takes the grader's errors as the same
    everywhere, which holds for the population of the labels and should be checked for any other.
    """
    if (refusal := _refusal(calibration)) or rate.se is None:
        return _none(rate.estimate, refusal or NO_INTERVAL)
    true = min(1.0, max(0.0, (rate.estimate + calibration.specificity - 1) / calibration.youden))
    j = calibration.youden
    parts = [_sampled(rate, j), *_labelled(calibration, true / j, (1 - true) / j)]
    return _within(rate.estimate, true, parts, 0.0, 1.0)


def corrected_gap(gap: Estimate, calibration: Calibration) -> Corrected:
    """gap / (sensitivity + specificity - 1), cut to -1 and 1: errors alike in both contexts only shrink a gap.

    From `corrected_rate` in both contexts; the specificity cancels (Greenland 1996, International Journal of
    Epidemiology 25:1107). Errors that differ between the contexts are another matter: they make gaps.
    """
    if (refusal := _refusal(calibration)) or gap.se is None:
        return _none(gap.estimate, refusal or NO_INTERVAL)
    true = min(1.0, max(-1.0, gap.estimate / calibration.youden))
    parts = [_sampled(gap, calibration.youden), *_shrunk(calibration, true)]
    return _within(gap.estimate, true, parts, -1.0, 1.0)


def corrected_split(
    revealed: Floats, silent: Floats, reasoning: Calibration, behaviour: Calibration | None = None
) -> tuple[Corrected, Corrected]:
    """The revealed and the silent gap corrected for both graders' errors, each cut to -1 and 1.

    `revealed` and `silent` are each scenario's parts as they were graded (`gap.split_values`), g their sum. A
    grader of reasoning with sensitivity s and specificity t, whose errors do not hang on the behaviour, moves
    parts of the gap to and fro: graded revealed = s revealed + (1 - t) silent. Turned round, revealed =
    (graded revealed - (1 - t) g) / (s + t - 1), and silent is what remains of g; an erring grader of behaviour
    shrinks both alike (`corrected_gap`). The same identity as Rogan & Gladen's, within a scenario; intervals by
    the delta method. Without `behaviour` that grader is taken at its word.
    """
    refusal = _refusal(reasoning) or (_refusal(behaviour) if behaviour else "")
    graded = _mean(revealed), _mean(silent)
    if refusal or graded[0].se is None:
        return _none(graded[0].estimate, refusal or NO_INTERVAL), _none(graded[1].estimate, refusal or NO_INTERVAL)
    j_r, j_b = reasoning.youden, behaviour.youden if behaviour else 1.0
    told = (revealed - (1 - reasoning.specificity) * (revealed + silent)) / (j_r * j_b)
    untold = (revealed + silent) / j_b - told
    one, other = _mean(told), _mean(untold)
    moved = _labelled(reasoning, one.estimate / j_r, other.estimate / j_r)
    return _part(graded[0], one, moved, behaviour), _part(graded[1], other, moved, behaviour)


def positive_predictive_value(prevalence: float, sensitivity: float, specificity: float) -> float | None:
    """The share of a grader's positives that are right, at a prevalence; None when it finds none (Bayes)."""
    right, wrong = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return right / (right + wrong) if right + wrong else None


def intervals(calibration: Calibration) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wilson intervals of sensitivity and specificity."""
    return wilson(calibration.found, calibration.positives), wilson(calibration.passed, calibration.negatives)


def _refusal(calibration: Calibration) -> str:
    (low_sens, _), (low_spec, _) = intervals(calibration)
    return "" if low_sens + low_spec > 1 else "the grader may be no better than chance on its labels"


def _mean(values: Floats) -> Estimate:
    found = clustered(values)
    if found is None:
        raise ValueError("a corrected gap needs at least one scenario")
    return found


def _part(graded: Estimate, part: Estimate, moved: Sequence[_Part], behaviour: Calibration | None) -> Corrected:
    parts = [_sampled(part), *moved, *_shrunk(behaviour, part.estimate)]
    return _within(graded.estimate, part.estimate, parts, -1.0, 1.0)


def _sampled(figure: Estimate, youden: float = 1.0) -> _Part:
    """The scenarios' part of a corrected variance; of an exact bound half its width in standard normal units."""
    if figure.se or figure.low is None or figure.high is None:
        return ((figure.se or 0.0) / youden) ** 2, figure.scenarios - 1
    half = (figure.high - figure.low) / 2 / float(stats.norm.ppf((1 + LEVEL) / 2))
    return (half / youden) ** 2, math.inf


def _labelled(calibration: Calibration, by_sensitivity: float, by_specificity: float) -> tuple[_Part, _Part]:
    """The labels' part, from how far the figure moves with sensitivity and with specificity, already over J."""
    v_sens, v_spec = calibration.variances()
    return (
        (by_sensitivity**2 * v_sens, calibration.positives - 1),
        (by_specificity**2 * v_spec, calibration.negatives - 1),
    )


def _shrunk(calibration: Calibration | None, figure: float) -> Sequence[_Part]:
    """The labels' part of a figure that both of the grader's errors only shrink."""
    return _labelled(calibration, figure / calibration.youden, figure / calibration.youden) if calibration else ()


def _variance(hits: int, total: int) -> float:
    kept = min(hits, total - 1) / total
    kept = max(kept, 1 / total) if total > 1 else 0.5
    return kept * (1 - kept) / total


def _none(raw: float, reason: str) -> Corrected:
    return Corrected(raw, None, None, None, None, METHOD, reason)


def _within(raw: float, true: float, parts: Sequence[_Part], lowest: float, highest: float) -> Corrected:
    """The interval of a sum of errors: t with Welch & Satterthwaite's degrees of freedom (Satterthwaite 1946)."""
    variance = sum(part for part, _ in parts)
    inverse = sum((part / variance) ** 2 / degrees for part, degrees in parts if part and degrees)
    half = float(stats.t.ppf((1 + LEVEL) / 2, 1 / inverse if inverse else math.inf)) * variance**0.5
    true = min(highest, max(lowest, true))
    return Corrected(raw, true, variance**0.5, max(lowest, true - half), min(highest, true + half), METHOD, "")
