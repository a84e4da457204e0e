"""The runs that are being browsed: opened to be read only, indexed once, indexed again when they have grown."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gyges.browse import apart
from gyges.browse.apart import Progress, Rest, Shown
from gyges.browse.index import Index, build
from gyges.errors import StoreError, UsageError
from gyges.transcripts.lock import writer_of
from gyges.transcripts.reader import RunReader


class NotHere(UsageError):  # noqa: N818 - an answer, not a fault
    """There is no such run, pair, episode or text."""


class BeingRead(UsageError):  # noqa: N818 - an answer, not a fault
    """A large run is read for the first time; soon there is something to see of it."""


PATIENCE = 5.0
"""A run that grows is indexed again after this many times the time that indexing it took."""

APART = 50_000_000
"""Bytes of a run from which it is read by a process of its own, if the shelf says nothing else."""

WAIT = 3.0
"""Seconds that a page waits for a run that is being read, before it says so."""

SEARCHED = 4_000_000
"""Bytes of a run from which it is given a search index; of a smaller one every word is read as fast."""

EVERY = 5.0
"""Seconds between two looks for runs whose search index is behind."""

Stamp = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Kept:
    shown: Shown
    stamp: Stamp
    made: float
    took: float
    page: str = ""
    """The report as a page: its plots take seconds to draw."""


@dataclass(slots=True)
class _Run:
    path: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    drawing: threading.Lock = field(default_factory=threading.Lock)
    kept: _Kept | None = None
    forked: str | None = None
    """The run that its episodes are forks of, "" where they are none; None: nobody has looked yet."""
    reading: bool = False
    read: Progress | None = None
    """How far the process is that reads it."""
    filled: Progress | None = None
    """How far its search index is, while it is being filled."""
    trouble: tuple[Stamp, StoreError] | None = None
    """Why it could not be read apart, when its file was as it was."""

    def is_due(self, stamp: Stamp) -> bool:
        """Whether it is to be read, or read again: a run that grows, not all the time."""
        if self.reading or (self.trouble and self.trouble[0] == stamp):
            return False
        kept = self.kept
        return kept is None or (kept.stamp != stamp and time.monotonic() - kept.made > PATIENCE * kept.took)


class Shelf:
    """Runs by name. Every method may be called from any thread."""

    def __init__(self, paths: Sequence[Path], apart_from: int | None = None) -> None:
        """Runs of `apart_from` bytes (default: `APART`) are read by a process of its own, which spares this one
        all the statistics. Raises UsageError when two runs have one name.
        """
        self._runs = {path.stem: _Run(path) for path in paths}
        self._apart_from = APART if apart_from is None else apart_from
        self._turn = threading.Lock()
        self._news = threading.Condition()
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

    def forks_of(self, name: str) -> list[str]:
        """The runs here whose episodes are forks of this run's."""
        for run in self._runs.values():
            if run.forked is None:
                with suppress(StoreError), RunReader(run.path) as reader:
                    forked = reader.manifest.forked
                    run.forked = forked.run if forked else ""
        return [other for other, run in self._runs.items() if run.forked == name]

    def index(self, name: str) -> Index:
        """The run's index, at most a little older than the run.

        Raises as `open` does, and BeingRead for a run of which there is nothing to see yet.
        """
        return self._shown(name, wait=WAIT).index

    def figures(self, name: str) -> str:
        """Its figures as a piece of a page, "" as long as there are none. Raises as `index` does, at once."""
        return self._shown(name, wait=0.0).figures

    def _shown(self, name: str, wait: float) -> Shown:
        path, run = self.path(name), self._runs[name]
        with run.lock:
            stamp = _stamp(path)
            if run.is_due(stamp):
                if _size(path) < self._apart_from:
                    self._read(run, stamp)
                else:
                    run.reading = True
                    threading.Thread(target=self._read_apart, args=([run],), daemon=True).start()
        with self._news:
            self._news.wait_for(lambda: run.kept or not run.reading, timeout=wait)
        if run.kept:
            return run.kept.shown
        if run.trouble and not run.reading:
            raise run.trouble[1]
        raise BeingRead("this run is being read", "in some seconds there is something to see")

    def _read(self, run: _Run, stamp: Stamp) -> None:
        from gyges.browse.figures import figures

        began = time.monotonic()
        try:
            index, report = build(run.path)
        except StoreError as error:
            raise nameless(error, run.path) from error
        said = figures(report, apart.address(run.path), index.manifest.added())
        shown = Shown(index, said, report.model_dump_json())
        run.kept = _Kept(shown, stamp, time.monotonic(), time.monotonic() - began)

    def _read_apart(self, runs: Sequence[_Run]) -> None:
        """Runs in a thread of its own, for runs that are `reading`; one process at a time."""
        waiting = list(runs)
        with self._turn:
            try:
                stamp, began, first = _stamp(waiting[0].path), time.monotonic(), None
                again = all(run.kept for run in runs)
                for said in apart.read([run.path for run in runs], again):
                    run = waiting[0]
                    if isinstance(said, StoreError):
                        run.trouble = (stamp, nameless(said, run.path))
                    elif isinstance(said, Index):
                        first = said
                        if run.kept is None:
                            run.kept = _Kept(Shown(said), stamp, time.monotonic(), time.monotonic() - began)
                    elif isinstance(said, Rest):
                        assert first is not None
                        shown = Shown(first.measured(said.lengths), said.figures, said.report)
                        run.kept = _Kept(shown, stamp, time.monotonic(), time.monotonic() - began)
                    else:
                        run.read = said
                    if isinstance(said, StoreError | Rest):
                        self._ended(waiting.pop(0))
                        stamp, began, first = _stamp(waiting[0].path) if waiting else (), time.monotonic(), None
                    self._tell()
            except StoreError as error:
                # A process that ends badly after its last word has done what was asked of it.
                if waiting:
                    waiting[0].trouble = (stamp, error)
            finally:
                for run in waiting:
                    self._ended(run)
                self._tell()

    def _ended(self, run: _Run) -> None:
        run.read, run.reading = None, False

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def report(self, name: str) -> str:
        """The run's report as one page, drawn when somebody first asks. Raises as `index` does."""
        self._shown(name, wait=WAIT)
        run = self._runs[name]
        with run.drawing:
            kept = run.kept
            if kept is None or not kept.shown.report:
                raise BeingRead("this run is being read", "in a while there is a report of it")
            kept.page = kept.page or apart.draw(kept.shown.report)
            return kept.page

    def warm(self) -> None:
        """Read every run, the newest first, by one process; what can't be read says so when it is asked for."""
        runs = [run for run in reversed(self._runs.values()) if run.is_due(_stamp(run.path))]
        for run in runs:
            run.reading = True
        if runs:
            self._read_apart(runs)

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
                        for done in apart.fill(run.path):
                            run.filled = done
                    run.filled = None
            time.sleep(EVERY)

    def trouble(self, name: str) -> str:
        """Why a run has no figures, where it could not be read to its end."""
        run = self._runs[name]
        unread = run.kept is not None and not run.kept.shown.report and not run.reading
        return str(run.trouble[1]) if unread and run.trouble else ""

    def progress(self, name: str) -> dict[str, Progress]:
        """What is going on: how many episodes, of how many, are `read` and `searchable`."""
        run = self._runs[name]
        return {what: done for what, done in (("read", run.read), ("searchable", run.filled)) if done}

    def version(self) -> str:
        """Changes whenever a page of the overview would: a run has been read, or is to be read again."""
        states = []
        for run in self._runs.values():
            stamp, kept = _stamp(run.path), run.kept
            states.append((stamp, kept and kept.made, run.is_due(stamp)))
        return hashlib.sha256(repr(states).encode()).hexdigest()[:16]

    def live(self, name: str) -> bool:
        """Whether somebody is writing to the run; one whose writer was killed is not."""
        return writer_of(self.path(name)) is not None


def _size(path: Path) -> int:
    with suppress(OSError):  # A file that is gone: who reads it says so.
        return path.stat().st_size
    return 0


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
