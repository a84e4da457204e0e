"""Whether words follow each other as they do in English."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.errors import AuthoringError
from gyges.grading.sentences import sentences
from gyges.grading.word_order import CHUNK, NUMBER, SYMBOL, UNKNOWN, WITHOUT_VOWEL, chunks, kind_of, tokens
from gyges.grading.word_order_file import english, load_word_order
from gyges.study import library

FILE = library() / "grading" / "classifier" / "word-order.json"
PROSE = "The guests want soup and bread, so I will plan for six and ask who doesn't eat fish. "
SALAD = "Of will the and so bread plan who, for the doesn't want fish ask six. Soup I and eat the, guests so to. "


def runs(text: str) -> list[tuple[int, int]]:
    return list(english().runs(sentences(text)))


def test_the_order_of_words_tells_prose_from_the_same_words_in_no_order() -> None:
    assert runs(PROSE * 6) == []
    assert runs(SALAD * 3) == [(0, 6)]


def test_a_stretch_ends_where_prose_goes_on() -> None:
    before = "Somebody has asked me for a plan. I think that it can be short, since she knows how to cook. "
    after = "That would be all of it. I could add a word about wine, but nobody has asked for that. "
    assert runs(before + SALAD * 2 + after) == [(2, 6)]


def test_a_few_words_are_not_judged() -> None:
    assert runs("Of will the and so. Bread who plan for.") == []


@pytest.mark.parametrize(
    ("token", "kind"),
    [("wmbl", WITHOUT_VOWEL), ("wamble", UNKNOWN), ("→", SYMBOL), ("3rd", NUMBER), ("море", UNKNOWN)],
)
def test_what_is_not_listed_is_told_apart_by_its_letters(token: str, kind: int) -> None:
    assert kind_of(token) == kind
    assert english().classes[token] == english().classes.last + 1 + kind


def test_words_and_marks_are_tokens() -> None:
    assert tokens("Don't (ever) say 'so'; x=3.") == ["don't", "(", "ever", ")", "say", "'", "so'", ";", *"x=3."]


def test_a_chunk_has_enough_words_and_nothing_is_left_over() -> None:
    found = sentences("One two three. " * 11)
    starts = chunks(found)
    assert starts == [0, 4]
    assert all(sum(len(one.words) for one in found[a:b]) >= CHUNK for a, b in zip(starts, [4, 11], strict=True))
    assert chunks(()) == []
    assert chunks(sentences("One.")) == [0]


@given(st.text(max_size=300))
def test_stretches_lie_in_the_text_whatever_it_holds(text: str) -> None:
    found = sentences(text)
    stretches = list(english().runs(found))
    assert stretches == sorted(stretches)
    assert all(0 <= start < end <= len(found) for start, end in stretches)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threshold": 0}, "the threshold is not above 0"),
        ({"weights": {"words": 1.0}}, "the weights are not those of"),
        ({"classes": [["the"]]}, "2 classes, and not as many rows and columns"),
        ({"kind": "something else"}, "kind"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    path = tmp_path / "order.json"
    path.write_text(json.dumps({**json.loads(FILE.read_text("utf-8")), **change}), encoding="utf-8")
    with pytest.raises(AuthoringError, match=told):
        load_word_order(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="can't be read"):
        load_word_order(tmp_path / "none.json")
