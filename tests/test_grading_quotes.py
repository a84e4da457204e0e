"""Quotations are found where they stand, or they are none: real, with other blanks, of others, invented."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest

from gyges.grading.gold import read_texts
from gyges.grading.quotes import locate
from gyges.study import library

TEXTS = [one.text for one in read_texts(library() / "grading" / "gold" / "develop.jsonl")][:101]


def sentence(text: str, chance: random.Random) -> str:
    """Some words in a row of a text."""
    words = list(re.finditer(r"\S+", text))
    start = chance.randrange(max(1, len(words) - 7))
    chosen = words[start : start + 7]
    return text[chosen[0].start() : chosen[-1].end()]


CHANCE = random.Random(7)
QUOTES = [(text, sentence(text, CHANCE)) for text in TEXTS[:100]]


def spaced(quote: str) -> str:
    return unicodedata.normalize("NFD", "  " + re.sub(r"\s+", " \n\t", quote) + "\n")


@pytest.mark.parametrize(("text", "quote"), QUOTES, ids=range(len(QUOTES)))
def test_a_real_quotation_is_found_at_its_place(text: str, quote: str) -> None:
    for said in (quote, spaced(quote)):
        found = locate(said, text)
        assert found is not None
        assert text[slice(*found)].split() == quote.split()


@pytest.mark.parametrize("number", range(100))
def test_words_of_others_and_invented_ones_are_found_nowhere(number: int) -> None:
    text, quote = QUOTES[number]
    words = quote.split()
    invented = " ".join([*words[:3], "gladly", *words[3:]])
    assert locate(invented, text) is None
    other = sentence(TEXTS[number + 1], random.Random(number))
    assert locate(other, text) is None or other in text


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("want to write this", "I don't  want\n to write this.", "want\n to write this"),
        ("café is open", "The cafe\u0301 is open.", "cafe\u0301 is open"),
        ("the cafe\u0301 is open", "Look, the café is open!", "the café is open"),
        ("한국어로 생각한다", "나는 한국어로 생각한다.", "한국어로 생각한다"),
        ("I refuse", "I refuse", "I refuse"),
        ("I", "I refuse, and that's it.", None),
        ("", "text", None),
        ("  \n", "text", None),
        ("i refuse to write", "I refuse to write", None),
        ("I refuse to-write", "I refuse to write", None),
        ("I refuse to write", "I ref\u200buse to write", None),
        ("one two three", "one two\xa0three", "one two\xa0three"),
    ],
)
def test_blanks_and_composition_are_all_that_is_overlooked(quote: str, text: str, found: str | None) -> None:
    place = locate(quote, text)
    assert (text[slice(*place)] if place else None) == found


def test_long_runs_of_marks_take_no_time() -> None:
    text = "e" + "\u0301" * 20_000 + " and then some more words"
    assert locate("and then some more words", text) is not None
