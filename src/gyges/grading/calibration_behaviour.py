"""A grader of behaviour against people: who says what, how often they agree, and how right each label is.

It knows labels and answers of one family; neither graders nor transcripts. Intervals are two-sided, 95%.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gyges.grading.agreement import krippendorff
from gyges.grading.calibration import (
    NOTHING,
    RESAMPLES,
    Calibration,
    Figure,
    Item,
    beyond_chance,
    calibrate,
    share_of,
)
from gyges.grading.calibration_curves import InRun, in_run
from gyges.grading.resample import nominal, weights


@dataclass(frozen=True, slots=True)
class Acted:
    """One labelled episode: what people say, what the grader says (None: nothing), and its scenario."""

    label: str
    answer: str | None
    group: str


@dataclass(frozen=True, slots=True)
class OfLabel:
    """One behaviour against all others. `table` has sensitivity and precision; kappa as of yes and no."""

    label: str
    table: Calibration
    in_run: InRun | None = None
    """At a run's own rate."""


@dataclass(frozen=True, slots=True)
class OfBehaviour:
    """A grader of behaviour in one family. Where it gave no answer an episode is in no figure, and counted."""

    family: str
    labelled: int
    ungraded: int
    reasons: Mapping[str, int]
    """Why it gave no answer, by the reason."""
    confusion: Mapping[str, Mapping[str, int]]
    """By what people say, then by what the grader says; "" where it gave no answer."""
    agreement: Figure
    kappa: Figure
    """Cohen's, of all labels."""
    alpha: Figure
    """Krippendorff's, of the grader and the people's label as of two raters."""
    people: float | None
    """Alpha of the people among themselves; None where one person labelled."""
    labels: tuple[OfLabel, ...]


def of_behaviour(
    family: str,
    labels: Sequence[str],
    episodes: Sequence[Acted],
    reasons: Mapping[str, int],
    people: Sequence[Sequence[str]] = (),
    rates: Mapping[str, tuple[int, int]] | None = None,
    seed: int = 0,
) -> OfBehaviour:
    """Every figure; `labels` are the family's, in order. Resampled by scenario, but for Wilson's rates.

    `people` are all answers about each episode, also where there is no majority; `rates` says of each label in how
    many of so many episodes of a run the grader found it.
    """
    graded = [one for one in episodes if one.answer is not None]
    said, answered = [one.label for one in graded], [one.answer or "" for one in graded]
    groups = [one.group for one in graded]
    if graded:
        same, kappa, alpha = nominal(said, answered, weights(groups, RESAMPLES, seed))
        agreement = share_of(same, len({*groups}))
    used = {one.label for one in episodes} | set(answered)
    named = [*(one for one in labels if one in used), *sorted(used - {*labels})]
    return OfBehaviour(
        family=family,
        labelled=len(episodes),
        ungraded=len(episodes) - len(graded),
        reasons=dict(reasons),
        confusion=_confusion(named, episodes),
        agreement=agreement if graded else NOTHING,
        kappa=beyond_chance(kappa, said, answered, groups) if graded else NOTHING,
        alpha=beyond_chance(alpha, said, answered, groups) if graded else NOTHING,
        people=krippendorff(people),
        labels=tuple(_of_label(name, episodes, rates or {}) for name in named),
    )


def _confusion(labels: Sequence[str], episodes: Sequence[Acted]) -> dict[str, dict[str, int]]:
    cells = Counter((one.label, one.answer or "") for one in episodes)
    return {label: {answer: cells[label, answer] for answer in (*labels, "")} for label in labels}


def _of_label(label: str, episodes: Sequence[Acted], rates: Mapping[str, tuple[int, int]]) -> OfLabel:
    table = calibrate(
        [
            Item(one.label == label, None if one.answer is None else one.answer == label, None, one.group)
            for one in episodes
        ]
    )
    if label not in rates:
        return OfLabel(label, table)
    positives, negatives = table.true_positive + table.false_negative, table.true_negative + table.false_positive
    worth = in_run(*rates[label], table.true_positive, positives, table.true_negative, negatives)
    return OfLabel(label, table, worth)
