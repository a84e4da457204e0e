"""The plots of a report as files for a paper: SVG, and the same as PNG. It computes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from gyges.analysis import fork_plots, overview_plots, plots
from gyges.analysis.result import ContrastResult, Report

WIDTH = 640
INK = "#1d2125"
"""In the place of the page's own colour: a paper is light."""


def plots_of(report: Report, width: int = WIDTH) -> Iterator[tuple[str, str]]:
    """Every plot with a name for its file, as SVG."""
    if overview_plots.several_families(report):
        yield "families", overview_plots.across_families(report, width)
    if judges := overview_plots.judges_of(report):
        yield "calibration", overview_plots.calibration(judges, width)
    for (family, contrast), group in groupby(report.contrasts, key=lambda one: (one.family, one.contrast)):
        results, about = list(group), "-".join((family, *contrast))
        drawn: dict[str, plots.Plot] = {"gaps": plots.gaps, "rates": plots.rates, "quadrants": plots.quadrants}
        if any(result.controls for result in results):
            drawn["controls"] = plots.controls
        for factor in plots.curves_of(results):
            drawn[f"curve-{factor}"] = partial(_curve, factor)
        yield from ((f"{about}-{name}", plot(results, width)) for name, plot in drawn.items())
    for fork in report.forks:
        if fork_plots.cut(fork.interventions):
            yield f"{fork.run}-truncation", fork_plots.curves(fork.interventions, width)


def write_plots(reports: Sequence[Report], folder: Path) -> list[Path]:
    """Write each plot of each report as SVG and PNG; returns the files. What is there already is written over."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for report in reports:
        for name, svg in plots_of(report):
            path = folder / f"{_safe(report.run)}-{_safe(name)}.svg"
            inked = svg.replace("currentColor", INK)
            path.write_text(inked, encoding="utf-8")
            path.with_suffix(".png").write_bytes(plots.png(inked))
            written += [path, path.with_suffix(".png")]
    return written


def _curve(factor: str, results: Sequence[ContrastResult], width: int) -> str:
    return plots.curve(results, factor, width)


def _safe(name: str) -> str:
    """A name from data as part of a file's: nothing that leads elsewhere."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")[:80] or "plot"
