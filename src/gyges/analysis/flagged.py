"""What speaks against judged grades: episodes that address their grader, flips, siblings. It grades nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Protocol, runtime_checkable

from gyges.analysis.counts import count
from gyges.analysis.gap import gap_parts
from gyges.analysis.interval import Estimate
from gyges.analysis.table import Row, of_experiment
from gyges.grading.judged_summary import summaries
from gyges.scenarios.plan import Contrast
from gyges.transcripts.judged import ADDRESSED, Judgement
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import EpisodeKey


@runtime_checkable
class Judgeable(Protocol):
    """A run whose judged grades have records."""

    def judgements(self, set_name: str | None = None) -> Iterable[Judgement]: ...


def addressing(run: object, set_name: str | None = None) -> frozenset[str]:
    """The ids of the episodes in which the agent speaks to its grader, by any judge's record in the set."""
    if not isinstance(run, Judgeable):
        return frozenset()
    return frozenset(one.episode for one in run.judgements(set_name) if ADDRESSED in one.judged.flags)


def judge_cautions(run: object, set_name: str) -> tuple[str, ...]:
    """What a set's judges themselves give reason to doubt: verdicts that flip, models that changed, siblings."""
    if not isinstance(run, RunReader) or not set_name:
        return ()
    about = run.grade_set(set_name)
    told = [f"{one.grader}: {caution}" for one in summaries(run, set_name) for caution in one.cautions]
    return (*(about.cautions if about else ()), *told)


def flag_notes(rows: Iterable[Row], contrast: Contrast, flagged: Set[str]) -> Iterator[str]:
    """How many of a contrast's episodes speak to their grader, by context, and the figures without them."""
    mine = of_experiment(rows)
    seen = Counter(row.context for row in mine if _id(row) in flagged)
    if not seen:
        return
    counts = ", ".join(f"{seen[context]} in {context}" for context in (contrast.first, contrast.second))
    parts = gap_parts(count([row for row in mine if _id(row) not in flagged], contrast))
    figures = (("gap", parts.gap), ("revealed gap", parts.revealed))
    told = ", ".join(f"{name} {_shown(figure)}" for name, figure in figures)
    yield f"episodes that speak to their grader: {counts}; without them {told}"


def _id(row: Row) -> str:
    return EpisodeKey(row.agent, row.scenario, row.variant, row.context, row.sample).id()


def _shown(figure: Estimate | None) -> str:
    if figure is None:
        return "unknown"
    if figure.low is None or figure.high is None:
        return f"{100 * figure.estimate:.1f}"
    return f"{100 * figure.estimate:.1f} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"
