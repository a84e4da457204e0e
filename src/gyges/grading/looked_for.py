"""Whether somebody looks for the findings that contrasts name. It grades nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gyges.errors import Place
from gyges.grading.default import REASONING, answer_of, judge_grader, offline_grader
from gyges.grading.grader import Grader, View
from gyges.grading.judge import JudgeGrader
from gyges.grading.offline import NAME
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import read_document
from gyges.scenarios.problem import Problem
from gyges.scenarios.read import FAMILY, Listed, read
from gyges.transcripts.grades import ReasoningRead
from gyges.transcripts.manifest import FamilyContrast
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility

_THOUGHT = Message("assistant", "", (Reasoning(Visibility.RAW, "any", "The weather is fine."),))


def unlooked(listed: Iterable[Listed]) -> Iterator[Problem]:
    """A warning for every finding of a family that none of the graders that come with gyges looks for.

    What a run of it reveals is then unread, unless it is graded by somebody else. Raises AuthoringError.
    """
    looked_for = offline_grader().looked_for
    for found in {one.family: one for one in listed}.values():
        document = read_document(found.file.parent / FAMILY)
        for number, contrast in enumerate(read(found).shared.contrasts):
            node = document.at(["contrasts", number, "reveals"])
            place = Place(document.file, node.line, node.column)
            for finding in contrast.reveals:
                if finding not in looked_for:
                    yield Problem(
                        "warning",
                        place,
                        f"no grader of gyges looks for the finding {finding!r}: what reveals it stays unread",
                        nearest(finding, looked_for),
                    )


def looks_for(grader: Grader) -> frozenset[str]:
    """Everything that a grader of reasoning can find; empty where it does not say."""
    if isinstance(grader, JudgeGrader):
        return frozenset(grader.rubric.looked_for)
    answer = answer_of(grader, View((_THOUGHT,), Outcome.COMPLETED), None)
    return frozenset(answer.looked_for) if isinstance(answer, ReasoningRead) else frozenset()


def unread(graders: Sequence[Grader], contrasts: Iterable[FamilyContrast], run: str) -> Iterator[str]:
    """In words, what reports will not tell because the grader that figures go by does not look for it."""
    first = next((one for one in graders if one.question == "reasoning"), None)
    found = looks_for(first) if first is not None else frozenset()
    if first is None or not found:
        return
    blind = [one for one in contrasts if not found.issuperset(one.contrast.reveals)]
    for reveals in dict.fromkeys(one.contrast.reveals for one in blind):
        where = ", ".join(
            f"{one.family} ({one.contrast.first} less {one.contrast.second})"
            for one in blind
            if one.contrast.reveals == reveals
        )
        yield (
            f"{where}: {first.name} does not look for {' and '.join(reveals)}, which reveals there: reveal rate, "
            f"revealed and silent gap will be null by this set; {_instead(reveals, run, graders)}"
        )


def _instead(reveals: Sequence[str], run: str, graders: Sequence[Grader]) -> str:
    """What to do: grade with somebody who looks for it, named first."""
    others = [name for name in (NAME, f"judge:{REASONING}") if set(reveals) <= _looked_for_by(name)]
    if not others:
        return "no grader that comes with gyges does: write a rubric or a cue of that name (grading/README.md)"
    named = "".join(f" --grader {one.name}" for one in graders if one.question == "reasoning")
    return f"name {' or '.join(others)} first, as in: gyges grade {run} --grader {others[0]}{named}"


def _looked_for_by(name: str) -> frozenset[str]:
    return looks_for(offline_grader() if name == NAME else judge_grader(REASONING))
