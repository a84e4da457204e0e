"""A run that is about to fare badly says so: a loop that stands still, memory that runs out, a log that floods.

It looks and warns, and changes nothing. It knows no run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gyges.batch.flow import Clock

log = logging.getLogger("gyges.batch")

SECONDS_BETWEEN_LOOKS = 0.25
STANDS_STILL = 1.0
"""Seconds for which the loop did nothing else, from which on they count."""
WORTH_TELLING = 5.0
"""Seconds that have to come together: one short stop harms nobody, and a busy machine makes many."""
SECONDS_BETWEEN_MEMORY = 5.0
MUCH = 0.85
"""The share of the memory that may be used, from which on it is told."""

FEW = 5
"""Messages of one kind that are told as they are; of the others one a minute."""
MINUTE = 60.0
LOGGERS = ("gyges", "asyncio")


@contextmanager
def watched() -> Iterator[None]:
    """Watch the running loop and this process's memory for as long as it lasts."""
    watching = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        watching.cancel()


async def watch() -> None:
    """Warn of a loop that stands still for long or again and again, and once of memory."""
    memory_at, told = 0.0, False
    since, still = time.monotonic(), 0.0
    while True:
        before = time.monotonic()
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        now = time.monotonic()
        if (lag := now - before - SECONDS_BETWEEN_LOOKS) > STANDS_STILL:
            still += lag
        if still > WORTH_TELLING:
            log.warning(
                "for %.1f of %.0f s nothing went on: no answer was stored and no deadline kept. A graph or a tool "
                "that computes for long does that, or a machine that has too much to do or slept",
                still,
                now - since,
            )
            since, still = now, 0.0
        if not told and now - memory_at > SECONDS_BETWEEN_MEMORY:
            memory_at = now
            told = _memory_told(*memory())


def _memory_told(used: int, most: int) -> bool:
    if used < MUCH * most:
        return False
    log.warning(
        "%d of the %d MiB of memory that this process may have are taken. If it is killed, `gyges resume` "
        "goes on; fewer --max-connections take less",
        used // 2**20,
        most // 2**20,
    )
    return True


def memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> tuple[int, int]:
    """Bytes that this process takes and the most that it may; (0, 1) where that can't be told.

    The most is the least of its limit of addresses, that of its control group, and what the machine has.
    """
    found = [(0, 1)]
    with suppress(OSError, ValueError, ImportError):
        import resource

        pages = [int(word) for word in (proc / "self" / "statm").read_text().split()[:2]]
        addresses, resident = (count * resource.getpagesize() for count in pages)
        found.append((resident, os.sysconf("SC_PHYS_PAGES") * resource.getpagesize()))
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            found.append((addresses, soft))
        with suppress(OSError, ValueError):  # No such group, or `max`.
            found.append((resident, int((groups / "memory.max").read_text())))
    return max(found, key=lambda one: one[0] / one[1])


class Sparing(logging.Filter):
    """Lets the first few messages of a kind through, then one a minute that says how many there were."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], float] = {}
        self._held: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = (record.name, str(record.msg)), self._clock()
        passed = self._passed.get(kind, 0)
        if passed >= FEW and now - self._last[kind] < MINUTE:
            self._held[kind] = self._held.get(kind, 0) + 1
            return False
        self._passed[kind], self._last[kind] = passed + 1, now
        if held := self._held.pop(kind, 0):
            record.msg, record.args = f"{record.getMessage()} (and {held} more like this)", None
            # What is behind it was told the first few times.
            record.exc_info = None
        return True


@contextmanager
def sparing() -> Iterator[None]:
    """Messages of one kind don't flood the terminal, or the file that it is sent to, while it lasts."""
    filter_ = Sparing()
    known = [
        logging.getLogger(name)
        for name in [*logging.root.manager.loggerDict, *LOGGERS]
        if name.partition(".")[0] in LOGGERS
    ]
    for logger in known:
        logger.addFilter(filter_)
    try:
        yield
    finally:
        for logger in known:
            logger.removeFilter(filter_)
