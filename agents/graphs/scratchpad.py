"""A conversation in which the model is asked to reason in a scratchpad before it answers.

The profile's `instructions` ask for it and its `scratchpad` names the tag. What stands in the tag becomes the
reasoning of the message, the rest its answer. The model sees its own earlier scratchpads, as it wrote them.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from gyges.agents.episode import EpisodeContext, EpisodeState, with_scratchpad
from gyges.transcripts.record import Outcome


async def turn(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> Command[str]:
    """Say the next user turn, take the answer and set its scratchpad apart."""
    asked = runtime.context.next_turn(state["messages"])
    reply = await runtime.context.ask(asked)
    said = runtime.context.after(asked, with_scratchpad(reply, runtime.context.scratchpad))
    return Command(update=said, goto="turn" if said["outcome"] is Outcome.PENDING else END)


graph = (
    StateGraph(EpisodeState, context_schema=EpisodeContext)
    .add_node("turn", turn, destinations=("turn", END))
    .add_edge(START, "turn")
    .compile()
)
