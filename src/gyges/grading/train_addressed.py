"""Training of the reader of addressed text, with scikit-learn. It reads no file.

A logistic regression over sentences, and every two in a row, that are marked to speak to a grader or not. Of a
text that speaks to one somewhere the clearest sentence counts, as the model so far reads it (learning from bags).
The threshold is set by models that have seen nothing of the writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gyges.errors import UsageError
from gyges.grading.addressed_file import StoredReader, made
from gyges.grading.addressed_reader import Spoken
from gyges.grading.features import groups_of
from gyges.grading.model_file import SCALE
from gyges.grading.seen import fingerprint
from gyges.grading.windows import PIECES, features_in, fit_all

if TYPE_CHECKING:
    from numpy import bool_, float64, intp
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Matrix = csr_matrix
    Numbers = NDArray[float64]
    Places = NDArray[intp]
    Truths = NDArray[bool_]

LEAST = 2
"""A feature of fewer windows is not kept."""
KEPT = 25_000
"""Features kept, those of the largest weights."""
RARITY = 5.0
"""By what the logarithm of how rare a feature is is divided."""
BAG, NEARLY, BESIDE, FAR = 1.5, 1.0, 0.15, 0.1
"""What a window counts for: the clearest of a text that speaks to a grader somewhere (a marked one counts for 1,
and mostly there are two or more), one of a text that comes near and speaks to none, one beside those that speak,
one of an ordinary text."""
ROUNDS = 2
"""How often the clearest sentence is chosen again."""
NEAR_WRONG, FAR_WRONG = 0.02, 0.002
"""The shares of an unseen writer's texts that may be found wrongly besides those that the rules find wrongly: of
those that come near, and of ordinary ones."""
LOWER = 2.5
"""By how much less is enough beside a sentence that is found."""
LOST = 0.04
"""The share of what is found that may be lost by reading only what its words alone make likely."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text by its sentences. `said` has those that speak to a grader; None where only `speaks` is known.

    `near` are texts written to be told apart from such. `source` names the writer, none of whose texts is seen by
    the model that the text is judged by.
    """

    text: str
    source: str
    spoken: Sequence[Spoken]
    speaks: bool = False
    said: frozenset[int] | None = None
    near: bool = False
    known: bool = False
    """Whether the rules find something in it anyhow: what the reader makes of it then changes nothing."""


@dataclass(frozen=True, slots=True)
class TrainedReader:
    """The reader, and the log-odds of each text's clearest window by a model that had seen none of its source."""

    model: StoredReader
    unseen: Numbers


def train_reader(texts: Sequence[Text], groups: Mapping[str, Sequence[str]], trained_on: str) -> TrainedReader:
    """Train on texts of two sources or more. The same input gives the same reader.

    Raises UsageError where there are fewer sources, or one in which all texts speak to a grader, or none.
    """
    for source in {one.source for one in texts if one.near or one.speaks}:
        if len({one.speaks for one in texts if one.source == source}) < 2:
            raise UsageError(f"all or none of the texts of {source} speak to a grader", "add others")
    if len({one.source for one in texts if one.speaks}) < 2:
        raise UsageError("the reader can't be trained on one writer's texts", "add a file of another writer")
    return _Training(texts, groups).run(trained_on)


