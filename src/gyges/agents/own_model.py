"""The chat model that a user's own graph is built with, and what its episode's conversation keeps of it.

LangChain's messages lose reasoning, refusals and raw bytes; calls made here go the way of all of gyges' calls. It
knows messages and tools, not the graph that they pass through.
"""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from gyges.agents.episode import EpisodeContext, Spent, with_scratchpad
from gyges.agents.langchain import answered, recorded, same, spoken
from gyges.agents.signals import marked
from gyges.models.provider import CallFailed, Reply, Tool
from gyges.transcripts.record import Message, Outcome


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that the graph got: the message's id there, and the message as it belongs into the transcript."""

    id: str
    message: Message


@dataclass(slots=True, eq=False)
class Conversation:
    """What one episode's graph was told and has said."""

    context: EpisodeContext
    plan: tuple[Message, ...]
    """The opening and the user's turns, with their signal."""
    thread: str = field(default_factory=lambda: uuid.uuid4().hex)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    turn: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    """The graph's own, between turns."""
    told: dict[str, Message] = field(default_factory=dict)
    """Of the plan, by the id in the graph's messages."""
    known: dict[str, Message] = field(default_factory=dict)
    """The model's, by the id in the graph's messages."""
    heard: list[Heard] = field(default_factory=list)
    """In this turn."""
    first: tuple[Message, ...] = ()
    """What was asked first."""
    failure: CallFailed | Spent | None = None
    reply: Reply | None = None
    """The first answer of the turn that is not complete."""
    waiting: set[Future[AIMessage]] = field(default_factory=set)
    """Calls of nodes that run in threads."""

    @classmethod
    def of(cls, context: EpisodeContext) -> Conversation:
        turns = (Message("user", turn.text, signal=turn.signal) for turn in context.turns)
        return cls(context, (*context.opening, *turns))

    async def ask(self, messages: Sequence[BaseMessage], tools: Sequence[Tool]) -> AIMessage:
        """Ask the episode's model. A call that failed once fails for good: gyges has tried again already."""
        if self.failure is not None:
            raise self.failure
        asked = tuple(self.message(message) for message in messages)
        self.first = self.first or asked
        try:
            reply = await self.context.ask(asked, tools)
        except (CallFailed, Spent) as failure:
            self.failure = failure
            raise
        message = answered(reply)
        assert message.id is not None
        self.known[message.id] = reply.message
        self.heard.append(Heard(message.id, with_scratchpad(reply, self.context.scratchpad).message))
        if self.reply is None and reply.outcome is not Outcome.COMPLETED:
            self.reply = reply
        return message

    def ask_from_thread(self, messages: Sequence[BaseMessage], tools: Sequence[Tool]) -> AIMessage:
        """The same for a node that is no coroutine, which LangGraph runs in a thread."""
        future = asyncio.run_coroutine_threadsafe(self.ask(messages, tools), self.loop)
        self.waiting.add(future)
        try:
            return future.result()
        finally:
            self.waiting.discard(future)

    def message(self, message: BaseMessage) -> Message:
        """A message of the graph's: the model's own as it came, the plan's words with their signal."""
        found = recorded(message)
        if found.role == "assistant":
            known = self.known.get(message.id or "")
            return known if known is not None and same(known, found) else found
        return marked(found, self.plan, self.told.get(message.id or ""))

    def tell(self, message: Message) -> BaseMessage:
        made = spoken(message)
        assert made.id is not None
        self.told[made.id] = message
        return made


CONVERSATION: contextvars.ContextVar[Conversation] = contextvars.ContextVar("gyges_conversation")
"""Of the episode that a node of a graph runs for."""


class EpisodeModel(BaseChatModel):
    """The model of whichever episode is being played, for graphs that take a chat model of LangChain's.

    Which model it is and how it is asked stands in the agent's profile. Every call is recorded, tried again and
    limited like any other; reasoning goes into the transcript, whatever the graph makes of the message.
    """

    cache: bool | None = False  # An answer from LangChain's cache would be no answer.

    @property
    def _llm_type(self) -> str:
        return "gyges"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. Raises ValueError for a tool_choice other than "auto", or settings of a provider's."""
        if tool_choice not in (None, "auto") or any(value is not None for value in kwargs.values()):
            raise ValueError("gyges leaves it to the model which tool it calls: bind tools without settings")
        functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
        empty = {"type": "object", "properties": {}}
        offered = [Tool(f["name"], f.get("description", ""), f.get("parameters", empty)) for f in functions]
        return self.bind(offered=tuple(offered))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain's signature
        **kwargs: Any,
    ) -> ChatResult:
        answer = await CONVERSATION.get().ask(messages, _offered(stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain's signature
        **kwargs: Any,
    ) -> ChatResult:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            answer = CONVERSATION.get().ask_from_thread(messages, _offered(stop, kwargs))
            return ChatResult(generations=[ChatGeneration(message=answer)])
        raise RuntimeError("in a coroutine `await model.ainvoke(...)`: `model.invoke(...)` would wait for itself")


def _offered(stop: list[str] | None, settings: Mapping[str, Any]) -> tuple[Tool, ...]:
    """The tools among a call's settings. Raises ValueError for others: how to ask stands in the profile."""
    others = [name for name, value in settings.items() if name != "offered" and value is not None]
    if stop or others:
        named = ", ".join(["stop"] * bool(stop) + others)
        raise ValueError(f"the graph sets {named}: how the model is asked stands in the agent's profile")
    return tuple(settings.get("offered", ()))
