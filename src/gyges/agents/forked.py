"""What forks say: a probe's answer, and what could not be done. Counts and estimates are the analysis's."""

from __future__ import annotations

from collections import Counter

from gyges.scenarios.decision import decision
from gyges.scenarios.probes import as_behaviour
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome


def answer_of(episode: Episode) -> str | None:
    """The label that a probe was answered with; None where none of its choices was named, or nothing answered."""
    fork = episode.fork
    if fork is None or fork.kind != "probe" or episode.outcome is not Outcome.COMPLETED:
        return None
    said = [message.text for message in episode.messages[fork.message :] if message.role == "assistant"]
    return decision(said[-1], as_behaviour(fork.marker, fork.choices)) if said else None


def impossible(reader: RunReader) -> Counter[str]:
    """How many forks of each agent could not be made."""
    return Counter(one.key.agent for one in reader.episodes() if one.fork and one.fork.impossible)
