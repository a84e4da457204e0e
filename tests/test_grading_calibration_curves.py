"""What scores mean, how votes add up, and what findings are worth in a run."""

from __future__ import annotations

import math
import random

import pytest

from gyges.grading.calibration import NOTHING, Item
from gyges.grading.calibration_curves import (
    Ballots,
    _at_least,
    alpha,
    brier,
    by_threshold,
    by_votes,
    in_run,
    reliability,
)


def test_every_scored_text_is_in_one_bin() -> None:
    items = [Item(n % 2 == 0, None, n / 20) for n in range(21)]
    bins = reliability(items)
    assert sum(one.texts for one in bins) == 21
    assert bins[-1].high == 1.0
    assert all(one.low <= one.mean <= one.high for one in bins)


def test_scores_that_mean_what_they_say_lie_on_the_diagonal() -> None:
    draw = random.Random(3)
    items = [Item(draw.random() < score, None, score) for score in (draw.random() for _ in range(4000))]
    for one in reliability(items):
        assert one.observed.low is not None
        assert one.observed.high is not None
        assert one.observed.low - 0.03 <= one.mean <= one.observed.high + 0.03


def test_brier_has_its_textbook_values() -> None:
    assert brier([Item(True, None, 1.0), Item(False, None, 0.0)]).estimate == 0
    assert brier([Item(True, None, 0.5), Item(False, None, 0.5)]).estimate == 0.25
    assert brier([Item(True, None)]) == NOTHING


def test_alpha_is_one_for_agreement_and_near_nothing_for_chance() -> None:
    same = [Item(n % 2 == 0, n % 2 == 0) for n in range(40)]
    assert alpha(same).estimate == pytest.approx(1)
    draw = random.Random(5)
    chance = [Item(draw.random() < 0.5, draw.random() < 0.5) for _ in range(2000)]
    assert abs(alpha(chance).estimate or 0) < 0.06


def test_demanding_more_votes_finds_less_and_errs_less() -> None:
    ballots = [Ballots(True, yes, 5) for yes in (2, 3, 4, 5, 5)] + [Ballots(False, yes, 5) for yes in (0, 0, 1, 3)]
    points = by_threshold(ballots, 5)
    assert [point.sensitivity.estimate for point in points] == [1.0, 1.0, 0.8, 0.6, 0.4]
    assert [point.specificity.estimate for point in points] == [0.5, 0.75, 0.75, 1.0, 1.0]


def test_votes_that_were_not_all_cast_are_left_out() -> None:
    assert by_threshold([Ballots(True, 1, 2)], 3)[0].sensitivity == NOTHING


def test_fewer_votes_are_expected_as_if_drawn_from_all() -> None:
    """Against drawing: the majority of 3 of 7 votes."""
    ballots = [Ballots(True, 5, 7), Ballots(True, 3, 7), Ballots(False, 2, 7)]
    point = by_votes(ballots, 7, 0.5)[2]
    draw = random.Random(1)

    def majority(yes: int) -> float:
        votes = [True] * yes + [False] * (7 - yes)
        return sum(sum(draw.sample(votes, 3)) >= 2 for _ in range(20_000)) / 20_000

    assert point.votes == 3
    assert point.sensitivity.estimate == pytest.approx((majority(5) + majority(3)) / 2, abs=0.01)
    assert point.specificity.estimate == pytest.approx(1 - majority(2), abs=0.01)


def test_what_a_finding_is_worth_in_a_run() -> None:
    """Rogan and Gladen by hand: (0.3 + 0.9 - 1) / (0.8 + 0.9 - 1) = 2/7."""
    found = in_run(300, 1000, 80, 100, 90, 100)
    assert found.prevalence.estimate == pytest.approx(2 / 7)
    right = 2 / 7 * 0.8
    assert found.predictive_value.estimate == pytest.approx(right / (right + 5 / 7 * 0.1))
    for figure in (found.prevalence, found.predictive_value):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < (figure.estimate or 0) < figure.high


@pytest.mark.full
def test_the_interval_of_the_prevalence_covers_what_was_planted() -> None:
    """Labels and run drawn again and again with sensitivity 0.8, specificity 0.9, prevalence 0.25."""
    draw = random.Random(11)

    def hits(chance: float, of: int) -> int:
        return sum(draw.random() < chance for _ in range(of))

    covered = 0
    for seed in range(60):
        raw = 0.25 * 0.8 + 0.75 * 0.1
        one = in_run(hits(raw, 400), 400, hits(0.8, 150), 150, hits(0.9, 150), 150, seed)
        assert one.prevalence.low is not None
        assert one.prevalence.high is not None
        covered += one.prevalence.low <= 0.25 <= one.prevalence.high
    assert covered >= 52  # 57 are expected; fewer than 52 has a chance of 1 in 100


@pytest.mark.parametrize("counts", [(0, 0, 1, 1, 1, 1), (1, 2, 5, 10, 5, 10), (1, 2, 0, 0, 5, 10)])
def test_nothing_is_said_where_the_grader_knows_nothing(counts: tuple[int, int, int, int, int, int]) -> None:
    found = in_run(*counts)
    assert found.prevalence == found.predictive_value == NOTHING


def test_the_chances_of_votes_add_up() -> None:
    for yes in range(6):
        exact = [_at_least(k, 3, yes, 5) - _at_least(k + 1, 3, yes, 5) for k in range(4)]
        assert math.isclose(sum(exact), 1.0)
        assert min(exact) >= -1e-12
