"""Fitting of linear models and thresholds, with scikit-learn and scipy. It knows no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import bool_, float64
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Matrix = csr_matrix
    Numbers = NDArray[float64]
    Truths = NDArray[bool_]

PRECISION = 0.85
"""Thresholds are the lowest at which so much of what is found is right."""

FLATTEST = 0.1
"""Calibration multiplies log-odds by no less."""


def fit(features: Matrix, labels: Truths, weights: Numbers, strength: float) -> tuple[Numbers, float]:
    """Coefficients and intercept of a logistic regression; `strength` is its inverse regularisation."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, solver="liblinear", random_state=0, tol=0.02)
    model.fit(features, labels, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def fit_signed(
    offers: Numbers, truth: Truths, counts: Numbers, signs: Sequence[int], strength: float
) -> tuple[Numbers, float]:
    """As `fit`, with weights of 0 or of the given sign each (0: of any), for the offers as they are.

    What can only speak for a finding can't come to speak against it by what the texts at hand have in common.
    """
    import numpy as np
    from scipy.optimize import minimize

    mean, spread = offers.mean(axis=0), offers.std(axis=0)
    spread[spread < 1e-6] = 1.0
    scaled, target = (offers - mean) / spread, np.where(truth, 1.0, -1.0)

    def loss(point: Numbers) -> tuple[float, Numbers]:
        margin = target * (scaled @ point[1:] + point[0])
        pull = -strength * counts * target / (1 + np.exp(margin))
        value = strength * (counts * np.logaddexp(0, -margin)).sum() + 0.5 * point[1:] @ point[1:]
        return float(value), np.concatenate([[pull.sum()], scaled.T @ pull + point[1:]])

    limits: dict[int, tuple[float | None, float | None]] = {1: (0, None), -1: (None, 0), 0: (None, None)}
    bounds = [(None, None), *(limits[sign] for sign in signs)]
    found = minimize(loss, np.zeros(len(signs) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = np.asarray(found[1:] / spread)
    return weights, float(found[0] - (weights * mean).sum())


def calibrated(odds: Numbers, truth: Truths, counts: Numbers) -> tuple[float, float]:
    """By what log-odds are multiplied, and what is added, so that they mean what they say (Platt 1999)."""
    slopes, shift = fit_signed(odds[:, None], truth, counts, (1,), 1.0)
    return max(float(slopes[0]), FLATTEST), shift


def rarely_wrong(odds: Numbers, truth: Truths, counts: Numbers, share: float) -> float:
    """The probability from which on no more than `share` of what is not there is found."""
    import numpy as np

    order = np.argsort(-odds[~truth], kind="stable")
    gone = np.cumsum(counts[~truth][order])
    at = min(int(np.searchsorted(gone, share * gone[-1])), len(order) - 1)
    return float(np.clip(odds[~truth][order[at]], 0.001, 0.999))


def lowest_threshold(odds: Numbers, truth: Truths, counts: Numbers, precision: float = PRECISION) -> float:
    """The lowest probability from which on at least `precision` of what is found is right.

    Where none is, the one with the best precision among those that find a tenth of what is there.
    """
    import numpy as np

    order = np.argsort(-odds, kind="stable")
    right = np.cumsum((truth * counts)[order])
    share = right / np.cumsum(counts[order])
    some = right >= 0.1 * right[-1]
    enough = np.flatnonzero((share >= precision) & some)
    at = int(enough[-1]) if len(enough) else int(np.argmax(np.where(some, share, 0)))
    below = odds[order[at + 1]] if at + 1 < len(order) else 0.0
    return float(np.clip((odds[order[at]] + below) / 2, 0.001, 0.999))
