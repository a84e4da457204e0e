"""A grader, held against labelled episodes: graded, compared finding by finding, and its errors stored.

Graders that ask nobody grade in memory; judges judge a run of the labelled episodes, through its ledger, so that
what they said can be read, resumed and is paid for once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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
from gyges.grading.calibrations import StoredErrors, store_errors
from gyges.grading.default import answer_of, grader_of
from gyges.grading.grader import Grader, View, blinded
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_votes import found_in
from gyges.grading.labelled import FAKING, LabelledEpisode
from gyges.grading.reasoning import blocks_of, sent_before
from gyges.grading.run import GradingOrder, grade_stored
from gyges.grading.trained import TrainedGrader
from gyges.study import transcripts
from gyges.transcripts.grade_sets import KnownErrors
from gyges.transcripts.grades import Answer, ReasoningRead, Ungraded
from gyges.transcripts.judged import Judged, Vote
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.store import write_run


@dataclass(frozen=True, slots=True)
class OfFinding:
    """Everything about one finding. Curves are empty where the grader gives no scores, or does not vote."""

    finding: str
    labelled: int
    table: Calibration
    alpha: Figure
    people: float | None
    """Krippendorff's alpha of the people among themselves; None where one person labelled."""
    brier: Figure
    curve: tuple[Bin, ...]
    by_threshold: tuple[VotesPoint, ...]
    by_votes: tuple[VotesPoint, ...]
    in_run: InRun | None
    """At a run's own rate, where a run was named."""


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
            )
            for one in self.findings
        )
        return StoredErrors(grader=self.grader, version=self.version, judges=self.judges, errors=known)


@dataclass(frozen=True, slots=True)
class _Graded:
    answer: Answer
    scores: Mapping[str, float]
    votes: tuple[Vote, ...] = ()


def calibrate_grader(
    name: str,
    labelled: Sequence[LabelledEpisode],
    labels: str,
    order: GradingOrder,
    *,
    finding: str | None = None,
    run: Path | None = None,
) -> Calibrated:
    """Grade the labelled episodes and compare. `labels` says where the labels are from.

    `finding` limits it to one; with `run`, its grades by the same grader say what findings are worth at that run's
    rate. Raises UsageError where no finding of the grader is labelled, and what grading raises.
    """
    grader = grader_of(name, votes=order.votes, threshold=order.threshold)
    graded, where = (
        _judged(grader, labelled, labels, order)
        if isinstance(grader, JudgeGrader)
        else (
            [_offline(grader, one) for one in labelled],
            "",
        )
    )
    rates = _rates(run, grader) if run else {}
    wanted = [one for one in _findings(graded) if finding in (None, one)]
    found = tuple(
        of for one in wanted if (of := _of_finding(one, labelled, graded, grader, rates.get(one))) is not None
    )
    if not found:
        raise UsageError(
            f"no label says anything about what {grader.name} looks for", "label one of its findings, yes and no"
        )
    models = _models(order) if isinstance(grader, JudgeGrader) else ()
    sha256 = _sha256(labelled)
    return Calibrated(grader.name, grader.version, models, labels, sha256, len(labelled), found, where)


def _models(order: GradingOrder) -> tuple[str, ...]:
    from gyges.agents.profile import load_profile

    return tuple(load_profile(name, order.base_url, role="judge").model for name in order.judges)


def _sha256(labelled: Sequence[LabelledEpisode]) -> str:
    lines = [json.dumps([one.episode.key.id(), sorted(one.labels.items())]) for one in labelled]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _offline(grader: Grader, one: LabelledEpisode) -> _Graded:
    view = blinded(one.episode)
    answer = answer_of(grader, view, None)
    if callable(answer):
        raise GygesError(f"{grader.name} asks somebody", "give --judge PROFILE")
    return _Graded(answer, _scores(grader, view, answer))


def _scores(grader: Grader, view: View, answer: Answer) -> dict[str, float]:
    """By finding the grader's probability, also where it found nothing; empty for a grader without any."""
    if not isinstance(answer, ReasoningRead):
        return {}
    if isinstance(grader, TrainedGrader):
        text = "\n\n".join(block.text for block in blocks_of(view))
        reading = grader.read(text, sent_before(view))
        return {} if isinstance(reading, Ungraded) else dict(reading.odds)
    return {}


def _judged(
    grader: JudgeGrader, labelled: Sequence[LabelledEpisode], labels: str, order: GradingOrder
) -> tuple[list[_Graded], str]:
    """The judges' verdicts about the labelled episodes, in a run of their own that a later call goes on with."""
    path = transcripts() / f"calibration-{Path(labels).stem}-{_sha256(labelled)[:8]}.sqlite"
    if not path.is_file():
        write_run(path, [one.episode for one in labelled], lambda: _manifest(path.stem))
    asked = replace(order, graders=(grader.name,), again=False)
    made = asyncio.run(grade_stored(path, asked)) if not _finished(path, grader, order) else None
    if made is not None and made.pending:
        raise GygesError(
            f"{made.pending} judgements are pending ({made.pending_because})", "the same command finishes them"
        )
    with RunReader(path) as reader:
        records = {one.episode: one for one in reader.judgements() if one.grader == grader.name}
        plain = {one.episode: one.answer for one in reader.grades() if one.grader == grader.name}
    found = []
    for one in labelled:
        id = one.episode.key.id()
        record = records.get(id)
        if record is None:
            found.append(_Graded(plain[id], {}))
        else:
            votes = _counted(record.judged)
            found.append(_Graded(record.answer, _likelihood(votes), votes))
    return found, path.stem


