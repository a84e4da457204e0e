"""The runs that are being browsed: opened to be read only, indexed once, indexed again when they have grown."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gyges.analysis.report_html import to_html
from gyges.browse import apart
from gyges.browse.apart import Progress
from gyges.browse.index import Index, build_index
from gyges.errors import GygesError, StoreError, UsageError
from gyges.transcripts.reader import RunReader


class NotHere(UsageError):  # noqa: N818 - an answer, not a fault
    """There is no such run, pair, episode or text."""


class BeingRead(UsageError):  # noqa: N818 - an answer, not a fault
    """A large run is read for the first time; soon there is something to see of it."""


PATIENCE = 5.0
"""A run that grows is indexed again after this many times the time that indexing it took."""

APART = 50_000_000
"""Bytes of a run from which it is read by a process of its own."""

SEARCHED = 4_000_000
"""Bytes of a run from which it is given a search index; of a smaller one every word is read as fast."""

EVERY = 5.0
"""Seconds between two looks for runs whose search index is behind."""

Stamp = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Kept:
    index: Index
    stamp: Stamp
    made: float
    took: float


@dataclass(slots=True)
class _Run:
    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: _Kept | None = None
    drawing: threading.Lock = field(default_factory=threading.Lock)
    drawn: tuple[Index, str] | None = None
    """The report of an index as a page: its plots take seconds to draw."""
    reading: bool = False
    read: Progress | None = None
    """How far the process is that reads it."""
    filled: Progress | None = None
    """How far its search index is, while it is being filled."""
    trouble: tuple[Stamp, StoreError] | None = None
    """Why it could not be read apart, when its file was as it was."""


class Shelf:
    """Runs by name. Every method may be called from any thread."""

    def __init__(self, paths: Sequence[Path], patient: bool = False) -> None:
        """`patient`: who asks for a run waits until all of it is read. Raises UsageError for two of one name."""
        self._runs = {path.stem: _Run(path) for path in paths}
        self._patient = patient
        self._turn = threading.Lock()
        self.warming = False
        if len(self._runs) < len(paths):
            raise UsageError("two of the runs have the same name", "browse one at a time, or rename a file")

    @property
    def names(self) -> list[str]:
        return list(self._runs)

    def path(self, name: str) -> Path:
        """Raises NotHere for a run that is not browsed."""
        if name not in self._runs:
            raise NotHere("there is no such run here", "the overview lists the runs")
        return self._runs[name].path

    def open(self, name: str) -> RunReader:
        """A reader of one's own. Raises NotHere and StoreError; what it says names the run, not its file."""
        path = self.path(name)
        try:
            return RunReader(path)
        except StoreError as error:
            raise nameless(error, path) from error

    def index(self, name: str) -> Index:
        """The run's index, at most a little older than the run.

        Raises as `open` does, and BeingRead for a large run of which there is nothing to see yet.
        """
        path = self.path(name)
        run = self._runs[name]
        with run.lock:
            stamp = _stamp(path)
            if not run.reading and (run.kept is None or (run.kept.stamp != stamp and _is_due(run.kept))):
                if self._patient or not _is_large(path):
                    self._read(run, stamp)
                elif run.trouble is None or run.trouble[0] != stamp:
                    run.reading = True
                    threading.Thread(target=self._read_apart, args=(run, stamp), daemon=True).start()
        if run.kept:
            return run.kept.index
        if run.trouble and not run.reading:
            raise run.trouble[1]
        raise BeingRead("this run is being read", "it is large: in some seconds there is something to see")

    def _read(self, run: _Run, stamp: Stamp) -> None:
        began = time.monotonic()
        try:
            with RunReader(run.path) as reader:
                index = build_index(reader)
        except StoreError as error:
            raise nameless(error, run.path) from error
        run.kept = _Kept(index, stamp, time.monotonic(), time.monotonic() - began)

    def _read_apart(self, run: _Run, stamp: Stamp) -> None:
        """Runs in a thread of its own; one large run at a time."""
        try:
            with self._turn:
                began = time.monotonic()
                for said in apart.read(run.path):
                    if not isinstance(said, Index):
                        run.read = said
                    elif said.report or run.kept is None:
                        run.kept = _Kept(said, stamp, time.monotonic(), time.monotonic() - began)
        except StoreError as error:
            run.trouble = (stamp, nameless(error, run.path))
        finally:
            run.read, run.reading = None, False

    def report(self, name: str) -> str:
        """The run's report as one page, drawn when somebody first asks. Raises as `open` does."""
        index, run = self.index(name), self._runs[name]
        with run.drawing:
            if index.report is None:
                raise BeingRead("this run is being read", "in a while there is a report of it")
            if run.drawn is None or run.drawn[0] is not index:
                run.drawn = (index, to_html([index.report]))
            return run.drawn[1]

    def warm(self) -> None:
        """Index every run; runs that can't be read are left for whoever asks for them."""
        self.warming = True
        for name in reversed(self.names):
            with suppress(GygesError):
                self.index(name)
        self.warming = False

    def fill(self, ending: Callable[[], bool] = lambda: False) -> None:
        """Keep the search indexes beside large runs up to date, until `ending`. What can't be written is left."""
        seen: dict[str, Stamp] = {}
        while not ending():
            for name in reversed(self.names):
                run = self._runs[name]
                stamp = _stamp(run.path)
                if seen.get(name) != stamp and _size(run.path) >= SEARCHED:
                    seen[name] = stamp
                    with suppress(StoreError):
                        for said in apart.fill(run.path):
                            run.filled = said if isinstance(said, tuple) else None
                    run.filled = None
            time.sleep(EVERY)

    def trouble(self, name: str) -> str:
        """Why a large run has no figures, where it could not be read to its end."""
        run = self._runs[name]
        unread = run.kept is not None and run.kept.index.report is None and not run.reading
        return str(run.trouble[1]) if unread and run.trouble else ""

    def progress(self, name: str) -> dict[str, Progress]:
        """What is going on: how many episodes, of how many, are `read` and `searchable`."""
        run = self._runs[name]
        return {what: done for what, done in (("read", run.read), ("searchable", run.filled)) if done}

    def ready(self, name: str) -> bool:
        """Whether the run's index, perhaps an older one, is there without waiting."""
        return self._runs[name].kept is not None

    def version(self) -> str:
        """Changes whenever a page of the overview would: a run has changed, or has been indexed."""
        states = []
        for run in self._runs.values():
            stamp, kept = _stamp(run.path), run.kept
            states.append((stamp, kept and (kept.made, kept.stamp != stamp and _is_due(kept))))
        return hashlib.sha256(repr(states).encode()).hexdigest()[:16]

    def live(self, name: str) -> bool:
        """Whether the run is being written: its log lies beside it."""
        path = self.path(name)
        return path.with_name(path.name + "-wal").exists()


def _is_large(path: Path) -> bool:
    return _size(path) > APART


def _size(path: Path) -> int:
    with suppress(OSError):  # A file that is gone: who reads it says so.
        return path.stat().st_size
    return 0


def _is_due(kept: _Kept) -> bool:
    return time.monotonic() - kept.made > PATIENCE * kept.took


def _stamp(path: Path) -> Stamp:
    """Changes whenever the file or its log does; a file that is gone has none."""
    stamps = []
    for file in (path, path.with_name(path.name + "-wal")):
        try:
            found = file.stat()
        except OSError:
            continue
        stamps.append((found.st_mtime_ns, found.st_size))
    return tuple(stamps)


def nameless(error: StoreError, path: Path) -> StoreError:
    """The error without where on this machine the run lies: pages are shown, and shared."""
    return StoreError(
        error.what.replace(str(path), f"the run {path.stem}"), error.to_do.replace(str(path), path.stem)
    )
