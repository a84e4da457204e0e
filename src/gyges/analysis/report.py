"""A stored run to its report in one call: rows, audit, provenance, figures. It knows no form of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

from gyges.analysis.analyse import analyse
from gyges.analysis.audit import Auditor
from gyges.analysis.by_grader import ByGrader, by_grader
from gyges.analysis.compare import Comparison, compare, of_runs
from gyges.analysis.flagged import addressing, flag_notes, judge_cautions
from gyges.analysis.forked import fork_rows, probe_rows
from gyges.analysis.intervening import intervention_results
from gyges.analysis.judge_error import Calibration
from gyges.analysis.probing import probe_results, probe_uplifts
from gyges.analysis.provenance import Provenance, Witness
from gyges.analysis.result import ContrastResult, ForkReport, Report
from gyges.analysis.rows import (
    Run,
    Table,
    about_set,
    contrasts_of,
    first_graders,
    models_of,
    options_of,
    rows_of,
)
from gyges.analysis.table import Row
from gyges.analysis.together import batch_of
from gyges.errors import UsageError
from gyges.grading.default import WORTH
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import Grade, Question
from gyges.transcripts.manifest import Forking, Manifest
from gyges.transcripts.record import Call, Episode

_Read = Callable[[], Iterable[Grade]]
_Set = tuple[str, GradeSet, _Read]
"""A set of grades: its name, what it says of itself, and how to read it."""


@runtime_checkable
class Recorded(Protocol):
    """What a run's file tells beyond its episodes and grades."""

    def calls(self, episode: str) -> list[Call]: ...
    def grade_sets(self) -> list[str]: ...
    def grade_set(self, name: str) -> GradeSet | None: ...


class _Watched:
    """A run whose episodes and grades are seen in passing: reading them is most of the work."""

    def __init__(self, run: Run) -> None:
        self._run, self._recorded = run, run if isinstance(run, Recorded) else None
        self.auditor, self.witness = Auditor(), Witness()

    @property
    def manifest(self) -> Manifest:
        return self._run.manifest

    def episodes(self) -> Iterator[Episode]:
        for episode in self._run.episodes():
            self.auditor.see(episode)
            self.witness.see(episode, self._recorded.calls(episode.key.id()) if self._recorded else ())
            yield episode

    def grades(self, set_name: str | None = None) -> Iterator[Grade]:
        for grade in self._run.grades(set_name):
            self.witness.see_grade(grade)
            yield grade

    def set_name(self, set_name: str | None) -> str:
        sets = self._recorded.grade_sets() if self._recorded else []
        return set_name or (sets[-1] if sets else "")

    def others(self, name: str) -> Iterator[_Set]:
        """The other sets of grades that say who graded, the latest first; none is read yet."""
        for other in reversed(self._recorded.grade_sets() if self._recorded else []):
            if other != name and self._recorded and (about := self._recorded.grade_set(other)):
                yield other, about, partial(self._run.grades, other)


def report_of(
    run: Run,
    set_name: str | None = None,
    *,
    missing_acknowledged: bool = False,
    judges: Mapping[Question, Calibration] | None = None,
    errors: str = "",
) -> Report:
    """The report of a stored run by the grades of `set_name` (None: the latest), audited.

    `missing_acknowledged`, `judges` and `errors` are those of `analyse`; what is planted in the run's organisms
    stands in its manifest.
    """
    watched, manifest = _Watched(run), run.manifest
    if manifest.forked is not None:
        return _forks(watched, manifest, manifest.forked, set_name)
    table, about = Table(watched), about_set(run, set_name)
    _check_known(errors, about)
    grades, by = list(watched.grades(set_name)), first_graders(about)
    report = analyse(
        manifest.run,
        table.rows(grades, by),
        contrasts_of(manifest),
        models=models_of(manifest),
        missing_acknowledged=missing_acknowledged,
        audit=watched.auditor.notes(manifest),
        planted=manifest.planted,
        options=options_of(manifest),
        judges=judges,
        graders=about.graders if about else (),
        errors=errors,
        looks=manifest.looks,
        batch=batch_of(manifest, about),
    )
    name = watched.set_name(set_name)
    told = watched.witness.provenance(manifest, name)
    others: list[_Set] = [(name, about, lambda: grades), *watched.others(name)] if about else []
    graded = _by_grader(table, others, by, contrasts_of(manifest))
    named = {question: f"{grader} {version}" for question, grader, version in _first(about)}
    flagged, rows = addressing(run, name or None), table.rows(grades, by)
    read = tuple(
        _addressed(_cautioned(result, told, graded, named), rows, flagged, contrasts_of(manifest))
        for result in report.contrasts
    )
    if doubts := judge_cautions(run, name):
        read = tuple(one.model_copy(update={"cautions": (*one.cautions, *doubts)}) for one in read)
    return report.model_copy(update={"provenance": told, "contrasts": read})


def _first(about: GradeSet | None) -> Iterator[tuple[Question, str, str]]:
    """By question the grader that figures go by, and its version."""
    by = first_graders(about)
    for one in about.graders if about else ():
        if by[one.question] == one.name:
            yield one.question, one.name, one.version


