"""The event loop of a run: uvloop where there is one, and a collector that looks less often. It knows no run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

YOUNG = 50_000
"""New containers before the collector looks: an episode makes thousands, nearly all of which go by themselves."""


def run(main: Coroutine[object, object, T]) -> T:
    """As `asyncio.run`."""
    with seldom_collected(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """None means asyncio's own."""
    try:
        import uvloop
    except ImportError:  # There is none for Windows.
        return None
    return uvloop.new_event_loop


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What was imported is not looked at again, and what is new less often. As before afterwards."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
