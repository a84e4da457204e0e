"""Fingerprints of what a grader was made with: alike for the same words, and never those of the test texts."""

from __future__ import annotations

import json

import pytest

from gyges.grading.default import offline_grader, rules_grader
from gyges.grading.seen import fingerprint, seen_by
from gyges.grading.train import train
from gyges.study import library
from tests.test_grading_train import GROUPS, sentences, texts

FOLDER = library() / "grading" / "gold"


@pytest.mark.parametrize("other", ["a  text\nof words", " A Text of WORDS ", "a text of words"])
def test_white_space_and_case_do_not_hide_a_text(other: str) -> None:
    assert fingerprint(other) == fingerprint("a text of words")
    assert fingerprint(other) != fingerprint("a text of word")


def test_a_lone_surrogate_has_a_fingerprint() -> None:
    assert len(fingerprint("a\ud800")) == 12


def test_training_writes_down_what_was_seen() -> None:
    model = train(texts(), sentences(), GROUPS, "a test").model
    read = [*(one.text for one in texts()), *(one.text for one in sentences())]
    assert set(model.seen) == set(map(fingerprint, read))


@pytest.mark.parametrize(
    "name", ["develop", "develop-voices", "long-develop", "natural-e", "sentences-a", "motives-a", "motives-s"]
)
def test_labels_for_development_were_seen_by_every_grader_that_asks_nobody(name: str) -> None:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    there = {fingerprint(row["text"]) for row in map(json.loads, lines) if "text" in row}
    assert there <= seen_by(offline_grader())
    assert there <= seen_by(rules_grader())


TESTS = (
    *("held-out", "long-test", "natural-test", *(f"natural-test-{number}" for number in (2, 3, 4, 5))),
    *("motives-test", *(f"motives-test-{number}" for number in (2, 3, 4))),
)


@pytest.mark.parametrize("name", TESTS)
def test_test_texts_were_not_seen(name: str) -> None:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    there = {fingerprint(row["text"]) for row in map(json.loads, lines) if "text" in row}
    assert len(there) > 100
    assert not there & seen_by(offline_grader())
