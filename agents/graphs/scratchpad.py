"""A conversation in which the model is asked to reason in a scratchpad before it answers.

The profile's `instructions` ask for it and its `scratchpad` names the tag. What stands in the tag becomes the
reasoning of the message, the rest its answer. The model sees its own earlier scratchpads, as it wrote them.
"""

from __future__ import annotations

from langgraph.func import entrypoint
from langgraph.runtime import Runtime

from gyges.agents.episode import EpisodeContext, EpisodeState, with_scratchpad
from gyges.transcripts.record import Outcome


@entrypoint(context_schema=EpisodeContext)
async def graph(state: EpisodeState, *, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Say one user turn after the other, take the answers and set their scratchpads apart."""
    context = runtime.context
    while state["outcome"] is Outcome.PENDING:
        asked = context.next_turn(state["messages"])
        reply = await context.ask(asked)
        state = context.after(asked, with_scratchpad(reply, context.scratchpad))
    return state
