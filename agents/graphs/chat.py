"""A conversation: every user turn of the plan, each answered once, with the model's native reasoning."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from gyges.agents.episode import EpisodeContext, EpisodeState, after_turn


async def turn(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Say the next user turn and take the answer as it comes."""
    asked = runtime.context.next_turn(state["messages"])
    return runtime.context.after(asked, await runtime.context.ask(asked))


# One coarse node a turn: a step of the graph costs as much as the rest of a local call.
graph = (
    StateGraph(EpisodeState, context_schema=EpisodeContext)
    .add_node("turn", turn)
    .add_edge(START, "turn")
    .add_conditional_edges("turn", after_turn, {"turn": "turn", "end": END})
    .compile()
)
