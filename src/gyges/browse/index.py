"""What is known of a run's pairs without their words: one line a pair, and the report. It knows no web page."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.analysis.rows import rows_of
from gyges.analysis.table import Row, of_experiment
from gyges.browse.lines import UNGRADED, PairLine, Side, facets_of
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Grade, ReasoningRead
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Outcome

if TYPE_CHECKING:
    from gyges.analysis.quadrants import Pair
    from gyges.analysis.result import Report


@dataclass(frozen=True, slots=True)
class Index:
    """A run's pairs and figures, as its file was when it was read."""

    manifest: Manifest
    read: bool
    """Whether the words are read: a first index has no lengths."""
    pairs: list[PairLine]
    """By family, scenario, variant, sample and agent."""
    pending: int
    facets: dict[str, Counter[str]]
    """For each filter, the values there are and how many pairs have them; only filters that tell pairs apart."""

    def pair(self, id: str) -> PairLine | None:
        """The pair of this id."""
        first = id.partition("-")[0]
        return next((line for line in self.pairs if line.first.id == first and line.id == id), None)

    def measured(self, lengths: Sequence[int]) -> Index:
        """The whole index: the same pairs with their lengths, two of each. They are replaced one by one, so that
        there are never two large indexes.
        """
        for at, line in enumerate(self.pairs):
            first, second = (
                replace(line.first, length=lengths[2 * at]),
                replace(line.second, length=lengths[2 * at + 1]),
            )
            self.pairs[at] = replace(line, first=first, second=second)
        return replace(self, read=True)


@dataclass(frozen=True, slots=True)
class _Graded:
    """What graders said of an episode: the labels shown and the names found, each once and sorted."""

    labels: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    disputed: bool = False
    """Whether graders gave different answers."""
    found: tuple[str, ...] | None = None
    """What the first who read the reasoning found."""

    def with_more(self, grades: Iterable[Grade]) -> _Graded:
        """These grades too. What is the same in many episodes is one object."""
        labels, findings, disputed, first = {*self.labels}, {*self.findings}, self.disputed, self.found
        for grade in grades:
            match grade.answer:
                case BehaviourShown():
                    labels.add(grade.answer.label)
                case ReasoningRead():
                    names = _shared(found.name for found in grade.answer.findings)
                    disputed = disputed or first not in (None, names)
                    first = names if first is None else first
                    findings.update(names)
        return _Graded(_shared(labels), _shared(findings), disputed or len(labels) > 1, first)


