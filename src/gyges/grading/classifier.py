"""A trained classifier of reasoning: weights for sentences, and verdicts over a whole text. It knows no file.

Sentences are scored alone and with the one after them, so that whatever is found has its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gyges.grading.features import Groups
from gyges.grading.verdict import RELEVANT, offered
from gyges.grading.whole import View, parts, running

if TYPE_CHECKING:
    from numpy import float64
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
    """One question about a whole text: a linear model over what `verdict.names` names."""

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
    """A word that was met: the row of all that it offers alone (or one by one), its stems, their groups or ""."""

    rows: tuple[int, ...]
    stems: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass
class Scorer:
    """Linear models of sentences, ready to use: `rows` has the row of `weights` (a column a label) of features."""

    version: str
    groups: Groups
    rows: Mapping[str, int]
    weights: Scores
    intercepts: Sequence[float]
    seen: frozenset[str] = frozenset()
    """The fingerprints of what it was trained on."""
    words: dict[str, Known] = field(default_factory=dict)
    """Each word met."""

    def __post_init__(self) -> None:
        import numpy as np

        # One row more a word, for the sum of what it offers alone.
        room = np.zeros((CACHED, len(self.intercepts)))
        self.weights = np.vstack([self.weights, room])

    def sum(self, sentences: Sequence[Sequence[str]], asked: Sequence[bool]) -> Scores:
        """What the features of each sentence add up to, a column a label, and in the last one its length.

        Sentences are words in lower case; `asked` says which end with a question mark.
        """
        import numpy as np

        if not sentences:
            return np.zeros((0, len(self.intercepts) + 1))
        if len(self.words) >= CACHED:
            self.words.clear()  # for those that are common now
        ids: list[int] = []
        starts, lengths = [], []
        for words, question in zip(sentences, asked, strict=True):
            starts.append(len(ids))
            lengths.append(self._ids(words, question, ids))
            ids.append(len(self.rows))  # of weight 0: no sentence is empty
        return np.column_stack([np.add.reduceat(self.weights[ids], starts, axis=0), lengths]).astype(np.float64)

    def score(self, sums: Scores, follows: Sequence[bool]) -> Scored:
        """The scores of sentences, in order; `follows` says which are followed by the next in the same block."""
        import numpy as np

        bias = np.asarray(self.intercepts)
        pairs = sums + np.roll(sums, -1, axis=0)
        one, two = (each[:, :-1] / np.sqrt(each[:, -1:] + SOFTEN) + bias for each in (sums, pairs))
        return Scored(one, two, tuple(follows))

    def _ids(self, words: Sequence[str], asked: bool, ids: list[int]) -> int:
        """Appends the rows of a sentence's features to `ids`; returns how many tokens it has."""
        stems: list[str] = []
        groups: list[str] = []
        for word in words:
            known = self.words.get(word) or self._learn(word)
            ids += known.rows
            stems += known.stems
            groups += known.groups
        rows = self.rows
        ids += [rows[name] for name in self.groups.together(stems, groups) if name in rows]
        if asked and ASKED in rows:
            ids.append(rows[ASKED])
        return len(stems)

    def _learn(self, word: str) -> Known:
        """The word, remembered while there is room."""
        tokens = self.groups.tokens(word)
        stems = tuple(token.stem for token in tokens)
        groups = tuple(token.group for token in tokens)
        alone = tuple(self.rows[name] for token in tokens for name in token.alone if name in self.rows)
        row = len(self.rows) + 1 + len(self.words)
        if row >= len(self.weights):
            return Known(alone, stems, groups)
        self.weights[row] = self.weights[list(alone)].sum(axis=0)
        self.words[word] = Known((row,), stems, groups)
        return self.words[word]


@dataclass
class Classifier(Scorer):
    """The classifier of alignment faking: its columns are those of LABELS."""

    verdicts: tuple[Verdict, ...] = ()
    views: tuple[View, ...] = ()
    """What the words of parts of a text speak for, in the order of `whole.VIEWS`; a column a verdict."""

    def judge(self, scored: Scored, sentences: Sequence[Sequence[str]]) -> dict[str, float]:
        """The probability of each verdict; 0 where no sentence has to do with the matter.

        `sentences` are the words of those that were scored.
        """
        import numpy as np

        if not len(scored.one) or scored.one.max() <= RELEVANT:
            return {verdict.name: 0.0 for verdict in self.verdicts}
        offer = offered(scored.one, scored.two, scored.follows)
        heard = self._heard(scored, sentences)
        odds = {
            one.name: float(np.append(offer, heard[:, at]) @ np.array(one.weights)) + one.intercept
            for at, one in enumerate(self.verdicts)
        }
        return {name: float(1 / (1 + np.exp(-odd))) for name, odd in odds.items()}

    def _heard(self, scored: Scored, sentences: Sequence[Sequence[str]]) -> Scores:
        """The scores of the text's words: a row a view, a column a verdict."""
        import numpy as np

        relevant = (scored.one.max(axis=1) > RELEVANT).tolist()
        read = [running([self._stems(sentences[at]) for at in part]) for part in parts(relevant)]
        return np.stack([view.score(features) for view, features in zip(self.views, read, strict=True)])

    def _stems(self, words: Sequence[str]) -> list[str]:
        return [stem for word in words for stem in (self.words.get(word) or self._learn(word)).stems]
