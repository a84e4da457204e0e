"""Bootstrap over groups, all draws at once: a draw is how often each item counts. It knows no figure's meaning.

Groups are drawn with putting back (the cluster bootstrap, as in Davison and Hinkley 1997, 2.4), which is the same
as counting each group's items a multinomial number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Numbers = NDArray[float64]


def weights(groups: Sequence[str], draws: int, seed: int) -> Numbers:
    """How often each item counts, shape (draws + 1, items). The first row is the data itself: once each.

    An item of the group "" is a group by itself.
    """
    import numpy as np

    names = [group or f"\0{at}" for at, group in enumerate(groups)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of = np.array([numbers[name] for name in names], dtype=int)
    count = len(numbers)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    return np.vstack([np.ones(len(names)), drawn[:, of]])


def tables(labels: Sequence[bool], answers: Sequence[bool], counted: Numbers) -> Numbers:
    """True and false positives, false and true negatives in every draw, shape (4, draws)."""
    import numpy as np

    label, answer = np.array(labels, dtype=bool), np.array(answers, dtype=bool)
    cells = [label & answer, ~label & answer, label & ~answer, ~label & ~answer]
    return np.array([counted @ cell.astype(float) for cell in cells])


def kappas(table: Numbers) -> Numbers:
    """Cohen's kappa in every draw; nan where chance alone would agree always."""
    import numpy as np

    tp, fp, fn, tn = table
    total = table.sum(axis=0)
    chance = ((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = ((tp + tn) / total - chance) / (1 - chance)
    return np.where(chance >= 1, np.nan, found)


def alphas(table: Numbers) -> Numbers:
    """Krippendorff's alpha of label and answer as two raters, in every draw; nan where all say one thing.

    For two raters and nominal values: 1 - (n - 1) disagreements / (ones x zeros), with n values in all.
    """
    import numpy as np

    tp, fp, fn, tn = table
    ones, zeros = 2 * tp + fp + fn, 2 * tn + fp + fn
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 1 - (ones + zeros - 1) * (fp + fn) / (ones * zeros)
    return np.where(ones * zeros > 0, found, np.nan)


def nominal(labels: Sequence[str], answers: Sequence[str], counted: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Of any number of labels, in every draw: the share of equal ones, Cohen's kappa, Krippendorff's alpha.

    The latter two are nan where all say one thing. Alpha as of two raters: 1 - (n - 1) D / (n^2 - sum of squares),
    with n values in all and D of them in a pair that differs.
    """
    import numpy as np

    names = sorted({*labels, *answers})
    said, given = (
        np.array([[one == name for one in side] for name in names], dtype=float) for side in (labels, answers)
    )
    rows, columns, total = counted @ said.T, counted @ given.T, counted.sum(axis=1)
    same = counted @ (said * given).sum(axis=0) / total
    chance = (rows * columns).sum(axis=1) / total**2
    each = rows + columns
    room = (2 * total) ** 2 - (each**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.where(chance < 1, (same - chance) / (1 - chance), np.nan)
        alpha = np.where(room > 0, 1 - (2 * total - 1) * 2 * total * (1 - same) / room, np.nan)
    return same, kappa, alpha


def aurocs(labels: Sequence[bool], scores: Sequence[float], counted: Numbers) -> Numbers:
    """How often a positive scores higher than a negative, ties counting half, in every draw; nan without both."""
    import numpy as np

    label, score = np.array(labels, dtype=bool), np.array(scores, dtype=float)
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    positive = np.add.reduceat((counted * label)[:, order], starts, axis=1)
    negative = np.add.reduceat((counted * ~label)[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (positive * (below + negative / 2)).sum(axis=1) / pairs
    return np.where(pairs > 0, found, np.nan)


def means(values: Sequence[float], counted: Numbers) -> Numbers:
    """The mean in every draw."""
    import numpy as np

    return np.asarray(counted @ np.array(values, dtype=float) / counted.sum(axis=1))
