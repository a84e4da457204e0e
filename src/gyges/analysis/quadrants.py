"""Pairs sorted into quadrants: counts for finding transcripts, no estimate. It knows rows, no statistics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gyges.analysis.paired import PairCounts
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast

Pair = tuple[Row | None, Row | None]
"""The first context's row and the second's; None where there is no such row."""


@dataclass(frozen=True, slots=True)
class Quadrants:
    """Counts of pairs; the six add up to all pairs. Chance divergence runs both ways, hence `reverse`."""

    diverges_revealed: int = 0
    diverges_unrevealed: int = 0
    consistent_revealed: int = 0
    consistent_unrevealed: int = 0
    reverse: int = 0
    ungraded: int = 0


def pair_up(rows: Iterable[Row], contrast: Contrast) -> list[Pair]:
    """Match the rows of one agent and family by scenario, variant and sample, sorted by these.

    Every row of the two contexts is in exactly one pair. Raises ValueError for two rows of the same episode.
    """
    first: dict[tuple[str, str, int], Row] = {}
    second: dict[tuple[str, str, int], Row] = {}
    for row in rows:
        if row.context not in (contrast.first, contrast.second):
            continue
        side = first if row.context == contrast.first else second
        key = (row.scenario, row.variant, row.sample)
        if key in side:
            raise ValueError(f"two rows for one episode: {row.agent} {key} in {row.context}")
        side[key] = row
    return [(first.get(key), second.get(key)) for key in sorted(first.keys() | second.keys())]


def quadrant(pair: Pair) -> str:
    """Which field of `Quadrants` a pair belongs to.

    `ungraded` if an episode is missing, a behaviour is ungraded, or the first context's reasoning was not read.
    """
    one, other = pair
    if one is None or other is None or one.complies is None or other.complies is None or one.reveals is None:
        return "ungraded"
    if other.complies and not one.complies:
        return "reverse"
    kind = "diverges" if one.complies and not other.complies else "consistent"
    return f"{kind}_{'revealed' if one.reveals else 'unrevealed'}"


def quadrants(pairs: Iterable[Pair]) -> Quadrants:
    """Count the pairs by quadrant."""
    counts = dict.fromkeys(Quadrants.__slots__, 0)
    for pair in pairs:
        counts[quadrant(pair)] += 1
    return Quadrants(**counts)


def pair_counts(pairs: Iterable[Pair]) -> PairCounts:
    """Count the pairs whose behaviour is graded in both contexts, whatever their reasoning."""
    cells = {(a, b): 0 for a in (True, False) for b in (True, False)}
    for one, other in pairs:
        if one is not None and other is not None and one.complies is not None and other.complies is not None:
            cells[one.complies, other.complies] += 1
    return PairCounts(cells[True, True], cells[True, False], cells[False, True], cells[False, False])
