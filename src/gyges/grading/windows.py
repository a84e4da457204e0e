"""Sentences of whole texts for training: which of them say a label, known or guessed. It reads no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gyges.grading.classifier import ASKED, SOFTEN
from gyges.grading.examples import Whole
from gyges.grading.features import Groups
from gyges.grading.fit import fit
from gyges.grading.sentences import Sentence
from gyges.grading.verdict import FIVE, LABELS

if TYPE_CHECKING:
    from numpy import bool_, float64, intp
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Matrix = csr_matrix
    Numbers = NDArray[float64]
    Places = NDArray[intp]
    Truths = NDArray[bool_]

PIECES = 0.3
"""What a piece of a word weighs against a whole one."""
STRENGTH = 3.0
"""Inverse regularisation of the classifiers of sentences."""
ABSENT, PRESENT, LESSER = 0.3, 0.7, 0.35
"""What a sentence of a whole text counts for: of a text without the criterion, the best of one with it, others."""
NOT_SAID, PERHAPS = 0.5, 0.15
"""What a sentence counts for that isn't said to say a label: in a text without it, and in a text with it."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Every sentence of every text, and every two: their features, and where they stand."""

    features: Matrix
    text: Places
    single: Truths
    says: Truths
    """Which labels they are known to say, and in `counts` what that counts for: 0 where nothing is known."""
    counts: Numbers

    def singles(self, text: int) -> Places:
        import numpy as np

        return np.flatnonzero(self.single & (self.text == text))

    def pairs(self, text: int) -> Places:
        import numpy as np

        return np.flatnonzero(~self.single & (self.text == text))


NOTHING = ([False] * len(LABELS), [0.0] * len(LABELS))


def features_of(text: str, pieces: Sequence[Sentence], groups: Groups) -> dict[str, float]:
    """The features of some sentences of a text, scaled as a classifier scales them."""
    return features_in([(one.words, text[one.end - 1] == "?") for one in pieces], groups)


def features_in(pieces: Sequence[tuple[Sequence[str], bool]], groups: Groups) -> dict[str, float]:
    """As `features_of`, of the words of each sentence and whether it ends with a question mark."""
    counts: Counter[str] = Counter()
    length = 0
    for words, asked in pieces:
        tokens = [token for word in words for token in groups.tokens(word)]
        length += len(tokens)
        counts.update(name for token in tokens for name in token.alone)
        counts.update(groups.together([token.stem for token in tokens], [token.group for token in tokens]))
        counts.update([ASKED] * asked)
    scale = float((length + SOFTEN) ** 0.5)
    return {name: count / scale * (PIECES if name[:2] == "c:" else 1) for name, count in counts.items()}


def known(one: Whole, sentence: Sentence) -> tuple[list[bool], list[float]]:
    """For each label whether the sentence is known to say it, and what that counts for."""
    if one.said is None:
        return NOTHING
    says = {span.label for span in one.said if span.start < sentence.end and span.end > sentence.start}
    counts = []
    for column, label in enumerate(LABELS):
        if label in says:
            counts.append(1.0)
        elif one.complete or (column < FIVE and label not in one.labels):
            counts.append(NOT_SAID)
        else:
            counts.append(PERHAPS if column < FIVE else 0.0)
    return [label in says for label in LABELS], counts


def fit_all(used: Sequence[tuple[Matrix, Truths, Numbers]]) -> tuple[Numbers, float]:
    import numpy as np
    from scipy.sparse import vstack

    features, labels, counts = zip(*used, strict=True)
    return fit(vstack(features).tocsr(), np.concatenate(labels), np.concatenate(counts), STRENGTH)


def guessed(scores: Numbers, text: Places, holds: Truths) -> tuple[Truths, Numbers]:
    """For each window of whole texts, whether it is taken to say the criterion, and what that counts for."""
    import numpy as np

    guess = np.zeros(len(scores), dtype=bool)
    weight = np.where(holds, 0.0, ABSENT)
    guess[holds & (scores > 0)] = True
    weight[holds & (scores > 0)] = LESSER
    weight[holds & (scores < -2)] = ABSENT * 0.3
    for number in np.unique(text[holds]):
        here = np.flatnonzero(text == number)
        best = here[scores[here].argmax()]
        guess[best], weight[best] = True, PRESENT
    return guess, weight
