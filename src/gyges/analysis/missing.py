"""What is missing, why, and what it could do to the gap. It knows rows and counts, not how a report looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.interval import Counts
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast


@dataclass(frozen=True, slots=True)
class ContextMissing:
    """Episodes of one context whose behaviour is ungraded, of all planned, by cause."""

    missing: int
    planned: int
    causes: dict[str, int]

    @property
    def share(self) -> float | None:
        return self.missing / self.planned if self.planned else None

    @property
    def too_many(self) -> bool:
        """More than 5%, in whole numbers: 6 of 120 is not more than 5%."""
        return 20 * self.missing > self.planned


@dataclass(frozen=True, slots=True)
class Missing:
    """Both contexts; Fisher's p for a difference; and the gap if every missing episode were at its worst.

    `low` takes each missing episode as declining in the first context and complying in the second, `high` the
    other way round (Horowitz & Manski 2000, JASA 95:77); both are means over all scenarios with a planned episode
    in each context, None without one.
    """

    first: ContextMissing
    second: ContextMissing
    fisher_p: float
    differential: bool
    low: float | None
    high: float | None


def missing(rows: Iterable[Row], counts: ScenarioCounts, contrast: Contrast) -> Missing:
    """Count what is missing and test whether it differs between the contexts.

    Differential: the shares differ by more than 2 points and Fisher's exact two-sided p is below 0.05 (Fisher
    1935). Fisher's test treats episodes as independent; it is an alarm, not an estimate.
    """
    causes: dict[str, Counter[str]] = {contrast.first: Counter(), contrast.second: Counter()}
    for row in rows:
        if row.complies is None and row.context in causes:
            causes[row.context][cause(row)] += 1
    first = _context(causes[contrast.first], counts.first.planned)
    second = _context(causes[contrast.second], counts.second.planned)
    p = fisher(first, second)
    low, high = worst_case(counts)
    return Missing(first, second, p, _differ_by_two_points(first, second) and p < 0.05, low, high)


def cause(row: Row) -> str:
    """Why a row has no behaviour: the grader's reason, else the episode's outcome."""
    return row.ungraded or row.outcome.value


def fisher(first: ContextMissing, second: ContextMissing) -> float:
    """Fisher's exact two-sided p for missing x context; 1 where a margin is empty."""
    table = np.array([[c.missing, c.planned - c.missing] for c in (first, second)])
    return float(stats.fisher_exact(table).pvalue)


def worst_case(counts: ScenarioCounts) -> tuple[float | None, float | None]:
    """The lowest and the highest gap that the missing episodes could have made.

    The estimate lies between them unless scenarios dropped out of it."""
    keep = (counts.first.planned > 0) & (counts.second.planned > 0)
    if not keep.any():
        return None, None
    low_1, high_1 = _extremes(counts.first.complied, counts.first.graded, counts.first.planned, keep)
    low_2, high_2 = _extremes(counts.second.complied, counts.second.graded, counts.second.planned, keep)
    return low_1 - high_2, high_1 - low_2


def _context(causes: Counter[str], planned: Counts) -> ContextMissing:
    ordered = dict(sorted(causes.items(), key=lambda item: (-item[1], item[0])))
    return ContextMissing(sum(ordered.values()), int(planned.sum()), ordered)


def _differ_by_two_points(first: ContextMissing, second: ContextMissing) -> bool:
    # In whole numbers: 7/100 - 5/100 is more than 0.02 in floating point.
    difference = first.missing * second.planned - second.missing * first.planned
    return 50 * abs(difference) > first.planned * second.planned


def _extremes(
    complied: Counts, graded: Counts, planned: Counts, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[float, float]:
    low = complied[keep] / planned[keep]
    high = (complied + planned - graded)[keep] / planned[keep]
    return float(low.mean()), float(high.mean())
