"""Find a profile's graph: `file.py:name`, looked for in the `agents/` folders. It runs the file, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gyges.agents.code import load_module, named
from gyges.errors import AuthoringError, Place

if TYPE_CHECKING:
    from langgraph.pregel import Pregel

    from gyges.agents.episode import EpisodeContext, EpisodeState


def load_graph(
    where: str,
) -> Pregel[EpisodeState, EpisodeContext, EpisodeState, EpisodeState]:
    """The compiled graph, or workflow, that `where` names. Raises UsageError, or AuthoringError for none."""
    from langgraph.pregel import Pregel

    path, name = named(where)
    graph = load_module(path).get(name)
    if not isinstance(graph, Pregel):
        raise AuthoringError(
            Place(path), f"{name!r} is not a compiled graph", f"end with {name} = builder.compile()"
        )
    return graph
