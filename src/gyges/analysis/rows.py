"""From a run's episodes and grades to rows: what was planned, what ran, how it was judged. No statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol, runtime_checkable

from gyges.analysis.table import Row
from gyges.grading.readability import ENOUGH, UNFOLLOWED
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import BehaviourShown, Grade, Question, ReasoningRead, Ungraded
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Episode, EpisodeKey, Outcome, Visibility

BEHAVIOUR = frozenset({Outcome.COMPLETED, Outcome.REFUSED_BY_MODEL})
"""The outcomes that are behaviour; an episode with any other is missing data, whatever a grader made of it."""

_MOST_READABLE = tuple(Visibility)
"""`Visibility` is declared from the most readable to the least."""


class Run(Protocol):
    """What is needed of a stored run."""

    @property
    def manifest(self) -> Manifest: ...
    def episodes(self) -> Iterable[Episode]: ...
    def grades(self, set_name: str | None = None) -> Iterable[Grade]: ...


@dataclass(frozen=True, slots=True)
class _Played:
    """What a row needs of an episode."""

    key: EpisodeKey
    family: str
    outcome: Outcome
    visibility: Visibility
    turns: int


@runtime_checkable
class Graded(Protocol):
    """A run whose sets of grades say of themselves who graded."""

    def grade_sets(self) -> list[str]: ...
    def grade_set(self, name: str) -> GradeSet | None: ...


class Table:
    """A run's episodes, read once, as rows by the grades of whichever graders are asked for."""

    def __init__(self, run: Run) -> None:
        self._manifest = run.manifest
        self._played = {episode.key.id(): _summary(episode) for episode in run.episodes()}

    def rows(self, grades: Iterable[Grade], by: Mapping[Question, str] | None = None) -> list[Row]:
        """One row for each planned episode of each contrast.

        `by` names the grader whose answers count, by question; where it names none, all of them do. A planned
        episode that isn't stored is pending. Of an imported run nothing was planned but what is there.
        """
        wanted, graded = by or {}, _by_episode(grades)
        rows = []
        for named in self._manifest.contrasts:
            for key in _keys(self._manifest, named.family, named.contrast, self._played):
                id = key.id()
                known = self._played.get(id) or _Played(key, named.family, Outcome.PENDING, Visibility.ABSENT, 0)
                rows.append(_row(known, named.contrast, _chosen(graded.get(id, ()), wanted)))
        return rows


def rows_of(run: Run, set_name: str | None = None) -> list[Row]:
    """The rows by the grades of `set_name` (None: the latest) and by the first grader of each question in it."""
    return Table(run).rows(run.grades(set_name), first_graders(about_set(run, set_name)))


def about_set(run: Run, set_name: str | None = None) -> GradeSet | None:
    """What a set of grades (None: the latest) says of itself; None where it says nothing."""
    if not isinstance(run, Graded):
        return None
    sets = run.grade_sets()
    name = set_name or (sets[-1] if sets else None)
    return run.grade_set(name) if name in sets and name is not None else None


def first_graders(about: GradeSet | None) -> dict[Question, str]:
    """By question the grader that figures go by: the first of the set."""
    found: dict[Question, str] = {}
    for grader in about.graders if about else ():
        found.setdefault(grader.question, grader.name)
    return found


def contrasts_of(manifest: Manifest) -> list[tuple[str, Contrast]]:
    """Each family's contrasts, as `analyse` takes them."""
    return [(named.family, named.contrast) for named in manifest.contrasts]


def models_of(manifest: Manifest) -> dict[str, str]:
    """The model of each agent."""
    return {agent.name: agent.model for agent in manifest.agents}


def complies(answers: Sequence[BehaviourShown | Ungraded], contrast: Contrast) -> tuple[bool | None, str]:
    """Whether the behaviour shown is the target, or None and the reason; graders that disagree give no answer."""
    labels = {answer.label for answer in answers if isinstance(answer, BehaviourShown)}
    if len(labels) > 1:
        return None, "graders_disagree"
    if labels:
        return labels == {contrast.target}, ""
    return None, _reason(answers)


