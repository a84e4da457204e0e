"""What forks say: a probe's answer, and counts for the terminal. Estimates and intervals are the analysis's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gyges.scenarios.decision import decision
from gyges.scenarios.probes import as_behaviour
from gyges.transcripts.grades import BehaviourShown
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Fork, Outcome

UNREAD = "(none)"
"""Stands for an answer that names none of the choices."""


def answer_of(episode: Episode) -> str | None:
    """The label that a probe was answered with; None where none of its choices was named, or nothing answered."""
    fork = episode.fork
    if fork is None or fork.kind != "probe" or episode.outcome is not Outcome.COMPLETED:
        return None
    said = [message.text for message in episode.messages[fork.message :] if message.role == "assistant"]
    return decision(said[-1], as_behaviour(fork.marker, fork.choices)) if said else None


def lines(reader: RunReader) -> Iterator[str]:
    """How often what was answered, or done, in a run of forks."""
    behaviour = {
        grade.episode: grade.answer.label
        for grade in reader.grades()
        if grade.question == "behaviour" and isinstance(grade.answer, BehaviourShown)
    }
    counts: dict[tuple[str, ...], Counter[str]] = {}
    why: Counter[tuple[str, str, str]] = Counter()
    for episode in reader.episodes():
        fork, key = episode.fork, episode.key
        if fork is None:
            continue
        if fork.impossible:
            why[key.agent, _way(fork), fork.impossible] += 1
            continue
        said = answer_of(episode) if fork.kind == "probe" else behaviour.get(key.id())
        shown = (said or UNREAD) + (" (right)" if said and said == fork.right else "")
        counts.setdefault((key.agent, episode.family, _way(fork), key.context), Counter())[shown] += 1
    for (agent, family, way, context), found in sorted(counts.items()):
        told = ", ".join(f"{label} {count}" for label, count in found.most_common())
        yield f"{agent}  {family}  {way}  {context}: {told}"
    for (agent, way, reason), count in sorted(why.items()):
        yield f"{agent}  {way}: {count} could not be done: {reason}"


def impossible(reader: RunReader) -> Counter[str]:
    """How many forks of each agent could not be made."""
    return Counter(one.key.agent for one in reader.episodes() if one.fork and one.fork.impossible)


def _way(fork: Fork) -> str:
    if fork.kind == "probe":
        return f"{fork.name} {'after the last answer' if fork.turn else 'before the first'}, " + (
            "with reasoning" if fork.reasoning else "without reasoning"
        )
    return fork.name if fork.fraction is None else f"{fork.name}:{fork.fraction:g}"