@lru_cache(maxsize=4096)
def _once(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _shared(names: Iterable[str]) -> tuple[str, ...]:
    return _once(frozenset(names))


Told = Callable[[int, int], None]
"""Is told how many episodes are read, of how many."""

_TOLD_EVERY = 500


class _Measured(RunReader):
    """A run whose episodes and grades are summed up while they pass: each is read once for table and report.

    Until `with_words` is set, episodes come without their messages.
    """

    def __init__(self, path: Path, told: Told | None) -> None:
        super().__init__(path)
        self._told_of = told
        self._grades: list[Grade] | None = None
        self.with_words = False
        self.lengths: dict[str, int] = {}
        self.graded: dict[str, _Graded] = {}

    @cached_property
    def added(self) -> frozenset[str]:
        return self.manifest.added()

    @cached_property
    def number_of(self) -> dict[str, int]:
        return self.numbers()

    def episodes(
        self, agent: str | None = None, scenario: str | None = None, context: str | None = None
    ) -> Iterator[Episode]:
        if not self.with_words:
            for heading in self.headings(agent, scenario, context):
                yield Episode(heading.key, heading.family, heading.outcome, heading.reason, (), 0.0, 0.0)
            return
        for at, episode in enumerate(super().episodes(agent, scenario, context)):
            if self._told_of and not at % _TOLD_EVERY:
                self._told_of(at, len(self.number_of))
            self.lengths[episode.key.id()] = _length(episode)
            yield episode

    def grades(self, set_name: str | None = None, *, episode: str | None = None) -> Iterator[Grade]:
        if episode is not None or set_name not in (None, *self.grade_sets()[-1:]):
            yield from super().grades(set_name, episode=episode)
            return
        if self._grades is None:
            self._grades = list(super().grades(set_name))
            for id, of_episode in groupby(self._grades, key=lambda grade: grade.episode):
                self.graded[id] = self.graded.get(id, _Graded()).with_more(of_episode)
        yield from self._grades


@dataclass(frozen=True, slots=True)
class Built:
    """A first index; or, when the words are read, the lengths that make it whole and the report beside it."""

    index: Index
    lengths: array[int] | None = None
    report: Report | None = None


def build(path: Path) -> tuple[Index, Report]:
    """Read a whole run. Raises StoreError where it is damaged."""
    *_, last = build_in_steps(path)
    assert last.lengths is not None
    assert last.report is not None
    return last.index.measured(last.lengths), last.report


def build_in_steps(path: Path, told: Told | None = None) -> Iterator[Built]:
    """A first index, soon, from what graders said; then what makes it whole. Raises as `build` does."""
    with _Measured(path, told) as run:
        index = _index(run)
        yield Built(index)
        run.with_words = True
        report = _report(run)
        sides = (side for line in index.pairs for side in line.sides)
        yield Built(index, array("q", (run.lengths.get(side.id, 0) for side in sides)), report)


def _report(run: RunReader) -> Report:
    # It brings all the statistics, which the server does without.
    from gyges.analysis.report import report_of

    return report_of(run)


def _index(run: _Measured) -> Index:
    rows = rows_of(run)
    lines = sorted(_lines(of_experiment(rows), run), key=_usual)
    if run.manifest.forked:  # Of each way of forking only what was asked for is planned, and that is stored.
        lines = [line for line in lines if any(side.number for side in line.sides)]
    missing = (row for row in rows if row.outcome is Outcome.PENDING)
    pending = sum(not run.manifest.forked or _id(row) in run.number_of for row in missing)
    return Index(run.manifest, False, lines, pending, facets_of(lines))


def _usual(pair: PairLine) -> tuple[str | int, ...]:
    return pair.family, pair.scenario, pair.variant, pair.sample, pair.agent, pair.id


def _length(episode: Episode) -> int:
    said = (message for message in episode.messages if message.role == "assistant")
    return sum(len(m.text) + sum(len(r.text or "") for r in m.reasoning) for m in said)


def _id(row: Row) -> str:
    return EpisodeKey(row.agent, row.scenario, row.variant, row.context, row.sample).id()


def _lines(rows: Sequence[Row], run: _Measured) -> Iterator[PairLine]:
    from gyges.analysis.quadrants import pair_up

    ordered = sorted(rows, key=lambda row: (row.family, row.agent))
    for _, group in groupby(ordered, key=lambda row: (row.family, row.agent)):
        of_agent = list(group)
        for contrast in dict.fromkeys(row.contrast for row in of_agent):
            if contrast is not None:
                chosen = [row for row in of_agent if row.contrast == contrast]
                for pair in pair_up(chosen, contrast):
                    yield _line(pair, contrast, run)


def _line(pair: Pair, contrast: Contrast, run: _Measured) -> PairLine:
    from gyges.analysis.quadrants import quadrant

    row = pair[0] or pair[1]
    assert row is not None  # pair_up makes no pair of nothing
    sides = (
        _side(row, side, context, run)
        for side, context in zip(pair, (contrast.first, contrast.second), strict=True)
    )
    # Rows from a database hold every name anew.
    family, agent, scenario, variant = map(sys.intern, (row.family, row.agent, row.scenario, row.variant))
    first, second = sides
    organism = agent in run.added
    return PairLine(family, agent, scenario, variant, row.sample, quadrant(pair), first, second, organism)


def _side(known: Row, row: Row | None, context: str, run: _Measured) -> Side:
    """The episode of `row`; where there is none, the one that would make the pair of `known` complete."""
    id = EpisodeKey(known.agent, known.scenario, known.variant, context, known.sample).id()
    number = run.number_of.get(id, 0)
    if row is None:
        return Side(id, number, context, Outcome.PENDING, UNGRADED, "not in this run", None, (), 0)
    grades = run.graded.get(id, _Graded())
    shown = " / ".join(grades.labels) if row.complies is not None else UNGRADED
    return Side(
        id,
        number,
        sys.intern(context),
        row.outcome,
        sys.intern(shown),
        sys.intern(row.ungraded),
        row.reveals,
        grades.findings,
        0,
        grades.disputed,
    )
