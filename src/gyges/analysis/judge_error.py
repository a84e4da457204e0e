"""Rates and gaps corrected for a grader's known errors, with that knowledge's own uncertainty. No rows."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from gyges.analysis.interval import LEVEL, Estimate
from gyges.analysis.rates import wilson

METHOD = "Rogan-Gladen correction, delta-method interval with the calibration's uncertainty"


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
    j, (v_sens, v_spec) = calibration.youden, calibration.variances()
    if (refusal := _refusal(calibration, rate)) or rate.se is None:
        return _none(rate.estimate, refusal)
    true = min(1.0, max(0.0, (rate.estimate + calibration.specificity - 1) / j))
    variance = (_spread(rate) ** 2 + true**2 * v_sens + (1 - true) ** 2 * v_spec) / j**2
    return _within(rate.estimate, true, variance, 0.0, 1.0)


def corrected_gap(gap: Estimate, calibration: Calibration) -> Corrected:
    """gap / (sensitivity + specificity - 1), cut to -1 and 1: errors alike in both contexts only shrink a gap.

    From `corrected_rate` in both contexts; the specificity cancels (Greenland 1996, International Journal of
    Epidemiology 25:1107). Errors that differ between the contexts are another matter: they make gaps.
    """
    j, (v_sens, v_spec) = calibration.youden, calibration.variances()
    if (refusal := _refusal(calibration, gap)) or gap.se is None:
        return _none(gap.estimate, refusal)
    true = min(1.0, max(-1.0, gap.estimate / j))
    variance = (_spread(gap) ** 2 + true**2 * (v_sens + v_spec)) / j**2
    return _within(gap.estimate, true, variance, -1.0, 1.0)


def positive_predictive_value(prevalence: float, sensitivity: float, specificity: float) -> float | None:
    """The share of a grader's positives that are right, at a prevalence; None when it finds none (Bayes)."""
    right, wrong = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return right / (right + wrong) if right + wrong else None


def intervals(calibration: Calibration) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wilson intervals of sensitivity and specificity."""
    return wilson(calibration.found, calibration.positives), wilson(calibration.passed, calibration.negatives)


def _refusal(calibration: Calibration, figure: Estimate) -> str:
    if figure.se is None:
        return "the raw figure has no interval"
    (low_sens, _), (low_spec, _) = intervals(calibration)
    return "" if low_sens + low_spec > 1 else "the grader may be no better than chance on its labels"


def _spread(figure: Estimate) -> float:
    """The raw figure's standard error; of an exact bound half its width in standard normal units."""
    if figure.se or figure.low is None or figure.high is None:
        return figure.se or 0.0
    return (figure.high - figure.low) / 2 / float(stats.norm.ppf((1 + LEVEL) / 2))


def _variance(hits: int, total: int) -> float:
    kept = min(hits, total - 1) / total
    kept = max(kept, 1 / total) if total > 1 else 0.5
    return kept * (1 - kept) / total


def _none(raw: float, reason: str) -> Corrected:
    return Corrected(raw, None, None, None, None, METHOD, reason)


def _within(raw: float, true: float, variance: float, lowest: float, highest: float) -> Corrected:
    se = variance**0.5
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * se
    return Corrected(raw, true, se, max(lowest, true - half), min(highest, true + half), METHOD, "")
