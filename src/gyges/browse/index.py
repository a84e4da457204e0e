"""What is known of a run's pairs without their words: one line a pair, and the report. It knows no web page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gyges.analysis.analyse import analyse
from gyges.analysis.audit import Auditor
from gyges.analysis.quadrants import Pair, pair_up, quadrant
from gyges.analysis.result import Report
from gyges.analysis.rows import contrasts_of, models_of, options_of, rows_of
from gyges.analysis.table import Row, of_experiment
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Grade, ReasoningRead
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Outcome

UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True)
class Side:
    """One episode of a pair. `length` counts the agent's characters."""

    id: str
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
    report: Report
    pairs: tuple[PairLine, ...]
    pending: int
    by_id: dict[str, PairLine]
    facets: dict[str, Counter[str]]
    """For each filter, the values there are and how many pairs have them; only filters that tell pairs apart."""


@dataclass(frozen=True, slots=True)
class _Graded:
    labels: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    disputed: bool = False


class _Measured:
    """A run whose episodes are measured while they pass to the table of rows: the words are read once."""

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self.lengths: dict[str, int] = {}
        self.auditor = Auditor()

    @property
    def manifest(self) -> Manifest:
        return self._reader.manifest

    def episodes(self) -> Iterator[Episode]:
        for episode in self._reader.episodes():
            self.lengths[episode.key.id()] = _length(episode)
            self.auditor.see(episode)
            yield episode

    def grades(self, set_name: str | None = None) -> Iterator[Grade]:
        return self._reader.grades(set_name)


def build_index(reader: RunReader) -> Index:
    """Read the whole run once. Raises StoreError where it is damaged."""
    run = _Measured(reader)
    manifest = run.manifest
    rows = rows_of(run)
    graded = _graded(reader.grades())
    lines = tuple(_lines(of_experiment(rows), graded, run.lengths))
    report = analyse(
        manifest.run,
        rows,
        contrasts_of(manifest),
        models=models_of(manifest),
        audit=run.auditor.notes(manifest),
        planted=manifest.planted,
        options=options_of(manifest),
    )
    pending = sum(row.outcome is Outcome.PENDING for row in rows)
    return Index(manifest, report, lines, pending, {line.id: line for line in lines}, _facets(lines))


def _facets(pairs: Iterable[PairLine]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for pair in pairs:
        for name, values_of in FILTERS.items():
            counts[name].update(values_of(pair))
    return {name: counted for name, counted in counts.items() if len(counted) > 1}


def _length(episode: Episode) -> int:
    said = (message for message in episode.messages if message.role == "assistant")
    return sum(len(m.text) + sum(len(r.text or "") for r in m.reasoning) for m in said)


def _graded(grades: Iterable[Grade]) -> dict[str, _Graded]:
    """By episode: the labels shown and the names found, each once and sorted, and whether graders differ."""
    labels: dict[str, set[str]] = {}
    found: dict[str, set[frozenset[str]]] = {}
    for grade in grades:
        if isinstance(grade.answer, BehaviourShown):
            labels.setdefault(grade.episode, set()).add(grade.answer.label)
        elif isinstance(grade.answer, ReasoningRead):
            names = frozenset(finding.name for finding in grade.answer.findings)
            found.setdefault(grade.episode, set()).add(names)
    return {
        id: _Graded(
            tuple(sorted(labels.get(id, ()))),
            tuple(sorted(set[str]().union(*found.get(id, ())))),
            len(labels.get(id, ())) > 1 or len(found.get(id, ())) > 1,
        )
        for id in labels.keys() | found.keys()
    }


def _lines(rows: Sequence[Row], graded: dict[str, _Graded], lengths: dict[str, int]) -> Iterator[PairLine]:
    ordered = sorted(rows, key=lambda row: (row.family, row.agent))
    for _, group in groupby(ordered, key=lambda row: (row.family, row.agent)):
        of_agent = list(group)
        for contrast in dict.fromkeys(row.contrast for row in of_agent):
            if contrast is not None:
                chosen = [row for row in of_agent if row.contrast == contrast]
                for pair in pair_up(chosen, contrast):
                    yield _line(pair, contrast, graded, lengths)


def _line(pair: Pair, contrast: Contrast, graded: dict[str, _Graded], lengths: dict[str, int]) -> PairLine:
    row = pair[0] or pair[1]
    assert row is not None  # pair_up makes no pair of nothing
    sides = (
        _side(row, side, context, graded, lengths)
        for side, context in zip(pair, (contrast.first, contrast.second), strict=True)
    )
    return PairLine(row.family, row.agent, row.scenario, row.variant, row.sample, quadrant(pair), *sides)


def _side(known: Row, row: Row | None, context: str, graded: dict[str, _Graded], lengths: dict[str, int]) -> Side:
    """The episode of `row`; where there is none, the one that would make the pair of `known` complete."""
    id = EpisodeKey(known.agent, known.scenario, known.variant, context, known.sample).id()
    if row is None:
        return Side(id, context, Outcome.PENDING, UNGRADED, "not in this run", None, (), 0)
    grades = graded.get(id, _Graded())
    shown = " / ".join(grades.labels) if row.complies is not None else UNGRADED
    return Side(
        id,
        context,
        row.outcome,
        shown,
        row.ungraded,
        row.reveals,
        grades.findings,
        lengths.get(id, 0),
        grades.disputed,
    )
