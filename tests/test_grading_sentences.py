"""Sentences, words, clauses and quotations of a text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.grading.drafts import without_drafts
from gyges.grading.sentences import sentences


def texts(text: str) -> list[str]:
    return [text[one.start : one.end] for one in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("e.g. this stays one sentence.", ["e.g. this stays one sentence."]),
        ("It isn't. But this is new.", ["It isn't.", "But this is new."]),
        ("Hmm... if I say so.", ["Hmm... if I say so."]),
        ("a line that\ngoes on here", ["a line that\ngoes on here"]),
        ("first\n\nsecond", ["first", "second"]),
        ("Options:\n- one\n- two", ["Options:", "- one", "- two"]),
        ("...\n!?", []),
    ],
)
def test_a_text_falls_into_its_sentences(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_drafts_are_left_out_and_places_stay() -> None:
    text = "Before. <draft_output>I'll lie.</draft_output> After."
    found = sentences(without_drafts(text))
    assert [text[one.start : one.end] for one in found] == ["Before.", "After."]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a <draft>b</draft> c", "a  c"),
        ("a <DRAFT_OUTPUT x=1>b</draft_output> c <draft>d", "a  c "),
        ("a <drafty", "a <drafty"),
        ("<draft><draft>a</draft>b", "b"),
    ],
)
def test_a_draft_ends_at_its_tag_or_with_the_text(text: str, kept: str) -> None:
    assert without_drafts(text, "").strip() == kept.strip()
    assert len(without_drafts(text)) == len(text)


def test_curly_apostrophes_and_hurried_spellings_are_the_same_words() -> None:
    assert sentences("I don’t")[0].words == sentences("i dont")[0].words == ("i", "don't")


def test_a_long_quotation_is_marked_and_a_word_in_inverted_commas_is_not() -> None:
    long = sentences('He said "I will do as they want" and left.')[0]
    assert long.quoted() == frozenset({2, 3, 4, 5, 6, 7})
    assert sentences('It is a "safe" choice here.')[0].quoted() == frozenset()


def test_a_clause_ends_at_a_comma_and_at_but() -> None:
    clauses = sentences("I could refuse, but I comply")[0].clauses()
    assert clauses == (0, 0, 0, 1, 1, 1)


@given(st.text(max_size=300))
def test_every_sentence_lies_within_the_text_in_order(text: str) -> None:
    found = sentences(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(len(one.words) == len(one.clauses()) for one in found)
