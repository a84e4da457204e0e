"""The event loop of a run: uvloop where there is one, and a collector that looks less often. It knows no run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gyges.batch.watch import sparing, watched
from gyges.errors import UsageError

T = TypeVar("T")

YOUNG = 50_000
"""New containers before the collector looks: an episode makes thousands, nearly all of which go by themselves."""


def run(main: Coroutine[object, object, T]) -> T:
    """As `asyncio.run`, watched. Raises UsageError where a loop runs already, as in a notebook."""
    if _running():
        main.close()
        raise UsageError(
            "an event loop runs here already, as in a notebook",
            "await what you wanted to run (`await play_into(...)`), or run the command in a terminal",
        )
    with sparing(), seldom_collected(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_watched(main))


async def _watched(main: Coroutine[object, object, T]) -> T:
    with watched():
        return await main


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """None means asyncio's own."""
    try:
        import uvloop
    except ImportError:  # There is none for Windows.
        return None
    return uvloop.new_event_loop


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What was imported is not looked at again, and what is new less often. As before afterwards.

    Where somebody has seen to that already it is left as it is: it can't be undone in part.
    """
    before, seen_to = gc.get_threshold(), gc.get_freeze_count() > 0
    if not seen_to:
        gc.collect()
        gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not seen_to:
            gc.unfreeze()


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
