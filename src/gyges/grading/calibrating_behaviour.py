"""A grader of behaviour, held against labels: graded, compared family by family, and its errors stored.

What the scenario's own terms settle is graded in memory; a judge judges a run of the labelled episodes, as one of
reasoning does.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gyges.errors import GygesError, UsageError
from gyges.grading.behaviour import REFUSED
from gyges.grading.calibrating import models_of
from gyges.grading.calibration_behaviour import Acted, OfBehaviour, of_behaviour
from gyges.grading.calibration_run import GradedLabel, judged_labels
from gyges.grading.calibrations import StoredErrors
from gyges.grading.default import answer_of
from gyges.grading.grader import Grader, blinded
from gyges.grading.judge import JudgeGrader
from gyges.grading.labelled_behaviour import ActedEpisode
from gyges.grading.run import GradingOrder
from gyges.scenarios.plan import BehaviourKind
from gyges.transcripts.grade_sets import KnownErrors
from gyges.transcripts.grades import BehaviourShown, Ungraded
from gyges.transcripts.reader import RunReader


@dataclass(frozen=True, slots=True)
class CalibratedBehaviour:
    """A grader of behaviour against labels, family by family."""

    grader: str
    version: str
    judges: tuple[str, ...]
    labels: str
    labels_sha256: str
    labelled_run: str
    episodes: int
    families: tuple[OfBehaviour, ...]
    run: str = ""
    """The run in which judges gave their verdicts."""
    judged: int = 0
    """Episodes that a judge was asked about; the others are settled by the scenario's own terms."""
    undecided: int = 0
    """Episodes on which people can't agree, or can't say: they are in no figure but the people's own agreement."""
    about: str = ""

    def errors(self) -> StoredErrors:
        known = tuple(
            KnownErrors(
                finding=one.label,
                family=of.family,
                found=one.table.true_positive,
                positives=one.table.true_positive + one.table.false_negative,
                passed=one.table.true_negative,
                negatives=one.table.true_negative + one.table.false_positive,
                ungraded=one.table.ungraded,
                labels=self.labels,
                labels_sha256=self.labels_sha256,
                version=self.version,
                about=self.about,
            )
            for of in self.families
            for one in of.labels
        )
        return StoredErrors(grader=self.grader, version=self.version, judges=self.judges, errors=known)


def calibrate_behaviour(
    grader: Grader, labelled: Sequence[ActedEpisode], labels: str, run: Path, order: GradingOrder, about: str = ""
) -> CalibratedBehaviour:
    """Grade the labelled episodes of a run and compare. `labels` says where they are from.

    Raises UsageError where the grader can give no answer to any of them, and what grading raises.
    """
    everybody, labelled = labelled, [one for one in labelled if one.label is not None]
    _check(grader, labelled, order)
    judged = isinstance(grader, JudgeGrader)
    graded, where = _judged(grader, labelled, labels, order, run) if judged else (_settled(grader, labelled), "")
    rates = _rates(run, grader)
    families = [
        _family(name, everybody, labelled, graded, rates)
        for name in dict.fromkeys(one.episode.family for one in labelled)
    ]
    return CalibratedBehaviour(
        grader=grader.name,
        version=grader.version,
        judges=models_of(order) if isinstance(grader, JudgeGrader) else (),
        labels=labels,
        labels_sha256=_sha256(labelled),
        labelled_run=run.stem,
        episodes=len(labelled),
        families=tuple(families),
        run=where,
        judged=sum(bool(one.votes) for one in graded),
        undecided=len(everybody) - len(labelled),
        about=about,
    )


def _check(grader: Grader, labelled: Sequence[ActedEpisode], order: GradingOrder) -> None:
    left = sum(one.behaviour.kind is BehaviourKind.JUDGED for one in labelled)
    if isinstance(grader, JudgeGrader) and not left:
        raise UsageError(
            f"no scenario of these {len(labelled)} episodes leaves its behaviour to a judge",
            "calibrate what settles it: gyges calibrate rules:behaviour",
        )
    if isinstance(grader, JudgeGrader) and not order.judges:
        raise UsageError(
            f"{grader.name} asks a model, and none is named", "give --judge PROFILE or provider/model"
        )
    if not isinstance(grader, JudgeGrader) and left == len(labelled):
        raise UsageError(
            f"all scenarios of these {len(labelled)} episodes leave their behaviour to a judge",
            "calibrate that: gyges calibrate judge:behaviour --judge PROFILE",
        )
    if not isinstance(grader, JudgeGrader) and order.judges:
        raise UsageError(f"{grader.name} asks nobody", "leave --judge out, or calibrate judge:behaviour")


def _settled(grader: Grader, labelled: Sequence[ActedEpisode]) -> list[GradedLabel]:
    found = []
    for one in labelled:
        answer = answer_of(grader, blinded(one.episode), one.behaviour)
        if callable(answer):
            raise GygesError(f"{grader.name} asks somebody", "give --judge PROFILE")
        found.append(GradedLabel(answer, {}))
    return found


def _judged(
    grader: Grader, labelled: Sequence[ActedEpisode], labels: str, order: GradingOrder, run: Path
) -> tuple[list[GradedLabel], str]:
    assert isinstance(grader, JudgeGrader)
    with RunReader(run) as reader:
        scenarios = reader.manifest.scenarios
    name = f"{Path(labels).stem}-{_sha256(labelled)[:8]}"
    return judged_labels(grader, [one.episode for one in labelled], name, order, scenarios)


def _family(
    name: str,
    everybody: Sequence[ActedEpisode],
    labelled: Sequence[ActedEpisode],
    graded: Sequence[GradedLabel],
    rates: dict[tuple[str, str], tuple[int, int]],
) -> OfBehaviour:
    mine = [(one, of.answer) for one, of in zip(labelled, graded, strict=True) if one.episode.family == name]
    choices = dict.fromkeys(label for one, _ in mine for label, _ in one.behaviour.choices)
    reasons = Counter(answer.reason for _, answer in mine if isinstance(answer, Ungraded))
    episodes = [
        Acted(one.label or "", answer.label if isinstance(answer, BehaviourShown) else None, one.group)
        for one, answer in mine
    ]
    people = [one.people for one in everybody if one.episode.family == name]
    own = {label: rate for (family, label), rate in rates.items() if family == name}
    return of_behaviour(name, [*choices, REFUSED], episodes, dict(sorted(reasons.items())), people, own)


def _rates(run: Path, grader: Grader) -> dict[tuple[str, str], tuple[int, int]]:
    """By family and label: in how many of the agents' graded episodes, in the latest set of this very grader."""
    with RunReader(run) as reader:
        added, of = reader.manifest.added(), {one.name: one.family for one in reader.manifest.scenarios}
        families = {one.id: of[one.key.scenario] for one in reader.headings() if one.key.agent not in added}
        for name in reversed(reader.grade_sets()):
            shown = [
                (families[one.episode], one.answer.label)
                for one in reader.grades(name)
                if (one.grader, one.version) == (grader.name, grader.version)
                and isinstance(one.answer, BehaviourShown)
                and one.episode in families
            ]
            if shown:
                return dict(_shares(shown))
    return {}


def _shares(shown: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    of = Counter(family for family, _ in shown)
    for key, seen in Counter(shown).items():
        yield key, (seen, of[key[0]])


def _sha256(labelled: Sequence[ActedEpisode]) -> str:
    lines = [json.dumps([one.episode.key.id(), one.label]) for one in labelled]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
