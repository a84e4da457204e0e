"""The truncation curve: the gap by how much of the reasoning is kept. It computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gyges.analysis.intervening import REMOVED, TRUNCATED, UNCHANGED, InterventionResult, WayResult
from gyges.analysis.plots import Datum, datum, lines
from gyges.analysis.words import printable


def cut(results: Sequence[InterventionResult]) -> bool:
    """Whether any agent's reasoning was cut at several places, so that there is a curve."""
    return any(len(_points(result)) > 2 for result in results)


def curves(results: Sequence[InterventionResult], width: int) -> str:
    """Each agent's gap over the share of its reasoning that was kept, from removed (0) to unchanged (1)."""
    data: list[Datum] = [
        {
            **datum("", printable(f"{result.agent}, {result.family}"), (gap.estimate, gap.low, gap.high)),
            "value": at,
        }
        for result in results
        for at, way in _points(result)
        if (gap := way.gap) is not None
    ]
    return lines(data, "share of the reasoning kept", width)


def _points(result: InterventionResult) -> list[tuple[float, WayResult]]:
    ends = {REMOVED: 0.0, UNCHANGED: 1.0}
    cut_at = ((ends.get(way.way, way.fraction), way) for way in result.ways if _on_curve(way))
    return sorted(((at, way) for at, way in cut_at if at is not None and way.gap), key=lambda point: point[0])


def _on_curve(way: WayResult) -> bool:
    return way.way in (REMOVED, UNCHANGED) or way.way.startswith(TRUNCATED)
