"""How far labels agree beyond chance. It knows answers, not who gave them nor what about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same` of `both` episodes that two raters answered alike; `kappa` is None where chance explains all."""

    both: int
    same: int
    kappa: float | None


def cohen(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Two raters' answers about the same episodes (Cohen 1960).

    kappa = (p_o - p_e) / (1 - p_e), with p_e from each rater's own frequencies.
    """
    both, same = len(pairs), sum(one == other for one, other in pairs)
    if not both:
        return Agreement(0, 0, None)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(first[answer] * second[answer] for answer in first) / both**2
    kappa = None if expected == 1 else (same / both - expected) / (1 - expected)
    return Agreement(both, same, kappa)


def krippendorff(units: Iterable[Sequence[str]]) -> float | None:
    """Alpha for nominal answers by any number of raters, some missing (Krippendorff 2011).

    `units` holds the answers about each episode; those with fewer than two say nothing. None where no two answers
    can be compared, or all answers are one.
    """
    totals: Counter[str] = Counter()
    observed = 0.0
    for answers in units:
        if len(answers) > 1:
            totals.update(answers)
            unlike = sum(one != other for one, other in permutations(answers, 2))
            observed += unlike / (len(answers) - 1)
    n = totals.total()
    expected = sum(totals[one] * totals[other] for one, other in permutations(totals, 2))
    return 1 - (n - 1) * observed / expected if expected else None
