"""A conversation in which the model is asked to reason in a scratchpad before it answers.

The profile's `instructions` ask for it and its `scratchpad` names the tag. What stands in the tag becomes the
reasoning of the message, the rest its answer. The model sees its own earlier scratchpads, as it wrote them.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from gyges.agents.episode import EpisodeContext, EpisodeState, after_turn, with_scratchpad


async def turn(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Say the next user turn, take the answer and set its scratchpad apart."""
    asked = runtime.context.next_turn(state["messages"])
    reply = await runtime.context.ask(asked)
    return runtime.context.after(asked, with_scratchpad(reply, runtime.context.scratchpad))


graph = (
    StateGraph(EpisodeState, context_schema=EpisodeContext)
    .add_node("turn", turn)
    .add_edge(START, "turn")
    .add_conditional_edges("turn", after_turn, {"turn": "turn", "end": END})
    .compile()
)
