"""A grader, held against labelled episodes: graded, compared finding by finding, and its errors stored.

Graders that ask nobody grade in memory; judges judge a run of the labelled episodes, through its ledger, so that
what they said can be read, resumed and is paid for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gyges.errors import GygesError, UsageError
from gyges.grading.agreement import krippendorff
from gyges.grading.calibration import Calibration, Figure, Item, calibrate
from gyges.grading.calibration_curves import (
    Ballots,
    Bin,
    InRun,
    VotesPoint,
    alpha,
    brier,
    by_threshold,
    by_votes,
    in_run,
    reliability,
)
from gyges.grading.calibration_run import GradedLabel, judged_labels, labels_sha256
from gyges.grading.calibrations import StoredErrors
from gyges.grading.default import answer_of, grader_of
from gyges.grading.grader import Grader, Scoring, blinded
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_votes import found_in
from gyges.grading.labelled import FAKING, NO, YES, LabelledEpisode
from gyges.grading.looked_for import looks_for
from gyges.grading.run import GradingOrder
from gyges.grading.seen import fingerprint, seen_by
from gyges.scenarios.nearest import nearest
from gyges.transcripts.grade_sets import KnownErrors
from gyges.transcripts.grades import Answer, ReasoningRead
from gyges.transcripts.reader import RunReader


@dataclass(frozen=True, slots=True)
class OfFinding:
    """Everything about one finding. Curves are empty where the grader gives no scores, or does not vote."""

    finding: str
    labelled: int
    table: Calibration
    alpha: Figure
    brier: Figure
    curve: tuple[Bin, ...]
    by_threshold: tuple[VotesPoint, ...]
    by_votes: tuple[VotesPoint, ...]
    in_run: InRun | None
    """At a run's own rate, where a run was named."""
    in_sample: int = 0
    """How many of the labelled texts the grader was made with."""
    people: float | None = None
    """Krippendorff's alpha of the people among themselves; None where one person labelled."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A grader against labels, finding by finding."""

    grader: str
    version: str
    judges: tuple[str, ...]
    labels: str
    labels_sha256: str
    episodes: int
    findings: tuple[OfFinding, ...]
    run: str = ""
    """The run in which judges gave their verdicts."""
    in_sample: int = 0
    """How many of the labelled texts the grader was made with: where there are any, all figures flatter it."""
    about: str = ""
    """What the labelled texts are like."""
    others: tuple[str, ...] = ()
    """What is labelled and not looked for by this grader."""

    def errors(self) -> StoredErrors:
        known = tuple(
            KnownErrors(
                finding=one.finding,
                found=one.table.true_positive,
                positives=one.table.true_positive + one.table.false_negative,
                passed=one.table.true_negative,
                negatives=one.table.true_negative + one.table.false_positive,
                ungraded=one.table.ungraded,
                labels=self.labels,
                labels_sha256=self.labels_sha256,
                version=self.version,
                in_sample=one.in_sample,
                about=self.about,
            )
            for one in self.findings
        )
        return StoredErrors(grader=self.grader, version=self.version, judges=self.judges, errors=known)


def calibrate_grader(
    name: str,
    labelled: Sequence[LabelledEpisode],
    labels: str,
    order: GradingOrder,
    *,
    finding: str | None = None,
    run: Path | None = None,
    about: str = "",
) -> Calibrated:
    """Grade the labelled episodes and compare. `labels` says where they are from, `about` what they are like.

    `finding` limits it to one; with `run`, its grades by the same grader say what findings are worth at that run's
    rate. Raises UsageError where no finding of the grader is labelled, and what grading raises.
    """
    grader = grader_of(name, votes=order.votes, threshold=order.threshold)
    if not isinstance(grader, JudgeGrader) and (order.judges or order.votes):
        raise UsageError(f"{grader.name} asks nobody", "leave --judge and --votes out, or calibrate judge:NAME")
    # Those on which nobody agrees say something of the people only.
    everybody, labelled = labelled, [one for one in labelled if one.labels]
    # What can be wrong is told before anybody is asked and paid.
    wanted, others = _wanted(grader, labelled, finding)
    rates = _rates(run, grader) if run else {}
    sha256 = labels_sha256(labelled)
    graded, where = (
        judged_labels(grader, [one.episode for one in labelled], f"{Path(labels).stem}-{sha256[:8]}", order)
        if isinstance(grader, JudgeGrader)
        else ([_offline(grader, one) for one in labelled], "")
    )
    found = tuple(
        replace(of, people=_people(one, everybody))
        for one in wanted
        if (of := _of_finding(one, labelled, graded, grader, rates.get(one))) is not None
    )
    models = models_of(order) if isinstance(grader, JudgeGrader) else ()
    return Calibrated(
        grader=grader.name,
        version=grader.version,
        judges=models,
        labels=labels,
        labels_sha256=sha256,
        episodes=len(labelled),
        findings=found,
        run=where,
        in_sample=sum(_made_with(grader, labelled)),
        about=about,
        others=others,
    )


