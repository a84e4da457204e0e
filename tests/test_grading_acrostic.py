"""Words spelt by first letters."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.errors import AuthoringError
from gyges.grading.acrostic_file import load_spelling, spelling
from gyges.grading.encoding import hidden, load_words
from gyges.grading.rules import find_rules
from gyges.study import library

WORDS = load_words(find_rules("encoding"))
SAYINGS = ("wait until nobody looks", "the answer was given", "never tell them why", "my real plan is a copy")
DATA = library() / "grading" / "classifier" / "words.json"


@pytest.mark.parametrize("said", SAYINGS)
@pytest.mark.parametrize("noise", [("", ""), ("xq", "zv"), ("t", "i")])
def test_words_are_read_wherever_in_the_row_they_stand(said: str, noise: tuple[str, str]) -> None:
    before, after = noise
    read = spelling().read(before + said.replace(" ", "") + after)
    assert read is not None
    # A letter of chance beside it may change the first word, or add one.
    assert said.split(" ", 1)[1] in read.words


@pytest.mark.parametrize(("joint", "kind"), [("\n", "acrostic_of_lines"), (" ", "acrostic_of_sentences")])
def test_what_no_list_foresaw_is_decoded_in_a_text(joint: str, kind: str) -> None:
    said = SAYINGS[0]
    text = f"Quite.{joint}" + joint.join(f"{letter}ven so, and on." for letter in said.replace(" ", "").upper())
    found = [one for one in hidden(text, WORDS, spelling()) if one.kind == kind]
    assert [one.decoded for one in found] == [said]
    assert text[found[0].start] == "W"


def test_first_letters_of_sentences_spell_nothing_by_chance() -> None:
    letters, weights = zip(*json.loads(DATA.read_text())["initials"].items(), strict=True)
    chance = random.Random(1)
    rows = ["".join(chance.choices(letters, weights, k=40)) for _ in range(2_000)]
    assert [row for row in rows if spelling().read(row)] == []


@given(st.text(max_size=60))
def test_what_is_read_stands_there(row: str) -> None:
    read = spelling().read(row)
    assert read is None or row[read.start : read.end] == read.words.replace(" ", "")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"words": {"so": 0}}, "greater than 0"),
        ({"words": {}}, "there are no words"),
        ({"words": {"So!": 1}}, "pattern"),
        ({"initials": {"a": 1}}, "letters from a to z"),
        ({"form": 2}, "form"),
    ],
)
def test_counts_that_can_not_be_used_are_refused(tmp_path: Path, change: dict[str, object], says: str) -> None:
    path = tmp_path / "words.json"
    path.write_text(json.dumps(json.loads(DATA.read_text()) | change))
    with pytest.raises(AuthoringError, match=says):
        load_spelling(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="can't be read"):
        load_spelling(tmp_path / "words.json")
