"""What is known of a run's pairs without their words: one line a pair, and the report. It knows no web page."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from gyges.analysis.analyse import analyse
from gyges.analysis.audit import Auditor
from gyges.analysis.quadrants import Pair, pair_up, quadrant
from gyges.analysis.result import Report
from gyges.analysis.rows import contrasts_of, models_of, options_of, rows_of
from gyges.analysis.table import Row, of_experiment
from gyges.analysis.together import batch_of
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import BehaviourShown, Grade, ReasoningRead
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Outcome

UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True)
class Side:
    """One episode of a pair. `length` counts the agent's characters."""

    id: str
    number: int
    """In the run's file, by which a search knows it; 0 where it is not in it."""
    context: str
    outcome: Outcome
    behaviour: str
    """The label shown, or `ungraded`."""
    why: str
    """Why there is no behaviour; "" where there is one."""
    reveals: bool | None
    findings: tuple[str, ...]
    length: int
    disputed: bool = False
    """Whether graders gave different answers about it."""

    @property
    def stored(self) -> bool:
        """Whether there is anything to read."""
        return self.outcome is not Outcome.PENDING


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair of one contrast."""

    family: str
    agent: str
    scenario: str
    variant: str
    sample: int
    quadrant: str
    first: Side
    second: Side

    @property
    def id(self) -> str:
        """Both episodes' ids: the same for ever, and safe in an address."""
        return f"{self.first.id}-{self.second.id}"

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.first, self.second

    @property
    def length(self) -> int:
        return self.first.length + self.second.length


_REVEALS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "unread"}

FILTERS: Mapping[str, Callable[[PairLine], Collection[str]]] = {
    "family": lambda pair: (pair.family,),
    "agent": lambda pair: (pair.agent,),
    "contrast": lambda pair: (f"{pair.first.context}/{pair.second.context}",),
    "quadrant": lambda pair: (pair.quadrant,),
    "first": lambda pair: (pair.first.behaviour,),
    "second": lambda pair: (pair.second.behaviour,),
    "reveals": lambda pair: (_REVEALS[pair.first.reveals],),
    "finding": lambda pair: {*pair.first.findings, *pair.second.findings},
    "outcome": lambda pair: {f"{side.context}: {side.outcome}" for side in pair.sides},
    "graders": lambda pair: ("disagree" if any(side.disputed for side in pair.sides) else "agree",),
    "scenario": lambda pair: (pair.scenario,),
    "sample": lambda pair: (str(pair.sample),),
}
"""What a pair can be filtered by: each gives the values that a pair has."""


@dataclass(frozen=True, slots=True)
class Index:
    """A run's pairs and figures, as its file was when it was read."""

    manifest: Manifest
    report: Report | None
    """None as long as the words are not read: a first index has no figures and no lengths."""
    grades: str
    """The set of grades that all of it goes by; "" where nothing is graded."""
    pairs: tuple[PairLine, ...]
    """By family, scenario, variant, sample and agent."""
    pending: int
    of_first: dict[str, list[int]]
    """Where in `pairs` an episode is the first."""
    facets: dict[str, Counter[str]]
    """For each filter, the values there are and how many pairs have them; only filters that tell pairs apart."""

    def pair(self, id: str) -> PairLine | None:
        """The pair of this id."""
        found = (self.pairs[at] for at in self.of_first.get(id.partition("-")[0], ()))
        return next((line for line in found if line.id == id), None)


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


class _Measured:
    """A run whose episodes and grades are summed up while they pass to the table of rows: each is read once.

    Until `with_words` is set, episodes come without their messages.
    """

    def __init__(self, reader: RunReader, told: Told | None = None) -> None:
        self._reader = reader
        self._told = told
        self._grades: list[Grade] | None = None
        self.with_words = False
        self.lengths: dict[str, int] = {}
        self.graded: dict[str, _Graded] = {}
        self.numbers = reader.numbers()
        self.auditor = Auditor()

    @property
    def manifest(self) -> Manifest:
        return self._reader.manifest

    def episodes(self) -> Iterator[Episode]:
        if not self.with_words:
            for heading in self._reader.headings():
                yield Episode(heading.key, heading.family, heading.outcome, heading.reason, (), 0.0, 0.0)
            return
        for at, episode in enumerate(self._reader.episodes()):
            if self._told and not at % _TOLD_EVERY:
                self._told(at, len(self.numbers))
            self.lengths[episode.key.id()] = _length(episode)
            self.auditor.see(episode)
            yield episode

    def grades(self, set_name: str | None = None) -> Iterator[Grade]:
        if self._grades is None:
            self._grades = list(self._reader.grades(set_name))
            for id, of_episode in groupby(self._grades, key=lambda grade: grade.episode):
                self.graded[id] = self.graded.get(id, _Graded()).with_more(of_episode)
        yield from self._grades

    def grade_sets(self) -> list[str]:
        return self._reader.grade_sets()

    def grade_set(self, name: str) -> GradeSet | None:
        return self._reader.grade_set(name)


