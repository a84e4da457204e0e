"""What the user sees while a run goes on: on standard error, a table in a terminal, else a line a minute.

It reads counters that others keep, and stops nothing: where standard error is gone, it falls silent.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gyges.batch.play import Agent
from gyges.errors import several
from gyges.transcripts.record import Episode, Outcome
from gyges.transcripts.safe import safe
from gyges.transcripts.store import RunWriter

SECONDS_BETWEEN_LINES = 60.0
LONG_HELD = 5.0
"""Seconds for which nothing is sent, from which on the user is told."""

Planned = Mapping[tuple[str, str], int]
"""Episodes by agent and context; the context is "" where they are not told apart."""


class Progress:
    """Counts episodes as they end. `planned` is how many there are to play, `before` how many are done already."""

    def __init__(self, planned: Planned, before: Mapping[tuple[str, str], int] | None = None) -> None:
        self._planned = dict(planned)
        self._done: Counter[tuple[str, str]] = Counter(before or {})
        self._ended: Counter[Outcome] = Counter()
        self._agents: Sequence[Agent] = ()
        self._writer: RunWriter | None = None
        self._entered = time.monotonic()
        self._begun = self._told = False
        self._console = Console(stderr=True)
        self._live = (
            Live(get_renderable=self._shown, console=self._console, refresh_per_second=2, transient=False)
            if self._console.is_terminal
            else None
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="gyges-progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._live:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._live:
            if self._begun:
                self._live.stop()
            return
        self._thread.join()
        if kind is None or self._told:
            self._say()

    def watch(self, agents: Sequence[Agent], writer: RunWriter) -> None:
        """From now on, also tell what these agents' calls come to."""
        self._begin()
        self._agents, self._writer = agents, writer

    def done(self, episode: Episode) -> None:
        """Count an episode that is in the store."""
        self._begin()
        key = (episode.key.agent, episode.key.context)
        self._done[key if key in self._planned else (episode.key.agent, "")] += 1
        self._ended[episode.outcome] += 1

    def _begin(self) -> None:
        """The first words: not before something goes on, so that an error at the start stands alone."""
        if self._begun:
            return
        self._begun = True
        if self._live:
            self._live.start()
        else:
            self._say()

    # In a terminal

    def _shown(self) -> Group:
        table = Table.grid(padding=(0, 1))
        for (agent, context), planned in self._planned.items():
            done = self._done[agent, context]
            table.add_row(
                Text(safe(f"{agent} {context}".strip())),
                ProgressBar(total=max(planned, 1), completed=done, width=24),
                Text(f"{done}/{planned}"),
            )
        return Group(table, *(Text(line) for line in self._facts()))

    # Without one

    def _speak(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LINES):
            self._say()

    def _say(self) -> None:
        counts = [
            f"{agent} {context} {self._done[agent, context]}/{planned}".replace("  ", " ")
            for (agent, context), planned in self._planned.items()
        ]
        self._told = True
        line = "; ".join([f"episodes: {', '.join(counts)}", *self._facts()])
        try:
            print(safe(line), file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self._over.set()  # Nobody listens any more: the run goes on.

    # What is said in both

    def _facts(self) -> Iterator[str]:
        if self._ended:
            yield ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._ended.items()))
        if self._agents:
            yield ", ".join(self._calls())
        for agent in self._agents:
            if agent.line.flow.held > LONG_HELD:
                yield f"{agent.line.provider.base_url} asks for a pause of {agent.line.flow.held:.0f} s"
            if agent.line.health.down_since is not None:
                seconds = time.monotonic() - agent.line.health.down_since
                yield f"{agent.line.provider.base_url} has not answered for {seconds:.0f} s"
        if self._writer and self._writer.held:
            yield f"the disk takes nothing: {several(self._writer.held, 'row')} held in memory, nothing is sent"
        yield from self._left()

    def _calls(self) -> Iterator[str]:
        flows = {id(agent.line.flow): agent.line.flow for agent in self._agents}
        spent = [agent.line.spending for agent in self._agents]
        yield f"{several(sum(flow.in_flight for flow in flows.values()), 'call')} in flight"
        if failures := sum(one.failures for one in spent):
            yield f"{several(failures, 'try', 'tries')} failed"
        yield f"{sum(one.input + one.output for one in spent):,} tokens"
        costs = [one.cost for one in spent]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(costs):
            yield "cost unknown"
        elif any(known):
            yield f"${sum(known):,.2f}"

    def _left(self) -> Iterator[str]:
        ended, planned = self._ended.total(), sum(self._planned.values())
        left = planned - self._done.total()
        if ended and left > 0:
            yield f"about {lasting((time.monotonic() - self._entered) / ended * left)} left"


def lasting(seconds: float) -> str:
    """Roughly, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
