"""Too many errors are an error of the run. It reads outcomes and judges nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gyges.errors import GygesError, several
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome

TOLERATED = 0.05
"""The share of an agent's episodes that may end in an error."""
ERRORS = (Outcome.ERRORED, Outcome.TIMED_OUT)


def check_errors(path: Path, tolerated: float = TOLERATED, excused: Mapping[str, int] | None = None) -> None:
    """Raises GygesError when an agent has more errors than tolerated: a share below 1, a number from 1 on.

    `excused` says by agent how many of its errors are none: forks that could not be made.
    """
    by_agent: dict[str, Counter[Outcome]] = {}
    with RunReader(path) as reader:
        for (agent, _), outcomes in reader.counts().items():
            by_agent.setdefault(agent, Counter()).update(outcomes)
    for agent, outcomes in by_agent.items():
        none = (excused or {}).get(agent, 0)
        failed, played = sum(outcomes[one] for one in ERRORS) - none, sum(outcomes.values()) - none
        if failed > (tolerated * played if tolerated < 1 else tolerated):
            raise GygesError(
                f"{failed} of {several(played, 'episode')} of {agent} ended in an error or timed out",
                f"`gyges show {path.stem}` names them; --fail-on-error says how many are tolerated",
            )
