"""One writer a run: a lock file beside it that names its owner. It knows no database.

The kernel's lock decides, so a lock dies with its owner, also where the process number is used again. The words
in the file are for people, and for another machine on a shared folder, where the kernel's lock may not reach.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gyges.errors import StoreError
from gyges.transcripts import clock
from gyges.transcripts.failpoint import reach

SECONDS_TO_SIGN = 0.05
"""Between taking a lock and writing one's name into it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who writes to a run."""

    pid: int
    host: str
    since: str
    offset: float = 0.0
    """Of its clock, as `clock.offset` says; 0 where it is not known."""

    @property
    def started(self) -> float:
        """Seconds since 1970."""
        return datetime.fromisoformat(self.since).timestamp()

    def now(self) -> float:
        """The time of day by its clock, which may have been set since. Seconds since 1970."""
        here = self.offset and self.host == socket.gethostname()
        return self.offset + clock.steady() if here else time.time()

    def alive(self) -> bool:
        """Whether it may still write: it lives, or it is on another machine, where nobody can look from here."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def writer_of(run: Path) -> Owner | None:
    """Who writes to a run just now. Only looks: trying the lock would keep a writer out for a moment."""
    try:
        file = os.open(_path(run), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        owner = _read(file)
    finally:
        os.close(file)
    return owner if owner and owner.alive() else None


def _path(run: Path) -> Path:
    return run.with_name(run.name + ".lock")


class Lock:
    """Held from construction until `release`. Raises StoreError, with the owner's name, when another holds it."""

    def __init__(self, run: Path) -> None:
        self.path = _path(run)
        self._file = self._open()
        self.taken_over = self._refuse_other_hosts()
        """The owner that died without releasing it, if there was one."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(_me()).encode(), 0)
        reach("lock-taken")

    def release(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _open(self) -> int:
        while True:
            try:
                file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                what = f"{self.path.parent} can't be written to ({error.strerror})"
                raise StoreError(what, "check that the folder exists, and its permissions") from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                owner = _read(file)
                if owner is None:
                    time.sleep(SECONDS_TO_SIGN)
                    owner = _read(file)
                os.close(file)
                raise _in_use(self.path, owner) from error
            if self._is_at_its_place(file):
                return file
            os.close(file)  # Its last owner removed it between our opening and our locking.

    def _is_at_its_place(self, file: int) -> bool:
        try:
            return os.stat(self.path).st_ino == os.fstat(file).st_ino
        except FileNotFoundError:
            return False

    def _refuse_other_hosts(self) -> Owner | None:
        owner = _read(self._file)
        if owner and owner.host != socket.gethostname():
            os.close(self._file)
            raise _in_use(self.path, owner)
        return owner


def _me() -> dict[str, str | int | float]:
    now = datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": now, "offset": clock.offset()}


def _read(file: int) -> Owner | None:
    try:
        record = json.loads(os.pread(file, 4096, 0))
        offset = float(record.get("offset", 0.0))
        return Owner(int(record["pid"]), str(record["host"]), str(record["since"]), offset)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _in_use(path: Path, owner: Owner | None) -> StoreError:
    run = path.with_suffix("").stem
    if owner is None:
        return StoreError(f"run {run} is being written to", "wait for that program to end")
    return StoreError(
        f"run {run} is being written to by process {owner.pid} on {owner.host}, since {owner.since}",
        f"wait for it to end, or stop it; if {owner.host} no longer runs it, delete {path}",
    )
