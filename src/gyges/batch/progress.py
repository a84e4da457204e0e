"""What the user sees while a run goes on: on standard error, a bar in a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from gyges.transcripts.record import Episode, Outcome

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts episodes as they end. `planned` is how many each agent has to play."""

    def __init__(self, planned: dict[str, int]) -> None:
        self._planned = planned
        self._done: Counter[str] = Counter()
        self._trouble: Counter[Outcome] = Counter()
        self._console = Console(stderr=True)
        self._bars = bars(self._console) if self._console.is_terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
            for name, planned in self._planned.items():
                self._tasks[name] = self._bars.add_task(name, total=planned)
        else:
            self._say()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()
        else:
            self._say()
        if self._trouble:
            counts = ", ".join(f"{outcome} {count}" for outcome, count in sorted(self._trouble.items()))
            print(f"not completed: {counts}", file=sys.stderr)

    def done(self, episode: Episode) -> None:
        """Count an episode that is in the store."""
        agent = episode.key.agent
        self._done[agent] += 1
        if episode.outcome is not Outcome.COMPLETED:
            self._trouble[episode.outcome] += 1
        if self._bars:
            self._bars.advance(self._tasks[agent])
        elif time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        counts = ", ".join(f"{name} {self._done[name]}/{planned}" for name, planned in self._planned.items())
        print(f"episodes: {counts}", file=sys.stderr, flush=True)


def bars(console: Console) -> Bars:
    """One bar an agent, all of one width. Redrawn twice a second: drawing per event costs more than a call."""
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=2,
    )
