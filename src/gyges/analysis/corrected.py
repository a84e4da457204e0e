"""A contrast's figures corrected for the errors of the graders that answered. It knows no rows."""

from __future__ import annotations

from collections.abc import Mapping

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
from gyges.transcripts.grades import Question


def corrected(
    result: ContrastResult, counts: ScenarioCounts, judges: Mapping[Question, Calibration]
) -> JudgeCorrected | None:
    """The gap, its split and the rates as they would be without judge error; None where no judge is calibrated.

    `counts` are those of the result's own rows.
    """
    if not judges:
        return None
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
    )


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
