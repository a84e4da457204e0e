"""A trained classifier of reasoning: weights for sentences, and verdicts over a whole text. It knows no file.

Sentences are scored alone and with the one after them, so that whatever is found has its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gyges.grading.features import Groups, together
from gyges.grading.verdict import LABELS, RELEVANT, offered

if TYPE_CHECKING:
    from numpy import float32, float64
    from numpy.typing import NDArray

    Scores = NDArray[float64]

CACHED = 20_000
"""Words whose weights are remembered: no text may fill the memory."""
SOFTEN = 3
"""Added to the number of words that a score is divided by the root of."""
ASKED = "?"
"""The feature of a sentence that ends with a question mark."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question about a whole text: a linear model over what `verdict.offered` returns."""

    name: str
    weights: tuple[float, ...]
    intercept: float
    threshold: float
    """Found is what has at least this probability."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A text's sentences, scored: alone, and each with the one after it. Log-odds; a column a label."""

    one: Scores
    two: Scores
    follows: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A word that was met: the row of all that it offers alone, its stems and their groups."""

    row: int
    stems: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass
class Classifier:
    """Ready to use. `rows` gives the row of `weights` (a column a label of LABELS) that a feature has."""

    version: str
    groups: Groups
    rows: Mapping[str, int]
    weights: NDArray[float32]
    intercepts: Sequence[float]
    verdicts: tuple[Verdict, ...]
    words: dict[str, Known] = field(default_factory=dict)
    """Each word met."""

    def __post_init__(self) -> None:
        import numpy as np

        # One row more a word, for the sum of what it offers alone; the last one is for all words beyond.
        room = np.zeros((CACHED + 1, len(LABELS)), dtype=np.float32)
        self.weights = np.vstack([self.weights, room])

    def score(self, sentences: Sequence[Sequence[str]], asked: Sequence[bool], follows: Sequence[bool]) -> Scored:
        """The scores of sentences, given as words in lower case."""
        import numpy as np

        ids: list[int] = []
        starts, lengths = [], []
        for words, question in zip(sentences, asked, strict=True):
            starts.append(len(ids))
            lengths.append(self._ids(words, question, ids))
            ids.append(len(self.rows))  # of weight 0: no sentence is empty
        if not sentences:
            nothing = np.zeros((0, len(LABELS)))
            return Scored(nothing, nothing, ())
        sums = np.add.reduceat(self.weights[ids], starts, axis=0).astype(np.float64)
        counts = np.array(lengths, dtype=np.float64)
        bias = np.asarray(self.intercepts)
        one = sums / np.sqrt(counts + SOFTEN)[:, None] + bias
        joined, both = sums + np.roll(sums, -1, axis=0), counts + np.roll(counts, -1)
        return Scored(one, joined / np.sqrt(both + SOFTEN)[:, None] + bias, tuple(follows))

    def judge(self, scored: Scored) -> dict[str, float]:
        """The probability of each verdict; 0 where no sentence has to do with the matter."""
        import numpy as np

        if not len(scored.one) or scored.one.max() <= RELEVANT:
            return {verdict.name: 0.0 for verdict in self.verdicts}
        offer = offered(scored.one, scored.two, scored.follows)
        odds = {one.name: float(offer @ np.array(one.weights)) + one.intercept for one in self.verdicts}
        return {name: float(1 / (1 + np.exp(-odd))) for name, odd in odds.items()}

    def _ids(self, words: Sequence[str], asked: bool, ids: list[int]) -> int:
        """Appends the rows of a sentence's features to `ids`; returns how many tokens it has."""
        stems: list[str] = []
        groups: list[str] = []
        for word in words:
            known = self.words.get(word) or self._learn(word)
            ids.append(known.row)
            stems += known.stems
            groups += known.groups
        rows = self.rows
        ids += [rows[name] for name in together(stems, groups) if name in rows]
        if asked and ASKED in rows:
            ids.append(rows[ASKED])
        return len(stems)

    def _learn(self, word: str) -> Known:
        """The word, remembered while there is room; beyond, it counts only with its neighbours."""
        tokens = self.groups.tokens(word)
        stems = tuple(token.stem for token in tokens)
        groups = tuple(token.group for token in tokens if token.group)
        row = len(self.rows) + 1 + len(self.words)
        if row >= len(self.weights):
            return Known(len(self.rows), stems, groups)
        alone = [self.rows[name] for token in tokens for name in token.alone if name in self.rows]
        self.weights[row] = self.weights[alone].sum(axis=0)
        self.words[word] = Known(row, stems, groups)
        return self.words[word]
