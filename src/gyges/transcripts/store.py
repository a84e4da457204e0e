"""Write a run: one SQLite file, one writer. It knows no provider and no grader.

`RunWriter` is used while a run is played or graded, `write_run` for a run whose episodes are all known, and
`RunReader` by everybody who reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gyges.errors import StoreError
from gyges.scenarios.plan import Plan
from gyges.transcripts import batch_rows, journal, judged_rows, rows, schema
from gyges.transcripts.batch_rows import Submitted
from gyges.transcripts.commits import Commits
from gyges.transcripts.failpoint import reach
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import Grade
from gyges.transcripts.judged import Judged
from gyges.transcripts.lock import Lock, Owner
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, Intent
from gyges.transcripts.rows import Heading
from gyges.transcripts.schema import Durability

__all__ = ["Durability", "Heading", "RunReader", "RunWriter", "write_run"]


class RunWriter:
    """The one writer of a run, made by `create` or `open`. Its methods return after the commit.

    They raise StoreError: to refuse a row, or, once a commit has failed for good, for everything after. A full
    disk is waited for. Cancelling one of them ends the waiting, not the writing.
    """

    def __init__(
        self, path: Path, lock: Lock, connection: sqlite3.Connection, durability: Durability = "process"
    ) -> None:
        self.path = path
        self._lock = lock
        self._connection = connection
        # Waiting for the disk after each commit is nothing for the loop's thread.
        aside = durability == "power" or not journal.has_log(connection)
        self._commits = Commits(path, connection, aside=aside)
        self._closed = False

    @classmethod
    def create(cls, path: Path, manifest: Manifest, durability: Durability = "process") -> Self:
        """Make a run's file and its folder. Raises StoreError if the file exists; nothing is left of a failure."""
        lock = _locked(path)
        try:
            _write(path, (), lambda: manifest)
            return cls(path, lock, schema.to_write(path, durability), durability)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, durability: Durability = "process") -> Self:
        """Open a run to go on with it. Raises StoreError if there is none, or another writer has it."""
        if not path.is_file():
            raise StoreError(f"there is no run at {path}", "`gyges show` lists the runs of this study")
        lock = Lock(path)
        try:
            return cls(path, lock, schema.to_write(path, durability), durability)
        except BaseException:
            lock.release()
            raise

    @property
    def taken_over(self) -> Owner | None:
        """The last writer, if it died without closing the run."""
        return self._lock.taken_over

    @property
    def held(self) -> int:
        """Rows that are held in memory because the disk takes none; 0 while it does."""
        return self._commits.held

    async def intent(self, intent: Intent) -> None:
        """Say that a call is about to be sent."""
        await self._commits.commit(lambda db: rows.put_intent(db, intent))

    async def call(self, call: Call) -> None:
        """Add a call. The same ordinal and attempt may come again (after a crash): nothing is replaced."""
        size = len(call.request) + len(call.response or b"")
        await self._commits.commit(lambda db: rows.put_call(db, call), size, paid=call.response is not None)

    async def episode(self, episode: Episode) -> None:
        """Store an episode. Again is nothing; a pending one is replaced; any other with this id is refused."""
        size = sum(len(message.text) for message in episode.messages)
        await self._commits.commit(lambda db: rows.put_episode(db, episode), size)

    async def batch(self, batch: Submitted) -> None:
        """Announce a batch, with all its calls, before it is handed in."""
        await self._commits.commit(lambda db: batch_rows.put(db, batch))

    async def batch_became(self, batch: Submitted, calls: Sequence[Call] = ()) -> None:
        """What became of an announced batch, and the calls that came with it, all or nothing."""
        size = sum(len(call.request) + len(call.response or b"") for call in calls)
        await self._commits.commit(lambda db: batch_rows.change(db, batch, calls), size)

    async def plan(self, plan: Plan) -> None:
        """Store a plan; each distinct one is kept once."""
        await self._commits.commit(lambda db: rows.put_plan(db, plan))

    async def grades(self, grades: Sequence[Grade], set_name: str) -> None:
        """Add grades to a set, all or none. The set made last is the one that readers take."""

        def write(db: sqlite3.Connection) -> None:
            for grade in grades:
                rows.put_grade(db, grade, set_name)

        await self._commits.commit(write)

    async def grade_set(self, about: GradeSet) -> None:
        """Begin a set of grades: what it says of itself, before its first grade. Sets are never changed."""
        await self._commits.commit(lambda db: judged_rows.put_grade_set(db, about))

    async def judgement(self, grade: Grade, judged: Judged, set_name: str) -> None:
        """Add a judged grade to a set, with the record of how it came about."""
        await self._commits.commit(lambda db: judged_rows.put_judgement(db, grade, judged, set_name))

    def close(self) -> None:
        """Commit what was handed over and let go of the run. Twice is once.

        Raises StoreError when rows had to be held in memory and there is still no space for them.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._commits.stop()
        finally:
            reach("close-begun")
            schema.leave(self._connection)
            reach("close-emptied")
            self._lock.release()
            reach("lock-released")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_run(path: Path, episodes: Iterable[Episode], manifest: Callable[[], Manifest]) -> None:
    """Make a finished run at once. `manifest` is asked for after the last episode.

    The file has its name only when it is whole; if `episodes` or `manifest` raises, nothing is left.
    Raises StoreError if the file exists.
    """
    lock = _locked(path)
    try:
        _write(path, episodes, manifest)
    finally:
        lock.release()


def _locked(path: Path) -> Lock:
    """The lock of a run that may be the first in its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path.parent} can't be made ({error.strerror})", "check its name and permissions"
        ) from error
    return Lock(path)


def _write(path: Path, episodes: Iterable[Episode], manifest: Callable[[], Manifest]) -> None:
    if path.exists():
        raise StoreError(f"{path} exists already", "give the run another name, or remove the file")
    temporary = path.with_name(path.name + ".part")
    temporary.unlink(missing_ok=True)  # Left by a process that was killed: we hold the lock.
    try:
        with schema.told(path):
            connection = schema.new(temporary)
            try:
                connection.execute("BEGIN")
                for episode in episodes:
                    rows.put_episode(connection, episode)
                reach("file-begun")
                rows.put_manifest(connection, manifest())
                connection.execute("COMMIT")
            finally:
                connection.close()
        reach("file-whole")
        schema.publish(temporary, path)
        reach("file-named")
    except OSError as error:
        raise StoreError(
            f"{path} can't be written ({error.strerror})", "check its disk and the free space"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
