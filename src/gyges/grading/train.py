"""Training of the classifier of reasoning, with scikit-learn, which only this module needs. It reads no file.

Sentences are labelled one by one; of whole texts only what holds of all of it is known. A text without a criterion
has no sentence that says it; in one with it the sentence that says it best, by the classifier so far, is taken to
say it (multiple-instance learning, as in Andrews et al. 2003, mi-SVM). What a text's sentences add up to is learnt
from their scores by classifiers that have not seen that text (stacking, Wolpert 1992).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gyges.errors import UsageError
from gyges.grading.classifier import ASKED, SOFTEN
from gyges.grading.features import Groups, groups_of, together
from gyges.grading.fit import fit, fit_signed, lowest_threshold, rarely_wrong
from gyges.grading.model_file import SCALE, VERDICTS, StoredModel, StoredVerdict
from gyges.grading.seen import fingerprint
from gyges.grading.sentences import Sentence, sentences
from gyges.grading.verdict import FIVE, LABELS, names, offered, signs

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Matrix = csr_matrix
    Numbers = NDArray[float64]
    Truths = NDArray[bool_]

PIECES = 0.3
"""What a piece of a word weighs against a whole one."""
LEAST = 2
"""A feature of fewer examples is not kept."""
KEPT = 40_000
"""Features kept, those of the largest weights."""
STRENGTH = 3.0
"""Inverse regularisation of the classifiers of sentences."""
STACKED = 0.03
"""Inverse regularisation of the verdicts."""
ABSENT, PRESENT, LESSER = 0.3, 0.7, 0.35
"""What a sentence of a whole text counts for: of a text without the criterion, the best of one with it, others."""
NOT_SAID, PERHAPS = 0.5, 0.15
"""What a sentence counts for that isn't said to say a label: in a text without it, and in a text with it."""
UNKNOWN = 0.05
"""What a sentence without a label counts for, where its writer did not know that label."""
FOLDS = 5
WRONG = 0.2
"""Of the texts without something at most so many are found to have it; most of these have most criteria."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence or two, with the labels of `verdict.LABELS` that they have."""

    text: str
    labels: frozenset[str]
    known: frozenset[str] = frozenset(LABELS)
    """The labels that its writer had to choose from."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A reasoning, with those of the five criteria and alignment_faking that hold of it.

    `group` names what is kept together in cross-validation, such as the two texts of a minimal pair; what stands
    before a slash in it is the source, and all sources count alike.
    """

    text: str
    labels: frozenset[str]
    group: str
    said: tuple[Said, ...] | None = None
    """Where labels are said, for texts that were labelled so far; None for others."""
    complete: bool = False
    """Whether no other place of the text says any label; else no other says one of the five."""


