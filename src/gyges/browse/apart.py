"""Large runs are read by a process of its own: pages are answered meanwhile, and its memory goes with it.

It knows no page. What comes back through the pipe was made by this program's own child.
"""

from __future__ import annotations

import os
import signal
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import quote

from gyges.browse.index import Index, build_in_steps
from gyges.errors import StoreError
from gyges.transcripts import search_index

BEHIND = 10
"""How nice those are that nobody waits for."""

Progress = tuple[int, int]
"""Episodes done, of how many."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a server shows of a run: the index, its figures as a piece of a page, its report as JSON."""

    index: Index
    figures: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """What makes a first index whole, and what else is `Shown`."""

    lengths: array[int]
    figures: str
    report: str


_Said = Progress | Index | Rest | StoreError | str


def read(paths: Sequence[Path], again: bool) -> Iterator[Progress | Index | Rest | StoreError]:
    """Of each run a first index, how far the reading of its words is, and the rest; or why there is none.

    Who reads them `again` waits for nothing: a run that is being played comes first.
    """
    for said in _answers(_read, BEHIND if again else 0, *paths):
        assert not isinstance(said, str)
        yield said


def fill(path: Path) -> Iterator[Progress]:
    """How far the search index beside the run is, until every episode is in it. Raises StoreError."""
    for said in _answers(_fill, BEHIND, path):
        if isinstance(said, StoreError):
            raise said
        if isinstance(said, tuple):
            yield said


def draw(report: str) -> str:
    """The report as a page. Raises StoreError."""
    for said in _answers(_draw, 0, report):
        if isinstance(said, str):
            return said
    raise StoreError("the report could not be drawn", "the terminal of `gyges browse` says why")


def address(path: Path) -> str:
    """Where the table of a run's pairs is."""
    return f"/run/{quote(path.stem)}/pairs"


def _answers(work: Callable[..., None], nice: int, *given: Path | str) -> Iterator[_Said]:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(work, nice, there, *given), daemon=True)
    process.start()
    there.close()
    try:
        while True:
            yield here.recv()
    except EOFError:
        process.join()
        if process.exitcode:
            to_do = "the terminal of `gyges browse` says why"
            raise StoreError("what was asked of a process of its own could not be done", to_do) from None
    finally:
        here.close()
        process.join()


def _child(work: Callable[..., None], nice: int, pipe: Connection, *given: Path | str) -> None:
    # Ctrl-C is heard by the server, which ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(nice)
    with suppress(BrokenPipeError):  # The server is gone: what was stored is kept, and nobody waits for the rest.
        work(pipe, *given)


def _read(pipe: Connection, *paths: Path) -> None:
    from gyges.browse.figures import figures

    for path in paths:
        try:
            for built in build_in_steps(path, lambda done, of: pipe.send((done, of))):
                if built.report is None or built.lengths is None:
                    pipe.send(built.index)
                else:
                    shown = figures(built.report, address(path), built.index.manifest.added())
                    pipe.send(Rest(built.lengths, shown, built.report.model_dump_json()))
        except StoreError as error:
            pipe.send(error)


def _fill(pipe: Connection, path: Path) -> None:
    try:
        search_index.fill(path, lambda done, of: pipe.send((done, of)))
    except StoreError as error:
        pipe.send(error)


def _draw(pipe: Connection, report: str) -> None:
    from gyges.analysis.result import Report
    from gyges.browse.figures import whole

    pipe.send(whole(Report.model_validate_json(report)))
