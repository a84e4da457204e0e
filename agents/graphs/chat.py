"""A conversation: every user turn of the plan, each answered once, with the model's native reasoning."""

from __future__ import annotations

from langgraph.func import entrypoint
from langgraph.runtime import Runtime

from gyges.agents.episode import EpisodeContext, EpisodeState
from gyges.transcripts.record import Outcome


# A workflow, not a node a turn: a step of a graph costs as much as the rest of a local call, and what a step is
# good for, going on where it stopped, the ledger of calls does already.
@entrypoint(context_schema=EpisodeContext)
async def graph(state: EpisodeState, *, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Say one user turn after the other and take the answers as they come."""
    while state["outcome"] is Outcome.PENDING:
        asked = runtime.context.next_turn(state["messages"])
        state = runtime.context.after(asked, await runtime.context.ask(asked))
    return state