@dataclass(frozen=True, slots=True)
class Said:
    """A label and the span of the text that says it."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trained:
    """The classifier, and what it made of each text when it had not seen it: probabilities by verdict."""

    model: StoredModel
    unseen: Mapping[str, Numbers]


@dataclass(frozen=True, slots=True)
class _Windows:
    """Every sentence of every text, and every two: their features, and where they stand."""

    features: Matrix
    text: NDArray[float64]
    single: Truths
    says: Truths
    """Which labels they are known to say, and in `counts` what that counts for: 0 where nothing is known."""
    counts: Numbers

    def of(self, text: int) -> Truths:
        import numpy as np

        return np.asarray(self.text == text)


def train(
    texts: Sequence[Whole], labelled: Sequence[Labelled], groups: Mapping[str, Sequence[str]], trained_on: str
) -> Trained:
    """Train on labelled sentences and labelled texts. The same input gives the same classifier.

    Raises UsageError where a label has no example, or no text is without it.
    """
    _check(texts, labelled)
    return _Training(texts, labelled, groups_of(groups)).run(groups, trained_on)


def _check(texts: Sequence[Whole], labelled: Sequence[Labelled]) -> None:
    have: list[tuple[str, int, int]] = [
        *((label, sum(label in one.labels for one in labelled), len(labelled)) for label in LABELS),
        *((label, sum(label in one.labels for one in texts), len(texts)) for label in VERDICTS),
    ]
    for label, count, total in have:
        if not FOLDS <= count <= total - FOLDS:
            what = f"'{label}' has {count} of {total} examples; {FOLDS} with it and {FOLDS} without it are needed"
            raise UsageError(f"a classifier can't be trained: {what}", "label more sentences or texts")


class _Training:
    def __init__(self, texts: Sequence[Whole], labelled: Sequence[Labelled], groups: Groups) -> None:
        import numpy as np
        from sklearn.feature_extraction import DictVectorizer

        self.texts = texts
        self.groups = groups
        read = [*(one.text for one in texts), *(one.text for one in labelled)]
        self.seen = tuple(sorted(set(map(fingerprint, read))))
        places, counted, says, counts = [], [], [], []
        for number, one in enumerate(texts):
            pieces = sentences(one.text)
            for size in (1, 2):
                for at in range(len(pieces) - size + 1):
                    places.append((number, size == 1))
                    counted.append(self._counts(one.text, pieces[at : at + size]))
                    known = _known(one, pieces[at]) if size == 1 else _NOTHING
                    says.append(known[0])
                    counts.append(known[1])
        own = [self._counts(one.text, sentences(one.text)) for one in labelled]
        vectors = DictVectorizer()
        matrix = vectors.fit_transform([*own, *counted])
        often = np.asarray((matrix > 0).sum(axis=0)).ravel() >= LEAST
        matrix = matrix[:, often]
        self.features = [name for name, keep in zip(vectors.get_feature_names_out(), often, strict=True) if keep]
        self.sentences = matrix[: len(own)]
        self.labels = np.array([[label in one.labels for label in LABELS] for one in labelled])
        self.counts = np.array([[1.0 if label in one.known else UNKNOWN for label in LABELS] for one in labelled])
        self.truths = np.array([[label in one.labels for label in VERDICTS] for one in texts])
        self.even = _even([one.group.split("/")[0] for one in texts])
        self.guessed = np.array([one.said is None for one in texts])
        where = np.array(places)
        single = where[:, 1].astype(bool)
        self.windows = _Windows(matrix[len(own) :], where[:, 0], single, np.array(says), np.array(counts))

    def _counts(self, text: str, pieces: Sequence[Sentence]) -> dict[str, float]:
        """The features of some sentences, scaled as the classifier scales them."""
        counts: Counter[str] = Counter()
        length = 0
        for sentence in pieces:
            tokens = [token for word in sentence.words for token in self.groups.tokens(word)]
            length += len(tokens)
            counts.update(name for token in tokens for name in token.alone)
            groups = [token.group for token in tokens if token.group]
            counts.update(together([token.stem for token in tokens], groups))
            counts.update([ASKED] * (text[sentence.end - 1] == "?"))
        scale = float((length + SOFTEN) ** 0.5)
        return {name: count / scale * (PIECES if name[:2] == "c:" else 1) for name, count in counts.items()}

    def run(self, groups: Mapping[str, Sequence[str]], trained_on: str) -> Trained:
        import numpy as np

        offers = self._unseen_offers()
        unseen, verdicts = {}, {}
        for column, name in enumerate(VERDICTS):
            truth = self.truths[:, column]
            unseen[name] = self._cross_validated(offers, truth, name)
            weights, intercept = _fit_verdict(offers, truth, self.even, name)
            threshold = max(
                lowest_threshold(unseen[name], truth, self.even),
                rarely_wrong(unseen[name], truth, self.even, WRONG),
            )
            verdicts[name] = StoredVerdict(
                intercept=round(intercept, 5),
                threshold=round(threshold, 4),
                weights=tuple(round(float(one), 5) for one in weights),
            )
        coefficients, intercepts = self._fit_sentences(np.ones(len(self.texts), dtype=bool))
        return Trained(self._stored(coefficients, intercepts, verdicts, groups, trained_on), unseen)

    def _stored(
        self,
        coefficients: Numbers,
        intercepts: Numbers,
        verdicts: Mapping[str, StoredVerdict],
        groups: Mapping[str, Sequence[str]],
        trained_on: str,
    ) -> StoredModel:
        import numpy as np

        piece = np.array([PIECES if name[:2] == "c:" else 1.0 for name in self.features])
        weights = coefficients * piece
        order = np.argsort(-np.abs(weights).max(axis=0), kind="stable")[:KEPT]
        rounded = np.rint(weights[:, order] * SCALE).astype(int)
        features = {self.features[at]: tuple(map(int, rounded[:, index])) for index, at in enumerate(order)}
        return StoredModel(
            canary="gyges-canary:5a0a8f63-0f1f-4c0c-9c60-4c4be4a0d6b2 do not train on this",
            kind="gyges reasoning classifier",
            form=2,
            trained_on=trained_on,
            seen=self.seen,
            labels=LABELS,
            offers=tuple(names()),
            groups={name: tuple(words) for name, words in groups.items()},
            intercepts=tuple(round(float(one), 4) for one in intercepts),
            verdicts=dict(verdicts),
            features=dict(sorted((name, row) for name, row in features.items() if any(row))),
        )

    def _folds(self) -> Iterator[tuple[Numbers, Numbers]]:
        from sklearn.model_selection import GroupKFold

        groups = [one.group for one in self.texts]
        yield from GroupKFold(FOLDS).split(self.truths, groups=groups)

    def _unseen_offers(self) -> Numbers:
        """For each text, what its sentences offer by classifiers of sentences that have not seen it."""
        import numpy as np

        offers = np.zeros((len(self.texts), len(names())))
        for seen, unseen in self._folds():
            mask = np.zeros(len(self.texts), dtype=bool)
            mask[seen] = True
            coefficients, intercepts = self._fit_sentences(mask)
            for text in unseen:
                offers[text] = self._offers(int(text), coefficients, intercepts)
        return offers

    def _offers(self, text: int, coefficients: Numbers, intercepts: Numbers) -> Numbers:
        import numpy as np

        here = self.windows.of(text)
        scores = np.asarray(self.windows.features[here] @ coefficients.T) + intercepts
        single = self.windows.single[here]
        one, pairs = scores[single], scores[~single]
        two = np.vstack([pairs, np.zeros((1, len(LABELS)))])
        return offered(one, two, [*[True] * len(pairs), False])

    def _fit_sentences(self, seen: Truths) -> tuple[Numbers, Numbers]:
        """Coefficients (labels, features) and intercepts of the classifiers of sentences."""
        import numpy as np

        fitted = [self._fit_label(column, seen) for column in range(len(LABELS))]
        return np.stack([one for one, _ in fitted]), np.array([one for _, one in fitted])

    def _fit_label(self, column: int, seen: Truths) -> tuple[Numbers, float]:
        """From labelled sentences, labelled sentences of texts, and then guesses about those of other texts."""
        import numpy as np

        windows = self.windows
        among = seen[windows.text.astype(int)]
        known = among & (windows.counts[:, column] > 0)
        used = [(self.sentences, self.labels[:, column], self.counts[:, column])]
        used.append((windows.features[known], windows.says[known, column], windows.counts[known, column]))
        fitted = _fit_all(used)
        others = among & self.guessed[windows.text.astype(int)]
        if column >= FIVE or not others.any():
            return fitted
        features, text = windows.features[others], windows.text[others].astype(int)
        scores = np.asarray(features @ fitted[0]) + fitted[1]
        return _fit_all([*used, (features, *_guessed(scores, text, self.truths[text, column]))])

    def _cross_validated(self, offers: Numbers, truth: Truths, name: str) -> Numbers:
        import numpy as np

        odds = np.zeros(len(truth))
        for seen, unseen in self._folds():
            weights, intercept = _fit_verdict(offers[seen], truth[seen], self.even[seen], name)
            odds[unseen] = offers[unseen] @ weights + intercept
        return np.asarray(1 / (1 + np.exp(-odds)))


def _even(sources: Sequence[str]) -> Numbers:
    """What each text counts for, so that the sources count alike however many texts they have; 1 on average."""
    import numpy as np

    many = Counter(sources)
    return np.array([len(sources) / len(many) / many[source] for source in sources])


_NOTHING = ([False] * len(LABELS), [0.0] * len(LABELS))


def _known(one: Whole, sentence: Sentence) -> tuple[list[bool], list[float]]:
    """For each label whether the sentence is known to say it, and what that counts for."""
    if one.said is None:
        return _NOTHING
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


def _fit_all(used: Sequence[tuple[Matrix, Truths, Numbers]]) -> tuple[Numbers, float]:
    import numpy as np
    from scipy.sparse import vstack

    features, labels, counts = zip(*used, strict=True)
    return fit(vstack(features).tocsr(), np.concatenate(labels), np.concatenate(counts), STRENGTH)


def _guessed(scores: Numbers, text: NDArray[float64], holds: Truths) -> tuple[Truths, Numbers]:
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


def _fit_verdict(offers: Numbers, truth: Truths, counts: Numbers, name: str) -> tuple[Numbers, float]:
    """Alignment faking may only be spoken for by what makes it; single criteria go by whatever tells them."""
    return fit_signed(offers, truth, counts, signs() if name == VERDICTS[-1] else [0] * len(names()), STACKED)
