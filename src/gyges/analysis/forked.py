"""From a run of forks to rows: which episode each left, how, and what it did or answered. No statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gyges.agents.forked import answer_of
from gyges.analysis.rows import BEHAVIOUR, Run, about_set, complies, first_graders
from gyges.scenarios.plan import Contrast, control_of
from gyges.transcripts.grades import Grade, ReasoningRead
from gyges.transcripts.record import Episode, Fork

Place = Literal["prompt", "end"]
"""Where a probe was asked: before the first answer of its episode, or after its last."""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """A probe's answer. `label` is "" where none of its choices was named; `right` None where nothing is right."""

    family: str
    agent: str
    scenario: str
    context: str
    probe: str
    place: Place
    reasoning: bool
    label: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class ForkRow:
    """An intervention's outcome under one contrast. `complies` is None where ungraded, for `why`."""

    family: str
    agent: str
    contrast: Contrast
    scenario: str
    context: str
    origin: tuple[str, int, int]
    """Variant and sample of the episode that was forked, and the repetition: what forks of one place share."""
    way: str
    fraction: float | None
    complies: bool | None
    why: str


def probe_rows(run: Run) -> Iterator[ProbeRow]:
    """The answered and unanswered probes of a run of forks; control arms are left out."""
    for episode in run.episodes():
        fork, key = episode.fork, episode.key
        if fork is None or fork.kind != "probe" or fork.impossible or control_of(key.variant)[0] is not None:
            continue
        label = answer_of(episode) or ""
        right = label == fork.right if fork.right and label else None
        place: Place = "end" if fork.turn else "prompt"
        yield ProbeRow(
            episode.family, key.agent, key.scenario, key.context, fork.name, place, fork.reasoning, label, right
        )


def fork_rows(run: Run, set_name: str | None = None) -> Iterator[ForkRow]:
    """The interventions of a run of forks, under each contrast of their family; control arms are left out."""
    grader = first_graders(about_set(run, set_name)).get("behaviour")
    graded: dict[str, list[Grade]] = {}
    for grade in run.grades(set_name):
        if grade.question == "behaviour" and grader in (None, grade.grader):
            graded.setdefault(grade.episode, []).append(grade)
    for episode in run.episodes():
        fork = episode.fork
        if fork is None or fork.kind != "intervention" or control_of(episode.key.variant)[0] is not None:
            continue
        for named in run.manifest.contrasts:
            contexts = (named.contrast.first, named.contrast.second)
            if named.family == episode.family and episode.key.context in contexts:
                yield _row(episode, fork, named.contrast, graded.get(episode.key.id(), []))


def _row(episode: Episode, fork: Fork, contrast: Contrast, grades: list[Grade]) -> ForkRow:
    answers = [grade.answer for grade in grades if not isinstance(grade.answer, ReasoningRead)]
    shown, why = complies(answers, contrast) if episode.outcome in BEHAVIOUR else (None, episode.outcome.value)
    key = episode.key
    return ForkRow(
        family=episode.family,
        agent=key.agent,
        contrast=contrast,
        scenario=key.scenario,
        context=key.context,
        origin=(key.variant, fork.sample, fork.repeat),
        way=fork.name if fork.fraction is None else f"{fork.name}:{fork.fraction:g}",
        fraction=fork.fraction,
        complies=shown,
        why=fork.impossible or why,
    )
