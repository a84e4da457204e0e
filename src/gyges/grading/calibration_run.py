"""Judges' verdicts about labelled episodes, given in a run of their own. It compares nothing.

The run lies beside the others, so that what judges said can be read, and what was paid for is not paid for again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gyges.errors import GygesError, several
from gyges.grading.judge import JudgeGrader
from gyges.grading.labelled import LabelledEpisode
from gyges.grading.run import GradingOrder, grade_stored
from gyges.study import transcripts
from gyges.transcripts.grades import Answer
from gyges.transcripts.judged import Judged, Vote
from gyges.transcripts.manifest import Manifest, PlannedScenario
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode
from gyges.transcripts.store import write_run


@dataclass(frozen=True, slots=True)
class GradedLabel:
    """What a grader made of a labelled episode: the answer, scores by finding if it has any, votes that count."""

    answer: Answer
    scores: Mapping[str, float]
    votes: tuple[Vote, ...] = ()


def labels_sha256(labelled: Sequence[LabelledEpisode]) -> str:
    lines = [json.dumps([one.episode.key.id(), sorted(one.labels.items())]) for one in labelled]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def judged_labels(
    grader: JudgeGrader,
    episodes: Sequence[Episode],
    labels: str,
    order: GradingOrder,
    scenarios: tuple[PlannedScenario, ...] = (),
) -> tuple[list[GradedLabel], str]:
    """The judges' verdicts about the labelled episodes, in a run of their own that a later call goes on with.

    `labels` names the run, and has to be another where the labels are; `scenarios` say what may be shown.
    """
    path = transcripts() / f"calibration-{labels}.sqlite"
    if not path.is_file():
        write_run(path, episodes, lambda: _manifest(path.stem, scenarios))
    asked = replace(order, graders=(grader.name,), again=False)
    made = asyncio.run(grade_stored(path, asked)) if not _finished(path, grader, order) else None
    if made is not None and made.pending:
        raise GygesError(
            f"pending: {several(made.pending, 'judgement')} ({made.pending_because})",
            "the same command finishes that",
        )
    with RunReader(path) as reader:
        records = {one.episode: one for one in reader.judgements() if one.grader == grader.name}
        plain = {one.episode: one.answer for one in reader.grades() if one.grader == grader.name}
    found = []
    for episode in episodes:
        id = episode.key.id()
        record = records.get(id)
        if record is None:
            found.append(GradedLabel(plain[id], {}))
        else:
            votes = _counted(record.judged)
            found.append(GradedLabel(record.answer, _likelihood(votes), votes))
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


def _manifest(run: str, scenarios: tuple[PlannedScenario, ...]) -> Manifest:
    return Manifest(
        run=run,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source="imported",
        command="gyges calibrate",
        seed=0,
        samples=1,
        scenarios=scenarios,
        agents=(),
        contrasts=(),
        versions={},
    )
