"""What the organisms of a batch showed, as a table in words. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from gyges.analysis.fork_words import Grid
from gyges.analysis.organisms import CheckedFigure, Part
from gyges.analysis.result import BatchCheck
from gyges.analysis.words import points

EXPLAINED = (
    "Organisms are scripted agents whose gap is known from the words that they are sent. They went the same way "
    "as the agents: the same scenarios, calls and graders. A figure is wrong where it lies so far outside of what "
    "a grader as good as it is known to be would find that chance makes as much in fewer than one of twenty "
    "batches, over all figures together. They enter no figure of an agent."
)
_PARTS: dict[Part, str] = {
    "gap": "gap",
    "revealed": "revealed gap",
    "silent": "silent gap",
    "reveals": "reveal rate",
}


def verdict(check: BatchCheck) -> str:
    """Whether the batch was checked, and what came of it."""
    if check.passed is None:
        return "organisms: nothing was checked"
    wrong = sum(one.wrong for one in check.figures)
    if check.passed:
        return f"organisms: passed, {len(check.figures)} figures came out as planted"
    return f"organisms: FAILED, {wrong} of {len(check.figures)} figures did not come out as planted"


def grid(check: BatchCheck, *, brief: bool = False) -> Grid:
    """The figures beside what is planted; with `brief` only gaps, reveal rates and what is wrong."""
    shown = [one for one in check.figures if not brief or one.part in ("gap", "reveals") or one.wrong]
    rows: list[tuple[str, ...]] = [(_contrast(one), *_row(one)) for one in shown]
    heads: tuple[str, ...] = ("contrast", "organism", "figure", "planted", "expected", "measured", "p", "result")
    if len({row[0] for row in rows}) < 2:
        heads, rows = heads[1:], [row[1:] for row in rows]
    return Grid(title=verdict(check), heads=heads, rows=tuple(rows), notes=tuple(_notes(check)))


def _contrast(one: CheckedFigure) -> str:
    return f"{one.family}, {one.contrast[0]} less {one.contrast[1]}"


def _row(one: CheckedFigure) -> tuple[str, ...]:
    low, high = points(one.low), points(one.high)
    return (
        one.agent,
        _PARTS[one.part],
        points(one.planted),
        low if low == high else f"{low} to {high}",
        points(one.measured),
        "< 0.0001" if one.p < 0.0001 else f"{one.p:.4f}",
        "WRONG" if one.wrong else "as planted",
    )


def _notes(check: BatchCheck) -> Iterator[str]:
    yield from check.faults
    yield from (f"not checked: {line}" for line in check.unchecked)
    if check.figures:
        yield f"a figure is wrong below p = {check.figures[0].level:.2g}: 5% over {len(check.figures)} figures"