def build_index(reader: RunReader) -> Index:
    """Read the whole run once. Raises StoreError where it is damaged."""
    run = _Measured(reader)
    run.with_words = True
    return _index(run)


def build_in_steps(reader: RunReader, told: Told) -> Iterator[Index]:
    """A first index, soon, from what graders said; then the whole one. Raises StoreError as `build_index` does."""
    run = _Measured(reader, told)
    yield _index(run)
    run.with_words = True
    yield _index(run)


def _index(run: _Measured) -> Index:
    manifest = run.manifest
    rows = rows_of(run)
    lines = tuple(sorted(_lines(of_experiment(rows), run), key=_usual))
    report = _report(run, rows) if run.with_words else None
    pending = sum(row.outcome is Outcome.PENDING for row in rows)
    grades = next(reversed(run.grade_sets()), "")
    return Index(manifest, report, grades, lines, pending, _places(lines), _facets(lines))


def _report(run: _Measured, rows: Sequence[Row]) -> Report:
    manifest = run.manifest
    return analyse(
        manifest.run,
        rows,
        contrasts_of(manifest),
        models=models_of(manifest),
        audit=run.auditor.notes(manifest),
        planted=manifest.planted,
        options=options_of(manifest),
    )


def _places(lines: Sequence[PairLine]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, line in enumerate(lines):
        places.setdefault(line.first.id, []).append(at)
    return places


def _usual(pair: PairLine) -> tuple[str | int, ...]:
    return pair.family, pair.scenario, pair.variant, pair.sample, pair.agent, pair.id


def _facets(pairs: Iterable[PairLine]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for pair in pairs:
        for name, values_of in FILTERS.items():
            counts[name].update(values_of(pair))
    return {name: counted for name, counted in counts.items() if len(counted) > 1}


def _length(episode: Episode) -> int:
    said = (message for message in episode.messages if message.role == "assistant")
    return sum(len(m.text) + sum(len(r.text or "") for r in m.reasoning) for m in said)


def _lines(rows: Sequence[Row], run: _Measured) -> Iterator[PairLine]:
    ordered = sorted(rows, key=lambda row: (row.family, row.agent))
    for _, group in groupby(ordered, key=lambda row: (row.family, row.agent)):
        of_agent = list(group)
        for contrast in dict.fromkeys(row.contrast for row in of_agent):
            if contrast is not None:
                chosen = [row for row in of_agent if row.contrast == contrast]
                for pair in pair_up(chosen, contrast):
                    yield _line(pair, contrast, run)


def _line(pair: Pair, contrast: Contrast, run: _Measured) -> PairLine:
    row = pair[0] or pair[1]
    assert row is not None  # pair_up makes no pair of nothing
    sides = (
        _side(row, side, context, run)
        for side, context in zip(pair, (contrast.first, contrast.second), strict=True)
    )
    # Rows from a database hold every name anew.
    family, agent, scenario, variant = map(sys.intern, (row.family, row.agent, row.scenario, row.variant))
    return PairLine(family, agent, scenario, variant, row.sample, quadrant(pair), *sides)


def _side(known: Row, row: Row | None, context: str, run: _Measured) -> Side:
    """The episode of `row`; where there is none, the one that would make the pair of `known` complete."""
    id = EpisodeKey(known.agent, known.scenario, known.variant, context, known.sample).id()
    number = run.numbers.get(id, 0)
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
        run.lengths.get(id, 0),
        grades.disputed,
    )
