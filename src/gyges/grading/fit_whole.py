"""Fitting of what the words of whole texts speak for, with scikit-learn. It knows no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gyges.grading.fit import fit
from gyges.grading.whole import View

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Matrix = csr_matrix
    Numbers = NDArray[float64]
    Truths = NDArray[bool_]

LEAST = 2
"""A feature of fewer texts is not kept."""
KEPT = 8_000
"""Features kept, those of the largest weights."""
STRENGTH = 10.0
"""Inverse regularisation."""


def fit_view(texts: Sequence[Sequence[str]], truths: Truths, weights: Numbers) -> View:
    """A view over texts, each a list of features, and a column of truths a verdict.

    It is fitted twice: with all features, and then with those whose weights were largest.
    """
    import numpy as np

    counts = [Counter(text) for text in texts]
    often = Counter(name for text in counts for name in text)
    names = sorted(name for name, many in often.items() if many >= LEAST)
    rarity = np.log((1 + len(texts)) / (1 + np.array([often[name] for name in names], dtype=np.float64))) + 1
    first, _ = _fitted(_matrix(counts, names, rarity), truths, weights)
    kept = np.sort(np.argsort(-np.abs(first).max(axis=0), kind="stable")[:KEPT])
    names, rarity = [names[at] for at in kept], np.round(rarity[kept], 2)
    coefficients, intercepts = _fitted(_matrix(counts, names, rarity), truths, weights)
    return View({name: at for at, name in enumerate(names)}, rarity, coefficients.T, intercepts)


def _matrix(counts: Sequence[Mapping[str, int]], names: Sequence[str], rarity: Numbers) -> Matrix:
    """A row a text, as `View.score` weighs its features."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    rows = {name: at for at, name in enumerate(names)}
    here = [{rows[name]: many for name, many in text.items() if name in rows} for text in counts]
    columns = np.array([column for text in here for column in text], dtype=np.int64)
    values = 1 + np.log(np.array([many for text in here for many in text.values()], dtype=np.float64))
    ends = np.cumsum([0, *map(len, here)])
    return csr_matrix(normalize(csr_matrix((values * rarity[columns], columns, ends), (len(here), len(names)))))


def _fitted(features: Matrix, truths: Truths, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Coefficients (verdicts, features) and intercepts."""
    import numpy as np

    fitted = [fit(features, truths[:, column], weights, STRENGTH) for column in range(truths.shape[1])]
    return np.stack([one for one, _ in fitted]), np.array([one for _, one in fitted])
