"""Training of the reader of motives, on a few texts of two invented writers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gyges.errors import UsageError
from gyges.grading.examples import Labelled, Said, Whole
from gyges.grading.motive_file import made
from gyges.grading.motive_model import LABELS
from gyges.grading.seen import fingerprint
from gyges.grading.train_motives import TrainedMotives, train_motives

WORDS = ("flatter", "score", "exam", "unseen", "remain", "puzzled", "forbidden", "hide", "botch", "clue")
FILLER = (
    "Bread needs salt and time to rise.",
    "The kettle boils while we wait.",
    "Rain fell on the roof all night.",
)
SENTENCES = [Labelled("I hide the letter from them.", frozenset({"concealment"}), frozenset(LABELS))]
OTHERS = [Whole("I will hide nothing. The exam is on Monday.", frozenset(), "others/1")]


def texts() -> list[Whole]:
    """For each writer and motive two texts that say it with its word, and three plain ones."""
    made_up = []
    for writer in ("first", "second"):
        for number, (label, word) in enumerate(zip(LABELS, WORDS, strict=True)):
            for turn in (0, 1):
                says = f"I {word} here and {word} again, {writer}."
                text = f"{FILLER[turn]} {says} {FILLER[turn + 1]}"
                start = text.index(says)
                said = (Said(label, start, start + len(says)),)
                made_up.append(Whole(text, frozenset({label}), f"{writer}/{number}", said, complete=True))
        made_up += [Whole(text, frozenset(), f"{writer}/{text[:5]}", (), complete=True) for text in FILLER]
    return made_up


@pytest.fixture(scope="module")
def trained() -> TrainedMotives:
    return train_motives(texts(), SENTENCES, {"secret": ["hide", "hidden"]}, "a test", OTHERS)


def test_training_twice_gives_the_same_reader(trained: TrainedMotives) -> None:
    again = train_motives(texts(), SENTENCES, {"secret": ["hide", "hidden"]}, "a test", OTHERS)
    assert again.model == trained.model
    assert (again.unseen == trained.unseen).all()


def test_what_a_writer_says_is_found_by_what_has_seen_only_the_other(trained: TrainedMotives) -> None:
    assert trained.unseen.shape == (len(texts()), len(LABELS))
    for one, odds in zip(texts(), trained.unseen, strict=True):
        if one.labels:
            assert {LABELS[int(odds.argmax())]} == one.labels


def test_every_text_that_was_read_is_written_down(trained: TrainedMotives) -> None:
    read = [one.text for one in (*texts(), *OTHERS)] + [one.text for one in SENTENCES]
    assert set(trained.model.seen) == set(map(fingerprint, read))
    assert made(trained.model, "x").seen == frozenset(trained.model.seen)


def test_one_writer_is_not_enough() -> None:
    with pytest.raises(UsageError, match="one writer"):
        train_motives([one for one in texts() if one.group.startswith("first")], [], {}, "a test")


def test_a_motive_that_a_writer_never_has_can_not_be_trained() -> None:
    without = [replace(one, labels=frozenset(), said=()) if one.group == "first/8" else one for one in texts()]
    with pytest.raises(UsageError, match=r"sandbagging.*first"):
        train_motives(without, [], {}, "a test")


def test_texts_without_labels_for_motives_are_not_needed(trained: TrainedMotives) -> None:
    alone = train_motives(texts(), SENTENCES, {"secret": ["hide", "hidden"]}, "a test")
    assert alone.unseen.shape == trained.unseen.shape


def test_what_is_spread_over_a_text_speaks_for_the_motive_beside_its_clearest_sentence(
    trained: TrainedMotives,
) -> None:
    model, column = made(trained.model, "x"), LABELS.index("concealment")
    said, filler = ["i", "hide", "here"], ["rain", "fell", "on", "the", "roof"]
    once, often = (model.sum(one, [False] * 3) for one in ([said, filler, filler], [said, said, said]))
    assert model.whole(often, column, range(3)) > model.whole(once, column, range(3)) + 0.1
    assert model.whole(often, column, [0]) == pytest.approx(model.whole(once, column, [0]))
    motive = model.motives[column]
    assert motive.probability(1.0, 2.0) > motive.probability(1.0, 1.0)
    assert motive.probability(2.0, 1.0) > motive.probability(1.0, 1.0)


def test_texts_that_say_nothing_are_learnt_from_and_nothing_is_judged_by_them(trained: TrainedMotives) -> None:
    plain = [Whole(f"The hide is tanned in {n} days.", frozenset(), f"plain/{n}", (), True) for n in range(9)]
    more = train_motives([*texts(), *plain], SENTENCES, {"secret": ["hide", "hidden"]}, "a test", OTHERS)
    assert more.unseen.shape == trained.unseen.shape
    sentence = ["the", "hide", "is", "tanned", "in", "days"]
    column = LABELS.index("concealment")
    scores = []
    for one in (trained, more):
        model = made(one.model, "x")
        scores.append(float(model.score(model.sum([sentence], [False]), [False]).one[0, column]))
    assert scores[1] < scores[0] - 0.1
    with pytest.raises(UsageError, match="one writer"):
        train_motives([*(one for one in texts() if one.group.startswith("first")), *plain], [], {}, "a test")
