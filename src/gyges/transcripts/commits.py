"""Everything that came in during some milliseconds is one transaction. It knows no tables.

Rows are committed on the loop's own thread: a commit of the usual size takes a fifth of a millisecond; waking
another thread for it takes several where the loop is busy. What was paid for is committed as it is handed over,
unless there was a commit just now, and takes with it all that waits. What may
take longer (large rows, the log's way into the file, waiting for the disk after each commit) is done aside, in a
thread, while rows wait their turn. A row that was handed over is committed even if nobody waits for it any more.

A full disk is waited for. Rows are held in memory meanwhile, and nobody hears that they are stored; since every
call is announced before it is sent, nothing more is sent.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gyges.errors import StoreError
from gyges.transcripts.failpoint import reach
from gyges.transcripts.schema import explained

log = logging.getLogger("gyges.transcripts")

Write = Callable[[sqlite3.Connection], None]
"""Writes some rows. Raises StoreError to refuse them; only whoever handed them over hears of it."""

LARGE = 256 * 1024
"""Bytes of a group from which on packing them would hold up the loop."""
MOST = 1000
"""Rows in one transaction."""
SECONDS_TO_GATHER = 0.005
"""What nobody paid for may wait so long for company: a commit for each row is a sixth of what a call costs."""
SECONDS_BETWEEN_ANSWERS = 0.004
"""An answer is committed at once where the last commit is so long ago; oftener would cost more than it saves."""
AT_A_TIME = 8
"""Who is told in one round of the loop: each goes on at once, and hundreds would keep everybody else waiting."""
PAGES_OF_A_ROW = 4
PAGE = 4096
PAGES_IN_LOG = 1000
"""Of the log, roughly, before they go into the file."""
PAGES_THAT_ARE_MANY = 65_536
"""Of the log, 256 MiB: somebody has been reading for very long."""

SECONDS_BETWEEN_TRIES = 1.0
PASSING = {
    sqlite3.SQLITE_FULL: float("inf"),
    sqlite3.SQLITE_IOERR: 60.0,
    sqlite3.SQLITE_BUSY: 60.0,
    sqlite3.SQLITE_LOCKED: 60.0,
}
"""For how many seconds a failure of the disk is waited out, by SQLite's primary code."""

REFUSALS = (StoreError, sqlite3.IntegrityError, ValueError, TypeError, OverflowError)
"""What concerns one row and no other."""

