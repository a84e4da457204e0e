"""A contrast's figures corrected for the errors of the graders that answered. It knows no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gyges.analysis.counts import ScenarioCounts
from gyges.analysis.gap import split_values
from gyges.analysis.interval import Estimate
from gyges.analysis.judge_error import (
    Calibration,
    Corrected,
    corrected_gap,
    corrected_rate,
    corrected_split,
    positive_predictive_value,
)
from gyges.analysis.result import ContrastResult, JudgeCorrected
from gyges.errors import several
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grade_sets import KnownErrors, SetGrader
from gyges.transcripts.grades import Question


@dataclass(frozen=True, slots=True)
class Known:
    """What may be undone of the graders' errors, by the question they answer, and what there is to say of it."""

    errors: Mapping[Question, Calibration]
    told: tuple[str, ...] = ()


def corrected(
    result: ContrastResult,
    counts: ScenarioCounts,
    judges: Mapping[Question, Calibration],
    told: Sequence[str] = (),
) -> JudgeCorrected:
    """The gap, its split and the rates as they would be without judge error.

    `counts` are those of the result's own rows; `told` says by which labels the errors are known.
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
        told=(*told, *_harder(rate, reasoning)),
    )


def _harder(rate: Estimate | None, reasoning: Calibration | None) -> Iterator[str]:
    """Said where less is found than the grader finds wrongly on its labels: these are another kind of text."""
    if rate and reasoning and rate.estimate < 1 - reasoning.specificity:
        wrongly = f"{100 * (1 - reasoning.specificity):.1f}%"
        yield (
            f"the reasoning's grader finds less here ({100 * rate.estimate:.1f}%) than it finds wrongly on its "
            f"labels ({wrongly}): its errors do not carry over, and the corrected rate says little; label some of "
            "this run"
        )


def known_errors(graders: Sequence[SetGrader], contrast: Contrast, asked: str = "", family: str = "") -> Known:
    """What was known of the first grader of each question when it graded, for what this contrast asks of it.

    Errors on texts that a grader was made with flatter it: they are used only where their labels are `asked` for
    by name. Errors of a behaviour are those of its `family`, where they say which it is. A contrast that reveals
    several findings at once has no calibration: the errors of each say nothing of all.
    """
    wanted: dict[Question, str | None] = {
        "behaviour": contrast.target,
        "reasoning": contrast.reveals[0] if len(contrast.reveals) == 1 else None,
    }
    first: dict[Question, SetGrader] = {}
    for grader in graders:
        first.setdefault(grader.question, grader)
    used: dict[Question, Calibration] = {}
    told: list[str] = []
    for question, grader in first.items():
        known = [
            one
            for one in grader.errors
            if one.finding == wanted[question] and one.positives and one.negatives and one.family in ("", family)
        ]
        by_name = [one for one in known if asked and one.labels == asked]
        fair = by_name or [one for one in known if not one.in_sample]
        for one in fair[:1]:
            used[question] = Calibration(one.found, one.positives, one.passed, one.negatives)
        told += map(_by, fair[:1]) if fair else map(_flattering, known[:1])
    return Known(used, tuple(told))


def _by(errors: KnownErrors) -> str:
    """Which labels a figure is corrected by, and what speaks against that."""
    what = f", {errors.about}" if errors.about else ""
    flatters = f"; flattering, in-sample: {_made_with(errors)}" if errors.in_sample else ""
    return (
        f"corrected for judge error by {errors.labels} ({_texts(errors)}{what}): {errors.finding} found in "
        f"{errors.found} of {errors.positives}, wrongly in {errors.negatives - errors.passed} of "
        f"{errors.negatives}{flatters}"
    )


def _flattering(errors: KnownErrors) -> str:
    return (
        f"not corrected for judge error: the grader's errors are known on {errors.labels} only, and "
        f"{_made_with(errors)}, which flatters it; --errors {errors.labels} corrects by them all the same"
    )


def _made_with(errors: KnownErrors) -> str:
    return f"it was made with {errors.in_sample} of these {_texts(errors)}"


def _texts(errors: KnownErrors) -> str:
    return several(errors.positives + errors.negatives + errors.ungraded, "episode" if errors.family else "text")


def _split(
    result: ContrastResult, counts: ScenarioCounts, reasoning: Calibration | None, behaviour: Calibration | None
) -> tuple[Corrected | None, Corrected | None]:
    if reasoning is None or result.revealed_gap is None:
        return None, None
    return corrected_split(*split_values(counts.kept()), reasoning, behaviour)


def _right(reveals: Corrected | None, reasoning: Calibration | None) -> float | None:
    if reveals is None or reasoning is None or reveals.estimate is None or not reveals.raw:
        return None
    return positive_predictive_value(reveals.estimate, reasoning.sensitivity, reasoning.specificity)
