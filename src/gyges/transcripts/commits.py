"""The one thread that writes: takes what is queued, commits it as one group, answers. It knows no tables.

Committing for each row would cost a wake-up and a commit a row; here everything that came in while the last
group was being committed is the next group. A row that was handed over is committed even if nobody waits for it
any more.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from gyges.errors import StoreError
from gyges.transcripts.schema import explained

Write = Callable[[sqlite3.Connection], None]
"""Writes some rows. Raises StoreError to refuse them; only whoever handed them over hears of it."""

_WINDOW = 0.002
"""Seconds that a group waits for company. An acknowledgement takes this and the commit."""
_MOST = 1000

Waiter = asyncio.Future[None]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    write: Write
    waiter: Waiter


class Commits:
    """Owns the connection and its thread. After a commit failed, everything fails with the same StoreError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._broken: StoreError | None = None
        self._guard = threading.Lock()
        """Held while handing over: nothing enters the queue after the end mark or after a failure."""
        self._thread = threading.Thread(target=self._work, name=f"gyges-store {path.stem}", daemon=True)
        self._thread.start()

    async def commit(self, write: Write) -> None:
        """Hand over and wait until committed. Cancelling ends the waiting, not the writing."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hand_over(_Entry(write, waiter))
        await waiter

    def stop(self) -> None:
        """Commit what was handed over, then end the thread. Twice is once. Raises nothing."""
        with self._guard:
            self._queue.put(None)
            self._broken = self._broken or StoreError(f"{self._path} is closed", "open the run again")
        self._thread.join()

    def _hand_over(self, entry: _Entry) -> None:
        with self._guard:
            if self._broken:
                raise self._broken
            self._queue.put(entry)

    def _work(self) -> None:
        group: list[_Entry] = []
        try:
            going = True
            while going:
                group, going = self._next_group()
                if group:
                    self._commit(group)
        except sqlite3.Error as error:
            self._break(group, explained(self._path, error))
        except BaseException as error:
            self._break(group, StoreError(f"writing to {self._path} failed: {error!r}", "`gyges resume` the run"))
            raise

    def _next_group(self) -> tuple[list[_Entry], bool]:
        """What to commit next, and whether there is more to come."""
        entry = self._queue.get()
        time.sleep(_WINDOW)
        group: list[_Entry] = []
        with suppress(Empty):
            while entry is not None:
                group.append(entry)
                if len(group) >= _MOST:
                    return group, True
                entry = self._queue.get_nowait()
            return group, False
        return group, True

    def _commit(self, group: Sequence[_Entry]) -> None:
        execute = self._connection.execute
        refused: dict[int, StoreError] = {}
        execute("BEGIN IMMEDIATE")
        for number, entry in enumerate(group):
            execute("SAVEPOINT entry")
            try:
                entry.write(self._connection)
            except StoreError as error:
                refused[number] = error
            except (sqlite3.IntegrityError, ValueError, TypeError, OverflowError) as error:
                refused[number] = StoreError(f"{self._path} can't take this: {error}")
            if number in refused:
                execute("ROLLBACK TO entry")
            execute("RELEASE entry")
        execute("COMMIT")
        _settle([(entry.waiter, refused.get(number)) for number, entry in enumerate(group)])

    def _break(self, group: Sequence[_Entry], error: StoreError) -> None:
        with self._guard:
            self._broken = error
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        left = [*group]
        with suppress(Empty):
            while True:
                entry = self._queue.get_nowait()
                left += [entry] if entry else []
        _settle([(entry.waiter, error) for entry in left])


def _settle(answers: Sequence[tuple[Waiter, StoreError | None]]) -> None:
    """Wake every waiter, each event loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, StoreError | None]]] = {}
    for waiter, error in answers:
        loops.setdefault(waiter.get_loop(), []).append((waiter, error))
    for loop, waiting in loops.items():
        with suppress(RuntimeError):  # The loop is closed: nobody waits there any more.
            loop.call_soon_threadsafe(_answer, waiting)


def _answer(answers: Sequence[tuple[Waiter, StoreError | None]]) -> None:
    for waiter, error in answers:
        if waiter.done():
            continue
        if error:
            waiter.set_exception(error)
        else:
            waiter.set_result(None)