def _finished(path: Path, grader: JudgeGrader, order: GradingOrder) -> bool:
    """Whether the latest set of the run is whole, and of this grader with these judges and settings."""
    with RunReader(path) as reader:
        sets = reader.grade_sets()
        about = reader.grade_set(sets[-1]) if sets else None
        if about is None:
            return False
        mine = next((one for one in about.graders if one.name == grader.name), None)
        whole = len(list(reader.grades(about.name))) >= about.episodes * len(about.graders)
    settings = {"votes": grader.votes, "threshold": grader.threshold}
    return (
        whole
        and mine is not None
        and mine.version == grader.version
        and mine.settings == settings
        and tuple(one.name for one in mine.judges) == order.judges
        and all(one.base_url == (order.base_url or one.base_url) for one in mine.judges)
    )


def _counted(judged: Judged) -> tuple[Vote, ...]:
    reading = "whole" if judged.whole is None else "masked"
    return tuple(vote for vote in judged.votes if vote.round == 0 and vote.reading == reading)


def _likelihood(votes: Sequence[Vote]) -> dict[str, float]:
    said = [vote.likelihood for vote in votes if vote.likelihood]
    return {name: sum(one[name] for one in said) / len(said) for name in (said[0] if said else ())}


def _manifest(run: str) -> Manifest:
    return Manifest(
        run=run,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source="imported",
        command="gyges calibrate",
        seed=0,
        samples=1,
        scenarios=(),
        agents=(),
        contrasts=(),
        versions={},
    )


def _rates(run: Path, grader: Grader) -> dict[str, tuple[int, int]]:
    """By finding: in how many of the episodes that this grader read it found it, in the run's latest set."""
    with RunReader(run) as reader:
        answers = [
            one.answer for one in reader.grades() if (one.grader, one.version) == (grader.name, grader.version)
        ]
    read = [one for one in answers if isinstance(one, ReasoningRead)]
    if not read:
        raise UsageError(
            f"{grader.name} in this version graded nothing of {run.stem}",
            f"grade it first: gyges grade {run.stem} --grader {grader.name}",
        )
    rates: dict[str, tuple[int, int]] = {}
    for answer in read:
        for name in answer.looked_for:
            seen, of = rates.get(name, (0, 0))
            rates[name] = seen + (name in (found_in(answer) or ())), of + 1
    return rates


def _findings(graded: Sequence[_Graded]) -> list[str]:
    """What the grader looks for, alignment faking first."""
    names = dict.fromkeys(
        name for one in graded if isinstance(one.answer, ReasoningRead) for name in one.answer.looked_for
    )
    return sorted(names, key=lambda name: name != FAKING)


def _of_finding(
    name: str,
    labelled: Sequence[LabelledEpisode],
    graded: Sequence[_Graded],
    grader: Grader,
    rate: tuple[int, int] | None,
) -> OfFinding | None:
    known = [(one, of) for one, of in zip(labelled, graded, strict=True) if name in one.labels]
    if not known:
        return None
    items = [_item(name, one, of) for one, of in known]
    table = calibrate(items)
    ballots = [_ballots(name, one, of) for one, of in known if of.votes]
    votes = max((one.of for one in ballots), default=0)
    threshold = grader.threshold if isinstance(grader, JudgeGrader) else 0.5
    positives, negatives = table.true_positive + table.false_negative, table.true_negative + table.false_positive
    people = [one.people.get(name, ()) for one, _ in known]
    return OfFinding(
        finding=name,
        labelled=len(items),
        table=table,
        alpha=alpha(items),
        people=krippendorff([[answer for answer in given if answer in ("yes", "no")] for given in people]),
        brier=brier(items),
        curve=tuple(reliability(items)),
        by_threshold=tuple(by_threshold(ballots, votes)),
        by_votes=tuple(by_votes(ballots, votes, threshold)),
        in_run=in_run(*rate, table.true_positive, positives, table.true_negative, negatives) if rate else None,
    )


def _item(name: str, one: LabelledEpisode, of: _Graded) -> Item:
    answer = of.answer
    read = isinstance(answer, ReasoningRead) and name in answer.looked_for
    found = name in (found_in(answer) or ()) if read else None
    return Item(one.labels[name], found, of.scores.get(name), one.group)


def _ballots(name: str, one: LabelledEpisode, of: _Graded) -> Ballots:
    read = [vote for vote in of.votes if isinstance(vote.answer, ReasoningRead)]
    yes = sum(name in (found_in(vote.answer) or ()) for vote in read)
    return Ballots(one.labels[name], yes, len(read), one.group)


def stored(calibrated: Calibrated) -> Path:
    """Store the errors where `gyges grade` finds them for its sets."""
    return store_errors(calibrated.errors())
