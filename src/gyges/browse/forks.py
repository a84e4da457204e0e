"""What was done in forks of a pair's episodes, and what came of it. It knows no page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gyges.agents.forked import answer_of
from gyges.browse.lines import UNGRADED, PairLine, Side
from gyges.browse.shelf import Shelf
from gyges.errors import StoreError
from gyges.transcripts.grades import BehaviourShown, Grade
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Fork

MOST = 200
"""Forks of one episode that are shown."""


@dataclass(frozen=True, slots=True)
class Forked:
    """One fork: where it left its episode, what was done there, and what the agent then did or answered."""

    run: str
    episode: str
    side: str
    context: str
    fork: Fork
    before: str
    """What the episode itself did; "" for a probe, which asks something new."""
    after: str
    """What was done, or answered; "" where nothing was."""
    right: bool | None
    """Of a probe: whether that is right; None where nothing is."""
    was: str
    """The reasoning of the episode that was changed."""
    given: str
    """What stood in its place."""
    asked: str
    """Of a probe: the question."""

    @property
    def way(self) -> str:
        """Its name, with the fraction where it has one."""
        return self.fork.name if self.fork.fraction is None else f"{self.fork.name}:{self.fork.fraction:g}"


def forks_of(
    shelf: Shelf, run: str, line: PairLine, episodes: tuple[Episode | None, Episode | None]
) -> list[Forked]:
    """The forks of both episodes, in all runs of forks that are browsed; those of one kind together."""
    found: list[Forked] = []
    for name in shelf.forks_of(run):
        with suppress(StoreError), shelf.open(name) as reader:
            for letter, side, episode in zip("ab", line.sides, episodes, strict=True):
                if episode is not None:
                    found += _found(reader, name, letter, side, episode)
    return sorted(found, key=lambda one: (one.fork.kind, one.fork.turn, one.way, one.fork.repeat, one.side))


def _found(reader: RunReader, run: str, letter: str, side: Side, episode: Episode) -> Iterator[Forked]:
    for fork_id, forked in reader.forks(side.id, MOST):
        fork = forked.fork
        if fork is None:
            continue
        probe = fork.kind == "probe"
        answer = (answer_of(forked) or "") if probe else _shown(reader.grades(episode=fork_id))
        right = answer == fork.right if probe and fork.right and answer else None
        before = "" if probe else side.behaviour
        was, given = ("", "") if probe else (_reasoning(episode, fork.message), _reasoning(forked, fork.message))
        asked = forked.messages[fork.message].text if probe and _is_asked(forked, fork.message) else ""
        yield Forked(run, fork_id, letter, side.context, fork, before, answer, right, was, given, asked)


def _is_asked(episode: Episode, at: int) -> bool:
    return at < len(episode.messages) and episode.messages[at].role == "user"


def _shown(grades: Iterator[Grade]) -> str:
    labels = {grade.answer.label for grade in grades if isinstance(grade.answer, BehaviourShown)}
    return " / ".join(sorted(labels)) or UNGRADED


def _reasoning(episode: Episode, at: int) -> str:
    thoughts = episode.messages[at].reasoning if at < len(episode.messages) else ()
    return "\n\n".join(thought.text for thought in thoughts if thought.text)
