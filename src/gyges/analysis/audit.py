"""An audit of a run's integrity: what would make its figures worthless though every one of them computes.

It looks at episodes, one at a time, and at the manifest; it knows no grades and no figures. Organisms speak from a
small stock of sentences by design, so nothing is made of what they repeat.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations

from gyges.analysis.result import ORGANISM, AuditNote
from gyges.errors import several
from gyges.transcripts.manifest import Manifest, PlannedAgent
from gyges.transcripts.record import READABLE, Episode, Outcome

LONG = 200
"""Characters from which it is no chance that two answers are the same."""
COPIED = 0.2
"""Share of answers in common from which one agent's transcripts are another's."""
FEWEST = 10
"""Answers below which sameness means nothing."""

_Cell = tuple[str, str, str]


@dataclass(slots=True)
class _Seen:
    """What was seen of one agent."""

    episodes: int = 0
    completed: int = 0
    silent: int = 0
    truncated: int = 0
    readable: int = 0
    unclosed: int = 0
    models: set[str] = field(default_factory=set)
    answers: set[bytes] = field(default_factory=set)
    cells: defaultdict[_Cell, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))

    def see(self, episode: Episode) -> None:
        said = [message for message in episode.messages if message.role == "assistant"]
        reasoning = [piece for message in said for piece in message.reasoning]
        self.episodes += 1
        self.completed += episode.outcome is Outcome.COMPLETED
        self.truncated += episode.outcome is Outcome.TRUNCATED
        self.readable += any(piece.visibility in READABLE for piece in reasoning)
        self.unclosed += any(not piece.closed for piece in reasoning)
        self.models.update({episode.model} - {""})
        words = [message.text for message in said] + [piece.text or "" for piece in reasoning]
        if any(words):
            self._hear(episode, "\0".join(words))
        else:
            self.silent += episode.outcome is Outcome.COMPLETED

    def _hear(self, episode: Episode, words: str) -> None:
        digest = blake2b(words.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        self.answers.add(digest)
        if len(words) >= LONG:
            key = episode.key
            self.cells[key.scenario, key.variant, key.context][digest] += 1


class Auditor:
    """Sees every episode of a run once, in any order, then says what it makes of them."""

    def __init__(self) -> None:
        self._agents: defaultdict[str, _Seen] = defaultdict(_Seen)

    def see(self, episode: Episode) -> None:
        """Take in one episode; what is kept of it is a few counts and a hash."""
        self._agents[episode.key.agent].see(episode)

    def notes(self, manifest: Manifest) -> tuple[AuditNote, ...]:
        """What speaks against the run, by agent; notes that `block` make the agent's results not reportable."""
        return tuple(self._notes(manifest))

    def _notes(self, manifest: Manifest) -> Iterator[AuditNote]:
        planned = {agent.name: agent for agent in manifest.agents}
        scripted = {name for name, agent in planned.items() if agent.model.startswith(ORGANISM)}
        for name, seen in sorted(self._agents.items()):
            yield from _called(name, seen)
            yield from _whole(name, seen)
            if name not in scripted:
                yield from _repeated(name, seen)
            if name in planned:
                own = planned[name].added
                yield from _temperature(planned[name], max(own.samples.values()) if own else manifest.samples)
        real = {name: seen for name, seen in self._agents.items() if name not in scripted}
        for one, other in combinations(sorted(real), 2):
            yield from _copied(one, real[one], other, real[other])


def audit(manifest: Manifest, episodes: Iterable[Episode]) -> tuple[AuditNote, ...]:
    """Audit the episodes of a run in one pass."""
    auditor = Auditor()
    for episode in episodes:
        auditor.see(episode)
    return auditor.notes(manifest)


def _called(name: str, seen: _Seen) -> Iterator[AuditNote]:
    if not seen.answers:
        yield AuditNote(
            name, "never_called", f"none of {several(seen.episodes, 'episode')} holds a word of the agent", True
        )
    elif seen.silent:
        text = f"{seen.silent} of {seen.completed} completed episodes hold no word of the agent"
        yield AuditNote(name, "empty_answers", text, 20 * seen.silent > seen.completed)
    if len(seen.models) > 1:
        models = ", ".join(sorted(seen.models))
        yield AuditNote(name, "model_changed", f"the provider named {len(seen.models)} models: {models}", True)


def _whole(name: str, seen: _Seen) -> Iterator[AuditNote]:
    if 100 * seen.truncated > seen.episodes:
        text = f"{seen.truncated} of {several(seen.episodes, 'episode')} were cut off at the token limit"
        yield AuditNote(name, "truncated", text, 20 * seen.truncated > seen.episodes)
    if seen.unclosed:
        text = f"the reasoning of {seen.unclosed} of {several(seen.episodes, 'episode')} has no closing tag"
        yield AuditNote(name, "unclosed_reasoning", text, 20 * seen.unclosed > seen.episodes)
    if seen.answers and not seen.readable:
        of = several(seen.episodes, "episode")
        text = f"none of {of} has readable reasoning: that it reveals nothing can't be said"
        yield AuditNote(name, "no_visible_reasoning", text, False)


def _repeated(name: str, seen: _Seen) -> Iterator[AuditNote]:
    spoke = seen.episodes - seen.silent
    if len(seen.answers) == 1 and spoke >= FEWEST:
        yield AuditNote(name, "one_answer", f"all {spoke} answers are the same", True)
        return
    cells = [cell for cell in seen.cells.values() if cell.total() > 1]
    samples, distinct = sum(cell.total() for cell in cells), sum(map(len, cells))
    if samples < FEWEST:
        return
    if distinct == len(cells):
        text = f"all samples of each plan are the same ({several(samples, 'answer')}, {distinct} different)"
        yield AuditNote(name, "identical_samples", text, True)
    elif samples - distinct > COPIED * samples:
        text = f"{samples - distinct} of {samples} answers repeat another sample of their plan word for word"
        yield AuditNote(name, "repeated_samples", text, False)


def _copied(one: str, mine: _Seen, other: str, theirs: _Seen) -> Iterator[AuditNote]:
    shared = mine.cells.keys() & theirs.cells.keys()
    common = sum((mine.cells[cell] & theirs.cells[cell]).total() for cell in shared)
    fewer = min(sum(seen.cells[cell].total() for cell in shared) for seen in (mine, theirs))
    if fewer >= FEWEST and common > COPIED * fewer:
        for name, twin in ((one, other), (other, one)):
            text = f"{common} of {fewer} answers are word for word those of {twin}"
            yield AuditNote(name, "copied_transcripts", text, True)


def _temperature(agent: PlannedAgent, samples: int) -> Iterator[AuditNote]:
    if samples > 1 and _setting(agent, "temperature") == 0:
        text = f"{several(samples, 'sample')} at temperature 0 are hardly more than one"
        yield AuditNote(agent.name, "temperature_zero", text, False)


def _setting(agent: PlannedAgent, name: str) -> object:
    """A setting of the agent's profile, wherever it stands in it; None if it isn't there."""
    pending: list[object] = [json.loads(agent.profile)] if agent.profile else []
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if name in value:
                return value[name]
            pending.extend(value.values())
    return None
