"""The same figures by each grader that answered: how much of a figure is its grader. It knows no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gyges.analysis.counts import count
from gyges.analysis.gap import gap_parts
from gyges.analysis.interval import Estimate
from gyges.analysis.rates import mean_rate
from gyges.analysis.table import Row, of_experiment
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import Question


@dataclass(frozen=True, slots=True)
class ByGrader:
    """One agent's contrast by one grader of one question; the other question is answered as in the report.

    `reveals` is the first context's rate, of `read` episodes whose reasoning this grader could read.
    """

    question: Question
    grader: str
    grade_set: str
    rate: dict[str, Estimate | None]
    reveals: Estimate | None
    read: int
    gap: Estimate | None
    revealed_gap: Estimate | None
    silent_gap: Estimate | None


def by_grader(
    rows: Sequence[Row], contrast: Contrast, question: Question, grader: str, grade_set: str
) -> ByGrader:
    """The figures of one agent's rows of one family, which were graded by this grader."""
    counts = count(of_experiment(rows), contrast)
    parts = gap_parts(counts)
    first, second = counts.first, counts.second
    return ByGrader(
        question=question,
        grader=grader,
        grade_set=grade_set,
        rate={
            contrast.first: mean_rate(first.complied, first.graded),
            contrast.second: mean_rate(second.complied, second.graded),
        },
        reveals=mean_rate(first.revealing, first.read),
        read=int(first.read.sum()),
        gap=parts.gap,
        revealed_gap=parts.revealed,
        silent_gap=parts.silent,
    )