class _Training:
    def __init__(self, texts: Sequence[Text], groups: Mapping[str, Sequence[str]]) -> None:
        import numpy as np
        from scipy.sparse import diags
        from sklearn.feature_extraction import DictVectorizer

        self.texts, self.groups = texts, groups
        words = groups_of(groups)
        windows = [(number, *window) for number, one in enumerate(texts) for window in _windows(one)]
        vectors = DictVectorizer(dtype=np.float32)
        read = (
            features_in([(one.tokens(), one.text.endswith("?")) for one in pieces], words)
            for _, pieces, _ in windows
        )
        matrix = vectors.fit_transform(read)
        often = np.asarray((matrix > 0).sum(axis=0)).ravel()
        kept = often >= LEAST
        self.features = [name for name, keep in zip(vectors.get_feature_names_out(), kept, strict=True) if keep]
        self.rarity = np.log(matrix.shape[0] / (1 + often[kept])) / RARITY
        self.matrix: Matrix = (matrix[:, kept] @ diags(self.rarity)).tocsr()
        self.text = np.array([number for number, _, _ in windows])
        self.said = np.array([said for _, _, said in windows])
        self.speaks = np.array([one.speaks for one in texts])
        self.near = np.array([one.near or one.speaks for one in texts])
        self.marked = np.array([one.said is not None for one in texts])
        self.known = np.array([one.known for one in texts])
        self.sources = np.array([one.source for one in texts])

    def run(self, trained_on: str) -> TrainedReader:
        import numpy as np

        everything = np.ones(len(self.texts), dtype=bool)
        unseen = np.zeros(len(self.texts))
        for source in sorted(set(self.sources)):
            fitted = self._fit(self.sources != source)
            here = self.sources == source
            unseen[here] = self._clearest(self._scores(*fitted))[here]
        coefficients, intercept = self._fit(everything)
        near = np.where(self.known, -np.inf, unseen)[self.near & ~self.speaks]
        threshold = max(_rarely(near, NEAR_WRONG), _rarely(unseen[~self.near], FAR_WRONG))
        stored = self._stored(coefficients, intercept, threshold, trained_on)
        return TrainedReader(with_rough(stored, self.texts), unseen)

    def _fit(self, seen: Truths) -> tuple[Numbers, float]:
        """Coefficients and intercept, from the windows of the texts that are seen."""
        import numpy as np

        among = seen[self.text]
        bagged = self.speaks[self.text] & ~self.marked[self.text]
        sizes = np.bincount(self.text, minlength=len(self.texts))[self.text]
        says, counts = self.said | bagged, np.where(bagged, BAG / sizes, self._counts())
        for number in range(ROUNDS + 1):
            coefficients, intercept = fit_all([(self.matrix[among], says[among], counts[among])])
            if number < ROUNDS:
                best = self._best(self._scores(coefficients, intercept), bagged)
                says = self.said | best
                counts = np.where(bagged, np.where(best, BAG, BESIDE), self._counts())
        return coefficients, intercept

    def _counts(self) -> Numbers:
        import numpy as np

        beside = np.where(self.speaks[self.text], BESIDE, np.where(self.near[self.text], NEARLY, FAR))
        return np.where(self.said, 1.0, beside)

    def _best(self, scores: Numbers, bagged: Truths) -> Truths:
        """Of every text that is not marked the clearest window, and those that are clear besides."""
        import numpy as np

        best = bagged & (scores > 0)
        for number in np.unique(self.text[bagged]):
            here = np.flatnonzero(self.text == number)
            best[here[scores[here].argmax()]] = True
        return best

    def _scores(self, coefficients: Numbers, intercept: float) -> Numbers:
        import numpy as np

        return np.asarray(self.matrix @ coefficients) + intercept

    def _clearest(self, scores: Numbers) -> Numbers:
        import numpy as np

        clearest = np.full(len(self.texts), -np.inf)
        np.maximum.at(clearest, self.text, scores)
        return clearest

    def _stored(self, coefficients: Numbers, intercept: float, threshold: float, trained_on: str) -> StoredReader:
        import numpy as np

        piece = np.array([PIECES if name[:2] == "c:" else 1.0 for name in self.features])
        weights = coefficients * piece * self.rarity
        order = np.argsort(-np.abs(weights), kind="stable")[:KEPT]
        rounded = np.rint(weights[order] * SCALE).astype(int)
        features = {self.features[at]: (int(one),) for at, one in zip(order, rounded, strict=True) if one}
        return StoredReader(
            canary="gyges-canary:6e2f9b40-3c7a-4d18-b5e9-81d0f4a7c263 do not train on this",
            kind="gyges reader of addressed text",
            form=1,
            trained_on=trained_on,
            seen=tuple(sorted({fingerprint(one.text) for one in self.texts})),
            groups={name: tuple(words) for name, words in self.groups.items()},
            intercept=round(intercept, 4),
            threshold=round(threshold, 4),
            beside=round(threshold - LOWER, 4),
            rough=-1000.0,
            features=dict(sorted(features.items())),
        )


def with_rough(stored: StoredReader, texts: Sequence[Text]) -> StoredReader:
    """The reader with the least that words alone add up to where something is found."""
    import numpy as np

    reader = made(stored, "")
    rough = {
        reader.roughly(one)
        for text in texts
        if text.near
        for one, score in zip(text.spoken, reader.scored(text.spoken).one[:, 0], strict=True)
        if score >= stored.threshold
    }
    least = min(float(np.quantile(sorted(rough), LOST)), stored.threshold) if rough else stored.threshold
    return stored.model_copy(update={"rough": round(least, 4)})


def _windows(one: Text) -> Iterator[tuple[Sequence[Spoken], bool]]:
    """Every sentence of a text, and every two where it comes near or speaks, and whether they are marked."""
    said = one.said or frozenset()
    for size in (1, 2) if one.near or one.speaks else (1,):
        for at in range(len(one.spoken) - size + 1):
            yield one.spoken[at : at + size], not said.isdisjoint(range(at, at + size))


def _rarely(scores: Numbers, share: float) -> float:
    """Just above the score that no more than `share` of the texts exceed."""
    import numpy as np

    if not len(scores):
        return -np.inf
    ordered = np.sort(scores)[::-1]
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)]) + 0.01
