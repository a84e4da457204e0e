"""A conversation: every user turn of the plan, each answered once, with the model's native reasoning."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from gyges.agents.episode import EpisodeContext, EpisodeState
from gyges.transcripts.record import Outcome


async def turn(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> Command[str]:
    """Say the next user turn and take the answer as it comes."""
    asked = runtime.context.next_turn(state["messages"])
    said = runtime.context.after(asked, await runtime.context.ask(asked))
    return Command(update=said, goto="turn" if said["outcome"] is Outcome.PENDING else END)


# One coarse node a turn, which says itself where to go: a step of the graph costs as much as the rest of a local
# call, and a conditional edge a sixth of a step.
graph = (
    StateGraph(EpisodeState, context_schema=EpisodeContext)
    .add_node("turn", turn, destinations=("turn", END))
    .add_edge(START, "turn")
    .compile()
)
