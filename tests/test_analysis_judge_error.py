"""Judge error: undone on average, and its uncertainty carried into the interval."""

from __future__ import annotations

import numpy as np
import pytest

from gyges.analysis.analyse import analyse
from gyges.analysis.interval import Estimate, clustered
from gyges.analysis.judge_error import (
    Calibration,
    corrected_gap,
    corrected_rate,
    intervals,
    positive_predictive_value,
)
from gyges.analysis.rates import mean_rate, wilson
from gyges.analysis.report_json import from_json, to_json
from gyges.analysis.report_text import to_text
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import Question
from gyges.transcripts.record import Outcome, Visibility

GOOD = Calibration(found=90, positives=100, passed=190, negatives=200)
CHANCE = Calibration(found=55, positives=100, passed=50, negatives=100)


def rate(estimate: float, se: float | None = 0.03) -> Estimate:
    return Estimate(estimate, se, None if se is None else 0.0, None if se is None else 1.0, None, 12, "")


def test_a_perfect_grader_on_many_labels_changes_nothing() -> None:
    perfect = Calibration(10**7, 10**7, 10**7, 10**7)
    found = corrected_rate(rate(0.3), perfect)
    assert found.estimate == pytest.approx(0.3)
    assert found.se == pytest.approx(0.03, rel=1e-4)


def test_the_correction_is_rogan_and_gladens() -> None:
    found = corrected_rate(rate(0.3), GOOD)
    true = (0.3 + 0.95 - 1) / 0.85
    variance = (0.03**2 + true**2 * 0.9 * 0.1 / 100 + (1 - true) ** 2 * 0.95 * 0.05 / 200) / 0.85**2
    assert found.raw == 0.3
    assert found.estimate == pytest.approx(true)
    assert found.se == pytest.approx(variance**0.5)


def test_a_gap_grows_by_the_graders_youden_index() -> None:
    found = corrected_gap(rate(0.2), GOOD)
    assert found.estimate == pytest.approx(0.2 / 0.85)
    assert found.se is not None
    assert found.se > 0.03 / 0.85


@pytest.mark.parametrize("raw", [0.0, 0.02, 0.99])
def test_a_corrected_rate_stays_between_zero_and_one(raw: float) -> None:
    found = corrected_rate(rate(raw), GOOD)
    assert found.estimate is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_a_grader_that_may_be_guessing_corrects_nothing() -> None:
    for found in (corrected_rate(rate(0.3), CHANCE), corrected_gap(rate(0.3), CHANCE)):
        assert found.estimate is None
        assert "no better than chance" in found.reason


def test_a_figure_without_an_interval_is_not_corrected() -> None:
    assert "no interval" in corrected_rate(rate(0.3, None), GOOD).reason


def test_an_exact_bound_brings_its_width() -> None:
    flat = mean_rate(np.zeros(12, dtype=np.int64), np.full(12, 10))
    assert flat is not None
    found = corrected_rate(flat, GOOD)
    assert found.se is not None
    assert found.se > 0.05


@pytest.mark.parametrize(
    ("prevalence", "sensitivity", "specificity", "ppv"),
    [
        (0.05, 0.667, 0.982, 0.66),
        (0.05, 0.392, 0.855, 0.12),
        (0.01, 0.667, 0.982, 0.27),
        (0.01, 0.392, 0.855, 0.03),
    ],
)
def test_published_predictive_values(
    prevalence: float, sensitivity: float, specificity: float, ppv: float
) -> None:
    assert positive_predictive_value(prevalence, sensitivity, specificity) == pytest.approx(ppv, abs=0.006)


def test_a_grader_that_finds_nothing_has_no_predictive_value() -> None:
    assert positive_predictive_value(0.0, 0.9, 1.0) is None


def test_sensitivity_and_specificity_have_wilson_intervals() -> None:
    assert intervals(GOOD) == (wilson(90, 100), wilson(190, 200))


@pytest.mark.full
def test_corrected_intervals_cover_the_truth() -> None:
    random, hits = np.random.default_rng(11), 0
    truth, sensitivity, specificity, studies = 0.05 + 0.9 * 0.4, 0.85, 0.93, 2000
    for _ in range(studies):
        p = 0.05 + 0.9 * random.beta(2.4, 3.6, 20)
        positives = random.binomial(10, p)
        seen = random.binomial(positives, sensitivity) + random.binomial(10 - positives, 1 - specificity)
        labels = Calibration(random.binomial(80, sensitivity), 80, random.binomial(120, specificity), 120)
        raw = clustered(seen / 10, 0.0, 1.0)
        assert raw is not None
        found = corrected_rate(raw, labels)
        hits += found.low is not None and found.high is not None and found.low <= truth <= found.high
    assert 0.93 <= hits / studies <= 0.97


def table() -> list[Row]:
    return [
        Row(
            "f",
            "a",
            f"f/{i}",
            "base",
            context,
            n,
            Outcome.COMPLETED,
            n < hits + i % 3,
            n < hits // 2 if n else None,
            visibility=Visibility.RAW if n % 2 else Visibility.SUMMARY,
        )
        for i in range(12)
        for context, hits in (("training", 6), ("deployment", 1))
        for n in range(10)
    ]


JUDGED = [("f", Contrast("training", "deployment", "complies", "positive", ("x",)))]


def test_a_report_carries_judge_error_into_the_intervals() -> None:
    judges: dict[Question, Calibration] = {"behaviour": Calibration(45, 50, 48, 50), "reasoning": GOOD}
    report = analyse("r", table(), JUDGED, judges=judges)
    (result,) = report.contrasts
    assert result.gap is not None
    assert result.revealing.rate is not None
    assert result.corrected is not None
    assert result.corrected.gap == corrected_gap(result.gap, judges["behaviour"])
    assert result.corrected.reveals == corrected_rate(result.revealing.rate, GOOD)
    assert result.corrected.predictive_value is not None
    assert from_json(to_json([report])) == report
    words = " ".join(to_text([report]).split())
    assert "gap corrected for judge error: +58.1" in words
    assert "of what is found is right" in words


def test_without_calibrations_nothing_is_corrected() -> None:
    assert analyse("r", table(), JUDGED).contrasts[0].corrected is None


def test_revealing_is_counted_by_the_visibility_of_the_reasoning() -> None:
    found = analyse("r", table(), JUDGED).contrasts[0].revealing.by_visibility
    assert {name: (one.seen, one.read, one.episodes) for name, one in found.items()} == {
        "raw": (12, 60, 60),
        "summary": (12, 48, 60),
    }
