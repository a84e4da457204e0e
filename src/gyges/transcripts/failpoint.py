"""Named points at which a test can plant a fault: where something durable was done, or is about to be.

`GYGES_FAILPOINT=name:nth:action` plants one: the nth time that the point is reached, the action is taken, once.
Nothing is planted otherwise, and a point costs one look at an empty table. It knows no store and no run.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

VARIABLE = "GYGES_FAILPOINT"

POINTS: Mapping[str, str] = {
    "lock-taken": "the lock is ours, its file says so",
    "file-begun": "a new run's file has its tables, under another name",
    "file-whole": "it has its manifest and is closed",
    "file-named": "it has its own name",
    "plans-stored": "every plan is in the run",
    "commit-begun": "a transaction is open, nothing is written",
    "commit-written": "its rows are written, and not committed",
    "commit-done": "it is committed, and nobody knows",
    "checkpoint-begun": "the log is about to go into the file",
    "checkpoint-done": "the log is in the file",
    "intent-stored": "a call is announced, and not sent",
    "answer-received": "an answer is here, unread and not in the store",
    "answer-read": "it is read, and not in the store",
    "answer-stored": "it is in the store, and the graph has not seen it",
    "answer-replayed": "an answer came out of the store",
    "tool-applied": "a tool has answered",
    "episode-played": "an episode came to its end, and is not in the store",
    "episode-stored": "it is in the store, and nobody knows",
    "episode-counted": "it was counted for the user",
    "close-begun": "everything is committed, the log is still there",
    "close-emptied": "the log is in the file, the lock is still there",
    "lock-released": "the run is nobody's",
    "copy-kept": "a run of an older schema was copied, and not migrated",
    "migration-step": "one step of a migration is done, and not committed",
    "migration-done": "the new schema is committed",
    "batch-built": "a batch's calls are announced, and nothing was submitted",
    "batch-submitted": "the provider has taken a batch, and its name is not in the store",
    "batch-named": "a batch's name is in the store",
    "batch-fetched": "a batch's answers are here, and not in the store",
}
"""Every point and what is true there."""


@dataclass(slots=True)
class Planted:
    """A fault that waits to be reached."""

    name: str
    nth: int
    action: Callable[[], object]
    reached: int = 0


class PlantedFault(Exception):  # noqa: N818 - says what it is
    """What the action `raise` raises."""


_TABLE: dict[str, Planted] = {}


def reach(name: str) -> None:
    """Say that a point is reached."""
    if _TABLE:
        _strike(name)


def plant(words: str) -> None:
    """Plant `name:nth:action`; "" plants nothing. Raises ValueError for what is no such thing."""
    _TABLE.clear()
    if not words:
        return
    name, nth, action = words.split(":")
    if name not in POINTS or action not in ACTIONS or int(nth) < 1:
        raise ValueError(f"{VARIABLE}={words} is not name:nth:action; actions are {', '.join(ACTIONS)}")
    _TABLE[name] = Planted(name, int(nth), ACTIONS[action])


def _strike(name: str) -> None:
    planted = _TABLE.get(name)
    if planted is None:
        return
    planted.reached += 1
    if planted.reached == planted.nth:
        # What is told from here is how a test knows that the point was reached.
        os.write(sys.stderr.fileno(), f"failpoint {name}:{planted.nth}\n".encode())
        planted.action()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> NoReturn:
    raise PlantedFault("planted")


def _cancel() -> None:
    """As a second Ctrl-C does: everything that runs is cancelled, and hears of it at its next wait."""
    with suppress(RuntimeError):  # Nothing runs yet, or any more.
        for task in asyncio.all_tasks():
            task.cancel()


def _full() -> NoReturn:
    """As SQLite says it; it is an OSError as well, for points that no database is behind."""
    raise NoSpace


class NoSpace(sqlite3.OperationalError, OSError):  # noqa: N818 - as above
    """What the action `enospc` raises."""

    def __init__(self) -> None:
        super().__init__("database or disk is full (planted)")
        self.sqlite_errorcode = sqlite3.SQLITE_FULL
        self.errno = errno.ENOSPC


ACTIONS: Mapping[str, Callable[[], object]] = {"kill": _kill, "raise": _raise, "cancel": _cancel, "enospc": _full}

plant(os.environ.get(VARIABLE, ""))
