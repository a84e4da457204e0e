"""Places of classes, as bits."""

from __future__ import annotations

import pytest

from gyges.grading.places import Places, bits, spread, steps


def places() -> Places:
    """Two sentences of three words; class 0 at words 0 and 5 alone, and as two words at 1."""
    made = Places([0b100001], [0, 5], [3, 3])
    made.add(0, 2, 0b10)
    return made


def test_places_and_bits_are_the_same() -> None:
    assert bits(sum(1 << place for place in (0, 3, 70))) == [0, 3, 70]


@pytest.mark.parametrize("gap", range(14))
def test_a_bit_is_spread_over_a_gap_and_no_further(gap: int) -> None:
    assert bits(spread(1, steps(gap))) == list(range(gap + 1))


def test_a_class_of_words_and_phrases_ends_behind_each() -> None:
    assert bits(places().ends(0, -1)) == [1, 3, 6]
    assert places().spans(0) == [(0, 1), (1, 3), (5, 6)]


def test_only_what_reaches_an_end_is_before_it() -> None:
    assert bits(places().before(0, -1, 0b1000)) == [1]


def test_a_class_may_begin_at_a_place_with_one_word_and_with_two() -> None:
    made = places()
    made.add(0, 1, 0b10)
    assert list(made.lengths(0, 1)) == [1, 2]


def test_each_place_has_its_sentence() -> None:
    assert [places().owners[place] for place in (0, 2, 5, 7)] == [0, 0, 1, 1]
    assert [bits(whole) for whole in places().wholes] == [[0, 1, 2], [5, 6, 7]]
