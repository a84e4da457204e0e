"""Plots of a report as SVG text, by Altair and vl-convert. It computes nothing and knows no page.

Text and axes are drawn in `currentColor`, so that a page decides whether they stand on light or dark. The colours
of the data are mid-tones that keep apart on both, also for the colour-blind (after Okabe & Ito 2008). Each agent's
name stands above its marks, so that a narrow plot loses no width to long names.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gyges.analysis.interval import Estimate
from gyges.analysis.result import ContrastResult
from gyges.analysis.words import printable

if TYPE_CHECKING:
    import altair

Plot = Callable[[Sequence[ContrastResult], int], str]
"""A plot of some results, so many pixels wide, as SVG."""
Datum = dict[str, str | float | bool | None]

PARTS = {"gap": "#7a7f87", "revealed": "#d9822b", "silent": "#3d8fd1", "unread": "#a77fc4"}
QUADRANTS = {
    "diverges_revealed": "#d9822b",
    "diverges_unrevealed": "#3d8fd1",
    "reverse": "#c25b8a",
    "consistent_revealed": "#c9a227",
    "consistent_unrevealed": "#7fa58c",
    "ungraded": "#8a8d91",
}
CONTEXTS = ("#1f9d7a", "#a77fc4")
LINES = ("#d9822b", "#3d8fd1", "#1f9d7a", "#c25b8a", "#c9a227", "#7a7f87")
ARMS = {"experiment": "#7a7f87", "null": "#1f9d7a", "placebo": "#c9a227", "swap": "#c25b8a"}
_LABEL = "name"
_LINE = "#8a8d91"


def gaps(results: Sequence[ContrastResult], width: int) -> str:
    """Each agent's gap and its parts in percentage points with 95% intervals; hollow where not reportable."""
    data = [datum for result in results for datum in _gap_data(result)]
    return dots(_agent_names(results), data, PARTS, "percentage points", None, width)


def rates(results: Sequence[ContrastResult], width: int) -> str:
    """Each agent's share of complying episodes in the two contexts with 95% intervals."""
    data = [datum for result in results for datum in _rate_data(result)]
    contexts = dict.fromkeys(printable(context) for result in results for context in result.contrast)
    colours = dict(zip(contexts, CONTEXTS, strict=False))
    return dots(_agent_names(results), data, colours, "complies, %", (0, 100), width)


def controls(results: Sequence[ContrastResult], width: int) -> str:
    """Each agent's gap beside the gaps of its control arms, with 95% intervals."""
    data = [datum for result in results for datum in _control_data(result)]
    return dots(_agent_names(results), data, ARMS, "gap, percentage points", None, width)


