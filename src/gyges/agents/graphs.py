"""Find a profile's graph: `file.py:name`, looked for in the `agents/` folders. It runs the file, once."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gyges import study
from gyges.errors import AuthoringError, Place, UsageError

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from gyges.agents.episode import EpisodeContext, EpisodeState


def load_graph(
    where: str,
) -> CompiledStateGraph[EpisodeState, EpisodeContext, EpisodeState, EpisodeState]:
    """The compiled graph that `where` names. Raises UsageError or AuthoringError when there is none."""
    from langgraph.graph.state import CompiledStateGraph

    file, separator, name = where.rpartition(":")
    if not separator or not name.isidentifier():
        raise UsageError(f"{where!r} names no graph", "write it as graphs/chat.py:graph")
    path = find_file(file)
    graph = load_module(path).get(name)
    if not isinstance(graph, CompiledStateGraph):
        raise AuthoringError(
            Place(path), f"{name!r} is not a compiled graph", f"end with {name} = builder.compile()"
        )
    return graph


def find_file(file: str) -> Path:
    """The file below the study's or the library's `agents/`, or where the path itself says."""
    candidates = [folder / file for folder in study.places("agents")] + [Path(file)]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    raise UsageError(f"there is no {file}", f"looked in {', '.join(str(path.parent) for path in candidates)}")


@cache
def load_module(path: Path) -> dict[str, object]:
    """The names that the file defines. Each file runs once a process."""
    spec = importlib.util.spec_from_file_location(f"gyges_authored_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Before it runs: dataclasses and typing look their own module up while it is being made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return vars(module)
