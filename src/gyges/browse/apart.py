"""Large runs are read by a process of its own: pages are answered meanwhile, and its memory goes with it.

It knows no page. What comes back through the pipe was made by this program's own child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from gyges.browse.index import Index, build_in_steps
from gyges.errors import StoreError
from gyges.transcripts import search_index
from gyges.transcripts.reader import RunReader

Progress = tuple[int, int]
"""Episodes done, of how many."""

_Said = Progress | Index | StoreError


def read(path: Path) -> Iterator[Progress | Index]:
    """A first index of the run, how far the reading of its words is, and its whole index. Raises StoreError."""
    yield from _answers(_read, path)


def fill(path: Path) -> Iterator[Progress | Index]:
    """How far the search index beside the run is, until every episode is in it. Raises StoreError."""
    yield from _answers(_fill, path)


def _answers(work: Callable[[Path, Connection], None], path: Path) -> Iterator[Progress | Index]:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(work, path, there), daemon=True)
    process.start()
    there.close()
    try:
        while True:
            said: _Said = here.recv()
            if isinstance(said, StoreError):
                raise said
            yield said
    except EOFError:
        process.join()
        if process.exitcode:
            to_do = "the terminal of `gyges browse` says why"
            raise StoreError(f"{path} could not be read to its end", to_do) from None
    finally:
        here.close()
        process.join()


def _child(work: Callable[[Path, Connection], None], path: Path, pipe: Connection) -> None:
    # Ctrl-C is heard by the server, which ends us; and a run that is being played comes first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)
    try:
        work(path, pipe)
    except StoreError as error:
        pipe.send(error)
    except BrokenPipeError:
        pass  # The server is gone: what was stored is kept, and nobody waits for the rest.


def _read(path: Path, pipe: Connection) -> None:
    with RunReader(path) as reader:
        for index in build_in_steps(reader, lambda done, of: pipe.send((done, of))):
            pipe.send(index)


def _fill(path: Path, pipe: Connection) -> None:
    search_index.fill(path, lambda done, of: pipe.send((done, of)))
