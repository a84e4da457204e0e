"""A grader against labels."""

from __future__ import annotations

import pytest

from gyges.grading.calibration import (
    NOTHING,
    Figure,
    Item,
    auroc,
    calibrate,
    kappa,
    predictive_value,
    wilson,
)


def items(tp: int, fp: int, fn: int, tn: int) -> list[Item]:
    cells = [(True, True, tp), (False, True, fp), (True, False, fn), (False, False, tn)]
    return [Item(label, answer, float(answer)) for label, answer, count in cells for _ in range(count)]


def test_the_published_figures_of_a_published_confusion_are_reproduced() -> None:
    """34 of 51 found with one false alarm in 55: precision 0.971, recall 0.667, specificity 0.982."""
    found = calibrate(items(34, 1, 17, 54))
    assert found.precision.estimate == pytest.approx(0.971, abs=5e-4)
    assert found.sensitivity.estimate == pytest.approx(0.667, abs=5e-4)
    assert found.specificity.estimate == pytest.approx(0.982, abs=5e-4)
    assert predictive_value(34 / 51, 54 / 55, 0.05) == pytest.approx(0.66, abs=5e-3)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"), [(0, 100, 0.0, 0.0370), (50, 100, 0.4038, 0.5962), (3, 3, 0.4385, 1.0)]
)
def test_wilson_has_its_textbook_values(hits: int, trials: int, low: float, high: float) -> None:
    figure = wilson(hits, trials)
    assert figure.low == pytest.approx(low, abs=1e-4)
    assert figure.high == pytest.approx(high, abs=1e-4)


def test_kappa_has_its_textbook_value() -> None:
    assert kappa(items(20, 5, 10, 15)) == pytest.approx(0.4)
    assert kappa(items(5, 0, 0, 0)) is None
    assert kappa([]) is None


def test_auroc_counts_ties_by_half() -> None:
    pairs = [(True, 3.0), (True, 1.0), (False, 1.0), (False, 0.0)]
    assert auroc([Item(label, True, score) for label, score in pairs]) == pytest.approx(3.5 / 4)
    assert auroc([Item(True, True, 1.0)]) is None


def test_what_is_ungraded_is_counted_and_no_error() -> None:
    found = calibrate([*items(4, 0, 0, 4), Item(True, None), Item(False, None)])
    assert found.ungraded == 2
    assert found.sensitivity.estimate == found.specificity.estimate == 1.0


def test_with_nothing_graded_there_are_no_figures() -> None:
    found = calibrate([Item(True, None)])
    assert found.sensitivity == found.kappa == found.auroc == NOTHING


def test_resampling_by_group_widens_the_interval_where_groups_agree() -> None:
    alone = items(15, 5, 5, 15)
    paired = [Item(one.label, one.answer, one.score, f"{index // 5}") for index, one in enumerate(alone)]
    assert width(calibrate(paired).kappa) > width(calibrate(alone).kappa)


def width(figure: Figure) -> float:
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low
