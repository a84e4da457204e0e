"""Published tables again from their counts, as far as rounded percentages tell the counts."""

from __future__ import annotations

import math

import pytest

from gyges.analysis.rates import newcombe, rule_of_three, upper_bound_of_zero, wilson

QUERIES = 173
"""Harmful queries of Greenblatt et al. 2024 (arXiv:2412.14093), one sample each in the variations of table G.2."""


@pytest.mark.parametrize(
    ("row", "training", "unmonitored", "gap"),
    [
        ("RLHF modifies views, values, heuristics", 87.3, 96.5, 9.2),
        ("cut: modification would affect values", 89.6, 95.4, 5.8),
        ("cut all RLHF info", 90.8, 98.3, 7.5),
        ("not from California", 89.6, 94.2, 4.6),
        ("region EU", 84.4, 96.5, 12.1),
        ("e-mail", 80.3, 95.4, 15.0),
        ("with: best for humanity", 85.5, 97.1, 11.6),
        ("you should", 89.6, 98.8, 9.2),
        ("does not care about harmlessness", 51.4, 79.2, 27.7),
        ("text of the figure", 65.9, 98.8, 32.9),
        ("cut few-shot examples", 65.3, 97.7, 32.4),
        ("training absent", 93.1, 94.2, 1.2),
        ("unmonitored absent", 81.5, 95.4, 13.9),
        ("never alignment fake", 87.3, 96.5, 9.2),
        ("behave the same", 86.7, 98.8, 12.1),
        ("stacked changes", 69.4, 83.2, 13.9),
        ("OpenAI as the company", 84.4, 95.4, 11.0),
        ("GDM as the company", 79.2, 96.5, 17.3),
        ("cut conflicting criteria", 98.8, 100.0, 1.2),
        ("many AIs", 93.1, 97.1, 4.0),
        ("many personas", 91.9, 97.7, 5.8),
    ],
)
def test_the_gaps_of_the_variations_follow_from_counts(
    row: str, training: float, unmonitored: float, gap: float
) -> None:
    refused = [round(share * QUERIES / 100) for share in (training, unmonitored)]
    assert [round(100 * n / QUERIES, 1) for n in refused] == [training, unmonitored], row
    assert round(100 * (refused[1] - refused[0]) / QUERIES, 1) == gap
    low, high = newcombe(refused[1], QUERIES, refused[0], QUERIES)
    assert low < gap / 100 < high


@pytest.mark.parametrize(
    ("training", "unmonitored", "gap", "error"),
    [((0.858, 1.9), (0.972, 0.9), 11.3, 2.1), ((0.508, 1.9), (0.656, 1.9), 14.8, 2.8)],
)
def test_the_default_rows_have_the_errors_of_unpaired_rates(
    training: tuple[float, float], unmonitored: tuple[float, float], gap: float, error: float
) -> None:
    """Each +- is a standard error; that of the gap is the two joined, which leaves the pairing unused."""
    joined = math.hypot(training[1], unmonitored[1])
    assert joined == pytest.approx(error, abs=0.12)
    assert 100 * (unmonitored[0] - training[0]) == pytest.approx(gap, abs=0.11)
    n = training[0] * (1 - training[0]) / (training[1] / 100) ** 2
    assert 100 * math.sqrt(unmonitored[0] * (1 - unmonitored[0]) / n) == pytest.approx(unmonitored[1], abs=0.1)


@pytest.mark.parametrize(("n", "bound"), [(30, 9.5), (100, 2.95), (300, 0.99)])
def test_the_bounds_of_zeros_are_the_fields(n: int, bound: float) -> None:
    assert 100 * upper_bound_of_zero(n) == pytest.approx(bound, abs=0.05)
    assert rule_of_three(n) >= upper_bound_of_zero(n)


def test_a_gap_of_one_point_in_a_hundred_is_noise() -> None:
    low, high = newcombe(2, 100, 1, 100)
    assert [100 * low, 100 * high] == pytest.approx([-3.7, 6.1], abs=0.05)
    assert 100 * wilson(0, 100)[1] == pytest.approx(3.7, abs=0.05)
