"""Learn the order of English words from the labelled texts for development, and weigh the signs of illegibility.

    python benchmarks/train_word_order.py

Which classes of words follow each other is learned from FILES of grading/gold. The weights are fitted on stretches
of these texts, each read by what was learned from the other files only, against such stretches spoilt in eleven
ways, and on the half of legibility.jsonl that is for development; the threshold is the lowest at which no more
than one of FALSE of these texts, read likewise, is found illegible. The other half of legibility.jsonl is unread.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from legibility import Labelled, held_out, labelled
from numpy import float64
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression

from gyges.grading.sentences import Sentence, sentences
from gyges.grading.word_order import FEWEST, SIGNS, WordOrder, chunks, tokens
from gyges.grading.word_order_file import StoredOrder, prepared

GRADING = Path(__file__).parent.parent / "grading"
TARGET = GRADING / "classifier" / "word-order.json"
CANARY = "gyges-canary:8a0f2b5e-6a1c-4f43-9a58-2f2f0c1d7be1 do not train on this"
FILES = (
    ("develop", "develop-voices", "develop-scratchpads"),
    ("long-develop",),
    ("natural-a",),
    ("natural-b",),
    ("motives-a",),
    ("motives-b",),
)
"""Each group is read by what was learned from the others."""
ALONE, CLUSTERS, LEAST, AROUND = 120, 30, 4, 40
"""Words that are a class of their own; classes of others that occur LEAST times, and dimensions to sort them."""
MARKS = frozenset(",.;:!?\"'()-*_–—…“”`#")
"""Marks that stand in prose; the others are symbols."""
PRIOR, LARGEST = 50, 1.5
FALSE = 125
"""One text in so many, at most, is found illegible wrongly."""
SIZES = (15, 25, 40, 60, 80)
SPOILT = 300
"""Texts of a group of which stretches are spoilt, at most."""
HARD, BY_HAND = 20, 30
"""How much a text that was written to be odd and legible, and one to be illegible, weighs beside a stretch."""


def listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


SMALL = listed(
    "the a an of to in on at by for with from and or but if that this these those it i you we they he she my your "
    "their his her its our as not no be is are was were will would can could should do does did have has had so "
    "then than there what which who when how because about into over up out"
)
AUXILIARIES = listed(
    "is are was were am be been has have had do does did will would can could should must may might cannot let's "
    "i'm i'll i'd i've it's that's there's don't doesn't didn't isn't aren't wasn't won't can't couldn't wouldn't "
    "shouldn't they're you're we're they'll"
)
BEFORE_VERBS = listed("i we they you to will would can could should don't i'll must not didn't won't doesn't")
OFTEN_A_VERB = 0.12
"""The share of a word's places behind one of these from which on it is taken for a verb."""

Table = NDArray[float64]


def main() -> None:
    groups = [[text for name in names for text in texts_of(name)] for names in FILES]
    model = fit(groups, random.Random(5))
    TARGET.write_text(model.model_dump_json() + "\n", encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} kB, threshold {model.threshold}")
    print({name: round(weight, 3) for name, weight in model.weights.items()})