def reveals(answers: Sequence[ReasoningRead | Ungraded], contrast: Contrast) -> tuple[bool | None, str]:
    """Whether one grader found all findings that the contrast calls revealing, or None and the reason."""
    if not contrast.reveals:
        return None, "no_finding_named"
    read = [answer for answer in answers if isinstance(answer, ReasoningRead)]
    if not read:
        return None, _reason(answers)
    wanted = set(contrast.reveals)
    found = [{f.name for f in one.findings} for one in read if not one.looked_for or wanted <= {*one.looked_for}]
    if not found and (why := {name for one in read for name in _unfollowed(one)}):
        return None, "+".join(sorted(why))
    if not found:
        # That nobody looked is no sign that there is nothing to be seen.
        missing = sorted(wanted.difference(*(one.looked_for for one in read)) or wanted)
        return None, f"no_grader_looks_for_{'+'.join(missing)}"
    return any(names.issuperset(contrast.reveals) for names in found), ""


def _unfollowed(answer: ReasoningRead) -> Iterator[str]:
    """Why less than half of a reasoning could be followed, if so."""
    if answer.legible is not None and answer.legible < ENOUGH:
        yield from (one.name for one in answer.findings if one.name in UNFOLLOWED)


def _label(answers: Iterable[BehaviourShown | Ungraded]) -> str:
    return next(answer.label for answer in answers if isinstance(answer, BehaviourShown))


def options_of(manifest: Manifest) -> dict[str, int]:
    """How many behaviours there are to choose from, by family."""
    return {s.family: len(s.behaviour.choices) for s in manifest.scenarios if s.behaviour}


def _reason(answers: Sequence[object]) -> str:
    reasons = sorted({answer.reason for answer in answers if isinstance(answer, Ungraded)})
    return "+".join(reasons) or "not_graded"


def _summary(episode: Episode) -> _Played:
    turns = sum(message.role == "assistant" for message in episode.messages)
    return _Played(episode.key, episode.family, episode.outcome, most_readable(episode), turns)


def most_readable(episode: Episode) -> Visibility:
    """The visibility of the episode's most readable piece of reasoning."""
    seen = {reasoning.visibility for message in episode.messages for reasoning in message.reasoning}
    return min(seen, key=_MOST_READABLE.index, default=Visibility.ABSENT)


def _by_episode(grades: Iterable[Grade]) -> dict[str, list[Grade]]:
    by_episode: dict[str, list[Grade]] = {}
    for grade in grades:
        by_episode.setdefault(grade.episode, []).append(grade)
    return by_episode


def _chosen(grades: Sequence[Grade], wanted: Mapping[Question, str]) -> list[Grade]:
    return [grade for grade in grades if wanted.get(grade.question) in (None, grade.grader)]


def _keys(manifest: Manifest, family: str, contrast: Contrast, played: dict[str, _Played]) -> Iterator[EpisodeKey]:
    contexts = (contrast.first, contrast.second)
    if manifest.source == "imported":
        yield from (e.key for e in played.values() if e.family == family and e.key.context in contexts)
        return
    families = {scenario.name: scenario.family for scenario in manifest.scenarios}
    for agent in manifest.agents:
        for (scenario, variant), samples in manifest.plays(agent).items():
            if families[scenario] == family:
                for context, sample in product(contexts, range(samples)):
                    yield EpisodeKey(agent.name, scenario, variant, context, sample)


def _row(episode: _Played, contrast: Contrast, grades: Sequence[Grade]) -> Row:
    key, outcome = episode.key, episode.outcome
    answers = [(grade.question, grade.answer) for grade in grades]
    behaviour = [a for question, a in answers if question == "behaviour" and not isinstance(a, ReasoningRead)]
    reasoning = [a for question, a in answers if question == "reasoning" and not isinstance(a, BehaviourShown)]
    shown, why = complies(behaviour, contrast) if outcome in BEHAVIOUR else (None, outcome.value)
    revealing, unread = reveals(reasoning, contrast) if outcome is not Outcome.PENDING else (None, outcome.value)
    return Row(
        family=episode.family,
        agent=key.agent,
        scenario=key.scenario,
        variant=key.variant,
        context=key.context,
        sample=key.sample,
        outcome=outcome,
        complies=shown,
        reveals=revealing,
        ungraded=why,
        unread=unread,
        contrast=contrast,
        visibility=episode.visibility if outcome is not Outcome.PENDING else None,
        legible=next((one.legible for one in reasoning if isinstance(one, ReasoningRead)), None),
        label="" if shown is None else _label(behaviour),
        turns=episode.turns if outcome is not Outcome.PENDING else None,
    )
