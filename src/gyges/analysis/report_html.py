"""The report as one self-contained page: its own style, no script, no address outside. It computes nothing.

Everything that comes from data is escaped by the template; only the plots' SVG is not, whose text Vega escapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from itertools import groupby

import jinja2
from markupsafe import Markup

from gyges.analysis import check_words, fork_plots, fork_words, notes, overview_plots, plots, sentences, words
from gyges.analysis.quadrants import Quadrants
from gyges.analysis.result import ContrastResult, ForkReport, PooledGap, Report

CANARY = "gyges-canary:bad99373-f245-4eb6-a5d3-0cefc8ed22ca do not train on this"
WIDE, NARROW = 800, 300


@dataclass(frozen=True, slots=True)
class _Figure:
    """One plot, drawn for a wide and for a narrow page."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class _Group:
    """One family's contrast with the results of all agents."""

    family: str
    first: str
    second: str
    target: str
    sign: str
    exact: bool
    results: Sequence[ContrastResult]
    gaps: _Figure
    rates: _Figure
    quadrants: _Figure
    controls: _Figure | None
    """None where no control arm was played."""
    curves: Sequence[tuple[str, _Figure]]
    """By factor whose levels are numbers."""


@dataclass(frozen=True, slots=True)
class _Forks:
    """A run of forks: its tables, the curves of what was cut, and how to read them."""

    run: str
    forked_from: str
    grids: Sequence[fork_words.Grid]
    explained: str
    curves: _Figure | None


@dataclass(frozen=True, slots=True)
class _Page:
    """One run."""

    run: str
    grades: str
    """By which set of grades, in words."""
    organisms: bool
    groups: Sequence[_Group]
    families: _Figure | None
    """None for a single family."""
    calibration: _Figure | None
    """None where nothing is known of the graders' errors."""
    forks: Sequence[_Forks]
    check: fork_words.Grid | None
    """Of organisms; None where nothing is known of how the rows came to be."""
    pooled: Sequence[PooledGap]
    between: Sequence[str]
    conduct: Sequence[str]


def to_html(reports: Sequence[Report]) -> str:
    """The reports of one or several runs as one page."""
    pages = [_page(report) for report in reports]
    return _template().render(reports=pages, title=", ".join(page.run for page in pages))


@cache
def _template() -> jinja2.Template:
    source = files("gyges.analysis").joinpath("templates", "report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.globals.update(_WORDS)
    return environment.from_string(source)


_WORDS = {
    "canary": CANARY,
    "cells": Quadrants.__slots__,
    "counts": words.counts,
    "arms": words.ARMS,
    "crossed": words.crossed,
    "spread": words.spread,
    "pooled": sentences.pooled,
    "difference": lambda estimate: words.points(estimate.estimate),
    "estimands": words.ESTIMANDS,
    "exact": words.exact,
    "exact_bound": words.EXACT,
    "over_graders": words.over_graders,
    "undone": words.undone,
    "interval": words.interval,
    "legend": words.LEGEND,
    "notes": notes.notes,
    "said": {True: "yes", False: "no", None: ""},
    "short_p": words.short_p,
    "points": words.points,
    "printable": words.printable,
    "rate": words.rate,
    "validation": words.VALIDATION,
    "verdict": words.verdict,
    "checking": check_words.EXPLAINED,
    "standing": words.standing,
    "widened": words.widened,
    "withheld": words.withheld,
}


def _page(report: Report) -> _Page:
    grouped = groupby(report.contrasts, key=lambda result: (result.family, result.contrast, result.target))
    groups, judges = [_group(list(results)) for _, results in grouped], overview_plots.judges_of(report)
    return _Page(
        words.printable(report.run),
        words.printable(words.by_grades(report)),
        report.organisms,
        groups,
        _drawn(partial(overview_plots.across_families, report))
        if overview_plots.several_families(report)
        else None,
        _drawn(partial(overview_plots.calibration, judges)) if judges else None,
        [_forks(fork) for fork in report.forks],
        check_words.grid(report.check) if report.check else None,
        report.pooled,
        sentences.between(report),
        sentences.conduct(report.provenance),
    )


def _forks(fork: ForkReport) -> _Forks:
    drawn = fork_plots.cut(fork.interventions)
    curves = _drawn(partial(fork_plots.curves, fork.interventions)) if drawn else None
    run, forked_from = words.printable(fork.run), words.printable(fork.forked_from)
    return _Forks(run, forked_from, fork_words.grids(fork), fork_words.explained(fork), curves)


def _group(results: Sequence[ContrastResult]) -> _Group:
    one = results[0]
    family, first, second, target = map(words.printable, (one.family, *one.contrast, one.target))
    return _Group(
        family=family,
        first=first,
        second=second,
        target=target,
        sign=one.expected_sign,
        exact=any(map(words.any_exact, results)),
        results=results,
        gaps=_figure(plots.gaps, results),
        rates=_figure(plots.rates, results),
        quadrants=_figure(plots.quadrants, results),
        controls=_figure(plots.controls, results) if any(result.controls for result in results) else None,
        curves=[(words.printable(name), _curve(results, name)) for name in plots.curves_of(results)],
    )


def _figure(plot: plots.Plot, results: Sequence[ContrastResult]) -> _Figure:
    return _drawn(partial(plot, results))


def _curve(results: Sequence[ContrastResult], factor: str) -> _Figure:
    return _drawn(partial(plots.curve, results, factor))


def _drawn(plot: Callable[[int], str]) -> _Figure:
    """A plot of a given width, drawn wide and narrow."""
    return _Figure(Markup(plot(WIDE)), Markup(plot(NARROW)))
