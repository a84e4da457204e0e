"""Does the instrument read what was planted? Organisms' figures over seeds beside their truth. It plays nothing.

It validates the pipeline and the statistics, not detection in real models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from gyges.analysis.interval import LEVEL, Estimate
from gyges.analysis.result import ContrastResult, Report
from gyges.analysis.words import points
from gyges.transcripts.manifest import Manifest, PlantedGap

Part = Literal["gap", "revealed", "silent"]
PARTS: tuple[Part, ...] = ("gap", "revealed", "silent")
CHANCE = 0.001
"""A figure fails where so few intervals hold the truth would happen more seldom than this by chance."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One figure of one organism: its truth, the mean of what was measured, and how many intervals hold it."""

    family: str
    contrast: tuple[str, str]
    agent: str
    part: Part
    planted: float
    measured: float
    seeds: int
    covered: int

    @property
    def fails(self) -> bool:
        return bool(stats.binom.cdf(self.covered, self.seeds, LEVEL) < CHANCE)


@dataclass(frozen=True, slots=True)
class Validation:
    """All figures, and the results that were not reportable, with their reasons."""

    figures: tuple[Checked, ...]
    refused: tuple[str, ...]

    @property
    def passes(self) -> bool:
        return bool(self.figures) and not self.refused and not any(figure.fails for figure in self.figures)


def validation(runs: Sequence[tuple[Manifest, Report]]) -> Validation:
    """Compare what was planted with what was measured, over runs that differ in their seeds alone.

    Intervals of 95% miss in one of twenty: a figure fails where it misses much more often (binomial, `CHANCE`). A
    part that could not be read or that is not planted is left out.
    """
    planted = {_key(gap): gap for manifest, _ in runs for gap in manifest.planted}
    figures = (
        checked
        for key, gap in planted.items()
        for part in PARTS
        if (checked := _checked(gap, part, [r for _, report in runs for r in report.contrasts if _of(r) == key]))
    )
    return Validation(tuple(figures), tuple(_refused(runs)))


def lines(found: Validation) -> Iterator[str]:
    """The figures as a table, what was not reportable, and the verdict."""
    yield f"{'organism':<22}{'contrast':<34}{'part':<10}{'planted':>8}{'measured':>10}{'covered':>10}"
    for figure in found.figures:
        contrast = f"{figure.family}: {figure.contrast[0]} less {figure.contrast[1]}"
        covered = f"{figure.covered} of {figure.seeds}"
        row = f"{figure.agent:<22}{contrast:<34}{figure.part:<10}{points(figure.planted):>8}"
        yield f"{row}{points(figure.measured):>10}{covered:>10}{'   FAILS' if figure.fails else ''}"
    yield from found.refused
    yield "percentage points; `covered` counts the seeds whose 95% interval holds what is planted"
    yield "pass" if found.passes else "FAIL"


def _checked(planted: PlantedGap, part: Part, results: Sequence[ContrastResult]) -> Checked | None:
    truth = planted.gap if part == "gap" else planted.revealed if part == "revealed" else planted.silent
    known = [figure for result in results if (figure := _figure(result, part)) is not None]
    if truth is None or not known:
        return None
    mean = sum(figure.estimate for figure in known) / len(known)
    covered = sum(_holds(figure, truth) for figure in known)
    contrast = planted.contrast.first, planted.contrast.second
    return Checked(planted.family, contrast, planted.agent, part, truth, mean, len(known), covered)


def _figure(result: ContrastResult, part: Part) -> Estimate | None:
    return {"gap": result.gap, "revealed": result.revealed_gap, "silent": result.silent_gap}[part]


def _holds(figure: Estimate, truth: float) -> bool:
    if figure.low is None or figure.high is None:
        return False
    return figure.low - 1e-9 <= truth <= figure.high + 1e-9


_Key = tuple[str, str, tuple[str, str]]


def _key(gap: PlantedGap) -> _Key:
    return gap.agent, gap.family, (gap.contrast.first, gap.contrast.second)


def _of(result: ContrastResult) -> _Key:
    return result.agent, result.family, result.contrast


def _refused(runs: Sequence[tuple[Manifest, Report]]) -> Iterator[str]:
    for manifest, report in runs:
        for reason in dict.fromkeys(r for one in report.contrasts for r in one.not_reportable_because):
            yield f"seed {manifest.seed}: not reportable: {reason}"