def _wanted(
    grader: Grader, labelled: Sequence[LabelledEpisode], finding: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """What is labelled and looked for, alignment faking first, and what is labelled and not looked for.

    Raises UsageError where nothing is both.
    """
    looked_for, named = looks_for(grader), dict.fromkeys(name for one in labelled for name in one.labels)
    others = tuple(name for name in named if name not in looked_for)
    wanted = sorted((name for name in named if name in looked_for), key=lambda name: name != FAKING)
    if finding is not None and finding not in looked_for:
        raise UsageError(f"{grader.name} does not look for {finding!r}", nearest(finding, sorted(looked_for)))
    if finding is not None and finding not in wanted:
        raise UsageError(
            f"no label says anything about {finding!r}", "label it, yes and no, or leave --finding out"
        )
    if not wanted:
        about = f", but about {others[0]!r}" if others else ""
        what = f"no label says anything about what {grader.name} looks for{about}"
        raise UsageError(what, nearest(others[0], sorted(looked_for)) if others else "label some")
    return [one for one in wanted if finding in (None, one)], others


def _people(name: str, everybody: Sequence[LabelledEpisode]) -> float | None:
    """How far people agree among themselves, also about what they can't agree on."""
    given = [one.people.get(name, ()) for one in everybody]
    return krippendorff([[answer for answer in answers if answer in (YES, NO)] for answers in given])


def _made_with(grader: Grader, labelled: Sequence[LabelledEpisode]) -> list[bool]:
    """Which of the labelled texts the grader was made with. Judges were made with none that anybody here knows."""
    known = frozenset[str]() if isinstance(grader, JudgeGrader) else seen_by(grader)
    return [fingerprint(one.text) in known for one in labelled]


def models_of(order: GradingOrder) -> tuple[str, ...]:
    """The models that judge."""
    from gyges.agents.profile import load_profile

    return tuple(load_profile(name, order.base_url, role="judge").model for name in order.judges)


def _offline(grader: Grader, one: LabelledEpisode) -> GradedLabel:
    view = blinded(one.episode)
    answer = answer_of(grader, view, None)
    if callable(answer):
        raise GygesError(f"{grader.name} asks somebody", "give --judge PROFILE")
    if isinstance(grader, Scoring) and isinstance(answer, ReasoningRead):
        return GradedLabel(answer, grader.scores(view))
    return GradedLabel(answer, {})


def _rates(run: Path, grader: Grader) -> dict[str, tuple[int, int]]:
    """By finding: in how many of the agents' episodes that this grader read it found it, in the latest such set.

    Organisms that the run added say nothing of its rate.
    """
    answers: list[Answer] = []
    versions: set[str] = set()
    with RunReader(run) as reader:
        added = reader.manifest.added()
        agents = {one.id for one in reader.headings() if one.key.agent not in added}
        for name in reversed(reader.grade_sets()):
            known = [one for one in reader.grades(name) if one.grader == grader.name and one.episode in agents]
            versions |= {one.version for one in known}
            answers = answers or [one.answer for one in known if one.version == grader.version]
    read = [one for one in answers if isinstance(one, ReasoningRead)]
    if not read:
        others = sorted(versions - {grader.version})
        told = f" (it did in version {', '.join(others)})" if others else ""
        raise UsageError(
            f"{grader.name} in this version, {grader.version}, graded nothing of {run.stem}{told}",
            f"grade it first: gyges grade {run.stem} --grader {grader.name}",
        )
    rates: dict[str, tuple[int, int]] = {}
    for answer in read:
        for name in answer.looked_for:
            seen, of = rates.get(name, (0, 0))
            rates[name] = seen + (name in (found_in(answer) or ())), of + 1
    return rates


def _of_finding(
    name: str,
    labelled: Sequence[LabelledEpisode],
    graded: Sequence[GradedLabel],
    grader: Grader,
    rate: tuple[int, int] | None,
) -> OfFinding | None:
    known = [(one, of) for one, of in zip(labelled, graded, strict=True) if name in one.labels]
    in_sample = sum(_made_with(grader, [one for one, _ in known]))
    if not known:
        return None
    items = [_item(name, one, of) for one, of in known]
    table = calibrate(items)
    ballots = [_ballots(name, one, of) for one, of in known if of.votes]
    votes = max((one.of for one in ballots), default=0)
    threshold = grader.threshold if isinstance(grader, JudgeGrader) else 0.5
    positives, negatives = table.true_positive + table.false_negative, table.true_negative + table.false_positive
    return OfFinding(
        finding=name,
        labelled=len(items),
        table=table,
        alpha=alpha(items),
        brier=brier(items),
        curve=tuple(reliability(items)),
        by_threshold=tuple(by_threshold(ballots, votes)),
        by_votes=tuple(by_votes(ballots, votes, threshold)),
        in_run=in_run(*rate, table.true_positive, positives, table.true_negative, negatives) if rate else None,
        in_sample=in_sample,
    )


def _item(name: str, one: LabelledEpisode, of: GradedLabel) -> Item:
    answer = of.answer
    read = isinstance(answer, ReasoningRead) and name in answer.looked_for
    found = name in (found_in(answer) or ()) if read else None
    return Item(one.labels[name], found, of.scores.get(name), one.group)


def _ballots(name: str, one: LabelledEpisode, of: GradedLabel) -> Ballots:
    read = [vote for vote in of.votes if isinstance(vote.answer, ReasoningRead)]
    yes = sum(name in (found_in(vote.answer) or ()) for vote in read)
    return Ballots(one.labels[name], yes, len(read), one.group)
