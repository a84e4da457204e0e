"""Ctrl-C, a closed terminal, a polite kill: the first asks for an end, the second ends. It stops nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def told(first: Callable[[], None], second: Callable[[], object]) -> Iterator[list[int]]:
    """Call `first` at the first signal and `second` at every later one, in the running loop.

    Gives the list of those that came. Where signals can't be heard (in another thread than the
    main one) they keep their usual meaning.
    """
    loop = asyncio.get_running_loop()
    came: list[int] = []

    def heard(one: int) -> None:
        came.append(one)
        (first if len(came) == 1 else second)()

    heard_here = []
    with suppress(RuntimeError, ValueError, NotImplementedError):
        for one in SIGNALS:
            loop.add_signal_handler(one, heard, one)
            heard_here.append(one)
    try:
        yield came
    finally:
        for one in heard_here:
            loop.remove_signal_handler(one)
