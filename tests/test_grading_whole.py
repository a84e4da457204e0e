"""What the words of a text speak for, together: which sentences are read, and that length counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.grading.fit_whole import fit_view
from gyges.grading.model_file import StoredView, stored_view
from gyges.grading.whole import BEYOND, ENDING, parts, running

WORDS = ("keep", "values", "comply", "refuse", "soup", "beans")
TEXTS = [["keep", "values", "comply"], ["refuse", "soup"], ["comply", "beans"], ["refuse", "values"]] * 4
TRUTHS = np.tile([[True, True], [False, True], [True, False], [False, False]] * 4, 3)
VIEW = fit_view(TEXTS, TRUTHS, np.ones(len(TEXTS)))


def test_the_matter_is_what_has_to_do_with_it_and_what_stands_beside() -> None:
    matter, ending = parts([False, False, True, False, False, False])
    assert matter == [1, 2, 3]
    assert ending == [1, 2, 3, 4, 5]


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 500))
def test_what_follows_far_behind_the_matter_changes_no_part(relevant: list[bool], more: int) -> None:
    before = [*relevant, *[False] * BEYOND]
    assert parts([*before, *[False] * more]) == parts(before)
    assert len(parts(before)[1]) <= ENDING


def test_stems_are_joined_within_a_sentence_only() -> None:
    assert running([["i", "will", "keep"], ["no"]]) == [
        "i",
        "will",
        "keep",
        "i will",
        "will keep",
        "i will keep",
        "no",
    ]
    assert running([]) == []


def test_a_view_finds_what_it_was_fitted_to() -> None:
    scores = np.array([VIEW.score(text) for text in TEXTS])
    assert ((scores > 0) == TRUTHS).all()


@pytest.mark.parametrize("features", [[], ["unheard", "of"]])
def test_where_no_word_is_known_only_the_base_rate_speaks(features: list[str]) -> None:
    assert VIEW.score(features) == pytest.approx(VIEW.intercepts)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), st.integers(2, 50))
def test_a_text_said_over_and_over_scores_nearly_alike_and_unknown_words_change_nothing(
    text: list[str], times: int
) -> None:
    once, unknown = VIEW.score(text), VIEW.score([*text, *["unheard"] * times])
    assert unknown == pytest.approx(once)
    bound = np.abs(VIEW.weights).sum(axis=0)
    assert (np.abs(VIEW.score(text * times) - VIEW.intercepts) <= bound + 1e-9).all()


def test_stored_it_scores_the_same_to_the_digits_that_are_kept() -> None:
    stored = StoredView.model_validate_json(stored_view(VIEW).model_dump_json())
    assert stored.features.keys() == VIEW.rows.keys()
    for name, row in stored.features.items():
        assert np.array(row[1:]) / 100 == pytest.approx(VIEW.weights[VIEW.rows[name]], abs=0.005)
