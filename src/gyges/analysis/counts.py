"""Rows counted by scenario: all that the estimators need. It knows no statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from gyges.analysis.interval import Counts
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast


@dataclass(frozen=True, slots=True)
class ContextCounts:
    """Counts of one context; every array has shape (scenarios,), in the order of `ScenarioCounts.names`.

    `planned` episodes; `graded` of them; `complied` of those. The graded ones by what their reasoning did
    (`revealed`, `silent`, `unread`), and how many of each complied. `read` and `revealing` count reasoning
    whether or not the behaviour was graded.
    """

    planned: Counts
    graded: Counts
    complied: Counts
    revealed: Counts
    revealed_complied: Counts
    silent: Counts
    silent_complied: Counts
    unread: Counts
    unread_complied: Counts
    read: Counts
    revealing: Counts


@dataclass(frozen=True, slots=True)
class ScenarioCounts:
    """Both contexts of one contrast, for one agent and family. All variants of a scenario are pooled."""

    names: tuple[str, ...]
    first: ContextCounts
    second: ContextCounts

    def kept(self) -> ScenarioCounts:
        """Only the scenarios with a graded episode in both contexts."""
        keep = (self.first.graded > 0) & (self.second.graded > 0)
        names = tuple(name for name, kept in zip(self.names, keep, strict=True) if kept)
        return ScenarioCounts(names, _select(self.first, keep), _select(self.second, keep))

    def dropped(self) -> tuple[str, ...]:
        """The names of the scenarios without a graded episode in a context."""
        kept = set(self.kept().names)
        return tuple(name for name in self.names if name not in kept)


_FIELDS = ContextCounts.__slots__
BETWEEN = "\0"
"""Sorts before any letter, so that the variants of one scenario stay together."""


def scenario_of(row: Row) -> str:
    """The unit that gaps are clustered by."""
    return row.scenario


@dataclass(slots=True)
class _Tally:
    """The counts of one scenario in one context while rows are read."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_FIELDS, 0))

    def add(self, row: Row) -> None:
        counts = self.counts
        counts["planned"] += 1
        if row.reveals is not None:
            counts["read"] += 1
            counts["revealing"] += row.reveals
        if row.complies is not None:
            reasoning = "unread" if row.reveals is None else "revealed" if row.reveals else "silent"
            counts["graded"] += 1
            counts["complied"] += row.complies
            counts[reasoning] += 1
            counts[f"{reasoning}_complied"] += row.complies


def count(rows: Iterable[Row], contrast: Contrast, unit: Callable[[Row], str] = scenario_of) -> ScenarioCounts:
    """Count the rows of one agent and family by `unit`, sorted by name. Rows of other contexts are left out."""
    tallies: dict[str, tuple[_Tally, _Tally]] = {}
    for row in rows:
        if row.context not in (contrast.first, contrast.second):
            continue
        name = unit(row)
        if (pair := tallies.get(name)) is None:
            pair = tallies[name] = (_Tally(), _Tally())
        pair[row.context == contrast.second].add(row)
    names = tuple(sorted(tallies))
    first, second = (_gather([tallies[name][side] for name in names]) for side in (0, 1))
    return ScenarioCounts(names, first, second)


def by_variant(rows: Iterable[Row], contrast: Contrast) -> tuple[ScenarioCounts, tuple[int, ...]]:
    """The counts of each variant of each scenario that has graded episodes in both contexts.

    Beside them, where in these each scenario but the first begins, as `numpy.split` takes it.
    """
    kept = count(rows, contrast, lambda row: f"{row.scenario}{BETWEEN}{row.variant}").kept()
    scenarios = [name.split(BETWEEN)[0] for name in kept.names]
    begins = (i for i in range(1, len(scenarios)) if scenarios[i] != scenarios[i - 1])
    return kept, tuple(begins)


def _gather(tallies: list[_Tally]) -> ContextCounts:
    return ContextCounts(*(np.array([t.counts[name] for t in tallies], dtype=np.int64) for name in _FIELDS))


def _select(counts: ContextCounts, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ContextCounts:
    return ContextCounts(*(getattr(counts, name)[keep] for name in _FIELDS))
