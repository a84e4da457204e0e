"""A contrast's figures corrected for the errors of the graders that answered. It knows no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.gap import split_values
from gyges.analysis.judge_error import (
    Calibration,
    Corrected,
    corrected_gap,
    corrected_rate,
    corrected_split,
    positive_predictive_value,
)
from gyges.analysis.result import ContrastResult, JudgeCorrected
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grade_sets import SetGrader
from gyges.transcripts.grades import Question


def corrected(
    result: ContrastResult, counts: ScenarioCounts, judges: Mapping[Question, Calibration]
) -> JudgeCorrected:
    """The gap, its split and the rates as they would be without judge error.

    `counts` are those of the result's own rows.
    """
    behaviour, reasoning, rate = judges.get("behaviour"), judges.get("reasoning"), result.revealing.rate
    reveals = corrected_rate(rate, reasoning) if reasoning and rate else None
    revealed, silent = _split(result, counts, reasoning, behaviour)
    return JudgeCorrected(
        gap=corrected_gap(result.gap, behaviour) if behaviour and result.gap else None,
        reveals=reveals,
        predictive_value=_right(reveals, reasoning),
        rate={
            context: corrected_rate(found, behaviour) if behaviour and found else None
            for context, found in result.rate_interval.items()
        },
        revealed_gap=revealed,
        silent_gap=silent,
        judges=dict(judges),
    )


def known_errors(graders: Sequence[SetGrader], contrast: Contrast) -> dict[Question, Calibration]:
    """What was known of the first grader of each question when it graded, for what this contrast asks of it.

    A contrast that reveals several findings at once has no calibration: the errors of each say nothing of all.
    """
    asked: dict[Question, str | None] = {
        "behaviour": contrast.target,
        "reasoning": contrast.reveals[0] if len(contrast.reveals) == 1 else None,
    }
    first: dict[Question, SetGrader] = {}
    for grader in graders:
        first.setdefault(grader.question, grader)
    return {
        question: Calibration(errors.found, errors.positives, errors.passed, errors.negatives)
        for question, grader in first.items()
        for errors in grader.errors
        if errors.finding == asked[question] and errors.positives and errors.negatives
    }


def _split(
    result: ContrastResult, counts: ScenarioCounts, reasoning: Calibration | None, behaviour: Calibration | None
) -> tuple[Corrected | None, Corrected | None]:
    if reasoning is None or result.revealed_gap is None:
        return None, None
    return corrected_split(*split_values(counts.kept()), reasoning, behaviour)


def _right(reveals: Corrected | None, reasoning: Calibration | None) -> float | None:
    if reveals is None or reasoning is None or reveals.estimate is None:
        return None
    return positive_predictive_value(reveals.estimate, reasoning.sensitivity, reasoning.specificity)
