"""The time of day, as a process that began at a known time counts it on. It knows no record.

A clock that is set while a run goes on (by hand, by a time server, by daylight saving) would give calls that end
before they begin. So the time of day is read once, and counted on by a clock that nobody can set and that goes on
while the machine sleeps.
"""

from __future__ import annotations

import time

_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux has it; elsewhere the monotonic clock has to do."""


def steady() -> float:
    """Seconds on a clock of this machine that is never set; the same for all its processes."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


_OFFSET = time.time() - steady()


def now() -> float:
    """Seconds since 1970 (UTC). Never less than before."""
    return _OFFSET + steady()


def offset() -> float:
    """What makes `steady` of any process on this machine this process's time of day."""
    return _OFFSET
