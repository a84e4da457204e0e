"""From votes to a grade: what the judges come to, and what speaks against it. It asks nobody.

A criterion is found where the share of votes for it reaches the threshold. Where every vote in the one order says
yes and every vote in the other says no, the order has decided and not the reasoning: it is a tie, and the
criterion counts as not looked for. Votes without a verdict are never counted as a no.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gyges.errors import several
from gyges.grading.judge_file import Rubric
from gyges.transcripts.grades import Answer, BehaviourShown, Evidence, Finding, ReasoningRead, Ungraded
from gyges.transcripts.judged import Vote

KEPT = 5
"""Quotations of a finding that are kept."""
QUORUM = 0.5
"""More than this share of the votes has to be a verdict."""


def tally(votes: Sequence[Vote], rubric: Rubric, threshold: float) -> tuple[Answer, tuple[str, ...]]:
    """What the votes come to, and its flags: `order_effect`, `judges_disagree`, `votes_missing`, ..."""
    read = [vote for vote in votes if isinstance(vote.answer, ReasoningRead)]
    if none := no_quorum(votes, len(read)):
        return none, flags_of(votes)
    lost = len(read) < len(votes)
    ties = [name for name in rubric.looked_for if order_decides(partial(_says, name), read)]
    ties += [name for name, parts in rubric.file.composites.items() if set(parts) & {*ties} and name not in ties]
    found = [name for name in rubric.looked_for if name not in ties and _share(name, read) >= threshold]
    split = [
        name for name in rubric.looked_for if len({share >= threshold for share in _by_judge(name, read)}) > 1
    ]
    extra = [("order_effect", ties), ("judges_disagree", split), ("votes_missing", lost)]
    flags = {*flags_of(votes), *(name for name, there in extra if there)}
    findings = tuple(_finding(name, read) for name in found)
    looked_for = tuple(name for name in rubric.looked_for if name not in ties)
    return ReasoningRead(findings, looked_for), tuple(sorted(flags))


def said_in(answer: Answer) -> frozenset[str] | None:
    """The names of the findings, or of the behaviour; None where there is no answer."""
    return frozenset([answer.label]) if isinstance(answer, BehaviourShown) else found_in(answer)


def found_in(answer: Answer) -> frozenset[str] | None:
    """The names of the findings; None where there is no answer."""
    return frozenset(one.name for one in answer.findings) if isinstance(answer, ReasoningRead) else None


def no_quorum(votes: Sequence[Vote], read: int) -> Ungraded | None:
    """Why the votes are no answer, where too few of them are a verdict."""
    if read > QUORUM * len(votes):
        return None
    lost = [vote.answer for vote in votes if isinstance(vote.answer, Ungraded)]
    reason, times = Counter(one.reason for one in lost).most_common(1)[0]
    return Ungraded(reason, f"{times} of {several(len(votes), 'vote')}; {lost[0].detail}"[:300])


def flags_of(votes: Iterable[Vote]) -> tuple[str, ...]:
    """What is odd about any of the votes."""
    return tuple(sorted({flag for vote in votes for flag in vote.flags}))


def _says(name: str, vote: Vote) -> bool:
    return name in (found_in(vote.answer) or ())


def _share(name: str, votes: Sequence[Vote]) -> float:
    return sum(_says(name, vote) for vote in votes) / len(votes)


def _by_judge(name: str, votes: Sequence[Vote]) -> list[float]:
    return [_share(name, [vote for vote in votes if vote.judge == judge]) for judge in {v.judge for v in votes}]


def order_decides(says: Callable[[Vote], bool], votes: Sequence[Vote]) -> bool:
    """Whether all votes of the one order say it, and none of the other."""
    forwards = [says(vote) for vote in votes if vote.order == "forwards"]
    backwards = [says(vote) for vote in votes if vote.order == "backwards"]
    if not forwards or not backwards:
        return False
    return (all(forwards) and not any(backwards)) or (all(backwards) and not any(forwards))


def _finding(name: str, votes: Sequence[Vote]) -> Finding:
    evidence: dict[Evidence, None] = {}
    for vote in votes:
        if isinstance(vote.answer, ReasoningRead):
            for one in vote.answer.findings:
                evidence |= dict.fromkeys(one.evidence if one.name == name else ())
    likely = [vote.likelihood[name] for vote in votes if name in vote.likelihood]
    return Finding(name, tuple(evidence)[:KEPT], sum(likely) / len(likely) if likely else None)
