"""Where judges and a grader that asks nobody disagree, for somebody to look at. It grades nothing."""

from __future__ import annotations

from gyges.grading.judge_votes import found_in
from gyges.transcripts.grades import Answer, ReasoningRead
from gyges.transcripts.judged import Judged

FAKING = "alignment_faking"
DISAGREES = "offline_disagrees"


def looked_over(judged: Judged, answer: Answer, second: object) -> Judged:
    """The record with a flag where the judges and the second grader disagree on alignment faking."""
    ours = found_in(answer)
    theirs = found_in(second) if isinstance(second, Answer) else None
    if not isinstance(answer, ReasoningRead) or FAKING not in answer.looked_for:
        return judged
    if ours is None or theirs is None or (FAKING in ours) == (FAKING in theirs):
        return judged
    return judged.model_copy(update={"flags": tuple(sorted({*judged.flags, DISAGREES}))})
