"""Words to features."""

from __future__ import annotations

import pytest

from gyges.grading.features import groups_of, stem, together

GROUPS = groups_of({"self": ["i", "me"], "keep": ["keep*", "kept", "hold"], "other": ["keeper", "holding"]})


@pytest.mark.parametrize(
    "words",
    [("modify", "modified", "modifies"), ("stop", "stopping", "stopped"), ("value", "values"), ("7", "12345")],
)
def test_inflections_have_one_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


@pytest.mark.parametrize(
    ("word", "stems"),
    [("can't", ["can", "not"]), ("i'll", ["i", "will"]), ("doesn't", ["does", "not"]), ("'ll", ["'ll"])],
)
def test_a_contraction_is_two_words(word: str, stems: list[str]) -> None:
    assert [token.stem for token in GROUPS.tokens(word)] == stems


def test_a_word_belongs_to_the_first_group_that_has_it_and_exact_ones_win() -> None:
    found = {word: GROUPS.tokens(word)[0].group for word in ("keeping", "keeper", "kept", "holding", "cat")}
    assert found == {"keeping": "keep", "keeper": "other", "kept": "keep", "holding": "other", "cat": ""}


def test_neighbours_make_pairs_and_triples() -> None:
    assert together(["a", "b", "c"], ["x", "y"]) == ["w:a b", "w:b c", "w:a b c", "g:x y"]
    assert together([], []) == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["i", "keep", "it", "quiet"], ["g:hide", "g:self hide"]),
        (["keep", "that", "quiet", "from", "me"], ["g:hide", "g:hide self"]),
        (["i", "keep", "quiet"], ["g:self keep"]),
        (["keep", "it"], []),
    ],
)
def test_a_phrase_has_a_group_in_place_of_those_of_its_words(words: list[str], offered: list[str]) -> None:
    groups = groups_of({"self": ["i", "me"], "keep": ["keep*"], "hide": ["keep it|that quiet"]})
    tokens = [token for word in words for token in groups.tokens(word)]
    found = groups.together([token.stem for token in tokens], [token.group for token in tokens])
    assert [name for name in found if name[:2] == "g:"] == offered


def test_the_longer_of_two_phrases_is_taken_and_contractions_are_spelt_out() -> None:
    groups = groups_of({"short": ["can not"], "long": ["can't tell"]})
    assert groups.together(["can", "not", "tell"], ["", "", ""])[0] == "g:long"
    assert groups.together(["can", "not", "say"], ["", "", ""])[0] == "g:short"


def test_a_very_long_word_is_cut() -> None:
    assert len(GROUPS.tokens("x" * 100_000)[0].alone) < 100
