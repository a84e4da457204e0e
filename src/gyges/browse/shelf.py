"""The runs that are being browsed: opened to be read only, indexed once, indexed again when they have grown."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from gyges.analysis.report_html import to_html
from gyges.browse.index import Index, build_index
from gyges.errors import GygesError, StoreError, UsageError
from gyges.transcripts.reader import RunReader


class NotHere(UsageError):  # noqa: N818 - an answer, not a fault
    """There is no such run, pair, episode or text."""


PATIENCE = 5.0
"""A run that grows is indexed again after this many times the time that indexing it took."""

APART = 50_000_000
"""Bytes of a run from which it is indexed by a process of its own."""

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


class Shelf:
    """Runs by name. Every method may be called from any thread."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises UsageError when two runs have one name."""
        self._runs = {path.stem: _Run(path) for path in paths}
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
        """The run's index, at most a little older than the run. Raises as `open` does."""
        path = self.path(name)
        run = self._runs[name]
        with run.lock:
            stamp = _stamp(path)
            if run.kept is None or (run.kept.stamp != stamp and _is_due(run.kept)):
                began = time.monotonic()
                try:
                    index = (_apart if _is_large(path) else _indexed)(path)
                except StoreError as error:
                    raise nameless(error, path) from error
                run.kept = _Kept(index, stamp, time.monotonic(), time.monotonic() - began)
            return run.kept.index

    def report(self, name: str) -> str:
        """The run's report as one page, drawn when somebody first asks. Raises as `open` does."""
        index, run = self.index(name), self._runs[name]
        with run.drawing:
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

    def ready(self, name: str) -> bool:
        """Whether the run's index, perhaps an older one, is there without waiting."""
        return self._runs[name].kept is not None

    def version(self) -> str:
        """Changes whenever a page of the overview would: a run has changed, or has been indexed."""
        states = []
        for run in self._runs.values():
            stamp, kept = _stamp(run.path), run.kept
            states.append((stamp, kept and (kept.stamp, kept.stamp != stamp and _is_due(kept))))
        return hashlib.sha256(repr(states).encode()).hexdigest()[:16]

    def live(self, name: str) -> bool:
        """Whether the run is being written: its log lies beside it."""
        path = self.path(name)
        return path.with_name(path.name + "-wal").exists()


def _indexed(path: Path) -> Index:
    with RunReader(path) as reader:
        return build_index(reader)


def _is_large(path: Path) -> bool:
    with suppress(OSError):  # A file that is gone: who reads it says so.
        return path.stat().st_size > APART
    return False


def _apart(path: Path) -> Index:
    """The index, made by a process of its own: pages are answered meanwhile, and its memory goes with it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_indexed, path).result()


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
