"""A conversation in which the model may call tools: all calls of an answer are answered, in order, by their ids.

The tools are those of the scenario's world where it has one; else the profile's `tools` name the functions and its
`state` what they begin with. A call that can't be carried out is answered with the error. Only an answer without
calls ends a turn; the step limit ends what goes on for ever. A scratchpad, where the profile asks for one, is set
apart.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from gyges.agents.episode import EpisodeContext, EpisodeState, with_scratchpad
from gyges.transcripts.record import Outcome


async def ask(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Ask with the results of the last answer's calls, or with the next user turn."""
    context, said = runtime.context, state["messages"]
    asked = said if said and said[-1].role == "tool" else context.next_turn(said)
    reply = await context.ask(asked, context.bench.offered if context.bench else ())
    if context.scratchpad:
        reply = with_scratchpad(reply, context.scratchpad)
    after = context.after(asked, reply)
    if reply.outcome is Outcome.COMPLETED and reply.message.calls:
        after["outcome"] = Outcome.PENDING
    return after


async def use(state: EpisodeState, runtime: Runtime[EpisodeContext]) -> EpisodeState:
    """Carry out the calls of the last answer."""
    bench, said = runtime.context.bench, state["messages"]
    if bench is None:
        raise ValueError("the model called a tool, and the profile has none")
    return {**state, "messages": (*said, *await bench.answers(said[-1].calls))}


async def after_answer(state: EpisodeState) -> Literal["use", "ask", "end"]:
    """Where to go next. Async, because LangGraph runs a sync edge in a thread."""
    if state["outcome"] is not Outcome.PENDING:
        return "end"
    return "use" if state["messages"][-1].calls else "ask"


graph = (
    StateGraph(EpisodeState, context_schema=EpisodeContext)
    .add_node("ask", ask)
    .add_node("use", use)
    .add_edge(START, "ask")
    .add_conditional_edges("ask", after_answer, {"use": "use", "ask": "ask", "end": END})
    .add_edge("use", "ask")
    .compile()
)
