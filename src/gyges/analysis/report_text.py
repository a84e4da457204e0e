"""The report as plain text for a terminal: at most 100 columns, ASCII but for names. It computes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gyges.analysis import check_words, fork_words, notes, sentences, words
from gyges.analysis.interval import Estimate
from gyges.analysis.result import ContrastResult, ForkReport, Report

WIDTH = 100
MOST_COMPARISONS = 6
_NAME = 21
_FIGURE = 24
_CELLS = (
    ("diverges_revealed", "diverges,revealed"),
    ("diverges_unrevealed", "diverges,unrevealed"),
    ("consistent_revealed", "consistent,revealed"),
    ("consistent_unrevealed", "consistent,unrevealed"),
    ("reverse", "reverse"),
    ("ungraded", "ungraded"),
)


def to_text(reports: Sequence[Report], ascii_only: bool = False) -> str:
    """The reports, one after the other; with `ascii_only` other characters of names are written as escapes."""
    text = "\n".join(line for report in reports for line in _report(report)) + "\n"
    return text.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def forks_to_text(report: Report) -> str:
    """What a run of forks showed, without who played it and when."""
    return "\n".join(line for fork in report.forks for line in _forks(fork)) + "\n"


def _report(report: Report) -> Iterator[str]:
    yield from _wrapped(f"run {report.run}{words.by_grades(report)}")
    if report.organisms:
        yield words.VALIDATION
    if not report.contrasts and not report.forks:
        yield "no graded episodes: nothing to report"
    for (family, contrast), group in groupby(report.contrasts, key=lambda r: (r.family, r.contrast)):
        yield ""
        yield from _family(family, contrast, list(group))
    if report.check:
        yield ""
        yield from (line for line in _grid(check_words.grid(report.check, brief=True)) if line)
    for fork in report.forks:
        yield from ("", *_wrapped(f"forks of {fork.forked_from}, in {fork.run}"))
        yield from _forks(fork)
    yield ""
    for pooled in report.pooled:
        yield from _wrapped(sentences.pooled(pooled))
    if len(report.comparisons) <= MOST_COMPARISONS:
        yield from (line for sentence in sentences.between(report) for line in _wrapped(sentence))
    else:
        yield f"{len(report.comparisons)} comparisons of agents stand in the other forms of the report"
    if report.contrasts:
        yield from _wrapped(words.ESTIMANDS)
    if any(control.kind == "swap" for result in report.contrasts for control in result.controls):
        yield from _wrapped(notes.SWAP)
    if report.provenance:
        yield ""
    for line in sentences.conduct(report.provenance):
        yield from _wrapped(line)


def _family(family: str, contrast: tuple[str, str], results: Sequence[ContrastResult]) -> Iterator[str]:
    first, second = (words.printable(context) for context in contrast)
    yield from _wrapped(f"{words.printable(family)}: {first} less {second}, percentage points [95% interval]")
    yield ""
    yield from _gaps(results)
    if any(words.any_exact(result) for result in results):
        yield from _wrapped(f"* {words.EXACT}")
    yield ""
    yield from _rates(results, contrast)
    yield ""
    yield from _quadrants(results)
    yield ""
    for result in results:
        yield from _notes(result)


def _forks(fork: ForkReport) -> Iterator[str]:
    yield from (line for grid in fork_words.grids(fork) for line in _grid(grid))
    yield from _wrapped(fork_words.explained(fork))


def _grid(grid: fork_words.Grid) -> Iterator[str]:
    """A table whose columns are as wide as they need, agent by agent; rows that are too long are wrapped."""
    yield from ("", *_wrapped(grid.title))
    table = [[words.printable(cell) for cell in row] for row in (grid.heads, *grid.rows)]
    by_agent = grid.heads[0] == fork_words.AGENT
    heads, *rows = [row[1:] if by_agent else row for row in table]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    if rows:
        yield _row(heads, widths)
    agent = ""
    for (first, *_), row in zip(table[1:], rows, strict=True):
        if by_agent and first != agent:
            yield from _wrapped(first)
            agent = first
        line = _row(row, widths)
        yield from [line] if len(line) <= WIDTH else _wrapped("; ".join(filter(None, row)), 2)
    yield from (line for note in grid.notes for line in _wrapped(note, 2))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _gaps(results: Sequence[ContrastResult]) -> Iterator[str]:
    yield _line("agent", ("gap", "revealed gap", "silent gap"), "report")
    for result in results:
        figures = [_figure(e) for e in (result.gap, result.revealed_gap, result.silent_gap)]
        mark = words.withheld(result)
        yield from _named(
            result.agent, [figures[0], *(f"{one}{mark}" for one in figures[1:])], words.standing(result)
        )


def _figure(estimate: Estimate | None) -> str:
    return words.difference(estimate) + ("*" if words.exact(estimate) else "")


def _line(name: str, figures: Iterable[str], last: str) -> str:
    return f"{name:<{_NAME}} " + "".join(f"{figure:<{_FIGURE}}" for figure in figures) + last


def _named(agent: str, figures: Iterable[str], last: str) -> Iterator[str]:
    name = words.printable(agent)
    if len(name) > _NAME:
        yield from _wrapped(name)
        name = ""
    yield _line(name, figures, last).rstrip()


def _rates(results: Sequence[ContrastResult], contrast: tuple[str, str]) -> Iterator[str]:
    heads = [f"{words.printable(context)[:11]} complies" for context in contrast]
    yield _line("agent", (*heads, f"{words.printable(contrast[0])[:11]} reveals"), "pairs").rstrip()
    for result in results:
        rates = [words.rate(result.rate_interval[context]) for context in contrast]
        yield from _named(result.agent, (*rates, words.rate(result.revealing.rate)), str(result.pairs))


def _quadrants(results: Sequence[ContrastResult]) -> Iterator[str]:
    heads = [label.split(",") for _, label in _CELLS]
    yield f"{'pairs':<{_NAME}} " + "".join(f"{head[0]:>12}" for head in heads)
    yield f"{'':<{_NAME}} " + "".join(f"{head[1] if len(head) > 1 else '':>12}" for head in heads)
    for result in results:
        name = words.printable(result.agent)
        cells = [getattr(result.quadrants, field) for field, _ in _CELLS]
        yield f"{_short(name):<{_NAME}} " + "".join(f"{cell:>12}" for cell in cells)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."


def _notes(result: ContrastResult) -> Iterator[str]:
    yield from _wrapped(f"{result.agent}: {words.verdict(result)}")
    outcomes = [
        f"{name}: {words.counts(seen)}; {result.ungraded[name]} ungraded" for name, seen in result.outcomes.items()
    ]
    yield from _wrapped(" | ".join(outcomes), 2)
    for note in notes.notes(result):
        yield from _wrapped(note, 2)


def _wrapped(text: str, indent: int = 0) -> list[str]:
    space = " " * indent
    return textwrap.wrap(words.printable(text), WIDTH, initial_indent=space, subsequent_indent=space + "  ")
