"""Plots of a whole report: gaps across families, and what is known of its graders. It computes nothing."""

from __future__ import annotations

import itertools

from gyges.analysis.judge_error import Calibration, intervals
from gyges.analysis.plots import CONTEXTS, LINES, Datum, datum, dots
from gyges.analysis.result import Report
from gyges.analysis.words import printable

POOLED = "over families"


def across_families(report: Report, width: int) -> str:
    """Each family's gap by agent, and below them each agent's gap over families; hollow where not reportable."""
    agents = list(dict.fromkeys(printable(result.agent) for result in report.contrasts))
    data: list[Datum] = [
        datum(
            _row(r.family, r.contrast), printable(r.agent), (r.gap.estimate, r.gap.low, r.gap.high), r.reportable
        )
        for r in report.contrasts
        if r.gap is not None
    ]
    for one in report.pooled:
        if one.gap is not None:
            span = one.gap.estimate, one.gap.low, one.gap.high
            data.append(datum(_row(POOLED, one.contrast), printable(one.agent), span))
    colours = dict(zip(agents, itertools.cycle(LINES), strict=False))
    return dots([str(one["agent"]) for one in data], data, colours, "gap, percentage points", None, width)


def several_families(report: Report) -> bool:
    """Whether there is anything to be set across families."""
    return len({(result.family, result.contrast) for result in report.contrasts if result.gap}) > 1


def calibration(judges: dict[str, Calibration], width: int) -> str:
    """Each grader's sensitivity and specificity on labelled texts, with Wilson intervals."""
    data: list[Datum] = []
    for name, known in judges.items():
        for series, share, span in zip(
            ("sensitivity", "specificity"), (known.sensitivity, known.specificity), intervals(known), strict=True
        ):
            data.append(datum(printable(name), series, (share, *span)))
    colours = dict(zip(("sensitivity", "specificity"), CONTEXTS, strict=True))
    return dots([str(one["agent"]) for one in data], data, colours, "%", (0, 100), width)


def judges_of(report: Report) -> dict[str, Calibration]:
    """The calibrations that any figure of the report was corrected by, named by question and contrast."""
    found: dict[str, Calibration] = {}
    for result in report.contrasts:
        for question, known in (result.corrected.judges if result.corrected else {}).items():
            if known not in found.values():
                found[f"{question}, {result.family}"] = known
    return found


def _row(family: str, contrast: tuple[str, str]) -> str:
    return printable(f"{family}: {contrast[0]} less {contrast[1]}")
