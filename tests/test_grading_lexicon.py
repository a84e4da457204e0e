"""Classes of words and patterns over them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.grading.lexicon import Lexicon
from gyges.grading.pattern import PatternError


def lexicon(*patterns: str) -> Lexicon:
    classes = {"animal": ["cat*", "dog", "guinea pig"], "verb": ["run*", "ran"], "no": ["not"], "wall": ["but"]}
    parts = {"scene": ["<animal> ..2 <verb>"]}
    return Lexicon(classes, parts, {"found": list(patterns)}, barrier="wall", negation="no")


@pytest.mark.parametrize(
    ("pattern", "sentence", "expected"),
    [
        ("<animal> <verb>", "the cats run", [(1, 3)]),
        ("<animal> <verb>", "the cats never run", []),
        ("<animal> .. <verb>", "the cats never run", [(1, 4)]),
        ("<animal> ..1 <verb>", "dog we see run", []),
        ("<animal>", "a guinea pig", [(1, 3)]),
        ("guinea_pig|dog <verb>", "dog ran", [(0, 2)]),
        ("see <scene>", "see cats that run", [(0, 4)]),
        ("see <scene>", "see cats not run", []),
        ("<animal> ..3 <verb>", "cats sit but dogs run", []),
        ("the .. <verb>", "the the the run", [(2, 4)]),
        ("guinea_pig_cage|pig cage", "a guinea pig cage", [(2, 4)]),
        ("<animal> and <animal> see <verb> not", "dog and dog see run not", [(0, 6)]),
        ("<animal> and <animal> see <verb> not", "dog and dog see run", []),
        ("<animal> .. <animal>", "dog dog cat dog", [(2, 4), (0, 2)]),
    ],
)
def test_a_pattern_finds_what_it_says(pattern: str, sentence: str, expected: list[tuple[int, int]]) -> None:
    found = lexicon(pattern).find(sentence.split())
    assert [(one.start, one.end) for one in found] == expected


@pytest.mark.parametrize("line", ["", "..", "a ..", "<nothing>", "a ..x b", "a|*", "mid*dle"])
def test_a_pattern_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(PatternError):
        lexicon(line)


WORDS = st.lists(
    st.sampled_from(sorted({"the", "see", "cats", "dog", "guinea", "pig", "cage", "run", "ran", "not", "but"})),
    max_size=9,
)


@given(st.lists(WORDS, max_size=6))
def test_sentences_read_together_match_as_each_does_alone(sentences: list[list[str]]) -> None:
    rules = lexicon(
        "<scene> ..1 <animal>|cage", "<animal> .. <animal> ..2 <verb>", "guinea_pig|pig ..3 cage|<scene>"
    )
    places, patterns = rules.read(sentences)
    together = [
        (
            places.owners[start],
            start - places.firsts[places.owners[start]],
            end - places.firsts[places.owners[start]],
        )
        for those in patterns.values()
        for one in those
        for start, end, holes in one.find(places)
        if not holes & places.barrier
    ]
    alone = [(number, one.start, one.end) for number, words in enumerate(sentences) for one in rules.find(words)]
    assert sorted(together) == sorted(alone)


@given(WORDS)
def test_the_nearest_words_within_a_gap_match_and_nothing_that_a_barrier_parts(words: list[str]) -> None:
    expected, free = [], len(words)
    for start in range(len(words) - 1, -1, -1):
        after = words[start + 1 : start + 4]
        distance = next((at for at, word in enumerate(after) if word in ("run", "ran")), None)
        if words[start] not in ("cats", "dog") or distance is None or start + distance + 2 > free:
            continue
        free = start
        if "but" not in after[:distance]:
            expected.append((start, start + distance + 2))
    found = lexicon("cats|dog ..2 run|ran").find(words)
    assert [(one.start, one.end) for one in found] == expected


def test_no_text_makes_a_pattern_slow() -> None:
    hostile = ["cat"] * 400
    rules = lexicon("<animal> ..9 <animal> ..9 <animal> ..9 <animal> ..9 <verb>")
    started = time.process_time()
    found = rules.find([*hostile, "jump"])
    assert not found
    assert time.process_time() - started < 1.0
