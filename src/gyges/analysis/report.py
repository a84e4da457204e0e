"""A stored run to its report in one call: rows, audit, provenance, figures. It knows no form of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from gyges.analysis.analyse import analyse
from gyges.analysis.audit import Auditor
from gyges.analysis.compare import Comparison, compare, of_runs
from gyges.analysis.judge_error import Calibration
from gyges.analysis.provenance import Provenance, Witness
from gyges.analysis.result import ContrastResult, Report
from gyges.analysis.rows import Run, contrasts_of, models_of, options_of, rows_of
from gyges.grading.default import WORTH
from gyges.transcripts.grades import Grade, Question
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode


@runtime_checkable
class Recorded(Protocol):
    """What a run's file tells beyond its episodes and grades."""

    def calls(self, episode: str) -> list[Call]: ...
    def grade_sets(self) -> list[str]: ...


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


def report_of(
    run: Run,
    set_name: str | None = None,
    *,
    missing_acknowledged: bool = False,
    judges: Mapping[Question, Calibration] | None = None,
) -> Report:
    """The report of a stored run by the grades of `set_name` (None: the latest), audited.

    `missing_acknowledged` and `judges` are those of `analyse`; what is planted in the run's organisms stands in
    its manifest.
    """
    watched, manifest = _Watched(run), run.manifest
    rows = rows_of(watched, set_name)
    report = analyse(
        manifest.run,
        rows,
        contrasts_of(manifest),
        models=models_of(manifest),
        missing_acknowledged=missing_acknowledged,
        audit=watched.auditor.notes(manifest),
        planted=manifest.planted,
        options=options_of(manifest),
        judges=judges,
    )
    told = watched.witness.provenance(manifest, watched.set_name(set_name))
    read = tuple(_cautioned(result, told) for result in report.contrasts)
    return report.model_copy(update={"provenance": told, "contrasts": read})


def _cautioned(result: ContrastResult, told: Provenance) -> ContrastResult:
    """The result with what its readers of reasoning are worth. Of organisms that is not the question."""
    if result.model.startswith("organism/") or not result.revealing.read:
        return result
    worth = tuple(WORTH[one.grader] for one in told.graders if one.grader in WORTH)
    return result.model_copy(update={"cautions": (*result.cautions, *worth)})


def compare_runs(runs: Sequence[Run], set_name: str | None = None) -> tuple[Comparison, ...]:
    """Every two agents of several stored runs, named `run:agent`, on the contrasts that they share."""
    rows = of_runs({run.manifest.run: rows_of(run, set_name) for run in runs})
    return compare(rows, [named for run in runs for named in contrasts_of(run.manifest)])
