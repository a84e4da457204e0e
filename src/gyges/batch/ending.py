"""How work on a queue comes to an end: nothing left, a budget, a signal to stop. It knows no job and does none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import dataclass

from gyges.batch import stop
from gyges.batch.queue import J, Queue
from gyges.errors import Interrupted, LimitReached, several


@dataclass(frozen=True, slots=True)
class Ending:
    """The words for it: what a job is, what is done with it, and how the user goes on."""

    job: str
    """One of them, such as `episode`."""
    done: str
    """As in `played`."""
    again: str
    """What to do to go on."""


async def to_the_end(queue: Queue[J], work: Coroutine[object, object, None], words: Ending) -> None:
    """Work until the queue gives nothing more. A first signal closes the queue, a second one cancels the work.

    Raises LimitReached where a budget left something undone, Interrupted where a signal did; else as `work`.
    """
    working = asyncio.ensure_future(work)
    with stop.told(lambda: _close(queue, words), working.cancel) as stopped:
        try:
            await working
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            if not stopped:
                raise
    if queue.reached:
        undone = f"{several(queue.left, words.job)} not yet {words.done}"
        raise LimitReached(f"{queue.reached} is reached; {undone}", words.again)
    if stopped and (queue.left or working.cancelled()):
        raise Interrupted(f"stopped; what was {words.done} is kept", words.again)


def _close(queue: Queue[J], words: Ending) -> None:
    """What the first signal does."""
    queue.close()
    told = f"no more {words.job}s are begun; coming to their end: {queue.playing} (again: stop at once)"
    print(told, file=sys.stderr, flush=True)
