"""Figures of all draws at once are those of each draw by itself, worked out the slow way."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gyges.grading.agreement import krippendorff
from gyges.grading.calibration import Item, auroc, kappa
from gyges.grading.resample import alphas, aurocs, kappas, means, tables, weights

DRAW = random.Random(2)
ITEMS = [
    Item(DRAW.random() < 0.4, DRAW.random() < 0.5, round(DRAW.random(), 1), f"g{n // 2}" if n % 3 else "")
    for n in range(40)
]
COUNTED = weights([item.group for item in ITEMS], 50, 7)


def drawn(row: int) -> list[Item]:
    return [item for item, times in zip(ITEMS, COUNTED[row], strict=True) for _ in range(int(times))]


@pytest.mark.parametrize("row", range(0, 51, 10))
def test_every_draw_is_as_if_worked_out_by_itself(row: int) -> None:
    labels = [item.label for item in ITEMS]
    table = tables(labels, [bool(item.answer) for item in ITEMS], COUNTED)
    scores = [item.score or 0.0 for item in ITEMS]
    sample = drawn(row)
    pairs = [(str(item.label), str(item.answer)) for item in sample]
    assert kappas(table)[row] == pytest.approx(kappa(sample))
    assert alphas(table)[row] == pytest.approx(krippendorff(pairs))
    assert aurocs(labels, scores, COUNTED)[row] == pytest.approx(auroc(sample))
    mean = sum(item.score or 0.0 for item in sample) / len(sample)
    assert means(scores, COUNTED)[row] == pytest.approx(mean)


def test_groups_are_drawn_whole_and_the_first_row_is_the_data() -> None:
    assert (COUNTED[0] == 1).all()
    for name in {item.group for item in ITEMS if item.group}:
        columns = [at for at, item in enumerate(ITEMS) if item.group == name]
        assert (COUNTED[:, columns] == COUNTED[:, columns[:1]]).all()


def test_where_nothing_can_be_told_there_is_no_number() -> None:
    once = np.ones((1, 3))
    table = tables([True] * 3, [True] * 3, once)
    assert np.isnan(kappas(table)).all()
    assert np.isnan(alphas(table)).all()
    assert np.isnan(aurocs([True] * 3, [0.1, 0.2, 0.3], once)).all()