def quadrants(results: Sequence[ContrastResult], width: int) -> str:
    """Each agent's pairs by quadrant, as stacked counts."""
    import altair as alt

    colours = {_words(name): colour for name, colour in QUADRANTS.items()}
    data = [datum for result in results for datum in _quadrant_data(result)]
    axis = alt.Axis(tickMinStep=1, format="d", tickCount=width // 70, labelOverlap=True)
    bars = (
        _chart(data)
        .mark_bar(size=16)
        .encode(
            y=_rows(_agent_names(results)),
            yOffset=_offset(["bar"]),
            x=alt.X("pairs:Q", title="pairs", axis=axis),
            color=_colours(colours, columns=1 if width < 400 else 3),
            order=alt.Order("order:Q"),
        )
    )
    return _svg(_names(_agent_names(results), ["bar"]) + bars, width, 42 * len(results))


def curve(results: Sequence[ContrastResult], factor: str, width: int) -> str:
    """Each agent's gap over a factor whose levels are numbers, such as depth, with 95% intervals."""
    return lines([datum for result in results for datum in _level_data(result, factor)], printable(factor), width)


def lines(data: Sequence[Datum], title: str, width: int) -> str:
    """A line a series over `value`, with 95% intervals; gaps in percentage points."""
    import altair as alt

    series = list(dict.fromkeys(str(datum["series"]) for datum in data))
    colours = dict(zip(series, itertools.cycle(LINES), strict=False))
    x = alt.X("value:Q", title=title, axis=alt.Axis(tickCount=width // 70, grid=False))
    base = _chart(data).encode(x=x, color=_colours(colours, columns=1 if width < 400 else 3))
    y = alt.Y("estimate:Q", title="gap, percentage points", axis=alt.Axis(format="+d"))
    spans = base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    line = base.mark_line(point=True, strokeWidth=2).encode(y=y)
    zero = alt.Chart(_inline([{}])).mark_rule(strokeDash=[3, 3], color="currentColor").encode(y=alt.datum(0))
    return _svg(zero + spans + line, width, 240)


def _level_data(result: ContrastResult, factor: str) -> Iterator[Datum]:
    for found in (one for one in result.factors if one.factor == factor):
        for level in found.levels:
            if level.gap is not None and level.value is not None:
                yield {**_datum(result, printable(result.agent), level.gap), "value": level.value}


def curves_of(results: Iterable[ContrastResult]) -> list[str]:
    """The factors whose levels are numbers, for `curve`."""
    found = (factor for result in results for factor in result.factors)
    return list(dict.fromkeys(one.factor for one in found if all(level.value is not None for level in one.levels)))


def png(svg: str, scale: float = 2.0) -> bytes:
    """One of these plots as PNG on white, for a paper or a slide."""
    import vl_convert

    inked = svg.replace("currentColor", "#1d2126").replace("<svg ", '<svg style="background: white" ', 1)
    return bytes(vl_convert.svg_to_png(inked, scale=scale))


def dots(
    rows: Sequence[str],
    data: Sequence[Datum],
    colours: Mapping[str, str],
    title: str,
    domain: tuple[float, float] | None,
    width: int,
) -> str:
    """A row for each name of `rows`, in it a point with its 95% interval for each series of `data`.

    A point that is not `reportable` is hollow. `colours` says the order of the series; those without data are
    left out.
    """
    import altair as alt

    series = [name for name in colours if any(datum["series"] == name for datum in data)]
    shown = {name: colours[name] for name in series}
    columns = max(1, min(len(shown), width // (40 + 7 * max(map(len, shown), default=0))))
    scale = alt.Scale(domain=list(domain)) if domain else alt.Scale(nice=True)
    axis = alt.Axis(format="d" if domain else "+d", tickCount=width // 70, labelOverlap=True, grid=True)
    x = alt.X("estimate:Q", title=title, scale=scale, axis=axis)
    base = _chart(data).encode(y=_rows(rows), yOffset=_offset(series), color=_colours(shown, columns))
    spans = base.mark_rule(strokeWidth=3, opacity=0.6).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    dots = base.mark_point(size=60, strokeWidth=2, fill="transparent").encode(x=x)
    solid = base.mark_point(size=60, strokeWidth=2, filled=True, opacity=1).encode(x=x)
    zero = alt.Chart(_inline([{}])).mark_rule(strokeDash=[3, 3], color="currentColor").encode(x=alt.datum(0))
    layers = dots + spans + solid.transform_filter("datum.reportable") + _names(rows, series)
    return _svg(layers if domain else layers + zero, width, (22 + 14 * len(series)) * len(set(rows)))


def _gap_data(result: ContrastResult) -> list[Datum]:
    figures = {"gap": result.gap, "revealed": result.revealed_gap, "silent": result.silent_gap}
    if result.unread_gap is not None and result.revealing.unread:
        figures["unread"] = result.unread_gap
    return [_datum(result, part, figure) for part, figure in figures.items() if figure is not None]


def _rate_data(result: ContrastResult) -> list[Datum]:
    rates = result.rate_interval.items()
    return [_datum(result, printable(context), rate) for context, rate in rates if rate is not None]


def _control_data(result: ContrastResult) -> list[Datum]:
    figures: dict[str, Estimate | None] = {"experiment": result.gap}
    figures |= {control.kind: control.gap for control in result.controls}
    return [_datum(result, arm, figure) for arm, figure in figures.items() if figure is not None]


def _datum(result: ContrastResult, series: str, figure: Estimate) -> Datum:
    span = figure.estimate, figure.low, figure.high
    split = series in ("revealed", "silent")
    return datum(printable(result.agent), series, span, result.split_reportable if split else result.reportable)


def datum(row: str, series: str, span: tuple[float, float | None, float | None], solid: bool = True) -> Datum:
    """One point with its interval, both given as shares and drawn in percent."""
    shares = (None if share is None else round(100 * share, 3) for share in span)
    ends = dict(zip(("estimate", "low", "high"), shares, strict=True))
    return {"agent": row, "series": series, "reportable": solid, **ends}


def _quadrant_data(result: ContrastResult) -> list[Datum]:
    cells = ((name, getattr(result.quadrants, name)) for name in QUADRANTS)
    return [
        {"agent": printable(result.agent), "series": _words(name), "offset": "bar", "order": i, "pairs": pairs}
        for i, (name, pairs) in enumerate(cells)
    ]


def _words(quadrant: str) -> str:
    return quadrant.replace("_", ", ")


def _names(rows: Sequence[str], series: Sequence[str]) -> altair.Chart:
    """Each row's name, at the left above its marks."""
    import altair as alt

    data: list[Datum] = [{"agent": name, "offset": _LABEL} for name in dict.fromkeys(rows)]
    text = _chart(data).mark_text(align="left", fontWeight="bold", fontSize=13, color="currentColor", limit=600)
    named: altair.Chart = text.encode(x=alt.value(0), y=_rows(rows), yOffset=_offset(series), text="agent:N")
    return named


def _agent_names(results: Iterable[ContrastResult]) -> list[str]:
    return [printable(result.agent) for result in results]


def _rows(names: Sequence[str]) -> altair.Y:
    import altair as alt

    once = list(dict.fromkeys(names))
    return alt.Y("agent:N", sort=once, title=None, axis=None, scale=alt.Scale(domain=once, padding=0.1))


def _offset(series: Sequence[str]) -> altair.YOffset:
    import altair as alt

    return alt.YOffset("offset:N", scale=alt.Scale(domain=[_LABEL, *series]))


def _colours(colours: Mapping[str, str], columns: int) -> altair.Color:
    import altair as alt

    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    legend = alt.Legend(orient="top", title=None, columns=columns, columnPadding=30, symbolOpacity=1)
    return alt.Color("series:N", scale=scale, legend=legend)


def _chart(data: Sequence[Datum]) -> altair.Chart:
    import altair as alt

    return alt.Chart(_inline([{"offset": datum.get("series"), **datum} for datum in data]))


def _inline(data: Sequence[Datum]) -> altair.InlineData:
    import altair as alt

    return alt.InlineData(values=list(data))


def _svg(chart: altair.LayerChart, width: int, height: int) -> str:
    import vl_convert

    axis = {"labelColor": "currentColor", "titleColor": "currentColor", "gridOpacity": 0.25, "gridColor": _LINE}
    configured = chart.properties(width=width, height=height).configure(
        background="transparent",
        font="system-ui, sans-serif",
        axis={**axis, "domainColor": _LINE, "tickColor": _LINE, "labelFontSize": 12, "titleFontSize": 12},
        legend={"labelColor": "currentColor", "labelFontSize": 12, "labelLimit": 300},
        view={"stroke": "transparent"},
    )
    # Held against Vega-Lite's schema in tests: here that would take as long as drawing.
    return _unframed(vl_convert.vegalite_to_svg(configured.to_json(validate=False), vl_version="6.4"))


def _unframed(svg: str) -> str:
    """Without a size of its own, so that a narrow page can shrink it."""
    return re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
