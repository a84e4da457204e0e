"""A user's own LangGraph graph as an agent: its model asks through gyges, its messages become a transcript.

    from gyges.agents.own import EpisodeModel, adapt
    graph = adapt(create_agent(EpisodeModel(), tools=[...]))

The graph knows nothing of plans; this module knows nothing of what the graph does, only what it asked and said.
"""

from __future__ import annotations

import contextvars
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langsmith import tracing_context

from gyges.agents.episode import EpisodeContext, EpisodeState, after_turn
from gyges.agents.langchain import same
from gyges.agents.own_model import CONVERSATION, Conversation, EpisodeModel, Heard
from gyges.transcripts.record import Message, Outcome, Reasoning, Visibility

__all__ = ["EpisodeModel", "adapt"]

UNSAID = "graph:unsaid"
"""The source of words that the model said to the graph and the graph to nobody: a plan, a draft, a vote."""


class OwnState(EpisodeState):
    """The state of the graph around the user's."""

    conversation: NotRequired[Conversation]


def adapt(
    own: CompiledStateGraph[Any, Any, Any, Any],
    *,
    begin: Mapping[str, Any] | None = None,
    context: object = None,
) -> CompiledStateGraph[EpisodeState, EpisodeContext, EpisodeState, EpisodeState]:
    """An agent's graph from a user's compiled one, whose state has LangChain's `messages`.

    Its model is an `EpisodeModel()`. Each user turn of the plan is one call of the graph. Between turns its state
    is kept: by its checkpointer where it has one, else handed back to it. `begin` is what it needs beside
    `messages` to begin, `context` its own run-time context.
    """

    async def played(given: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        with tracing_context(enabled=False):
            return cast("dict[str, Any]", await own.ainvoke(given, config, context=context))

    async def turn(state: OwnState, runtime: Runtime[EpisodeContext]) -> OwnState:
        conversation = state.get("conversation") or Conversation.of(runtime.context)
        own_config: RunnableConfig = {
            "recursion_limit": get_config()["recursion_limit"],
            "configurable": {"thread_id": conversation.thread},
        }
        user, given = _next(conversation, state["messages"], begin or {}, remembers=bool(own.checkpointer))
        # A context of its own: inside ours LangGraph would take it for a part of this graph.
        apart = contextvars.Context()
        apart.run(CONVERSATION.set, conversation)
        try:
            result = await conversation.loop.create_task(played(given, own_config), context=apart)
        finally:
            for future in tuple(conversation.waiting):
                future.cancel()
        return _after(conversation, state["messages"], user, result)

    builder = StateGraph(
        OwnState, context_schema=EpisodeContext, input_schema=EpisodeState, output_schema=EpisodeState
    )
    builder.add_node("turn", turn)
    builder.add_edge(START, "turn")
    builder.add_conditional_edges("turn", after_turn, {"turn": "turn", "end": END})
    return builder.compile()  # type: ignore[return-value]  # Inside, its state has more than an EpisodeState.


def _next(
    conversation: Conversation, said: Sequence[Message], first: Mapping[str, Any], *, remembers: bool
) -> tuple[BaseMessage, dict[str, Any]]:
    """The next user turn, and what the graph is given with it."""
    context = conversation.context
    if context.world is not None:
        to_do = "play it with graphs/tools.py:graph, or with a graph that uses the context's `bench`"
        raise ValueError(f"the scenario has a world, and an adapted graph brings its own tools: {to_do}")
    turn = context.turn(conversation.turn, said)
    user = conversation.tell(Message("user", turn.text, signal=turn.signal))
    if conversation.turn == 0:
        return user, {**first, "messages": [*map(conversation.tell, context.opening), user]}
    if remembers:
        return user, {"messages": [user]}
    return user, {**conversation.state, "messages": [*conversation.state["messages"], user]}


def _after(
    conversation: Conversation, before: tuple[Message, ...], user: BaseMessage, result: dict[str, Any]
) -> OwnState:
    """The transcript after a turn, and whether the user goes on."""
    if conversation.failure is not None:
        raise conversation.failure
    if "__interrupt__" in result:
        raise ValueError("the graph waits for a person (an interrupt): nobody is there in an episode")
    if not conversation.first:
        raise ValueError("the graph did not ask the episode's model: build it with gyges' EpisodeModel()")
    made = _made(conversation, user, result["messages"])
    said = _transcript(conversation, made)
    said_before = before or tuple(message for message in conversation.first if message.role == "system")
    reply = conversation.reply
    outcome, reason = (reply.outcome, reply.reason) if reply else _ending(said)
    conversation.state, conversation.turn = result, conversation.turn + 1
    conversation.heard, conversation.reply = [], None
    if outcome is Outcome.COMPLETED and conversation.turn < len(conversation.context.turns):
        outcome = Outcome.PENDING
    return {
        "messages": (*said_before, conversation.message(user), *said),
        "outcome": outcome,
        "reason": reason,
        "conversation": conversation,
    }


def _made(conversation: Conversation, user: BaseMessage, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages that the graph has added in this turn."""
    at = next((at for at, message in enumerate(messages) if message.id == user.id), None)
    if at is not None:
        return list(messages[at + 1 :])
    old = {message.id for message in conversation.state.get("messages", ())} | set(conversation.told)
    return [message for message in messages if message.id not in old]


def _ending(said: Sequence[Message]) -> tuple[Outcome, str]:
    if not any(message.role == "assistant" for message in said):
        return Outcome.ERRORED, "the graph ended the turn without a message of the assistant"
    answered_calls = {message.result.call for message in said if message.result}
    for message in said:
        for call in message.calls:
            if call.id not in answered_calls:
                return Outcome.ERRORED, f"the graph left a call of {call.name!r} unanswered"
    return Outcome.COMPLETED, ""


def _transcript(conversation: Conversation, made: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """The graph's messages, with all that its model said: in its message, or as reasoning before the next."""
    said = [conversation.message(message) for message in made]
    places = _places(conversation.heard, made, said)
    speakers = [at for at, message in enumerate(said) if message.role == "assistant"]
    unsaid: list[Reasoning] = []
    for heard in conversation.heard:
        at = places.get(heard.id)
        if at is None:
            unsaid += [*heard.message.reasoning, *_words(heard.message)]
            continue
        changed = () if _says(made[at], heard, conversation) else _words(heard.message)
        text = said[at].text if changed else heard.message.text
        shown = dataclasses.replace(heard.message, text=text, calls=said[at].calls, replay=said[at].replay)
        said[at] = _with_reasoning(shown, [*unsaid, *heard.message.reasoning, *changed])
        unsaid = []
    if unsaid and speakers:
        last = said[speakers[-1]]
        said[speakers[-1]] = _with_reasoning(last, [*last.reasoning, *unsaid])
    return tuple(said)


def _places(heard: Sequence[Heard], made: Sequence[BaseMessage], said: Sequence[Message]) -> dict[str, int]:
    """Where in the turn each answer stands: by its id, else by its words where the graph made a new message."""
    ids = {message.id: at for at, message in enumerate(made)}
    places = {one.id: ids[one.id] for one in heard if one.id in ids}
    for one in heard:
        if one.id in places:
            continue
        taken = set(places.values())
        for at, message in enumerate(said):
            if at not in taken and message.role == "assistant" and same(message, one.message):
                places[one.id] = at
                break
    return places


def _says(made: BaseMessage, heard: Heard, conversation: Conversation) -> bool:
    """Whether the graph's message still says what the model said."""
    return str(made.text) in (conversation.known[heard.id].text, heard.message.text)


def _words(message: Message) -> tuple[Reasoning, ...]:
    return (Reasoning(Visibility.SCRATCHPAD, UNSAID, message.text),) if message.text else ()


def _with_reasoning(message: Message, pieces: Sequence[Reasoning]) -> Message:
    """The message with these pieces; what says that there are none goes if there are some."""
    some = tuple(piece for piece in pieces if piece.visibility is not Visibility.ABSENT)
    return dataclasses.replace(message, reasoning=some or tuple(pieces[:1]))