def _check_known(errors: str, about: GradeSet | None) -> None:
    """Raises UsageError where no grader's errors are known by the labels of that name."""
    known = {one.labels for grader in (about.graders if about else ()) for one in grader.errors}
    if errors and errors not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "calibrate one, and grade again"
        raise UsageError(f"no grader's errors on {errors!r} stand in this set of grades", there)


def _forks(run: _Watched, manifest: Manifest, forked: Forking, set_name: str | None) -> Report:
    """Of a run of forks: no contrast of its own, since each way of forking is another experiment."""
    probes = list(probe_rows(run)) if forked.kind == "probe" else []
    changed = list(fork_rows(run, set_name)) if forked.kind == "intervention" else []
    report = ForkReport(
        run=manifest.run,
        forked_from=forked.run,
        kind=forked.kind,
        probes=probe_results(probes),
        uplifts=probe_uplifts(probes),
        interventions=intervention_results(changed),
    )
    told = run.witness.provenance(manifest, run.set_name(set_name))
    return Report(run=manifest.run, contrasts=(), forks=(report,), provenance=told)


def beside(reports: Sequence[Report]) -> list[Report]:
    """Each run of forks beside the run that it was forked from, where both were named; the others as they are."""
    runs = {report.run for report in reports}
    guests = [fork for report in reports for fork in report.forks if fork.forked_from in runs - {report.run}]
    hosts = [report for report in reports if not any(fork in guests for fork in report.forks)]
    return [
        host.model_copy(update={"forks": (*host.forks, *(g for g in guests if g.forked_from == host.run))})
        for host in hosts
    ]


_Key = tuple[str, str, tuple[str, str], str]
"""Family, agent, contrast, target."""


def _by_grader(
    table: Table,
    sets: Sequence[_Set],
    by: Mapping[Question, str],
    contrasts: Sequence[tuple[str, Contrast]],
) -> dict[_Key, list[ByGrader]]:
    """The figures by each grader of the questions that several answered; nothing where there is one of each."""
    found: dict[_Key, list[ByGrader]] = {}
    for question, grader, name, grades in _alternatives(sets):
        for (family, agent, contrast), rows in _groups(table.rows(grades(), {**by, question: grader}), contrasts):
            key = family, agent, (contrast.first, contrast.second), contrast.target
            found.setdefault(key, []).append(by_grader(rows, contrast, question, grader, name))
    return found


def _alternatives(sets: Sequence[_Set]) -> Iterator[tuple[Question, str, str, _Read]]:
    """Each grader in each version and with each judges once, from the first set that has it."""
    known: dict[tuple[Question, str, str, tuple[str, ...]], tuple[str, _Read]] = {}
    for name, about, grades in sets:
        for one in about.graders:
            models = tuple(judge.model for judge in one.judges)
            known.setdefault((one.question, one.name, one.version, models), (name, grades))
    several = {q for q, n in Counter(question for question, *_ in known).items() if n > 1}
    for (question, grader, _, _), (name, grades) in known.items():
        if question in several:
            yield question, grader, name, grades


def _groups(
    rows: Sequence[Row], contrasts: Sequence[tuple[str, Contrast]]
) -> Iterator[tuple[tuple[str, str, Contrast], list[Row]]]:
    groups: dict[tuple[str, str, Contrast], list[Row]] = {}
    for row in rows:
        for family, contrast in contrasts:
            if family == row.family and row.contrast in (None, contrast):
                groups.setdefault((family, row.agent, contrast), []).append(row)
    yield from groups.items()


def _cautioned(
    result: ContrastResult,
    told: Provenance,
    graded: Mapping[_Key, Sequence[ByGrader]],
    by: Mapping[Question, str],
) -> ContrastResult:
    """The result by each grader, with what its readers of reasoning are worth. Of organisms that isn't asked."""
    mine = tuple(graded.get((result.family, result.agent, result.contrast, result.target), ()))
    result = result.model_copy(update={"by_grader": mine, "graded_by": by})
    if result.organism or not result.revealing.read:
        return result
    worth = tuple(WORTH[one.grader] for one in told.graders if one.grader in WORTH)
    return result.model_copy(update={"cautions": (*result.cautions, *worth)})


def _addressed(
    result: ContrastResult, rows: Sequence[Row], flagged: frozenset[str], contrasts: Sequence[tuple[str, Contrast]]
) -> ContrastResult:
    """The result with what it is without the episodes that speak to their grader, where there are any."""
    key = result.family, result.contrast, result.target
    mine = [row for row in rows if (row.family, row.agent) == (result.family, result.agent)] if flagged else []
    notes = [
        note
        for family, contrast in contrasts
        if (family, (contrast.first, contrast.second), contrast.target) == key
        for note in flag_notes((row for row in mine if row.contrast in (None, contrast)), contrast, flagged)
    ]
    return result.model_copy(update={"cautions": (*result.cautions, *notes)}) if notes else result


def compare_runs(runs: Sequence[Run], set_name: str | None = None) -> tuple[Comparison, ...]:
    """Every two agents of several stored runs, named `run:agent`, on the contrasts that they share."""
    rows = of_runs({run.manifest.run: _asked(run, rows_of(run, set_name)) for run in runs})
    return compare(rows, [named for run in runs for named in contrasts_of(run.manifest)])


def _asked(run: Run, rows: Sequence[Row]) -> list[Row]:
    """The rows of the agents that were asked for."""
    added = run.manifest.added()
    return [row for row in rows if row.agent not in added]