Waiter = asyncio.Future[None]
Refused = dict[int, StoreError]
"""By the row's place in its group."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    write: Write
    waiter: Waiter
    size: int


class Commits:
    """Owns the connection. After a commit failed for good, everything fails with the same StoreError.

    For one event loop at a time. With `aside` no commit is made on the loop's thread.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, aside: bool = False) -> None:
        self._path = path
        self._connection = connection
        self._always_aside = aside
        self._group: list[_Entry] = []
        self._arranged: asyncio.AbstractEventLoop | None = None
        self._gathering: asyncio.AbstractEventLoop | None = None
        self._aside: tuple[Sequence[_Entry], Future[Refused]] | None = None
        self._broken: StoreError | None = None
        self._thread = ThreadPoolExecutor(1, f"gyges-store {path.stem}")
        self._heard: deque[tuple[Waiter, StoreError | None]] = deque()
        """Whose rows are stored, and who has not been told yet."""
        self._telling: asyncio.AbstractEventLoop | None = None
        """The loop that will tell some in its next round."""
        self._pages = 0
        self._last = 0.0
        """When the last commit here was begun. The loop's own clock stands still within a round."""
        self._waiting_since: float | None = None
        self._warned = False
        connection.execute("PRAGMA wal_autocheckpoint = 0")

    async def commit(self, write: Write, size: int = 0, *, paid: bool = False) -> None:
        """Hand over and wait until committed. Cancelling ends the waiting, not the writing. `size` is in bytes.

        What was `paid` for goes first, with all that waits."""
        if self._broken:
            raise self._broken
        loop = asyncio.get_running_loop()
        entry = _Entry(write, loop.create_future(), size)
        self._group.append(entry)
        if not paid:
            self._gather(loop)
        elif self._waiting_since is None and time.monotonic() - self._last >= SECONDS_BETWEEN_ANSWERS:
            self._flush(loop)
        else:
            self._arrange(loop)
        await entry.waiter

    @property
    def held(self) -> int:
        """Rows that wait for the disk; 0 while it takes them."""
        return 0 if self._waiting_since is None else len(self._group)

    def stop(self) -> None:
        """Commit what was handed over. Twice is once. Raises StoreError when rows could not be stored."""
        self._thread.shutdown()
        self._tell_some(None)
        if self._aside:
            group, done = self._aside
            self._aside = None
            # The loop that would have heard of it may be gone.
            self._finish(group, done)
        if self._group and not self._broken:
            group, self._group = self._group, []
            self._finish(group, self._try(group))
        lost = len(self._group)
        if lost and not self._broken:
            self._broken = StoreError(
                f"{lost} rows that were held in memory could not be stored in {self._path}",
                "free some space on its disk, then `gyges resume`: the calls among them are asked again",
            )
            self._settle(self._group, dict.fromkeys(range(lost), self._broken))
            self._group = []
            raise self._broken
        self._broken = self._broken or StoreError(f"{self._path} is closed", "open the run again")

    # On the loop's thread

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that what is waiting is committed in the next round."""
        if self._group and not self._aside and self._waiting_since is None and self._arranged is not loop:
            self._arranged = loop
            loop.call_soon(self._flush, loop)

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that what is waiting is committed soon, with what comes until then."""
        if self._gathering is not loop:
            self._gathering = loop
            loop.call_later(SECONDS_TO_GATHER, self._gathered, loop)

    def _gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        self._gathering = None
        self._arrange(loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        self._arranged = None
        if not self._group or self._aside or self._broken:
            return
        group, self._group = self._group[:MOST], self._group[MOST:]
        if self._always_aside or sum(entry.size for entry in group) >= LARGE:
            self._go_aside(group, lambda: self._commit(group), loop)
        else:
            self._last = time.monotonic()
            self._finish(group, self._try(group), loop)

    def _go_aside(
        self, group: Sequence[_Entry], work: Callable[[], Refused], loop: asyncio.AbstractEventLoop
    ) -> None:
        done = self._thread.submit(work)
        self._aside = group, done
        done.add_done_callback(lambda _: _tell(loop, lambda: self._back(loop)))

    def _back(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread is done, and the connection is the loop's again."""
        if self._aside:
            group, done = self._aside
            self._aside = None
            self._finish(group, done, loop)

    def _try(self, group: Sequence[_Entry]) -> Future[Refused]:
        done: Future[Refused] = Future()
        try:
            done.set_result(self._commit(group))
        except Exception as error:  # noqa: BLE001 - as a thread's future would hold it
            done.set_exception(error)
        return done

    def _finish(
        self, group: Sequence[_Entry], done: Future[Refused], loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Tell everybody what became of a group; after a failure that may pass, try again."""
        error = done.exception()
        if error is None:
            self._stored(group, done.result(), loop)
            return
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        self._group = [*group, *self._group]
        if isinstance(error, sqlite3.Error):
            if not group and self._may_pass(error):
                # The log did not go into the file. It may grow meanwhile; whether it may, the next rows will see.
                if loop is not None:
                    self._arrange(loop)
                return
            if self._may_pass(error):
                self._wait(explained(self._path, error), loop)
                return
            self._break(explained(self._path, error))
        else:
            self._break(StoreError(f"writing to {self._path} failed: {error!r}", "`gyges resume` the run"))

    def _stored(self, group: Sequence[_Entry], refused: Refused, loop: asyncio.AbstractEventLoop | None) -> None:
        if self._waiting_since is not None:
            self._waiting_since = None
            log.warning("%s takes rows again: what was held in memory is stored, and the run goes on", self._path)
        self._heard.extend((entry.waiter, refused.get(number)) for number, entry in enumerate(group))
        if loop is None or self._telling is not loop:
            self._tell_some(loop)
        self._pages += sum(PAGES_OF_A_ROW + entry.size // PAGE for entry in group)
        if loop is None:
            return
        if self._pages >= PAGES_IN_LOG:
            self._pages = 0
            self._go_aside((), self._checkpoint, loop)
        self._arrange(loop)

    def _may_pass(self, error: sqlite3.Error) -> bool:
        patience = PASSING.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, 0.0)
        return time.monotonic() - (self._waiting_since or time.monotonic()) < patience

    def _wait(self, why: StoreError, loop: asyncio.AbstractEventLoop | None) -> None:
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()
            log.warning("%s. Nothing is sent until then; what comes in is held in memory", why)
        if loop is not None:
            loop.call_later(SECONDS_BETWEEN_TRIES, self._flush, loop)

    def _break(self, error: StoreError) -> None:
        self._broken = error
        group, self._group = self._group, []
        self._settle(group, dict.fromkeys(range(len(group)), error))

    def _settle(self, group: Sequence[_Entry], refused: Refused) -> None:
        for number, entry in enumerate(group):
            _answer(entry.waiter, refused.get(number))

    def _tell_some(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Wake those whose rows are stored; with a loop only some at once, and the others in its next rounds."""
        number = len(self._heard) if loop is None else min(len(self._heard), AT_A_TIME)
        for _ in range(number):
            _answer(*self._heard.popleft())
        self._telling = loop if self._heard else None
        if self._heard and loop is not None:
            loop.call_soon(self._tell_some, loop)

    # On whichever thread has the connection

    def _commit(self, group: Sequence[_Entry]) -> Refused:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        reach("commit-begun")
        refused: Refused = {}
        try:
            for entry in group:
                entry.write(self._connection)
        except REFUSALS:
            # Rare enough that it need not be foreseen: once more, each row by itself.
            execute("ROLLBACK")
            execute("BEGIN IMMEDIATE")
            refused = self._one_by_one(group)
        reach("commit-written")
        execute("COMMIT")
        reach("commit-done")
        return refused

    def _one_by_one(self, group: Sequence[_Entry]) -> Refused:
        """Write what is not refused, and tell what is."""
        execute = self._connection.execute
        refused: Refused = {}
        for number, entry in enumerate(group):
            execute("SAVEPOINT entry")
            try:
                entry.write(self._connection)
            except REFUSALS as error:
                refused[number] = self._refusal(error)
                execute("ROLLBACK TO entry")
            execute("RELEASE entry")
        return refused

    def _refusal(self, error: Exception) -> StoreError:
        return error if isinstance(error, StoreError) else StoreError(f"{self._path} can't take this: {error}")

    def _checkpoint(self) -> Refused:
        """The log into the file, as far as nobody reads in it."""
        reach("checkpoint-begun")
        _, pages, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        reach("checkpoint-done")
        if pages - copied > PAGES_THAT_ARE_MANY and not self._warned:
            self._warned = True
            log.warning(
                "the log beside %s grows (%d MiB): some program has been reading the run for very long; close it",
                self._path,
                pages * PAGE // 2**20,
            )
        return {}


def _answer(waiter: Waiter, error: StoreError | None) -> None:
    if waiter.done() or waiter.get_loop().is_closed():
        return  # Nobody waits for it any more.
    if error:
        waiter.set_exception(error)
    else:
        waiter.set_result(None)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # The loop is closed: whoever stops the writer asks for the result.
        loop.call_soon_threadsafe(what)
