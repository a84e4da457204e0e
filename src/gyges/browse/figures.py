"""A run's figures as a piece of a page, and its report. It brings all the statistics: a server asks a child."""

from __future__ import annotations

from collections.abc import Collection

from gyges.analysis import notes, words
from gyges.analysis.interval import Estimate
from gyges.analysis.quadrants import Quadrants
from gyges.analysis.report_html import to_html
from gyges.analysis.result import Report
from gyges.browse.page import environment


def figures(report: Report, pairs: str, added: Collection[str] = ()) -> str:
    """The figures of each contrast, linked to the pairs that they count.

    `pairs` is the address of the run's table of pairs; `added` are the organisms that the run added by itself.
    """
    template = environment().get_template("_figures.html")
    return template.render(
        report=report,
        pairs=pairs,
        added=added,
        cells=Quadrants.__slots__,
        estimands=words.ESTIMANDS,
        exact=words.exact,
        interval=words.interval,
        notes=notes.notes,
        percent=words.percent,
        points=words.points,
        span=span,
        validation=words.VALIDATION,
        verdict=words.verdict,
        grids=_grids(report),
    )


def whole(report: Report) -> str:
    """The report with its plots, as `gyges report --html` writes it."""
    return to_html([report])


def _grids(report: Report) -> list[tuple[str, object]]:
    from gyges.analysis import fork_words

    return [(fork_words.explained(fork), grid) for fork in report.forks for grid in fork_words.grids(fork)]


def span(estimate: Estimate | None) -> tuple[float, float, float] | None:
    """Low, estimate and high on an axis from 0 (-100 points) to 200 (+100 points)."""
    if estimate is None:
        return None
    low = estimate.estimate if estimate.low is None else estimate.low
    high = estimate.estimate if estimate.high is None else estimate.high
    return round(100 + 100 * low, 1), round(100 + 100 * estimate.estimate, 1), round(100 + 100 * high, 1)
