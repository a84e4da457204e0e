"""The report as Markdown tables. Names are escaped, so that none can make a link, a table cell or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gyges.analysis import check_words, fork_words, notes, sentences, words
from gyges.analysis.interval import Estimate
from gyges.analysis.quadrants import Quadrants
from gyges.analysis.result import ContrastResult, Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def to_markdown(reports: Sequence[Report]) -> str:
    """The reports, one after the other, as GitHub-flavoured Markdown."""
    return "\n".join(line for report in reports for line in _report(report)) + "\n"


def escaped(text: str) -> str:
    """Text from data with everything escaped that Markdown would read as markup; on one line."""
    return _SPECIAL.sub(r"\\\1", words.printable(text))


def _report(report: Report) -> Iterator[str]:
    yield from (f"# Run {escaped(report.run + words.by_grades(report))}", "")
    if report.organisms:
        yield from (f"**{words.VALIDATION}**", "")
    if not report.contrasts and not report.forks:
        yield from ("Nothing to report: no graded episodes.", "")
    for (family, contrast), group in groupby(report.contrasts, key=lambda r: (r.family, r.contrast)):
        yield from _family(family, contrast, list(group))
    if report.check:
        yield from _check(check_words.grid(report.check))
    for fork in report.forks:
        yield from (f"## Forks of {escaped(fork.forked_from)}, in {escaped(fork.run)}", "")
        for grid in fork_words.grids(fork):
            yield from (f"### {escaped(grid.title)}", "")
            yield from _table(map(escaped, grid.heads), (tuple(map(escaped, row)) for row in grid.rows))
            yield from (f"- {escaped(note)}" for note in grid.notes)
            yield ""
        yield from (fork_words.explained(fork), "")
    yield from (f"- {escaped(sentences.pooled(pooled))}" for pooled in report.pooled)
    if between := sentences.between(report):
        yield from ("", "## Agents against each other", "", *(f"- {escaped(line)}" for line in between))
    if report.provenance:
        yield from ("", "## Plan and conduct", "")
    yield from (f"- {escaped(line)}" for line in sentences.conduct(report.provenance))
    yield from ("", words.ESTIMANDS, "")
    yield from (f"- **{escaped(word)}**: {escaped(meaning)}" for word, meaning in words.LEGEND)


def _check(grid: fork_words.Grid) -> Iterator[str]:
    yield from (f"## {escaped(grid.title)}", "", check_words.EXPLAINED, "")
    if grid.rows:
        yield from _table(map(escaped, grid.heads), (tuple(map(escaped, row)) for row in grid.rows))
    yield from (f"- {escaped(note)}" for note in grid.notes)
    yield ""


def _family(family: str, contrast: tuple[str, str], results: Sequence[ContrastResult]) -> Iterator[str]:
    first, second = (escaped(context) for context in contrast)
    yield from (f"## {escaped(family)}: {first} less {second}", "", "Percentage points with 95% intervals.", "")
    yield from _table(("agent", "gap", "revealed gap", "silent gap", "reportable"), map(_gaps, results))
    yield from _table(
        ("agent", f"{first} complies", f"{second} complies", "reveals", "pairs"), map(_rates, results)
    )
    cells = (cell.replace("_", ", ") for cell in Quadrants.__slots__)
    yield from _table(("agent", *cells), map(_quadrants, results))
    for result in results:
        yield from _notes(result)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    names = tuple(heads)
    yield _line(names)
    yield _line(("---", *("---:" for _ in names[1:])))
    yield from map(_line, rows)
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _gaps(result: ContrastResult) -> tuple[str, ...]:
    figures = (result.gap, result.revealed_gap, result.silent_gap)
    mark, standing = words.withheld(result), words.standing(result)
    cells = [_figure(figures[0]), *(f"{_figure(one)}{escaped(mark)}" for one in figures[1:])]
    return escaped(result.agent), *cells, escaped(standing) if result.reportable else "**no**"


def _figure(estimate: Estimate | None) -> str:
    return words.difference(estimate) + ("\\*" if words.exact(estimate) else "")


def _rates(result: ContrastResult) -> tuple[str, ...]:
    rates = (*result.rate_interval.values(), result.revealing.rate)
    return escaped(result.agent), *map(words.rate, rates), str(result.pairs)


def _quadrants(result: ContrastResult) -> tuple[str, ...]:
    return escaped(result.agent), *(str(getattr(result.quadrants, cell)) for cell in Quadrants.__slots__)


def _notes(result: ContrastResult) -> Iterator[str]:
    yield f"- **{escaped(result.agent)}**: {escaped(words.verdict(result))}"
    for context, outcomes in result.outcomes.items():
        yield f"  - {escaped(f'{context}: {words.counts(outcomes)}; {result.ungraded[context]} ungraded')}"
    yield from (f"  - {escaped(note)}" for note in notes.notes(result))
    yield ""