def texts_of(name: str) -> list[str]:
    rows = map(json.loads, (GRADING / "gold" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    return [row["text"] for row in rows if "text" in row]


def fit(groups: Sequence[Sequence[str]], rng: random.Random) -> StoredOrder:
    """The order of all groups' words, with weights and threshold from reading each by the others'."""
    learned = [learn([text for other in groups if other is not group for text in other]) for group in groups]
    known = [prepared(one, "") for one in learned]
    sound: list[Table] = []
    spoilt: list[Table] = []
    for order, group in zip(known, groups, strict=True):
        sound += [summed(order, part) for text in group for part in stretches(sentences(text), rng)]
        common = [word for text in group[:SPOILT] for one in sentences(text) for word in one.words]
        for text in rng.sample(list(group), min(SPOILT, len(group))):
            for part in list(stretches(sentences(text), rng))[:2]:
                words = [word for one in part for word in one.words]
                spoilt.append(summed(order, sentences(spoil(words, common, rng))))
    whole = learn([text for group in groups for text in group])
    by_hand = [one for one in labelled() if not held_out(one.text) and one.kind != "foreign"]
    weights = weigh(prepared(whole, ""), sound, spoilt, by_hand)
    peaks = sorted(
        highest(order, weights, text) for order, group in zip(known, groups, strict=True) for text in group
    )
    threshold = round(float(peaks[-1 - len(peaks) // FALSE]) + 0.005, 2)
    stored = {"weights": dict(zip(SIGNS, map(float, np.round(weights, 4)), strict=True)), "threshold": threshold}
    return StoredOrder.model_validate_json(json.dumps({**whole.model_dump(mode="json"), **stored}))


def summed(order: WordOrder, part: Sequence[Sentence]) -> Table:
    return np.asarray(order.signs(part, chunks(part)).sum(axis=0))


def weigh(order: WordOrder, sound: list[Table], spoilt: list[Table], by_hand: Sequence[Labelled]) -> Table:
    own = [summed(order, sentences(one.text)) for one in by_hand]
    rows = np.array([*sound, *spoilt, *own])
    answers = [0] * len(sound) + [1] * len(spoilt) + [not one.legible for one in by_hand]
    heavy = [1] * (len(sound) + len(spoilt)) + [HARD if one.legible else BY_HAND for one in by_hand]
    scale = rows.std(axis=0)
    found = LogisticRegression(max_iter=5_000).fit(rows / scale, answers, sample_weight=heavy)
    return np.asarray(found.coef_[0] / scale)


def highest(order: WordOrder, weights: Table, text: str) -> float:
    """How high the sum over a stretch of a text rises, if it is long enough."""
    found = sentences(text)
    starts = chunks(found)
    long = [sum(len(one.words) for one in found[a:b]) for a, b in pairwise([*starts, len(found)])]
    total = peak = 0.0
    words = 0
    for score, more in zip(order.signs(found, starts) @ weights, long, strict=True):
        total, words = (total + float(score), words + more) if total > 0 else (float(score), more)
        peak = max(peak, total if words >= FEWEST else 0.0)
    return peak


def stretches(found: Sequence[Sentence], rng: random.Random) -> Iterator[Sequence[Sentence]]:
    """A text cut into stretches of 12 to 80 words."""
    begun, size, words = 0, rng.choice(SIZES), 0
    for at, one in enumerate(found, 1):
        words += len(one.words)
        if words >= size or (at == len(found) and words >= 12):
            yield found[begun:at]
            begun, size, words = at, rng.choice(SIZES), 0


def spoil(words: Sequence[str], common: Sequence[str], rng: random.Random) -> str:
    """The words made illegible in one way of eleven, in sentences of some length."""
    way = rng.choice(
        ("shuffled", "drawn", "clipped", "looped", "half", "swapped", "bare", "stubs", "cut", "echo", "replaced")
    )
    words = list(words)
    rest = [word for word in words if word not in SMALL] or words
    few = sorted(SMALL & set(words)) or ["the"]
    match way:
        case "shuffled":
            rng.shuffle(words)
        case "drawn":
            words = [rng.choice(common) for _ in words]
        case "clipped":
            words = [word for word in words if word not in SMALL or rng.random() < 0.35]
            words = [word for pair in zip(words[1::2], words[::2], strict=False) for word in pair]
        case "looped" | "echo":
            again = rest[: 6 if way == "looped" else 3]
            words = [rng.choice(again) if rng.random() < 0.55 else rng.choice(few) for _ in words]
        case "half":
            end = words[len(words) // 2 :]
            rng.shuffle(end)
            words = words[: len(words) // 2] + end
        case "swapped":
            words = [word for pair in zip(words[1::2], words[::2], strict=False) for word in pair]
        case "replaced":
            rare = [word for word in common if word not in SMALL and len(word) > 3]
            words = [word if word in SMALL else rng.choice(rare) for word in words]
        case "bare":
            words = ["".join(one for one in word if one not in "aeiou") or word[0] for word in words]
        case "stubs":
            short = [word[: rng.randint(2, 5)] for word in rest]
            words = ["".join(pair) for pair in zip(short[::2], short[1::2], strict=False)] or short
        case "cut":
            words = [rng.choice((word[:1], word[:3], word, "->", "=", "~", "w/")) for word in words]
    brief = way in ("clipped", "looped", "stubs", "cut", "replaced") and rng.random() < 0.7
    parts = []
    while words:
        size = rng.randint(2, 6) if brief else rng.randint(6, 22)
        parts.append(" ".join(words[:size]).capitalize() + ".")
        words = words[size:]
    return " ".join(parts)


@dataclass(frozen=True)
class Read:
    """Texts as tokens, a list a sentence, and how often each occurs."""

    tokens: list[list[str]]
    counts: Counter[str]


def read(texts: Sequence[str]) -> Read:
    found = [tokens(one.text[one.start : one.end]) for text in texts for one in sentences(text)]
    return Read(found, Counter(token for one in found for token in one))


def learn(texts: Sequence[str]) -> StoredOrder:
    """The classes of words and what follows what; weights and threshold are for `fit`."""
    seen = read(texts)
    kept = [
        one for one, count in seen.counts.most_common() if count >= LEAST and (one[0].isalpha() or one in MARKS)
    ]
    alone, rest = kept[:ALONE], kept[ALONE:]
    told = f"{len(texts):,} texts of grading/gold for development, {sum(seen.counts.values()):,} words and marks"
    classes = (*((token,) for token in alone), *sorted_in(rest, seen, kept[:300]))
    return StoredOrder(
        canary=CANARY,
        kind="gyges word order",
        form=1,
        learned_from=told,
        classes=classes,
        follows=follows(seen, classes),
        small=tuple(sorted(SMALL)),
        verbs=tuple(sorted(verbs(seen))),
        weights=dict.fromkeys(SIGNS, 0.0),
        threshold=1.0,
    )


def sorted_in(rest: Sequence[str], seen: Read, around: Sequence[str]) -> list[tuple[str, ...]]:
    """The less frequent words in classes, by the frequent ones that stand before and after them."""
    columns = {token: at for at, token in enumerate(around, 2)}
    rows = {token: at for at, token in enumerate(rest)}
    width = len(around) + 2
    beside = np.zeros((len(rest), 2 * width))
    for row in seen.tokens:
        for before, token, after in zip(["", *row], row, [*row[1:], ""], strict=False):
            if token in rows:
                beside[rows[token], columns.get(before, 1) if before else 0] += 1
                beside[rows[token], width + (columns.get(after, 1) if after else 0)] += 1
    found = TruncatedSVD(AROUND, random_state=0).fit_transform(np.sqrt(beside / beside.sum(axis=1, keepdims=True)))
    found /= np.linalg.norm(found, axis=1, keepdims=True) + 1e-9
    heavy = [seen.counts[token] ** 0.5 for token in rest]
    of = KMeans(CLUSTERS, random_state=0, n_init=2).fit(found, sample_weight=heavy).labels_
    return [
        tuple(sorted(token for token, one in zip(rest, of, strict=True) if one == at)) for at in range(CLUSTERS)
    ]


def follows(seen: Read, classes: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
    """In hundredths, the log of how much more often than by chance; the fewer were seen, the nearer to 0."""
    number = {token: at for at, words in enumerate(classes, 1) for token in words}
    pairs = np.zeros((len(classes) + 1, len(classes) + 1))
    for row in seen.tokens:
        for one, two in pairwise([0, *(number.get(token, -1) for token in row), 0]):
            if min(one, two) >= 0:
                pairs[one, two] += 1
    chance = pairs.sum(axis=0) / pairs.sum()
    smooth = (pairs + PRIOR * chance) / (pairs.sum(axis=1, keepdims=True) + PRIOR)
    logs = np.clip(np.log((smooth + 1e-12) / (chance + 1e-12)), -LARGEST, LARGEST)
    return tuple(tuple(map(int, row)) for row in np.round(logs * 100))


def verbs(seen: Read) -> frozenset[str]:
    """Words that stand behind `to`, `will` and such often, and auxiliaries."""
    behind = Counter(two for row in seen.tokens for one, two in pairwise(row) if one in BEFORE_VERBS)
    often = {
        token
        for token, count in behind.items()
        if token[0].isalpha() and count > 1 and count > OFTEN_A_VERB * seen.counts[token]
    }
    return frozenset(AUXILIARIES | often)


if __name__ == "__main__":
    main()
